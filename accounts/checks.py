"""What an operator should know about log-ins and files before people's data gets in."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 -- Django's name
from django.db import DatabaseError

from accounts.demo_logins import REMEDY, open_demo_logins, warning_about
from config.files import is_open_to_others


@register(deploy=True)
def check_demo_logins(**_: Any) -> list[CheckMessage]:
    try:
        emails = open_demo_logins()
    except DatabaseError:  # not there yet, or without tables: nobody can log in
        return []
    if not emails:
        return []
    return [Error(warning_about(emails), hint=REMEDY, id="accounts.E001")]


@register(deploy=True)
def check_files(**_: Any) -> list[CheckMessage]:
    database = settings.DATABASES["default"]
    paths = [Path(settings.BASE_DIR) / ".env"]
    if database["ENGINE"].endswith("sqlite3"):
        paths.append(Path(str(database["NAME"])))
    return [
        Warning(
            f"{path.name} can be read by other users of this machine.",
            hint=f"Run: chmod 600 {path.name}",
            id="accounts.W001",
        )
        for path in paths
        if is_open_to_others(path)
    ]
