"""Who may call what: every call there is, found in the URL conf, asked by everybody."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from accounts.enums import Role
from campaigns.models import SegmentExport, Suppression
from tests.factories import make_user

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.django_db

OPEN = {"token", "token-refresh", "token-revoke", "schema", "docs"}
METHODS = ("get", "post", "put", "patch", "delete")


def patterns(resolver: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for one in resolver.url_patterns:
        where = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from patterns(one, where)
        elif where.startswith("api/"):
            yield where, one


EVERY = list(patterns(get_resolver()))
CALLS = [
    (route, method)
    for route, pattern in EVERY
    if pattern.name is not None and pattern.name not in OPEN
    for method in METHODS
]


OFFERED = [
    (route, method)
    for route, pattern in EVERY
    for method in getattr(pattern.callback, "actions", None) or {"get": "get"}
    if (route, method) in CALLS
]


def nobody() -> dict[str, str]:
    return {}


def somebody(**fields: Any) -> dict[str, str]:
    return bearing(AccessToken.for_user(make_user(**fields)))


def bearing(token: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def inactive() -> dict[str, str]:
    return somebody(role=Role.ADMIN, is_active=False)


def expired() -> dict[str, str]:
    token = AccessToken.for_user(make_user(role=Role.ADMIN))
    token.set_exp(lifetime=-timedelta(seconds=1))
    return bearing(token)


def forged() -> dict[str, str]:
    head, body, signature = str(AccessToken.for_user(make_user(role=Role.ADMIN))).split(".")
    return bearing(f"{head}.{body}.{signature[::-1]}")


def of_somebody_deleted() -> dict[str, str]:
    user: User = make_user(role=Role.ADMIN)
    token = AccessToken.for_user(user)
    user.delete()
    return bearing(token)


UNKNOWN = [nobody, inactive, expired, forged, of_somebody_deleted]
REFUSED = [Role.CLIENT, Role.PARTNER, Role.AGENT]
ALLOWED = [Role.MANAGER, Role.ADMIN]


@pytest.fixture
def path(segment) -> Any:
    """Turn a route into the path of something that is there."""
    export = SegmentExport.objects.create(segment=segment, segment_name="Women", status="PLANNED")
    suppression = Suppression.objects.create(email="no@example.com")
    there = {"segments": segment.pk, "exports": export.pk, "suppressions": suppression.pk}
    person = make_user()

    def filled(route: str) -> str:
        kind = route.split("/")[2] if route.count("/") > 2 else ""
        pk = there.get(kind, 0)
        for name in ("<int:pk>", "<int:segment_id>", "<int:export_id>"):
            route = route.replace(name, str(pk))
        route = route.replace("<slug:key>", "gender").replace("<int:user_id>", str(person.pk))
        assert "<" not in route, f"say in this test what stands for {route}"
        return f"/{route}"

    return filled


def status(method: str, path: str, headers: dict[str, str]) -> int:
    client = APIClient()
    sent = {} if method == "get" else {"data": {}, "format": "json"}
    response = getattr(client, method)(path, headers=headers, **sent)
    return int(response.status_code)


def test_the_url_conf_holds_the_calls_that_this_test_asks():
    assert len(CALLS) >= 5 * 20
    unnamed = {route for route, pattern in EVERY if pattern.name is None}
    assert unnamed == {"api/", r"api/^(?P<path>[\s\S]*)$"}


@pytest.mark.parametrize("caller", UNKNOWN)
def test_whoever_is_not_known_is_told_to_log_in(path, caller) -> None:
    headers = caller()

    answers = {(route, method): status(method, path(route), headers) for route, method in CALLS}

    assert answers == dict.fromkeys(CALLS, 401)


@pytest.mark.parametrize("role", REFUSED)
def test_whoever_is_no_staff_is_refused(path, role) -> None:
    headers = somebody(role=role)

    answers = {(route, method): status(method, path(route), headers) for route, method in CALLS}

    assert answers == dict.fromkeys(CALLS, 403)


@pytest.mark.parametrize(("route", "method"), OFFERED)
@pytest.mark.parametrize("role", ALLOWED)
def test_staff_may_call_what_is_offered(path, route, method, role) -> None:
    assert status(method, path(route), somebody(role=role)) in {200, 201, 204, 400}


@pytest.mark.parametrize("role", ALLOWED)
def test_staff_are_told_what_is_not_offered(path, role) -> None:
    headers, missing = somebody(role=role), sorted(set(CALLS) - set(OFFERED))

    answers = {(route, method): status(method, path(route), headers) for route, method in missing}

    assert answers == dict.fromkeys(missing, 405)


def test_staff_may_ask_each_call_what_it_offers(path):
    headers, routes = somebody(role=Role.MANAGER), sorted({route for route, _ in CALLS})

    answers = {route: APIClient().options(path(route), headers=headers) for route in routes}

    assert {route: answer.status_code for route, answer in answers.items()} == dict.fromkeys(
        routes, 200
    )


@pytest.mark.parametrize(
    ("name", "answer"), [("token", 400), ("token-refresh", 400), ("schema", 200), ("docs", 200)]
)
def test_log_in_and_documentation_are_open_to_everybody(client, name, answer) -> None:
    [route] = [route for route, pattern in EVERY if pattern.name == name]

    method = client.post if answer == 400 else client.get

    assert method(f"/{route}").status_code == answer


@pytest.mark.parametrize(
    ("grants", "allowed"),
    [
        (["campaigns.view_*"], {"get"}),
        (["campaigns.*_segment"], {"get", "put", "patch", "delete"}),
        ([], set()),
    ],
)
def test_each_call_needs_its_own_permission(path, segment, settings, grants, allowed):
    settings.ROLE_PERMISSIONS = {"MANAGER": grants}
    headers = somebody(role=Role.MANAGER)
    there = path("api/campaigns/segments/<int:pk>/")

    answers = {method: status(method, there, headers) for method in METHODS if method != "post"}

    assert {method for method, answer in answers.items() if answer != 403} == allowed
