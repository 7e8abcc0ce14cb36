"""Forget the lines of runs that ended long ago."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campaigns.management.counting import counting
from campaigns.management.exits import UNUSABLE
from campaigns.sync.pruning import Pruned, count_old, prune

_A_CENTURY = 36_500  # days


class Command(BaseCommand):
    help = (
        "Delete the people's lines of runs that ended long ago, the ended stays in the ledger and "
        "the processed webhook events. The runs, with counts and proof, stay; who was on "
        "a list before then is no longer told."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days",
            type=int,
            default=settings.CAMPAIGNS_KEEP_CHANGES_DAYS,
            help="keep what is younger (CAMPAIGNS_KEEP_CHANGES_DAYS: %(default)s)",
        )
        parser.add_argument("--dry-run", action="store_true", help="delete nothing, only count")

    def handle(self, *, days: int, dry_run: bool, **_: Any) -> None:
        if not 1 <= days <= _A_CENTURY:
            told = f"--days {days}: write a number from 1 to {_A_CENTURY}."
            raise CommandError(told, returncode=UNUSABLE)
        before = timezone.now() - timedelta(days=days)
        found = count_old(before)
        if dry_run:
            self.stdout.write(f"Would delete {_in_words(found)}.")
            return
        with counting(self.stderr, "rows", total=found.total) as tell:
            gone = prune(before, tell)
        self.stdout.write(f"Deleted {_in_words(gone)}.")


def _in_words(pruned: Pruned) -> str:
    return (
        f"{pruned.changes:,} lines and {pruned.chunks:,} chunks of runs, {pruned.members:,} ended "
        f"stays on lists, {pruned.events:,} webhook events, {pruned.answers:,} kept answers, "
        f"{pruned.budgets:,} unused request budgets"
    )
