"""Add the invented people and properties that the database does not have yet."""

import gc
from collections.abc import Iterator
from contextlib import closing, contextmanager

from django.db import reset_queries, transaction

from accounts.models import Partnership, User
from properties.models import Enrollment, Lead, Property
from sandbox.people.batches import PARTNER_AT, Batch, BatchMaker
from sandbox.people.estates import ESTATES
from sandbox.people.load import Row, analyze, new_ids
from sandbox.people.people import CLIENT, PARTNER, partnership_of, role_of
from sandbox.people.prefetch import prefetch

BATCH = 5_000
"""So many people share a transaction: all of a batch is there with its dealings, or nothing."""


class Demo:
    """The data of one seed. Seeding twice, or again after a kill, adds only what is missing."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._maker = BatchMaker(seed)
        self._fresh = False  # nobody of this seed is there: no need to look who is
        self._associates: dict[int, int] = {}  # the ids of agents and partners, by their numbers
        self._estates: list[int] = []

    def seed(self, users: int) -> Iterator[tuple[int, int]]:
        """Bring in properties and so many people; yield (looked at, added) step by step."""
        self._estates = seed_estates()
        self._associates = {}
        self._fresh = not User.objects.filter(email_key__contains=f".{self._seed}-").exists()
        with _uncollected():
            incomplete = []
            for batch in self._batches(users):
                if self._is_there(batch):
                    yield len(batch), 0
                else:
                    incomplete.append(batch)
            with closing(
                prefetch(lambda n: self._maker.make(incomplete[n]), len(incomplete))
            ) as made:
                for rows in made:
                    with transaction.atomic():
                        added = self._add_missing(rows)
                    reset_queries()  # with DEBUG on, Django keeps the texts of 9000 queries
                    yield len(rows.keys), added

    def finish(self) -> None:
        """Let the planner know of the new rows."""
        analyze(User, Partnership, Property, Enrollment, Lead)

    def _batches(self, users: int) -> list[range]:
        return [range(start, min(start + BATCH, users)) for start in range(0, users, BATCH)]

    def _is_there(self, numbers: range) -> bool:
        return not self._fresh and len(self._find(numbers, self._maker.keys(numbers))) == len(
            numbers
        )

    def _find(self, numbers: range, keys: list[str]) -> dict[int, int]:
        """Return the ids of those who are there, by their numbers."""
        number_of = dict(zip(keys, numbers, strict=True))
        found = User.objects.filter(email_key__in=keys).values_list("email_key", "pk")
        present = {number_of[key]: pk for key, pk in found}
        self._note_associates(present)
        return present

    def _note_associates(self, ids: dict[int, int]) -> None:
        self._associates |= {n: pk for n, pk in ids.items() if role_of(n) != CLIENT}

    def _add_missing(self, batch: Batch) -> int:
        present = {} if self._fresh else self._find(batch.numbers, batch.keys)
        missing = [number for number in batch.numbers if number not in present]
        if missing:
            ids = dict(zip(missing, new_ids(User, len(missing)), strict=True))
            self._note_associates(ids)
            self._load(batch, ids)
        return len(missing)

    def _load(self, batch: Batch, ids: dict[int, int]) -> None:
        """Write the rows of those who have a new id."""
        users = [batch.users[number - batch.numbers.start] for number in ids]
        for row, pk in zip(users, ids.values(), strict=True):
            row[0] = pk
            row[PARTNER_AT] = self._associate_id(row[PARTNER_AT])
        self._maker.users.insert(users)
        Partnership.objects.bulk_create(
            Partnership(partner_id=pk, status=status, suspended_at=suspended_at)
            for number, pk in ids.items()
            if role_of(number) == PARTNER
            for status, suspended_at in [partnership_of(number)]
        )
        self._maker.enrolments.insert(self._dealings(batch.enrolments, ids))
        self._maker.leads.insert(self._dealings(batch.leads, ids))

    def _dealings(self, rows: list[Row], ids: dict[int, int]) -> list[Row]:
        """Put ids where numbers stand, in the rows of those who have a new id."""
        return [
            [ids[person], self._estates[estate], self._associate_id(agent), *rest]
            for person, estate, agent, *rest in rows
            if person in ids
        ]

    def _associate_id(self, number: int | None) -> int | None:
        return None if number is None else self._associates[number]


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
