"""The history of a segment: what was changed, by whom, and how many people came and went by it."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from accounts.models import User, UserQuerySet
from campaigns.audience.criteria import CRITERIA
from campaigns.audience.query_builder import audience
from campaigns.enums import Match
from campaigns.errors import SegmentBroken
from campaigns.models import Segment, SegmentRevision
from campaigns.models.segment import CRITERION_FIELDS

logger = logging.getLogger(__name__)

_DECIDING = ("match", *CRITERION_FIELDS)
_TRACKED = ("name", "description", *_DECIDING)

Changes = dict[str, list[Any]]


@contextmanager
def recorded(segment: Segment, *, by: User | None) -> Iterator[None]:
    """Put around the save of a segment: writes a SegmentRevision when something has changed.

    A new segment gets one too, of ``[None, value]``. When the definition has changed, the
    segment's last known sizes are forgotten, for they were those of another audience. Nothing is
    written when the save raises; a count that fails is unknown and fails nothing else.
    """
    before = Segment.objects.filter(pk=segment.pk).first() if segment.pk else None
    yield
    saved = [field for field in _TRACKED if before is None or field in segment.saved_columns]
    if before is not None:
        segment.refresh_from_db(fields=_TRACKED)  # others may have changed the rest of it
    changes = _changes(before, segment, saved)
    if not changes:
        return
    gained, lost = _gained_and_lost(before, segment, changes)
    if before is not None and _is_of_audience(changes):
        segment.audience_size = segment.mailable_size = segment.counted_at = None
        forgotten: dict[str, Any] = dict.fromkeys(("audience_size", "mailable_size", "counted_at"))
        Segment.objects.filter(pk=segment.pk).update(**forgotten)
    SegmentRevision.objects.create(
        segment=segment,
        segment_name=segment.name,
        changed_by=by,
        changes=changes,
        gained=gained,
        lost=lost,
    )


def _changes(before: Segment | None, after: Segment, fields: Iterable[str]) -> Changes:
    pairs = {field: [getattr(before, field, None), getattr(after, field)] for field in fields}
    return {
        field: [old, new] for field, (old, new) in pairs.items() if (old or None) != (new or None)
    }


def _is_of_audience(changes: Changes) -> bool:
    return not changes.keys().isdisjoint(_DECIDING)


def _gained_and_lost(
    before: Segment | None, after: Segment, changes: Changes
) -> tuple[int | None, int | None]:
    """Return how many the change gained and lost; None where nobody knows."""
    if not _is_of_audience(changes):
        return 0, 0
    try:
        with transaction.atomic():  # a failed count must not take the save with it
            new = audience(after)
            if before is None:
                return new.count(), 0
            old = audience(before)
            return _count_without(new, old), _count_without(old, new)
    except SegmentBroken:
        return None, None
    except DatabaseError as error:
        logger.warning("What a change of segment %s did is unknown: %r", after.pk, error)
        return None, None


def _count_without(users: UserQuerySet, others: UserQuerySet) -> int:
    """Count those who are not among the others.

    By EXCEPT: PostgreSQL runs a NOT IN over more ids than its memory holds anew for each user.
    """
    return users.values("pk").difference(others.values("pk")).count()


@dataclass(frozen=True)
class Told:
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


def told(revisions: Iterable[SegmentRevision]) -> list[Told]:
    """Return revisions in words: “Countries: Nigeria → Nigeria, Ghana”.

    Costs one small query for each criterion that names rows of ours, however many revisions.
    """
    listed = list(revisions)
    names = {key: labels_of(key, _values(listed, key)) for key in CRITERION_FIELDS}
    return [Told(revision, _in_words(revision.changes, names)) for revision in listed]


def labels_of(key: str, values: Iterable[Any]) -> dict[Any, str]:
    """Return {value: name} as lists show them: “Female”, “Nigeria”, “Palm Court”.

    A value that the criterion cannot understand is its own name.
    """
    criterion = CRITERIA[key]
    wanted = list(dict.fromkeys(values))
    labels = {value: str(value) for value in wanted}
    if known := dict(criterion.choices() or []):
        return {value: known.get(value, label) for value, label in labels.items()}
    sound = [value for value in wanted if _is_understood(key, value)]
    return labels | criterion.names(sound) if sound else labels


def _is_understood(key: str, value: Any) -> bool:
    try:
        return bool(CRITERIA[key].clean([value]) == [value])
    except ValidationError:
        return False


def _values(revisions: list[SegmentRevision], key: str) -> list[Any]:
    pairs = [revision.changes.get(key, ()) for revision in revisions]
    return [value for pair in pairs for values in pair for value in values or ()]


def _in_words(changes: Changes, names: Mapping[str, Mapping[Any, str]]) -> list[str]:
    ordered = [field for field in _TRACKED if field in changes]
    return [_one_in_words(field, changes[field], names) for field in ordered]


def _one_in_words(field: str, pair: list[Any], names: Mapping[str, Mapping[Any, str]]) -> str:
    label = CRITERIA[field].label if field in CRITERIA else field.capitalize()
    old, new = (_value_in_words(field, value, names) for value in pair)
    return f"{label}: {new}" if pair[0] is None else f"{label}: {old} → {new}"


def _value_in_words(field: str, value: Any, names: Mapping[str, Mapping[Any, str]]) -> str:
    if not value:
        return "nothing"
    if field == "match":
        return str(dict(Match.choices).get(value, value))
    if field not in CRITERIA:
        return f"“{value}”"
    return ", ".join(names[field].get(one, str(one)) for one in value)
