"""Which segments a command is about: named on the command line, or all of them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from campaigns.management.exits import UNUSABLE
from campaigns.models import Segment

_DIGITS_OF_AN_ID = 18  # what surely fits into a bigint


def add_segment_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("segments", nargs="*", metavar="SEGMENT", help="id or exact name")
    parser.add_argument("--all", action="store_true", help="every segment")


def chosen_segments(options: dict[str, Any]) -> list[Segment]:
    """Return the segments that were asked for; raise CommandError for one that is not there."""
    if options["all"] == bool(options["segments"]):
        raise CommandError("Name the segments, or say --all.", returncode=UNUSABLE)
    if options["all"]:
        return list(Segment.objects.order_by("pk"))
    return [_segment(wanted) for wanted in options["segments"]]


def _segment(wanted: str) -> Segment:
    found = Segment.objects.filter(name=wanted).first()
    if found is None and wanted.isdecimal() and len(wanted) <= _DIGITS_OF_AN_ID:
        found = Segment.objects.filter(pk=int(wanted)).first()
    if found is None:
        raise CommandError(
            f"There is no segment “{wanted}”: give an id or the exact name.", returncode=UNUSABLE
        )
    return found
