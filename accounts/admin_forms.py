"""The forms that make and change people."""

from typing import TYPE_CHECKING, Any

from django.utils.safestring import mark_safe

from accounts import unfolded
from accounts.admin_versions import VersionedForm
from accounts.enums import Consent
from accounts.foresight import ForeseeingForm
from accounts.models import Partnership, User

if TYPE_CHECKING:
    PlainForm = object
else:
    from django.forms import ModelForm as PlainForm

_FREEDOM = {Consent.OPTED_OUT: 0, Consent.UNKNOWN: 1, Consent.OPTED_IN: 2}


class UserCreationForm(unfolded.UserCreationForm):
    """Asks for a password, or for none: most customers never log in."""

    class Meta:
        model = User
        fields = ("email", "role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["usable_password"]
        choice.initial, choice.help_text = "false", "Most customers never log in."


class UserForm(ForeseeingForm, VersionedForm, unfolded.UserChangeForm):
    """Changes everything but the password, which has a form of its own.

    Nobody can take their own access away here, so that there is always somebody left who has it.
    """

    editor: User

    class Meta:
        model = User
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = mark_safe(
            'Only a hash of it is kept. <a href="../password/" class="underline">Set another</a>.'
        )

    def is_kept(self, name: str, theirs: Any, mine: Any) -> bool:
        """Keep an opt-out of the same time, whatever else was chosen."""
        return name == "marketing_consent" and _FREEDOM[theirs] < _FREEDOM.get(mine, 0)

    def must_be_seen(self, name: str, stored: Any, mine: Any) -> bool:
        return stored == Consent.OPTED_OUT and self.is_kept(name, stored, mine)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.instance.pk == self.editor.pk:
            if cleaned.get("role", self.editor.role) != self.editor.role:
                self.add_error("role", "You cannot change your own role: ask another admin.")
            if not cleaned.get("is_active", True):
                self.add_error("is_active", "You cannot switch yourself off: ask another admin.")
        return cleaned


class PartnershipForm(ForeseeingForm, VersionedForm, PlainForm):
    class Meta:
        model = Partnership
        fields = ("partner", "status", "suspended_at")
