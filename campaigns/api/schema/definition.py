"""The schema of a definition, made from the criteria and operators that there are."""

from collections.abc import Iterator
from typing import Any

from campaigns.audience.criteria import CRITERIA
from campaigns.audience.parsing import MAX_CONDITIONS
from campaigns.enums import Match

DEFINITION = "Definition"
_GROUP, _CONDITION = "DefinitionGroup", "DefinitionCondition"


def add_definition(result: Any, **_: Any) -> Any:
    """Add what ``definition`` refers to; a hook of drf-spectacular."""
    condition = {"oneOf": list(_conditions()), "title": "Condition"}
    entry = {"oneOf": [reference(_CONDITION), reference(_GROUP)]}
    result["components"]["schemas"] |= {
        _CONDITION: condition,
        _GROUP: _group(reference(_CONDITION), "Conditions one level down."),
        DEFINITION: _group(entry, "Conditions of which all or any must hold."),
    }
    return result


def reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _conditions() -> Iterator[dict[str, Any]]:
    for criterion in CRITERIA.values():
        for operator in criterion.operators:
            yield {
                "type": "object",
                "title": f"{criterion.label}: {operator.label}",
                "properties": {
                    "criterion": {"type": "string", "enum": [criterion.key]},
                    operator.key: operator.schema(criterion.subject),
                },
                "required": ["criterion", operator.key],
                "additionalProperties": False,
            }


def _group(entry: dict[str, Any], description: str) -> dict[str, Any]:
    match = {"type": "string", "enum": list(Match.values)}
    conditions = {"type": "array", "items": entry, "minItems": 1, "maxItems": MAX_CONDITIONS}
    return {
        "type": "object",
        "description": description,
        "properties": {"match": match, "conditions": conditions},
        "required": ["match", "conditions"],
        "additionalProperties": False,
    }
