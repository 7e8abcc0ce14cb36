import pytest

from accounts.enums import Consent, Gender
from accounts.models import User
from campaigns.enums import ExportStatus
from campaigns.models import ListMember, SegmentExport
from campaigns.sync.runs import request_sync, run_export
from tests.factories import make_segment_unsaved, make_user

pytestmark = pytest.mark.django_db


def sync(segment) -> SegmentExport:
    return run_export(request_sync(segment).pk)


@pytest.fixture
def segment(brevo):
    segment = make_segment_unsaved(name="Women")
    segment.save()
    return segment


def women(number: int) -> list[User]:
    return [
        make_user(gender=Gender.FEMALE, first_name=f"Ada {i}", phone=f"+23480312345{i:02}")
        for i in range(number)
    ]


def counts(export):
    return (
        export.status,
        export.users_count,
        export.added,
        export.updated,
        export.removed,
        export.failed,
    )


@pytest.mark.parametrize("number", [3, 30])
def test_first_sync_puts_the_mailable_audience_on_the_list(brevo, segment, number):
    people = women(number)
    make_user(gender=Gender.FEMALE, marketing_consent=Consent.OPTED_OUT)

    export = sync(segment)

    assert counts(export) == (ExportStatus.SUCCESS, number, number, 0, 0, 0), export.error_message
    assert brevo.members(segment.brevo_list_id) == {user.email for user in people}


@pytest.mark.parametrize("number", [3, 30])
def test_second_sync_of_an_unchanged_segment_sends_no_contact(brevo, segment, number):
    women(number)
    sync(segment)
    brevo.clear_requests()

    export = sync(segment)

    assert counts(export) == (ExportStatus.SUCCESS, number, 0, 0, 0, 0)
    assert {method for method, _, _ in brevo.requests} == {"GET"}


@pytest.mark.parametrize("number", [3, 60])
def test_sync_sends_only_who_came_changed_or_left(brevo, segment, number):
    people = women(number)
    sync(segment)
    brevo.put_on_list(segment.brevo_list_id, "by.hand@example.org")
    leaver, changed, mover, gone = people[0], people[1], people[2], make_user(gender=Gender.FEMALE)
    sync(segment)
    User.objects.filter(pk=leaver.pk).update(marketing_consent=Consent.OPTED_OUT)
    User.objects.filter(pk=changed.pk).update(first_name="Grace")
    User.objects.filter(pk=mover.pk).update(email="moved@example.com")
    User.objects.filter(pk=gone.pk).delete()

    export = sync(segment)

    assert counts(export) == (ExportStatus.SUCCESS, number - 1, 1, 1, 3, 0), export.error_message
    expected = {u.email for u in people[3:]} | {
        changed.email,
        "moved@example.com",
        "by.hand@example.org",
    }
    assert brevo.members(segment.brevo_list_id) == expected
    assert brevo.contact(changed.email)["attributes"]["FIRSTNAME"] == "Grace"
    assert ListMember.objects.current().count() == number - 1
