"""Work that Brevo accepts now and does later: one background thread, one job after the other."""

import json
import logging
import queue
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.brevo import attributes, lists, merging, reports
from sandbox.brevo.delays import DelayedActions, Wait
from sandbox.brevo.store import Store, now_ms
from sandbox.brevo.write_faults import NO_WRITE_FAULTS, WriteFaults

IMPORT = "IMPORTUSER"
REMOVE_ALL = "REMOVEUSER"

REPORTS = (
    "invalid_emails",
    "duplicate_contact_id",
    "duplicate_ext_id",
    "duplicate_email_id",
    "duplicate_phone_id",
    "duplicate_whatsapp_id",
    "duplicate_landline_number_id",
)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Job:
    process_id: int
    payload: Mapping[str, Any]
    write_faults: WriteFaults = NO_WRITE_FAULTS


class Processes:
    """The queue. A process that was open when the stand-in stopped goes on at the next start."""

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._seconds = seconds
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self.stuck = DelayedActions()
        self.stuck_ids: set[int] = set()
        self._thread = threading.Thread(target=self._work, name="sandbox-processes", daemon=True)

    def start(self) -> None:
        for row in self._store.rows(
            "SELECT id, payload FROM process WHERE finished IS NULL ORDER BY id"
        ):
            self._jobs.put(Job(row["id"], json.loads(row["payload"])))
        self._thread.start()

    def stop(self) -> None:
        self.stuck.forget()
        self._stopping.set()
        self._jobs.put(None)
        self._thread.join()

    def accept(self, name: str, list_ids: Iterable[int], raw: bytes) -> int:
        """Write a process down as queued. Call it inside `store.writing()`, then `enqueue`."""
        cursor = self._store.db.execute(
            "INSERT INTO process (name, status, list_ids, payload, created)"
            " VALUES (?, 'queued', ?, ?, ?)",
            (name, json.dumps(list(list_ids)), raw, now_ms()),
        )
        return cursor.lastrowid or 0

    def enqueue(self, job: Job) -> None:
        """Have a job done after those before it; one that is stuck holds up nobody."""
        if job.write_faults.stuck is None:
            self._jobs.put(job)
            return
        self.stuck_ids.add(job.process_id)

        def go_on() -> None:
            self._jobs.put(job)
            self.stuck_ids.discard(job.process_id)

        self.stuck.put_off(Wait.parse(job.write_faults.stuck), go_on)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None and not self._stopping.is_set():
            try:
                self._run(job)
            except Exception:  # noqa: BLE001 -- the queue behind a broken payload must move on
                _log.exception("Process %s failed", job.process_id)
                self._finish(job, "failed")

    def _run(self, job: Job) -> None:
        with self._store.writing() as db:
            db.execute("UPDATE process SET status = 'in_process' WHERE id = ?", (job.process_id,))
            process = self._store.row("SELECT * FROM process WHERE id = ?", job.process_id) or {}
            known = attributes.checks(self._store)
        if self._stopping.wait(self._seconds):
            return
        if job.write_faults.imports_nobody:
            self._finish(job, job.write_faults.ends)
        elif process["name"] == REMOVE_ALL:
            self._remove_all(job, json.loads(process["list_ids"]))
        else:
            batch = merging.read(job.payload, known, job.write_faults)
            if job.write_faults.breaks_off:
                batch.rows = batch.rows[: len(batch.rows) // 2]
            self._import(job, batch, json.loads(process["list_ids"]))

    def _import(self, job: Job, batch: merging.Batch, list_ids: list[int]) -> None:
        with self._store.writing():
            lagging = list_ids if job.write_faults.lags else []
            before = {list_id: lists.member_ids(self._store, list_id) for list_id in lagging}
            merging.merge(self._store, batch, list_ids, job.payload)
            for list_id, members in before.items():
                lists.hide(self._store, list_id, members, Wait.parse(job.write_faults.lags))
            if not job.write_faults.breaks_off:
                self._report(job, batch)
            self._close(job, job.write_faults.ends, batch.size)

    def _report(self, job: Job, batch: merging.Batch) -> None:
        for kind in ("invalid_emails", "duplicate_phone_id"):
            if refused := getattr(batch, kind):
                self._store.db.execute(
                    "INSERT INTO report VALUES (?, ?, ?)",
                    (job.process_id, kind, reports.write(refused)),
                )

    def _remove_all(self, job: Job, list_ids: list[int]) -> None:
        with self._store.writing():
            removed = sum(lists.remove_all(self._store, list_id) for list_id in list_ids)
            self._close(job, "completed", removed)

    def _finish(self, job: Job, status: str) -> None:
        with self._store.writing():
            self._close(job, status, 0)

    def _close(self, job: Job, status: str, contacts: int) -> None:
        self._store.db.execute(
            "UPDATE process SET status = ?, finished = ?, contacts = ?, payload = NULL"
            " WHERE id = ?",
            (status, now_ms(), contacts, job.process_id),
        )
