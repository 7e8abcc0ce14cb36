"""Forms that notice that their row was changed after they were shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.core import signing
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models, transaction
from django.forms.models import InlineForeignKeyField
from django.utils import timezone
from django.utils.formats import localize

from accounts.history import changed_by

if TYPE_CHECKING:
    BaseForm = forms.ModelForm[Any]
else:
    BaseForm = object

VERSION = "version"
_SALT = "accounts.admin.version"
_TOO_OLD = "This page cannot be saved any more: reload it, then make your changes again."
_UNSEEN = (
    "This form does not say which values it showed: reload the page, then make your changes again."
)
_DELETED = "It was deleted after you opened this page."
_WHAT_NOW = (
    "The form shows what is stored now, and your own changes. Save again to store your changes, or "
    "reload the page to drop them."
)


@dataclass(frozen=True)
class Version:
    """What a form showed, and when."""

    at: datetime
    values: Mapping[str, Any]

    def signed(self) -> str:
        return signing.dumps([self.at.isoformat(), self.values], salt=_SALT, compress=True)

    @classmethod
    def read(cls, text: str) -> "Version":
        """Raise BadSignature for what is no version of ours."""
        at, values = signing.loads(text, salt=_SALT)
        return cls(datetime.fromisoformat(at), values)


class VersionField(forms.CharField):
    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput())

    def has_changed(self, initial: Any, data: Any) -> bool:  # noqa: ARG002 -- Django's hook
        return False


class VersionedForm(BaseForm):
    """Mix into the form of an admin page: refuses to save over what its page did not show.

    What somebody else changed since the page was opened is named, and shown; what this form
    changed is kept as it was typed. Saving again is then saving over what was seen. Fields that
    this form did not change are left as they are in the database.

    The row is locked from this check until the transaction ends.
    """

    _seen: Version | None = None
    _is_unreadable = False
    is_gone = False  # the page does not show the form of such a row, and has to say so elsewhere

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        columns = self._columns()
        if self.instance._state.adding or not columns:
            return
        self.fields[VERSION] = VersionField()
        self.initial[VERSION] = self._current_version()
        if self.is_bound and (text := self.data.get(self.add_prefix(VERSION))):
            self._read(str(text))

    ## For subclasses

    def is_kept(self, name: str, theirs: Any, mine: Any) -> bool:  # noqa: ARG002 -- a hook
        """True when their new value must not be replaced by mine, not even knowingly."""
        return False

    def must_be_seen(self, name: str, stored: Any, mine: Any) -> bool:  # noqa: ARG002 -- a hook
        """True when a page that does not say what it showed must not make this change."""
        return False

    def in_words(self, name: str, value: Any) -> str:
        return _in_words(self.instance._meta.get_field(name), value)

    def show_again(self, name: str, value: Any) -> None:
        """Show this value in place of what was posted."""
        self.fields[name].bound_data = lambda *_: value  # type: ignore[method-assign] # of this form alone

    ## The check

    def _read(self, text: str) -> None:
        try:
            self._seen = Version.read(text)
        except (signing.BadSignature, ValueError):
            self._is_unreadable = True
            return
        for name, field in self._columns().items():
            if name in self._seen.values:
                self.initial[name] = field.to_python(self._seen.values[name])

    def _clean_form(self) -> None:
        if VERSION in self.fields:
            try:
                self._lock()
            except ObjectDoesNotExist:
                self.add_error(None, _DELETED)
            else:
                self._notice_changes()
        elif self.errors.pop(self.instance._meta.pk.name, None):  # a row on the page of another
            self.is_gone = True
            self.add_error(None, f"{_DELETED} Reload the page to go on.")
        super()._clean_form()  # type: ignore[misc] # Django's hook, unknown to its stubs

    def _lock(self) -> None:
        rows = type(self.instance)._base_manager.all()
        if transaction.get_connection().in_atomic_block:
            rows = rows.select_for_update(no_key=True)
        self.instance.refresh_from_db(from_queryset=rows)

    def _notice_changes(self) -> None:
        self._leave_unchanged()
        if self._is_unreadable:
            self.add_error(None, ValidationError(_TOO_OLD, code="version"))
        elif self._seen is None:
            self._refuse_unseen()
        elif changes := self._merge(self._seen):
            self.add_error(None, [ValidationError(text, code="version") for text in changes])

    def _leave_unchanged(self) -> None:
        """Keep as it is stored what this form did not change: it shows no fractions of seconds."""
        for name, column in self._columns().items():
            if name in self.changed_data or name not in self.cleaned_data:
                continue
            if _plain(self.cleaned_data[name]) != column.value_from_object(self.instance):
                self.cleaned_data[name] = getattr(self.instance, name)

    def _refuse_unseen(self) -> None:
        for name, field in self._columns().items():
            stored = field.value_from_object(self.instance)
            if name in self.cleaned_data and self.must_be_seen(
                name, stored, self.cleaned_data[name]
            ):
                self.show_again(name, stored)
                self.add_error(name, ValidationError(_UNSEEN, code="version"))

    def _merge(self, seen: Version) -> list[str]:
        """Show what others changed, and return it in words: [] when nothing was."""
        changes = []
        for name, column in self._columns().items():
            theirs = column.value_from_object(self.instance)
            if name in seen.values and column.to_python(seen.values[name]) != theirs:
                changes += self._describe(name, theirs)
        if not changes:
            return []
        self.show_again(VERSION, self._current_version())
        who = " and ".join(changed_by(self.instance, seen.at)) or "somebody"
        what = self.instance._meta.verbose_name
        first = f"Nothing was saved: {who} changed this {what} after you opened the page."
        return [first, *changes, _WHAT_NOW]

    def _describe(self, name: str, theirs: Any) -> list[str]:
        old, new = self.in_words(name, self.initial[name]), self.in_words(name, theirs)
        words = f"{self._label(name)}: “{old}” became “{new}”."
        if name not in self.changed_data:
            self.show_again(name, theirs)
            return [f"{words} This stays."]
        mine = _plain(self.cleaned_data.get(name))
        if name in self.cleaned_data and mine == theirs:
            return []
        if self.is_kept(name, theirs, mine):
            self.show_again(name, theirs)
            return [f"{words} This stays, and what you chose is dropped."]
        return [f"{words} You chose something else: saving again replaces it."]

    def _label(self, name: str) -> str:
        label = self.fields[name].label or self.instance._meta.get_field(name).verbose_name
        return str(label)[:1].upper() + str(label)[1:]

    def _columns(self) -> dict[str, Any]:
        """Return the columns that this form can change, by name."""
        return {
            column.name: column
            for column in self.instance._meta.concrete_fields
            if not column.primary_key
            and (field := self.fields.get(column.name)) is not None
            and not (field.disabled or isinstance(field, InlineForeignKeyField))
        }

    def _current_version(self) -> str:
        columns = self._columns().items()
        values = {name: _storable(column, self.instance) for name, column in columns}
        return Version(timezone.now(), values).signed()


def versioned(form: Any) -> Any:
    """Return the form class with a version in it."""
    return (
        form if issubclass(form, VersionedForm) else type(form.__name__, (VersionedForm, form), {})
    )


def _plain(value: Any) -> Any:
    return value.pk if isinstance(value, models.Model) else value


def _storable(column: Any, row: models.Model) -> Any:
    """Return the value as JSON holds it and ``to_python`` reads it."""
    value = column.value_from_object(row)
    is_json = value is None or isinstance(value, bool | int | str | list | dict)
    return value if is_json else column.value_to_string(row)


def _in_words(column: Any, value: Any) -> str:
    if value is None or value in ("", []):
        return "nothing"
    if column.is_relation:
        return str(column.related_model._base_manager.filter(pk=value).first() or value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return str(localize(timezone.localtime(value)))
    return str(dict(column.flatchoices).get(value, value))
