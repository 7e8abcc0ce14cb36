"""What the tests of a run have in common: people who match, a run, a process that is killed."""

from collections.abc import Callable
from typing import Any

from django.db.models import Count

from accounts.enums import Gender
from accounts.models import User
from campaigns.models import AccountLease, ListMember, Segment, SegmentExport
from campaigns.sync.runs import apply_plan, request_sync, run_export
from campaigns.sync.work import Run
from tests.factories import make_segment_unsaved


class Killed(BaseException):
    """What no part of the engine may catch, as no process catches its own death."""


def women(*numbers: int, **fields: Any) -> list[User]:
    """Make mailable people whom every segment of these tests matches."""
    return User.objects.bulk_create(
        User(email=address(n), first_name=f"Ada {n}", gender=Gender.FEMALE, **fields)
        for n in numbers
    )


def address(number: int) -> str:
    return f"ada{number}@example.com"


def addresses(*numbers: int) -> set[str]:
    return {address(number) for number in numbers}


def alter(*numbers: int, **fields: Any) -> None:
    emails = addresses(*numbers)
    assert User.objects.filter(email_key__in=emails).update(**fields) == len(numbers)


def make_segment_of_women(name: str = "Women") -> Segment:
    segment = make_segment_unsaved(name=name)
    segment.save()
    return segment


def sync(segment: Segment, **options: Any) -> SegmentExport:
    return run_export(request_sync(segment, **options).pk)


def plan(segment: Segment) -> SegmentExport:
    return sync(segment, plan_only=True)


def applied(export: SegmentExport, **options: Any) -> SegmentExport:
    return run_export(apply_plan(export, by=None, **options).pk)


def ledger(segment: Segment) -> set[str]:
    """Return whom our ledger says we put on the list."""
    members = ListMember.objects.current().filter(segment=segment)
    return set(members.values_list("email", flat=True))


def outcomes(export: SegmentExport) -> dict[str, int]:
    lines = export.changes.order_by().values_list("outcome").annotate(n=Count("id"))
    return dict(lines)


def before_requests(monkeypatch, act: Callable[[str], None]) -> None:
    """Have ``act`` called with each “METHOD /path” that a run is about to send."""
    client = Run.client.func

    def watched(run: Run) -> Any:
        connected = client(run)
        send = connected._session.send

        def act_then_send(request: Any, **options: Any) -> Any:
            act(f"{request.method} {request.path_url.split('?')[0].removeprefix('/v3')}")
            return send(request, **options)

        connected._session.send = act_then_send
        return connected

    monkeypatch.setattr(Run.client, "func", watched)


def killed_before(monkeypatch, export: SegmentExport, request: str) -> None:
    """Carry the run on until it dies before a request that starts like this; its lease ends."""

    def die(about_to: str) -> None:
        if about_to.startswith(request):
            raise Killed(about_to)

    with monkeypatch.context() as patch:
        before_requests(patch, die)
        try:
            run_export(export.pk)
        except Killed:
            leases_end()
            return
    raise AssertionError(f"The run came to its end without {request}.")


def leases_end() -> None:
    """What time does, when nobody renews."""
    long_ago = "2020-01-01T00:00Z"
    SegmentExport.objects.exclude(lease_until=None).update(lease_until=long_ago)
    AccountLease.objects.exclude(until=None).update(until=long_ago)
