"""Kill a real process at every step of a run, one after the other: the list ends up the same."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.db.models import Count

from accounts.models import User
from campaigns.enums import ExportStatus, Outcome
from campaigns.models import AccountLease, ListMember, Segment, SegmentExport
from campaigns.sync import chunks, sending
from campaigns.sync.runs import request_sync, run_export
from tests.elsewhere import ROOT, environment
from tests.factories import make_segment_unsaved

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.thorough]

MOST_STEPS = 200


@dataclass
class Victim:
    """A process that carries runs on and dies where it is told to."""

    process: subprocess.Popen[str]

    def run(self, export: SegmentExport, die_before: int) -> str:
        """Return the name of the step before which it was killed, or ``survived``."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{export.pk} {die_before}\n")
        self.process.stdin.flush()
        told = self.process.stdout.readline().strip()
        assert self.process.stdout.readline().strip() == "over"
        return told


@pytest.fixture
def victim(brevo, settings) -> Iterator[Victim]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.campaigns.sync.kill_points"],
        cwd=ROOT,
        env=environment(BREVO_CHUNK_SIZE="2"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Victim(process)
        process.stdin.close()


def people(place: str, numbers: range, **fields) -> None:
    User.objects.bulk_create(
        User(email=f"{n}@{place}.example.com", state=place, first_name="Ada", **fields)
        for n in numbers
    )


def scene(place: str) -> Segment:
    """A synced segment of eight, of whom three leave and one changes, while four join."""
    people(place, range(8))
    segment = make_segment_unsaved(name=place, states=[place])
    segment.save()
    run_export(request_sync(segment).pk)
    mine = User.objects.filter(state_key=place)
    mine.filter(email__startswith="0@").delete()
    mine.filter(email__startswith="1@").update(marketing_consent="OPTED_OUT")
    mine.filter(email__startswith="2@").update(email=f"moved@{place}.example.com")
    mine.filter(email__startswith="3@").update(first_name="Grace")
    people(place, range(8, 11))
    return segment


def lease_ends(export: SegmentExport) -> None:
    """What time does, when nobody renews."""
    long_ago = "2020-01-01T00:00Z"
    SegmentExport.objects.filter(pk=export.pk).exclude(lease_until=None).update(
        lease_until=long_ago
    )
    AccountLease.objects.exclude(until=None).update(until=long_ago)


def test_run_killed_at_any_step_is_finished_by_the_next(brevo, victim, monkeypatch):
    monkeypatch.setattr(sending, "_HANDFUL", 2)
    monkeypatch.setattr(chunks, "FIRST_LOOK", 0.01)
    killed_at = []
    for step in range(1, MOST_STEPS):
        place = f"step{step}"
        segment = scene(place)
        brevo.put_on_list(segment.brevo_list_id, f"by.hand@{place}.example.com")
        export = request_sync(segment)

        told = victim.run(export, die_before=step)
        lease_ends(export)
        resumed = run_export(export.pk)

        mine = {f"{n}@{place}.example.com" for n in (*range(3, 11), "moved")}
        ledger = ListMember.objects.current().filter(segment=segment)
        assert resumed.status == ExportStatus.SUCCESS, (told, resumed.error_message)
        assert brevo.members(segment.brevo_list_id) == mine | {f"by.hand@{place}.example.com"}, told
        assert set(ledger.values_list("email", flat=True)) == mine, told
        assert (resumed.added, resumed.updated, resumed.removed) == (4, 1, 3), told
        outcomes = resumed.changes.order_by().values_list("outcome").annotate(n=Count("id"))
        assert dict(outcomes) == {Outcome.DONE: 8}, told
        if told == "survived":
            break
        killed_at.append(told)

    print("\n".join(killed_at))
    assert "answered POST /v3/contacts/import" in killed_at
    assert len(killed_at) > 30
