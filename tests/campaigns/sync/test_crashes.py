"""Kill a real process at every step of a run, one after the other: the list ends up the same."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.db import OperationalError, connection
from django.db.models import Count

from accounts.models import User
from campaigns.enums import ExportStatus, Outcome
from campaigns.models import ListMember, Segment, SegmentExport
from campaigns.sync import brake, chunks, sending
from campaigns.sync.gateway import connect
from campaigns.sync.runs import apply_plan, request_sync, run_export
from tests.campaigns.sync.scenes import before_requests, leases_end
from tests.elsewhere import ROOT, environment
from tests.factories import make_segment_unsaved

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.thorough]

MOST_STEPS = 200
TWO_PEOPLE = 330  # bytes of an import
SOME_LEAVE = 50  # percent: the three of eight go without being asked about


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
        env=environment(
            BREVO_CHUNK_SIZE="2",
            BREVO_IMPORT_MAX_BYTES=str(TWO_PEOPLE),
            CAMPAIGNS_REMOVAL_BRAKE=str(SOME_LEAVE),
        ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Victim(process)
        process.stdin.close()


@pytest.fixture(autouse=True)
def small(settings, monkeypatch) -> None:
    """Let whoever carries a run on here work as the victim does."""
    settings.BREVO_IMPORT_MAX_BYTES, settings.CAMPAIGNS_REMOVAL_BRAKE = TWO_PEOPLE, SOME_LEAVE
    monkeypatch.setattr(brake, "_SMALL_LIST", 4)
    monkeypatch.setattr(sending, "_HANDFUL", 2)
    monkeypatch.setattr(chunks, "FIRST_LOOK", 0.01)


@dataclass
class Scene:
    """A run about to be carried on, and how it ends when nobody disturbs it."""

    export: SegmentExport
    members: set[str]
    counts: tuple[int, int, int]  # added, updated, removed
    outcomes: dict[str, int]
    status: str = ExportStatus.SUCCESS
    others: set[str] = field(default_factory=set)


def address(name: object, place: str) -> str:
    return f"{name}@{place}.example.com"


def people(place: str, numbers: range, **fields) -> None:
    User.objects.bulk_create(
        User(email=address(n, place), state=place, first_name="Ada", **fields) for n in numbers
    )


def synced(place: str, number: int) -> Segment:
    people(place, range(number))
    segment = make_segment_unsaved(name=place, states=[place])
    segment.save()
    run_export(request_sync(segment).pk)
    return segment


def ordinary(brevo, place: str) -> Scene:
    """Of eight members three leave and one changes, while four join and one is a stranger."""
    segment = synced(place, 8)
    mine = User.objects.filter(state_key=place)
    mine.filter(email__startswith="0@").delete()
    mine.filter(email__startswith="1@").update(marketing_consent="OPTED_OUT")
    mine.filter(email__startswith="2@").update(email=address("moved", place))
    mine.filter(email__startswith="3@").update(first_name="Grace")
    people(place, range(8, 11))
    brevo.put_on_list(segment.brevo_list_id, address("by.hand", place))
    return Scene(
        request_sync(segment),
        {address(n, place) for n in (*range(3, 11), "moved")},
        (4, 1, 3),
        {Outcome.DONE: 8},
        others={address("by.hand", place)},
    )


def onto_a_new_list(brevo, place: str) -> Scene:
    """The list was deleted at Brevo, the plan was looked at: three go onto a new list."""
    segment = synced(place, 3)
    connect().delete_list(segment.brevo_list_id)
    export = apply_plan(run_export(request_sync(segment, plan_only=True).pk), by=None)
    members = {address(n, place) for n in range(3)}
    return Scene(export, members, (3, 0, 0), {Outcome.DONE: 3})


def held_by_the_brake(brevo, place: str) -> Scene:
    """Three of four would leave: the plan waits, whoever carries it on."""
    segment = synced(place, 4)
    User.objects.filter(state_key=place).exclude(email__startswith="0@").delete()
    members = {address(n, place) for n in range(4)}
    waiting = ExportStatus.WAITING
    return Scene(request_sync(segment), members, (0, 0, 0), {Outcome.PENDING: 3}, waiting)


def approved(brevo, place: str) -> Scene:
    """The same plan, released once."""
    waiting = run_export(held_by_the_brake(brevo, place).export.pk)
    export = apply_plan(waiting, by=None, approve=True)
    return Scene(export, {address(0, place)}, (0, 0, 3), {Outcome.DONE: 3})


@pytest.mark.parametrize(
    ("scene", "steps", "request_made"),
    [
        (ordinary, 50, "answered POST /v3/contacts/import"),
        (onto_a_new_list, 45, "answered POST /v3/contacts/lists"),
        (held_by_the_brake, 12, "answered GET /v3/contacts/lists"),
        (approved, 25, "/contacts/remove"),
    ],
)
def test_run_killed_at_any_step_is_finished_by_the_next(brevo, victim, scene, steps, request_made):
    killed_at = []
    for step in range(1, MOST_STEPS):
        place = f"{scene.__name__.replace('_', '')}{step}"
        wanted = scene(brevo, place)

        told = victim.run(wanted.export, die_before=step)
        leases_end()
        resumed = run_export(wanted.export.pk)

        list_id = resumed.segment.brevo_list_id
        ledger = ListMember.objects.current().filter(segment=resumed.segment)
        outcomes = resumed.changes.order_by().values_list("outcome").annotate(n=Count("id"))
        assert resumed.status == wanted.status, (told, resumed.error_message)
        assert brevo.members(list_id) == wanted.members | wanted.others, told
        assert set(ledger.values_list("email", flat=True)) == wanted.members, told
        assert (resumed.added, resumed.updated, resumed.removed) == wanted.counts, told
        assert dict(outcomes) == wanted.outcomes, told
        assert list(brevo.lists().values()).count(place) == 1, told
        if told == "survived":
            break
        killed_at.append(told)

    print("\n".join(killed_at))
    assert any(request_made in name for name in killed_at)
    assert len(killed_at) > steps


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no server to be restarted")
@pytest.mark.parametrize(
    "request_about_to_be_sent", ["POST /contacts/lists", "POST /contacts/import", "GET /processes"]
)
def test_run_whose_database_goes_away_is_finished_by_the_next(
    brevo, monkeypatch, request_about_to_be_sent
):
    wanted = ordinary(brevo, "restarted")
    dropped = []

    def restart(about_to: str) -> None:
        if about_to.startswith(request_about_to_be_sent) and not dropped:
            dropped.append(about_to)
            connection.connection.close()

    with monkeypatch.context() as patch:
        before_requests(patch, restart)
        with pytest.raises(OperationalError):
            run_export(wanted.export.pk)
    connection.close()
    leases_end()
    resumed = run_export(wanted.export.pk)

    assert dropped
    assert (resumed.status, resumed.attempts) == (ExportStatus.SUCCESS, 2)
    assert brevo.members(resumed.segment.brevo_list_id) == wanted.members | wanted.others
