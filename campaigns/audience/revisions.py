"""The history of a segment: what was changed, by whom, and how many people came and went by it."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, transaction

from accounts.models import User, UserQuerySet
from campaigns.audience.named_rows import looked_up_once
from campaigns.audience.query_builder import audience
from campaigns.errors import SegmentBroken
from campaigns.models import Segment, SegmentRevision

logger = logging.getLogger(__name__)

_TRACKED = ("name", "description", "definition")

Changes = dict[str, list[Any]]  # {field: [from, to]}


@contextmanager
def recorded(segment: Segment, *, by: User | None) -> Iterator[None]:
    """Put around the save of a segment: writes a SegmentRevision when something has changed.

    Brevo is asked first, outside of any transaction; the save and its revision are one.

    A new segment gets one too, of ``[None, value]``. When the definition has changed, the
    segment's last known sizes are forgotten, for they were those of another audience. Nothing is
    written when the save raises; a count that fails is unknown and fails nothing else.
    """
    before = Segment.objects.filter(pk=segment.pk).first() if segment.pk else None
    with looked_up_once(), segment.mirrored():
        yield
        _record(before, segment, by)


def _record(before: Segment | None, segment: Segment, by: User | None) -> None:
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
    return "definition" in changes


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
