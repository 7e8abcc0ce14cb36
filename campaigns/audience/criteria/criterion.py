"""What can be asked about a customer, with its words."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured, ValidationError

from campaigns.audience.criteria.operators import Operator
from campaigns.audience.criteria.subjects import Answers, Moment, Subject
from campaigns.audience.criteria.values import Choice, Value, Values


@dataclass(frozen=True, kw_only=True)
class Verb:
    """“lives in”: its forms, and the word that leads to the object."""

    singular: str
    plural: str
    negative: str
    plural_negative: str
    to: str = ""

    def towards(self, thing: str) -> str:
        return f"{self.to} {thing}" if self.to else thing


@dataclass(frozen=True, kw_only=True, eq=False)
class Criterion:
    """One thing that can be asked; ``group`` is the heading under which it is offered."""

    key: str
    label: str
    group: str
    help: str
    verb: Verb
    subject: Subject
    operators: tuple[Operator, ...]

    def __post_init__(self) -> None:
        for operator in self.operators:
            if not isinstance(self.subject, operator.takes):
                raise ImproperlyConfigured(
                    f"The operator {operator.key} of the criterion {self.key} takes "
                    f"{operator.takes.__name__}, not {type(self.subject).__name__}."
                )

    def operator(self, key: str) -> Operator | None:
        """Return the operator with this key, if the criterion takes it."""
        return next((operator for operator in self.operators if operator.key == key), None)

    def parse(self, operator: Operator, operand: Any) -> Any:
        """Return the operand as it is used; raise ValidationError that begins with the label."""
        try:
            return operator.parse(self.subject, operand)
        except ValidationError as error:
            told = [
                ValidationError(f"{self.label}: {one.message}", code=one.code)
                for one in error.error_list
            ]
            raise ValidationError(told) from error

    @property
    def answers(self) -> Answers:
        """The subject of a criterion with values."""
        return cast("Answers", self.subject)

    @property
    def moment(self) -> Moment:
        """The subject of a criterion about a date."""
        return cast("Moment", self.subject)

    @property
    def values(self) -> Values | None:
        """What may stand in its lists; None when it takes no lists."""
        return self.subject.values if isinstance(self.subject, Answers) else None

    @property
    def kind(self) -> str:
        """What its operands are, for programs that read the API."""
        return self.subject.kind

    def choices(self) -> list[Choice] | None:
        """Return every (value, label), or None where only ``search`` can offer some."""
        return self.values.choices() if self.values else None

    def search(self, text: str, limit: int = 20) -> list[Choice]:
        """Return up to ``limit`` (value, label) that fit what somebody typed."""
        return self.values.search(text, limit) if self.values else []

    def names(self, values: Collection[Any], *, plural: bool = False) -> dict[Value, str]:
        """Return what people call each value, in two queries at most."""
        kind = self.answers.values
        return kind.names(values, kind.look_up(values), plural=plural)
