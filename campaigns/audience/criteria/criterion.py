"""One question that a segment may ask, with all there is to know of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from accounts.models import User
from campaigns.audience.criteria.questions import Question
from campaigns.audience.criteria.values import Choice, Kind, Value, Values, distinct
from campaigns.audience.criteria.wording import all_of, one_of, spoken

MAX_VALUES = 1000


@dataclass(frozen=True, kw_only=True)
class Verb:
    """“lives in”: its forms, and the word that leads to the object."""

    singular: str
    plural: str
    negative: str
    to: str = ""

    def towards(self, thing: str) -> str:
        return f"{self.to} {thing}" if self.to else thing


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One question. ``key`` is the field of Segment that holds the list of values.

    ``clean`` takes anything; all the other methods take what ``clean`` returned.
    """

    key: str
    label: str
    help: str
    verb: Verb
    values: Values
    question: Question

    @property
    def kind(self) -> Kind:
        return self.values.kind

    def clean(self, values: Any) -> list[Any]:
        """Return the list as it is stored; raise ValidationError naming what to do about what."""
        if not isinstance(values, list | tuple):
            raise ValidationError(f"{self.label}: write a list of values.", code="not_a_list")
        if len(values) > MAX_VALUES:
            message = f"{self.label}: {len(values)} values are too many: keep at most {MAX_VALUES}."
            raise ValidationError(message, code="too_many")
        cleaned, errors = [], []
        for value in values:
            try:
                cleaned.append(self.values.clean(value))
            except ValidationError as error:
                message = f"{self.label}: {error.message}"
                errors.append(ValidationError(message, code=error.code))
        if errors:
            raise ValidationError(errors)
        return distinct(cleaned, self.values.same)

    def problems(self, values: Collection[Value]) -> list[str]:
        """Return a sentence for each value that can no longer be relied on, in one query."""
        return list(self.values.vanished(values).values())

    def q(self, values: Sequence[Value]) -> Q:
        """Match the users who fit one of the values."""
        return self.question.q(values)

    def matches(self, user: User, values: Sequence[Value]) -> bool:
        """Answer what ``q`` answers, from the user's loaded rows alone."""
        return bool(self.question.found(user, values))

    def choices(self) -> list[Choice] | None:
        """Return every (value, label), or None where only ``search`` can offer some."""
        return self.values.choices()

    def search(self, text: str, limit: int = 20) -> list[Choice]:
        """Return up to ``limit`` (value, label) that fit what somebody typed."""
        return self.values.search(text, limit)

    def names(self, values: Collection[Value], *, plural: bool = False) -> dict[Value, str]:
        """Return what people call each value, in one query at most."""
        return self.values.names(values, plural=plural)

    def describe(self, values: Sequence[Value]) -> str:
        """Return the question as a clause about one person: “lives in Lagos or Abuja”."""
        return f"{self.verb.singular} {self.verb.towards(self.objects(values))}"

    def objects(
        self,
        values: Sequence[Value],
        names: Mapping[Value, str] | None = None,
        *,
        plural: bool = False,
    ) -> str:
        """Return the values in words: “Lagos or Abuja”, “Lagos, Abuja or one of 9 others”."""
        named = spoken(values)
        known = self.names(named, plural=plural) if names is None else names
        return one_of([known[value] for value in named], len(values) - len(named))

    def fact(self, user: User, values: Sequence[Value]) -> str:
        """Return what is true of the user: “lives in Abuja, not in Lagos”."""
        asked = self.verb.towards(self.objects(values))
        found = self.question.found(user, values)
        own = distinct(found or self.question.own(user), self.question.form)
        if not own:
            return f"{self.verb.negative} {asked}"
        named = spoken(own)
        names = self.names(named)
        told = all_of([names[answer] for answer in named], len(own) - len(named))
        fact = f"{self.verb.singular} {self.verb.towards(told)}"
        return fact if found else f"{fact}, not {asked}"
