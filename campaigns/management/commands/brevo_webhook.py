"""Have Brevo tell us of unsubscribes, bounces and complaints as they happen."""

from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from campaigns.brevo import BrevoClient, BrevoError, BrevoPermanent, Webhook
from campaigns.management.exits import FAILED, UNUSABLE, told_in_one_sentence
from campaigns.sync.gateway import connect

EVENTS = ("unsubscribed", "hardBounce", "spam", "contactDeleted", "contactUpdated", "listAddition")
MOST_WEBHOOKS = 40  # of all kinds, in one account (help.brevo.com/hc/en-us/articles/360007666479)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Command(BaseCommand):
    help = "Register our webhook at Brevo, once, or list the marketing webhooks of the account."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--install", metavar="URL", help="where Brevo finds this application")
        what.add_argument("--list", action="store_true", help="show what is registered")

    def handle(self, *, install: str | None, **_: Any) -> None:
        if install is not None:
            _refuse_unusable(install)
        with told_in_one_sentence():
            client = connect()
            try:
                if install is None:
                    self._list(client)
                else:
                    self._install(client, install)
            finally:
                client.close()

    def _list(self, client: BrevoClient) -> None:
        webhooks = client.webhooks()
        for webhook in webhooks:
            self.stdout.write(f"{webhook.id}  {webhook.url}  {', '.join(webhook.events)}")
        if not webhooks:
            self.stdout.write("No marketing webhook is registered.")

    def _install(self, client: BrevoClient, url: str) -> None:
        webhooks = client.webhooks()
        if found := _ours(webhooks, url):
            self.stdout.write(f"Webhook {found.id} calls {url} already.")
            if missing := [event for event in EVENTS if event not in found.events]:
                raise CommandError(
                    f"Webhook {found.id} is not told of {', '.join(missing)}: delete it in Brevo, "
                    "then install it again.",
                    returncode=FAILED,
                )
            return
        try:
            self.stdout.write(f"Webhook {_create(client, url)} calls {url} from now on.")
        except BrevoPermanent as error:
            raise CommandError(
                f"{error} An account may have {MOST_WEBHOOKS} webhooks, and has {len(webhooks)} "
                "for marketing: when that is it, delete one in Brevo first.",
                returncode=FAILED,
            ) from error


def _create(client: BrevoClient, url: str) -> int:
    """Register the webhook; when the answer got lost, look whether it is there."""
    try:
        return client.create_webhook(
            url,
            events=EVENTS,
            token=settings.BREVO_WEBHOOK_TOKEN,
            description="Campaigns: unsubscribes, bounces and complaints",
        )
    except BrevoError as error:
        found = _ours(client.webhooks(), url) if error.may_have_happened else None
        if found is None:
            raise
        return found.id


def _ours(webhooks: list[Webhook], url: str) -> Webhook | None:
    return next((webhook for webhook in webhooks if webhook.url == url), None)


def _refuse_unusable(url: str) -> None:
    """Raise CommandError for a URL that Brevo could not, or should not, call."""
    if not settings.BREVO_WEBHOOK_TOKEN:
        told = "Set BREVO_WEBHOOK_TOKEN to a long random text first: Brevo shows it with each call."
        raise CommandError(told, returncode=UNUSABLE)
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CommandError(f"{url} is not a URL.", returncode=UNUSABLE)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        told = f"{url} is not https: the token and the addresses would travel in the open."
        raise CommandError(told, returncode=UNUSABLE)
    if not parts.path.endswith(path := reverse("brevo-webhook")):
        told = f"{url} leads nowhere here: the URL ends in {path}, with its last slash."
        raise CommandError(told, returncode=UNUSABLE)
