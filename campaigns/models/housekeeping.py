from django.conf import settings
from django.db import models


class AccountLease(models.Model):
    """A right that one process at a time may hold for the whole Brevo account."""

    key = models.CharField(max_length=50, unique=True)
    owner = models.CharField(max_length=64, blank=True)
    until = models.DateTimeField(null=True)
    value = models.JSONField(default=dict, help_text="What the next holder needs to know.")

    def __str__(self) -> str:
        return self.key


class RequestBudget(models.Model):
    """What all processes with one API key know together of one of Brevo's two budgets."""

    key = models.CharField(max_length=50, help_text="A digest of the URL and the API key.")
    name = models.CharField(max_length=10)
    state = models.JSONField(default=dict, help_text="In seconds since 1970, by our database.")
    version = models.BigIntegerField(default=0, help_text="One more with each change.")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "name"], name="one_budget_per_key_and_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.key}"


class IdempotentAnswer(models.Model):
    """What a request with this Idempotency-Key was answered, so that a repeat gets the same."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="one_answer_per_key"),
        ]

    def __str__(self) -> str:
        return self.key
