"""Ask for a run, carry it on, stop it: the doors that command, API, admin and workers use.

A run is a row. Whoever rings for it, and however often, it goes on once: in the process that
holds its lease, from where the last process left it.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from campaigns.audience.definition import problems
from campaigns.brevo import BrevoError, BrevoTemporary
from campaigns.enums import ExportStatus, Phase, VerifyLevel
from campaigns.errors import (
    CampaignsError,
    LeaseLost,
    ListNotOurs,
    PlanRefused,
    RunCancelled,
    SegmentBroken,
    SegmentBusy,
)
from campaigns.models import Segment, SegmentExport
from campaigns.sync import apply, attributes, chunks, contact_ids, given_up, ledger, verify
from campaigns.sync.brake import approval_reason
from campaigns.sync.closing import (
    call_off,
    finish,
    forget_what_is_not_done,
    wait_for_approval,
)
from campaigns.sync.consent import members_who_said_no
from campaigns.sync.events import process_pending
from campaigns.sync.gateway import connect
from campaigns.sync.list_identity import check_account, find_list
from campaigns.sync.plan import check_plan, look_at_list, write_plan
from campaigns.sync.reconciling import look_up, reconcile
from campaigns.sync.suppressing import adopt
from campaigns.sync.work import Progress, Run

logger = logging.getLogger(__name__)

_MOST_ATTEMPTS = 10
_LOOK_AGAIN_AFTER = (1.0, 4.0)  # seconds; a list may lag behind what was done to it


def request_sync(
    segment: Segment,
    *,
    by: User | None = None,
    plan_only: bool = False,
    verify_level: str = VerifyLevel.AUTO,
) -> SegmentExport:
    """Queue a run of the segment and return it; nothing is sent yet.

    A run that died, or that nobody took up, is returned instead, to be carried on. Raises
    SegmentBroken, unless somebody who said no has to leave the list, SegmentBusy while another run
    is alive, and BrevoMisconfigured when Brevo cannot be used at all.
    """
    found = problems(segment)
    if found and (plan_only or not members_who_said_no(segment).exists()):
        raise SegmentBroken(segment.name, found)
    connect()
    at_work = SegmentExport.objects.active().filter(segment=segment).first()
    if at_work is not None:
        if _is_left_behind(at_work) and at_work.plan_only == plan_only:
            return at_work
        raise SegmentBusy(segment.name, at_work.pk)
    try:
        with transaction.atomic():
            return SegmentExport.objects.create(
                segment=segment,
                segment_name=segment.name,
                exported_by=by,
                plan_only=plan_only,
                verify_level=verify_level,
            )
    except IntegrityError as error:
        raise SegmentBusy(segment.name, _at_work(segment)) from error


def _is_left_behind(export: SegmentExport) -> bool:
    length = timedelta(seconds=settings.CAMPAIGNS_LEASE_SECONDS)
    unheard = export.status == ExportStatus.QUEUED and not export.check_plan
    return export.is_stalled or (unheard and export.exported_at < timezone.now() - length)


def apply_plan(export: SegmentExport, *, by: User | None, approve: bool = False) -> SegmentExport:
    """Queue exactly the plan that was looked at; the run refuses it when it no longer holds.

    ``approve`` releases the brake for this plan, once. Raises PlanRefused, or SegmentBusy.
    """
    allowed = [ExportStatus.PLANNED, *([ExportStatus.WAITING] if approve else [])]
    approval = {"approved_by": by, "approved_at": timezone.now()} if approve else {}
    waiting = SegmentExport.objects.filter(pk=export.pk, status__in=allowed, segment__isnull=False)
    try:
        with transaction.atomic():
            queued = waiting.update(
                status=ExportStatus.QUEUED,
                plan_only=False,
                check_plan=True,
                error_message="",
                finished_at=None,
                **approval,
            )
    except IntegrityError as error:
        raise SegmentBusy(export.segment_name, _at_work(export.segment)) from error
    export.refresh_from_db()
    if not queued:
        state = export.get_status_display().lower()
        remedy = "approve it first" if export.status == ExportStatus.WAITING else "plan anew"
        raise PlanRefused(f"{export} cannot be applied, it is “{state}”: {remedy}.")
    return export


def cancel(export: SegmentExport, *, by: User | None) -> SegmentExport:
    """Stop a run: at once when nobody is at work on it, else at its next step.

    Raises PlanRefused when it is over already.
    """
    told = f"Cancelled by {by}." if by else "Cancelled."
    stopped = call_off(SegmentExport.objects.filter(pk=export.pk), told)
    if not stopped:
        at_work = SegmentExport.objects.filter(pk=export.pk, status=ExportStatus.RUNNING)
        if not at_work.update(cancel_requested=True):
            raise PlanRefused(f"{export} is over already: there is nothing to cancel.")
        export.refresh_from_db()
        if export.is_stalled:
            return run_export(export.pk)
    export.refresh_from_db()
    return export


def _at_work(segment: Segment | None) -> int:
    found = SegmentExport.objects.active().filter(segment=segment).first()
    return found.pk if found else 0


def run_export(export_id: int, *, progress: Progress | None = None) -> SegmentExport:
    """Carry the run on until it ends, and return it as it then is.

    Does nothing when another process holds it, or when it is over. What goes wrong ends up in the
    run's status and message; only a fault of our own is raised, after it was written down.
    """
    run = Run.claim(export_id, progress)
    if run is not None:
        try:
            _carry_on_to_an_end(run)
        except LeaseLost:
            logger.warning("Export %s was taken up by another process.", export_id)
        except (KeyboardInterrupt, SystemExit):
            run.abandon()
            raise
        finally:
            run.close()
    return SegmentExport.objects.get(pk=export_id)


def _carry_on_to_an_end(run: Run) -> None:
    try:
        _carry_on(run)
    except (LeaseLost, DatabaseError):
        raise  # nothing can be written: the lease ends, and whoever takes the run up goes on
    except RunCancelled as cancelled:
        finish(run, ExportStatus.CANCELLED, str(cancelled))
    except (BrevoError, CampaignsError) as error:
        finish(run, ExportStatus.FAILED, str(error))
    except Exception as error:
        finish(run, ExportStatus.FAILED, f"A fault of this application: {error!r}.")
        raise


def _carry_on(run: Run) -> None:
    export = run.export
    if export.attempts > _MOST_ATTEMPTS:
        raise CampaignsError(
            f"The run broke off {_MOST_ATTEMPTS} times, the last time while "
            f"{export.get_phase_display().lower()}. Look into the log, then sync again."
        )
    run.stop_if_asked()
    _check_list(run)
    if export.phase in (Phase.PLAN, Phase.LIST):
        chunks.resolve_open(run)
    is_fresh = export.phase == Phase.PLAN
    if is_fresh:
        try:
            _plan(run)
        except SegmentBroken:  # who said no leaves all the same
            if not export.plan_only:
                apply.remove_at_once(run, is_fresh=False)
            raise
    if export.plan_only:
        finish(run, ExportStatus.PLANNED)
        return
    if export.phase != Phase.VERIFY:
        apply.remove_at_once(run, is_fresh=is_fresh)
        run.notices += given_up.clean(run)
    if export.phase != Phase.LIST or _may_go_on(run):
        _perform(run)


def _may_go_on(run: Run) -> bool:
    """False when a person has to approve the plan first; raises PlanRefused for an outdated one."""
    if run.export.check_plan:
        check_plan(run)
    if why := approval_reason(run.export):
        _leave_to_review(run, why)
        return False
    _replace_reviewed(run)
    return True


def _perform(run: Run) -> None:
    export = run.export
    if export.phase == Phase.LIST:
        run.stop_if_asked()
        apply.prepare_list(run)
        run.save(phase=Phase.REMOVE)
    if export.phase == Phase.REMOVE:
        apply.remove(run)
        run.save(phase=Phase.SEND)
    if export.phase == Phase.SEND:
        apply.send(run)
        run.save(phase=Phase.VERIFY)
    run.stop_if_asked()
    apply.remove_at_once(run, is_fresh=False)
    _verify(run)
    finish(run)


def _check_list(run: Run) -> None:
    """Touch nothing of a list that is not the segment's, also when a run is taken up again."""
    export = run.export
    try:
        account = check_account(run.client, run.segment)
        if export.account and export.account != account.id:
            raise ListNotOurs(
                f"This run began in another Brevo account ({export.account}), and BREVO_API_KEY is "
                f"a key of {account}: plan anew."
            )
        if export.account != account.id:
            run.save(account=account.id)
        if export.phase != Phase.PLAN:  # the plan looks at the list itself
            find_list(run.client, run.segment)
    except BrevoTemporary:
        if not export.plan_only:
            raise


