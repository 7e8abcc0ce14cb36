"""The id of a list is trusted only in the account, and for the list, that it was remembered for."""

from collections.abc import Iterator

import pytest
from django.utils import timezone

from accounts.enums import Consent
from campaigns.brevo import BrevoClient
from campaigns.brevo.endpoints import Endpoint
from campaigns.enums import ChunkState, ExportStatus
from campaigns.errors import ListNotOurs, SegmentBusy
from campaigns.models import AccountLease, BrevoList, ExportChunk, ListMember, Segment, Suppression
from campaigns.sync.drift import drift
from campaigns.sync.gateway import account_of, connect
from campaigns.sync.given_up import release
from campaigns.sync.reconciling import reconcile
from campaigns.sync.runs import apply_plan, request_sync, run_export
from sandbox.brevo.server import Sandbox
from tests.campaigns.sync.scenes import (
    address,
    addresses,
    alter,
    killed_before,
    ledger,
    make_segment_of_women,
    plan,
    sync,
    women,
)

pytestmark = pytest.mark.django_db

_MOVE = Endpoint("PUT", "/contacts/lists/{id}", "move the list")
BOARD = {"chair@example.org"}
REFUSED = "Nothing was changed. Set BREVO_API_KEY to a key of the account that has the list"


@pytest.fixture
def segment(brevo) -> Segment:
    """Synced with three."""
    segment = make_segment_of_women()
    women(1, 2, 3)
    sync(segment)
    segment.refresh_from_db()
    return segment


@pytest.fixture
def other(segment: Segment) -> Iterator[Sandbox]:
    """Another account, whose list of the same id is a colleague's."""
    with Sandbox(organization="another") as server:
        made = client_of(server)
        folder = made.ensure_folder("Colleagues")
        while made.create_list("Board members only", folder) < (segment.brevo_list_id or 0):
            pass
        for email in BOARD:
            server.put_on_list(segment.brevo_list_id or 0, email)
        server.clear_requests()
        yield server


def client_of(server: Sandbox) -> BrevoClient:
    return BrevoClient(server.key, base_url=server.url, requests_per_second=1000)


@pytest.fixture
def moved(settings, other: Sandbox) -> Sandbox:
    """The key of the other account is configured."""
    settings.BREVO_API_URL, settings.BREVO_API_KEY = other.url, other.key
    return other


def writes(server: Sandbox) -> list[str]:
    return [f"{method} {path}" for method, path, _ in server.requests if method != "GET"]


def is_untouched(server: Sandbox, segment: Segment) -> bool:
    list_id = segment.brevo_list_id or 0
    is_there = server.lists().get(list_id) == "Board members only"
    return is_there and server.members(list_id) == BOARD and writes(server) == []


# Another account


def do_sync(segment: Segment) -> None:
    export = sync(segment)
    assert export.status == ExportStatus.FAILED
    raise ListNotOurs(export.error_message)


def do_plan(segment: Segment) -> None:
    export = plan(segment)
    assert export.status == ExportStatus.FAILED
    raise ListNotOurs(export.error_message)


def do_verify(segment: Segment) -> None:
    drift(connect(), segment, "FULL")


def do_rename(segment: Segment) -> None:
    segment.name = "Ladies"
    segment.save()


def do_delete(segment: Segment) -> None:
    segment.delete()


ALL = [do_sync, do_plan, do_verify, do_rename, do_delete]


@pytest.mark.parametrize("act", ALL)
def test_with_the_key_of_another_account_everything_is_refused_and_both_are_named(
    moved, segment, act
):
    alter(1, marketing_consent=Consent.OPTED_OUT)
    women(4)

    with pytest.raises(ListNotOurs) as refused:
        act(segment)

    told = str(refused.value)
    assert "“Stand-in for Brevo” (000000000000000000000001)" in told
    assert "“Stand-in for Brevo” (another)" in told
    assert REFUSED in told
    assert f"manage.py release_list {segment.pk}”" in told
    assert is_untouched(moved, segment)
    assert Segment.objects.get().name == "Women"
    assert ledger(segment) == addresses(1, 2, 3)


@pytest.mark.parametrize("act", ALL)
def test_list_of_which_nothing_is_remembered_is_refused_when_nothing_shows_that_it_is_ours(
    moved, segment, act
):
    BrevoList.objects.all().delete()

    with pytest.raises(ListNotOurs, match="Nothing shows that list 1 at Brevo"):
        act(segment)

    assert is_untouched(moved, segment)


def test_plan_that_was_looked_at_before_the_key_changed_is_refused(settings, other, segment):
    alter(1, marketing_consent=Consent.OPTED_OUT)
    made = plan(segment)
    settings.BREVO_API_URL = other.url

    ended = run_export(apply_plan(made, by=None).pk)

    assert (ended.status, REFUSED in ended.error_message) == (ExportStatus.FAILED, True)
    assert is_untouched(other, segment)


