from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.enums import Consent, Gender
from accounts.models import User
from campaigns.errors import HistoryForgotten
from campaigns.models import ListMember, Segment, SegmentExport
from campaigns.sync import history
from campaigns.sync.history import Why, between, forget_before
from campaigns.sync.pruning import prune
from campaigns.sync.runs import request_sync, run_export
from tests.factories import make_segment_unsaved, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment(brevo) -> Segment:
    segment = make_segment_unsaved(name="Women in Lagos", gender=[Gender.FEMALE.value])
    segment.save()
    return segment


def woman(name: str, **fields) -> User:
    return make_user(email=f"{name}@example.com", gender=Gender.FEMALE, **fields)


def sync(segment) -> SegmentExport:
    return run_export(request_sync(segment).pk)


def alter(user, **fields) -> None:
    for name, value in fields.items():
        setattr(user, name, value)
    user.save()


def members_at(segment, moment):
    return history.members_at(ListMember.objects.filter(segment=segment), moment)


def joined(older, newer) -> dict[str, Why]:
    difference = between(older, newer)
    members = list(difference.joined().order_by("pk"))
    return {move.member.email.split("@")[0]: move.why for move in difference.told_joined(members)}


def left(older, newer) -> dict[str, Why]:
    difference = between(older, newer)
    members = list(difference.left().order_by("pk"))
    return {move.member.email.split("@")[0]: move.why for move in difference.told_left(members)}


def test_runs_of_two_segments_cannot_be_compared(brevo, segment) -> None:
    other = make_segment_unsaved()
    other.save()

    with pytest.raises(ValueError, match="one segment"):
        between(sync(segment), sync(other))


def test_runs_of_deleted_segments_cannot_be_compared() -> None:
    older, newer = (SegmentExport.objects.create(segment_name="Gone") for _ in range(2))

    with pytest.raises(ValueError, match="one segment"):
        between(older, newer)


def test_members_at_a_moment_are_those_who_had_come_and_not_yet_gone(segment) -> None:
    ada, beth = woman("ada"), woman("beth")
    nobody_yet = timezone.now()
    sync(segment)
    both = timezone.now()
    alter(ada, gender=Gender.MALE)
    sync(segment)

    assert not members_at(segment, nobody_yet).exists()
    assert {member.user_id for member in members_at(segment, both)} == {ada.pk, beth.pk}
    assert {member.user_id for member in members_at(segment, timezone.now())} == {beth.pk}


def test_nothing_differs_between_a_run_and_itself(segment) -> None:
    woman("ada")
    export = sync(segment)

    assert joined(export, export) == {}
    assert left(export, export) == {}


def test_reason_is_the_data_when_only_that_changed(segment) -> None:
    ada, beth = woman("ada"), make_user(email="beth@example.com")
    older = sync(segment)
    alter(ada, gender=Gender.MALE)
    alter(beth, gender=Gender.FEMALE)
    newer = sync(segment)

    assert joined(older, newer) == {"beth": Why.DATA}
    assert left(older, newer) == {"ada": Why.DATA}


def test_reason_is_the_definition_in_the_first_run_with_a_new_one_only(segment) -> None:
    woman("ada")
    make_user(email="bob@example.com", gender=Gender.MALE)
    first = sync(segment)
    alter(segment, gender=[Gender.MALE.value])
    second = sync(segment)
    make_user(email="carl@example.com", gender=Gender.MALE)
    third = sync(segment)

    assert joined(first, second) == {"bob": Why.DEFINITION}
    assert left(first, third) == {"ada": Why.DEFINITION}
    assert joined(first, third) == {"bob": Why.DEFINITION, "carl": Why.DATA}


def test_reason_is_consent_for_whoever_withdrew_or_gave_it(segment) -> None:
    ada = woman("ada")
    beth = woman("beth", marketing_consent=Consent.OPTED_OUT)
    older = sync(segment)
    alter(ada, marketing_consent=Consent.OPTED_OUT)
    alter(beth, marketing_consent=Consent.OPTED_IN)
    newer = sync(segment)

    assert joined(older, newer) == {"beth": Why.CONSENT}
    assert left(older, newer) == {"ada": Why.CONSENT}


