"""Staff correct addresses at Brevo: the person stays the same, and one, under whichever address."""

import pytest

from accounts.enums import Consent, Gender
from accounts.models import User
from campaigns.audience.mailable import mailable
from campaigns.enums import ExportStatus
from campaigns.enums import SuppressionReason as Why
from campaigns.enums import SuppressionSource as Source
from campaigns.models import ListMember, Suppression
from campaigns.sync import sending
from campaigns.sync.gateway import connect
from campaigns.sync.reconciling import reconcile
from campaigns.sync.suppressing import lift_deletions, suppress
from tests.campaigns.sync.scenes import (
    address,
    addresses,
    alter,
    ledger,
    make_segment_of_women,
    outcomes,
    sync,
    women,
)
from tests.factories import is_mailable, make_user

pytestmark = pytest.mark.django_db

NEW = "ada.new@example.com"


@pytest.fixture
def segment(brevo):
    segment = make_segment_of_women()
    women(1, 2, 3)
    sync(segment)
    return segment


def members(brevo, segment) -> set[str]:
    return brevo.members(segment.brevo_list_id)


def stay(number: int = 1) -> ListMember:
    return ListMember.objects.current().get(email=address(number))


def allow_again() -> None:
    """What staff do when a contact is gone from Brevo and its person did not say no."""
    assert lift_deletions(Suppression.objects.all()) == 1


def learn_it(segment) -> None:
    """What any run does that reads the list back."""
    assert sync(segment).status == ExportStatus.SUCCESS


# The id


def test_reading_the_list_back_keeps_the_ids(brevo, segment):
    for number in (1, 2, 3):
        assert stay(number).contact_id == brevo.contact(address(number))["id"]


def test_id_is_kept_of_a_contact_that_was_made_alone(brevo, segment):
    women(4)

    sync(segment, verify_level="OFF")

    assert stay(4).contact_id == brevo.contact(address(4))["id"]


def test_reconciliation_keeps_the_ids_of_whom_it_reads(brevo, segment):
    ListMember.objects.update(contact_id=None)

    reconcile(connect())

    assert stay(1).contact_id == brevo.contact(address(1))["id"]


def test_ids_are_kept_of_whom_the_list_shows_after_a_lost_answer(brevo, segment, monkeypatch):
    monkeypatch.setattr(sending, "_HANDFUL", 0)
    women(4, 5)
    brevo.fault("drop-after@POST /contacts/import*1")

    sync(segment, verify_level="OFF")

    assert stay(4).contact_id == brevo.contact(address(4))["id"]


def test_contact_made_anew_under_the_same_address_has_its_new_id(brevo, segment):
    before = stay().contact_id
    brevo.delete_contact(address(1))

    sync(segment)
    allow_again()
    sync(segment)

    assert stay().contact_id == brevo.contact(address(1))["id"] != before


# Another address at Brevo


def test_corrected_address_is_neither_missing_nor_held_by_others(brevo, segment):
    brevo.correct_address(address(1), NEW)

    export = sync(segment)

    proof = export.proof
    assert export.status == ExportStatus.SUCCESS
    assert (proof["missing"], proof["unexpected"], proof["held_by_others"]) == (0, 0, 0)
    assert proof["other_address"] == 1
    assert proof["names"]["other_address"] == [f"{address(1)} → {NEW}"]
    assert stay().email_at_brevo == NEW


def test_corrected_contact_is_not_made_anew_when_data_change(brevo, segment):
    brevo.correct_address(address(1), NEW)
    learn_it(segment)
    alter(1, first_name="Grace")

    export = sync(segment)

    assert export.status == ExportStatus.SUCCESS
    assert brevo.contact(address(1)) is None
    assert members(brevo, segment) == {NEW, *addresses(2, 3)}


