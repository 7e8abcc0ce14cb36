"""Where a process died between Brevo and our database, the next sync makes the two agree."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from campaigns.brevo import BrevoError
from campaigns.brevo.transport import Transport
from campaigns.enums import ExportStatus
from campaigns.models import ListChange, Segment
from campaigns.sync import lists
from campaigns.sync.list_changes import GIVEN_UP_AFTER, unfinished
from tests.campaigns.sync.scenes import make_segment_of_women, sync
from tests.factories import make_segment_unsaved

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(Transport, "FIRST_BACKOFF", 0.001)
    monkeypatch.setattr(Transport, "LONGEST_BACKOFF", 0.001)


@pytest.fixture
def segment(brevo) -> Segment:
    return make_segment_of_women("Women")


def time_passes() -> None:
    for change in ListChange.objects.all():
        long_ago = change.begun_at - GIVEN_UP_AFTER - timedelta(seconds=1)
        ListChange.objects.filter(pk=change.pk).update(begun_at=long_ago)


def test_save_that_succeeds_leaves_no_change_behind(brevo, segment):
    segment.name = "Ladies"
    segment.save()

    assert not ListChange.objects.exists()


def test_save_that_is_refused_leaves_no_change_behind(brevo, segment):
    brevo.fault("key-revoked@POST /contacts/lists")
    with pytest.raises(BrevoError):
        make_segment_unsaved(name="Others").save()

    assert not ListChange.objects.exists()


def test_list_of_a_segment_that_was_never_saved_is_deleted_by_the_next_sync(brevo, segment):
    lists.create_for(make_segment_unsaved(name="Others"))  # and here the process dies
    assert sorted(brevo.lists().values()) == ["Others", "Women"]

    sync(segment)
    assert sorted(brevo.lists().values()) == ["Others", "Women"], "it may be alive"
    time_passes()
    sync(segment)

    assert list(brevo.lists().values()) == ["Women"]
    assert not ListChange.objects.exists()


def test_list_whose_id_nobody_wrote_down_is_found_by_its_name(brevo, segment):
    lists.create_for(make_segment_unsaved(name="Others"))
    ListChange.objects.update(list_id=None)
    time_passes()

    sync(segment)

    assert list(brevo.lists().values()) == ["Women"]


def test_list_that_holds_somebody_or_is_a_segments_is_never_deleted(brevo, segment):
    lists.create_for(make_segment_unsaved(name="Others"))
    used = next(pk for pk, name in brevo.lists().items() if name == "Others")
    brevo.put_on_list(used, "colleague@example.com")
    ListChange.objects.create(
        kind="CREATE", account=ListChange.objects.get().account, name="Women", newest_list=0
    )
    time_passes()

    sync(segment)

    assert sorted(brevo.lists().values()) == ["Others", "Women"]
    assert not ListChange.objects.exists()


def test_list_that_was_renamed_gets_the_name_back_that_its_segment_has(brevo, segment):
    segment.name = "Ladies"
    lists.rename_for(segment, "Women")  # and here the process dies
    assert list(brevo.lists().values()) == ["Ladies"]
    time_passes()

    sync(Segment.objects.get())

    assert list(brevo.lists().values()) == ["Women"]
    assert not ListChange.objects.exists()


def test_name_that_somebody_gave_the_list_since_is_left_alone(brevo, segment):
    segment.name = "Ladies"
    lists.rename_for(segment, "Women")
    ListChange.objects.update(name="Something else")
    time_passes()

    sync(Segment.objects.get())

    assert list(brevo.lists().values()) == ["Ladies"]


def test_change_in_another_account_waits_for_its_key(brevo, segment):
    lists.create_for(make_segment_unsaved(name="Others"))
    ListChange.objects.update(account="another")
    time_passes()

    sync(segment)

    assert unfinished().count() == 1
    assert len(brevo.lists()) == 2


def test_what_brevo_refuses_to_settle_fails_no_sync_and_waits_for_the_next(brevo, segment):
    lists.create_for(make_segment_unsaved(name="Others"))
    time_passes()
    brevo.fault("500@DELETE /contacts/lists/**9")

    assert sync(segment).status == ExportStatus.SUCCESS
    assert unfinished().count() == 1
    brevo.clear_faults()
    sync(segment)

    assert list(brevo.lists().values()) == ["Women"]
    assert not ListChange.objects.exists()


def test_list_that_somebody_is_making_under_the_same_name_is_left_alone(brevo, segment):
    lists.create_for(make_segment_unsaved(name="Others"))  # dies before it knows the id
    ListChange.objects.update(list_id=None)
    time_passes()
    lists.create_for(make_segment_unsaved(name="Others"))  # alive, and not saved yet

    sync(segment)

    assert sorted(brevo.lists().values()) == ["Others", "Others", "Women"]
    assert unfinished().count() == 1


def test_check_names_a_change_that_was_not_finished(brevo, segment, capsys):
    lists.create_for(make_segment_unsaved(name="Others"))
    time_passes()

    call_command("brevo_check")

    assert "A change of a list was not finished: Create “Others”" in capsys.readouterr().out