@pytest.mark.parametrize("step", ["POST /contacts/lists/1/contacts/remove", "GET /processes"])
def test_run_that_died_is_not_carried_on_with_the_key_of_another_account(
    settings, other, segment, monkeypatch, step
):
    alter(1, marketing_consent=Consent.OPTED_OUT)
    women(*range(10, 40))
    export = request_sync(segment)
    killed_before(monkeypatch, export, step)
    settings.BREVO_API_URL = other.url

    ended = run_export(export.pk)

    assert REFUSED in ended.error_message
    assert is_untouched(other, segment)
    assert [path for _, path, _ in other.requests] == ["/account"]


def test_all_is_well_again_with_the_key_that_was_there_before(settings, brevo, moved, segment):
    with pytest.raises(ListNotOurs):
        do_sync(segment)
    settings.BREVO_API_URL = brevo.url

    assert sync(segment).status == ExportStatus.SUCCESS


def test_account_is_asked_for_once_for_each_key(settings, brevo, segment):
    women(4)
    sync(segment)
    assert [path for _, path, _ in brevo.requests].count("/account") == 1

    settings.BREVO_API_URL += "/"
    sync(segment)
    assert [path for _, path, _ in brevo.requests].count("/account") == 1


def test_key_is_kept_nowhere(settings, brevo, segment):
    row = AccountLease.objects.get(key__startswith="account ")

    assert settings.BREVO_API_KEY not in row.key.split()[1]
    assert row.value == {"id": "000000000000000000000001", "name": "Stand-in for Brevo"}


def test_new_key_of_the_same_account_changes_nothing(settings, brevo, segment):
    brevo.gate.key = settings.BREVO_API_KEY = "renewed"

    assert sync(segment).status == ExportStatus.SUCCESS


def test_account_without_an_organization_is_known_by_its_address(settings, segment):
    with Sandbox(organization="") as server:
        settings.BREVO_API_URL = server.url

        assert account_of(connect()).id == "owner@example.com"


def test_unsubscribes_are_read_from_the_beginning_in_another_account(moved, segment, settings):
    moved.block("gone@example.com")
    reconcile(connect())
    with Sandbox(organization="a third") as third:
        third.block("other@example.com")
        settings.BREVO_API_URL = third.url

        assert reconcile(connect()).since is None

    assert Suppression.objects.filter(email="other@example.com").exists()


# Moving for good


def test_released_segment_gets_a_new_list_and_the_old_one_stays(brevo, moved, segment):
    old = segment.brevo_list_id

    told = release(connect(), segment)
    ended = sync(segment)

    segment.refresh_from_db()
    assert told.startswith(f"Segment “Women” no longer has list {old}, which stays as it is in ")
    assert ended.status == ExportStatus.SUCCESS, ended.error_message
    assert moved.lists()[segment.brevo_list_id] == "Women"
    assert moved.members(segment.brevo_list_id) == addresses(1, 2, 3) == ledger(segment)
    assert moved.members(old) == BOARD
    assert brevo.members(old) == addresses(1, 2, 3)


def test_released_segment_is_deleted_without_a_word_to_either_account(brevo, moved, segment):
    list_id = segment.brevo_list_id
    release(connect(), segment)
    brevo.clear_requests()

    segment.delete()

    assert not Segment.objects.exists()
    assert moved.lists()[list_id] == "Board members only"
    assert list_id in brevo.lists()
    assert (writes(moved), brevo.requests) == ([], [])


def test_two_segments_may_have_lists_of_one_id_in_two_accounts(moved, segment):
    with moved.store.writing() as store:
        store.execute("DELETE FROM list")
        store.execute("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'list'")

    second = make_segment_of_women("Others")

    assert second.brevo_list_id == segment.brevo_list_id
    assert sync(second).status == ExportStatus.SUCCESS


def test_list_that_is_the_segments_is_not_released(segment):
    told = release(connect(), segment)

    assert told == "List 1 is here and is the list of segment “Women”: nothing was changed."
    segment.refresh_from_db()
    assert segment.brevo_list_id == 1


def test_segment_is_not_released_while_a_run_is_at_work(moved, segment):
    request_sync(segment)

    with pytest.raises(SegmentBusy):
        release(connect(), segment)


def test_import_that_was_on_its_way_to_the_other_account_is_not_looked_for_here(
    settings, other, segment, monkeypatch
):
    women(*range(10, 40))
    export = request_sync(segment)
    killed_before(monkeypatch, export, "GET /processes")
    settings.BREVO_API_URL = other.url
    run_export(export.pk)

    release(connect(), segment)
    other.clear_requests()
    sync(segment)

    assert not ExportChunk.objects.unsettled().exists()
    assert ExportChunk.objects.filter(export=export, state=ChunkState.FAILED).exists()


def test_import_whose_answer_is_lost_is_found_in_an_account_with_smaller_numbers(
    brevo, moved, segment
):
    with brevo.store.writing() as store:
        store.execute("UPDATE sqlite_sequence SET seq = 900 WHERE name = 'process'")
    ExportChunk.objects.create(
        export=segment.exports.get(),
        kind="JOIN",
        state=ChunkState.DONE,
        first_change=0,
        last_change=0,
        people=1,
        process_id=900,
        sent_at=timezone.now(),
    )
    release(connect(), segment)
    women(*range(10, 40))
    moved.fault("drop-after@POST /contacts/import*1")
    moved.clear_requests()

    ended = sync(segment)

    assert ended.status == ExportStatus.SUCCESS, ended.error_message
    assert [path for _, path, _ in moved.requests].count("/contacts/import") == 1
    assert ("GET", "/processes/1", 200) in moved.requests