def _plan(run: Run) -> None:
    run.show()
    list_was_gone = look_at_list(run)
    process_pending(run.beat)
    adopt()
    notes = attributes.prepare(run)
    with transaction.atomic():
        run.save()  # holds the row: nobody else writes this plan meanwhile
        contact_ids.settle_claims(run.segment.pk)
        facts = write_plan(run.export, run.segment, list_was_gone=list_was_gone)
        run.save(**facts, notes=notes, phase=Phase.LIST)
    Segment.objects.filter(pk=run.segment.pk).update(
        audience_size=facts["audience_count"],
        mailable_size=facts["users_count"],
        counted_at=timezone.now(),
    )
    run.show()


def _leave_to_review(run: Run, why: str) -> None:
    """Park the plan for a person to approve; one that waits already is kept, and not replaced."""
    reviewed = (
        SegmentExport.objects.under_review(run.segment.pk)
        .filter(definition=run.export.definition)
        .first()
    )
    if reviewed is None:
        _replace_reviewed(run)
        wait_for_approval(run, why)
        return
    message = f"Sync {reviewed.pk} of this segment waits for approval. {why}"
    forget_what_is_not_done(run)
    finish(run, ExportStatus.CANCELLED, message)


def _replace_reviewed(run: Run) -> None:
    call_off(
        SegmentExport.objects.under_review(run.segment.pk),
        f"Sync {run.export.pk} replaced this plan.",
    )