def test_address_corrected_back_is_told_what_was_left_out(brevo, segment):
    brevo.correct_address(address(1), NEW)
    learn_it(segment)
    alter(1, first_name="Grace")
    sync(segment)
    brevo.correct_address(NEW, address(1))

    learn_it(segment)
    sync(segment)

    assert stay().email_at_brevo == ""
    assert brevo.contact(address(1))["attributes"]["FIRSTNAME"] == "Grace"


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("level", ["AUTO", "COUNT", "OFF"])
@pytest.mark.parametrize("how", ["opts out", "leaves the audience", "is deleted", "is suppressed"])
def test_whoever_goes_leaves_the_list_under_whatever_address(brevo, segment, how, level, learned):
    brevo.correct_address(address(1), NEW)
    if learned:
        learn_it(segment)
    if how == "opts out":
        alter(1, marketing_consent=Consent.OPTED_OUT)
    elif how == "leaves the audience":
        alter(1, gender=Gender.MALE)
    elif how == "is deleted":
        User.objects.get(email_key=address(1)).delete()
    else:
        suppress(address(1), Why.UNSUBSCRIBED, Source.WEBHOOK)

    export = sync(segment, verify_level=level)

    assert (export.status, export.removed) == (ExportStatus.SUCCESS, 1)
    assert members(brevo, segment) == addresses(2, 3)


def test_contact_that_a_removal_left_under_another_address_is_removed_again(brevo, segment):
    """As it does when whoever took it off did not know the id yet."""
    contact_id = stay().contact_id
    alter(1, marketing_consent=Consent.OPTED_OUT)
    brevo.correct_address(address(1), NEW)
    ListMember.objects.update(contact_id=None)
    sync(segment, verify_level="OFF")
    assert NEW in members(brevo, segment)
    ListMember.objects.filter(email=address(1)).update(contact_id=contact_id)
    ended = ListMember.objects.get(email=address(1))
    ended.removed_at, ended.removed_by = None, None
    ended.save()

    sync(segment)

    assert NEW not in members(brevo, segment)


def test_contact_on_the_list_twice_stays_once_under_the_address_of_brevo(brevo, segment):
    """A change of data made it anew, before we knew that the address had been corrected."""
    brevo.correct_address(address(1), NEW)
    alter(1, first_name="Grace")

    export = sync(segment)

    assert export.status == ExportStatus.SUCCESS
    assert members(brevo, segment) == {NEW, *addresses(2, 3)}
    assert export.proof["on_list"] == 3
    learn_it(segment)
    assert members(brevo, segment) == {NEW, *addresses(2, 3)}


@pytest.mark.parametrize("level", ["COUNT", "OFF"])
def test_whoever_is_on_the_list_twice_leaves_it_twice(brevo, segment, level):
    brevo.correct_address(address(1), NEW)
    alter(1, first_name="Grace")
    sync(segment, verify_level=level)
    assert {NEW, address(1)} <= members(brevo, segment)
    alter(1, marketing_consent=Consent.OPTED_OUT)

    export = sync(segment, verify_level=level)

    assert export.status == ExportStatus.SUCCESS
    assert members(brevo, segment) == addresses(2, 3)


def test_corrected_contact_that_is_gone_from_the_list_is_missing_and_sent_again(brevo, segment):
    brevo.correct_address(address(1), NEW)
    learn_it(segment)
    connect().remove_from_list(segment.brevo_list_id, [NEW])

    first, second, third = sync(segment), sync(segment), sync(segment)

    assert first.proof["names"]["missing"] == [address(1)]
    assert (second.status, second.updated) == (ExportStatus.SUCCESS, 1)
    assert (third.status, third.updated) == (ExportStatus.SUCCESS, 0)
    assert members(brevo, segment) == addresses(1, 2, 3)


# The address changes here, too


def test_same_address_here_makes_it_one_contact_again(brevo, segment):
    brevo.correct_address(address(1), NEW)
    learn_it(segment)
    alter(1, email=NEW, first_name="Grace")

    export = sync(segment)

    assert export.status == ExportStatus.SUCCESS
    assert members(brevo, segment) == {NEW, *addresses(2, 3)} == ledger(segment)
    assert export.proof["other_address"] == 0
    assert brevo.contact(NEW)["attributes"]["FIRSTNAME"] == "Grace"
    member = ListMember.objects.current().get(email=NEW)
    assert member.contact_id == brevo.contact(NEW)["id"]


