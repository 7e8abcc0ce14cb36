"""Reads a definition with suspicion: whatever it is given, it answers a Definition."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError

from campaigns.audience.conditions import Condition, Definition, Group, Mistake
from campaigns.audience.criteria import CRITERIA, Criterion, Operator
from campaigns.audience.criteria.values import quote_for_message
from campaigns.audience.criteria.wording import one_of
from campaigns.audience.named_rows import shared_rows
from campaigns.enums import Match
from campaigns.models import Segment

MAX_CONDITIONS = 100

DefinitionSource = Definition | Segment | Mapping[str, Any]
"""A parsed definition, a segment, or a mapping as ``Segment.definition`` holds it."""


def definition_of(described: DefinitionSource) -> Definition:
    """Return the parsed definition, without a query; a segment's is parsed once."""
    if isinstance(described, Definition):
        return described
    if not isinstance(described, Segment):
        return parse(described)
    name, raw = described.name, described.definition
    key = (name, json.dumps(raw, default=repr))  # 1 and True are equal, and not the same
    if described.__dict__.get("_parsed_from") != key:
        described.__dict__ |= {"_parsed_from": key, "_parsed": parse(raw, name)}
    return described.__dict__["_parsed"]  # type: ignore[no-any-return] # set in the line above


def conditions_by_segment() -> dict[int, list[Condition]]:
    """Return {id: conditions, those in groups too} of all segments, in one query.

    No database looks into these lists alike: what one of them names is found in Python.
    """
    rows = Segment.objects.order_by().values_list("pk", "definition")
    return {pk: list(parse(raw).conditions()) for pk, raw in rows}


def parse(raw: Any, name: str = "not saved") -> Definition:
    """Parse what ``Segment.definition`` may hold; mistakes are part of the answer.

    Inside ``looked_up_once`` the same definition is parsed once.
    """
    shared = shared_rows()
    if shared is None:
        return _parsed(raw, name)
    key = json.dumps(raw, default=repr)
    if key not in shared.parsed:
        shared.parsed[key] = _parsed(raw, name)
    return replace(shared.parsed[key], name=name)


def _parsed(raw: Any, name: str) -> Definition:
    reader = _Reader()
    group = reader.group(raw, ())
    total = sum(1 for _ in group.conditions()) if group else 0
    if total > MAX_CONDITIONS:
        reader.refuse((), f"{total} conditions are too many: keep at most {MAX_CONDITIONS}.")
    return Definition(name, group or Group(Match.ALL, ()), tuple(reader.mistakes))


class _Reader:
    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def refuse(self, path: tuple[int, ...], message: str, code: str = "invalid", **at: Any) -> None:
        self.mistakes.append(Mistake(path, ValidationError(message, code=code), **at))

    def group(self, raw: Any, path: tuple[int, ...]) -> Group | None:
        if not isinstance(raw, Mapping):
            self.refuse(path, "The definition is not a group: write an object with conditions.")
            return None
        for key in raw.keys() - {"match", "conditions"}:
            told = f"A group has no {quote_for_message(key)}: write match and conditions."
            self.refuse(path, told, "unknown")
        match = raw.get("match", Match.ALL)
        if not isinstance(match, str) or match not in Match.values:
            told = f"Match: {quote_for_message(match)} is unknown: choose {one_of(Match.values)}."
            self.refuse(path, told, is_about_match=True)
            match = Match.ALL
        conditions = raw.get("conditions", [])
        if not isinstance(conditions, list | tuple):
            self.refuse(path, "Conditions: write a list.", "not_a_list")
            return None
        if path and not conditions:
            self.refuse(path, "A group is empty: add a condition or remove the group.", "blank")
        return Group(Match(match), tuple(self.entries(list(conditions), path)))

    def entries(self, raw: list[Any], path: tuple[int, ...]) -> Iterator[Condition | Group]:
        for index, each in enumerate(raw):
            here = (*path, index)
            is_group = isinstance(each, Mapping) and "conditions" in each
            if is_group and path:
                self.refuse(here, "A group cannot stand in a group inside another: move it up.")
                continue
            entry = self.group(each, here) if is_group else self.condition(each, here)
            if entry is not None:
                yield entry

    def condition(self, raw: Any, path: tuple[int, ...]) -> Condition | None:
        if not isinstance(raw, Mapping):
            self.refuse(path, f"{quote_for_message(raw)} is not a condition: write an object.")
            return None
        named = raw.get("criterion")
        criterion = CRITERIA.get(named) if isinstance(named, str) else None
        if criterion is None:
            known = one_of(list(CRITERIA))
            told = f"There is no criterion {quote_for_message(named)}: choose {known}."
            self.refuse(path, told, "unknown", criterion=named if isinstance(named, str) else "")
            return None
        at = {"criterion": criterion.key}
        keys = [key for key in raw if key != "criterion"]
        taken = one_of([operator.key for operator in criterion.operators])
        if len(keys) != 1:
            told = "has no operator" if not keys else "has more than one operator"
            self.refuse(path, f"{criterion.label}: it {told}: write one of {taken}.", **at)
            return None
        operator = criterion.operator(keys[0])
        if operator is None:
            told = f"{criterion.label}: it does not take {quote_for_message(keys[0])}: use {taken}."
            self.refuse(path, told, "unknown", **at)
            return None
        return self.parsed(criterion, operator, raw[operator.key], path)

    def parsed(
        self, criterion: Criterion, operator: Operator, operand: Any, path: tuple[int, ...]
    ) -> Condition | None:
        try:
            return Condition(criterion, operator, criterion.parse(operator, operand))
        except ValidationError as error:
            self.mistakes.append(Mistake(path, error, criterion.key, operator.key))
            return None
