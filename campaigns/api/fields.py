"""Fields that carry what was sent as it is: what it means is judged in one place, by
``campaigns.audience.definition``, for the admin, the API and a shell alike.
"""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from campaigns.api.schema.definition import DEFINITION
from campaigns.audience.criteria import CRITERIA, MAX_VALUES, Criterion
from campaigns.enums import Match


class AnyText(serializers.Field[Any, Any, Any, Any]):
    """A text that is judged elsewhere; the schema says what is allowed there."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "string", "minLength": 1, "maxLength": 150})
class NameField(AnyText):
    pass


@extend_schema_field({"type": "string", "maxLength": 2000, "default": ""})
class DescriptionField(AnyText):
    pass


class MatchField(serializers.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Match.choices, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return data


class CriterionField(serializers.JSONField):
    """The values of a criterion; in a form they are written as JSON: ["NG", "GH"]."""

    def get_initial(self) -> list[Any]:
        return []


def criterion_field(key: str) -> CriterionField:
    """Return the field of a criterion's ``any_of`` at the top; [] means that there is none."""
    criterion = CRITERIA[key]
    kind = extend_schema_field(_list_of(criterion))(
        type(f"{key.title()}Field", (CriterionField,), {})
    )
    field: CriterionField = kind(
        required=False,
        help_text=criterion.help,
        style={"base_template": "textarea.html", "rows": 2},
    )
    return field


def _list_of(criterion: Criterion) -> Any:
    items = schema_of_value(criterion)
    if "enum" in items:  # named as the enum of such a field of a person is
        choice = serializers.ChoiceField(criterion.choices() or [])
        return serializers.ListField(child=choice, max_length=MAX_VALUES)
    return {"type": "array", "items": items, "maxItems": MAX_VALUES}


@extend_schema_field({"$ref": f"#/components/schemas/{DEFINITION}"})
class DefinitionField(serializers.JSONField):
    """The whole definition; in a form it is written as JSON."""


def schema_of_value(criterion: Criterion) -> dict[str, Any]:
    return criterion.answers.values.schema()
