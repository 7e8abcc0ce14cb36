from functools import reduce
from operator import or_
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from campaigns.enums import (
    ACTIVE,
    ChangeKind,
    ChunkState,
    ExportStatus,
    Outcome,
    Phase,
    Reason,
    VerifyLevel,
)
from campaigns.models.segment import Segment

_AT_THE_LIST = (ExportStatus.RUNNING, ExportStatus.SUCCESS, ExportStatus.PARTIAL)
_COUNTS = ("added", "updated", "removed", "failed")
_DID_SOMETHING = reduce(or_, (Q(**{f"{name}__gt": 0}) for name in _COUNTS))


class ExportQuerySet(models.QuerySet["SegmentExport", "SegmentExport"]):
    def active(self) -> Self:
        """Keep the runs that are queued or at work."""
        return self.filter(status__in=ACTIVE)

    def under_review(self, segment_id: int | None) -> Self:
        """Keep the plans of a segment that wait for approval; none for a deleted segment."""
        waiting = self.filter(status=ExportStatus.WAITING, segment__isnull=False)
        return waiting.filter(segment=segment_id)

    def sent(self) -> Self:
        """Keep the runs that got as far as the list: plans that were never sent are left out."""
        return self.filter(_DID_SOMETHING | Q(status__in=_AT_THE_LIST), plan_only=False)


class SegmentExport(models.Model):
    """One run: plan, apply, verify. A row that any process may pick up where it was left."""

    segment = models.ForeignKey(
        Segment, null=True, on_delete=models.SET_NULL, related_name="exports"
    )
    segment_name = models.CharField(max_length=150)
    status = models.CharField(
        max_length=10, choices=ExportStatus.choices, default=ExportStatus.QUEUED
    )
    phase = models.CharField(max_length=10, choices=Phase.choices, default=Phase.PLAN)
    plan_only = models.BooleanField(default=False)
    verify_level = models.CharField(
        max_length=5, choices=VerifyLevel.choices, default=VerifyLevel.AUTO
    )
    error_message = models.TextField(blank=True)
    brevo_list_id = models.BigIntegerField(null=True)
    account = models.CharField(
        max_length=254, blank=True, default="", help_text="The Brevo account it is done in."
    )
    known_list_id = models.BigIntegerField(
        null=True, help_text="The newest list of the account before this run asked for its own."
    )
    exported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="exports"
    )
    # When
    exported_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    planned_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # The plan
    definition = models.JSONField(default=dict)
    plan_digest = models.CharField(max_length=64, blank=True)
    audience_count = models.BigIntegerField(null=True)
    users_count = models.BigIntegerField(
        null=True, help_text="The mailable audience: what the list holds after a good run."
    )
    list_was_gone = models.BooleanField(default=False)
    list_count_before = models.BigIntegerField(null=True, help_text="The ledger before the run.")
    joins = models.BigIntegerField(default=0)
    leaves = models.BigIntegerField(default=0)
    leaves_at_once = models.BigIntegerField(
        default=0,
        help_text="Of those who leave: whoever said no, or may be on the list. No approval needed.",
    )
    changes_planned = models.BigIntegerField(default=0)
    held_back = models.BigIntegerField(default=0)
    check_plan = models.BooleanField(
        default=False, help_text="The plan was looked at first: apply it only if it still holds."
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    # What came of it
    added = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    removed = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    proof = models.JSONField(default=dict, help_text="What reading the list back has shown.")
    notes = models.JSONField(
        default=dict, help_text="What was left out of what people were sent, by subject."
    )
    # The run as work that anyone may pick up
    lease_owner = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(default=False)
    attempts = models.IntegerField(default=0)
    rung_at = models.DateTimeField(null=True, help_text="When a worker was last asked to look.")
    waits_for = models.CharField(max_length=200, blank=True)
    progress_done = models.BigIntegerField(default=0)
    progress_total = models.BigIntegerField(default=0)

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = "export"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["segment"],
                condition=Q(status__in=[status.value for status in ACTIVE]),
                name="one_active_export_per_segment",
            ),
        ]
        indexes = [
            models.Index(fields=["segment", "-id"], name="export_segment"),
            models.Index(fields=["status", "-id"], name="export_status"),
            models.Index(fields=["exported_at"], name="export_exported_at"),
        ]

    def __str__(self) -> str:
        return f"Export {self.pk} of {self.segment_name}"

    @property
    def has_sent(self) -> bool:
        """What ``sent`` keeps."""
        did_something = any(getattr(self, name) for name in _COUNTS)
        return not self.plan_only and (did_something or self.status in _AT_THE_LIST)

    @property
    def remarks(self) -> list[str]:
        """Return the notes as sentences."""
        return [sentence for sentence in self.notes.values() if sentence]

    @property
    def is_stalled(self) -> bool:
        """True when the run was taken up, then fell silent for longer than its lease."""
        held_until = self.lease_until if self.status == ExportStatus.RUNNING else None
        return held_until is not None and held_until < timezone.now()

    @property
    def progress(self) -> float:
        """How much of the run is done, from 0 to 1."""
        if self.phase == Phase.DONE:
            return 1.0
        return self.progress_done / self.progress_total if self.progress_total else 0.0


