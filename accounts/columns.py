"""Rows that are saved column by column, so that no save carries an old value over a newer one."""

from collections.abc import Collection, Iterable, Mapping
from copy import deepcopy
from typing import Any, Self

from django.db import DatabaseError, models


class ChangedMeanwhile(DatabaseError):
    """The row no longer holds what the save was told to expect; nothing was written."""


class SavesChangedColumns(models.Model):
    """``save()`` of a row that was read writes only the columns that were changed since.

    Whoever sets a phone number on a row that they read a minute ago must not write back the
    consent of a minute ago. A row that nobody changed is not written and sends no signals, and one
    that was deleted meanwhile is not made anew: ``save`` then raises DatabaseError.
    """

    saved_columns: Collection[str] = ()  # what the last save() wrote of a row that existed

    class Meta:
        abstract = True

    def save(
        self,
        *args: Any,
        update_fields: Iterable[str] | None = None,
        expecting: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Save what was changed, or ``update_fields``.

        With ``expecting``, {field: value}, only if the row still holds these values in the
        database: that is part of the UPDATE itself. Else raises ChangedMeanwhile.
        """
        if update_fields is None and not args and self._is_known(kwargs):
            changed = self.changed_columns()
            update_fields = [*changed, *_touched(type(self))] if changed else []
        names = None if update_fields is None else list(update_fields)
        self.__dict__["_expected"] = expecting
        try:
            super().save(*args, update_fields=names, **kwargs)
        finally:
            del self.__dict__["_expected"]
        self.saved_columns = names or ()
        self._remember(names)

    def _is_known(self, how: Mapping[str, Any]) -> bool:
        """True when this is still the row that was read, on its way to where it came from."""
        read = self.__dict__.get("_as_read", {})
        is_elsewhere = how.get("using") not in {None, self._state.db}
        is_new = self._state.adding or how.get("force_insert") or is_elsewhere
        return not is_new and read.get(self._meta.pk.attname) == self.pk is not None

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **kwargs: Any
    ) -> Self:
        row = super().from_db(db, field_names, values, **kwargs)
        row.__dict__["_as_read"] = read = dict(zip(field_names, values, strict=False))
        for name in _lists(cls):
            if name in read:
                read[name] = deepcopy(read[name])  # a list may be changed in place
        return row

    def changed_columns(self) -> list[str]:
        """Name the fields whose value is another one than when the row was read or saved."""
        read = self.__dict__.get("_as_read", {})
        return [
            field.name
            for field in self._meta.concrete_fields
            if not (field.primary_key or field.generated)
            and field.attname in self.__dict__
            and _differs(read, field.attname, self.__dict__[field.attname])
        ]

    def values_read(self, fields: Iterable[str]) -> dict[str, Any]:
        """Return {field: its value when the row was read or saved}."""
        read = self.__dict__.get("_as_read", {})
        columns = {column.name: column.attname for column in self._meta.concrete_fields}
        return {name: read[columns[name]] for name in fields if columns[name] in read}

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: Any = None,
    ) -> None:
        names = None if fields is None else list(fields)
        super().refresh_from_db(using=using, fields=names, from_queryset=from_queryset)
        self._remember(names)

    def _remember(self, names: Collection[str] | None) -> None:
        read = dict(self.__dict__.get("_as_read", {}))  # copies of the row share the old one
        for field in self._meta.concrete_fields:
            is_meant = names is None or field.name in names or field.attname in names
            if is_meant and field.attname in self.__dict__:
                read[field.attname] = deepcopy(self.__dict__[field.attname])
        self.__dict__["_as_read"] = read

    def _do_update(self, base_qs: Any, *args: Any, **kwargs: Any) -> Any:
        expected = self.__dict__.get("_expected")
        if not expected:
            return super()._do_update(base_qs, *args, **kwargs)
        updated = super()._do_update(base_qs.filter(**expected), *args, **kwargs)
        if not updated and base_qs.filter(pk=self.pk).exists():
            raise ChangedMeanwhile(f"{self._meta.verbose_name} {self.pk} was changed meanwhile.")
        return updated


def _differs(read: Mapping[str, Any], name: str, value: Any) -> bool:
    if name not in read or hasattr(value, "resolve_expression"):
        return True
    return bool(read[name] is not value and read[name] != value)


def _lists(model: type[models.Model]) -> list[str]:
    return [f.attname for f in model._meta.concrete_fields if isinstance(f, models.JSONField)]


def _touched(model: type[models.Model]) -> list[str]:
    """Name the fields that say when a row was changed."""
    return [f.name for f in model._meta.concrete_fields if getattr(f, "auto_now", False)]
