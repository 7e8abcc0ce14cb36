from typing import Any

from rest_framework import serializers

from accounts.models import User


class PersonSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "name", "email")


class AudienceMemberSerializer(serializers.ModelSerializer[User]):
    """Somebody whom a segment matches now."""

    country = serializers.CharField(help_text="ISO 3166-1, two letters; empty when unknown.")
    mailable = serializers.SerializerMethodField(help_text="False: held back from the list.")

    class Meta:
        model = User
        fields = (
            "id",
            "name",
            "email",
            "phone",
            "gender",
            "country",
            "state",
            "referral_source",
            "mailable",
        )

    def get_mailable(self, user: Any) -> bool:
        return not user.held_reason
