"""An order that is the same on every database, at every door."""

from typing import Any

from django.db.models import F, Func
from django.db.models.expressions import OrderBy


class _ByCodePoint(Func):
    """Compares texts letter by letter, as SQLite does, and not as the server's language would."""

    template = "%(expressions)s"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template='%(expressions)s COLLATE "C"', **context)


class Ordered(OrderBy):
    """By one column, with unknown values last in both directions.

    Order texts by the column that holds them folded, and say ``text``.
    """

    def __init__(self, column: str, *, descending: bool = False, text: bool = False) -> None:
        value: Any = _ByCodePoint(F(column)) if text else F(column)
        super().__init__(value, descending=descending, nulls_last=True)

    def reverse_ordering(self) -> "Ordered":
        self.descending = not self.descending
        return self
