"""Say in one sentence why the database cannot be used, when an operator can mend that."""

from django.db import DatabaseError, OperationalError

_UNDEFINED = {"42P01", "42703"}  # PostgreSQL: a table, a column
_UNUSABLE_FILE = {"SQLITE_CANTOPEN", "SQLITE_NOTADB"}


def remedy(error: DatabaseError) -> str | None:
    """Return what is wrong and what to do, None when it is nothing that an operator could mend."""
    told = str(error).strip().partition("\n")[0].rstrip(".")
    if _lacks_migrations(error, told):
        return f"The database is not up to date: {told}. Run manage.py migrate."
    if _is_away(error):
        return f"The database cannot be used: {told}. Check DATABASE_URL, and that it runs."
    return None


def _lacks_migrations(error: DatabaseError, told: str) -> bool:
    undefined = getattr(error.__cause__, "sqlstate", None) in _UNDEFINED
    return undefined or told.startswith(("no such table", "no such column"))


def _is_away(error: DatabaseError) -> bool:
    """True without a connection: whatever a PostgreSQL server itself complains of has a state."""
    if getattr(error.__cause__, "sqlite_errorname", None) in _UNUSABLE_FILE:
        return True
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", "") is None
