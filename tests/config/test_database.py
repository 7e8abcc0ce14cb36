import subprocess

import pytest
from django.db import DatabaseError, connection, transaction

from config.database import remedy
from tests.elsewhere import environment, manage


def ended(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        manage("sync_segment", "--all", *words),
        env=environment(DATABASE_URL=url),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgres://ada:s3cret@127.0.0.1:9/campaigns", "The database cannot be used: connection"),
        ("sqlite:////nowhere/db.sqlite3", "The database cannot be used: unable to open database"),
    ],
)
def test_database_that_is_not_there_is_one_sentence_without_the_password(db, url, told) -> None:
    said = ended(url)

    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith(told)
    assert said.stderr.endswith(". Check DATABASE_URL, and that it runs.\n")
    assert (said.stderr.count("\n"), "s3cret" in said.stderr) == (1, False)


def test_database_without_migrations_is_one_sentence(db, tmp_path) -> None:
    said = ended(f"sqlite:///{tmp_path / 'empty.sqlite3'}")

    assert said.returncode == 1
    assert said.stderr == (
        "The database is not up to date: no such table: campaigns_segment. Run manage.py migrate.\n"
    )


def test_traceback_is_shown_to_whoever_asks_for_it(db, tmp_path) -> None:
    said = ended(f"sqlite:///{tmp_path / 'empty.sqlite3'}", "--traceback")

    assert said.returncode == 1
    assert said.stderr.startswith("Traceback ")


@pytest.mark.parametrize(
    ("query", "is_ours"),
    [
        ("SELECT 1 FROM no_such_table", True),
        ("SELECT no_such_column FROM accounts_user", True),
        ("SELECT FROM WHERE", False),
    ],
)
def test_what_a_migration_mends_is_told_from_a_fault_of_the_code(db, query, is_ours) -> None:
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        connection.cursor().execute(query)

    told = remedy(caught.value)
    assert (told is not None) == is_ours
    assert told is None or told.endswith("Run manage.py migrate.")
