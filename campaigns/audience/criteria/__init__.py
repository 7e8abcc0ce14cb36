"""The criteria that a segment's conditions may use."""

from campaigns.audience.criteria.criterion import Criterion, Verb
from campaigns.audience.criteria.operators import MAX_VALUES, Operator
from campaigns.audience.criteria.registered import REGISTERED
from campaigns.audience.criteria.values import Choice, Value

__all__ = ["CRITERIA", "MAX_VALUES", "Choice", "Criterion", "Operator", "Value", "Verb"]

CRITERIA: dict[str, Criterion] = {criterion.key: criterion for criterion in REGISTERED}
