import pytest

from campaigns.brevo.refusals import addresses, reason


@pytest.mark.parametrize(
    "report",
    [
        b"EMAIL\nada@b.example\nobi@b.example\n",
        b"\xef\xbb\xbfFIRSTNAME;EMAIL\r\nAda;ada@b.example\r\nObi;obi@b.example",
        b'email,STATE\n"ada@b.example","Lagos, Island"\nobi@b.example,Kano\n',
        b"ada@b.example\nobi@b.example",
        b"17;ada@b.example;Lagos\n18;obi@b.example;Kano\n\n",
    ],
    ids=["heading", "mark and semicolons", "quoted", "bare", "no heading"],
)
def test_addresses_are_found_in_every_layout(report) -> None:
    assert addresses(report) == ["ada@b.example", "obi@b.example"]


def test_address_that_is_none_is_found_under_its_heading() -> None:
    assert addresses(b"ID;EMAIL\n1;not an address\n2\n3; \n") == ["not an address"]


def test_report_without_rows_refuses_nobody() -> None:
    assert addresses(b"") == []
    assert addresses(b"EMAIL\n") == []


def test_unknown_kind_of_refusal_speaks_for_itself() -> None:
    assert reason("duplicate_phone_id") == "the phone number belongs to another contact"
    assert reason("duplicate_fax_id") == "duplicate fax id"
