from typing import Any

from django.apps import apps
from django.contrib.auth import authenticate
from rest_framework import exceptions, serializers
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.models import User
from accounts.tokens import first_token, next_token
from config.serializers import StrictSerializer

_LONGEST_PASSWORD = 4096
_LONGEST_TOKEN = 4096


class TokensSerializer(serializers.Serializer[Any]):
    """A pair of tokens: `access` for the calls, `refresh` for the next pair."""

    access = serializers.CharField(help_text="Send it as `Authorization: Bearer …`; 15 minutes.")
    refresh = serializers.CharField(help_text="Good for one refresh, within 7 days.")


class LogInSerializer(StrictSerializer):
    email = serializers.CharField(max_length=254, help_text="In any case.")
    password = serializers.CharField(
        max_length=_LONGEST_PASSWORD, trim_whitespace=False, style={"input_type": "password"}
    )

    def validate(self, attrs: dict[str, str]) -> dict[str, Any]:
        """Return a new pair of tokens; whoever is unknown or inactive gets none."""
        user = authenticate(self.context["request"], **attrs)
        if user is None:
            raise exceptions.AuthenticationFailed(
                "No active account has this e-mail address and password."
            )
        return _pair(first_token(user))


class RefreshSerializer(StrictSerializer):
    refresh = serializers.CharField(max_length=_LONGEST_TOKEN)

    def validate(self, attrs: dict[str, str]) -> dict[str, Any]:
        """Return the next pair, for a token that was not used yet, of an active user."""
        return _pair(next_token(attrs["refresh"]))


class RevokeSerializer(StrictSerializer):
    refresh = serializers.CharField(max_length=_LONGEST_TOKEN, help_text="Used already or not.")


class MeSerializer(serializers.ModelSerializer[User]):
    permissions = serializers.SerializerMethodField(help_text="What the role grants.")

    class Meta:
        model = User
        fields = ("id", "name", "email", "first_name", "last_name", "role", "permissions")

    def get_permissions(self, user: User) -> list[str]:
        return sorted(name for name in _every_permission() if user.has_perm(name))


def _every_permission() -> set[str]:
    return {
        f"{model._meta.app_label}.{codename}"
        for app in ("accounts", "properties", "campaigns")
        for model in apps.get_app_config(app).get_models()
        for codename in [
            *(f"{verb}_{model._meta.model_name}" for verb in model._meta.default_permissions),
            *(codename for codename, _ in model._meta.permissions),
        ]
    }


def _pair(refresh: RefreshToken) -> dict[str, str]:
    return {"access": str(refresh.access_token), "refresh": str(refresh)}
