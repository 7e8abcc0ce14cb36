"""The rows of a segment's form: what the page shows of a definition, and what it posts.

A row is a condition or a group; the rows of a group name it. Everything is plain form data, so
the form works without scripts: a button posts what to do, and the page comes back with it done.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from campaigns.audience.criteria import CRITERIA
from campaigns.enums import Match
from campaigns.models import Segment
from campaigns.models.flat import FLAT_NAMES, no_conditions

MARK, ACTION, UNDO = "builder", "_builder", "builder-undo"
UNDO_STEPS = 20


@dataclass(frozen=True)
class Row:
    """One row; ``rest`` keeps what of a condition no form could show."""

    number: str
    criterion: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()
    is_group: bool = False
    match: str = Match.ALL
    rows: tuple["Row", ...] = ()
    rest: Any = None
    path: tuple[int, ...] = field(default=(), compare=False)

    def raw(self) -> Any:
        """Return the condition or group as a definition holds it, understood or not."""
        if self.is_group:
            return {"match": self.match, "conditions": [row.raw() for row in self.rows]}
        if self.rest is not None:
            return self.rest
        criterion = CRITERIA.get(self.criterion)
        operator = criterion.operator(self.operator) if criterion else None
        values = list(self.values)
        return {
            "criterion": self.criterion,
            self.operator: operator.from_form(values) if operator else values,
        }


@dataclass(frozen=True)
class Rows:
    match: str
    rows: tuple[Row, ...]

    def raw(self) -> dict[str, Any]:
        return {"match": self.match, "conditions": [row.raw() for row in self.rows]}


def is_posted(data: Mapping[str, Any]) -> bool:
    """True of the data of a form with rows, even of none."""
    return MARK in data


def rows_posted(data: Any) -> Rows:
    """Read the rows of a posted form, in the order of the page."""
    inside: dict[str, list[Row]] = {"": []}
    for number in data.getlist("row"):
        row = _posted(data, number)
        group = data.get(f"row-{number}-group", "")
        inside.setdefault(group, []).append(row)
    top = [
        replace(row, rows=tuple(inside.get(row.number, ()))) if row.is_group else row
        for row in inside[""]
    ]
    return _placed(Rows(data.get("match", Match.ALL), tuple(top)))


def _posted(data: Any, number: str) -> Row:
    name = f"row-{number}-{{}}".format
    if name("match") in data:
        return Row(number, is_group=True, match=data[name("match")])
    if name("rest") in data:
        return Row(number, rest=_json(data[name("rest")]))
    values = tuple(value for value in data.getlist(name("value")) if value != "")
    return Row(number, data.get(name("criterion"), ""), data.get(name("operator"), ""), values)


def rows_of(raw: Any) -> Rows:
    """Return the rows that show a definition, whatever it holds."""
    numbers = map(str, count(1))
    group = raw if isinstance(raw, dict) and isinstance(raw.get("conditions"), list) else {}
    rows = tuple(_row(each, numbers) for each in group.get("conditions", []))
    return _placed(Rows(group.get("match", Match.ALL), rows))


def _row(raw: Any, numbers: Iterator[str], *, is_inside: bool = False) -> Row:
    number = next(numbers)
    if not isinstance(raw, dict) or ("conditions" in raw and is_inside):
        return Row(number, rest=raw)
    if isinstance(raw.get("conditions"), list):
        rows = tuple(_row(each, numbers, is_inside=True) for each in raw["conditions"])
        return Row(number, is_group=True, match=raw.get("match", Match.ALL), rows=rows)
    keys = [key for key in raw if key != "criterion"]
    criterion = CRITERIA.get(raw["criterion"]) if isinstance(raw.get("criterion"), str) else None
    if criterion is None or len(keys) != 1 or criterion.operator(keys[0]) is None:
        return Row(number, rest=raw)
    operand = raw[keys[0]]
    values = operand if isinstance(operand, list) else [] if operand is None else [operand]
    if not all(isinstance(value, str | int) and not isinstance(value, bool) for value in values):
        return Row(number, rest=raw)
    return Row(number, criterion.key, keys[0], tuple(map(str, values)))


def _placed(rows: Rows) -> Rows:
    """Tell each row its path in the definition, by which mistakes name it."""
    top = [
        replace(
            row,
            path=(index,),
            rows=tuple(replace(inner, path=(index, place)) for place, inner in enumerate(row.rows)),
        )
        for index, row in enumerate(rows.rows)
    ]
    return replace(rows, rows=tuple(top))


def unfinished_in(data: Any) -> list[str]:
    """Name the conditions and groups of a posted form that nobody has filled in yet."""
    if not is_posted(data):
        return []
    rows = [inner for row in rows_posted(data).rows for inner in (row, *row.rows)]
    return [
        "Group" if row.is_group else CRITERIA[row.criterion].label
        for row in rows
        if (row.is_group and not row.rows) or (row.criterion in CRITERIA and not row.values)
    ]


def posted_definition(data: Any, base: Any = None) -> Any:
    """Return the definition that a posted form describes, understood or not.

    Without rows, ``definition`` is it as JSON; or else lists under the flat names replace the
    ``any_of`` conditions at the top of ``base``, and leave all its other conditions alone.
    """
    if is_posted(data):
        return rows_posted(data).raw()
    if "definition" in data:
        return _json(data["definition"])
    flat = Segment(definition=base if isinstance(base, dict) else no_conditions())
    for key in FLAT_NAMES:
        values = data.getlist(key) if hasattr(data, "getlist") else data.get(key, [])
        setattr(flat, key, [value for value in values if value != ""])
    flat.match = data.get("match", flat.match)
    return flat.definition


## What a button does


def apply_action(data: Any) -> tuple[Any, list[Any], str]:
    """Do what the pressed button says; return (definition, steps to undo, path of what is new)."""
    before = rows_posted(data)
    verb, _, about = data.get(ACTION, "").partition(":")
    steps = _json(data.get(UNDO, "")) or []
    steps = steps if isinstance(steps, list) else []
    if verb == "undo":
        return (steps[-1], steps[:-1], "") if steps else (before.raw(), [], "")
    after, new = _changed(before, verb, about)
    if after.raw() != before.raw():
        steps = [*steps, before.raw()][-UNDO_STEPS:]
    return after.raw(), steps, new


def _changed(rows: Rows, verb: str, about: str) -> tuple[Rows, str]:
    key, _, group = about.partition(":")
    match verb:
        case "add" if key in CRITERIA:
            return _added(rows, Row("new", key, CRITERIA[key].operators[0].key), group)
        case "add-group":
            other = Match.ANY if rows.match == Match.ALL else Match.ALL
            return _added(rows, Row("new", is_group=True, match=other))
        case "remove" | "up" | "down":
            top = tuple(
                replace(row, rows=_moved(row.rows, verb, about)) if row.is_group else row
                for row in rows.rows
            )
            return replace(rows, rows=_moved(top, verb, about)), ""
    return rows, ""


def _added(rows: Rows, new: Row, group: str = "") -> tuple[Rows, str]:
    """Add a row at the end of a group, or of all; return the path of the new row too."""
    if not group:
        return replace(rows, rows=(*rows.rows, new)), str(len(rows.rows))
    top, path = list(rows.rows), ""
    for index, row in enumerate(top):
        if row.is_group and row.number == group:
            top[index] = replace(row, rows=(*row.rows, new))
            path = f"{index}.{len(row.rows)}"
    return replace(rows, rows=tuple(top)), path


def _moved(rows: tuple[Row, ...], verb: str, number: str) -> tuple[Row, ...]:
    moved = list(rows)
    index = next((i for i, row in enumerate(rows) if row.number == number), None)
    if index is None:
        return rows
    row = moved.pop(index)
    if verb != "remove":
        moved.insert(max(index + (-1 if verb == "up" else 1), 0), row)
    return tuple(moved)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
