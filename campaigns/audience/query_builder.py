"""From a definition to the one queryset that counting, listing, explaining and syncing share."""

from django.db.models import Q

from accounts.models import User, UserQuerySet
from campaigns.audience.conditions import Definition
from campaigns.audience.definition import problems
from campaigns.audience.parsing import DefinitionSource, definition_of
from campaigns.errors import SegmentBroken


def condition_of(definition: Definition) -> Q:
    """Return the definition as one condition, without a query.

    Raises SegmentBroken when it has no conditions, or something in it cannot be understood: an
    empty condition would mean everyone.
    """
    if malformed := definition.malformed:
        raise SegmentBroken(definition.name, malformed)
    return definition.group.q()


def audience(described: DefinitionSource) -> UserQuerySet:
    """Return the customers who match now, each once and in no order.

    Raises SegmentBroken when the definition cannot be trusted, naming every problem.
    """
    definition = definition_of(described)
    if found := problems(definition):
        raise SegmentBroken(definition.name, found)
    customers: UserQuerySet = User.objects.customers()
    return customers.filter(condition_of(definition))
