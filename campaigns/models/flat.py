"""The flat names of a segment: a view of the ``any_of`` conditions at the top of its definition.

``segment.states = ["Lagos"]`` replaces these alone. A definition may be spoilt: none of this
raises, and what cannot be understood stays where it is until it is replaced.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from campaigns.enums import Match

FLAT_NAMES = (
    "gender",
    "properties",
    "countries",
    "states",
    "traffic_sources",
    "agents",
    "partners",
)


def no_conditions() -> dict[str, Any]:
    """Return the definition of a segment before anything was chosen; it cannot be saved."""
    return {"match": Match.ALL.value, "conditions": []}


def match_of(definition: Any) -> Any:
    return definition.get("match", Match.ALL) if _is_group(definition) else Match.ALL


def with_match(definition: Any, match: Any) -> dict[str, Any]:
    return {**_group(definition), "match": match}


def any_of(key: str, definition: Any) -> Any:
    """Return the values of the criterion's conditions: [] without one."""
    found = [one["any_of"] for one in _group(definition)["conditions"] if _is_flat(one, key)]
    if len(found) == 1:
        return found[0]
    return [value for values in found if isinstance(values, list) for value in values]


def with_any_of(key: str, definition: Any, values: Any) -> Any:
    """Return the definition with these values; [] removes the condition."""
    if repr(any_of(key, definition)) == repr(values):  # as JSON, in which 1 and true differ
        return definition
    group = _group(definition)
    kept = [one for one in group["conditions"] if not _is_flat(one, key)]
    if values != []:
        later = FLAT_NAMES[FLAT_NAMES.index(key) + 1 :]
        places = (i for i, one in enumerate(kept) if any(_is_flat(one, name) for name in later))
        kept.insert(next(places, len(kept)), {"criterion": key, "any_of": values})
    return {**group, "conditions": kept}


def flat_view(
    key: str,
    *,
    get: Callable[[Any], Any] | None = None,
    put: Callable[[Any, Any], Any] | None = None,
) -> Any:
    """Return a property of a segment that reads and writes a part of its definition."""
    read, write = get or partial(any_of, key), put or partial(with_any_of, key)
    return property(
        lambda segment: read(segment.definition),
        lambda segment, value: setattr(segment, "definition", write(segment.definition, value)),
    )


def _is_group(definition: Any) -> bool:
    return isinstance(definition, dict) and isinstance(definition.get("conditions", []), list)


def _group(definition: Any) -> dict[str, Any]:
    return {**no_conditions(), **(definition if _is_group(definition) else {})}


def _is_flat(condition: Any, key: str) -> bool:
    return (
        isinstance(condition, dict)
        and condition.keys() == {"criterion", "any_of"}
        and condition["criterion"] == key
    )
