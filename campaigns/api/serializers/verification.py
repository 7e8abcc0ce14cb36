from typing import Any

from rest_framework import serializers

from campaigns.api.serializers.exports import ExportSerializer
from campaigns.enums import VerifyLevel


class _NamesField(serializers.ListField):
    child = serializers.CharField()


class MovedNamesSerializer(serializers.Serializer[Any]):
    """Up to 100 addresses of each kind."""

    missing = _NamesField()
    unexpected = _NamesField()
    held_by_others = _NamesField()
    other_address = _NamesField(help_text="Each as `our address → address at Brevo`.")
    would_join = _NamesField()
    would_leave = _NamesField()
    would_change = _NamesField()


class VerificationSerializer(serializers.Serializer[Any]):
    """What moved since the last run. A number is null where nobody looked."""

    segment = serializers.IntegerField()
    list_moved = serializers.BooleanField(help_text="Ours are missing, or came back.")
    segment_moved = serializers.BooleanField(help_text="A sync would change the list.")
    level = serializers.ChoiceField(VerifyLevel.choices, help_text="How the list was read.")
    at = serializers.DateTimeField()
    list_id = serializers.IntegerField(allow_null=True)
    expected = serializers.IntegerField(help_text="How many the ledger says we put there.")
    on_list = serializers.IntegerField(allow_null=True)
    missing = serializers.IntegerField(allow_null=True, help_text="Ours, and not on the list.")
    unexpected = serializers.IntegerField(
        allow_null=True, help_text="Taken off by the last run, and on the list all the same."
    )
    held_by_others = serializers.IntegerField(
        allow_null=True, help_text="Not ours: put there by others, and left alone."
    )
    other_address = serializers.IntegerField(
        allow_null=True, help_text="Ours, and on the list under another address."
    )
    would_join = serializers.IntegerField()
    would_leave = serializers.IntegerField()
    would_change = serializers.IntegerField()
    names = MovedNamesSerializer()
    plan = ExportSerializer(help_text="The plan as of now, ready to be applied.")
