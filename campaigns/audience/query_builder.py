"""From a definition to the one queryset that counting, listing, explaining and syncing share."""

from functools import reduce
from operator import and_, or_

from django.db.models import Q

from accounts.models import User, UserQuerySet
from campaigns.audience.criteria import CRITERIA
from campaigns.audience.criteria.questions import Related, in_any
from campaigns.audience.definition import Definition, Reading, problems, read
from campaigns.enums import Match
from campaigns.errors import SegmentBroken
from campaigns.models import Segment


class SegmentQueryBuilder:
    """Builds the audience of a segment (saved or not) or of a mapping like its ``definition``."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.reading = read(definition)

    def q(self) -> Q:
        """Return the criteria as one condition, without a query.

        Raises SegmentBroken when nothing is asked, or something cannot be understood: an empty
        condition would mean everyone.
        """
        if malformed := self.reading.malformed:
            raise SegmentBroken(self.reading.name, malformed)
        return _all_of(self.reading) if self.reading.match == Match.ALL else _any_of(self.reading)

    def problems(self) -> list[str]:
        """Return why the definition cannot be trusted: [] for a sound one."""
        return problems(self.definition)

    def audience(self) -> UserQuerySet:
        """Return the customers who match now, each once and in no order.

        Raises SegmentBroken when the definition cannot be trusted, naming every problem.
        """
        if found := self.problems():
            raise SegmentBroken(self.reading.name, found)
        customers: UserQuerySet = User.objects.customers()
        return customers.filter(self.q())


def audience(definition: Segment | Definition) -> UserQuerySet:
    """Return the customers whom the segment matches now; raises SegmentBroken."""
    return SegmentQueryBuilder(definition).audience()


def _all_of(reading: Reading) -> Q:
    return reduce(and_, (CRITERIA[key].q(values) for key, values in reading.asked.items()))


def _any_of(reading: Reading) -> Q:
    """Join by OR, with all that needs a subquery in one ``IN`` (see ``in_any``)."""
    columns, subqueries = [], []
    for key, values in reading.asked.items():
        question = CRITERIA[key].question
        if isinstance(question, Related):
            subqueries += question.user_ids(values)
        else:
            columns.append(question.q(values))
    if not subqueries:
        return reduce(or_, columns)
    if columns:
        subqueries.insert(0, User.objects.filter(reduce(or_, columns)).values("pk"))
    return in_any(subqueries)
