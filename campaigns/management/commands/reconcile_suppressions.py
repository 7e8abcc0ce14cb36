"""Learn from Brevo who must not be mailed any more."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campaigns.management.counting import counting
from campaigns.management.exits import UNUSABLE, told_in_one_sentence
from campaigns.sync.events import process_pending
from campaigns.sync.gateway import connect
from campaigns.sync.reconciling import Reconciled, reconcile


class Command(BaseCommand):
    help = (
        "Suppress whoever is blocklisted at Brevo or unsubscribed from one of our lists, and "
        "process webhook events that are still waiting. Reads the contacts changed since the last "
        "time; the first time all of them. Run it every hour or day: webhooks get lost."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since", metavar="ISO", help="read contacts changed since this moment instead"
        )

    def handle(self, *, since: str | None, **_: Any) -> None:
        moment = _moment(since) if since is not None else None
        if waiting := process_pending():
            self.stdout.write(f"Webhook events processed: {waiting:,}.")
        with told_in_one_sentence(), counting(self.stderr, "contacts") as progress:
            client = connect()
            try:
                done = reconcile(client, since=moment, progress=progress)
            finally:
                client.close()
        self.stdout.write(_summary(done))


def _summary(done: Reconciled) -> str:
    since = f" changed since {done.since:%Y-%m-%d %H:%M %Z}" if done.since else ""
    return f"Contacts{since}: {done.read:,}. Suppressions new or stronger: {done.suppressed:,}."


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        told = f"--since {text}: write a moment like 2026-11-22 or 2026-11-22T08:00+01:00."
        raise CommandError(told, returncode=UNUSABLE) from error
    if moment.tzinfo is None:
        moment = timezone.make_aware(moment)
    if moment > timezone.now():
        raise CommandError(f"--since {text} lies in the future.", returncode=UNUSABLE)
    return moment
