"""CSV of any length in flat memory, safe to open in a spreadsheet. All files are written here.

A spreadsheet runs a cell that begins like a formula, and one that expects semicolons or tabs
splits a text at them and runs what follows.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from django.http import StreamingHttpResponse

BYTE_ORDER_MARK = "\ufeff"  # spreadsheets read UTF-8 only when told so
_ROWS_AT_ONCE = 500
# What begins a formula, with what a spreadsheet may skip before it: spaces, invisible marks, and a
# quote where it divides the text elsewhere than we do. The last four are full-width.
_FORMULA = re.compile(
    r"(^|[;\t\r\n|])((?:[^\S\t\r\n]|[\"\u00ad\u200b-\u200f\u2060\ufeff])*)"
    r"(?=[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])"
)
_PHONE = re.compile(r"\+[0-9]{5,15}")
_NEEDS_QUOTES = re.compile(r'[",;\t\r\n|]|\A\s|\s\Z')


def cell(value: Any) -> str:
    """Return the value as text that no spreadsheet takes for a formula.

    An apostrophe before what looks like one makes it a text. Numbers stay, and so does a phone
    number in E.164: digits cannot execute anything, and must come out as they went in.
    """
    if value is None:
        return ""
    text = str(value)
    if not isinstance(value, str) or _PHONE.fullmatch(text):
        return text
    return _FORMULA.sub(r"\1\2'", text)


def line(values: Iterable[Any]) -> str:
    """Return one line of a file, quoted wherever a comma, a semicolon or a tab could divide it."""
    return ",".join(_quoted(cell(value)) for value in values) + "\r\n"


def lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield the file in pieces of many rows, so that little is spent on each piece."""
    piece = [line(header)]
    for row in rows:
        piece.append(line(row))
        if len(piece) >= _ROWS_AT_ONCE:
            yield "".join(piece)
            piece.clear()
    yield "".join(piece)


def _quoted(text: str) -> str:
    if not _NEEDS_QUOTES.search(text):
        return text
    return f'"{text.replace(chr(34), chr(34) * 2)}"'


def streamed(
    name: str, header: Iterable[str], rows: Iterable[Iterable[Any]], *, begin: str = ""
) -> StreamingHttpResponse:
    """Send the file ``name``.csv as its rows come: memory does not grow with their number."""
    return StreamingHttpResponse(
        chain([begin], lines(header, rows)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
