from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from campaigns.models.segment import Segment


class ListMemberQuerySet(models.QuerySet["ListMember", "ListMember"]):
    def current(self) -> Self:
        """Keep those who are on the list now."""
        return self.filter(removed_at__isnull=True)

    def ended(self) -> Self:
        """Keep the stays that are over."""
        return self.filter(removed_at__isnull=False)

    def at(self, moment: object) -> Self:
        """Keep those who were on the list at a moment."""
        still = Q(removed_at__isnull=True) | Q(removed_at__gt=moment)
        return self.filter(still, added_at__lte=moment)


class ListMember(models.Model):
    """The ledger: one row for each stay on a list of a contact that *we* put there.

    A stay that ended keeps its row with ``removed_at``, so the ledger answers who was on the list
    at any time. The user's id stays when the user is deleted: hence no database constraint.
    """

    segment = models.ForeignKey(
        Segment,
        on_delete=models.CASCADE,
        related_name="members",
        db_constraint=False,
        db_index=False,
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="list_memberships",
        db_constraint=False,
    )
    email = models.CharField(max_length=254)
    contact_id = models.BigIntegerField(
        null=True, help_text="The contact's id at Brevo, once Brevo has shown it."
    )
    email_at_brevo = models.CharField(
        max_length=254,
        default="",
        db_default="",
        help_text="Brevo's address for the contact where it is another than ours.",
    )
    fingerprint = models.UUIDField(help_text="Of the data that Brevo was sent.")
    phone_fingerprint = models.UUIDField(
        null=True, help_text="Of the phone number that Brevo was sent, when it was sent one."
    )
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    added_by = models.BigIntegerField(help_text="The export that put the contact on the list.")
    removed_by = models.BigIntegerField(null=True, help_text="The export that took it off.")

    objects = ListMemberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "email"],
                condition=Q(removed_at__isnull=True),
                name="one_stay_at_a_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["segment", "removed_at"],
                name="member_ended_stay",
                condition=Q(removed_at__isnull=False),
            ),
            models.Index(
                fields=["email"],
                name="member_old_address",
                condition=Q(removed_at__isnull=False),
            ),
            models.Index(
                fields=["contact_id"],
                name="member_contact_id",
                condition=Q(contact_id__isnull=False),
            ),
            models.Index(
                fields=["email_at_brevo"],
                name="member_email_at_brevo",
                condition=Q(email_at_brevo__gt=""),
            ),
            models.Index(
                fields=["phone_fingerprint"],
                name="member_phone",
                condition=Q(phone_fingerprint__isnull=False),
            ),
            models.Index(
                fields=["user"],
                name="member_user_elsewhere",
                condition=Q(email_at_brevo__gt=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} on {self.segment_id}"