def _verify(run: Run) -> None:
    run.show()
    wanted = run.export.verify_level
    level = verify.level_for(run.segment, wanted)
    run.segment.brevo_list_id = run.export.brevo_list_id
    proof = verify.verify(run.client, run.segment, level, after=run.export.pk)
    if wanted == VerifyLevel.AUTO and (proof.falls_short or _holds_more_than_before(run, proof)):
        level = VerifyLevel.FULL
        proof = verify.verify(run.client, run.segment, level, after=run.export.pk)
    for pause in _LOOK_AGAIN_AFTER:
        if not _may_come_right(run, proof):
            break
        contact_ids.take_off(run, proof.twins)
        apply.remove_again(run, proof.unexpected_emails)
        run.pause(pause)
        proof = verify.verify(run.client, run.segment, level, after=run.export.pk)
    missing = _to_be_sent_again(run, proof)
    with transaction.atomic():
        ledger.doubt(run.export, missing)
        ledger.send_alone(run.export, missing[: chunks.ALONE_AT_MOST])
        ledger.reopen(run.export, proof.unexpected_emails)
        run.save(proof=proof.as_json())


def _holds_more_than_before(run: Run, proof: verify.Proof) -> bool:
    """True when a count has more beyond the expected than the last proof: names tell who it is.

    They may be people whom a removal did not take off, or whom somebody else has added.
    """
    if proof.level != VerifyLevel.COUNT or proof.on_list is None:
        return False
    proved = SegmentExport.objects.filter(segment=run.segment, pk__lt=run.export.pk)
    last = proved.exclude(proof={}).order_by("-pk").first()
    before = last.proof if last is not None else {}
    known = max(0, (before.get("on_list") or 0) - (before.get("expected") or 0))
    is_same = before.get("list_id") == proof.list_id
    return proof.on_list - proof.expected > (known if is_same else 0)


def _to_be_sent_again(run: Run, proof: verify.Proof) -> list[str]:
    """Return who is missing and may be sent again.

    They may have unsubscribed: that took them off, or somebody deleted them after it. Of whom
    Brevo does not say what became of them, nobody is sent again before it does.
    """
    if not proof.missing_emails:
        return []
    try:
        reconcile(run.client)
    except BrevoError as error:
        run.notices.append(f"The missing are not sent again before Brevo can be asked. {error}")
        return []
    known = ledger.contact_ids(run.export, proof.missing_emails)
    unknown = look_up(run.client, known).unknown
    return [email for email in proof.missing_emails if email not in unknown]


def _may_come_right(run: Run, proof: verify.Proof) -> bool:
    """True when the list may only lag behind: something was sent, or somebody is still on it."""
    if proof.unexpected_emails or proof.twins:
        return True
    falls_short = proof.falls_short or bool(proof.missing_emails)
    return falls_short and run.export.chunks.exists()
