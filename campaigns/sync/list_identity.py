"""Whose list an id leads to, and whether the list is really gone.

An id means something in one account only, and even there a list may be deleted and its id given
again. So each list is remembered with its account, its folder, its name and when Brevo made it.
"""

from collections.abc import Callable
from contextlib import suppress
from itertools import takewhile
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.text import fold_email
from campaigns.brevo import (
    BrevoClient,
    BrevoNotFound,
    BrevoTemporary,
    Contact,
    ContactList,
    Rows,
)
from campaigns.errors import ListNotOurs
from campaigns.models import BrevoList, ListMember, Segment
from campaigns.sync.gateway import KnownAccount, account_of, known_account

T = TypeVar("T")

PAUSE = 1.0  # seconds before Brevo is asked again about a list that it said is not there

_REMEDY = (
    "Nothing was changed. Set BREVO_API_KEY to a key of the account that has the list; or, when "
    "there is none, run “manage.py release_list {segment}”, or “Release lists that are not here” "
    "on the page of segments: the list stays as it is, and the next sync makes a new one here."
)


def list_is_gone(client: BrevoClient, segment: Segment) -> bool:
    """True when the segment has no list, or Brevo has it no longer, for sure.

    Raises ListNotOurs when the id leads to another list, and BrevoError.
    """
    return find_list(client, segment) is None


def find_list(client: BrevoClient, segment: Segment, *, name: str = "") -> ContactList | None:
    """Return the segment's list as it is at Brevo now; None when it is gone, or there is none.

    How it looks is remembered. ``name`` is the segment's name at Brevo, when it is just being
    changed. Raises ListNotOurs when the id leads to another list, and BrevoError.
    """
    list_id = segment.brevo_list_id
    if list_id is None:
        return None
    account = check_account(client, segment)
    try:
        shown = unless_gone(client, list_id, lambda: client.get_list(list_id))
    except BrevoNotFound:
        return None
    if doubt := why_not_ours(client, segment, shown, account, name=name):
        raise ListNotOurs(doubt)
    remember_list(segment, account, shown)
    return shown


def check_account(client: BrevoClient, segment: Segment) -> KnownAccount:
    """Return the account of our key; raise ListNotOurs when the segment's list is in another."""
    account = account_of(client)
    known = known_list(segment)
    if known is not None and known.account != account.id:
        raise ListNotOurs(
            f"List {known.list_id} of segment “{segment.name}” is in the Brevo account "
            f"{KnownAccount(known.account, known.account_name)}, and BREVO_API_KEY is a key of "
            f"{account}. {_REMEDY.format(segment=segment.pk)}"
        )
    return account


def known_list(segment: Segment) -> BrevoList | None:
    """Return what is remembered of the segment's list; None of lists made before that was kept."""
    if segment.brevo_list_id is None:
        return None
    known = BrevoList.objects.filter(segment=segment.pk, list_id=segment.brevo_list_id)
    return known.filter(given_up_at=None).first()


def why_not_ours(
    client: BrevoClient,
    segment: Segment,
    shown: ContactList,
    account: KnownAccount,
    *,
    name: str = "",
) -> str:
    """Say why the list cannot be the segment's; "" when it is.

    Colleagues may rename a list or move it. It is the same list when Brevo made it at the moment
    that we remember; while that is not known, when name or folder are what they were.
    """
    known = known_list(segment)
    if known is not None:
        if is_same(known, shown):
            return ""
        why = (
            f"List {shown.id} at Brevo is “{shown.name}” in folder {shown.folder_id}, and the list "
            f"of segment “{segment.name}” was “{known.name}” in folder {known.folder_id}: the id "
            "was given to another list."
        )
        return f"{why} {_REMEDY.format(segment=segment.pk)}"
    if _can_be_adopted(client, shown, segment, account, name or segment.name):
        return ""
    why = (
        f"Nothing shows that list {shown.id} at Brevo, “{shown.name}”, in the account {account}, "
        f"is the list of segment “{segment.name}”."
    )
    return f"{why} {_REMEDY.format(segment=segment.pk)}"


def is_same(known: BrevoList, shown: ContactList) -> bool:
    """True when the list at this id is the one that we remember."""
    by_name = shown.name == known.name
    by_folder = shown.folder_id is None or shown.folder_id == known.folder_id
    if known.made_at is None or shown.created_at is None:
        return by_name or by_folder
    return known.made_at == shown.created_at or (by_name and by_folder)


