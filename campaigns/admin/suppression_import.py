"""Suppressions from a CSV file: looked at first, then imported as a whole or not at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from django.core import signing
from django.core.exceptions import ValidationError
from import_export.formats.base_formats import CSV
from import_export.forms import ConfirmImportForm
from import_export.resources import ModelResource
from import_export.results import Result, RowResult
from unfold.contrib.import_export.forms import ImportForm

from accounts.models import User
from accounts.text import fold, fold_email
from campaigns.batches import in_batches
from campaigns.enums import SuppressionReason, SuppressionSource
from campaigns.models import Suppression
from campaigns.sync.suppressing import Wish, suppress_many

MOST_BYTES = 10_000_000
MOST_ROWS = 50_000
LONGEST_NOTE = 300
SHOWN = 100
_BATCH = 500
_REASONS = {fold(text): reason for reason in SuppressionReason for text in (reason, reason.label)}


class Refused(Exception):
    """The file cannot be imported as it is; the message says what to do."""


class SemicolonOrComma(CSV):
    """CSV as spreadsheets of either habit write it."""

    def create_dataset(self, in_stream: Any, **kwargs: Any) -> Any:
        heading = str(in_stream).partition("\n")[0]
        if heading.count(";") > heading.count(","):
            kwargs["delimiter"] = ";"
        return super().create_dataset(in_stream, **kwargs)


class UploadForm(ImportForm):
    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MOST_BYTES:
            raise ValidationError("The file is larger than 10 MB: split it into several.")
        return file


class ConfirmForm(ConfirmImportForm):
    """Takes back only the name of an upload that we handed out ourselves."""

    @staticmethod
    def signed(name: str) -> str:
        return signing.dumps(Path(name).name, salt=__name__)

    def clean_import_file_name(self) -> str:
        try:
            return str(signing.loads(self.cleaned_data["import_file_name"], salt=__name__))
        except signing.BadSignature as error:
            raise ValidationError("Upload the file again.") from error


class Outlook(Result):
    """What came, or would come, of the file."""

    changed = 0

    @property
    def shown(self) -> list[Any]:
        return self.rows[:SHOWN]

    @property
    def not_shown(self) -> int:
        return max(len(self.rows) - SHOWN, 0)

    @property
    def invalid_shown(self) -> Iterator[tuple[int, str, str]]:
        """The first problems: line of the file, field, what to do."""
        for row in self.invalid_rows[:SHOWN]:
            for field, told in row.field_specific_errors.items():
                # The first line of a file holds the names of the columns.
                yield row.number + 1, field, " ".join(told)

    @property
    def invalid_not_shown(self) -> int:
        return max(len(self.invalid_rows) - SHOWN, 0)

    def count(self, import_type: str) -> int:
        return sum(row.import_type == import_type for row in self.rows)

    @property
    def new(self) -> int:
        return self.count(RowResult.IMPORT_TYPE_NEW)

    @property
    def strengthened(self) -> int:
        return self.count(RowResult.IMPORT_TYPE_UPDATE)

    @property
    def kept(self) -> int:
        return self.count(RowResult.IMPORT_TYPE_SKIP)


class SuppressionResource(ModelResource):
    """Reads rows of email, reason and note. Addresses that are suppressed already are kept.

    A file with one bad row changes nothing, so that it can be corrected and sent again.
    """

    class Meta:
        model = Suppression
        fields: ClassVar[list[str]] = ["email", "reason", "note"]
        import_id_fields: ClassVar[list[str]] = ["email"]
        use_bulk = True  # spares the library a savepoint for each row

    def __init__(self, *, by: User) -> None:
        super().__init__()
        self.by = by
        self.wishes: list[Wish] = []
        self.known: dict[str, str] = {}

    def get_result_class(self) -> type[Outlook]:
        return Outlook

    def before_import(self, dataset: Any, **_: Any) -> None:
        dataset.headers = [fold(header) for header in dataset.headers or []]
        if "email" not in dataset.headers:
            named = ", ".join(dataset.headers)
            dataset.wipe()
            raise Refused(
                "The first line must name the columns: email, and if you like reason and note. "
                f"It says: {named}."
            )
        if len(dataset) > MOST_ROWS:
            rows = len(dataset)
            dataset.wipe()
            raise Refused(
                f"The file has {rows:,} rows: split it into files of {MOST_ROWS:,} at most."
            )
        emails = (fold_email(_unquoted(value)) for value in dataset["email"])
        for batch in in_batches(emails, _BATCH):
            there = Suppression.objects.filter(email__in=batch)
            self.known.update(there.values_list("email", "reason"))

    def import_row(self, row: dict[str, Any], instance_loader: Any, **_: Any) -> Any:  # noqa: ARG002 -- the library's signature
        result: Any = RowResult()
        result.row_values = row
        try:
            wish = self._read(row)
        except ValidationError as error:
            result.import_type = RowResult.IMPORT_TYPE_INVALID
            result.validation_error = error
            return result
        result.import_type, result.wish = self._foreseen(wish), wish
        self.wishes.append(wish)
        return result

    def after_import(self, dataset: Any, result: Outlook, **kwargs: Any) -> None:  # noqa: ARG002 -- the library's signature
        if not kwargs.get("dry_run", True) and not result.invalid_rows:
            result.changed = suppress_many(self.wishes)

    def _read(self, row: dict[str, Any]) -> Wish:
        told: dict[str, str] = {}
        reason = _reason(row, told)
        note = str(row.get("note") or "").strip()
        if len(note) > LONGEST_NOTE:
            told["note"] = f"Has {len(note)} characters: shorten it to {LONGEST_NOTE}."
        try:
            wish = Wish(
                _unquoted(row["email"]), reason, SuppressionSource.CSV, by=self.by, note=note
            )
        except ValueError:
            told["email"] = f"“{row['email']}” is no e-mail address: correct it, or delete the row."
        if told:
            raise ValidationError(dict(told))
        return wish

    def _foreseen(self, wish: Wish) -> str:
        """Say what the wish will do, by the rule that suppress_many follows."""
        there = self.known.get(wish.email)
        if there is not None and wish.reason.strength <= SuppressionReason(there).strength:
            return str(RowResult.IMPORT_TYPE_SKIP)
        self.known[wish.email] = wish.reason
        return str(RowResult.IMPORT_TYPE_NEW if there is None else RowResult.IMPORT_TYPE_UPDATE)


def _reason(row: dict[str, Any], told: dict[str, str]) -> SuppressionReason:
    text = fold(row.get("reason"))
    if text and text not in _REASONS:
        known = ", ".join(SuppressionReason.values)
        told["reason"] = f"“{row['reason']}” is no reason: write one of {known}, or leave it empty."
    return _REASONS.get(text, SuppressionReason.BY_HAND)


def _unquoted(value: Any) -> str:
    """Take away the quote that keeps a spreadsheet from running a text as a formula."""
    text = str(value or "").strip()
    return text[1:] if text[:1] == "'" and text[1:2] in set("=+-@") else text
