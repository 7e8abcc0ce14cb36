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
    assert env.words("CAMPAIGNS_X", like=env.HOST, example="a.example") == []
    assert env.something("CAMPAIGNS_X", "a") == "a"
    assert env.pairs("CAMPAIGNS_X", example="a=B") == {}
    assert env.url("CAMPAIGNS_X", "https://a.example") == "https://a.example"
    assert env.time_zone("CAMPAIGNS_X", "UTC") == "UTC"
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
    given(" a.example, ,.b.example,*,[::1],127.0.0.1")

    hosts = env.words("CAMPAIGNS_X", like=env.HOST, example="a.example")

    assert hosts == ["a.example", ".b.example", "*", "[::1]", "127.0.0.1"]


@pytest.mark.parametrize("word", ["https://b.example", "b.example:8000", "b.example/", "b example"])
def test_host_that_fits_no_request_is_refused_with_an_example(given, word) -> None:
    given(f"a.example,{word}")

    with pytest.raises(ImproperlyConfigured) as caught:
        env.words("CAMPAIGNS_X", like=env.HOST, example="a.example")

    assert str(caught.value) == f"CAMPAIGNS_X: {word!r} never fits, write it like a.example."


@pytest.mark.parametrize("word", ["b.example", "https://b.example/", "ftp://b.example"])
def test_origin_that_no_browser_sends_is_refused(given, word) -> None:
    given(f"https://a.example,https://*.b.example:8443,{word}")

    with pytest.raises(ImproperlyConfigured, match=r"CAMPAIGNS_X: '.*' never fits"):
        env.words("CAMPAIGNS_X", like=env.ORIGIN, example="https://a.example")


def test_pairs_have_names_in_small_letters_and_values_in_capitals(
    given,
) -> None:
    given(" State = our_state , country=OUR_COUNTRY,")

    assert env.pairs("CAMPAIGNS_X", example="a=B") == {
        "state": "OUR_STATE",
        "country": "OUR_COUNTRY",
    }


@pytest.mark.parametrize("value", ["state", "state=", "=OUR", "state=A,STATE=B"])
def test_what_is_no_pair_is_refused_with_an_example(given, value) -> None:
    given(value)

    with pytest.raises(ImproperlyConfigured, match=r"CAMPAIGNS_X: .* write a=B\.$"):
        env.pairs("CAMPAIGNS_X", example="a=B")


def test_text_that_must_be_there_may_not_be_empty(given) -> None:
    given("  ")

    with pytest.raises(ImproperlyConfigured, match="CAMPAIGNS_X is empty: write something"):
        env.something("CAMPAIGNS_X", "a")


@pytest.mark.parametrize(
    "value", ["", "api.example/v3", "ftp://api.example", "https:///v3", "http://a:port", "http://["]
)
def test_address_that_is_no_url_is_refused_with_the_default(given, value) -> None:
    given(value)

    with pytest.raises(ImproperlyConfigured) as caught:
        env.url("CAMPAIGNS_X", "https://api.example/v3")

    told = f"CAMPAIGNS_X={value!r} is not a URL: write one like https://api.example/v3."
    assert str(caught.value) == told


def test_url_loses_the_slash_at_its_end(given) -> None:
    given("http://127.0.0.1:8900/v3/")

    assert env.url("CAMPAIGNS_X", "https://api.example/v3") == "http://127.0.0.1:8900/v3"


@pytest.mark.parametrize("value", ["", "Mars", "Europe", "../UTC", "Africa/Lagoss"])
def test_time_zone_that_nobody_knows_is_refused_with_an_example(given, value) -> None:
    given(value)

    with pytest.raises(ImproperlyConfigured) as caught:
        env.time_zone("CAMPAIGNS_X", "UTC")

    told = f"CAMPAIGNS_X={value!r} is not a time zone: write one like Africa/Lagos."
    assert str(caught.value) == told


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CAMPAIGNS_X", "of the environment")
    monkeypatch.setenv("CAMPAIGNS_Y", "")  # so that what the file sets is unset again
    monkeypatch.delenv("CAMPAIGNS_Y")
    return tmp_path / ".env"


def test_file_sets_what_the_environment_does_not(file) -> None:
    file.write_text("# said\nCAMPAIGNS_X=no\nexport CAMPAIGNS_Y='of the file'\n", encoding="utf-8")

    env.load(file)

    assert env.text("CAMPAIGNS_X") == "of the environment"
    assert env.text("CAMPAIGNS_Y") == "of the file"


def test_no_file_is_fine(file) -> None:
    env.load(file)

    assert env.text("CAMPAIGNS_Y") == ""


def test_line_of_the_file_that_sets_nothing_is_refused_with_its_number(file) -> None:
    file.write_text("CAMPAIGNS_Y=1\nCAMPAIGNS_X: no\n", encoding="utf-8")

    with pytest.raises(ImproperlyConfigured) as caught:
        env.load(file)

    assert str(caught.value) == f"{file}, line 2 cannot be understood: write NAME=value."
    assert env.text("CAMPAIGNS_Y") == ""


def test_file_that_is_no_text_is_refused(file) -> None:
    file.write_bytes(b"CAMPAIGNS_Y=caf\xe9\n")

    with pytest.raises(ImproperlyConfigured, match=r"\.env cannot be read: "):
        env.load(file)


def test_file_that_is_a_folder_is_refused(file) -> None:
    file.mkdir()

    with pytest.raises(ImproperlyConfigured, match=r"\.env cannot be read: "):
        env.load(file)


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


@pytest.mark.parametrize(
    "url",
    [
        "",
        "db.sqlite3",
        "nosuch://x",
        "mysql://u:p@host/x",
        "postgres://u:p@host:port/x",
        "postgres://u:p@host:5432/",
        "sqlite:///",
        "sqlite://db.sqlite3",
    ],
)
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
        (
            {"BREVO_ATTRIBUTES": "phone=MOBILE"},
            (
                "BREVO_ATTRIBUTES: 'phone' is none of our attributes: write one of first_name, "
                "last_name, country, state, referral_source."
            ),
        ),
        (
            {"DJANGO_LOG_LEVEL": "verbose"},
            "DJANGO_LOG_LEVEL='verbose': write one of DEBUG, INFO, WARNING, ERROR.",
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
