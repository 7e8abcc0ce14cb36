"""Names that outlive their rows, so that a broken segment can say what it lacks."""

from collections.abc import Iterable
from typing import Any

from campaigns.audience.criteria import CRITERIA
from campaigns.audience.criteria.references import References
from campaigns.models import KnownName, Segment


def remember_names(segment: Segment, keys: Iterable[str] = CRITERIA) -> None:
    """Write down what the rows that the segment names are called, in two queries a criterion."""
    for key in keys:
        values, ids = CRITERIA[key].values, getattr(segment, key)
        if ids and isinstance(values, References):
            KnownName.remember(values.row_kind, values.existing_names(ids))


def rename(row: Any) -> None:
    """Write down the name of a property or person, if segments named it at any time."""
    known = KnownName.objects.filter(kind=row._meta.model_name, object_id=row.pk)
    known.exclude(name=str(row)).update(name=str(row)[: KnownName.LONGEST])


def keep_name(row: Any) -> None:
    """Write down the name of a row that is about to go."""
    KnownName.remember(row._meta.model_name, {row.pk: str(row)})
