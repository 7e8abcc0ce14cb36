"""Bring the invented people and properties into the database, missing ones only."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import reset_queries, transaction

from accounts.models import Partnership, User
from accounts.text import fold_email
from properties.models import Enrollment, Lead, Property
from properties.seeding.estates import ESTATES
from properties.seeding.load import analyze, bulk_load, new_ids
from properties.seeding.people import CAST, PARTNER, Person, partnership_of, people

BATCH = 5_000
"""So many people share a transaction: all of a batch is there with its dealings, or nothing."""

_USER_COLUMNS = [
    "id",
    "email",
    "first_name",
    "last_name",
    "phone",
    "role",
    "gender",
    "country",
    "state",
    "referral_source",
    "referred_by_partner_id",
    "marketing_consent",
    "is_active",
    "date_joined",
    "updated_at",
    "password",
]
_ENROLMENT_COLUMNS = ["user_id", "property_id", "agent_id", "status", "amount", "enrolled_at"]
_LEAD_COLUMNS = ["client_id", "property_id", "status", "closed_by_id", "closed_at", "created_at"]


class Demo:
    """The data of one seed. Seeding twice, or again after a kill, adds only what is missing."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._cast: dict[int, int] = {}  # the ids of agents and partners, by their numbers
        self._estates: list[int] = []
        self._fresh = False  # nobody of this seed is there: no need to look who is
        self._password = make_password(None)

    def seed(self, users: int) -> Iterator[tuple[int, int]]:
        """Bring in properties and so many people; yield (looked at, added) after each batch."""
        self._estates = seed_estates()
        self._cast = {}
        self._fresh = not User.objects.filter(email_key__contains=f".{self._seed}-").exists()
        for start in range(0, users, BATCH):
            with _uncollected(), transaction.atomic():
                batch = list(people(self._seed, start, min(start + BATCH, users)))
                added = self._add_missing(batch)
            reset_queries()  # with DEBUG on, Django keeps the texts of the last 9000 queries
            yield len(batch), added

    def finish(self) -> None:
        """Let the planner know of the new rows."""
        analyze(User, Partnership, Property, Enrollment, Lead)

    def _add_missing(self, batch: Sequence[Person]) -> int:
        present = {} if self._fresh else self._ids_of(batch)
        missing = [person for person in batch if person.number not in present]
        fresh = new_ids(User, len(missing)) if missing else ()
        ids = dict(zip((person.number for person in missing), fresh, strict=True))
        both = present | ids
        self._cast |= {n: both[n] for n in both if n < CAST and n % 10 <= 1}
        if missing:
            self._load(missing, ids)
        return len(missing)

    @staticmethod
    def _ids_of(batch: Sequence[Person]) -> dict[int, int]:
        numbers = {fold_email(person.email): person.number for person in batch}
        found = User.objects.filter(email_key__in=list(numbers)).values_list("email_key", "pk")
        return {numbers[key]: pk for key, pk in found}

    def _load(self, persons: Sequence[Person], ids: dict[int, int]) -> None:
        bulk_load(User, _USER_COLUMNS, (self._user_row(p, ids[p.number]) for p in persons))
        Partnership.objects.bulk_create(
            Partnership(partner_id=ids[p.number], status=status, suspended_at=suspended_at)
            for p in persons
            if p.role == PARTNER
            for status, suspended_at in [partnership_of(p.number)]
        )
        bulk_load(
            Enrollment,
            _ENROLMENT_COLUMNS,
            (
                (ids[p.number], self._estates[e.estate], self._agent(e.agent), *e[2:])
                for p in persons
                for e in p.enrolments
            ),
        )
        bulk_load(
            Lead,
            _LEAD_COLUMNS,
            (
                (ids[p.number], self._estates[i.estate], i.status, self._agent(i.agent), *i[3:])
                for p in persons
                if (i := p.interest)
            ),
        )

    def _agent(self, number: int | None) -> int | None:
        return None if number is None else self._cast[number]

    def _user_row(self, person: Person, pk: int) -> tuple[Any, ...]:
        partner = None if person.partner is None else self._cast[person.partner]
        joined = person.joined
        return (
            pk,
            *person[1:10],
            partner,
            person.marketing_consent,
            person.is_active,
            joined,
            joined,
            self._password,
        )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Rows form no cycles: looking for cycles among them would take a fifth of the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def seed_estates() -> list[int]:
    """Bring in the properties that are missing; return the ids of all, in order."""
    Property.objects.bulk_create(
        (Property(name=e.name, city=e.city, country=e.country) for e in ESTATES),
        ignore_conflicts=True,
    )
    ids = dict(Property.objects.values_list("name", "pk"))
    return [ids[estate.name] for estate in ESTATES]
