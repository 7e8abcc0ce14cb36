"""What a segment asks: read with suspicion, refused when it cannot be saved, doubted when used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from accounts.text import fold, squeeze
from campaigns.audience.criteria import CRITERIA, Value
from campaigns.audience.criteria.values import is_storable, is_visible, shown
from campaigns.audience.criteria.wording import one_of
from campaigns.enums import Match
from campaigns.models import Segment

NO_CRITERIA = "no_criteria"
NO_CRITERIA_MESSAGE = "Choose at least one criterion: a segment without any would mean everyone."


Definition = Segment | Mapping[str, Any]
"""A segment, or a mapping as ``Segment.definition`` gives it: {"match": "ALL", "gender": […]}."""


@dataclass(frozen=True)
class Reading:
    """A definition as far as it can be understood, and what in it cannot."""

    name: str
    match: Match
    asked: dict[str, list[Value]]
    errors: dict[str, ValidationError]

    @property
    def is_empty(self) -> bool:
        return not self.asked and not self.errors

    @property
    def malformed(self) -> list[str]:
        """What is wrong with the definition itself, whatever the database holds."""
        told = [message for error in self.errors.values() for message in error.messages]
        return [NO_CRITERIA_MESSAGE] if self.is_empty else told


def read(definition: Definition) -> Reading:
    """Take a definition apart without a query. An empty list is a question that is not asked."""
    name, raw = _opened(definition)
    asked: dict[str, list[Value]] = {}
    errors: dict[str, ValidationError] = {}
    for key, values in raw.items():
        if key == "match":
            continue
        if key not in CRITERIA:
            errors[key] = ValidationError(f"There is no criterion {shown(key)}.", code="unknown")
            continue
        try:
            cleaned = CRITERIA[key].clean(values)
        except ValidationError as error:
            errors[key] = error
            continue
        if cleaned:
            asked[key] = cleaned
    match = raw.get("match", Match.ALL)
    if match not in Match.values:
        message = f"Match: {shown(match)} is unknown: choose {one_of(Match.values)}."
        errors["match"] = ValidationError(message, code="invalid")
        match = Match.ALL
    ordered = {key: asked[key] for key in CRITERIA if key in asked}
    return Reading(name, Match(match), ordered, errors)


def problems(definition: Definition) -> list[str]:
    """Return why the definition cannot be trusted: [] for a sound one.

    Costs one small query for each criterion that names rows of ours.
    """
    reading = read(definition)
    return _problems(reading, _vanished([reading]))


def problems_of(segments: Iterable[Segment]) -> dict[int, list[str]]:
    """Return {id: problems} of many segments, for the number of queries that one costs."""
    readings = {segment.pk: read(segment) for segment in segments}
    vanished = _vanished(readings.values())
    return {pk: _problems(reading, vanished) for pk, reading in readings.items()}


def validate(segment: Segment) -> None:
    """Put the cleaned values into the segment, or raise ValidationError with words by field.

    Without any criterion the error stands under NON_FIELD_ERRORS with the code ``no_criteria``.
    """
    reading = read(segment)
    errors = dict(reading.errors)
    for key, values in reading.asked.items():
        setattr(segment, key, values)
        if gone := CRITERIA[key].problems(values):
            told = [f"{problem} Remove it or choose another." for problem in gone]
            errors[key] = ValidationError([ValidationError(text, code="gone") for text in told])
    if reading.is_empty or not (reading.asked or errors.keys() & CRITERIA.keys()):
        errors[NON_FIELD_ERRORS] = ValidationError(NO_CRITERIA_MESSAGE, code=NO_CRITERIA)
    for field, check in (("name", _check_name), ("description", _check_description)):
        try:
            check(segment)
        except ValidationError as error:
            errors[field] = error
    if errors:
        raise ValidationError({field: error.error_list for field, error in errors.items()})


def _opened(definition: Definition) -> tuple[str, Mapping[str, Any]]:
    if isinstance(definition, Mapping):
        return "not saved", definition
    criteria = {key: getattr(definition, key) for key in CRITERIA}
    return definition.name, {"match": definition.match, **criteria}


def _vanished(readings: Iterable[Reading]) -> dict[str, dict[Value, str]]:
    everything: dict[str, dict[Value, None]] = {}
    for reading in readings:
        for key, values in reading.asked.items():
            everything.setdefault(key, {}).update(dict.fromkeys(values))
    return {key: CRITERIA[key].values.vanished(values) for key, values in everything.items()}


def _problems(reading: Reading, vanished: Mapping[str, Mapping[Value, str]]) -> list[str]:
    asked = [(vanished[key], value) for key, values in reading.asked.items() for value in values]
    return [*reading.malformed, *(gone[value] for gone, value in asked if value in gone)]


def _check_name(segment: Segment) -> None:
    field = Segment._meta.get_field("name")
    name = _checked_text(segment.name, "name", field.max_length)
    segment.name = squeeze(name)
    if not is_visible(segment.name):
        raise ValidationError("Give the segment a name.", code="blank")
    others = Segment.objects.exclude(pk=segment.pk)
    if other := others.filter(name_key=fold(segment.name)).first():
        message = f"A segment named {shown(other.name)} exists already: choose another name."
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
