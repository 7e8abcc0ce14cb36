"""Pieces of the admin: Unfold's, and those of Django that are not generic at run time."""

from typing import TYPE_CHECKING, Any

from unfold.admin import ModelAdmin, StackedInline
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    TextFilter,
)
from unfold.decorators import display
from unfold.forms import UserChangeForm, UserCreationForm
from unfold.views import ChangeList

if TYPE_CHECKING:
    from django.contrib.auth import admin as auth_admin
    from django.core import paginator

    class AuthUserAdmin(auth_admin.UserAdmin[Any], ModelAdmin): ...

    class Paginator(paginator.Paginator[Any]): ...

else:
    from django.contrib.auth.admin import UserAdmin as AuthUserAdmin
    from django.core.paginator import Paginator

__all__ = [
    "AuthUserAdmin",
    "AutocompleteSelectFilter",
    "ChangeList",
    "ChoicesDropdownFilter",
    "DropdownFilter",
    "ModelAdmin",
    "Paginator",
    "StackedInline",
    "TextFilter",
    "UserChangeForm",
    "UserCreationForm",
    "display",
]
