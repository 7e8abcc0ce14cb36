"""Read settings from the environment, strictly: a typo stops the start and names the variable."""

import io
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv
from dotenv.parser import parse_stream

# A host name, without the scheme or port that would keep it from ever fitting a request.
HOST = re.compile(r"[^\s/:]+|\[[0-9A-Fa-f:.]+\]")
# A scheme and a host, without the slash at the end that no browser sends.
ORIGIN = re.compile(r"https?://[^\s/]+")


def load(file: Path) -> None:
    """Add what a file of NAME=value lines says and the environment does not; no file is fine.

    Raises ImproperlyConfigured for a file, or a line, that cannot be read.
    """
    if not file.exists():
        return
    try:
        written = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{file} cannot be read: {error}.") from error
    for line in parse_stream(io.StringIO(written)):
        if line.error:
            where = f"{file}, line {line.original.line}"
            raise ImproperlyConfigured(f"{where} cannot be understood: write NAME=value.")
    load_dotenv(stream=io.StringIO(written))


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


def words(name: str, *, like: re.Pattern[str], example: str) -> list[str]:
    """Return a comma-separated list; raise ImproperlyConfigured for a word of another shape."""
    found = [word.strip() for word in text(name).split(",") if word.strip()]
    for word in found:
        if not like.fullmatch(word):
            raise ImproperlyConfigured(f"{name}: {word!r} never fits, write it like {example}.")
    return found


def pairs(name: str, *, example: str) -> dict[str, str]:
    """Return comma-separated pairs, names in small letters and values in capitals.

    Raises ImproperlyConfigured for what is no pair, and for a name that is given twice.
    """
    found: dict[str, str] = {}
    for word in filter(None, (word.strip() for word in text(name).split(","))):
        key, _, value = (part.strip() for part in word.partition("="))
        if not key or not value or key.lower() in found:
            raise ImproperlyConfigured(f"{name}: {word!r} cannot be read: write {example}.")
        found[key.lower()] = value.upper()
    return found


def something(name: str, default: str) -> str:
    """Return a text; raise ImproperlyConfigured for an empty one."""
    raw = text(name, default)
    if not raw:
        raise ImproperlyConfigured(f"{name} is empty: write something, or leave it out.")
    return raw


def url(name: str, default: str) -> str:
    """Return a web address without a slash at its end; raise ImproperlyConfigured for none."""
    raw = text(name, default)
    try:
        parts = urlsplit(raw)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ImproperlyConfigured(f"{name}={raw!r} is not a URL: write one like {default}.")
    return raw.rstrip("/")


def time_zone(name: str, default: str) -> str:
    """Return the name of a time zone; raise ImproperlyConfigured for one that is not known."""
    raw = text(name, default)
    try:
        ZoneInfo(raw)
    except (KeyError, ValueError, OSError) as error:
        remedy = "write one like Africa/Lagos"
        raise ImproperlyConfigured(f"{name}={raw!r} is not a time zone: {remedy}.") from error
    return raw


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
        raise _no_database() from error
    name = config.get("NAME")
    if config.get("ENGINE") == "django.db.backends.sqlite3":
        # A URL without a file would mean a database that is gone when the command ends.
        if name == ":memory:" and not url.endswith(":memory:"):
            raise _no_database()
        if name != ":memory:":
            config["NAME"] = str(base / str(name))
        config["OPTIONS"] = SQLITE_OPTIONS
    elif config.get("ENGINE") == "django.db.backends.postgresql" and name:
        config["CONN_MAX_AGE"] = 60
        config["CONN_HEALTH_CHECKS"] = True
    else:
        raise _no_database()
    return config


def _no_database() -> ImproperlyConfigured:
    remedy = "write sqlite:///file or postgres://user:password@host:5432/name"
    return ImproperlyConfigured(f"DATABASE_URL cannot be understood: {remedy}.")
