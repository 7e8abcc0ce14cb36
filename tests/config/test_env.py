import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def given(monkeypatch) -> Callable[..., None]:
    def set_to(value, name="CAMPAIGNS_X") -> None:
        monkeypatch.setenv(name, value)

    return set_to


@pytest.mark.parametrize("value", ["true", "1", "yes", "", "Flase"])
def test_boolean_that_is_neither_word_is_refused_with_a_remedy(given, value) -> None:
    given(value)

    with pytest.raises(ImproperlyConfigured) as caught:
        env.boolean("CAMPAIGNS_X", default=True)

    assert str(caught.value) == f"CAMPAIGNS_X={value!r} is not a boolean: write True or False."


@pytest.mark.parametrize(("value", "meant"), [("True", True), (" False ", False)])
def test_boolean_is_one_of_two_words(given, value, meant) -> None:
    given(value)

    assert env.boolean("CAMPAIGNS_X", default=not meant) is meant


def test_unset_variables_have_their_defaults() -> None:
    assert env.text("CAMPAIGNS_X", "a") == "a"
    assert env.boolean("CAMPAIGNS_X", default=False) is False
    assert env.integer("CAMPAIGNS_X", 7) == 7
    assert env.choice("CAMPAIGNS_X", "a", among=("a", "b")) == "a"
    assert env.words("CAMPAIGNS_X") == []
    assert env.secret("CAMPAIGNS_X") == ""


@pytest.mark.parametrize("value", ["", "ten", "1.5", "0", "-3", "151"])
def test_integer_that_is_none_or_out_of_range_is_refused_with_the_range(given, value) -> None:
    given(value)

    with pytest.raises(ImproperlyConfigured) as caught:
        env.integer("CAMPAIGNS_X", 100, maximum=150)

    assert str(caught.value) == f"CAMPAIGNS_X={value!r}: write a whole number from 1 to 150."


def test_integer_below_its_minimum_is_refused_with_the_minimum(given) -> None:
    given("1")

    with pytest.raises(ImproperlyConfigured, match="write a whole number of at least 2"):
        env.integer("CAMPAIGNS_X", 100, minimum=2)


def test_integer_above_a_maximum_of_zero_is_refused(given) -> None:
    given("1")

    with pytest.raises(ImproperlyConfigured, match="write a whole number from -5 to 0"):
        env.integer("CAMPAIGNS_X", 0, minimum=-5, maximum=0)


@pytest.mark.parametrize(("value", "meant"), [("1", 1), (" 150 ", 150)])
def test_integer_may_be_its_own_limit(given, value, meant) -> None:
    given(value)

    assert env.integer("CAMPAIGNS_X", 100, maximum=150) == meant


@pytest.mark.parametrize("value", ["", "Database", "redis"])
def test_choice_that_is_not_offered_is_refused_with_the_offers(given, value) -> None:
    given(value)

    with pytest.raises(ImproperlyConfigured) as caught:
        env.choice("CAMPAIGNS_X", "immediate", among=("immediate", "database"))

    assert str(caught.value) == f"CAMPAIGNS_X={value!r}: write one of immediate, database."


def test_choice_is_what_was_written(given) -> None:
    given(" database ")

    assert env.choice("CAMPAIGNS_X", "immediate", among=("immediate", "database")) == "database"


def test_words_are_parted_by_commas_without_blanks(given) -> None:
    given(" a.example, ,b.example,")

    assert env.words("CAMPAIGNS_X") == ["a.example", "b.example"]


@pytest.mark.parametrize("holder", ["missing", "."])
def test_secret_in_a_file_that_cannot_be_read_is_refused_with_the_file(
    given, tmp_path, holder
) -> None:
    given(str(tmp_path / holder), "CAMPAIGNS_X_FILE")

    with pytest.raises(ImproperlyConfigured, match=r"CAMPAIGNS_X_FILE='.*' cannot be read: "):
        env.secret("CAMPAIGNS_X")


def test_secret_in_a_file_that_is_no_text_is_refused_with_the_file(given, tmp_path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")
    given(str(tmp_path / "key"), "CAMPAIGNS_X_FILE")

    with pytest.raises(ImproperlyConfigured, match=r"CAMPAIGNS_X_FILE='.*' cannot be read: "):
        env.secret("CAMPAIGNS_X")


def test_secret_comes_from_the_variable_or_else_from_the_file(given, tmp_path) -> None:
    (tmp_path / "key").write_text("from the file\n", encoding="utf-8")
    given(str(tmp_path / "key"), "CAMPAIGNS_X_FILE")
    assert env.secret("CAMPAIGNS_X") == "from the file"

    given("from the variable")
    assert env.secret("CAMPAIGNS_X") == "from the variable"


@pytest.mark.parametrize("url", ["", "db.sqlite3", "nosuch://x", "postgres://u:p@host:port/x"])
def test_database_address_that_cannot_be_understood_is_refused_with_a_remedy(url, tmp_path) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        env.database(url, base=tmp_path)

    told = str(caught.value)
    assert told.startswith("DATABASE_URL cannot be understood: write sqlite:///file or postgres://")
    assert "u:p@" not in told


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///db.sqlite3", "/base/db.sqlite3"),
        ("sqlite:////srv/db.sqlite3", "/srv/db.sqlite3"),
        ("sqlite:///:memory:", ":memory:"),
        ("sqlite://:memory:", ":memory:"),
    ],
)
def test_sqlite_file_lies_below_the_base_unless_it_says_where(url, name) -> None:
    config = env.database(url, base=Path("/base"))

    assert config["NAME"] == name
    assert config["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_postgresql_address_is_taken_apart() -> None:
    config = env.database("postgres://ada:s%40fe@db.example:6543/campaigns", base=ROOT)

    assert {key: config[key] for key in ("ENGINE", "USER", "PASSWORD", "HOST", "PORT", "NAME")} == {
        "ENGINE": "django.db.backends.postgresql",
        "USER": "ada",
        "PASSWORD": "s@fe",
        "HOST": "db.example",
        "PORT": 6543,
        "NAME": "campaigns",
    }


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"DJANGO_DEBUG": "true"},
            "DJANGO_DEBUG='true' is not a boolean: write True or False.",
        ),
        (
            {"DJANGO_DEBUG": "False", "DJANGO_SECRET_KEY": ""},
            (
                "DJANGO_SECRET_KEY is missing: set it to a long random text "
                "(or set DJANGO_DEBUG=True on a developer's machine)."
            ),
        ),
        (
            {"BREVO_CHUNK_SIZE": "many"},
            "BREVO_CHUNK_SIZE='many': write a whole number from 1 to 150.",
        ),
    ],
)
def test_start_with_a_mistyped_variable_ends_with_one_sentence(variables, sentence) -> None:
    own = {"DJANGO_SETTINGS_MODULE": "config.settings", "DJANGO_SECRET_KEY": "x"}
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | own | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"Configuration error: {sentence}\n"


@pytest.mark.parametrize("pinned", ["runtime.txt", "dev.txt"])
def test_pinned_requirements_hold_names_and_hashes_but_no_address(pinned) -> None:
    text = (ROOT / "requirements" / pinned).read_text(encoding="utf-8")

    assert "://" not in text
    assert "--index-url" not in text
    assert "--hash=sha256:" in text
