from typing import Any

from django.http import HttpRequest, HttpResponse

class ImportMixin:
    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse: ...
    def get_confirm_form_initial(
        self, request: HttpRequest, import_form: Any
    ) -> dict[str, Any]: ...
