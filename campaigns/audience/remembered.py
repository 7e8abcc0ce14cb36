"""Names that outlive their rows, so that a broken segment can say what it lacks."""

from typing import Any

from campaigns.audience.criteria.references import References
from campaigns.audience.named_rows import named_rows
from campaigns.audience.parsing import definition_of
from campaigns.models import KnownName, Segment


def remember_names(segment: Segment) -> None:
    """Write down what the rows that the segment names are called."""
    named: dict[str, dict[int, str]] = {}
    rows = named_rows()
    conditions = list(definition_of(segment).conditions())
    rows.load(conditions)
    for condition in conditions:
        kind = condition.criterion.values
        if not isinstance(kind, References):
            continue
        known = rows.of(kind, condition.values)
        existing = {pk: known[pk].name for pk in condition.values if not known[pk].is_gone}
        named.setdefault(kind.row_kind, {}).update(existing)  # type: ignore[arg-type] # ids alone
    for row_kind, names in named.items():
        KnownName.remember(row_kind, names)


def rename(row: Any) -> None:
    """Write down the name of a property or person, if segments named it at any time."""
    known = KnownName.objects.filter(kind=row._meta.model_name, object_id=row.pk)
    known.exclude(name=str(row)).update(name=str(row)[: KnownName.LONGEST])


def keep_name(row: Any) -> None:
    """Write down the name of a row that is about to go."""
    KnownName.remember(row._meta.model_name, {row.pk: str(row)})
