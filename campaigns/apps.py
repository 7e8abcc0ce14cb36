from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class CampaignsConfig(AppConfig):
    name = "campaigns"

    def ready(self) -> None:
        payloads = import_module("campaigns.brevo.payloads")
        if problem := payloads.renaming_problem(settings.BREVO_ATTRIBUTES):
            raise ImproperlyConfigured(f"BREVO_ATTRIBUTES: {problem}.")
        import_module("campaigns.signals")
        import_module("campaigns.checks")