def _can_be_adopted(
    client: BrevoClient, shown: ContactList, segment: Segment, account: KnownAccount, name: str
) -> bool:
    """True when a list of which nothing is remembered is the segment's by all that can be seen.

    Name and folder together are enough. With one of them, it must hold nobody, or somebody of
    those whom we put there.
    """
    others = BrevoList.objects.filter(account=account.id, list_id=shown.id)
    if others.exclude(segment=segment.pk).exists():
        return False
    by_name = shown.name == name
    by_folder = shown.folder_id == client.find_folder(settings.BREVO_FOLDER)
    if by_name and by_folder:
        return True
    return (by_name or by_folder) and _holds_ours_or_nobody(client, segment, shown.id)


def _holds_ours_or_nobody(client: BrevoClient, segment: Segment, list_id: int) -> bool:
    page: list[Contact] = next(client.list_members(list_id), Rows([]))
    emails = [fold_email(contact.email) for contact in page]
    members = ListMember.objects.current().filter(segment=segment.pk, email__in=emails)
    return not emails or members.exists()


def remember_list(segment: Segment, account: KnownAccount, shown: ContactList) -> None:
    """Keep how the segment's list looks now; another one that it had counts as given up."""
    known = known_list(segment)
    looks = {
        "account": account.id,
        "list_id": shown.id,
        "account_name": account.name,
        "name": shown.name,
        "folder_id": shown.folder_id,
        "made_at": shown.created_at,
    }
    if known is not None and all(getattr(known, name) == value for name, value in looks.items()):
        return
    with transaction.atomic():
        earlier = BrevoList.objects.filter(segment=segment.pk, given_up_at=None)
        earlier.exclude(account=account.id, list_id=shown.id).update(given_up_at=timezone.now())
        BrevoList.objects.update_or_create(
            account=account.id,
            list_id=shown.id,
            defaults=looks | {"segment_id": segment.pk, "given_up_at": None},
        )


def unless_gone(client: BrevoClient, list_id: int, request: Callable[[], T]) -> T:
    """Return what a request about this list answers; raise BrevoNotFound only when it is gone.

    One 404 proves nothing. When the list turns out to be there, the request is sent once more; a
    second 404 is then a BrevoTemporary.
    """
    try:
        return request()
    except BrevoNotFound:
        if is_gone(client, list_id):
            raise
    try:
        return request()
    except BrevoNotFound as error:
        raise BrevoTemporary(
            f"Brevo said that list {list_id} is not there, although it is ({error.brevo_message})"
        ) from error


def is_gone(client: BrevoClient, list_id: int) -> bool:
    """Look again after a pause, then among the account's lists, for a list that answered 404."""
    client.sleep(PAUSE)
    try:
        client.get_list(list_id)
    except BrevoNotFound:
        return all(found.id != list_id for found in client.all_lists())
    return False


def lists_of(account: KnownAccount) -> set[int]:
    """Return the ids of the account's lists that are, or were, of segments.

    A list of which nothing is remembered yet is taken to be in this account.
    """
    here = BrevoList.objects.filter(account=account.id).values_list("list_id", flat=True)
    return {*here, *segments_by_list(account)}


def segments_by_list(account: KnownAccount) -> dict[int, int]:
    """Return {list id: segment id} of the lists that segments have in this account."""
    elsewhere = BrevoList.objects.exclude(account=account.id).filter(
        segment=OuterRef("pk"), list_id=OuterRef("brevo_list_id")
    )
    current = Segment.objects.filter(~Exists(elsewhere)).values_list("brevo_list_id", "pk")
    return {list_id: pk for list_id, pk in current if list_id is not None}


def segments_elsewhere() -> set[int]:
    """Return the segments whose lists are in other accounts than that of the configured key.

    Ids of contacts in their ledgers mean nothing here. Asks the database alone.
    """
    account = known_account()
    if account is None:
        return set()
    lists = BrevoList.objects.filter(given_up_at=None).exclude(account=account.id)
    return set(lists.values_list("segment_id", flat=True))


def left_behind(client: BrevoClient, folder: int, name: str, newest: int) -> ContactList | None:
    """Return a list newer than ``newest`` that was made for a segment that does not have it."""
    taken = lists_of(account_of(client))
    newer = takewhile(lambda found: found.id > newest, client.all_lists())
    for list_id in [found.id for found in newer if found.name == name and found.id not in taken]:
        if left := unused_list(client, list_id, folder, name):
            return left
    return None


def unused_list(client: BrevoClient, list_id: int, folder: int, name: str) -> ContactList | None:
    """Return the list if it is as it was made: of this name, in our folder, and empty.

    Its counters are believed where they are counted.
    """
    with suppress(BrevoNotFound):
        shown = client.get_list(list_id)
        if (shown.name, shown.folder_id) == (name, folder) and shown.is_empty:
            return shown
    return None
