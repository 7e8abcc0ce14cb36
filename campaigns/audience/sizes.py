"""How many people an audience has, how many of them are mailable, and why the others are not."""

import logging
from dataclasses import dataclass

from django.db import DatabaseError, transaction
from django.db.models import Count
from django.utils import timezone

from campaigns.audience.definition import Definition
from campaigns.audience.mailable import held_reason
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


def sizes_of(definition: Definition) -> Sizes:
    """Count an audience by one aggregate query; raises SegmentBroken."""
    people = audience(definition).order_by().values(reason=held_reason())
    counts = dict(people.values_list("reason").annotate(n=Count("pk")))
    held = {reason: counts[reason.value] for reason in Reason if reason.value in counts}
    return Sizes(sum(counts.values()), held)


def sizes_if_known(definition: Definition) -> Sizes | None:
    """Count an audience; None when the definition is broken or the database fails."""
    try:
        with transaction.atomic():  # a failed count must not take what surrounds it with it
            return sizes_of(definition)
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
