from copy import deepcopy
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.http import Http404
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from accounts.columns import ChangedMeanwhile
from campaigns.api.fields import (
    DefinitionField,
    DescriptionField,
    MatchField,
    NameField,
    criterion_field,
)
from campaigns.api.serializers.people import PersonSerializer
from campaigns.audience.definition import problems_of, validate
from campaigns.audience.parsing import definition_of
from campaigns.audience.revisions import recorded
from campaigns.enums import Match
from campaigns.models import Segment
from campaigns.models.flat import FLAT_NAMES
from config.problems import as_http
from config.serializers import StrictSerializer

COLUMNS = ("name", "description", "definition")  # written by whoever calls
_FLAT = ("match", *FLAT_NAMES)
_FACTS = (
    "brevo_list_id",
    "created_by",
    "created_at",
    "updated_at",
    "audience_size",
    "mailable_size",
    "counted_at",
    "problems",
)

_LEFT_OUT = (
    "The segment has this now, and PUT replaces the whole of it: send what it should be, or use "
    "PATCH, which keeps what is not sent."
)
# What may be wrong with the name of a segment that is still being written.
_NAME_TO_COME = {"blank", "unique"}
_CRITERIA = {key: criterion_field(key) for key in FLAT_NAMES}
_NO_VALUES: dict[str, list[Any]] = {key: [] for key in FLAT_NAMES}
_BOTH = (
    "Send either the definition or these, not both: they are a view of the any_of conditions at "
    "its top."
)


class SegmentList(serializers.ListSerializer[Segment]):
    """Looks for problems of the whole page at once."""

    def to_representation(self, data: Any) -> list[Any]:
        page = list(data)
        self.child.known_problems = problems_of(page)  # type: ignore[union-attr] # always a SegmentSerializer
        return super().to_representation(page)


class CriteriaSerializer(StrictSerializer):
    """Has the definition, and a field for each flat name."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {**super().get_fields(), **deepcopy(_CRITERIA)}

    def to_internal_value(self, data: Any) -> Any:
        """Refuse flat names beside a definition; without one, those not sent are empty.

        Both may come when nothing of them is to change: a segment is sent back as it was shown.
        """
        sent = super().to_internal_value(data)
        if "definition" not in sent:
            return sent if self.partial else {"match": Match.ALL, **_NO_VALUES, **sent}
        both = [name for name in _FLAT if name in sent]
        stored = self.instance
        if stored and all(getattr(stored, name) == sent[name] for name in [*both, "definition"]):
            return {name: value for name, value in sent.items() if name not in _FLAT}
        if both:
            told = ErrorDetail(_BOTH, code="both")
            raise serializers.ValidationError({name: [told] for name in both})
        return sent


class SegmentSerializer(CriteriaSerializer, serializers.ModelSerializer[Segment]):
    """A saved definition of an audience, mirrored by one Brevo list."""

    known_problems: dict[int, list[str]] | None = None

    name = NameField()
    description = DescriptionField(default="", style={"base_template": "textarea.html", "rows": 3})
    match = MatchField(required=False, help_text="ALL or ANY of the conditions must hold.")
    definition = DefinitionField(
        required=False, help_text="All conditions: groups, and whatever has no field of its own."
    )
    created_by = PersonSerializer(read_only=True, allow_null=True)
    problems = serializers.SerializerMethodField(
        help_text="Why the definition can no longer be trusted; a segment with any is broken."
    )

    class Meta:
        model = Segment
        list_serializer_class = SegmentList
        fields = ("id", *COLUMNS, *_FLAT, *_FACTS)
        read_only_fields = _FACTS

    def get_problems(self, segment: Segment) -> list[str]:
        known = self.known_problems
        return problems_of([segment])[segment.pk] if known is None else known[segment.pk]

    def to_representation(self, instance: Segment) -> dict[str, Any]:
        """Show a sound definition in one order of its keys, which PostgreSQL does not keep."""
        parsed = definition_of(instance)
        shown = {} if parsed.mistakes else {"definition": parsed.group.as_json()}
        return {**super().to_representation(instance), **shown}

    def create(self, validated_data: dict[str, Any]) -> Segment:
        segment = Segment(**validated_data)
        validate(segment, by_flat_name="definition" not in validated_data)
        with recorded(segment, by=validated_data["created_by"]):
            segment.save()
        return segment

    def update(self, instance: Segment, validated_data: dict[str, Any]) -> Segment:
        """Save what was sent and nothing else: others may be writing the rest."""
        try:
            return self._update(instance, validated_data)
        except ChangedMeanwhile:
            if self.context["view"].expected is not None:
                raise
            instance.refresh_from_db()
            return self._update(instance, validated_data)

    def _update(self, instance: Segment, validated_data: dict[str, Any]) -> Segment:
        seen = instance.definition
        lost = self._left_out(instance, validated_data)
        for field, value in validated_data.items():
            setattr(instance, field, value)
        validate(instance, by_flat_name="definition" not in validated_data)
        view = self.context["view"]
        view.check()
        if lost:
            told = ErrorDetail(_LEFT_OUT, code="left_out")
            raise serializers.ValidationError({name: [told] for name in lost})
        try:
            with recorded(instance, by=view.caller):
                instance.save(expecting=view.expected or _expected(instance, seen))
        except ChangedMeanwhile:
            raise
        except DatabaseError as error:
            if Segment.objects.filter(pk=instance.pk).exists():
                raise
            raise Http404("The segment was deleted at this moment.") from error
        return instance

    def _left_out(self, segment: Segment, sent: dict[str, Any]) -> list[str]:
        """Name what a PUT would drop by not mentioning it."""
        defaults = [] if self.partial else sorted(sent.keys() - self.initial_data.keys())
        return [name for name in defaults if getattr(segment, name) != sent[name]]


def _expected(segment: Segment, seen: Any) -> dict[str, Any] | None:
    """Expect the definition that was changed to be the stored one: others may write the rest."""
    return None if segment.definition == seen else {"definition": seen}


class DraftSerializer(CriteriaSerializer):
    """Criteria that are not saved; the name and description of a segment may come with them."""

    name = NameField(required=False)
    description = DescriptionField(required=False)
    match = MatchField(required=False, help_text="ALL or ANY of the conditions must hold.")
    definition = DefinitionField(required=False, help_text="In place of match and the criteria.")

    def validate(self, attrs: dict[str, Any]) -> Any:
        """Return the draft, validated as a segment, save that its name may be missing or taken."""
        draft = Segment(**attrs)
        try:
            validate(draft, by_flat_name="definition" not in attrs)
        except ValidationError as error:
            wrong = error.error_dict
            if {told.code for told in wrong.get("name", [])} <= _NAME_TO_COME:
                wrong.pop("name", None)
            if wrong:
                raise as_http(ValidationError(dict(wrong))) from error
        return definition_of(draft)