class ExportChunkQuerySet(models.QuerySet["ExportChunk", "ExportChunk"]):
    def unsettled(self) -> Self:
        """Keep those of which we do not know yet what came of them."""
        return self.filter(state__in=(ChunkState.SENDING, ChunkState.ACCEPTED))

    def possibly_arriving(self) -> Self:
        """Keep those that Brevo may still carry out: whoever is in them may come to be listed."""
        return self.filter(state__in=(ChunkState.SENDING, ChunkState.ACCEPTED, ChunkState.UNKNOWN))


class ExportChunk(models.Model):
    """A stretch of a plan's lines on its way to Brevo: written before anything is sent.

    A chunk that stays unsettled is a question to Brevo that the next run of the segment asks.
    One whose outcome is UNKNOWN was sent again, and may still be carried out all the same.
    """

    export = models.ForeignKey(SegmentExport, on_delete=models.CASCADE, related_name="chunks")
    kind = models.CharField(max_length=10, choices=ChangeKind.choices)
    state = models.CharField(max_length=10, choices=ChunkState.choices, default=ChunkState.SENDING)
    first_change = models.BigIntegerField()
    last_change = models.BigIntegerField()
    people = models.IntegerField()
    one_by_one = models.BooleanField(default=False)
    process_id = models.BigIntegerField(null=True)
    known_process_id = models.BigIntegerField(
        null=True, help_text="The newest process of the account before this one was asked for."
    )
    sent_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    took = models.FloatField(
        null=True, help_text="Seconds until Brevo had finished it, of a chunk that was watched."
    )
    error_message = models.TextField(blank=True)

    objects = ExportChunkQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.people} of {self.export}"


class ExportChange(models.Model):
    """One person's line in a run, with its outcome.

    Rows come a million at a time, so the two relations carry no database constraint, and the
    line keeps the id of a user who has been deleted since.
    """

    export = models.ForeignKey(
        SegmentExport,
        on_delete=models.CASCADE,
        related_name="changes",
        db_constraint=False,
        db_index=False,
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
    )
    email = models.CharField(max_length=254)
    kind = models.CharField(max_length=10, choices=ChangeKind.choices)
    reason = models.CharField(max_length=20, choices=Reason.choices, blank=True)
    outcome = models.CharField(max_length=15, choices=Outcome.choices, default=Outcome.PENDING)
    message = models.TextField(blank=True, help_text="Why, in Brevo's words.")
    fingerprint = models.UUIDField(null=True)
    without_phone = models.BooleanField(default=False, help_text="Brevo refused the number.")
    unconfirmed = models.BooleanField(
        default=False,
        help_text="No member, but in an earlier request whose outcome is unknown.",
    )
    alone = models.BooleanField(
        default=False, help_text="Sent alone, because an import left this person out."
    )

    class Meta:
        ordering = ["id"]
        # None of them speaks of the outcome: then PostgreSQL writes it without touching an index.
        indexes = [models.Index(fields=["export", "kind", "id"], name="change_export_kind")]

    def __str__(self) -> str:
        return f"{self.email} {self.get_kind_display()}"


def never_synced() -> models.Q:
    """Match the segments of which no run has worked yet, not even in part."""
    worked = (ExportStatus.SUCCESS, ExportStatus.PARTIAL)
    runs = SegmentExport.objects.filter(segment=models.OuterRef("pk"), status__in=worked)
    return ~models.Q(models.Exists(runs))
