"""Set other processes to work on the test's own database and the test's own Brevo."""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


def database_url() -> str:
    """Return the address of the test database; the test needs ``transactional_db``."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(settings.TEST_DATABASE_URL)._replace(path=f"/{name}"))


def environment(**extra: str) -> dict[str, str]:
    """Return the environment in which a process of the project works where the test does."""
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DJANGO_SECRET_KEY": settings.SECRET_KEY,
        "BREVO_API_URL": settings.BREVO_API_URL,
        "BREVO_API_KEY": settings.BREVO_API_KEY,
        "BREVO_REQUESTS_PER_SECOND": str(settings.BREVO_REQUESTS_PER_SECOND),
        "BREVO_OTHER_REQUESTS_PER_HOUR": str(settings.BREVO_OTHER_REQUESTS_PER_HOUR),
        **extra,
    }


def manage(*words: str) -> list[str]:
    """Return the command line of a management command."""
    return [sys.executable, str(ROOT / "manage.py"), *words]