def test_plan_for_a_list_that_was_gone_is_not_applied_in_another_account(
    brevo, other, segment, settings
):
    brevo.fault("list-gone@GET /contacts/lists/**1")
    made = plan(segment)
    BrevoList.objects.all().delete()
    Segment.objects.update(brevo_list_id=None)
    settings.BREVO_API_URL = other.url

    ended = run_export(apply_plan(made, by=None).pk)

    assert ended.error_message.startswith("This run began in another Brevo account (0000")
    assert writes(other) == []


def test_ids_of_contacts_in_another_account_say_nothing_of_ours(brevo, moved, segment):
    member = ListMember.objects.get(email=address(1))
    ListMember.objects.filter(pk=member.pk).update(contact_id=1)
    assert moved.contact("chair@example.org")["id"] == 1

    reconcile(connect())
    member = ListMember.objects.get(pk=member.pk)
    assert (member.contact_id, member.email_at_brevo) == (1, "")

    release(connect(), segment)
    reconcile(connect())
    sync(segment)
    ended = ListMember.objects.get(pk=member.pk)
    assert (ended.contact_id, ended.email_at_brevo) == (None, "")
    assert ledger(segment) == addresses(1, 2, 3)
    assert not Suppression.objects.exists()


# Another list of the same account


@pytest.mark.parametrize("act", ALL)
def test_id_that_was_given_to_another_list_is_refused(brevo, segment, act):
    brevo.fault("list-replaced@GET /contacts/lists/**1")

    with pytest.raises(ListNotOurs, match="List 1 at Brevo is “Board members only” in folder"):
        act(segment)

    assert brevo.lists() == {1: "Board members only"}
    assert brevo.members(1) == {"board@example.org"}


def test_segment_whose_list_was_replaced_is_released_and_gets_a_new_one(brevo, segment):
    brevo.fault("list-replaced@GET /contacts/lists/**1")
    with pytest.raises(ListNotOurs):
        do_sync(segment)

    release(connect(), segment)
    ended = sync(segment)

    segment.refresh_from_db()
    assert (ended.status, segment.brevo_list_id) == (ExportStatus.SUCCESS, 2)
    assert brevo.members(1) == {"board@example.org"}


@pytest.mark.parametrize("renamed", [True, False])
@pytest.mark.parametrize("in_another_folder", [True, False])
def test_list_that_colleagues_renamed_or_moved_is_still_the_segments(
    brevo, segment, renamed, in_another_folder
):
    client = connect()
    if in_another_folder:
        folder = client.ensure_folder("Colleagues")
        client._ask(_MOVE, 1, body={"folderId": folder})
    if renamed:
        client.rename_list(1, "Ladies")

    assert sync(segment).status == ExportStatus.SUCCESS
    segment.name = "Women of Lagos"
    segment.save()
    assert brevo.lists() == {1: "Women of Lagos"}
    segment.delete()
    assert brevo.lists() == {}


# Lists from before the account was remembered


ADOPTED = [
    # name as the segment's, in our folder, somebody on it, who is ours
    (True, True, "others", True),
    (True, False, "nobody", True),
    (True, False, "ours", True),
    (True, False, "others", False),
    (False, True, "nobody", True),
    (False, True, "ours", True),
    (False, True, "others", False),
    (False, False, "nobody", False),
    (False, False, "ours", False),
]


@pytest.mark.parametrize(("by_name", "by_folder", "holds", "is_ours"), ADOPTED)
def test_list_of_which_nothing_is_remembered_is_taken_by_what_can_be_seen(
    brevo, segment, by_name, by_folder, holds, is_ours
):
    client = connect()
    folder = client.ensure_folder("Campaign Segments" if by_folder else "Colleagues")
    list_id = client.create_list("Women" if by_name else "Ladies", folder)
    for email in {"nobody": [], "others": ["chair@example.org"], "ours": [address(1)]}[holds]:
        brevo.put_on_list(list_id, email)
    BrevoList.objects.all().delete()
    Segment.objects.update(brevo_list_id=list_id)

    export = sync(Segment.objects.get())

    assert (REFUSED not in export.error_message) is is_ours
    known = BrevoList.objects.filter(list_id=list_id, segment=segment)
    assert known.exists() is is_ours


def test_list_of_another_segment_is_never_taken(segment):
    twin = make_segment_of_women("Twin")
    BrevoList.objects.filter(segment=twin).delete()
    Segment.objects.filter(pk=twin.pk).update(brevo_list_id=segment.brevo_list_id)

    export = sync(Segment.objects.get(pk=twin.pk))

    assert REFUSED in export.error_message
    assert not ListMember.objects.filter(segment=twin).exists()
