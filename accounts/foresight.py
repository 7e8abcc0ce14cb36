"""What would follow from a deletion or a demotion, said before it is done.

Apps that this one may not import append to ``foreseers``.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, QueryDict

from accounts.unfolded import ModelAdmin

CONFIRMED = "foreseen"
_READ_FIRST = (
    "Nothing was saved yet: read what follows from this change, tick the box, then save again."
)
_READ_AGAIN = "Nothing was deleted yet: read what follows from it by now, then confirm."
_KEPT = 20  # pages that were read, and may still be confirmed


@dataclass(frozen=True)
class Consequence:
    """A sentence, and the names of a few whom it concerns out of ``total``."""

    words: str
    names: list[str] = field(default_factory=list)
    total: int = 0

    @property
    def more(self) -> int:
        return max(self.total - len(self.names), 0)


@dataclass(frozen=True)
class Change:
    """Rows that are about to be deleted, or one that is about to become ``after``."""

    rows: Sequence[Any]
    after: Any = None


foreseers: list[Callable[[Change], list[Consequence]]] = []


def foresee(change: Change) -> list[Consequence]:
    return [consequence for foreseer in foreseers for consequence in foreseer(change)]


def digest_of(consequences: Sequence[Consequence]) -> str:
    """Return what a page carries so that only what was read is confirmed."""
    said = repr([(each.words, each.names, each.total) for each in consequences])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


class ForeseeingForm:
    """Mix into the form of a row that others rely on: what follows must be confirmed first."""

    instance: Model
    data: Any
    errors: Any
    add_error: Callable[..., None]
    consequences: Sequence[Consequence] = ()

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc] # Django's hook, unknown to its stubs
        if self.errors or self.instance._state.adding:
            return
        before = type(self.instance)._base_manager.filter(pk=self.instance.pk).first()
        if before is None:
            return
        consequences = foresee(Change([before], self.instance))
        if consequences and digest_of(consequences) not in self.data.getlist(CONFIRMED):
            self.consequences = consequences
            self.add_error(None, ValidationError(_READ_FIRST, code=CONFIRMED))

    @property
    def consequences_digest(self) -> str:
        return digest_of(self.consequences)


class ForeseeingAdmin(ModelAdmin):
    """Says on the pages that ask whether to delete what would follow from it.

    What follows by now must be what such a page has shown: else the page is shown once more.
    """

    delete_confirmation_template = "admin/foreseen/delete_confirmation.html"
    delete_selected_confirmation_template = "admin/foreseen/delete_selected_confirmation.html"

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        rows = list(objs)
        consequences = foresee(Change(rows))
        read, digest = request.session.get(CONFIRMED, []), _digest_of_deletion(rows, consequences)
        is_confirmed = "post" in request.POST
        if is_confirmed and consequences and digest not in read:
            request.POST = QueryDict()  # Django then asks once more
            self.message_user(request, _READ_AGAIN, messages.WARNING)
            is_confirmed = False
        if not is_confirmed:
            request.consequences = consequences  # type: ignore[attr-defined] # for the page
            request.session[CONFIRMED] = [*read[-_KEPT:], digest]
        return super().get_deleted_objects(rows, request)


def _digest_of_deletion(rows: Sequence[Model], consequences: Sequence[Consequence]) -> str:
    named = repr(sorted((row._meta.label, row.pk) for row in rows))
    return hashlib.sha256(f"{named} {digest_of(consequences)}".encode()).hexdigest()[:16]
