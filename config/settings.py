"""All settings, top to bottom; what differs between machines comes from the environment."""

import hashlib
import tomllib
from datetime import timedelta
from pathlib import Path

import django
from django.core.exceptions import ImproperlyConfigured

from config import env
from config.unfold import UNFOLD as UNFOLD  # noqa: PLC0414 -- a setting of its own

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = tomllib.loads((BASE_DIR / "pyproject.toml").read_text("utf-8"))["project"]["version"]
env.load(BASE_DIR / ".env")  # the environment wins over the file

## SECURITY

DEBUG = env.boolean("DJANGO_DEBUG", default=False)
SECRET_KEY = env.secret("DJANGO_SECRET_KEY")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "DJANGO_SECRET_KEY is missing: set it to a long random text "
            "(or set DJANGO_DEBUG=True on a developer's machine)."
        )
    SECRET_KEY = "only-for-development-never-for-people's-data"  # noqa: S105 -- debug only
ALLOWED_HOSTS = env.words(
    "DJANGO_ALLOWED_HOSTS", like=env.HOST, example="campaigns.example.com"
) or (["127.0.0.1", "localhost"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.words(
    "DJANGO_CSRF_TRUSTED_ORIGINS", like=env.ORIGIN, example="https://campaigns.example.com"
)
HTTPS = env.boolean("DJANGO_HTTPS", default=False)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # email is unique through email_key, whatever its case
    "security.W021",  # a browser's list of sites is for the owner of the whole domain to ask for
]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None

## APPLICATIONS

# Invented people and a stand-in for Brevo, with their commands: not in production.
SANDBOX = env.boolean("DJANGO_SANDBOX", default=False) or DEBUG
MODERN_DJANGO = django.VERSION >= (6, 0)  # 5.2 takes the Tasks API from the django-tasks package
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    *([] if MODERN_DJANGO else ["django_tasks"]),
    "django_tasks_db",
    "accounts",
    "properties",
    "campaigns",
    *(["sandbox"] if SANDBOX else []),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.headers.describe_answers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.middleware.RefuseNulls",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.log_in_page.answer_too_many",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # forms, too, find what we overrule

## DATABASE

DATABASES = {
    "default": env.database(env.text("DATABASE_URL", "sqlite:///db.sqlite3"), base=BASE_DIR)
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

## PEOPLE

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.log_in_limits.LimitedBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
# ADMIN may do all; the other roles what these patterns of "app.action_model" grant.
ROLE_PERMISSIONS = {"MANAGER": ["campaigns.*", "accounts.view_*", "properties.view_*"]}

## LANGUAGE, TIME, FILES

LANGUAGE_CODE = "en"
TIME_ZONE = env.time_zone("DJANGO_TIME_ZONE", "UTC")
USE_I18N = True
FORMAT_MODULE_PATH = "config.formats"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # a fresh clone serves the admin without collectstatic

## REST API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_PARSER_CLASSES": [
        "config.parsers.StrictJSONParser",
        # The forms of the browsable API; the schema knows JSON alone.
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "config.openapi.TaggedSchema",
    "EXCEPTION_HANDLER": "config.problems.problem_handler",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.negotiation.Negotiation",
    # How many proxies stand before us and append to X-Forwarded-For: others are not believed.
    "NUM_PROXIES": env.integer("DJANGO_PROXIES", 0, minimum=0),
}
# True: PUT, PATCH and DELETE must say by If-Match what they mean to change, else 428.
API_REQUIRE_IF_MATCH = env.boolean("API_REQUIRE_IF_MATCH", default=False)
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "CHECK_REVOKE_TOKEN": True,  # a new password ends all tokens
    # A key of its own, of the length the algorithm asks for.
    "SIGNING_KEY": hashlib.sha256(f"jwt {SECRET_KEY}".encode()).hexdigest(),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Campaigns",
    "DESCRIPTION": "Audiences of customers, and the Brevo contact lists that mirror them.\n\n"
    "Errors are problem documents (RFC 9457). Times are ISO 8601 with an offset. A POST may carry "
    "an `Idempotency-Key`: repeated with the same key and body, it is answered as the first time.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "AUTHENTICATION_WHITELIST": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "PARSER_WHITELIST": ["config.parsers.StrictJSONParser"],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "campaigns.api.schema.definition.add_definition",
        "config.openapi.as_clients_need_it",
    ],
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": True},
    "SORT_OPERATION_PARAMETERS": False,
    "TAGS": [
        {"name": "Campaigns: segments", "description": "Whom a list is for, and who that is now."},
        {"name": "Campaigns: syncs", "description": "Runs, plans, and what came of each person."},
        {"name": "Campaigns: suppressions", "description": "Who must not be mailed."},
        {"name": "Campaigns: criteria", "description": "What a segment may ask."},
        {"name": "Campaigns: figures", "description": "Counts of segments and runs."},
        {"name": "Accounts", "description": "Logging in."},
    ],
    "EXTENSIONS_ROOT": {
        "x-tagGroups": [
            {
                "name": "Campaigns",
                "tags": [
                    "Campaigns: segments",
                    "Campaigns: syncs",
                    "Campaigns: suppressions",
                    "Campaigns: criteria",
                    "Campaigns: figures",
                ],
            },
            {"name": "Accounts", "tags": ["Accounts"]},
        ]
    },
    "ENUM_NAME_OVERRIDES": {
        "MatchEnum": "campaigns.enums.Match",
        "ExportStatusEnum": "campaigns.enums.ExportStatus",
        "PhaseEnum": "campaigns.enums.Phase",
        "ChangeKindEnum": "campaigns.enums.ChangeKind",
        "OutcomeEnum": "campaigns.enums.Outcome",
        "ReasonEnum": "campaigns.enums.Reason",
        "VerifyLevelEnum": "campaigns.enums.VerifyLevel",
        "SuppressionReasonEnum": "campaigns.enums.SuppressionReason",
        "SuppressionSourceEnum": "campaigns.enums.SuppressionSource",
        "GenderEnum": "accounts.enums.Gender",
        "RoleEnum": "accounts.enums.Role",
    },
}

