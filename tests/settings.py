"""The settings of the tests: the project's own, with fast hashing and a database of their own.

TEST_DATABASE_URL names a PostgreSQL server; ``embedded`` starts the one a package carries; without
it the tests run on SQLite.
"""

import os
import tempfile
from pathlib import Path

os.environ["DJANGO_SECRET_KEY"] = "tests"
os.environ["DJANGO_SANDBOX"] = "True"
os.environ["BREVO_API_KEY"] = "sandbox"
os.environ["BREVO_API_URL"] = "https://api.brevo.com/v3"
os.environ["TASKS_BACKEND"] = "immediate"
os.environ["DATABASE_URL"] = "sqlite:///:memory:"

from config import env
from config.settings import *  # noqa: F403 -- these are those settings, with changes
from config.settings import DATABASES

TEST_DATABASE_URL = os.environ.get("TEST_DATABASE_URL", "")
if TEST_DATABASE_URL == "embedded":
    from tests.postgres import server_url

    TEST_DATABASE_URL = server_url()
if not TEST_DATABASE_URL:
    # A file, not memory, so that tests may set other processes to work on it.
    _FILE = Path(tempfile.gettempdir()) / f"campaigns-tests-{os.getpid()}.sqlite3"
    DATABASES["default"]["TEST"] = {"NAME": str(_FILE)}
else:
    DATABASES = {"default": env.database(TEST_DATABASE_URL, base=Path.cwd())}
    DATABASES["default"] |= {
        "CONN_MAX_AGE": 0,
        "TEST": {"NAME": f"test_campaigns_{os.getpid()}"},  # runs may overlap
    }

ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
BREVO_REQUESTS_PER_SECOND = 100_000
BREVO_OTHER_REQUESTS_PER_HOUR = 1_000_000
BREVO_SHARE_BUDGETS = False  # beyond any limit there is nothing to share
WHITENOISE_AUTOREFRESH = True  # nothing is collected, so there is no folder to index
