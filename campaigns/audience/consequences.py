"""Which segments would break, and who would leave which other lists."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from accounts.enums import PartnershipStatus, Role
from accounts.foresight import Change, Consequence
from accounts.models import Partnership, User
from campaigns.audience.criteria.subjects import Served, as_if_deleted, in_any
from campaigns.audience.definition import problems_of
from campaigns.audience.parsing import definition_of
from campaigns.audience.query_builder import audience
from campaigns.models import ListMember, Segment
from properties.models import Enrollment, Lead, Property

NAMES_SHOWN = 10
_LOOKED_AT = 50  # segments whose lists may be touched by a deleted property


def consequences(change: Change) -> list[Consequence]:
    """Say what a change of properties, people or partnerships does to segments and their lists.

    Reads the segments once; people are looked for only among those whom the change touches.
    """
    lost = _lost(change)
    breaking = _naming(lost)
    broken = {segment.pk for segment in breaking}
    return [*map(_breaks, breaking), *_leavers(change, broken)]


def _lost(change: Change) -> dict[str, set[int]]:
    """Return {criterion: ids} of what segments could rely on until now."""
    lost: dict[str, set[int]] = {"properties": set(), "agents": set(), "partners": set()}
    for row in change.rows:
        match row:
            case Property() if change.after is None:
                lost["properties"].add(row.pk)
            case User():
                if row.role == Role.AGENT and _role(change.after) != Role.AGENT:
                    lost["agents"].add(row.pk)
                if change.after is None and _is_approved(getattr(row, "partnership", None)):
                    lost["partners"].add(row.pk)
            case Partnership() if _is_approved(row) and not _is_approved(change.after, row):
                lost["partners"].add(row.partner_id)
    return lost


def _role(user: User | None) -> str:
    return user.role if user is not None else ""


def _is_approved(partnership: Partnership | None, before: Partnership | None = None) -> bool:
    """True for a partnership that segments may rely on, and still of the same partner."""
    return (
        partnership is not None
        and partnership.status == PartnershipStatus.APPROVED
        and partnership.suspended_at is None
        and (before is None or before.partner_id == partnership.partner_id)
    )


def _naming(lost: Mapping[str, set[int]]) -> list[Segment]:
    """Return the sound segments that name any of these."""
    if not any(lost.values()):
        return []
    naming = [
        segment
        for segment in Segment.objects.order_by("name", "pk")
        if any(
            not lost.get(condition.criterion.key, set()).isdisjoint(condition.values)
            for condition in definition_of(segment).conditions()
        )
    ]
    found = problems_of(naming)
    return [segment for segment in naming if not found[segment.pk]]


def _breaks(segment: Segment) -> Consequence:
    on_list = ListMember.objects.current().filter(segment=segment).count()
    list_stays = f" Its list stays as it is, with {on_list:,} people." if on_list else ""
    return Consequence(
        f"The segment “{segment}” breaks: it is neither counted nor synced until somebody mends it."
        + list_stays
    )


def _leavers(change: Change, broken: Collection[int]) -> list[Consequence]:
    people = [row.pk for row in change.rows if isinstance(row, User) and row.is_customer]
    if people and (change.after is None or not change.after.is_customer):
        members = ListMember.objects.current().filter(user_id__in=people)
        segments = Segment.objects.filter(pk__in=members.values("segment")).exclude(pk__in=broken)
        named = segments.order_by("name", "pk")
        return [_leave(segment, members.filter(segment=segment)) for segment in named]
    properties = [row.pk for row in change.rows if isinstance(row, Property)]
    if properties and change.after is None:
        return list(_leave_with(properties, broken))
    return []


def _leave_with(properties: list[int], broken: Collection[int]) -> Iterable[Consequence]:
    """Yield the lists that people leave because their enrolments and leads go with a property."""
    touched = in_any(
        [
            Enrollment.objects.filter(property_id__in=properties).values("user_id"),
            Lead.objects.filter(property_id__in=properties).values("client_id"),
        ]
    )
    others = Segment.objects.exclude(pk__in=broken).order_by("name", "pk")
    segments = [segment for segment in others if _asks_for_agents(segment)][:_LOOKED_AT]
    found = problems_of(segments)
    for segment in segments:
        if found[segment.pk]:
            continue
        before = audience(segment).filter(touched).values("pk")
        with as_if_deleted(properties):
            after = audience(segment).filter(touched).values("pk")
        on_list = ListMember.objects.current().filter(segment=segment)
        members = on_list.filter(user_id__in=before.difference(after))
        if members.exists():
            yield _leave(segment, members)


def _asks_for_agents(segment: Segment) -> bool:
    conditions = definition_of(segment).conditions()
    return any(isinstance(condition.criterion.subject, Served) for condition in conditions)


def _leave(segment: Segment, members: QuerySet[ListMember]) -> Consequence:
    total = members.count()
    ids: list[Any] = list(members.order_by("pk").values_list("user_id", flat=True)[:NAMES_SHOWN])
    known: dict[Any, User] = User.objects.in_bulk(ids)
    names = [str(known[pk]) for pk in ids if pk in known]
    who = "1 person leaves" if total == 1 else f"{total:,} people leave"
    return Consequence(f"{who} the list of “{segment}” with its next sync:", names, total)
