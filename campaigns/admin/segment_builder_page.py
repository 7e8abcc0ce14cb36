"""How the rows of a segment's form are shown: their words, inputs, places and mistakes."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelect2MultipleWidget as SelectMultiple

from campaigns.admin.segment_builder import Row, rows_of
from campaigns.admin.segment_options import chosen, offered_at_once
from campaigns.audience.criteria import CRITERIA, Criterion
from campaigns.audience.criteria.values import quote_for_message
from campaigns.audience.definition import gone
from campaigns.audience.parsing import parse
from campaigns.enums import Match

Paths = dict[tuple[int, ...], list[str]]


class CriterionSelect(SelectMultiple):
    """A plain multiple select that ``segment_form.js`` makes searchable.

    Unfold's own script would offer the options of the page alone: hence another class for it.
    """

    def __init__(self, key: str, values: Iterable[str]) -> None:
        super().__init__()
        self.attrs |= {"class": "criterion-select", "size": 6}
        if CRITERIA[key].choices() is None:
            self.attrs["data-url"] = reverse("admin:campaigns_segment_options", args=[key])
        own = {str(value): label for value, label in chosen(key, values)}
        others = {str(value): label for value, label in offered_at_once(key)}
        self.choices = [*own.items(), *((v, n) for v, n in others.items() if v not in own)]


def menu() -> list[tuple[str, list[Criterion]]]:
    """Return (heading, criteria) of all that can be added."""
    ordered = sorted(CRITERIA.values(), key=lambda criterion: criterion.group)
    return [
        (group, sorted(criteria, key=lambda criterion: criterion.label))
        for group, criteria in groupby(ordered, key=lambda criterion: criterion.group)
    ]


def builder_of(
    raw: Any, *, steps: Sequence[Any] = (), new: str = "", is_complete: bool = False
) -> dict[str, Any]:
    """Return what the template of the builder shows of a definition.

    ``steps`` are the definitions to go back to, ``new`` is the path of a row that was just added.
    While a definition is not complete, what is still empty is no mistake.
    """
    rows = rows_of(raw)
    mistakes = mistakes_in(raw)
    if not is_complete:
        filled = {row.path for row in _flat(rows.rows) if row.values or row.rest is not None}
        mistakes = {path: told for path, told in mistakes.items() if path in filled}
    return {
        "match": rows.match,
        "matches": Match.choices,
        "rows": _shown(rows.rows, mistakes, new),
        "menu": menu(),
        "steps": json.dumps(list(steps)) if steps else "",
    }


def _flat(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        yield row
        yield from row.rows


def mistakes_in(raw: Any) -> Paths:
    """Return {path of a row: what is wrong with it}."""
    definition = parse(raw)
    found: Paths = {}
    for mistake in [*definition.mistakes, *gone(definition)]:
        found.setdefault(mistake.path, []).extend(mistake.error.messages)
    return found


def _shown(rows: Iterable[Row], mistakes: Paths, new: str) -> list[dict[str, Any]]:
    listed = list(rows)
    return [
        {
            "row": row,
            "mistakes": mistakes.get(row.path, []),
            "is_first": index == 0,
            "is_last": index == len(listed) - 1,
            "is_new": new == ".".join(map(str, row.path)),
            **_parts(row, mistakes, new),
        }
        for index, row in enumerate(listed)
    ]


def _parts(row: Row, mistakes: Paths, new: str) -> dict[str, Any]:
    if row.is_group:
        return {"name": "Group", "rows": _shown(row.rows, mistakes, new)}
    criterion = CRITERIA.get(row.criterion)
    operator = criterion.operator(row.operator) if criterion else None
    if criterion is None or operator is None:
        told = quote_for_message(str(row.rest or row.criterion))
        return {"name": "Condition", "text": told, "rest": json.dumps(row.rest)}
    template = f"admin/campaigns/segment/inputs/{operator.form_input}.html"
    return {
        "name": criterion.label,
        "criterion": criterion,
        "operator": operator,
        "input": template,
        "select": _select(row, criterion) if operator.form_input == "values" else "",
    }


def _select(row: Row, criterion: Criterion) -> SafeString:
    name = f"row-{row.number}-value"
    widget = CriterionSelect(criterion.key, row.values)
    return widget.render(
        name, list(row.values), {"id": f"id_{name}", "aria-label": criterion.label}
    )
