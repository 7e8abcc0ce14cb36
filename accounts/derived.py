"""Columns computed in Python from another column, whoever writes it through the ORM.

SQLite folds the case of ASCII only and PostgreSQL folds by locale, so the same question would get
two answers. A derived column holds Python's answer, once, with a plain index on it.
"""

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models

from accounts.columns import SavesChangedColumns

Model = TypeVar("Model", bound=models.Model)


if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]
else:
    AnyField = object


class Derived(AnyField):
    """Mix into a field: its value is ``derive(value of source)``, set at every write."""

    def __init__(
        self, *args: Any, source: str, derive: Callable[[Any], Any], **kwargs: Any
    ) -> None:
        self.source, self.derive = source, derive
        super().__init__(*args, **{"editable": False, **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs |= {"source": self.source, "derive": self.derive}
        return name, path, args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: ARG002, FBT001 -- Django's hook
        value = self.derive(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, value)
        return value


class DerivedCharField(Derived, models.CharField):  # type: ignore[type-arg] # runtime class takes no parameters
    pass


class DerivedTextField(Derived, models.TextField):  # type: ignore[type-arg] # as above
    pass


class DerivedBooleanField(Derived, models.BooleanField):  # type: ignore[type-arg] # as above
    pass


def derived_fields(model: type[models.Model], sources: Iterable[str]) -> list[Derived]:
    """Return the fields of ``model`` derived from any of ``sources``."""
    wanted = set(sources)
    return [f for f in model._meta.get_fields() if isinstance(f, Derived) and f.source in wanted]


class DerivedQuerySet(models.QuerySet[Model, Model]):
    """Keeps derived columns true in bulk writes."""

    def update(self, **kwargs: Any) -> int:
        for field in derived_fields(self.model, kwargs):
            if field.name in kwargs:
                continue
            value = kwargs[field.source]
            if hasattr(value, "resolve_expression"):
                raise TypeError(
                    f"{field.source} cannot be set by an expression: {field.name} is computed "
                    "from it in Python. Set a plain value, or save the objects."
                )
            kwargs[field.name] = field.derive(value)
        return super().update(**kwargs)

    def bulk_update(
        self, objs: Iterable[Model], fields: Iterable[str], batch_size: int | None = None
    ) -> int:
        objects, names = list(objs), list(fields)
        for field in derived_fields(self.model, names):
            for instance in objects:
                field.pre_save(instance, add=False)
            names.append(field.name)
        return super().bulk_update(objects, names, batch_size=batch_size)

    def bulk_create(
        self,
        objs: Iterable[Model],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,  # noqa: FBT001, FBT002 -- Django's signature
        update_conflicts: bool = False,  # noqa: FBT001, FBT002 -- Django's signature
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list[Model]:
        if update_fields:
            extra = [field.name for field in derived_fields(self.model, update_fields)]
            update_fields = [*update_fields, *extra]
        return super().bulk_create(
            objs, batch_size, ignore_conflicts, update_conflicts, update_fields, unique_fields
        )


class DerivedModel(SavesChangedColumns):
    """Keeps derived columns true in ``save``, whichever columns it writes."""

    objects = DerivedQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        if update_fields is not None:
            names = list(update_fields)
            update_fields = names + [field.name for field in derived_fields(type(self), names)]
        else:
            self._derive()
        super().save(*args, update_fields=update_fields, **kwargs)

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        fields = self._derive()
        super().clean_fields(exclude={*(exclude or ()), *(field.name for field in fields)})

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        """Report a clash of a derived column under the name of the column that was written."""
        skipped = set(exclude or ())
        derived = {field.name: field.source for field in self._derive()}
        hidden = {name for name, source in derived.items() if source in skipped}
        try:
            super().validate_unique(exclude=(skipped - derived.keys()) | hidden)
        except ValidationError as error:
            named = error.error_dict.items()
            raise ValidationError({derived.get(n, n): e for n, e in named}) from error

    def _derive(self) -> list[Derived]:
        fields = derived_fields(type(self), [field.name for field in self._meta.fields])
        for field in fields:
            if field.source in self.__dict__:  # what was not read is not derived anew
                field.pre_save(self, add=False)
        return fields
