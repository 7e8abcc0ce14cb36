from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.columns import SavesChangedColumns
from accounts.models import User
from accounts.text import fold_email
from campaigns.enums import ADDRESS_ALONE, SuppressionReason, SuppressionSource
from campaigns.models.ledger import ListMember
from campaigns.models.segment import Segment


def owners(emails: Collection[str]) -> dict[str, int]:
    """Return {address: id of the user whom it means}; strangers are left out.

    It means whoever has the address, else whoever was last put on a list under it, or whose
    contact has it at Brevo: people answer what was sent to an address that they have changed since.
    """
    found = dict(User.objects.filter(email_key__in=emails).values_list("email_key", "pk"))
    if former := set(emails) - set(found):
        found |= _last_mailed_under(former)
    return found


def _last_mailed_under(emails: Collection[str]) -> dict[str, int]:
    there = Exists(User.objects.filter(pk=OuterRef("user_id")))
    stays = ListMember.objects.filter(there, email__in=emails).order_by()
    # Each half has an index that begins with what it asks.
    segments = list(Segment.objects.values_list("pk", flat=True))
    columns = ("pk", "email", "user_id")
    now = stays.current().filter(segment__in=segments).values_list(*columns)
    ended = stays.ended().values_list(*columns)
    at_brevo = ListMember.objects.filter(there, email_at_brevo__in=emails, email_at_brevo__gt="")
    moved = at_brevo.order_by().values_list("pk", "email_at_brevo", "user_id")
    return {email: user for _, email, user in sorted([*now, *ended, *moved]) if user is not None}


class Suppression(SavesChangedColumns):
    """An address that must not be mailed, and the person it belonged to when that was said.

    Whoever unsubscribed or complained stays suppressed under a new address too; a bounce says
    something of the address alone. Of several reasons the strongest stands in the columns, and the
    rest in ``other_causes``, each as an object of reason, source, note, at and by.
    """

    email = models.EmailField("e-mail address", max_length=254, unique=True)
    reason = models.CharField(
        max_length=15, choices=SuppressionReason.choices, default=SuppressionReason.BY_HAND
    )
    source = models.CharField(
        max_length=15,
        choices=SuppressionSource.choices,
        default=SuppressionSource.ADMIN,
        editable=False,
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="suppressions",
    )
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    other_causes = models.JSONField(default=list, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.email}: {self.get_reason_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = fold_email(self.email)
        if self.user_id is None:
            self.user_id = owners([self.email]).get(self.email)
        super().save(*args, **kwargs)

    def clean(self) -> None:
        self.email = fold_email(self.email)

    @property
    def follows_the_person(self) -> bool:
        """True when it holds its person back under another address too."""
        return self.reason not in ADDRESS_ALONE

    @property
    def reasons(self) -> set[str]:
        """Return every reason that was given for this address."""
        return {self.reason, *(cause["reason"] for cause in self.other_causes)}

    @property
    def other_reasons(self) -> list[str]:
        """Return the weaker reasons in words, each with its day and note."""
        told = (
            (SuppressionReason(cause["reason"]).label, cause["at"][:10], cause["note"])
            for cause in self.other_causes
        )
        return [", ".join(filter(None, words)) for words in told]


class WebhookEvent(models.Model):
    """One event as Brevo sent it, stored before it is understood."""

    digest = models.CharField(max_length=64, unique=True)
    body = models.TextField()
    received_at = models.DateTimeField(auto_now_add=True)
    processed_at = models.DateTimeField(null=True)
    error_message = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["id"],
                name="webhook_unprocessed",
                condition=models.Q(processed_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"Webhook event {self.pk}"
