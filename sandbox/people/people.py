"""Invented people: each follows from the seed and the person's number alone."""

import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from accounts.enums import Consent, Gender, PartnershipStatus, Role
from sandbox.people.deals import LATEST, Enrolment, Interest, enrolments, interest
from sandbox.people.estates import LIKELY
from sandbox.people.places import PLACES, SOURCES, Place
from sandbox.people.sampling import pick, random_for, weighted

BLOCK = 1_000
"""So many people share one random generator; no block needs another."""
ASSOCIATES_BELOW = 600
"""All agents and partners have smaller numbers: every tenth person, and the one after."""
THREE_YEARS = 3 * 365 * 86_400

AGENT, PARTNER, CLIENT = Role.AGENT.value, Role.PARTNER.value, Role.CLIENT.value
_FEMALE, _MALE = Gender.FEMALE.value, Gender.MALE.value
_GENDERS = weighted({_FEMALE: 49, _MALE: 46, Gender.PREFER_NOT_TO_SAY.value: 5})
_CONSENTS = weighted(
    {Consent.OPTED_IN.value: 62, Consent.UNKNOWN.value: 33, Consent.OPTED_OUT.value: 5}
)
_MAIL = weighted({"example.com": 70, "example.org": 24, "Example.com": 6})
_WORK_MAIL = {AGENT: "agents.example", PARTNER: "partners.example"}
_MISTYPED = 0.003
_REFERRED, _ACTIVE, _COUNTRY_KNOWN, _STATE_KNOWN, _COIN = 0.1, 0.96, 0.98, 0.95, 0.5
_NO_PHONE, _WITHOUT_PLUS, _CUT_OFF, _IN_GROUPS = 0.1, 0.14, 0.16, 0.3  # each adds to the last
_PARTNERSHIPS = (
    (PartnershipStatus.APPROVED, False),
    (PartnershipStatus.APPROVED, False),
    (PartnershipStatus.AWAITING_APPROVAL, False),
    (PartnershipStatus.APPROVED, False),
    (PartnershipStatus.REJECTED, False),
    (PartnershipStatus.APPROVED, True),
    (PartnershipStatus.NONE, False),
)


class Person(NamedTuple):
    """A person; ``partner`` and agents are named by their numbers."""

    number: int
    email: str
    first_name: str
    last_name: str
    phone: str
    role: str
    gender: str
    country: str
    state: str
    referral_source: str
    partner: int | None
    marketing_consent: str
    is_active: bool
    joined: datetime
    enrolments: list[Enrolment]
    interest: Interest | None


def role_of(number: int) -> str:
    if number >= ASSOCIATES_BELOW:
        return CLIENT
    return {0: AGENT, 1: PARTNER}.get(number % 10, CLIENT)


def partnership_of(number: int) -> tuple[PartnershipStatus, datetime | None]:
    """Return the status of this partner's deal, and since when it is suspended, if it is."""
    status, suspended = _PARTNERSHIPS[number // 10 % len(_PARTNERSHIPS)]
    return status, LATEST - timedelta(days=30 + number) if suspended else None


def people(seed: int, start: int, stop: int) -> Iterator[Person]:
    """Yield the people numbered from ``start`` up to but not including ``stop``."""
    for block in range(start // BLOCK, -(-stop // BLOCK)):
        random = random_for(seed, block)
        for number in range(block * BLOCK, min((block + 1) * BLOCK, stop)):
            person = _person(seed, number, random)
            if number >= start:
                yield person


def _person(seed: int, number: int, random: Random) -> Person:
    place, role, gender = pick(PLACES, random), role_of(number), pick(_GENDERS, random)
    as_woman = gender == _FEMALE or (gender != _MALE and random.random() < _COIN)
    first, last = pick(place.women if as_woman else place.men, random), pick(place.families, random)
    age = random.random() * THREE_YEARS
    known = min(number, ASSOCIATES_BELOW - 1) // 10 + 1  # as many agents and partners came before
    referred = role == CLIENT and random.random() < _REFERRED
    likely = LIKELY[place.code]
    return Person(
        number=number,
        email=_email(f"{_LETTERS[first]}.{_LETTERS[last]}", f"{seed}-{number}", role, random),
        first_name=first,
        last_name=last,
        phone=_phone(place, random),
        role=role,
        gender=gender,
        country=place.code if random.random() < _COUNTRY_KNOWN else "",
        state=pick(place.states, random) if random.random() < _STATE_KNOWN else "",
        referral_source="Partner" if referred else pick(SOURCES, random),
        partner=int(random.random() * known) * 10 + 1 if referred else None,
        marketing_consent=pick(_CONSENTS, random),
        is_active=number < ASSOCIATES_BELOW or random.random() < _ACTIVE,
        joined=LATEST - timedelta(seconds=int(age)),
        enrolments=[] if role == AGENT else enrolments(age, known, likely, random),
        interest=None if role == AGENT else interest(age, known, likely, random),
    )


def _email(name: str, tag: str, role: str, random: Random) -> str:
    """Return an address that is unique by its tag; a few cannot be mailed."""
    if role != CLIENT:
        return f"{name}.{tag}@{_WORK_MAIL[role]}"
    dots = ".." if random.random() < _MISTYPED else "."
    return f"{name}{dots}{tag}@{pick(_MAIL, random)}"


def _phone(place: Place, random: Random) -> str:
    chance, mobile = random.random(), pick(place.mobiles, random)
    if chance < _NO_PHONE:
        return ""
    rest = f"{int(random.random() * 10**place.digits):0{place.digits}d}"
    if chance < _WITHOUT_PLUS:
        return f"{mobile[1:]}{rest}"
    if chance < _CUT_OFF:
        return f"{mobile}{rest[:2]}"
    if chance < _IN_GROUPS:
        return f"{mobile[:-3]} {mobile[-3:]} {rest[:3]} {rest[3:]}"
    return f"{mobile}{rest}"


def _letters(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain.lower() if letter.isalpha())


_LETTERS = {
    name: _letters(name) for place in PLACES for name in (*place.women, *place.men, *place.families)
}
