"""The questions that a segment may ask of a customer."""

from django.core.exceptions import ImproperlyConfigured

from campaigns.audience.criteria.criterion import MAX_VALUES, Criterion, Verb
from campaigns.audience.criteria.registered import REGISTERED
from campaigns.audience.criteria.values import Choice, Kind, Value
from campaigns.models.segment import CRITERION_FIELDS

__all__ = ["CRITERIA", "MAX_VALUES", "Choice", "Criterion", "Kind", "Value", "Verb"]

CRITERIA: dict[str, Criterion] = {criterion.key: criterion for criterion in REGISTERED}

if sorted(criterion.key for criterion in REGISTERED) != sorted(CRITERION_FIELDS):
    raise ImproperlyConfigured(
        "Each field in CRITERION_FIELDS needs exactly one criterion: "
        f"the fields are {sorted(CRITERION_FIELDS)}, the criteria {sorted(CRITERIA)}."
    )
