"""What stands between us and Brevo: found by asking, changing nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import F
from django.urls import reverse

from accounts.demo_logins import REMEDY, open_demo_logins, warning_about
from accounts.models import User
from accounts.refolding import DUPLICATES, marked
from campaigns.brevo import (
    BrevoClient,
    BrevoError,
    BrevoMisconfigured,
    BrevoNotFound,
    BrevoUnreachable,
    ContactList,
)
from campaigns.errors import ListNotOurs
from campaigns.models import BrevoList, Segment, Suppression, WebhookEvent
from campaigns.sync.attributes import others_values, read_attributes
from campaigns.sync.gateway import KnownAccount, account_of, remember_account
from campaigns.sync.given_up import lists_there_again
from campaigns.sync.list_changes import unfinished
from campaigns.sync.list_identity import check_account, unless_gone, why_not_ours


class Mark(StrEnum):
    FINE = "ok"
    NOTE = "--"
    WRONG = "!!"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line for an operator: what is so, and what to do about it."""

    mark: Mark
    told: str


Findings = Iterator[Finding]


def findings(client: BrevoClient) -> Findings:
    """Yield what there is to say, most important first; a wrong key or no connection ends it."""
    for about, look in _SECTIONS.items():
        try:
            yield from look(client)
        except (BrevoMisconfigured, BrevoUnreachable) as error:
            yield Finding(Mark.WRONG, str(error))
            return
        except BrevoError as error:
            yield Finding(Mark.WRONG, f"{about}: not known. {error}")


def _account(client: BrevoClient) -> Findings:
    account = client.account()
    remember_account(account)
    plans = ", ".join(account.plans) or "no plan"
    who = f"{account.company or account.email} ({account.id}; {plans})"
    told = f"The key is good for the account of {who}."
    yield Finding(Mark.FINE, told)


def _attributes(client: BrevoClient) -> Findings:
    found = read_attributes(client)
    yield Finding(Mark.FINE, f"Attributes there: {', '.join(found.names.values()) or 'none'}.")
    if found.missing:
        told = f"Attributes that the first sync makes: {', '.join(found.missing)}."
        yield Finding(Mark.FINE, told)
    for name in found.unusable:
        yield Finding(
            Mark.WRONG,
            f"Attribute {name} holds no text, so people are sent without it: delete it in Brevo "
            "under Contacts, Settings, and the next sync of each segment makes it as text and "
            "sends the value of everybody; or give ours another name with BREVO_ATTRIBUTES.",
        )
    if found.lacks_phone:
        told = "The account has no attribute SMS: people are sent without their phone numbers."
        yield Finding(Mark.NOTE, told)
    for sentence in others_values(client, found):
        yield Finding(Mark.NOTE, sentence)


def _lists(client: BrevoClient) -> Findings:
    folder = client.find_folder(settings.BREVO_FOLDER)
    if folder is None:
        told = f"Folder “{settings.BREVO_FOLDER}” is made together with the first list in it."
        yield Finding(Mark.FINE, told)
    else:
        yield Finding(Mark.FINE, f"Folder “{settings.BREVO_FOLDER}” is there ({folder}).")
    ours = {} if folder is None else {found.id: found for found in client.lists(folder)}
    yield from _elsewhere(account_of(client))
    known: set[int] = set()
    for segment in Segment.objects.order_by("pk").only("name", "brevo_list_id").iterator():
        with suppress(ListNotOurs):
            account = check_account(client, segment)
            known.add(segment.brevo_list_id or 0)
            yield _list_of(client, account, segment, ours)
    for change in unfinished():
        known.add(change.list_id or 0)
        told = f"A change of a list was not finished: {change}. The next sync settles it."
        yield Finding(Mark.NOTE, told)
    for back in lists_there_again(client):
        known.add(back.list_id)
        yield Finding(
            Mark.WRONG,
            f"List {back.list_id} “{back.name}” is there again, although segment “{back.segment}” "
            "gave it up: each sync takes off whoever may not be mailed. Mail the segment's other "
            "list, and delete this one in Brevo.",
        )
    for list_id in sorted(ours.keys() - known):
        left = client.get_list(list_id)  # only here are contacts counted
        yield Finding(
            Mark.WRONG,
            f"List {left.id} “{left.name}” lies in our folder and belongs to no segment, with "
            f"{left.unique_subscribers:,} contacts: move it elsewhere in Brevo, or delete it "
            "there when nobody needs it.",
        )


