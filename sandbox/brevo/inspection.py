"""How tests and benchmarks read and change the data of a running stand-in without its API."""

import time
from typing import Any

from sandbox.brevo import contacts, lists
from sandbox.brevo.attributes import normal_email
from sandbox.brevo.faults import Faults
from sandbox.brevo.gate import Gate
from sandbox.brevo.processes import Processes
from sandbox.brevo.store import Store
from sandbox.brevo.wire import Body, Call


class Inspection:
    """Reads and writes the data directly: no request is made, counted or limited."""

    store: Store
    gate: Gate
    faults: Faults
    processes: Processes

    def fault(self, spec: str) -> None:
        """Let it misbehave; the syntax is that of `sandbox.brevo.faults`."""
        self.faults.add(spec)

    def clear_faults(self) -> None:
        self.faults.clear()

    @property
    def requests(self) -> list[Call]:
        """Every call handled so far as (method, path below /v3, status); 0 for a dropped one."""
        return list(self.gate.calls)

    @property
    def bodies(self) -> list[Body]:
        """The last JSON bodies as (method, path below /v3, body), those under 100 kB."""
        return list(self.gate.bodies)

    def clear_requests(self) -> None:
        self.gate.calls.clear()
        self.gate.bodies.clear()

    def lists(self) -> dict[int, str]:
        with self.store.reading():
            return {row["id"]: row["name"] for row in self.store.rows("SELECT id, name FROM list")}

    def members(self, list_id: int) -> set[str]:
        """Return the e-mail addresses on a list; a list that is not there has none."""
        sql = (
            "SELECT contact.email FROM member JOIN contact ON contact.id = member.contact_id"
            " WHERE member.list_id = ? AND contact.email IS NOT NULL"
        )
        with self.store.reading() as db:
            return {row[0] for row in db.execute(sql, (list_id,))}

    def contact(self, email: str) -> dict[str, Any] | None:
        """Return a contact as the API shows it, or None."""
        with self.store.reading():
            found = contacts.find(self.store, email, "email_id")
            return contacts.bodies(self.store, [found["id"]])[0] if found else None

    def block(self, email: str, why: str = "userUnsubscription") -> None:
        """Unsubscribe somebody, as a click in a campaign does, or blocklist them for another cause.

        ``why`` is one of `sandbox.brevo.contacts.WHY`.
        """
        with self.store.writing():
            contacts.blocklist(self.store, self._contact_id(email), why)

    def bounce(self, email: str) -> None:
        """Let an address bounce for good: Brevo blocklists its contact, like one who said no."""
        self.block(email, "hardBounces")

    def delete_contact(self, email: str) -> None:
        """Delete a contact with all that is known of it, as a colleague in Brevo's pages does."""
        with self.store.writing():
            contacts.delete(self.store, self._contact_id(email))

    def put_on_list(self, list_id: int, email: str) -> None:
        """Put somebody on a list by hand, as a colleague in Brevo's own pages does."""
        with self.store.writing():
            lists.add(self.store, list_id, self._contact_id(email))

    def release_late_imports(self) -> None:
        """Carry out, in their order, the requests that a `late` fault put off; return when done.

        An import among them has then become a process: see `wait_for_imports`.
        """
        self.gate.late.release()

    def release_stuck_imports(self) -> None:
        """Let the imports go on that an `import-stuck` fault keeps queued."""
        self.processes.stuck.release()

    def forget_late_imports(self) -> None:
        """Forget what waits for either of the two; a stuck import then stays queued for good."""
        self.gate.late.forget()
        self.processes.stuck.forget()

    def correct_address(self, email: str, new: str) -> None:
        """Give a contact another address, as a colleague in Brevo's own pages does.

        A contact that was blocked is subscribed again by it, as `PUT /contacts/{id}` does.
        """
        change = contacts.Change(email=normal_email(new), blocked=False)
        with self.store.writing():
            contacts.update(self.store, self._contact_id(email), change)

    def merge_contacts(self, email: str, into: str) -> None:
        """Merge a contact into another, which keeps its own id, address and values."""
        with self.store.writing():
            loser_id = self._contact_id(email)
            self._contact_id(into)
            contacts.absorb(self.store, loser_id=loser_id, email=normal_email(into) or "")

    def wait_for_imports(self, timeout: float = 10.0) -> None:
        """Return when all but stuck processes are finished; TimeoutError when it takes too long."""
        deadline = time.monotonic() + timeout
        while self._open_processes():
            if time.monotonic() > deadline:
                raise TimeoutError(f"Imports still run after {timeout} s")
            time.sleep(0.005)

    def _open_processes(self) -> bool:
        with self.store.reading():
            rows = self.store.rows("SELECT id FROM process WHERE finished IS NULL")
            return any(row["id"] not in self.processes.stuck_ids for row in rows)

    def _contact_id(self, email: str) -> int:
        found = contacts.find(self.store, email, "email_id")
        if found is not None:
            return int(found["id"])
        return contacts.create(self.store, contacts.Change(email=normal_email(email)))
