"""The one place where our settings become a Brevo client."""

from django.conf import settings

from campaigns.brevo import BrevoClient


def connect() -> BrevoClient:
    """Return a client for the configured account; raise BrevoKeyMissing when there is none."""
    return BrevoClient(
        settings.BREVO_API_KEY,
        base_url=settings.BREVO_API_URL,
        requests_per_second=settings.BREVO_REQUESTS_PER_SECOND,
        other_requests_per_hour=settings.BREVO_OTHER_REQUESTS_PER_HOUR,
        report_hosts=settings.BREVO_REPORT_HOSTS,
    )
