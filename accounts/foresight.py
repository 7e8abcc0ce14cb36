"""What would follow from a deletion or a demotion, said before it is done.

Apps that this one may not import append to ``foreseers``.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest

from accounts.unfolded import ModelAdmin

CONFIRMED = "foreseen"
_READ_FIRST = (
    "Nothing was saved yet: read what follows from this change, tick the box, then save again."
)


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
    return [told for foreseer in foreseers for told in foreseer(change)]


def digest_of(consequences: Sequence[Consequence]) -> str:
    """Return what a page carries so that only what was read is confirmed."""
    said = repr([(each.words, each.names, each.total) for each in consequences])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


class ForeseeingForm:
    """Mix into the form of a row on which others rely: what follows must be read before."""

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
    """Says on the pages that ask whether to delete what would follow from it."""

    delete_confirmation_template = "admin/foreseen/delete_confirmation.html"
    delete_selected_confirmation_template = "admin/foreseen/delete_selected_confirmation.html"

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        if request.POST.get("post") != "yes":
            request.consequences = foresee(Change(list(objs)))  # type: ignore[attr-defined] # for the page
        return super().get_deleted_objects(objs, request)
