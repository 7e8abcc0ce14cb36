from itertools import chain

import pytest
from django.core.validators import validate_email
from hypothesis import given
from hypothesis import strategies as st

from accounts.countries import country_names
from accounts.enums import Consent, Gender, PartnershipStatus
from accounts.text import dialable, is_usable_email
from properties.enums import EnrollmentStatus, LeadStatus
from sandbox.people.deals import LATEST
from sandbox.people.people import (
    AGENT,
    CLIENT,
    PARTNER,
    Person,
    partnership_of,
    people,
    role_of,
)


@pytest.fixture(scope="module")
def crowd() -> list[Person]:
    return list(people(1, 0, 4000))


def share(crowd, wanted) -> float:
    return sum(map(bool, map(wanted, crowd))) / len(crowd)


def test_another_seed_gives_other_people() -> None:
    first, second = people(1, 0, 50), people(2, 0, 50)

    assert not {person.email for person in first} & {person.email for person in second}


def test_data_of_a_seed_stay_as_they_are_for_ever(crowd) -> None:
    person = crowd[1234]

    assert (person.email, person.first_name, person.joined.isoformat()) == (
        "ibrahim.danjuma.1-1234@example.org",
        "Ibrahim",
        "2024-10-03T20:26:47+00:00",
    )


@given(st.integers(0, 3999), st.integers(1, 1500))
def test_people_do_not_depend_on_how_many_are_asked_for(crowd, start, count) -> None:
    stop = min(start + count, len(crowd))

    assert list(people(1, start, stop)) == crowd[start:stop]


def test_addresses_are_unique_and_lead_nowhere(crowd) -> None:
    addresses = [person.email.lower() for person in crowd]

    assert len(set(addresses)) == len(crowd)
    assert {address.rpartition("@")[2] for address in addresses} == {
        "example.com",
        "example.org",
        "agents.example",
        "partners.example",
    }


def test_a_few_addresses_are_unusable_and_nobody_needs_them_to_be(crowd) -> None:
    unusable = [person for person in crowd if not is_usable_email(person.email)]

    assert 0 < len(unusable) < 0.01 * len(crowd)
    assert {person.role for person in unusable} == {CLIENT}
    validate_email(crowd[0].email)


def test_most_phones_can_be_dialled_some_are_missing_some_are_wrong(crowd) -> None:
    assert 0.8 < share(crowd, lambda person: dialable(person.phone)) < 0.9
    assert 0.05 < share(crowd, lambda person: not person.phone) < 0.15


def test_everyone_is_something_that_the_models_know(crowd) -> None:
    assert {person.gender for person in crowd} == set(Gender)
    assert {person.marketing_consent for person in crowd} == set(Consent)
    assert {person.country for person in crowd} - {""} <= country_names().keys()
    assert max(len(person.phone) for person in crowd) <= 32


def test_states_are_spelt_in_several_ways(crowd) -> None:
    spellings = {p.state for p in crowd if p.state.split() and p.state.split()[0].lower() == "akwa"}

    assert spellings == {"Akwa Ibom", "akwa ibom", "AKWA IBOM", " Akwa Ibom ", "Akwa  Ibom"}


def test_few_opted_out_and_few_have_left(crowd) -> None:
    assert 0.02 < share(crowd, lambda person: person.marketing_consent == Consent.OPTED_OUT) < 0.08
    assert 0.01 < share(crowd, lambda person: not person.is_active) < 0.08


def test_roles_stand_where_they_can_be_counted_on(crowd) -> None:
    assert [role_of(number) for number in (0, 1, 2, 590, 591, 600, 601)] == [
        AGENT,
        PARTNER,
        CLIENT,
        AGENT,
        PARTNER,
        CLIENT,
        CLIENT,
    ]
    assert [person.role for person in crowd] == [role_of(number) for number in range(len(crowd))]


def test_people_speak_of_agents_and_partners_that_came_before_them(crowd) -> None:
    for person in crowd:
        agents = [deal.agent for deal in person.enrolments if deal.agent is not None]
        if person.interest and person.interest.agent is not None:
            agents.append(person.interest.agent)
        assert all(agent < person.number and role_of(agent) == AGENT for agent in agents)
        if person.partner is not None:
            assert person.partner < person.number
            assert role_of(person.partner) == PARTNER
            assert person.referral_source == "Partner"


def test_enrolments_are_none_to_three_of_every_status_after_joining(crowd) -> None:
    assert {len(person.enrolments) for person in crowd} == {0, 1, 2, 3}
    made = list(chain.from_iterable(person.enrolments for person in crowd))

    assert {deal.status for deal in made} == set(EnrollmentStatus)
    assert min(deal.amount for deal in made) > 0
    assert any(deal.agent is None for deal in made)
    assert all(
        person.joined <= deal.enrolled_at <= LATEST
        for person in crowd
        for deal in person.enrolments
    )
    assert (LATEST - min(deal.enrolled_at for deal in made)).days > 900


def test_closed_leads_alone_say_who_closed_them_and_when(crowd) -> None:
    leads = [person.interest for person in crowd if person.interest]

    assert {lead.status for lead in leads} == set(LeadStatus)
    for lead in leads:
        closed = lead.status == LeadStatus.CLOSED
        assert (lead.agent is not None, lead.closed_at is not None) == (closed, closed)
        assert not closed or lead.created_at <= lead.closed_at <= LATEST


def test_partnerships_have_every_status_and_some_are_suspended() -> None:
    deals = [partnership_of(number) for number in range(1, 600, 10)]

    assert deals[0] == (PartnershipStatus.APPROVED, None)
    assert {status for status, _ in deals} == set(PartnershipStatus)
    assert any(suspended_at for _, suspended_at in deals)
