"""Read lists back from Brevo, and say whether they or their segments moved since the last run."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from campaigns.brevo import BrevoClient, BrevoError, BrevoMisconfigured
from campaigns.enums import ChangeKind, VerifyLevel
from campaigns.errors import CampaignsError
from campaigns.management.choosing import add_segment_arguments, chosen_segments
from campaigns.management.exits import FAILED, UNUSABLE
from campaigns.models import Segment
from campaigns.sync.drift import Drift, drift
from campaigns.sync.gateway import connect

_NAMES = 20  # so many of each are named
_ON_THE_LIST = {
    "missing": "should be on it and are not",
    "unexpected": "were taken off and are on it again",
    "held_by_others": "were put there by others, which is fine",
    "other_address": "have another address at Brevo: correct it here or there",
}
_IN_THE_SEGMENT = {
    ChangeKind.JOIN: "would join",
    ChangeKind.LEAVE: "would leave",
    ChangeKind.CHANGE: "have changed data",
}


class Command(BaseCommand):
    help = (
        "Compare the Brevo lists of segments with what we put there, and with the audience now. "
        "Sends nobody anywhere; what a sync would do is kept as a plan. Exit 0 when nothing "
        "moved, 1 when something did or could not be found out, 2 for no such segment."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_segment_arguments(parser)
        parser.add_argument(
            "--level",
            type=str.lower,
            choices=[VerifyLevel.FULL.lower(), VerifyLevel.COUNT.lower()],
            help="read every name, or count only (default: what fits the size of the list)",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object per segment")

    def handle(self, **options: Any) -> None:
        segments = chosen_segments(options)
        level = VerifyLevel((options["level"] or VerifyLevel.AUTO).upper())
        try:
            client = connect()
            try:
                told = [_look(client, segment, level) for segment in segments]
            finally:
                client.close()
        except BrevoMisconfigured as error:
            raise CommandError(str(error), returncode=UNUSABLE) from error
        for one in told:
            self.stdout.write(json.dumps(one, ensure_ascii=False) if options["json"] else _say(one))
        if any(one["moved"] is not False for one in told):
            raise SystemExit(FAILED)


def _look(client: BrevoClient, segment: Segment, level: VerifyLevel) -> dict[str, Any]:
    """Return what is to be told of a segment; ``moved`` is None when it could not be found out."""
    about = {
        "segment_id": segment.pk,
        "segment_name": segment.name,
        "brevo_list_id": segment.brevo_list_id,
    }
    unknown = {"moved": None, "list": None, "segment": None, "export_id": None}
    try:
        found = drift(client, segment, level)
    except BrevoMisconfigured:
        raise
    except (BrevoError, CampaignsError) as error:
        return {**about, **unknown, "error_message": str(error)}
    if not found.is_known:
        told = found.plan.error_message or "Another process is at work on it."
        return {**about, **unknown, "error_message": told}
    return {
        **about,
        "moved": found.of_list or found.of_segment,
        "list": {"moved": found.of_list, **_list(found)},
        "segment": {"moved": found.of_segment, **_segment(found)},
        "export_id": found.plan.pk,
        "error_message": "",
    }


def _list(found: Drift) -> dict[str, Any]:
    proof = found.proof
    names = {kind: emails[:_NAMES] for kind, emails in proof.names.items()}
    counts = {kind: getattr(proof, kind) for kind in _ON_THE_LIST}
    return {
        "gone": found.is_gone,
        "level": proof.level,
        "expected": proof.expected,
        "on_list": proof.on_list,
        **counts,
        "names": names,
    }


def _segment(found: Drift) -> dict[str, Any]:
    plan = found.plan
    lines = plan.changes.order_by("pk")
    names = {
        kind.value: list(lines.filter(kind=kind).values_list("email", flat=True)[:_NAMES])
        for kind in _IN_THE_SEGMENT
    }
    counts = dict(
        zip(_IN_THE_SEGMENT, (plan.joins, plan.leaves, plan.changes_planned), strict=True)
    )
    return {**{kind.value: count for kind, count in counts.items()}, "names": names}


def _say(one: dict[str, Any]) -> str:
    name = one["segment_name"]
    if one["moved"] is None:
        return f"{name}: not known. {one['error_message']}"
    in_list, in_segment = one["list"], one["segment"]
    on_list = "unknown" if in_list["on_list"] is None else in_list["on_list"]
    counted = f"{on_list} on it, {in_list['expected']} by our ledger"
    lines = [
        f"{name}: the list {_moved(in_list)}: {counted}.",
        *_named(in_list, _ON_THE_LIST),
        f"{name}: the segment {_moved(in_segment)}.",
        *_named(in_segment, {kind.value: words for kind, words in _IN_THE_SEGMENT.items()}),
    ]
    if in_segment["moved"]:
        lines.append(f"  Apply it with: manage.py sync_segment --apply {one['export_id']}")
    return "\n".join(lines)


def _moved(part: dict[str, Any]) -> str:
    if part.get("gone"):
        return "is gone from Brevo, a sync makes a new one"
    return "moved" if part["moved"] else "has not moved"


def _named(part: dict[str, Any], words: dict[str, str]) -> Iterable[str]:
    for kind, what in words.items():
        if count := part[kind]:
            names = part["names"].get(kind, [])
            more = f" and {count - len(names)} more" if count > len(names) else ""
            told = f": {', '.join(names)}{more}" if names else ""
            yield f"  {count} {what}{told}"
