"""A run in the hands of one process: its lease, its heartbeat, its progress."""

import os
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from typing import Any, Self
from uuid import uuid4

from django.conf import settings
from django.db.models import DateTimeField, ExpressionWrapper, F, Q
from django.db.models.functions import Coalesce, Now

from campaigns.brevo import AttributeMap, BrevoClient
from campaigns.enums import ACTIVE, ExportStatus
from campaigns.errors import LeaseLost, RunCancelled
from campaigns.models import AccountLease, Segment, SegmentExport
from campaigns.sync.gateway import connect

# Told the phase's label, how many people are settled, and out of how many.
Progress = Callable[[str, int, int], None]
# Brevo's hourly budget may be spent: a run waits for the next hour rather than give up.
_LONGEST_WAIT = 3700.0


def lease_end() -> ExpressionWrapper[Any]:
    """Return when a lease taken now ends, by the clock of the database alone."""
    length = timedelta(seconds=settings.CAMPAIGNS_LEASE_SECONDS)
    return ExpressionWrapper(Now() + length, output_field=DateTimeField())


def free_q() -> Q:
    """Match runs that nobody holds: never taken, or silent for longer than their lease."""
    return Q(lease_until__isnull=True) | Q(lease_until__lt=Now())


def segment_deleted() -> RunCancelled:
    return RunCancelled("The segment was deleted, and its list with it.")


class Run:
    """The right to carry on one export; every write proves that it is still held."""

    def __init__(self, export: SegmentExport, owner: str, progress: Progress | None) -> None:
        self.export = export
        self.owner = owner
        self.notices: list[str] = []  # what its end also says, whatever came of it
        self.attributes: AttributeMap | None = None  # once they are known
        self._progress = progress
        self._next_beat = 0.0

    @classmethod
    def claim(cls, export_id: int, progress: Progress | None = None) -> Self | None:
        """Take up an active export that nobody holds; None when somebody does, or it is over."""
        owner = f"{socket.gethostname()[:20]}:{os.getpid()}:{uuid4().hex[:12]}"
        claimed = SegmentExport.objects.filter(free_q(), pk=export_id, status__in=ACTIVE).update(
            status=ExportStatus.RUNNING,
            lease_owner=owner,
            lease_until=lease_end(),
            heartbeat_at=Now(),
            started_at=Coalesce("started_at", Now()),
            attempts=F("attempts") + 1,
        )
        if not claimed:
            return None
        export = SegmentExport.objects.select_related("segment").get(pk=export_id)
        return cls(export, owner, progress)

    @cached_property
    def client(self) -> BrevoClient:
        client = connect()
        client.sleep = self.pause
        client.before_request = self.beat
        client.max_wait = _LONGEST_WAIT
        return client

    @property
    def segment(self) -> Segment:
        segment = self.export.segment
        if segment is None:
            raise segment_deleted()
        return segment

    def save(self, **fields: Any) -> None:
        """Write fields of the export and renew the lease; raise LeaseLost when it is gone."""
        written = SegmentExport.objects.filter(pk=self.export.pk, lease_owner=self.owner).update(
            heartbeat_at=Now(), lease_until=lease_end(), **fields
        )
        if not written:
            raise LeaseLost(f"{self.export} was taken up by another process.")
        for name, value in fields.items():
            if not hasattr(value, "resolve_expression"):
                setattr(self.export, name, value)

    def beat(self) -> None:
        """Renew the lease when it is time to; raise RunCancelled when somebody asked to stop."""
        if time.monotonic() < self._next_beat:
            return
        self._next_beat = time.monotonic() + settings.CAMPAIGNS_LEASE_SECONDS / 6
        self.save()
        AccountLease.objects.filter(owner=self.owner).update(until=lease_end())
        self.stop_if_asked()

    def stop_if_asked(self) -> None:
        """Raise RunCancelled when somebody cancelled the run, or deleted its segment."""
        row = SegmentExport.objects.filter(pk=self.export.pk)
        is_cancelled, segment_id = row.values_list("cancel_requested", "segment_id").get()
        if segment_id is None:
            raise segment_deleted()
        if is_cancelled:
            raise RunCancelled("Cancelled before it was finished.")

    def wait_for(self, what: str) -> None:
        """Show on the run's page, and to whoever watches, what it waits for; "" when it goes on."""
        if self.export.waits_for != what:
            self.save(waits_for=what)
            self.show()

    def pause(self, seconds: float) -> None:
        """Sleep without losing the lease."""
        self.beat()
        slice_length = settings.CAMPAIGNS_LEASE_SECONDS / 6
        while seconds > 0:
            time.sleep(min(seconds, slice_length))
            seconds -= slice_length
            self.beat()

    def settle(self, people: int, **fields: Any) -> None:
        """Write that so many more people have their outcome, with whatever else is now true."""
        self.save(progress_done=F("progress_done") + people, **fields)
        self.export.progress_done += people

    def release(self) -> None:
        """Give the run back."""
        held = SegmentExport.objects.filter(pk=self.export.pk, lease_owner=self.owner)
        held.update(lease_owner="", lease_until=None)

    def abandon(self) -> None:
        """Let the lease end now: whoever asks next carries the run on."""
        held = SegmentExport.objects.filter(pk=self.export.pk, lease_owner=self.owner)
        held.update(lease_until=Now())

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()

    def show(self) -> None:
        """Tell whoever watches how far the run is."""
        if self._progress is not None:
            export = self.export
            label = export.get_phase_display()
            if export.waits_for:
                label = f"{label}, waits for {export.waits_for}"
            self._progress(label, export.progress_done, export.progress_total)
