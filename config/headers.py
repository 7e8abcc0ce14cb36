"""What answers say about themselves: whose scripts may run, and that no cache keeps them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# The admin's theme evaluates expressions of Alpine and writes styles into elements.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_PERSONAL = ("/admin/", "/api/")


def describe_answers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: send the policy with each answer, and keep people's data out of caches."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        if request.path.startswith(_PERSONAL):
            response["Cache-Control"] = "no-store"
        return response

    return middleware
