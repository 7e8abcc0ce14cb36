"""Files that hold people's data are for their owner alone."""

import os
from pathlib import Path
from typing import Any

PRIVATE = 0o600
_OTHERS = 0o077
_A_TABLE = "SELECT 1 FROM sqlite_master LIMIT 1"


def is_open_to_others(path: Path) -> bool:
    """True when other users of the machine may read or write an existing file."""
    return path.is_file() and bool(path.stat().st_mode & _OTHERS)


def write_private(path: Path, text: str) -> None:
    """Write a text file that nobody else may read, whatever it was before."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        path.chmod(PRIVATE)
        file.write(text)


def make_new_database_private(connection: Any, **_: Any) -> None:
    """Receive ``connection_created``: an SQLite file without a table is its owner's alone.

    So is what SQLite keeps beside it. A file that holds something keeps its mode.
    """
    if connection.vendor != "sqlite":
        return
    path = Path(str(connection.settings_dict["NAME"]))
    if is_open_to_others(path) and not connection.connection.execute(_A_TABLE).fetchone():
        for file in (path, *(path.with_name(f"{path.name}-{kind}") for kind in ("wal", "shm"))):
            if file.is_file():
                file.chmod(PRIVATE)
