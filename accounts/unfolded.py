"""Pieces of the admin with types: unfold tells none, and Django's are not generic at run time."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from django import forms
    from django.contrib import admin
    from django.contrib.admin.views import main
    from django.contrib.auth import admin as auth_admin
    from django.core import paginator

    Column = TypeVar("Column", bound=Callable[..., Any])

    class ModelAdmin(admin.ModelAdmin[Any]): ...

    class AuthUserAdmin(auth_admin.UserAdmin[Any], ModelAdmin): ...

    class Paginator(paginator.Paginator[Any]): ...

    class StackedInline(admin.StackedInline[Any, Any]): ...

    class AutocompleteSelectFilter(admin.RelatedFieldListFilter): ...

    class ChangeList(main.ChangeList): ...

    class ChoicesDropdownFilter(admin.ChoicesFieldListFilter): ...

    class DropdownFilter(admin.SimpleListFilter): ...

    class TextFilter(admin.SimpleListFilter): ...

    class UserChangeForm(forms.ModelForm[Any]): ...

    class UserCreationForm(forms.ModelForm[Any]): ...

    def display(
        *, description: str, ordering: Any = None, label: Mapping[str, str] | None = None
    ) -> Callable[[Column], Column]: ...

else:
    from django.contrib.auth.admin import UserAdmin as AuthUserAdmin
    from django.core.paginator import Paginator
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
