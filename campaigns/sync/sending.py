"""Send the joins and changes of a plan: a handful one by one, more of them by import."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from campaigns.brevo import (
    AttributeMap,
    BrevoError,
    BrevoPermanent,
    ImportBody,
    Process,
)
from campaigns.enums import ChangeKind, ChunkState, Outcome
from campaigns.errors import ImportUnfinished
from campaigns.models import ExportChange, ExportChunk
from campaigns.sync import chunks, contact_ids, phones
from campaigns.sync.beside import Beside
from campaigns.sync.import_right import import_right, keep_import_right
from campaigns.sync.list_identity import unless_gone
from campaigns.sync.outgoing import SENT_COLUMNS, Person, held_since, pending, people
from campaigns.sync.refused import count_refusals
from campaigns.sync.work import Run

_HANDFUL = 20  # people; an import costs two requests of the scarcer budget
_ROUNDS = 3  # the second without refused phones, the third for what got lost on the way
_SOONER, _LATER = 0.9, 0.25  # of how long an import like it took: the first look, and the next
_UNTIL_KNOWN = 0.5  # of how long it takes already
_STALE = 5.0  # seconds between reading people and sending them


@dataclass(slots=True)
class Load:
    """One import's body, and the stretch of lines it carries."""

    body: ImportBody
    first: int
    last: int
    read_at: float


