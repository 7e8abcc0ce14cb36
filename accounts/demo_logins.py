"""The people of the demo whose password is public: nobody gets in with it outside a demo."""

from accounts.enums import Role
from accounts.models import User

DEMO_PASSWORD = "campaigns-demo"  # noqa: S105 -- public on purpose
DEMO_LOGINS = {Role.ADMIN: "admin@example.com", Role.MANAGER: "manager@example.com"}


REMEDY = "Use a database of its own, or delete these people or give them another password."


def open_demo_logins() -> list[str]:
    """Return the addresses of those who still have the public password; costs a hash for each."""
    people = User.objects.filter(email_key__in=DEMO_LOGINS.values(), is_active=True)
    return [person.email for person in people if person.check_password(DEMO_PASSWORD)]


def warning_about(emails: list[str]) -> str:
    """Return what is wrong with a database in which these people have the public password."""
    return f"The database is a demo's: {' and '.join(emails)} have a password that is public."
