from django.db import models

from campaigns.models.segment import Segment


class BrevoList(models.Model):
    """A Brevo list that is, or was, a segment's: in which account, and how it looked last.

    The id of a list means something in its account alone. A list that was given up because Brevo
    no longer had it keeps its row, so that it is noticed when it is there again.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="brevo_lists")
    account = models.CharField(max_length=254, help_text="The organization's id at Brevo.")
    account_name = models.CharField(max_length=254)
    list_id = models.BigIntegerField()
    name = models.TextField()
    folder_id = models.BigIntegerField(null=True)
    made_at = models.DateTimeField(null=True, help_text="By Brevo's clock; null when not known.")
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "list_id"], name="one_segment_per_list"),
            models.UniqueConstraint(
                fields=["segment"],
                condition=models.Q(given_up_at__isnull=True),
                name="one_list_per_segment",
            ),
        ]

    def __str__(self) -> str:
        return f"List {self.list_id} “{self.name}” in {self.account_name}"
