from typing import Any

from rest_framework import serializers

from accounts.models import User
from accounts.text import fold_email
from campaigns.enums import Reason

_LONGEST_ADDRESS = 320


class PersonSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "name", "email")


class AnswerSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(
        help_text="The criterion; `group` for a group, `customer` for being no customer."
    )
    label = serializers.CharField()  # type: ignore[assignment] # a field
    matched = serializers.BooleanField()
    fact = serializers.CharField(help_text="Goes on where the person's name ends.")
    answers: Any = serializers.SerializerMethodField(help_text="Those of the entries of a group.")

    def get_answers(self, answer: Any) -> list[dict[str, Any]]:
        return [dict(AnswerSerializer(each).data) for each in answer.answers]


class AddressSerializer(serializers.Serializer[Any]):
    email = serializers.CharField(
        max_length=_LONGEST_ADDRESS,
        help_text="In any case; an old address of theirs too.",
    )

    def validate_email(self, email: str) -> str:
        return fold_email(email)


class WhySerializer(serializers.Serializer[Any]):
    """Why somebody is in a segment or not, and whether they may be mailed."""

    segment = serializers.IntegerField()
    user = serializers.IntegerField()
    sentence = serializers.CharField(help_text="The definition in words.")
    is_in = serializers.BooleanField()
    held_back = serializers.ChoiceField(
        Reason.choices,
        allow_blank=True,
        help_text="Why not to be mailed; empty for who may be.",
    )
    on_list = serializers.BooleanField(
        help_text="By our ledger: we put them on the list, and have not taken them off."
    )
    answers = AnswerSerializer(many=True, help_text="One for each criterion that is asked.")
    contact_id = serializers.IntegerField(
        allow_null=True, help_text="The id at Brevo, if we put them on the list and it is known."
    )
    email_at_brevo = serializers.CharField(
        allow_blank=True, help_text="Brevo's address for the contact where it is another than ours."
    )


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
