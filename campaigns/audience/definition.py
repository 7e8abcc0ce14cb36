"""A segment's definition: refused when it cannot be saved, doubted each time it is used."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from accounts.text import fold, squeeze
from campaigns.audience.conditions import NO_CRITERIA_MESSAGE, Condition, Definition, Mistake
from campaigns.audience.criteria.values import is_storable, is_visible, quote_for_message
from campaigns.audience.named_rows import NamedRows, named_rows
from campaigns.audience.parsing import DefinitionSource, definition_of
from campaigns.models import Segment
from campaigns.models.flat import FLAT_NAMES

NO_CRITERIA = "no_criteria"


def problems(described: DefinitionSource) -> list[str]:
    """Return why the definition cannot be trusted: [] for a sound one.

    Costs two small queries at most for each kind of row that is named.
    """
    definition, rows = definition_of(described), named_rows()
    rows.load(definition.conditions())
    return _problems(definition, rows)


def problems_of(segments: Iterable[Segment]) -> dict[int, list[str]]:
    """Return {id: problems} of many segments, for the number of queries that one costs."""
    definitions = {segment.pk: definition_of(segment) for segment in segments}
    rows = named_rows()
    rows.load(each for definition in definitions.values() for each in definition.conditions())
    return {pk: _problems(definition, rows) for pk, definition in definitions.items()}


def validate(segment: Segment, *, by_flat_name: bool = True) -> None:
    """Put the cleaned definition into the segment, or raise ValidationError with words by field.

    What is wrong with a top-level ``any_of`` that has a flat name stands under that name, all else
    under ``definition``; or everything where it stands: ``definition.conditions[1]``. Without any
    condition the error stands under NON_FIELD_ERRORS with the code ``no_criteria``.
    """
    definition = definition_of(segment)
    errors: dict[str, list[ValidationError]] = {}
    for mistake in [*definition.mistakes, *gone(definition)]:
        field = _flat_field(mistake) if by_flat_name else _place(mistake)
        errors.setdefault(field, []).extend(mistake.error.error_list)
    if definition.is_empty or (errors.keys() == {"match"} and not definition.group.entries):
        error = ValidationError(NO_CRITERIA_MESSAGE, code=NO_CRITERIA)
        errors[NON_FIELD_ERRORS] = [error]
    if not definition.mistakes:
        segment.definition = definition.group.as_json()
    for field, check in (("name", _check_name), ("description", _check_description)):
        try:
            check(segment)
        except ValidationError as error:
            errors[field] = error.error_list
    if errors:
        raise ValidationError({field: list(told) for field, told in errors.items()})


def gone(definition: Definition) -> list[Mistake]:
    """Return a mistake for each condition that names what can no longer be relied on."""
    rows = named_rows()
    rows.load(definition.conditions())
    return [
        Mistake(path, ValidationError(told), condition.criterion.key, condition.operator.key)
        for path, condition in definition.group.placed()
        if (
            told := [
                ValidationError(f"{trouble} Remove it or choose another.", code="gone")
                for trouble in _troubles(condition, rows)
            ]
        )
    ]


def _place(mistake: Mistake) -> str:
    return ".".join(filter(None, ["definition", mistake.place]))


def _flat_field(mistake: Mistake) -> str:
    if len(mistake.path) == 1 and mistake.operator == "any_of" and mistake.criterion in FLAT_NAMES:
        return mistake.criterion
    return "match" if mistake.is_about_match and not mistake.path else "definition"


def _problems(definition: Definition, rows: NamedRows) -> list[str]:
    told = [text for each in definition.conditions() for text in _troubles(each, rows)]
    return list(dict.fromkeys([*definition.malformed, *told]))


def _troubles(condition: Condition, rows: NamedRows) -> list[str]:
    kind = condition.criterion.values
    if kind is None:
        return []
    known = rows.of(kind, condition.values)
    found = [known[value].trouble for value in condition.values if value in known]
    return [trouble for trouble in found if trouble]


def _check_name(segment: Segment) -> None:
    field = Segment._meta.get_field("name")
    name = _checked_text(segment.name, "name", field.max_length)
    segment.name = squeeze(name)
    if not is_visible(segment.name):
        raise ValidationError("Give the segment a name.", code="blank")
    if not segment._state.adding and "name" not in segment.changed_columns():
        return  # it was unique when it was saved, and still is: the database holds that
    others = Segment.objects.exclude(pk=segment.pk)
    if other := others.filter(name_key=fold(segment.name)).first():
        message = (
            f"A segment named {quote_for_message(other.name)} exists already: choose another name."
        )
        raise ValidationError(message, code="unique")


def _check_description(segment: Segment) -> None:
    field = Segment._meta.get_field("description")
    _checked_text(segment.description, "description", field.max_length)


def _checked_text(text: Any, field: str, limit: int | None) -> str:
    if not isinstance(text, str):
        raise ValidationError(f"The {field} must be a text.", code="invalid")
    if not is_storable(text):
        message = f"The {field} holds a character that cannot be stored: remove it."
        raise ValidationError(message, code="invalid_characters")
    if limit is not None and len(text) > limit:
        message = f"The {field} has {len(text)} characters: shorten it to {limit}."
        raise ValidationError(message, code="max_length")
    return text
