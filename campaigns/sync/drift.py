"""Drift: whether a list, or the segment it mirrors, moved since the last run."""

from dataclasses import dataclass
from functools import cached_property

from campaigns.brevo import BrevoClient
from campaigns.enums import ExportStatus, Phase, VerifyLevel
from campaigns.models import Segment, SegmentExport
from campaigns.sync.list_identity import check_account, find_list
from campaigns.sync.runs import request_sync, run_export
from campaigns.sync.verify import Proof, level_for, verify


@dataclass
class Drift:
    """The list against the ledger, and the audience against the ledger; both as of now."""

    last: SegmentExport | None
    proof: Proof
    plan: SegmentExport

    @cached_property
    def of_list(self) -> bool:
        """True when the list is not as the last run left it, as far as both were looked at."""
        before = self.last.proof if self.last is not None else {}
        if self.is_gone:
            return True
        if not self.proof.holds or before.get("level") != self.proof.level:
            return not self.proof.holds
        if self.proof.level == VerifyLevel.FULL:
            return bool(before.get("digest")) and before["digest"] != self.proof.digest
        return before.get("on_list") is not None and before["on_list"] != self.proof.on_list

    @property
    def of_segment(self) -> bool:
        """True when a sync would put somebody on the list, take off, or send anew."""
        return bool(self.plan.joins or self.plan.leaves or self.plan.changes_planned)

    @property
    def is_gone(self) -> bool:
        """True when the list is no longer at Brevo: a sync makes a new one."""
        return self.plan.list_was_gone

    @property
    def is_known(self) -> bool:
        return self.plan.status == ExportStatus.PLANNED


def drift(client: BrevoClient, segment: Segment, level: VerifyLevel) -> Drift:
    """Read the list back and plan a sync; the plan stays, to be applied if it pleases.

    Raises BrevoError, SegmentBroken, SegmentBusy while a run is at work, and ListNotOurs before
    anything of another list is read.
    """
    check_account(client, segment)
    finished = SegmentExport.objects.filter(segment=segment, phase=Phase.DONE)
    last = finished.exclude(proof={}).order_by("-pk").first()
    plan = run_export(request_sync(segment, plan_only=True).pk)
    after = last.pk if last is not None else None
    find_list(client, segment)
    return Drift(last, verify(client, segment, level_for(segment, level), after=after), plan)