@pytest.mark.parametrize("learned", [True, False])
def test_third_address_here_leaves_and_joins(brevo, segment, learned):
    brevo.correct_address(address(1), NEW)
    if learned:
        learn_it(segment)
    alter(1, email=address(4))

    export = sync(segment)

    assert export.status == ExportStatus.SUCCESS
    assert members(brevo, segment) == addresses(2, 3, 4)


@pytest.mark.parametrize("learned", [True, False])
def test_old_address_of_somebody_else_now_is_a_contact_of_its_own(brevo, segment, learned):
    brevo.correct_address(address(1), NEW)
    if learned:
        learn_it(segment)
    alter(1, email=address(4), gender=Gender.MALE)
    women(1)

    sync(segment)
    learn_it(segment)

    assert members(brevo, segment) == addresses(1, 2, 3)


def test_contact_corrected_to_the_address_of_another_member_is_that_member_s(brevo, segment):
    brevo.delete_contact(address(2))
    brevo.correct_address(address(1), address(2))

    sync(segment)
    allow_again()
    learn_it(segment)
    alter(1, marketing_consent=Consent.OPTED_OUT)
    learn_it(segment)

    assert members(brevo, segment) == addresses(2, 3)
    assert stay(2).contact_id == brevo.contact(address(2))["id"]


def test_contact_of_somebody_who_joins_under_its_new_address_is_theirs(brevo, segment):
    brevo.correct_address(address(1), address(4))
    learn_it(segment)
    women(4)
    sync(segment)
    learn_it(segment)
    alter(1, marketing_consent=Consent.OPTED_OUT)

    learn_it(segment)

    assert members(brevo, segment) == addresses(2, 3, 4)


# Who said no is held back under every address


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("reason", [Why.UNSUBSCRIBED, Why.COMPLAINED, Why.BOUNCED])
def test_what_is_said_of_the_address_at_brevo_reaches_the_person(brevo, segment, reason, learned):
    brevo.correct_address(address(1), NEW)
    if learned:
        learn_it(segment)
    suppress(NEW, reason, Source.WEBHOOK)

    sync(segment)
    export = sync(segment)

    ada = User.objects.get(email_key=address(1))
    assert not is_mailable(ada)
    assert ada not in mailable(User.objects.all())
    assert members(brevo, segment) == addresses(2, 3)
    assert export.status == ExportStatus.SUCCESS


def test_what_a_person_said_follows_them_from_the_address_at_brevo_to_their_next(brevo, segment):
    brevo.correct_address(address(1), NEW)
    learn_it(segment)
    suppress(NEW, Why.UNSUBSCRIBED, Source.WEBHOOK)
    alter(1, email=address(4))

    sync(segment)

    assert Suppression.objects.get().user == User.objects.get(email_key=address(4))
    assert members(brevo, segment) == addresses(2, 3)


def test_what_was_said_before_the_address_was_known_follows_the_person_too(brevo, segment):
    suppress(NEW, Why.UNSUBSCRIBED, Source.WEBHOOK)
    brevo.correct_address(address(1), NEW)

    sync(segment)
    sync(segment)
    alter(1, email=address(4))
    sync(segment)

    assert Suppression.objects.get().user == User.objects.get(email_key=address(4))
    assert members(brevo, segment) == addresses(2, 3)


def test_block_under_another_address_reaches_the_person_by_reconciliation(brevo, segment):
    brevo.correct_address(address(1), NEW)
    brevo.block(NEW)

    reconcile(connect())

    assert Suppression.objects.get().user == User.objects.get(email_key=address(1))
    sync(segment)
    assert members(brevo, segment) == addresses(2, 3)


