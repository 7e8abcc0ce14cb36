from typing import Any, cast

from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from campaigns.api.filters import Filters
from campaigns.api.idempotency import IdempotentMixin
from campaigns.api.permissions import RolePermission


class View(IdempotentMixin, GenericViewSet[Any]):
    """What all calls share. ``permissions`` names what actions of its own a view needs."""

    permission_classes = [RolePermission]
    filter_backends = [Filters]
    lookup_value_converter = "int"
    model_name: str
    permissions: dict[str, str] = {}

    @property
    def caller(self) -> User:
        """Who asks; known once the permissions were checked."""
        return cast("User", self.request.user)
