from django.db import models


class ListChange(models.Model):
    """A change of a Brevo list that was begun: written before Brevo is asked, gone with the save.

    One that stays belongs to a process that died between the two; the next sync settles it.
    """

    class Kind(models.TextChoices):
        CREATE = "CREATE", "Create"
        RENAME = "RENAME", "Rename"

    kind = models.CharField(max_length=6, choices=Kind.choices)
    account = models.CharField(max_length=254, help_text="The organization's id at Brevo.")
    name = models.TextField(help_text="What the list is to be called.")
    list_id = models.BigIntegerField(null=True, help_text="Null while Brevo has not told it.")
    newest_list = models.BigIntegerField(
        null=True, help_text="The account's newest list before one was made."
    )
    segment_id = models.BigIntegerField(null=True, help_text="Of a list that is renamed.")
    begun_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} “{self.name}”, begun {self.begun_at:%Y-%m-%d %H:%M}"
