from typing import Any, cast

from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from campaigns.api.filters import Filters
from campaigns.api.idempotency import IdempotentMixin
from campaigns.api.permissions import RolePermission


class View(IdempotentMixin, GenericViewSet[Any]):
    """What all calls share. By the name of an action ``permissions`` says what those of a view's
    own need, and ``parameters`` which the query may hold beside filters and pages.
    """

    permission_classes = [RolePermission]
    filter_backends = [Filters]
    lookup_value_converter = "int"
    model_name: str
    permissions: dict[str, str] = {}
    parameters: dict[str, tuple[str, ...]] = {}
    filtered: tuple[str, ...] = ("list",)
    paged: tuple[str, ...] = ("list",)

    @property
    def caller(self) -> User:
        """Who asks; known once the permissions were checked."""
        return cast("User", self.request.user)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not self.action or self.action == "metadata":
            return  # no such method, or what there is to be asked
        known = self._parameters()
        if unknown := [name for name in request.query_params if name not in known]:
            told = ErrorDetail("There is no such parameter.", code="unknown")
            raise ValidationError({name: [told] for name in unknown})

    def _parameters(self) -> set[str]:
        """Name what the query of this call may hold: a misspelt filter would narrow nothing."""
        known = {"format", *self.parameters.get(self.action, ())}
        filterset = getattr(self, "filterset_class", None)
        if self.action in self.filtered and filterset is not None:
            known |= filterset.get_filters().keys()
        if self.action in self.paged:
            known |= getattr(self.pagination_class, "parameters", frozenset())
        return known
