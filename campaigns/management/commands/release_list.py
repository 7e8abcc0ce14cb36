"""Let segments go of lists that are not in the account of the configured key."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from campaigns.errors import SegmentBusy
from campaigns.management.choosing import add_segment_arguments, chosen_segments
from campaigns.management.exits import FAILED, told_in_one_sentence
from campaigns.sync.gateway import connect
from campaigns.sync.given_up import release


class Command(BaseCommand):
    help = (
        "After a move to another Brevo account: let segments go of lists that are not in the "
        "account of BREVO_API_KEY, or whose ids lead to other lists. Changes nothing at Brevo; "
        "the next sync makes new lists. Exit 0; 1 when one could not be released or looked at, "
        "2 for no such segment."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_segment_arguments(parser)

    def handle(self, **options: Any) -> None:
        are_busy = False
        with told_in_one_sentence():
            client = connect()
            try:
                for segment in chosen_segments(options):
                    try:
                        self.stdout.write(release(client, segment))
                    except SegmentBusy as error:
                        are_busy = True
                        self.stdout.write(str(error))
            finally:
                client.close()
        if are_busy:
            raise SystemExit(FAILED)
