"""What the form of a segment offers to choose from, cheap at millions of people."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError

from accounts.countries import flag
from campaigns.audience.criteria import CRITERIA, Value, spellings
from campaigns.audience.criteria.values import Texts
from campaigns.audience.revisions import labels_of

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
    if criterion.kind == "object":
        return criterion.search(text.strip(), OFFERED)
    return _all(key)


def offered_at_once(key: str) -> list[Option]:
    """Return what a page shows before anybody typed: texts without their counts."""
    values = CRITERIA[key].values
    return values.search("", _OFFERED_AT_ONCE) if isinstance(values, Texts) else offered(key)


def chosen(key: str, values: Iterable[Any]) -> list[Option]:
    """Return the values exactly as they came, with their labels; one that vanished says so."""
    raw = [value for value in values if isinstance(value, str | int)]
    meant = {value: _meant(key, value) for value in raw}
    known = [value for value in meant.values() if value is not None]
    labels = labels_of(key, known)
    gone = CRITERIA[key].values.vanished(known) if known else {}
    return [(value, _chosen(key, value, meant[value], labels, gone)) for value in raw]


def _meant(key: str, value: Value) -> Any:
    """Return what the criterion understands by a value; None when it is no value of it."""
    try:
        return CRITERIA[key].values.clean(value)
    except ValidationError:
        return None


def _chosen(
    key: str, value: Value, meant: Any, labels: dict[Any, str], gone: dict[Value, str]
) -> str:
    if meant is None:
        return str(value)
    return _gone(gone[meant]) if meant in gone else _label(key, meant, labels[meant])


def _gone(sentence: str) -> str:
    """Turn “Property 17 no longer exists.” into “Property 17 (no longer exists)”."""
    label = sentence.rstrip(".").replace(") no longer exists", ", no longer exists)")
    return label if "(" in label else label.replace(" no longer exists", " (no longer exists)", 1)


def _all(key: str) -> list[Option]:
    choices = CRITERIA[key].choices() or []
    return [(value, _label(key, value, label)) for value, label in choices]


def _label(key: str, value: Value, label: str) -> str:
    is_country = CRITERIA[key].kind == "country" and label != value
    return f"{flag(str(value))} {label}" if is_country else label


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
