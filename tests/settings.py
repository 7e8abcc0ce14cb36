"""The settings of the tests: the project's own, with fast hashing and a database of their own.

TEST_DATABASE_URL names a PostgreSQL server; ``embedded`` starts the one a package carries; without
it the tests run on SQLite.
"""

import os
from pathlib import Path

os.environ["DJANGO_SECRET_KEY"] = "tests"
os.environ["BREVO_API_KEY"] = "sandbox"
os.environ["BREVO_API_URL"] = "https://api.brevo.com/v3"
os.environ["TASKS_BACKEND"] = "immediate"
os.environ["DATABASE_URL"] = "sqlite:///:memory:"

from config import env
from config.settings import *  # noqa: F403 -- these are those settings, with changes

_URL = os.environ.get("TEST_DATABASE_URL", "")
if _URL == "embedded":
    from tests.postgres import server_url

    _URL = server_url()
if _URL:
    DATABASES = {"default": env.database(_URL, base=Path.cwd())}
    DATABASES["default"]["CONN_MAX_AGE"] = 0

ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
BREVO_REQUESTS_PER_SECOND = 100_000
BREVO_OTHER_REQUESTS_PER_HOUR = 1_000_000