## BREVO

BREVO_API_KEY = env.secret("BREVO_API_KEY")
BREVO_API_URL = env.url("BREVO_API_URL", "https://api.brevo.com/v3")
BREVO_FOLDER = env.something("BREVO_FOLDER", "Campaign Segments")
# Other names for our attributes in Brevo: state=OUR_STATE,country=OUR_COUNTRY
BREVO_ATTRIBUTES = env.pairs("BREVO_ATTRIBUTES", example="state=OUR_STATE,country=OUR_COUNTRY")
BREVO_CHUNK_SIZE = env.integer("BREVO_CHUNK_SIZE", 100, maximum=150)
BREVO_IMPORT_MAX_BYTES = env.integer("BREVO_IMPORT_MAX_BYTES", 8_000_000, maximum=10_000_000)
BREVO_REQUESTS_PER_SECOND = env.integer("BREVO_REQUESTS_PER_SECOND", 10)
BREVO_OTHER_REQUESTS_PER_HOUR = env.integer("BREVO_OTHER_REQUESTS_PER_HOUR", 100)
BREVO_REPORT_HOSTS = env.words("BREVO_REPORT_HOSTS", like=env.HOST, example="reports.example.com")
# What waits for Brevo inside a transaction makes others wait for its locks: found while developing.
BREVO_REFUSE_IN_TRANSACTION = DEBUG
BREVO_SHARE_BUDGETS = True  # the two above are the account's, and not each process's
BREVO_INTERACTIVE_SECONDS = 10.0  # for all that a page or a call of the API asks of Brevo
BREVO_WEBHOOK_TOKEN = env.secret("BREVO_WEBHOOK_TOKEN")

## SYNC

# A plan removing more than this share (in percent) of a list of 50 or more waits for a person.
CAMPAIGNS_REMOVAL_BRAKE = env.integer("CAMPAIGNS_REMOVAL_BRAKE", 30, minimum=0, maximum=100)
# How long (in seconds) a silent run keeps its segment before the next one may take it up.
CAMPAIGNS_IMPORT_WAIT = env.integer("CAMPAIGNS_IMPORT_WAIT", 15, minimum=1)
CAMPAIGNS_LEASE_SECONDS = env.integer("CAMPAIGNS_LEASE_SECONDS", 120, minimum=2)
# Lists up to this many members are read back name by name after a run; longer ones are counted.
CAMPAIGNS_VERIFY_UP_TO = env.integer("CAMPAIGNS_VERIFY_UP_TO", 50_000, minimum=0)
# How long (in days) the lines of finished runs are kept; the runs and their proofs stay.
CAMPAIGNS_KEEP_CHANGES_DAYS = env.integer("CAMPAIGNS_KEEP_CHANGES_DAYS", 365)

## BACKGROUND WORK

TASKS_BACKEND = env.choice("TASKS_BACKEND", "immediate", among=("immediate", "database", "celery"))
_IMMEDIATE = "django.tasks" if MODERN_DJANGO else "django_tasks"
TASKS = {
    "default": {
        "BACKEND": {
            "immediate": f"{_IMMEDIATE}.backends.immediate.ImmediateBackend",
            "database": "django_tasks_db.DatabaseBackend",
            # Celery is rung by campaigns.celery; the Tasks API then runs what Celery calls.
            "celery": f"{_IMMEDIATE}.backends.immediate.ImmediateBackend",
        }[TASKS_BACKEND],
    }
}
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", "amqp://guest:guest@127.0.0.1:5672//")

## LOGGING

LOG_LEVEL = env.choice("DJANGO_LOG_LEVEL", "WARNING", among=("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
}
