import sqlite3
from pathlib import Path

from django.db.backends.sqlite3.base import DatabaseWrapper

from config.files import is_open_to_others, make_new_database_private, write_private


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def connection_to(path: Path) -> DatabaseWrapper:
    return DatabaseWrapper({"NAME": str(path), "ENGINE": "django.db.backends.sqlite3"})


def test_text_is_written_for_its_owner_alone_even_over_an_open_file(tmp_path) -> None:
    path = tmp_path / ".env"
    path.touch(0o644)

    write_private(path, "A=1\n")

    assert (mode(path), path.read_text()) == (0o600, "A=1\n")
    assert not is_open_to_others(path)


def test_new_database_is_its_owners_alone(tmp_path) -> None:
    path = tmp_path / "db.sqlite3"
    sqlite3.connect(path).close()
    path.touch(0o644)

    make_new_database_private(connection_to(path))

    assert mode(path) == 0o600


def test_database_that_holds_something_keeps_its_mode(tmp_path) -> None:
    path = tmp_path / "db.sqlite3"
    path.write_bytes(b"something")
    path.chmod(0o640)

    make_new_database_private(connection_to(path))

    assert mode(path) == 0o640
    assert is_open_to_others(path)
