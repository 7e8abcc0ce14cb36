from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

_OF_ACTIONS = {
    "list": "view",
    "retrieve": "view",
    "metadata": "view",
    "create": "add",
    "update": "change",
    "partial_update": "change",
    "destroy": "delete",
}


class RolePermission(BasePermission):
    """Staff alone, and of them who may do this: 401 for nobody, 403 for everybody else.

    Each action of a view needs ``<verb>_<model>``, or what the view's ``permissions`` names for
    it; an action that is named nowhere is refused.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        if not (user.is_authenticated and user.is_staff):
            return False
        if view.action is None:
            return True  # no such method: the view answers 405
        needed = needed_for(view)
        return needed is not None and user.has_perm(needed)


def needed_for(view: Any) -> str | None:
    """Return the permission that the view's action needs."""
    if named := view.permissions.get(view.action):
        return f"campaigns.{named}"
    verb = _OF_ACTIONS.get(view.action)
    return f"campaigns.{verb}_{view.model_name}" if verb else None
