"""Read the reports behind a finished import: who was refused, and why, in words."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

ADDRESS_REFUSED = "Brevo does not accept the e-mail address"
PHONE_TAKEN = "the phone number belongs to another contact"
_REASONS = {
    "invalid_emails": ADDRESS_REFUSED,
    "duplicate_contact_id": "the row belongs to a contact named in another row",
    "duplicate_ext_id": "the external id belongs to another contact",
    "duplicate_email_id": "the e-mail address belongs to another contact",
    "duplicate_phone_id": PHONE_TAKEN,
    "duplicate_whatsapp_id": "the WhatsApp number belongs to another contact",
    "duplicate_landline_number_id": "the landline number belongs to another contact",
}
_HEADINGS = frozenset({"EMAIL", "E-MAIL", "EMAIL_ID", "EMAIL ADDRESS"})
_DELIMITERS = (";", ",", "\t", "|")
_ADDRESS = re.compile(r'[^\s";,|<>@]+@[^\s";,|<>@]+')
_LONGEST_LINE = 65_536
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_UNDECODED = "\ufffd"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Whom an import refused: {address: reason}.

    Unless it ``is_complete`` there may be more of them, and ``problem`` says in a sentence why
    nobody knows: then only the list tells who arrived.
    """

    refused: Mapping[str, str]
    is_complete: bool = True
    problem: str = ""


def reason(kind: str) -> str:
    """Return what a kind of report means; a kind that is new speaks for itself."""
    return _REASONS.get(kind, kind.replace("_", " "))


class ReportReader:
    """Reads one report after the other; whatever it cannot read makes the whole incomplete."""

    def __init__(self) -> None:
        self._reasons: dict[str, list[str]] = {}
        self._problem = ""

    def miss(self, problem: str) -> None:
        """Note that something could not be read; the first problem is the one to show."""
        self._problem = self._problem or problem

    def read(self, kind: str, report: IO[bytes]) -> None:
        emails, problem = addresses(report)
        if problem:
            self.miss(f"The report of the import cannot be read to its end: {problem}.")
        why = reason(kind)
        for email in emails:
            reasons = self._reasons.setdefault(email, [])
            if why not in reasons:
                reasons.append(why)

    def result(self) -> ImportReport:
        refused = {email: "; ".join(reasons) for email, reasons in self._reasons.items()}
        return ImportReport(refused, not self._problem, self._problem)


def addresses(report: IO[bytes]) -> tuple[list[str], str]:
    """Return the e-mail addresses of a report, in the spelling it has, and what is wrong with it.

    Brevo documents no format: commas or semicolons, with a heading or without, with or without a
    byte order mark. Without a heading the first value that looks like an address is taken. Each
    line is read for itself, so that a quote that nobody closed takes no other line with it.
    """
    is_utf_16 = report.read(2) in _UTF_16
    report.seek(0)
    encoding = "utf-16" if is_utf_16 else "utf-8-sig"
    text = io.TextIOWrapper(report, encoding, errors="replace")
    lines = _Lines()
    while line := text.readline(_LONGEST_LINE):
        lines.read(line)
    lines.end()
    return lines.found, lines.problem


class _Lines:
    """What the lines read so far say."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.problem = ""
        self._delimiter = ""
        self._column: int | None = None
        self._width = 0

    def read(self, line: str) -> None:
        line = line.replace("\0", "")
        is_whole = line.endswith("\n")
        if not line.strip(' \t\r\n;,|"'):
            return
        if len(line) >= _LONGEST_LINE:
            self.problem = self.problem or "a line is too long"
        is_first = not self._delimiter
        if is_first:
            self._delimiter = max(_DELIMITERS, key=line.count)
        cells = self._cells(line)
        if is_first:
            self._width = len(cells)
            headed = (at for at, cell in enumerate(cells) if cell.upper() in _HEADINGS)
            self._column = next(headed, None)
            if self._column is not None:
                return
        elif not is_whole and len(cells) < self._width:
            self.problem = self.problem or "it is cut off"
        found = self._addresses(line, cells)
        if is_first and cells and not found:
            return  # a heading in words of its own, if lines with addresses follow
        if not found or any(_UNDECODED in address for address in found):
            self.problem = self.problem or "a line names nobody"
        self.found += found

    def end(self) -> None:
        if self._delimiter and self._column is None and not self.found:
            self.problem = self.problem or "a line names nobody"

    def _cells(self, line: str) -> list[str]:
        """Split a line; one whose quotes do not pair off is not split, and is a problem."""
        if line.count('"') % 2 == 0:
            try:
                [row] = csv.reader([line], delimiter=self._delimiter)
            except (csv.Error, ValueError):
                pass
            else:
                return [cell.strip() for cell in row]
        self.problem = self.problem or "a quote in it is never closed"
        return []

    def _addresses(self, line: str, cells: list[str]) -> list[str]:
        """Return the line's address; where nobody can tell which value it is, each that may be."""
        if self._column is not None and self._column < len(cells) == self._width:
            cell = cells[self._column]
            if cell and ("@" in cell or not _ADDRESS.search(line)):
                return [cell]
        elif self._column is None and cells:
            return next(([cell] for cell in cells if "@" in cell), [])
        return _ADDRESS.findall(line)
