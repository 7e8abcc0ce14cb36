"""CSV of any length in flat memory, safe to open in a spreadsheet."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer

_LEADERS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 -- full-width ones
_PHONE = re.compile(r"\+[0-9]{5,15}")
_ROWS_AT_ONCE = 500


class CSVRenderer(BaseRenderer):
    """Stands for the format in content negotiation; the views stream the rows themselves."""

    media_type = "text/csv"
    format = "csv"

    def render(self, data: Any, *_: Any, **__: Any) -> Any:
        return data


def cell(value: Any) -> Any:
    """Return the value so that no spreadsheet takes it for a formula.

    A leading apostrophe makes it a text. A number in E.164 keeps its plus alone: digits cannot
    execute anything, and a phone number must come out as it went in.
    """
    if not isinstance(value, str) or not value.lstrip(" ").startswith(_LEADERS):
        return value
    return value if _PHONE.fullmatch(value) else f"'{value}"


class _Echo:
    def write(self, line: str) -> str:
        return line


def lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield the file in pieces of many rows, so that little is spent on each piece."""
    writer = csv.writer(_Echo())
    piece = [writer.writerow(header)]
    for row in rows:
        piece.append(writer.writerow([cell(value) for value in row]))
        if len(piece) >= _ROWS_AT_ONCE:
            yield "".join(piece)
            piece.clear()
    yield "".join(piece)


def streamed(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        lines(header, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