def _elsewhere(account: KnownAccount) -> Findings:
    """Name the segments whose lists are in other accounts, one finding for each account."""
    lists = BrevoList.objects.filter(
        given_up_at=None, segment__brevo_list_id=F("list_id")
    ).select_related("segment")
    by_account: dict[KnownAccount, list[str]] = {}
    for one in lists.exclude(account=account.id).order_by("pk"):
        other = KnownAccount(one.account, one.account_name)
        by_account.setdefault(other, []).append(f"“{one.segment}” ({one.list_id})")
    for other, names in by_account.items():
        yield Finding(
            Mark.WRONG,
            f"The lists of these segments are in the Brevo account {other}, and BREVO_API_KEY is a "
            f"key of {account}, so they are not synced, renamed or deleted: {', '.join(names)}. "
            f"Set BREVO_API_KEY to a key of {other} again; or, when you moved to {account} for "
            "good, run “manage.py release_list --all”: those lists stay as they are, and the next "
            "syncs make new ones here.",
        )


def _list_of(
    client: BrevoClient,
    account: KnownAccount,
    segment: Segment,
    ours: Mapping[int, ContactList],
) -> Finding:
    """Say how a segment's list is; those in our folder are known already, in few requests."""
    list_id, remedy = segment.brevo_list_id, "the next sync makes a new one"
    if list_id is None:
        return Finding(Mark.WRONG, f"Segment “{segment.name}” has no list: {remedy}.")
    what = f"List {list_id} of segment “{segment.name}”"
    try:
        found = ours.get(list_id) or unless_gone(client, list_id, lambda: client.get_list(list_id))
    except BrevoNotFound:
        return Finding(Mark.WRONG, f"{what} is gone from Brevo: {remedy}.")
    if doubt := why_not_ours(client, segment, found, account):
        return Finding(Mark.WRONG, doubt)
    if found.name != segment.name:
        told = f"{what} is called “{found.name}” at Brevo: rename it there."
        return Finding(Mark.WRONG, told)
    if list_id not in ours:
        told = f"{what} lies outside our folder, which does no harm: move it back if you like."
        return Finding(Mark.NOTE, told)
    # In lists of lists a counter may be 0 whatever the list holds.
    counted = f", with {found.unique_subscribers:,} contacts" if found.unique_subscribers else ""
    return Finding(Mark.FINE, f"{what} is there{counted}.")


def _webhook(client: BrevoClient) -> Findings:
    if not settings.BREVO_WEBHOOK_TOKEN:
        told = "No webhook token: set BREVO_WEBHOOK_TOKEN to hear of unsubscribes at once."
        yield Finding(Mark.NOTE, told)
    yield from _events_not_understood()
    path = reverse("brevo-webhook")
    installed = [webhook for webhook in client.webhooks() if webhook.url.endswith(path)]
    for webhook in installed:
        told = f"Webhook {webhook.id} calls {webhook.url} for {', '.join(webhook.events)}."
        yield Finding(Mark.FINE, told)
    if not installed:
        yield Finding(
            Mark.NOTE,
            "No webhook of ours: unsubscribes are learned by reconcile_suppressions only. "
            "Install it with: manage.py brevo_webhook --install https://…" + path,
        )


def _events_not_understood() -> Findings:
    events = WebhookEvent.objects.exclude(error_message="")
    if last := events.first():
        yield Finding(
            Mark.NOTE,
            f"Webhook events that were not understood: {events.count():,}. The last came "
            f"{last.received_at:%Y-%m-%d %H:%M %Z} and is kept as event {last.pk}: "
            f"{last.error_message}",
        )


def _duplicates(_: BrevoClient) -> Findings:
    """Name what was kept apart when two spellings of an address or a name became one."""
    for model, column, what in _MARKED:
        rows = model.objects.filter(**{f"{column}__contains": DUPLICATES})
        for pk, text in rows.order_by("pk").values_list("pk", column).iterator():
            if ids := marked(text):
                yield Finding(
                    Mark.WRONG, f"{what.format(pk, ids[1])}: correct or delete one: {text}"
                )


def _budgets(client: BrevoClient) -> Findings:
    budgets = client.budget()
    other = budgets.other
    told = (
        f"Budgets: {budgets.contacts.limit} requests per second for contacts, and "
        f"{other.remaining} of {other.limit} per hour left for everything else."
    )
    yield Finding(Mark.FINE if other.remaining != 0 else Mark.NOTE, told)


_MARKED: tuple[tuple[Any, str, str], ...] = (
    (User, "email", "Person {} has the e-mail address of person {}, and is not mailed"),
    (Suppression, "email", "Suppression {} is of the same address as suppression {}"),
    (Segment, "name", "Segment {} has the name of segment {}"),
)


def _demo_logins(_: BrevoClient) -> Findings:
    emails = [] if settings.DEBUG else open_demo_logins()
    if emails:
        yield Finding(Mark.WRONG, f"{warning_about(emails)} {REMEDY}")


_SECTIONS: dict[str, Callable[[BrevoClient], Findings]] = {
    "Log-ins": _demo_logins,
    "Account": _account,
    "Attributes": _attributes,
    "Folder and lists": _lists,
    "Webhook": _webhook,
    "Duplicates": _duplicates,
    "Budgets": _budgets,
}
