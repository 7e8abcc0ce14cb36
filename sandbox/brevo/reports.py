"""The CSV files of an import: the rows that were not imported."""

import csv
import io
import re
from collections.abc import Iterable
from http import HTTPStatus

from sandbox.brevo.store import Store
from sandbox.brevo.wire import Answer

_PATH = re.compile(r"/files/([0-9]{1,18})/([a-z_]+)\.csv")


def write(rows: Iterable[tuple[str, str]]) -> str:
    """Return the text of a file from addresses and phone numbers."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    writer.writerow(("EMAIL", "SMS"))
    writer.writerows(rows)
    return out.getvalue()


def serve(store: Store, path: str) -> Answer:
    """Return the file that a process links to by this path, or 404."""
    text = None
    if match := _PATH.fullmatch(path):
        with store.reading():
            text = store.value(
                "SELECT body FROM report WHERE process_id = ? AND kind = ?", *match.groups()
            )
    if text is None:
        return Answer(HTTPStatus.NOT_FOUND, b"No such file", "text/plain; charset=utf-8")
    return Answer(HTTPStatus.OK, text.encode(), "text/csv; charset=utf-8")
