"""Rows of a batch of invented people, complete but for what only the database knows."""

from typing import NamedTuple

from django.contrib.auth.hashers import make_password

from accounts.models import User
from accounts.text import fold_email
from properties.models import Enrollment, Lead
from sandbox.people.load import Loader, Row
from sandbox.people.people import people

PARTNER_AT = 1
"""Where a user's row names the partner who referred them."""


class Batch(NamedTuple):
    """Users' rows lack their id; enrolments and leads begin with person, estate and agent.

    People and estates are named by their numbers.
    """

    numbers: range
    keys: list[str]
    users: list[Row]
    enrolments: list[Row]
    leads: list[Row]


class BatchMaker:
    """Makes the batches of one seed, and holds what inserts their rows."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._password = make_password(None)
        self.users = Loader(
            User,
            [
                *("id", "referred_by_partner_id", "email", "first_name", "last_name", "phone"),
                *("role", "gender", "country", "state", "referral_source", "marketing_consent"),
                *("is_active", "date_joined", "updated_at", "password"),
            ],
        )
        self.enrolments = Loader(
            Enrollment, ["user_id", "property_id", "agent_id", "status", "amount", "enrolled_at"]
        )
        self.leads = Loader(
            Lead,
            ["client_id", "property_id", "closed_by_id", "status", "closed_at", "created_at"],
        )

    def keys(self, numbers: range) -> list[str]:
        """Return the folded addresses of these people, which tell who is there already."""
        those = people(self._seed, numbers.start, numbers.stop)
        return [fold_email(person.email) for person in those]

    def make(self, numbers: range) -> Batch:
        batch = Batch(numbers, [], [], [], [])
        for person in people(self._seed, numbers.start, numbers.stop):
            number, email, *_, joined, enrolments, interest = person
            batch.keys.append(fold_email(email))
            batch.users.append(
                self.users.complete(
                    (None, person.partner, *person[1:10], *person[11:14], joined, self._password)
                )
            )
            batch.enrolments.extend(self.enrolments.complete((number, *e)) for e in enrolments)
            if interest:
                batch.leads.append(self.leads.complete((number, *interest)))
        return batch
