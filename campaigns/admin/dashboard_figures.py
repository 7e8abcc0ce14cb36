"""The figures of the first page: few queries, small, and always as many.

Sizes are the last known, never counted here: the shop may have five million people.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, Min, OuterRef, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from campaigns.admin import sync_words
from campaigns.enums import ACTIVE, ExportStatus
from campaigns.models import ListMember, Segment, SegmentExport, never_synced

DAYS = 30
MOST_SHOWN = 10
COUNTED_UP_TO = 50_000
RECENT = timedelta(days=7)


@dataclass(frozen=True)
class People:
    """How many people our lists reach: ``bound`` and ``note`` say how exactly that is known."""

    number: int
    bound: str
    note: str


@dataclass(frozen=True)
class Day:
    date: date
    joined: int
    left: int


def people_reached() -> People:
    """Count the people on our lists when they are few, else say what is known of them."""
    ours = ListMember.objects.current().order_by().values("email")[: COUNTED_UP_TO + 1]
    found = ours.aggregate(people=Count("email", distinct=True), places=Count("email"))
    if found["places"] <= COUNTED_UP_TO:
        return People(found["people"], "", "each counted once, as of now")
    sizes = Segment.objects.order_by().aggregate(
        people=Sum("mailable_size", default=0), oldest=Min("counted_at")
    )
    if sizes["people"] <= COUNTED_UP_TO:
        return People(found["people"], "more than", "their lists were not counted lately")
    since = timezone.localtime(sizes["oldest"])
    note = f"last known sizes, from {since:%d %B} on; whoever is in several segments counts in each"
    return People(sizes["people"], "about", note)


def runs_this_month() -> dict[str, int]:
    """Return {status: number} of this month's runs, plans that were only looked at left out."""
    month = timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    runs = SegmentExport.objects.filter(exported_at__gte=month, plan_only=False).order_by()
    return {str(status): n for status, n in runs.values_list("status").annotate(n=Count("pk"))}


def joined_and_left() -> list[Day]:
    """Return the last 30 days, oldest first, with whom the runs of each put on and took off."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    midnight = timezone.make_aware(datetime.combine(first, datetime.min.time()))
    runs = SegmentExport.objects.filter(exported_at__gte=midnight).order_by()
    by_day = runs.annotate(day=TruncDate("exported_at")).values_list("day")
    sums = {day: (a, r) for day, a, r in by_day.annotate(a=Sum("added"), r=Sum("removed"))}
    dates = (first + timedelta(days=number) for number in range(DAYS))
    return [Day(day, *sums.get(day, (0, 0))) for day in dates]


def runs_that_need_somebody() -> list[SegmentExport]:
    """Return what waits for a person, what nobody carries on, and what failed and was not mended.

    A failure is mended by a later run of the segment that succeeded; a plan that is not confirmed
    is forgotten as soon as there is any later run.
    """
    any_later = SegmentExport.objects.filter(segment=OuterRef("segment"), pk__gt=OuterRef("pk"))
    later = any_later.filter(status=ExportStatus.SUCCESS)
    failed = Q(
        status__in=(ExportStatus.FAILED, ExportStatus.PARTIAL),
        exported_at__gte=timezone.now() - RECENT,
    ) & ~Exists(later)
    unconfirmed = Q(status=ExportStatus.PLANNED, segment__isnull=False) & ~Exists(any_later)
    needy = Q(status__in=(ExportStatus.WAITING, *ACTIVE)) | failed | unconfirmed
    runs = SegmentExport.objects.filter(needy).defer("definition", "proof").order_by("-id")
    known = [run for run in runs[:100] if run.status not in ACTIVE or sync_words.is_left(run)]
    return known[:MOST_SHOWN]


def last_verified() -> SegmentExport | None:
    """Return the newest run whose list was read back and found to be right."""
    proven = SegmentExport.objects.filter(status=ExportStatus.SUCCESS, proof__holds=True)
    return proven.order_by("-id").first()


def number_never_synced() -> int:
    return Segment.objects.order_by().filter(never_synced()).count()
