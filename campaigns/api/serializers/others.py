from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from accounts.text import fold_email
from campaigns.api.serializers.people import PersonSerializer
from campaigns.enums import SuppressionReason, SuppressionSource
from campaigns.models import Suppression
from campaigns.sync.suppressing import Wish, suppress_many
from config.serializers import StrictSerializer

_LONGEST_EMAIL = 254


class EmailField(serializers.EmailField):
    """An address as Brevo keeps it."""

    def to_internal_value(self, data: Any) -> str:
        return fold_email(super().to_internal_value(data))


class CauseSerializer(serializers.Serializer[Any]):
    reason = serializers.ChoiceField(SuppressionReason.choices)
    source = serializers.ChoiceField(SuppressionSource.choices)  # type: ignore[assignment] # a field
    note = serializers.CharField()
    at = serializers.DateTimeField()
    by = serializers.IntegerField(allow_null=True, help_text="The id of the user who said so.")


class SuppressionSerializer(StrictSerializer, serializers.ModelSerializer[Suppression]):
    """An address that must not be mailed."""

    email = EmailField(max_length=_LONGEST_EMAIL)
    reason = serializers.ChoiceField(SuppressionReason.choices, default=SuppressionReason.BY_HAND)
    user = serializers.PrimaryKeyRelatedField[models.Model](
        read_only=True, allow_null=True, help_text="Whom the address belonged to, if anybody."
    )
    created_by = PersonSerializer(read_only=True, allow_null=True)
    other_causes = CauseSerializer(
        many=True, read_only=True, help_text="Weaker reasons that were given for the address too."
    )

    class Meta:
        model = Suppression
        fields = (
            "id",
            "email",
            "reason",
            "source",
            "note",
            "user",
            "created_at",
            "created_by",
            "other_causes",
        )
        read_only_fields = ("source", "created_at")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        row = Suppression.objects.filter(email=attrs["email"]).first()
        if row is not None and attrs["reason"] in row.reasons:
            told = ErrorDetail("It is suppressed already.", code="unique")
            raise serializers.ValidationError({"email": [told]})
        return attrs

    def create(self, validated_data: dict[str, Any]) -> Suppression:
        """Suppress the address; one that was suppressed for another reason gets this one too."""
        email = validated_data["email"]
        try:
            wish = Wish(
                email,
                SuppressionReason(validated_data["reason"]),
                SuppressionSource.API,
                by=validated_data["created_by"],
                note=validated_data.get("note", ""),
            )
        except ValueError as error:
            told = ErrorDetail(str(error), code="invalid")
            raise serializers.ValidationError({"email": [told]}) from error
        suppress_many([wish])
        return Suppression.objects.select_related("created_by").get(email=email)


class NoteSerializer(StrictSerializer, serializers.ModelSerializer[Suppression]):
    """What may be written anew: address and reason stay as they were told."""

    class Meta:
        model = Suppression
        fields = ("note",)

    def update(self, instance: Suppression, validated_data: dict[str, Any]) -> Suppression:
        instance.note = validated_data.get("note", instance.note)
        view = self.context["view"]
        view.check()
        instance.save(expecting=view.expected)
        return instance


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer"}]})
class ValueField(serializers.JSONField):
    pass


class ChoiceSerializer(serializers.Serializer[Any]):
    value = ValueField(help_text="What a segment's list holds: a text or an id.")
    label = serializers.CharField()  # type: ignore[assignment] # a field


class OperatorSerializer(serializers.Serializer[Any]):
    """How a condition compares a customer's answer with its operand."""

    key = serializers.CharField(help_text="The name of the operand in a condition.")
    label = serializers.CharField()  # type: ignore[assignment] # a field
    operand = serializers.DictField(help_text="What it takes, as a JSON schema.")


class CriterionSerializer(serializers.Serializer[Any]):
    """What a condition may ask about."""

    key = serializers.CharField(help_text="What `criterion` holds in a condition.")
    group = serializers.CharField(help_text="The heading under which it is offered.")
    operators = OperatorSerializer(many=True)
    label = serializers.CharField()  # type: ignore[assignment] # a field
    help = serializers.CharField()
    kind = serializers.CharField(help_text="choice, country, text, object or date.")
    choices = ChoiceSerializer(
        many=True, allow_null=True, help_text="All there are; null where there are too many."
    )
    choices_url = serializers.CharField(
        allow_null=True, help_text="Finds some: add `?search=`. Null where there are no lists."
    )


class StatsSerializer(serializers.Serializer[Any]):
    total_segments = serializers.IntegerField()
    total_syncs = serializers.IntegerField(help_text="Runs; plans alone are none.")
    segments_this_month = serializers.IntegerField()
    syncs_this_month = serializers.IntegerField()
    broken_segments = serializers.IntegerField()
    syncs_by_status = serializers.DictField(child=serializers.IntegerField())
    running = serializers.IntegerField(help_text="Runs that are queued or at work.")
    waiting = serializers.IntegerField(help_text="Plans that wait for approval.")
    last_sync_at = serializers.DateTimeField(allow_null=True)
    people_on_lists = serializers.IntegerField(
        help_text="The sum of the last known sizes: whoever is on two lists counts twice."
    )
    largest_list = serializers.IntegerField(help_text="The largest of the last known sizes.")
    sizes_known = serializers.IntegerField(help_text="Of how many segments a size is known.")
    oldest_size_at = serializers.DateTimeField(
        allow_null=True, help_text="The age of the oldest size in the sum."
    )
    suppressions = serializers.IntegerField()
