import io

import pytest

from campaigns.brevo.refusals import ReportReader, addresses, reason

BOTH = ["ada@b.example", "obi@b.example"]


def read(report: bytes) -> tuple[list[str], str]:
    return addresses(io.BytesIO(report))


LAYOUTS = {
    "heading": b"EMAIL\nada@b.example\nobi@b.example\n",
    "mark and semicolons": b"\xef\xbb\xbfFIRSTNAME;EMAIL\r\nAda;ada@b.example\r\nObi;obi@b.example",
    "quoted": b'email,STATE\n"ada@b.example","Lagos, Island"\nobi@b.example,Kano\n',
    "bare": b"ada@b.example\nobi@b.example",
    "no heading": b"17;ada@b.example;Lagos\n18;obi@b.example;Kano\n\n",
    "bytes that no database holds": b"EMAIL\nad\0a@b.example\nobi@b.example\n",
    "heading in another language": b"Nom;Adresse\nAda;ada@b.example\nObi;obi@b.example\n",
    "tabs": b"ID\tEMAIL\n1\tada@b.example\n2\tobi@b.example\n",
    "old line ends": b"EMAIL\rada@b.example\robi@b.example\r",
    "wide letters": "EMAIL;NAME\nada@b.example;Ọ̀ṣun\nobi@b.example;Obi\n".encode("utf-16"),
    "another alphabet's bytes": "EMAIL;N\nada@b.example;Zoë\nobi@b.example;x\n".encode("latin-1"),
    "pairs of quotes in names": b'EMAIL;N\nada@b.example;A "the" B\nobi@b.example;"O ""x"" i"\n',
    "an address as a name": b"NAME;EMAIL\nx@y.example;ada@b.example\nObi;obi@b.example\n",
}


@pytest.mark.parametrize("report", LAYOUTS.values(), ids=LAYOUTS)
def test_addresses_are_found_in_every_layout(report) -> None:
    assert read(report) == (BOTH, "")


QUOTES = {
    "at the start of a name": b'N;EMAIL\n"Ada;ada@b.example\nObi;obi@b.example\n',
    "within a name": b'EMAIL;N\nada@b.example;5" nail\nobi@b.example;Obi\n',
    "without a heading": b'1;"Ada;ada@b.example\n2;Obi;obi@b.example\n',
    "around the end of a line": b'N;EMAIL\n"Ada\nO.";ada@b.example\nObi;obi@b.example\n',
    "in the heading": b'"N;EMAIL\nAda;ada@b.example\nObi;obi@b.example\n',
}


@pytest.mark.parametrize("report", QUOTES.values(), ids=QUOTES)
def test_quote_that_nobody_closes_takes_no_line_with_it_and_is_a_problem(report) -> None:
    found, problem = read(report)

    assert (found, problem) == (BOTH, "a quote in it is never closed")


def test_quote_that_nobody_closes_in_a_long_report_is_no_error() -> None:
    rest = b"".join(b"Ada %d;ada%d@b.example\n" % (n, n) for n in range(20_000))

    found, problem = read(b'N;EMAIL\n"Ada;ada@b.example\n' + rest)

    assert (len(found), problem) == (20_001, "a quote in it is never closed")


def test_value_with_a_delimiter_in_it_does_not_hide_the_address() -> None:
    found, _ = read(b"N;EMAIL\nLast; First;ada@b.example\nObi;obi@b.example\n")

    assert found == BOTH


INCOMPLETE = {
    "cut off": (b"EMAIL;SMS\nada@b.example;1\nobi@b.exa", "it is cut off"),
    "nobody named": (b"ID;EMAIL\n1;ada@b.example\n2\n", "a line names nobody"),
    "no text": (b"\x1f\x8b\x08\x00\x00\n\x00\xff\xfe\n", "a line names nobody"),
    "one line that is no heading": (b"<html><body>Sign in</body></html>", "a line names nobody"),
    "a web page": (b"<html>\n<body>Sign in</body>\n", "a line names nobody"),
    "address not decoded": (b"EMAIL\nad\xff@b.example\n", "a line names nobody"),
    "endless line": (b"EMAIL\n" + b"a" * 70_000 + b"@b.example\n", "a line is too long"),
}


@pytest.mark.parametrize(("report", "expected"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_report_that_cannot_be_read_whole_says_so(report, expected) -> None:
    assert read(report)[1] == expected


def test_address_that_is_none_is_found_under_its_heading() -> None:
    assert read(b"ID;EMAIL\n1;not an address\n\n; \n") == (["not an address"], "")


def test_report_without_rows_refuses_nobody() -> None:
    assert read(b"") == ([], "")
    assert read(b"EMAIL\n") == ([], "")


def test_reasons_of_several_reports_add_up_and_the_first_problem_is_shown() -> None:
    reader = ReportReader()
    reader.read("invalid_emails", io.BytesIO(b"EMAIL\nada@b.example\nada@b.example\n"))
    reader.read("duplicate_phone_id", io.BytesIO(b"ada@b.example\n"))
    assert reader.result().is_complete
    reader.miss("First.")
    reader.miss("Second.")

    report = reader.result()

    assert report.refused == {
        "ada@b.example": "Brevo does not accept the e-mail address; "
        "the phone number belongs to another contact"
    }
    assert (report.is_complete, report.problem) == (False, "First.")


def test_unknown_kind_of_refusal_speaks_for_itself() -> None:
    assert reason("duplicate_phone_id") == "the phone number belongs to another contact"
    assert reason("duplicate_fax_id") == "duplicate fax id"
