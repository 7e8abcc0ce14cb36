"""What a definition means, told while it is being edited and before it is saved."""

from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, QueryDict

from accounts.models import User
from campaigns.audience.criteria import CRITERIA
from campaigns.audience.definition import read
from campaigns.audience.explain import sentence
from campaigns.audience.mailable import with_held_reason
from campaigns.audience.query_builder import audience
from campaigns.audience.sizes import Sizes, sizes_of
from campaigns.enums import Match, Reason
from campaigns.errors import SegmentBroken

SAMPLE = 10


@dataclass(frozen=True)
class Answer:
    """``sizes`` is None when nobody knows: nothing asked, a broken definition, a failed count."""

    is_empty: bool = False
    sentence: str = ""
    problems: list[str] = field(default_factory=list)
    sizes: Sizes | None = None

    @property
    def held(self) -> list[tuple[str, int]]:
        counts = self.sizes.held if self.sizes else {}
        return [(str(reason.label), count) for reason, count in counts.items()]


def definition_of(form: QueryDict) -> dict[str, Any]:
    """Return the definition that an unsaved form describes."""
    asked = {key: form.getlist(key) for key in CRITERIA}
    return {"match": form.get("match", Match.ALL), **asked}


def answer(request: HttpRequest) -> Answer:
    """Count the audience of the posted form: one aggregate query beside a few small ones."""
    definition = definition_of(request.POST)
    if read(definition).is_empty:
        return Answer(is_empty=True)
    told = sentence(definition)
    try:
        return Answer(sentence=told, sizes=sizes_of(definition))
    except SegmentBroken as broken:
        return Answer(sentence=told, problems=broken.problems)
    except DatabaseError:
        return Answer(sentence=told)


@dataclass(frozen=True)
class Person:
    user: User
    why_not: str


def sample(request: HttpRequest) -> list[Person] | None:
    """Return a few people of the posted form's audience; None when nobody knows."""
    definition = definition_of(request.POST)
    try:
        people = list(with_held_reason(audience(definition))[:SAMPLE])
    except (SegmentBroken, DatabaseError):
        return None
    return [Person(user, why_not(user)) for user in people]


def why_not(user: User) -> str:
    """Return why an annotated user is held back, in words; "" for the mailable."""
    reason = getattr(user, "held_reason", "")
    return str(Reason(reason).label) if reason else ""
