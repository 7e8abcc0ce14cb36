from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from campaigns.enums import ChangeKind, ChunkState, ExportStatus
from campaigns.models import (
    ExportChange,
    ExportChunk,
    IdempotentAnswer,
    ListMember,
    RequestBudget,
    SegmentExport,
    WebhookEvent,
)
from campaigns.sync import pruning
from tests.factories import make_manager, make_segment

pytestmark = pytest.mark.django_db

COMMAND = "prune_exports"
ENDED = [
    ExportStatus.SUCCESS,
    ExportStatus.PARTIAL,
    ExportStatus.FAILED,
    ExportStatus.CANCELLED,
]


def days_ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def make_export(
    status=ExportStatus.SUCCESS, *, days=400, lines=3, chunk=ChunkState.DONE
) -> SegmentExport:
    export = SegmentExport.objects.create(
        segment=make_segment(),
        segment_name="Women",
        status=status,
        finished_at=days_ago(days),
        added=lines,
        proof={"holds": True},
    )
    ExportChange.objects.bulk_create(
        ExportChange(export=export, email=f"p{n}@example.com", kind=ChangeKind.JOIN)
        for n in range(lines)
    )
    ExportChunk.objects.create(
        export=export,
        kind=ChangeKind.JOIN,
        state=chunk,
        first_change=1,
        last_change=lines,
        people=lines,
        sent_at=days_ago(days),
    )
    return export


def left(export) -> tuple[int, int]:
    return export.changes.count(), export.chunks.count()


@pytest.mark.parametrize("status", ENDED)
def test_lines_of_a_run_that_ended_long_ago_go_and_the_run_stays(run, status) -> None:
    old, young = make_export(status), make_export(status, days=364)

    said = run(COMMAND)

    assert (said.code, left(old), left(young)) == (0, (0, 0), (3, 1))
    assert said.out.startswith("Deleted 3 lines and 1 chunks of runs, 0 ended stays on lists")
    old.refresh_from_db()
    assert (old.added, old.proof) == (3, {"holds": True})


@pytest.mark.parametrize("status", [s for s in ExportStatus if s not in ENDED])
def test_lines_of_a_run_that_is_not_over_stay(run, status) -> None:
    export = make_export(status)

    run(COMMAND)

    assert left(export) == (3, 1)


@pytest.mark.parametrize("state", [ChunkState.SENDING, ChunkState.ACCEPTED])
def test_lines_of_which_brevo_has_not_told_the_end_stay(run, state) -> None:
    export = make_export(ExportStatus.FAILED, chunk=state)

    run(COMMAND)

    assert left(export) == (3, 1)


def test_ended_stays_go_and_current_members_stay(run) -> None:
    segment = make_segment()
    stay = {"segment": segment, "fingerprint": UUID(int=1), "added_by": 1}
    for email, removed_at in [("now", None), ("lately", days_ago(10)), ("once", days_ago(400))]:
        ListMember.objects.create(
            email=f"{email}@example.com", added_at=days_ago(500), removed_at=removed_at, **stay
        )

    run(COMMAND)

    emails = ListMember.objects.order_by("email").values_list("email", flat=True)
    assert list(emails) == ["lately@example.com", "now@example.com"]


def test_processed_events_and_old_answers_go(run) -> None:
    for digest, processed_at in [("old", days_ago(400)), ("new", days_ago(1)), ("waits", None)]:
        WebhookEvent.objects.create(digest=digest, body="{}", processed_at=processed_at)
    manager = make_manager()
    for key, age in [("old", 2.1), ("new", 1.9)]:
        IdempotentAnswer.objects.create(user=manager, key=key, request_digest="")
        IdempotentAnswer.objects.filter(key=key).update(created_at=days_ago(age))

    for key, age in [("old", 2.1), ("new", 1.9)]:
        RequestBudget.objects.create(key=key, name="other", changed_at=days_ago(age))

    said = run(COMMAND)

    assert said.out.endswith("1 webhook events, 1 kept answers, 1 unused request budgets.\n")
    assert set(WebhookEvent.objects.values_list("digest", flat=True)) == {"new", "waits"}
    assert IdempotentAnswer.objects.get().key == "new"


def test_dry_run_counts_the_same_and_deletes_nothing(run) -> None:
    export = make_export()

    dry = run(COMMAND, "--dry-run")

    assert left(export) == (3, 1)
    assert dry.out.replace("Would delete", "Deleted") == run(COMMAND).out


def test_days_may_be_given(run) -> None:
    export = make_export(days=8)

    run(COMMAND, "--days", "9")
    assert left(export) == (3, 1)
    run(COMMAND, "--days", "7")
    assert left(export) == (0, 0)


def test_more_than_one_batch_goes_whole(monkeypatch, run) -> None:
    monkeypatch.setattr(pruning, "_BATCH", 10)
    export = make_export(lines=25)

    assert run(COMMAND).out.startswith("Deleted 25 lines")
    assert left(export) == (0, 0)


@pytest.mark.parametrize("days", ["0", "-3", "99999999999"])
def test_days_that_make_no_sense_are_refused(run, days) -> None:
    said = run(COMMAND, f"--days={days}")

    assert (said.code, said.out) == (2, "")
    assert "write a number from 1 to" in said.err


def test_settings_say_how_long_lines_are_kept(settings, run) -> None:
    settings.CAMPAIGNS_KEEP_CHANGES_DAYS = 30
    export = make_export(days=31)

    run(COMMAND)

    assert left(export) == (0, 0)
