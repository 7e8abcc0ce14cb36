import sqlite3
from pathlib import Path

from django.db.backends.sqlite3.base import DatabaseWrapper

from config.files import is_open_to_others, make_new_database_private, write_private


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def opened(path: Path) -> DatabaseWrapper:
    """Open a file as our settings do, with a log beside it."""
    wrapper = DatabaseWrapper({"NAME": str(path), "ENGINE": "django.db.backends.sqlite3"})
    wrapper.connection = sqlite3.connect(path)
    wrapper.connection.execute("PRAGMA journal_mode=WAL")
    return wrapper


def test_text_is_written_for_its_owner_alone_even_over_an_open_file(tmp_path) -> None:
    path = tmp_path / ".env"
    path.touch(0o644)

    write_private(path, "A=1\n")

    assert (mode(path), path.read_text()) == (0o600, "A=1\n")
    assert not is_open_to_others(path)


def test_new_database_is_its_owners_alone(tmp_path) -> None:
    path = tmp_path / "db.sqlite3"
    wrapper = opened(path)
    path.chmod(0o644)

    make_new_database_private(wrapper)

    assert {mode(file) for file in tmp_path.iterdir()} == {0o600}
    wrapper.connection.close()


def test_database_that_holds_something_keeps_its_mode(tmp_path) -> None:
    path = tmp_path / "db.sqlite3"
    wrapper = opened(path)
    wrapper.connection.execute("CREATE TABLE people (id)")
    path.chmod(0o640)

    make_new_database_private(wrapper)

    assert mode(path) == 0o640
    assert is_open_to_others(path)
    wrapper.connection.close()
