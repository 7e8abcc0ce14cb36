"""What a definition means, told while it is being edited and before it is saved."""

from dataclasses import dataclass, field

from django.db import DatabaseError
from django.http import HttpRequest

from accounts.models import User
from campaigns.admin.segment_builder import posted_definition, rows_posted, unfinished_in
from campaigns.audience.conditions import Definition
from campaigns.audience.explain import sentence
from campaigns.audience.mailable import with_held_reason
from campaigns.audience.named_rows import looked_up_once
from campaigns.audience.parsing import parse
from campaigns.audience.query_builder import audience
from campaigns.audience.sizes import Sizes, sizes_of
from campaigns.enums import Match, Reason
from campaigns.errors import SegmentBroken

SAMPLE = 10


@dataclass(frozen=True)
class Answer:
    """``sizes`` is None when nobody knows: nothing asked, a broken definition, a failed count."""

    is_empty: bool = False
    unfinished: list[str] = field(default_factory=list)  # conditions that are still empty
    sentence: str = ""
    problems: list[str] = field(default_factory=list)
    sizes: Sizes | None = None

    @property
    def held(self) -> list[tuple[str, int]]:
        counts = self.sizes.held if self.sizes else {}
        return [(str(reason.label), count) for reason, count in counts.items()]


def answer(request: HttpRequest) -> Answer:
    """Count the audience of the posted form: one aggregate query beside a few small ones."""
    if unfinished := unfinished_in(request.POST):
        return Answer(unfinished=unfinished)
    definition = parse(posted_definition(request.POST))
    if definition.is_empty:
        return Answer(is_empty=True)
    with looked_up_once():
        return _counted(definition)


def _counted(definition: Definition) -> Answer:
    told = sentence(definition)
    try:
        return Answer(sentence=told, sizes=sizes_of(definition))
    except SegmentBroken as broken:
        return Answer(sentence=told, problems=broken.problems)
    except DatabaseError:
        return Answer(sentence=told)


def match_count(request: HttpRequest) -> str:
    """Say how many customers match one row of the posted form, whatever the others say."""
    number = request.GET.get("row", "")
    rows = [inner for row in rows_posted(request.POST).rows for inner in (row, *row.rows)]
    row = next((row for row in rows if row.number == number), None)
    if row is None or not row.values:
        return ""
    try:
        people = audience({"match": Match.ALL, "conditions": [row.raw()]}).count()
    except SegmentBroken:
        return ""
    except DatabaseError:
        return "unknown"
    return f"{people:,} match"


@dataclass(frozen=True)
class Person:
    user: User
    why_not: str


def sample(request: HttpRequest) -> list[Person] | None:
    """Return a few people of the posted form's audience; None when nobody knows."""
    definition = parse(posted_definition(request.POST))
    try:
        people = list(with_held_reason(audience(definition))[:SAMPLE])
    except (SegmentBroken, DatabaseError):
        return None
    return [Person(user, why_not(user)) for user in people]


def why_not(user: User) -> str:
    """Return why an annotated user is held back, in words; "" for the mailable."""
    reason = getattr(user, "held_reason", "")
    return str(Reason(reason).label) if reason else ""
