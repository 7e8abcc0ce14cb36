"""A segment's Brevo list: made, renamed and deleted with it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings

from campaigns.brevo import BrevoClient, BrevoError, BrevoNotFound
from campaigns.models import Segment
from campaigns.sync.gateway import connect

logger = logging.getLogger(__name__)

Undo = Callable[[], None]
_undone_together: ContextVar[list[Undo] | None] = ContextVar("undone_together", default=None)


def make_list(client: BrevoClient, name: str, *, look_first: bool = False) -> int:
    """Make a list in our folder and return its id.

    Brevo knows no unique names, so a request whose answer was lost may have left a list behind.
    Then, and when ``look_first`` says that an earlier attempt may have died, an empty list of
    exactly this name that belongs to no segment is taken instead of making a second one.
    """
    folder = client.ensure_folder(settings.BREVO_FOLDER)
    if look_first and (found := _left_behind(client, folder, name)):
        return found
    try:
        return client.create_list(name, folder)
    except BrevoError as error:
        if error.may_have_happened and (found := _left_behind(client, folder, name)):
            return found
        raise


def _left_behind(client: BrevoClient, folder: int, name: str) -> int | None:
    ids = [
        found.id
        for found in client.lists(folder)
        if found.name == name and not found.unique_subscribers
    ]
    taken = Segment.objects.filter(brevo_list_id__in=ids).values_list("brevo_list_id", flat=True)
    return min(set(ids) - set(taken), default=None)


def create_for(segment: Segment) -> Undo:
    """Give a new segment its list and return how to take it back; raises BrevoError."""
    list_id = segment.brevo_list_id = make_list(connect(), segment.name)

    def take_back() -> None:
        segment.brevo_list_id = None
        connect().delete_list(list_id)

    return take_back


def rename_for(segment: Segment, old_name: str) -> Undo:
    """Carry a new name over to the list and return how to take it back; raises BrevoError.

    A list that is already gone is made again by the next sync, under the new name.
    """

    def rename(name: str) -> None:
        if segment.brevo_list_id is not None:
            try:
                connect().rename_list(segment.brevo_list_id, name)
            except BrevoNotFound:
                return

    rename(segment.name)
    return lambda: rename(old_name)


def delete_for(segment: Segment) -> None:
    """Delete the segment's list; one that is already gone is fine. Raises BrevoError."""
    if segment.brevo_list_id is not None:
        try:
            connect().delete_list(segment.brevo_list_id)
        except BrevoNotFound:
            return


def undo(steps: list[Undo]) -> None:
    """Take back, newest first, what was done at Brevo for something that was not saved."""
    while steps:
        try:
            steps.pop()()
        except BrevoError as error:
            # The first failure is the one to show; brevo_check names lists without a segment.
            logger.warning("A list could not be put back: status %s, %s", error.status, error.code)


def remember(steps: list[Undo]) -> None:
    """Keep the steps until the transaction around them is through, where one is announced."""
    together = _undone_together.get()
    if together is not None:
        together.extend(steps)


@contextmanager
def undone_together() -> Iterator[None]:
    """Put around a transaction: when it fails, lists made or renamed in it are put back too."""
    steps: list[Undo] = []
    token = _undone_together.set(steps)
    try:
        yield
    except BaseException:
        undo(steps)
        raise
    finally:
        _undone_together.reset(token)
