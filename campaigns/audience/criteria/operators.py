"""What an operator is, and the two that compare with a list of values."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from accounts.models import User
from campaigns.audience.criteria.subjects import Answers, Subject
from campaigns.audience.criteria.values import Value, distinct
from campaigns.audience.criteria.wording import all_of, first_named, one_of

if TYPE_CHECKING:
    from campaigns.audience.criteria.criterion import Criterion

MAX_VALUES = 1000
Names = Mapping[Value, str]


class Operator(ABC):
    """How a condition compares its subject with its operand.

    ``parse`` takes anything; every other method takes the operand that ``parse`` returned, which
    is frozen. ``subject`` is always a ``takes``. ``form_input`` names the template of the form.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    form_input: ClassVar[str]
    takes: ClassVar[type[Subject]]

    @abstractmethod
    def parse(self, subject: Any, operand: Any) -> Any:
        """Return the operand as it is used; raise ValidationError naming value and remedy."""

    @abstractmethod
    def as_json(self, operand: Any) -> Any:
        """Return the operand as it is stored."""

    @abstractmethod
    def q(self, subject: Any, operand: Any) -> Q:
        """Match the users for whom the condition holds."""

    @abstractmethod
    def matches(self, subject: Any, user: User, operand: Any) -> bool:
        """Answer what ``q`` answers, from the user's loaded rows alone."""

    @abstractmethod
    def clause(self, criterion: "Criterion", operand: Any, names: Names) -> str:
        """Return the condition as it is said of customers: “live in Lagos or Abuja”."""

    @abstractmethod
    def in_words(self, operand: Any, names: Names) -> str:
        """Return the whole operand as a history shows it: “Nigeria, Ghana”."""

    @abstractmethod
    def fact(self, criterion: "Criterion", user: User, operand: Any) -> str:
        """Return what is true of the user: “lives in Abuja, not in Lagos”."""

    @abstractmethod
    def schema(self, subject: Any) -> dict[str, Any]:
        """Return the JSON schema of the operand."""

    def from_form(self, values: list[str]) -> Any:
        """Return the operand, not parsed yet, of the values that a form sent."""
        return values[0] if values else None

    def values(self, operand: Any) -> tuple[Value, ...]:  # noqa: ARG002 -- for lists of values
        """Return the operand's values that may be ids of rows."""
        return ()

    def subqueries(self, subject: Any, operand: Any) -> list[QuerySet[Any, Any]]:  # noqa: ARG002 -- for rows
        """Return subqueries of user ids that together say what ``q`` says, if there are."""
        return []


class ListOperator(Operator):
    """Compares with a list of values."""

    form_input = "values"
    takes = Answers

    def parse(self, subject: Answers, operand: Any) -> tuple[Value, ...]:
        if not isinstance(operand, list | tuple):
            raise ValidationError("write a list of values.", code="not_a_list")
        if len(operand) > MAX_VALUES:
            message = f"{len(operand)} values are too many: keep at most {MAX_VALUES}."
            raise ValidationError(message, code="too_many")
        if not operand:
            message = "choose at least one value, or remove the condition."
            raise ValidationError(message, code="no_values")
        cleaned, errors = [], []
        for value in operand:
            try:
                cleaned.append(subject.values.clean(value))
            except ValidationError as error:
                errors.append(error)
        if errors:
            raise ValidationError(errors)
        return tuple(distinct(cleaned, subject.values.same))

    def from_form(self, values: list[str]) -> Any:
        return values

    def as_json(self, operand: tuple[Value, ...]) -> list[Value]:
        return list(operand)

    def values(self, operand: tuple[Value, ...]) -> tuple[Value, ...]:
        return operand

    def in_words(self, operand: tuple[Value, ...], names: Names) -> str:
        return ", ".join(str(names[value]) for value in operand)

    def schema(self, subject: Answers) -> dict[str, Any]:
        items = subject.values.schema()
        return {"type": "array", "items": items, "minItems": 1, "maxItems": MAX_VALUES}

    def fact(self, criterion: "Criterion", user: User, operand: tuple[Value, ...]) -> str:
        subject, verb = criterion.answers, criterion.verb
        wanted = verb.towards(objects(operand, criterion.names(first_named(operand))))
        matching = subject.matching(user, operand)
        own = distinct(matching or subject.answers(user), subject.normalize)
        if not own:
            return self.without_answer(criterion, wanted)
        named = first_named(own)
        names = criterion.names(named)
        answers = all_of([names[answer] for answer in named], len(own) - len(named))
        fact = f"{verb.singular} {verb.towards(answers)}"
        return fact if matching else f"{fact}, not {wanted}"

    def without_answer(self, criterion: "Criterion", wanted: str) -> str:
        """Return what is true of a user without any answer."""
        return f"{criterion.verb.negative} {wanted}"


class AnyOf(ListOperator):
    key, label = "any_of", "is one of"

    def q(self, subject: Answers, operand: tuple[Value, ...]) -> Q:
        return subject.any_of(operand)

    def subqueries(self, subject: Answers, operand: tuple[Value, ...]) -> list[QuerySet[Any, Any]]:
        return subject.subqueries(operand)

    def matches(self, subject: Answers, user: User, operand: tuple[Value, ...]) -> bool:
        return bool(subject.matching(user, operand))

    def clause(self, criterion: "Criterion", operand: tuple[Value, ...], names: Names) -> str:
        verb = criterion.verb
        return f"{verb.plural} {verb.towards(objects(operand, names))}"


class NoneOf(ListOperator):
    key, label = "none_of", "is none of"

    def q(self, subject: Answers, operand: tuple[Value, ...]) -> Q:
        return subject.none_of(operand)

    def matches(self, subject: Answers, user: User, operand: tuple[Value, ...]) -> bool:
        is_known = bool(not subject.unknown or subject.answers(user))
        return is_known and not subject.matching(user, operand)

    def clause(self, criterion: "Criterion", operand: tuple[Value, ...], names: Names) -> str:
        verb = criterion.verb
        return f"{verb.plural_negative} {verb.towards(objects(operand, names))}"

    def without_answer(self, criterion: "Criterion", wanted: str) -> str:
        return criterion.answers.unknown or super().without_answer(criterion, wanted)


def objects(values: Sequence[Value], names: Names) -> str:
    """Return the values in words: “Lagos or Abuja”, “Lagos, Abuja or one of 9 others”."""
    named = first_named(values)
    return one_of([names[value] for value in named], len(values) - len(named))
