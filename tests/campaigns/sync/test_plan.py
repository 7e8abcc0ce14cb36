"""A plan: whom it names and why, what it costs, and that nothing but it is performed."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.enums import Consent, Gender
from accounts.models import User
from campaigns.enums import ChangeKind, ExportStatus, Outcome, Reason
from campaigns.enums import SuppressionReason as Why
from campaigns.enums import SuppressionSource as Source
from campaigns.models import ExportChange, Segment, SegmentExport
from campaigns.sync.plan import write_plan
from campaigns.sync.suppressing import suppress
from tests.campaigns.sync.scenes import (
    address,
    addresses,
    alter,
    applied,
    ledger,
    make_segment_of_women,
    outcomes,
    plan,
    sync,
    women,
)
from tests.factories import definition, make_segment, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment(brevo) -> Segment:
    return make_segment_of_women()


def lines(export: SegmentExport) -> dict[str, tuple[str, str]]:
    changes = ExportChange.objects.filter(export=export)
    found = {line.email: (line.kind, line.reason) for line in changes}
    assert len(found) == changes.count(), "one line a person"
    return found


# Whom it names


def test_plan_names_everybody_who_moves_once_and_says_why(segment):
    women(*range(8))
    sync(segment)
    alter(1, first_name="Grace")
    alter(2, marketing_consent=Consent.OPTED_OUT)
    suppress(address(3), Why.UNSUBSCRIBED, Source.WEBHOOK)
    alter(4, email="moved@example.com")
    User.objects.filter(email_key=address(5)).delete()
    alter(6, gender=Gender.MALE)
    alter(7, is_active=False)
    women(8)
    women(9, marketing_consent=Consent.OPTED_OUT)
    women(10)
    suppress(address(10), Why.BOUNCED, Source.WEBHOOK)
    make_user(email="ada@example", gender=Gender.FEMALE)

    found = plan(segment)

    assert lines(found) == {
        address(1): (ChangeKind.CHANGE, ""),
        address(2): (ChangeKind.LEAVE, Reason.OPTED_OUT),
        address(3): (ChangeKind.LEAVE, Reason.SUPPRESSED),
        address(4): (ChangeKind.LEAVE, Reason.NEW_ADDRESS),
        "moved@example.com": (ChangeKind.JOIN, ""),
        address(5): (ChangeKind.LEAVE, Reason.DELETED),
        address(6): (ChangeKind.LEAVE, Reason.NO_MATCH),
        address(7): (ChangeKind.LEAVE, Reason.NO_MATCH),
        address(8): (ChangeKind.JOIN, ""),
        address(9): (ChangeKind.HELD_BACK, Reason.OPTED_OUT),
        address(10): (ChangeKind.HELD_BACK, Reason.SUPPRESSED),
        "ada@example": (ChangeKind.HELD_BACK, Reason.UNUSABLE_ADDRESS),
    }
    counted = (found.joins, found.leaves, found.changes_planned, found.held_back)
    assert counted == (2, 6, 1, 3)
    assert (found.users_count, found.audience_count, found.list_count_before) == (4, 9, 8)
    assert outcomes(found) == {Outcome.PENDING: 9, Outcome.HELD_BACK: 3}


def test_address_that_another_person_has_now_stays_on_the_list_with_their_data(brevo, segment):
    women(1)
    sync(segment)
    User.objects.all().delete()
    women(1, last_name="Hopper")

    export = sync(segment)

    assert lines(export) == {address(1): (ChangeKind.CHANGE, "")}
    assert brevo.contact(address(1))["attributes"]["LASTNAME"] == "Hopper"
    assert plan(segment).changes.count() == 0


def test_everybody_joins_when_the_list_is_gone(brevo, segment):
    women(1, 2)
    sync(segment)
    forget_list(brevo, segment)

    found = plan(segment)

    assert lines(found) == {address(n): (ChangeKind.JOIN, "") for n in (1, 2)}
    assert (found.list_was_gone, found.list_count_before) == (True, 0)
    assert ledger(segment) == addresses(1, 2), "a plan changes nothing"


def forget_list(brevo, segment) -> None:
    with brevo.store.writing() as store:
        store.execute("DELETE FROM list WHERE id = ?", [segment.brevo_list_id])
        store.execute("DELETE FROM member WHERE list_id = ?", [segment.brevo_list_id])


# What it costs


def test_plan_costs_as_many_queries_for_three_hundred_as_for_three(brevo):
    def cost(segment: Segment, *numbers: int) -> int:
        people = women(*numbers, state=segment.name)
        User.objects.filter(pk__in=[person.pk for person in people[::3]]).update(
            marketing_consent=Consent.OPTED_OUT
        )
        export = SegmentExport.objects.create(segment=segment)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            write_plan(export, segment, list_was_gone=False)
        assert export.changes.count() == len(numbers)
        return len(queries)

    few = cost(make_segment(name="Few", states=["Few"]), *range(3))
    many = cost(make_segment(name="Many", states=["Many"]), *range(1000, 1300))
    assert few == many <= 10


def test_plan_sends_nothing_and_leaves_the_ledger_alone(brevo, segment):
    women(1, 2)
    sync(segment)
    User.objects.filter(email_key=address(1)).delete()
    women(3)
    brevo.clear_requests()

    assert plan(segment).status == ExportStatus.PLANNED

    assert {method for method, _, _ in brevo.requests} == {"GET"}
    assert ledger(segment) == addresses(1, 2)


def test_plan_is_made_while_brevo_is_out_of_reach(settings, segment, monkeypatch):
    women(1)
    monkeypatch.setattr("campaigns.brevo.transport.Transport.MAX_ATTEMPTS", 1)
    settings.BREVO_API_URL = "http://127.0.0.1:9"

    assert lines(plan(segment)) == {address(1): (ChangeKind.JOIN, "")}


# Its digest


def test_digest_is_the_same_until_something_moves(brevo, segment):
    women(*range(4))
    sync(segment)
    women(4, 5)
    alter(1, first_name="Grace")
    User.objects.filter(email_key=address(0)).delete()
    digests = [plan(segment).plan_digest, plan(segment).plan_digest]
    assert len(set(digests)) == 1

    women(6)
    digests.append(plan(segment).plan_digest)
    alter(1, first_name="Hedy")
    digests.append(plan(segment).plan_digest)
    User.objects.filter(email_key=address(2)).delete()
    digests.append(plan(segment).plan_digest)
    alter(4, marketing_consent=Consent.OPTED_OUT)
    digests.append(plan(segment).plan_digest)

    assert len(set(digests)) == 5


# Nothing but it is performed


def test_plan_that_still_holds_is_applied_as_it_was_looked_at(brevo, segment):
    women(1, 2)
    found = plan(segment)
    looked_at = lines(found)

    ended = applied(found)

    assert (ended.pk, ended.status, ended.added) == (found.pk, ExportStatus.SUCCESS, 2)
    assert lines(ended) == looked_at
    assert brevo.members(segment.brevo_list_id) == addresses(1, 2)
    assert SegmentExport.objects.count() == 1


def test_plan_that_moved_is_refused_with_how_far_and_with_the_new_plan(brevo, segment):
    women(1, 2)
    found = plan(segment)
    User.objects.filter(email_key=address(1)).delete()
    women(3, 4)
    brevo.clear_requests()

    ended = applied(found)

    new = SegmentExport.objects.exclude(pk=found.pk).get()
    assert ended.status == ExportStatus.FAILED
    assert ended.error_message == (
        "The audience or its list changed since this plan was made: 1 of its lines no longer hold, "
        "and 2 are new. "
        f"Nothing was sent. Look at export {new.pk}, which holds the plan as of now."
    )
    assert {method for method, _, _ in brevo.requests} == {"GET"}
    assert (new.status, lines(new).keys()) == (ExportStatus.PLANNED, addresses(2, 3, 4))
    assert applied(new).added == 3


def test_plan_kept_at_a_refusal_is_refused_too_when_it_moves_again(brevo, segment):
    women(1)
    found = plan(segment)
    women(2)
    applied(found)
    kept = SegmentExport.objects.exclude(pk=found.pk).get()
    looked_at = lines(kept)
    women(3)

    ended = applied(kept)

    assert ended.status == ExportStatus.FAILED
    assert lines(ended) == looked_at
    assert brevo.members(segment.brevo_list_id) == set()


def test_definition_that_changed_without_moving_anybody_refuses_the_plan(segment):
    women(1)
    found = plan(segment)
    segment.gender = [Gender.FEMALE.value, Gender.MALE.value]
    segment.save()

    assert applied(found).error_message.startswith("The definition changed since this plan")


def test_segment_that_broke_since_refuses_the_plan_and_keeps_no_empty_one(segment):
    women(1)
    found = plan(segment)
    Segment.objects.filter(pk=segment.pk).update(definition=definition(gender=[]))

    ended = applied(found)

    assert (ended.status, "is broken" in ended.error_message) == (ExportStatus.FAILED, True)
    assert SegmentExport.objects.count() == 1


def test_plan_made_while_the_list_was_gone_is_refused_once_there_is_one_again(brevo, segment):
    women(1, 2)
    sync(segment)
    forget_list(brevo, segment)
    found = plan(segment)
    sync(segment)

    ended = applied(found)

    segment.refresh_from_db()
    assert ended.status == ExportStatus.FAILED
    assert list(brevo.lists()) == [segment.brevo_list_id]
    assert brevo.members(segment.brevo_list_id) == addresses(1, 2)


def test_plan_is_refused_once_the_list_it_was_made_for_is_gone(brevo, segment):
    women(1, 2)
    sync(segment)
    women(3)
    found = plan(segment)
    forget_list(brevo, segment)

    ended = applied(found)

    assert (ended.status, brevo.lists()) == (ExportStatus.FAILED, {})
    assert sync(segment).status == ExportStatus.SUCCESS
