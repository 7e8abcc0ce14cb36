"""How many people an audience has, how many of them are mailable, and why the others are not."""

import logging
from dataclasses import dataclass

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from campaigns.audience.mailable import held_reasons_sql
from campaigns.audience.parsing import DefinitionSource
from campaigns.audience.query_builder import audience
from campaigns.enums import Reason
from campaigns.errors import SegmentBroken
from campaigns.models import Segment

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sizes:
    """``held`` has only the reasons that hold somebody back."""

    total: int
    held: dict[Reason, int]

    @property
    def mailable(self) -> int:
        return self.total - sum(self.held.values())


def sizes_of(described: DefinitionSource) -> Sizes:
    """Count an audience by one query that costs hardly more than its bare count.

    The reasons are those of ``held_reason``. Raises SegmentBroken.
    """
    people, params = held_reasons_sql(audience(described))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT held, COUNT(*) FROM ({people}) counted GROUP BY held", params)  # noqa: S608 - built by Django
        counted = dict(cursor.fetchall())
    held = {Reason(reason): n for reason, n in counted.items() if reason}
    return Sizes(sum(counted.values()), held)


def sizes_if_known(described: DefinitionSource) -> Sizes | None:
    """Count an audience; None when the definition is broken or the database fails."""
    try:
        with transaction.atomic():  # a failed count must not take what surrounds it with it
            return sizes_of(described)
    except SegmentBroken:
        return None
    except DatabaseError as error:
        logger.warning("An audience could not be counted: %r", error)
        return None


def refresh(segment: Segment) -> Sizes | None:
    """Count the segment's audience and keep the sizes with their age; None when unknown.

    An earlier answer is kept when there is no new one: it still has its age.
    """
    sizes = sizes_if_known(segment)
    if sizes is not None:
        segment.audience_size, segment.mailable_size = sizes.total, sizes.mailable
        segment.counted_at = timezone.now()
        Segment.objects.filter(pk=segment.pk).update(
            audience_size=segment.audience_size,
            mailable_size=segment.mailable_size,
            counted_at=segment.counted_at,
        )
    return sizes