def test_block_under_another_address_reaches_the_person_by_reading_the_list(brevo, segment):
    brevo.correct_address(address(1), NEW)
    brevo.block(NEW)

    sync(segment)
    sync(segment)

    assert Suppression.objects.get().user == User.objects.get(email_key=address(1))
    assert members(brevo, segment) == addresses(2, 3)


def test_block_of_somebody_who_has_left_the_list_reaches_them_under_another_address(brevo, segment):
    alter(1, gender=Gender.MALE)
    sync(segment)
    brevo.correct_address(address(1), NEW)
    brevo.block(NEW)

    reconcile(connect())
    alter(1, gender=Gender.FEMALE)
    sync(segment)

    assert members(brevo, segment) == addresses(2, 3)


def test_contact_with_the_address_of_somebody_who_opted_out_here_leaves_the_list(brevo, segment):
    make_user(email=NEW, marketing_consent=Consent.OPTED_OUT)
    brevo.correct_address(address(1), NEW)

    sync(segment)
    sync(segment)

    assert members(brevo, segment) == addresses(2, 3)


def test_bounce_of_the_address_at_brevo_ends_when_it_is_corrected_again(brevo, segment):
    brevo.correct_address(address(1), NEW)
    learn_it(segment)
    suppress(NEW, Why.BOUNCED, Source.WEBHOOK)
    sync(segment)
    assert members(brevo, segment) == addresses(2, 3)
    brevo.correct_address(NEW, address(1))

    reconcile(connect())
    sync(segment)

    assert members(brevo, segment) == addresses(1, 2, 3)


# Merged at Brevo


def test_colleague_s_contact_that_ours_was_merged_into_stays(brevo, segment):
    brevo.put_on_list(segment.brevo_list_id, "colleague@example.com")
    brevo.merge_contacts(address(1), into="colleague@example.com")
    alter(1, marketing_consent=Consent.OPTED_OUT)

    export = sync(segment)

    assert export.status == ExportStatus.SUCCESS
    assert members(brevo, segment) == {"colleague@example.com", *addresses(2, 3)}


def test_ours_merged_into_another_contact_is_missing_and_sent_again_once_allowed(brevo, segment):
    """From outside it cannot be told from a contact that unsubscribed and was deleted."""
    brevo.merge_contacts(address(1), into="colleague@example.com")

    first = sync(segment)
    allow_again()
    second = sync(segment)

    assert first.proof["names"]["missing"] == [address(1)]
    assert first.proof["names"]["held_by_others"] == ["colleague@example.com"]
    assert second.status == ExportStatus.SUCCESS
    assert members(brevo, segment) == {"colleague@example.com", *addresses(1, 2, 3)}


def test_merged_contact_that_has_our_address_is_known_by_its_id(brevo, segment):
    brevo.merge_contacts(address(1), into="colleague@example.com")
    brevo.correct_address("colleague@example.com", address(1))

    sync(segment)
    allow_again()
    learn_it(segment)

    assert stay().contact_id == brevo.contact(address(1))["id"]


def test_two_of_ours_merged_into_one_are_two_again(brevo, segment):
    brevo.merge_contacts(address(1), into=address(2))

    sync(segment)
    allow_again()
    learn_it(segment)

    assert members(brevo, segment) == addresses(1, 2, 3)
    assert outcomes(sync(segment)) == {}


@pytest.mark.parametrize(("refusals", "status", "members"), [(1, "SUCCESS", 1), (99, "PARTIAL", 2)])
def test_contact_made_twice_is_taken_off_until_it_is_gone_or_the_sync_says_so(
    brevo, monkeypatch, refusals, status, members
):
    monkeypatch.setattr("campaigns.sync.work.Run.pause", lambda run, _: run.beat())
    segment = make_segment_of_women()
    women(1)
    sync(segment)
    brevo.correct_address(address(1), "ada1.new@example.com")
    alter(1, first_name="Grace")
    brevo.fault(f"no-contact*{refusals}")

    export = sync(segment)

    assert (export.status, len(brevo.members(segment.brevo_list_id))) == (status, members)
    assert ("twice, under two addresses" in export.error_message) == (status == "PARTIAL")
