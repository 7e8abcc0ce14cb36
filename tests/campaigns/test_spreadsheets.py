import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.spreadsheets import cell, line, lines

FORMULA = re.compile(r"\s*[\u200b\ufeff]*\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def read(text: str, delimiter: str) -> list[str]:
    return [value for row in csv.reader(io.StringIO(text), delimiter=delimiter) for value in row]


@pytest.mark.parametrize(
    "value",
    [
        "=1",
        "+1",
        "-1",
        "@x",
        "\tx",
        "\rx",
        "\nx",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0dx",
        "\uff20SUM(A1)",
        "+234x",
        "+2348031234567;x",
        "+234 803 123 4567",
    ],
)
def test_text_that_begins_like_a_formula_gets_an_apostrophe(value) -> None:
    assert cell(value) == f"'{value}"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (" =1+1", " '=1+1"),
        ("\u00a0=1", "\u00a0'=1"),
        ("\u200b=1", "\u200b'=1"),
        ("x;=1+2", "x;'=1+2"),
        ("x; =1+2", "x; '=1+2"),
        ("x\t@SUM(A1)", "x\t'@SUM(A1)"),
        ("x\n=cmd|' /C calc'!A0", "x\n'=cmd|' /C calc'!A0"),
    ],
)
def test_formula_behind_something_that_a_spreadsheet_skips_or_splits_at_gets_one_too(
    value, told
) -> None:
    assert cell(value) == told


@pytest.mark.parametrize("value", ["", "Ada", "a=1", "+2348031234567", "a;b", "O'Neil", "x - y"])
def test_other_text_and_a_phone_number_are_left_alone(value) -> None:
    assert cell(value) == value


def test_numbers_are_left_alone_and_nothing_is_empty() -> None:
    assert (cell(-12), cell(None)) == ("-12", "")


def test_what_a_comma_a_semicolon_a_tab_or_a_line_could_divide_is_in_quotes() -> None:
    values = ["a,b", "a;b", "a\tb", "a\nb", 'a "b"', " a", "plain"]

    written = line(values)

    assert written == '"a,b","a;b","a\tb","a\nb","a ""b"""," a",plain\r\n'
    assert read(written, ",") == values


def test_quote_after_a_semicolon_hides_no_formula() -> None:
    written = line(["a", ';"=1'])

    assert read(written, ";") == ['a,"', "'=1\""]


@given(st.lists(st.text(st.sampled_from("=+-@;,\t\n\r\" 'ax1\uff1d\u200b")), min_size=1))
def test_no_reading_of_a_file_makes_a_formula_of_a_cell(values) -> None:
    written = line([f"x{value}" for value in values]) + line(values)

    for delimiter in (",", ";", "\t"):
        try:
            found = read(written, delimiter)
        except csv.Error:  # a carriage return where this dialect expects none
            continue
        assert [value for value in found if FORMULA.match(value)] == []


def test_long_files_come_in_pieces() -> None:
    pieces = list(lines(["n"], ([number] for number in range(1200))))

    assert len(pieces) == 3
    assert "".join(pieces).splitlines() == ["n", *map(str, range(1200))]