def test_consent_is_the_reason_even_when_the_definition_changed_too(segment) -> None:
    ada = woman("ada", country="NG")
    older = sync(segment)
    alter(ada, marketing_consent=Consent.OPTED_OUT)
    alter(segment, countries=["NG"])
    newer = sync(segment)

    assert left(older, newer) == {"ada": Why.CONSENT}


def test_reason_is_the_new_address_on_both_sides(segment) -> None:
    ada = woman("ada")
    older = sync(segment)
    alter(ada, email="ada.new@example.com")
    newer = sync(segment)

    assert joined(older, newer) == {"ada.new": Why.NEW_ADDRESS}
    assert left(older, newer) == {"ada": Why.NEW_ADDRESS}


def test_reason_of_a_deleted_person_is_that(segment) -> None:
    ada = woman("ada")
    older = sync(segment)
    ada.delete()
    newer = sync(segment)

    assert left(older, newer) == {"ada": Why.DELETED}


def test_everybody_came_with_the_first_run(segment) -> None:
    plan = run_export(request_sync(segment, plan_only=True).pk)
    woman("ada")
    newer = sync(segment)

    assert joined(plan, newer) == {"ada": Why.FIRST_RUN}


def test_whoever_went_and_came_back_is_in_neither(segment) -> None:
    ada = woman("ada")
    first = sync(segment)
    alter(ada, gender=Gender.MALE)
    sync(segment)
    alter(ada, gender=Gender.FEMALE)
    third = sync(segment)

    assert joined(first, third) == {}
    assert left(first, third) == {}
    assert ListMember.objects.filter(segment=segment).count() == 2


def test_whoever_came_and_went_between_is_in_neither(segment) -> None:
    first = sync(segment)
    ada = woman("ada")
    sync(segment)
    alter(ada, gender=Gender.MALE)
    third = sync(segment)

    assert joined(first, third) == {}
    assert left(first, third) == {}


def test_reason_is_unknown_once_the_lines_were_cleared_away(segment) -> None:
    ada = woman("ada")
    older = sync(segment)
    alter(ada, gender=Gender.MALE)
    newer = sync(segment)
    newer.changes.all().delete()

    assert left(older, newer) == {"ada": Why.UNKNOWN}


@pytest.mark.parametrize("number", [1, 12])
def test_telling_reasons_costs_the_same_for_one_and_for_many(
    segment, django_assert_num_queries, number
) -> None:
    people = [woman(f"stays{i}") for i in range(number)]
    older = sync(segment)
    for i, person in enumerate(people):
        alter(person, gender=Gender.MALE)
        woman(f"comes{i}")
    newer = sync(segment)
    difference = between(older, newer)
    came, went = list(difference.joined()), list(difference.left())

    with django_assert_num_queries(3):
        assert len(difference.told_joined(came)) == number
    with django_assert_num_queries(2):
        assert len(difference.told_left(went)) == number


def test_who_was_on_the_list_before_stays_were_deleted_is_refused_and_not_told_wrongly(segment):
    ada = woman("ada")
    older = sync(segment)
    both = timezone.now()
    alter(ada, gender=Gender.MALE)
    newer = sync(segment)
    prune(timezone.now(), lambda _: None)
    newest = sync(segment)

    with pytest.raises(HistoryForgotten, match="is not known any more"):
        members_at(segment, both)
    with pytest.raises(HistoryForgotten, match="is not known any more"):
        between(older, newer)
    assert not members_at(segment, timezone.now()).exists()
    assert left(newest, newest) == {}


def test_what_is_known_is_told_after_a_pruning_that_found_no_stay(segment):
    woman("ada")
    sync(segment)
    there = timezone.now()

    prune(timezone.now(), lambda _: None)

    assert members_at(segment, there).count() == 1


def test_pruning_less_the_next_time_does_not_bring_back_what_is_gone(segment):
    ada = woman("ada")
    sync(segment)
    there = timezone.now()
    alter(ada, gender=Gender.MALE)
    sync(segment)
    prune(timezone.now(), lambda _: None)

    forget_before(there - timedelta(days=1))

    with pytest.raises(HistoryForgotten):
        members_at(segment, there)
