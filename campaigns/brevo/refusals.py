"""Read the reports behind a finished import: who was refused, and why, in words."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

_REASONS = {
    "invalid_emails": "Brevo does not accept the e-mail address",
    "duplicate_contact_id": "the row belongs to a contact named in another row",
    "duplicate_ext_id": "the external id belongs to another contact",
    "duplicate_email_id": "the e-mail address belongs to another contact",
    "duplicate_phone_id": "the phone number belongs to another contact",
    "duplicate_whatsapp_id": "the WhatsApp number belongs to another contact",
    "duplicate_landline_number_id": "the landline number belongs to another contact",
}
_HEADINGS = frozenset({"EMAIL", "E-MAIL", "EMAIL_ID", "EMAIL ADDRESS"})


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Whom an import refused, and why: address and reason. ``problem`` says what is missing."""

    refused: Mapping[str, str]
    is_complete: bool = True
    problem: str = ""


def reason(kind: str) -> str:
    """Return what a kind of report means; a kind that is new speaks for itself."""
    return _REASONS.get(kind, kind.replace("_", " "))


def addresses(report: bytes) -> list[str]:
    """Return the e-mail addresses of a report, in the spelling it has.

    Brevo documents no format: commas or semicolons, with a heading or without, with or without a
    byte order mark. Without a heading the first value that looks like an address is taken.
    """
    text = report.decode("utf-8-sig", errors="replace")
    heading, _, _ = text.partition("\n")
    delimiter = ";" if heading.count(";") > heading.count(",") else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    column: int | None = None
    found: list[str] = []
    for number, row in enumerate(rows):
        cells = [cell.strip() for cell in row]
        if number == 0 and (column := _email_column(cells)) is not None:
            continue
        address = _address(cells, column)
        if address:
            found.append(address)
    return found


def _email_column(cells: list[str]) -> int | None:
    return next((at for at, cell in enumerate(cells) if cell.upper() in _HEADINGS), None)


def _address(cells: list[str], column: int | None) -> str:
    if column is not None:
        return cells[column] if column < len(cells) else ""
    return next((cell for cell in cells if "@" in cell), "")
