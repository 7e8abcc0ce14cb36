"""Changes of Brevo lists that were begun and not finished: noted before, settled afterwards."""

import logging
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from campaigns.brevo import BrevoClient, BrevoError, BrevoNotFound
from campaigns.models import ListChange, Segment
from campaigns.sync.gateway import account_of
from campaigns.sync.list_identity import left_behind, lists_of, unused_list

logger = logging.getLogger(__name__)

GIVEN_UP_AFTER = timedelta(minutes=15)  # longer than any request to Brevo is waited for


def unfinished() -> QuerySet[ListChange]:
    """Return the changes whose process must have died."""
    return ListChange.objects.filter(begun_at__lt=timezone.now() - GIVEN_UP_AFTER).order_by("pk")


def settle(client: BrevoClient) -> None:
    """Make Brevo agree with what is stored here, where a process died between the two.

    A list that was made for a segment that was never saved is deleted while it is empty; one that
    was renamed gets the name that its segment has. What Brevo refuses waits for a later sync: it is
    no reason not to sync.
    """
    for change in unfinished():
        try:
            if _is_settled(client, change):
                change.delete()
        except BrevoError as error:
            logger.warning("Not settled yet: %s: status %s", change, error.status)
            return


def _is_settled(client: BrevoClient, change: ListChange) -> bool:
    """Settle a change; False when it has to wait: for the key of its account, or for somebody who
    is making a list of the same name at this moment.
    """
    if change.account != account_of(client).id:
        return False
    if change.kind == ListChange.Kind.RENAME:
        _name_as_stored(client, change)
        return True
    others = ListChange.objects.filter(account=change.account, name=change.name)
    if others.filter(pk__gt=change.pk, kind=ListChange.Kind.CREATE).exists():
        return False
    _delete_unused(client, change)
    return True


def _delete_unused(client: BrevoClient, change: ListChange) -> None:
    folder = client.find_folder(settings.BREVO_FOLDER)
    if folder is None:
        return
    if change.list_id is None:
        left = left_behind(client, folder, change.name, change.newest_list or 0)
    elif change.list_id in lists_of(account_of(client)):
        left = None
    else:
        left = unused_list(client, change.list_id, folder, change.name)
    if left is not None:
        with suppress(BrevoNotFound):
            client.delete_list(left.id)


def _name_as_stored(client: BrevoClient, change: ListChange) -> None:
    segment = Segment.objects.filter(
        pk=change.segment_id or 0, brevo_list_id=change.list_id
    ).first()
    if segment is None or change.list_id is None or segment.name == change.name:
        return
    with suppress(BrevoNotFound):
        if client.get_list(change.list_id).name == change.name:
            client.rename_list(change.list_id, segment.name)
