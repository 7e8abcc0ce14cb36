from django.conf import settings
from django.db import models

from campaigns.models.segment import Segment


class SentAttributes(models.Model):
    """Which attributes the people on a segment's list were sent, and by which name.

    ``names`` leads from our name to the account's. An attribute that is not in it was left out:
    once the account can hold it, everybody who has such a value is sent again.
    """

    segment = models.OneToOneField(
        Segment,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="sent_attributes",
        db_constraint=False,
    )
    names = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"Attributes of segment {self.segment_id}"


class OpenPhone(models.Model):
    """A contact of ours that has not the phone number it should have, and why, in Brevo's words.

    What it should have is what its person has now: another number, or none.
    """

    email = models.CharField(max_length=254, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    message = models.TextField(blank=True)
    since = models.DateTimeField()
    due_at = models.DateTimeField(db_index=True, help_text="When it is to be tried again.")

    def __str__(self) -> str:
        return f"{self.email}: {self.message}"


class AddressRefusal(models.Model):
    """How many runs in a row Brevo refused an address in; a success deletes the row."""

    email = models.CharField(max_length=254, unique=True)
    runs = models.IntegerField(default=1)
    last_export = models.BigIntegerField()
    message = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.email}: refused in {self.runs} runs"