class Sender:
    """Gives every pending line of one kind its outcome."""

    def __init__(self, run: Run, list_id: int, kind: ChangeKind, attributes: AttributeMap) -> None:
        self.run = run
        self.list_id = list_id
        self.kind = kind
        self._names = [attributes.names.get(ours, "") for ours in SENT_COLUMNS]
        self._phone = attributes.names.get("phone", "")
        self._made: dict[str, int] = {}  # contacts that Brevo has just made: address and id

    def send(self) -> None:
        """Send until nobody is pending; whoever is refused for the phone comes round once more.

        Raises BrevoError when it makes no sense to go on; what was settled until then stays.
        """
        waiting = pending(self.run.export, self.kind)
        self._send_one_by_one(alone=True)
        if not waiting.exists():
            return
        if waiting.count() <= _HANDFUL:
            self._send_one_by_one()
            return
        with import_right(self.run):
            for _ in range(_ROUNDS):
                self._send_by_import()
                if not waiting.filter(alone=False).exists():
                    break
        self._send_one_by_one(alone=True)

    def _send_one_by_one(self, *, alone: bool = False) -> None:
        """Send each pending line alone, or only those that an import left out."""
        read_at, client = time.monotonic(), self.run.client
        persons = list(people(self.run.export, self.kind, after=0, alone=alone or None))
        if not persons:
            return
        unanswered = client.unanswered
        chunk = self._open_chunk(persons[0].line, persons[-1].line, len(persons), one_by_one=True)
        for read in persons:
            person = self._as_of_now(read, read_at)
            if person is None:
                continue
            outcome, message = self._upsert(person)
            chunks.settle_one(self.run, chunk, person.line, outcome, message)
            contact_ids.learn_added(self.run.export, self._made)
            self._made.clear()
            self.run.show()
        is_certain = client.unanswered == unanswered
        chunks.close_one_by_one(self.run, chunk, is_certain=is_certain)

    def _as_of_now(self, person: Person, read_at: float) -> Person | None:
        """Read somebody again who waited for the others; None when they were set aside now."""
        if time.monotonic() - read_at < _STALE:
            return person
        found = next(people(self.run.export, self.kind, after=person.line - 1), None)
        return found if found is not None and found.line == person.line else None

    def _upsert(self, person: Person) -> tuple[Outcome, str]:
        """Send one person, without the phone when Brevo refuses it; return what came of it."""
        attributes = self._attributes(person)
        try:
            return Outcome.DONE, self._put_without_refused_phone(person, attributes)
        except BrevoPermanent as error:
            if not error.concerns_contact:
                raise
            message = error.brevo_message or str(error)
            if error.refuses_address:
                count_refusals(self.run.export, {person.email: message})
            return Outcome.REFUSED, message

    def _put_without_refused_phone(self, person: Person, attributes: dict[str, str]) -> str:
        """Send one person; return what is to be said of their number, if anything is.

        A number that another contact of ours holds wrongly is freed first.
        """
        refusal = self._put_with_phone(person, attributes)
        number = attributes.get(self._phone, "")
        if refusal and phones.free_number(self.run, self._phone, person.line, number):
            refusal = self._put_with_phone(person, attributes)
        if not refusal:
            return ""
        ExportChange.objects.filter(pk=person.line).update(without_phone=True)
        del attributes[self._phone]
        if self.kind == ChangeKind.CHANGE:
            attributes[self._phone] = ""  # the number of before is no longer theirs
        self._put(person, attributes)
        return phones.SENT_WITHOUT.format(refusal)

    def _put_with_phone(self, person: Person, attributes: dict[str, str]) -> str:
        """Send one person; return Brevo's words when it refuses their number, else ""."""
        try:
            self._put(person, attributes)
        except BrevoError as error:
            if not error.refuses_phone or not attributes.get(self._phone):
                raise
            return error.brevo_message or str(error)
        return ""

    def _put(self, person: Person, attributes: dict[str, str]) -> None:
        client, list_id = self.run.client, self.list_id
        contact_id = unless_gone(
            client, list_id, lambda: client.upsert_contact(person.email, attributes, list_id)
        )
        if contact_id is not None:
            self._made[person.email] = contact_id

    def _loads(self) -> Iterator[Load]:
        """Fill one import after the other, as large as it may be."""
        load: Load | None = None
        for person in people(self.run.export, self.kind, after=0, alone=False):
            attributes = self._attributes(person)
            if load is not None and not load.body.add(person.email, attributes):
                yield load
                load = None
            if load is None:
                load = Load(self._empty_body(), person.line, person.line, time.monotonic())
                load.body.add(person.email, attributes)
            load.last = person.line
        if load is not None:
            yield load

    def _attributes(self, person: Person) -> dict[str, str]:
        """Name what is sent as the account does; only a change may erase what Brevo holds."""
        erase = self.kind == ChangeKind.CHANGE
        return {
            name: value
            for name, value in zip(self._names, person.values, strict=True)
            if name and value is not None and (value or erase)
        }

    def _empty_body(self) -> ImportBody:
        return ImportBody(
            self.list_id,
            max_bytes=settings.BREVO_IMPORT_MAX_BYTES,
            erase_empty=self.kind == ChangeKind.CHANGE,
        )

    def _open_chunk(
        self, first: int, last: int, number: int, *, one_by_one: bool = False
    ) -> ExportChunk:
        self.run.stop_if_asked()
        here = ExportChunk.objects.filter(export__account=self.run.export.account)
        known = here.aggregate(newest=Max("process_id"))["newest"]
        with transaction.atomic():
            self.run.save()  # whoever slept and lost the run sends nothing more
            return ExportChunk.objects.create(
                export=self.run.export,
                kind=self.kind,
                first_change=first,
                last_change=last,
                people=number,
                one_by_one=one_by_one,
                known_process_id=known,
                sent_at=timezone.now(),
            )

    def _send_by_import(self) -> None:
        """Send one import after the other.

        While Brevo works on one, the outcomes of the one before are written and the next is made
        ready: a first sync then takes little longer than Brevo does.
        """
        loads = self._loads()
        load = next(loads, None)
        ended: tuple[ExportChunk, Process] | None = None
        with Beside() as beside:
            while load is not None:
                keep_import_right(self.run)
                try:
                    accepted = self._start(load)
                finally:
                    if ended is not None:
                        self._settle(beside, *ended)
                        ended = None
                del load  # megabytes, while the next is filled
                load = next(loads, None)
                if accepted is not None:
                    ended = accepted, self._wait_for(accepted)
                    if not ended[1].is_finished:
                        raise ImportUnfinished(ended[1].id, ended[1].status)
                beside.join()
            if ended is not None:
                self._settle(beside, *ended)

    def _settle(self, beside: Beside, chunk: ExportChunk, process: Process) -> None:
        """Settle an import; what needs only the database is done beside what comes next."""
        chunks.settle_import(self.run, chunk, process, beside.do)

    def _start(self, load: Load) -> ExportChunk | None:
        """Send a load; return its chunk when Brevo accepted it, None when there is none to await.

        Raises BrevoError when it makes no sense to go on.
        """
        load = self._still_sendable(load)
        if not len(load.body):
            return None
        chunk = self._open_chunk(load.first, load.last, len(load.body))
        return chunk if self._post(chunk, load) else None

    def _still_sendable(self, load: Load) -> Load:
        """Read the people again when somebody of them opted out while the load was waiting.

        Whoever no longer fits, because the data of others grew meanwhile, comes round once more.
        """
        if time.monotonic() - load.read_at < _STALE:
            return load
        stretch = (load.first, load.last)
        if not held_since(self.run.export, self.kind, stretch):
            return load
        again = Load(self._empty_body(), load.first, load.first, time.monotonic())
        for person in people(self.run.export, self.kind, after=load.first - 1, alone=False):
            if person.line > load.last or not again.body.add(
                person.email, self._attributes(person)
            ):
                break
            again.last = person.line
        return again

    def _post(self, chunk: ExportChunk, load: Load) -> bool:
        """Start the import; True when Brevo accepted it, False when the chunk is settled already.

        Raises BrevoError when it makes no sense to go on.
        """
        try:
            chunk.process_id = unless_gone(
                self.run.client, self.list_id, lambda: self.run.client.import_contacts(load.body)
            )
        except BrevoError as error:
            if error.may_have_happened:
                chunks.resolve_unanswered(self.run, chunk, longest=chunks.patience(self.run))
            elif error.concerns_contact:
                chunks.settle_refused(self.run, chunk, str(error))
            else:
                chunks.settle_unsent(self.run, chunk, str(error))
                raise
            return False
        chunk.state = ChunkState.ACCEPTED
        chunk.save(update_fields=["process_id", "state"])
        return True

    def _wait_for(self, chunk: ExportChunk) -> Process:
        """Wait for the import's end and note when it was.

        Looks are scarce, so the first is when an import like it was over, or a little sooner: most
        imports cost one look, and what is known of them keeps up with Brevo.
        """
        assert chunk.process_id is not None, "an accepted import has a process"
        likely = chunks.likely_duration(chunk.people)
        waited = _since(chunk.sent_at)
        process = chunks.wait_for(
            self.run,
            chunk.process_id,
            wait=max(0.0, likely * _SOONER - waited, chunks.FIRST_LOOK - waited),
            longest=chunks.patience(self.run),
            waited=waited,
            growth=_LATER if likely else _UNTIL_KNOWN,
        )
        chunk.took = _since(chunk.sent_at)
        return process


def _since(moment: datetime) -> float:
    return (timezone.now() - moment).total_seconds()
