"""What the form of a segment offers to choose from, cheap at millions of people."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError

from campaigns.audience.criteria import CRITERIA, Criterion, Value, spellings
from campaigns.audience.criteria.values import Texts, Values
from campaigns.audience.named_rows import named_rows

Option = tuple[Value, str]

OFFERED = 50
_OFFERED_AT_ONCE = 200


def offered(key: str, text: str = "") -> list[Option]:
    """Return what fits what somebody typed: everything of a short list, else the first few.

    Texts come with how many customers have them, the most frequent first, save that the text that
    was typed comes before all others.
    """
    criterion = CRITERIA[key]
    if isinstance(criterion.values, Texts):
        return _counted(criterion.values, text)
    if criterion.choices() is None:
        return criterion.search(text.strip(), OFFERED)
    return _all(criterion)


def offered_at_once(key: str) -> list[Option]:
    """Return what a page shows before anybody typed: texts without their counts."""
    values = values_of(key)
    return values.search("", _OFFERED_AT_ONCE) if isinstance(values, Texts) else offered(key)


def chosen(key: str, values: Iterable[Any]) -> list[Option]:
    """Return the values exactly as they came, with their labels; one that vanished says so."""
    raw = [value for value in values if isinstance(value, str | int)]
    meant = {value: _meant(key, value) for value in raw}
    known = [value for value in meant.values() if value is not None]
    kind = values_of(key)
    rows = named_rows().of(kind, known)
    labels = {value: kind.option(value, label) for value, label in kind.labels(known, rows).items()}
    labels |= {value: _gone(row.trouble) for value, row in rows.items() if row.trouble}
    return [(value, labels.get(meant[value], str(value))) for value in raw]


def _meant(key: str, value: Value) -> Any:
    """Return what the criterion understands by a value; None when it is no value of it."""
    try:
        return values_of(key).clean(value)
    except ValidationError:
        return None


def _gone(sentence: str) -> str:
    """Turn “Property 17 no longer exists.” into “Property 17 (no longer exists)”."""
    label = sentence.rstrip(".").replace(") no longer exists", ", no longer exists)")
    return label if "(" in label else label.replace(" no longer exists", " (no longer exists)", 1)


def values_of(key: str) -> Values:
    """Return what may stand in the lists of a criterion that takes lists."""
    return CRITERIA[key].answers.values


def _all(criterion: Criterion) -> list[Option]:
    kind = criterion.answers.values
    return [(value, kind.option(value, label)) for value, label in criterion.choices() or []]


def _counted(values: Texts, text: str) -> list[Option]:
    typed = values.same(text)
    found = [
        (spelling, spellings.count(values.column, str(spelling)))
        for spelling, _ in values.search(text, OFFERED)
    ]
    found.sort(key=lambda pair: (values.same(pair[0]) != typed, -pair[1]))
    return [(spelling, f"{spelling} ({_number(n)})") for spelling, n in found]


def _number(people: int) -> str:
    most = spellings.COUNTED_UP_TO
    return f"{people:,}" if people <= most else f"{most:,}+"
