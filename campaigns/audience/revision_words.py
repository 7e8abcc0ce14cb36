"""The history of a segment in words: “Countries: Nigeria → Nigeria, Ghana”."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from campaigns.audience.conditions import Condition, Group
from campaigns.audience.explain import clauses_of
from campaigns.audience.named_rows import NamedRows, named_rows
from campaigns.audience.parsing import parse
from campaigns.enums import Match
from campaigns.models import SegmentRevision

NOTHING = "nothing"


@dataclass(frozen=True)
class RevisionSummary:
    """A revision in words; ``gained`` and ``lost`` are None when nobody knows."""

    revision: SegmentRevision
    changes: list[str]

    @property
    def is_creation(self) -> bool:
        return self.revision.changes.get("name", [""])[0] is None

    @property
    def people(self) -> str:
        gained, lost = self.revision.gained, self.revision.lost
        if gained is None or lost is None:
            return "how many people came and went is unknown"
        return f"+{gained:,} −{lost:,} people"  # noqa: RUF001 -- the minus sign is meant


def summarize(revisions: Iterable[SegmentRevision]) -> list[RevisionSummary]:
    """Return revisions in words.

    Costs two small queries at most for each kind of row that is named, however many revisions.
    """
    listed, rows = list(revisions), named_rows()
    definitions = [each for one in listed for each in one.changes.get("definition", ()) if each]
    rows.load(condition for raw in definitions for condition in parse(raw).conditions())
    return [RevisionSummary(revision, _in_words(revision.changes, rows)) for revision in listed]


def _in_words(changes: dict[str, list[Any]], rows: NamedRows) -> list[str]:
    words = []
    for field in ("name", "description"):
        if field in changes:
            old, new = (f"“{value}”" if value else NOTHING for value in changes[field])
            is_new = changes[field][0] is None
            words.append(_change(field.capitalize(), None if is_new else old, new))
    return words + (_of_definition(changes["definition"], rows) if "definition" in changes else [])


def _of_definition(pair: list[Any], rows: NamedRows) -> list[str]:
    """Say what is different, condition by condition; a new segment has no old definition."""
    old, new = pair
    matches = [str(each.get("match", "")) if isinstance(each, dict) else "" for each in pair]
    words = []
    if matches[1] and matches[0] != matches[1]:
        before, after = (str(dict(Match.choices).get(match, match)) for match in matches)
        words.append(_change("Match", None if old is None else before, after))
    olds, news = _entries(old, rows), _entries(new, rows)
    for place in dict.fromkeys([*olds, *news]):
        before, after = olds.get(place, NOTHING), news.get(place, NOTHING)
        if before != after:
            words.append(_change(place[0], None if old is None else before, after))
    return words


def _entries(raw: Any, rows: NamedRows) -> dict[tuple[str, int], str]:
    """Return {(label, how many-th of this label): the rest in words}."""
    entries: dict[tuple[str, int], str] = {}
    for entry in parse(raw).group.entries if raw else ():
        if isinstance(entry, Group):
            label, words = "Group", f"customers who {clauses_of(entry, rows)}"
        else:
            label, words = _label(entry), _operand(entry, rows)
        number = sum(1 for known, _ in entries if known == label)
        entries[label, number] = words
    return entries


def _label(condition: Condition) -> str:
    label = condition.criterion.label
    return label if condition.operator.key == "any_of" else f"{label} {condition.operator.label}"


def _operand(condition: Condition, rows: NamedRows) -> str:
    kind, values = condition.criterion.values, condition.values
    names = kind.labels(values, rows.of(kind, values)) if kind else {}
    return condition.operator.in_words(condition.operand, names)


def _change(label: str, old: str | None, new: str) -> str:
    return f"{label}: {new}" if old is None else f"{label}: {old} → {new}"
