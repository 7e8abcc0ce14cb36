"""What an operator should know before the first sync."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register  # noqa: A004 -- Django's name


@register(deploy=True)
def check_brevo_key(**_: Any) -> list[CheckMessage]:
    if settings.BREVO_API_KEY:
        return []
    hint = "Set BREVO_API_KEY, or BREVO_API_KEY_FILE."
    return [
        Warning("No Brevo key: no segment can be made or synced.", hint=hint, id="campaigns.W001")
    ]


@register(deploy=True)
def check_webhook_token(**_: Any) -> list[CheckMessage]:
    if settings.BREVO_WEBHOOK_TOKEN:
        return []
    hint = "Set BREVO_WEBHOOK_TOKEN, then run manage.py brevo_webhook --install URL."
    told = "No webhook token: unsubscribes are learned by reconciliation only."
    return [Warning(told, hint=hint, id="campaigns.W002")]
