"""A segment's Brevo list: made, renamed and deleted with it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.conf import settings

from campaigns.brevo import BrevoClient, BrevoError, BrevoNotFound, ContactList
from campaigns.models import BrevoList, ListChange, Segment
from campaigns.sync import given_up
from campaigns.sync.gateway import account_of, connect
from campaigns.sync.list_identity import find_list, left_behind, remember_list, unless_gone

logger = logging.getLogger(__name__)

Undo = Callable[[], None]
_made_for, _begun = "_made_at_brevo", "_change_at_brevo"


def make_list(
    client: BrevoClient, name: str, *, newest: int | None = None, look_first: bool = False
) -> ContactList:
    """Make a list in our folder and return it.

    Brevo knows no unique names, so a request whose answer was lost may have left a list behind.
    Then, and when ``look_first`` says that an earlier attempt may have died, an empty list of
    exactly this name in our folder is taken instead of making a second one: if it is newer than
    ``newest``, the newest list before the first attempt, and belongs to no segment.
    """
    folder = client.ensure_folder(settings.BREVO_FOLDER)
    if newest is None:
        newest = client.newest_list_id()
    if look_first and (left := left_behind(client, folder, name, newest)):
        return left
    try:
        list_id = client.create_list(name, folder)
    except BrevoError as error:
        if error.may_have_happened and (left := left_behind(client, folder, name, newest)):
            return left
        raise
    return ContactList(list_id, name, folder, 0)


def create_for(segment: Segment) -> Undo:
    """Give a new segment its list and return how to take it back; raises BrevoError."""
    client = connect(interactive=True)
    account = account_of(client)
    newest = client.newest_list_id()
    change = ListChange.objects.create(
        kind=ListChange.Kind.CREATE, account=account.id, name=segment.name, newest_list=newest
    )
    with _forgotten_if_refused(change):
        made = make_list(client, segment.name, newest=newest)
    ListChange.objects.filter(pk=change.pk).update(list_id=made.id)
    segment.brevo_list_id = made.id
    segment.__dict__[_made_for] = account, made
    segment.__dict__[_begun] = change

    def take_back() -> None:
        segment.brevo_list_id = None
        segment.__dict__.pop(_made_for, None)
        connect(interactive=True).delete_list(made.id)
        change.delete()

    return take_back


@contextmanager
def _forgotten_if_refused(change: ListChange) -> Iterator[None]:
    """Forget the change when Brevo did not carry it out; what may have happened is settled."""
    try:
        yield
    except BrevoError as error:
        if not error.may_have_happened:
            change.delete()
        raise


def remember_made(segment: Segment) -> None:
    """Remember, with the save of the segment, the list that was made for it."""
    if change := segment.__dict__.pop(_begun, None):
        ListChange.objects.filter(pk=change.pk).delete()
    if made := segment.__dict__.pop(_made_for, None):
        remember_list(segment, *made)


def rename_for(segment: Segment, old_name: str) -> Undo:
    """Carry a new name over to the list and return how to take it back.

    A list that is already gone is made again by the next sync, under the new name. Raises
    BrevoError, and ListNotOurs when the list is not the segment's.
    """
    list_id = segment.brevo_list_id
    if list_id is None:
        return lambda: None
    client = connect(interactive=True)
    if find_list(client, segment, name=old_name) is None:
        return lambda: None

    def rename(name: str) -> None:
        with suppress(BrevoNotFound):
            unless_gone(client, list_id, lambda: client.rename_list(list_id, name))
        BrevoList.objects.filter(segment=segment.pk, list_id=list_id).update(name=name)

    change = ListChange.objects.create(
        kind=ListChange.Kind.RENAME,
        account=account_of(client).id,
        name=segment.name,
        list_id=list_id,
        segment_id=segment.pk,
    )
    with _forgotten_if_refused(change):
        rename(segment.name)
    segment.__dict__[_begun] = change

    def take_back() -> None:
        rename(old_name)
        change.delete()

    return take_back


def delete_for(segment: Segment) -> None:
    """Delete the segment's list; one that is already gone is fine.

    Raises BrevoError, and ListNotOurs when the list is not the segment's: release it first.
    """
    list_id = segment.brevo_list_id
    if list_id is None and not given_up.has_given_up_lists(segment):
        return
    client = connect(interactive=True)
    if list_id is not None and find_list(client, segment) is not None:
        with suppress(BrevoNotFound):
            unless_gone(client, list_id, lambda: client.delete_list(list_id))
    for back in given_up.lists_there_again(client, segment):
        with suppress(BrevoNotFound):
            client.delete_list(back.list_id)


def undo(steps: list[Undo]) -> None:
    """Take back, newest first, what was done at Brevo for something that was not saved."""
    while steps:
        try:
            steps.pop()()
        except BrevoError as error:
            # The first failure is the one to show; brevo_check names lists without a segment.
            logger.warning("A list could not be put back: status %s, %s", error.status, error.code)
