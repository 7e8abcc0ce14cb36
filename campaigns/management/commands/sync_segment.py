"""Make the Brevo lists of segments equal to their audiences."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from campaigns.brevo import BrevoError, BrevoMisconfigured
from campaigns.enums import ACTIVE, ExportStatus, VerifyLevel
from campaigns.errors import CampaignsError, SegmentBusy
from campaigns.management.choosing import add_segment_arguments, chosen_segments
from campaigns.management.exits import FAILED, UNUSABLE, WAITING
from campaigns.management.progress import Watcher
from campaigns.models import Segment, SegmentExport
from campaigns.sync.runs import apply_plan, request_sync, run_export


class Command(BaseCommand):
    help = "Make the Brevo lists of segments equal to their audiences."
    requires_system_checks = ()  # they load every page of the admin: a fifth of the start

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_segment_arguments(parser)
        parser.add_argument("--plan", action="store_true", help="send nothing, show the plan")
        parser.add_argument("--apply", type=int, metavar="EXPORT", help="apply a plan made before")
        parser.add_argument(
            "--approve", action="store_true", help="with --apply: release the brake for this plan"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object per segment")
        parser.add_argument(
            "--quiet", action="store_true", help="print only what needs somebody, for cron"
        )
        parser.add_argument(
            "--verify",
            choices=[level.value.lower() for level in VerifyLevel],
            default=VerifyLevel.AUTO.lower(),
            help="how to read the list back (default: what fits its size)",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        self.as_json: bool = options["json"]
        self.is_quiet: bool = options["quiet"]
        self.watcher = Watcher(self.stderr, silent=self.as_json or self.is_quiet)
        if options["apply"] is not None:
            runs = [self._apply(options)]
        elif options["approve"]:
            raise CommandError("--approve goes with --apply EXPORT.", returncode=UNUSABLE)
        else:
            runs = [self._sync(segment, options) for segment in chosen_segments(options)]
        good = {ExportStatus.SUCCESS, *([ExportStatus.PLANNED] if options["plan"] else [])}
        bad = [status for status in runs if status not in good]
        if bad:
            is_waiting = all(status in (ExportStatus.WAITING, *ACTIVE) for status in bad)
            raise SystemExit(WAITING if is_waiting else FAILED)

    def _sync(self, segment: Segment, options: dict[str, Any]) -> str:
        """Plan, apply and verify one segment; return its status, or that of what it waits for."""
        try:
            export = request_sync(
                segment, plan_only=options["plan"], verify_level=options["verify"].upper()
            )
        except BrevoMisconfigured as error:
            raise CommandError(str(error), returncode=UNUSABLE) from error
        except SegmentBusy as error:
            return self._report_refused(segment, str(error), ExportStatus.RUNNING)
        except (CampaignsError, BrevoError) as error:
            return self._report_refused(segment, str(error))
        return self._run(export)

    def _apply(self, options: dict[str, Any]) -> str:
        if options["all"] or options["segments"] or options["plan"]:
            raise CommandError("--apply takes an export alone.", returncode=UNUSABLE)
        export = SegmentExport.objects.filter(pk=options["apply"]).first()
        if export is None:
            raise CommandError(f"There is no export {options['apply']}.", returncode=UNUSABLE)
        try:
            apply_plan(export, by=None, approve=options["approve"])
        except CampaignsError as error:
            raise CommandError(str(error), returncode=FAILED) from error
        return self._run(export)

    def _run(self, export: SegmentExport) -> str:
        self.watcher.start(export.segment_name)
        ended = run_export(export.pk, progress=self.watcher)
        self.watcher.stop()
        self._report(ended)
        reviewed = SegmentExport.objects.under_review(ended.segment_id)
        is_kept_back = ended.status == ExportStatus.CANCELLED and reviewed.exists()
        return ExportStatus.WAITING if is_kept_back else ended.status

    def _report_refused(
        self, segment: Segment, message: str, status: ExportStatus = ExportStatus.FAILED
    ) -> str:
        refused = SegmentExport(
            segment=segment,
            segment_name=segment.name,
            status=status,
            brevo_list_id=segment.brevo_list_id,
            error_message=message,
        )
        self._report(refused)
        return refused.status

    def _report(self, export: SegmentExport) -> None:
        if self.is_quiet and export.status == ExportStatus.SUCCESS:
            return
        if self.as_json:
            self.stdout.write(json.dumps(_as_json(export), ensure_ascii=False))
            return
        if export.status == ExportStatus.PLANNED:
            self._show_plan(export)
            return
        self.stdout.write(
            f"{export.segment_name}: {export.get_status_display()}. "
            f"{_number(export.users_count)} mailable, {export.added} added, "
            f"{export.updated} updated, {export.removed} removed, {export.failed} refused."
        )
        for sentence in filter(None, (export.error_message, *export.remarks)):
            self.stdout.write(f"  {sentence}")

    def _show_plan(self, export: SegmentExport) -> None:
        self.stdout.write(
            f"{export.segment_name}: {export.joins} would join, {export.leaves} would leave, "
            f"{export.changes_planned} changed, {export.held_back} held back. "
            f"Apply it with: manage.py sync_segment --apply {export.pk}"
        )
        for sentence in export.remarks:
            self.stdout.write(f"  {sentence}")
        for change in export.changes.order_by("kind", "email")[:_LINES_SHOWN]:
            why = f" ({change.get_reason_display()})" if change.reason else ""
            self.stdout.write(f"  {change.email} {change.get_kind_display()}{why}")
        more = export.joins + export.leaves + export.changes_planned + export.held_back
        if more > _LINES_SHOWN:
            self.stdout.write(f"  … and {more - _LINES_SHOWN} more")


_LINES_SHOWN = 50


def _number(count: int | None) -> str:
    return "unknown" if count is None else str(count)


def _list_of(segment: Segment | None) -> int | None:
    """Return the list that a run which never came to it would have been about."""
    return None if segment is None else segment.brevo_list_id


def _as_json(export: SegmentExport) -> dict[str, Any]:
    return {
        "segment_id": export.segment_id,
        "segment_name": export.segment_name,
        "brevo_list_id": export.brevo_list_id or _list_of(export.segment),
        "status": export.status,
        "users_count": export.users_count,
        "added": export.added,
        "updated": export.updated,
        "removed": export.removed,
        "failed": export.failed,
        "error_message": export.error_message,
        "export_id": export.pk,
        "notes": export.remarks,
    }
