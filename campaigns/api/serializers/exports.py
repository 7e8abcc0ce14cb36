from typing import Any

from django.db.models import BigIntegerField
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from campaigns.api.serializers.people import PersonSerializer
from campaigns.enums import Reason, VerifyLevel
from campaigns.models import ExportChange, ListMember, SegmentExport
from campaigns.sync.history import Move, Why
from config.serializers import StrictSerializer


class ProofNamesSerializer(serializers.Serializer[Any]):
    """Up to 100 addresses of each kind."""

    missing = serializers.ListField(child=serializers.CharField(), required=False)
    unexpected = serializers.ListField(child=serializers.CharField(), required=False)
    held_by_others = serializers.ListField(child=serializers.CharField(), required=False)


class ProofSerializer(serializers.Serializer[Any]):
    """What reading the list back has shown: empty before that, null where nobody looked."""

    level = serializers.ChoiceField(
        VerifyLevel.choices, required=False, help_text="How the list was read."
    )
    at = serializers.DateTimeField(required=False)
    list_id = serializers.IntegerField(required=False, allow_null=True)
    list_found = serializers.BooleanField(required=False)
    expected = serializers.IntegerField(
        required=False, help_text="How many the ledger says we put there."
    )
    on_list = serializers.IntegerField(required=False, allow_null=True)
    missing = serializers.IntegerField(
        required=False, allow_null=True, help_text="Ours, and not on the list."
    )
    unexpected = serializers.IntegerField(
        required=False, allow_null=True, help_text="Taken off by this run, and there all the same."
    )
    held_by_others = serializers.IntegerField(
        required=False, allow_null=True, help_text="Not ours: left alone."
    )
    said_no = serializers.IntegerField(
        required=False, allow_null=True, help_text="Of those, who must not be mailed."
    )
    digest = serializers.CharField(required=False, help_text="Of all addresses on the list.")
    names = ProofNamesSerializer(required=False)
    holds = serializers.BooleanField(
        required=False, help_text="Nothing speaks against the list being what it should be."
    )


@extend_schema_field(ProofSerializer)
class ProofField(serializers.DictField):
    """The proof as it was stored: older ones may lack what newer ones have."""


class ExportSerializer(serializers.ModelSerializer[SegmentExport]):
    """One run, or a plan that can become one."""

    exported_by = PersonSerializer(read_only=True, allow_null=True)
    approved_by = PersonSerializer(read_only=True, allow_null=True)
    progress = serializers.FloatField(read_only=True, help_text="From 0 to 1.")
    is_stalled = serializers.BooleanField(
        read_only=True, help_text="It fell silent: whoever syncs the segment carries it on."
    )
    proof = ProofField(read_only=True)
    notes = serializers.ListField(
        child=serializers.CharField(),
        source="remarks",
        read_only=True,
        help_text="What people were sent without, and why; no failure of the run.",
    )
    definition = serializers.DictField(
        read_only=True, help_text="The criteria as they were when the run was planned."
    )

    class Meta:
        model = SegmentExport
        fields = (
            "id",
            "segment",
            "segment_name",
            "status",
            "phase",
            "plan_only",
            "users_count",
            "audience_count",
            "added",
            "updated",
            "removed",
            "failed",
            "joins",
            "leaves",
            "changes_planned",
            "held_back",
            "error_message",
            "notes",
            "brevo_list_id",
            "exported_by",
            "exported_at",
            "started_at",
            "planned_at",
            "finished_at",
            "approved_by",
            "approved_at",
            "progress",
            "progress_done",
            "progress_total",
            "is_stalled",
            "cancel_requested",
            "waits_for",
            "list_was_gone",
            "list_count_before",
            "verify_level",
            "definition",
            "proof",
        )
        read_only_fields = fields


class ChangeSerializer(serializers.ModelSerializer[ExportChange]):
    """One person's line in a run."""

    user = serializers.IntegerField(
        source="user_id", allow_null=True, help_text="The id stays when the user is deleted."
    )
    reason = serializers.ChoiceField(
        Reason.choices, allow_blank=True, read_only=True, help_text="Empty for those who join."
    )
    name = serializers.SerializerMethodField(help_text="Empty when the user is deleted.")

    class Meta:
        model = ExportChange
        fields = ("id", "user", "name", "email", "kind", "reason", "outcome", "message")
        read_only_fields = fields

    def get_name(self, change: Any) -> str:
        return full_name(change.first_name, change.last_name)


class StaySerializer(serializers.ModelSerializer[ListMember]):
    """Somebody whom we put on a list, from when until when."""

    user = serializers.IntegerField(
        source="user_id", allow_null=True, help_text="The id stays when the user is deleted."
    )
    name = serializers.SerializerMethodField(help_text="Empty when the user is deleted.")
    added_by = serializers.IntegerField(help_text="The run that put them on the list.")
    removed_by = serializers.IntegerField(
        allow_null=True, help_text="The run that took them off; null while they are on it."
    )

    class Meta:
        model = ListMember
        fields = (
            "id",
            "user",
            "name",
            "email",
            "contact_id",
            "email_at_brevo",
            "added_at",
            "added_by",
            "removed_at",
            "removed_by",
        )
        read_only_fields = fields

    def get_name(self, stay: Any) -> str:
        return full_name(stay.first_name, stay.last_name)


def full_name(first: str | None, last: str | None) -> str:
    """Return the name of a user who may have been deleted."""
    return f"{first or ''} {last or ''}".strip()


class ComparisonSerializer(serializers.Serializer[Any]):
    """What is asked of two runs; the context holds the first ``export``."""

    against = serializers.IntegerField(
        min_value=1, max_value=BigIntegerField.MAX_BIGINT, help_text="Another run of the segment."
    )
    side = serializers.ChoiceField(
        ["joined", "left"],
        default="joined",
        help_text="Who joined between the older and the newer run, or who left.",
    )

    def validate_against(self, other_id: int) -> SegmentExport:
        export = self.context["export"]
        runs = SegmentExport.objects.filter(segment__isnull=False, segment=export.segment_id)
        other = runs.exclude(pk=export.pk).filter(pk=other_id).first()
        if other is None:
            raise serializers.ValidationError("The segment has no such other run.", code="gone")
        return other


class MoveSerializer(serializers.Serializer[Any]):
    """Somebody who came to the list or went from it between two runs."""

    user = serializers.IntegerField(
        source="member.user_id", allow_null=True, help_text="The id stays when the user is deleted."
    )
    name = serializers.SerializerMethodField(help_text="Empty when the user is deleted.")
    email = serializers.CharField(source="member.email")
    at = serializers.DateTimeField()
    export = serializers.IntegerField(source="export_id", help_text="The run that did it.")
    why = serializers.ChoiceField(Why.choices)

    def get_name(self, move: Move) -> str:
        user = move.member.user
        return full_name(user.first_name, user.last_name) if user else ""


class RunOptionsSerializer(StrictSerializer):
    verify_level = serializers.ChoiceField(
        VerifyLevel.choices,
        default=VerifyLevel.AUTO,
        help_text="How the list is read back afterwards; AUTO fits its size.",
    )


class NothingSerializer(StrictSerializer):
    """A call that takes no fields."""
