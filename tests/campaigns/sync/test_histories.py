"""Random histories of people, consent, faults and crashes: what must hold after every step.

``HISTORIES=1000`` in the environment runs a thousand instead of a few dozen.
"""

import json
import os
from collections import Counter
from itertools import count
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_histories

from accounts.enums import Consent, Gender
from accounts.models import User
from campaigns.admin.dashboard_figures import joined_and_left
from campaigns.audience.mailable import mailable, with_held_reason
from campaigns.audience.query_builder import audience
from campaigns.brevo.transport import Transport
from campaigns.enums import (
    ADDRESS_ALONE,
    SAID_NO,
    ChangeKind,
    ExportStatus,
    Outcome,
    SuppressionReason,
    SuppressionSource,
)
from campaigns.models import (
    ExportChange,
    ListMember,
    OpenPhone,
    Segment,
    SegmentExport,
    Suppression,
)
from campaigns.sync import events, sending
from campaigns.sync.runs import apply_plan, cancel, request_sync, run_export
from campaigns.sync.suppressing import suppress
from campaigns.sync.work import Run
from sandbox.brevo.server import Sandbox
from tests.campaigns.sync.scenes import Killed, leases_end
from tests.factories import definition, make_segment_unsaved

HISTORIES = int(os.environ.get("HISTORIES", "0"))
WHO = st.integers(0, 9)
SOME = st.sets(WHO, min_size=1, max_size=6)
FAULTS = st.sampled_from(
    [
        "429-bare@* /contacts/*2",
        "500@POST /contacts/lists/*/contacts/remove*2",
        "500@POST /contacts*7",
        "524@POST /contacts/import*1",
        "524@POST /contacts*1",
        "524@POST /contacts/lists/*/contacts/remove*7",
        "drop@POST /contacts/import*1",
        "drop-after@POST /contacts/import*1",
        "drop-after@POST /contacts*7",
        "truncated@GET /contacts/lists/*/contacts*7",
        "truncated@POST /contacts/import*1",
        "html@GET /processes*7",
        "503@GET /processes*7",
        "import-partly=2@POST /contacts/import*1",
        "address-refused=ada3",
        "not-allowed@POST /contacts/attributes/*",
        "keep-phones@POST /contacts*2",
        "import-failed@POST /contacts/import*1",
        "key-revoked@POST /contacts/lists/*/contacts/remove",
        "key-revoked@POST /contacts/import",
        "list-gone@POST /contacts/lists/*/contacts/remove*1",
        "list-gone@POST /contacts/import*1",
        "list-gone@POST /contacts/lists*1",
        "import-late*1",
        "late-500@POST /contacts/import*1",
        "late@POST /contacts*1",
        "late@POST /contacts/lists/*/contacts/remove*1",
        "import-stuck*1",
        "import-late=4*1",
        "list-lags=2*1",
        "import-ends=aborted*1",
        "import-ends=completed_with_errors*1",
        "odd-contact",
        "odd-contact=row",
        "wrong-count",
        "wrong-count=1",
        "no-contact*7",
        "account-busy@POST /contacts/import*1",
        "account-validation@POST /contacts*7",
        "no-credits@POST /contacts/import",
        "firewall@POST /contacts/lists/*/contacts/remove*1",
        "firewall@GET /contacts/lists/*",
        "import-partly=2*1 with report-unreachable",
        "import-partly=2*1 with report-truncated",
        "import-partly=2*1 with report-empty",
        "import-partly=2*1 with report-quote",
        "import-partly=2*1 with report-elsewhere",
        "list-404*1",
        "list-404*2",
        "list-404",
        "list-404@POST /contacts/lists/*/contacts/remove*1",
    ]
)


class Histories(RuleBasedStateMachine):
    """One segment of women in Lagos, its list, and whatever can befall the two."""

    brevo: Sandbox

    @initialize()
    def begin(self) -> None:
        self.savepoint = transaction.atomic()
        self.savepoint._from_testcase = True  # around the history, as a test has one around it
        self.savepoint.__enter__()
        self.names = count(1)
        self.blocked: set[str] = set()
        self.by_hand: set[str] = set()
        self.bounced: set[str] = set()
        self.corrected: dict[str, str] = {}
        self.is_well, self.list_is_new = False, False
        self.was_refused_without_a_word = False
        self.brevo.clear_faults()
        self.brevo.forget_late_imports()
        with self.brevo.store.writing() as store:
            for table in ("statistic", "member", "contact", "list", "process", "report"):
                store.execute(f"DELETE FROM {table}")
        self.segment = make_segment_unsaved(gender=["FEMALE"])
        self.segment.save()
        self.some_come({0, 1, 2})
        self.run(self.request())
        self.brevo.clear_requests()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    # People

    @rule(who=SOME)
    def some_come(self, who: set[int]) -> None:
        """Whoever comes back after being deleted has the same address and is another row."""
        new = [number for number in sorted(who) if not people(number).exists()]
        User.objects.bulk_create(User(email=address(n), gender="FEMALE") for n in new)

    @rule(who=SOME)
    def some_are_deleted(self, who: set[int]) -> None:
        people(*who).delete()

    @rule(who=SOME, gender=st.sampled_from([Gender.FEMALE, Gender.MALE]))
    def the_audience_moves(self, who: set[int], gender: Gender) -> None:
        people(*who).update(gender=gender)

    @rule(who=SOME, consent=st.sampled_from(Consent))
    def consent_is_given_or_withdrawn(self, who: set[int], consent: Consent) -> None:
        people(*who).update(marketing_consent=consent)

    def much_happens(self, come: set[int], change: set[int], go: set[int]) -> None:
        self.some_are_deleted(go - come)
        self.some_come(come)
        people(*come).update(gender=Gender.FEMALE, marketing_consent=Consent.UNKNOWN)
        people(*change - come).update(first_name=f"Ada {next(self.names)}")

    @rule(who=SOME, phone=st.sampled_from(["", "+2348031234567", "+2348031234568"]))
    def data_change(self, who: set[int], phone: str) -> None:
        for person in people(*who):
            person.first_name, person.phone = f"Ada {next(self.names)}", phone
            person.save()

    @rule(who=WHO, other=WHO)
    def the_address_changes(self, who: int, other: int) -> None:
        if not people(other).exists():
            people(who).update(email=address(other))

    @rule(who=WHO, other=WHO)
    def two_swap_addresses(self, who: int, other: int) -> None:
        if who != other and people(who).exists() and people(other).exists():
            people(who).update(email="between@example.com")
            people(other).update(email=address(who))
            User.objects.filter(email_key="between@example.com").update(email=address(other))

    @rule(capital=st.booleans())
    def the_definition_is_edited(self, capital: bool) -> None:
        genders = [Gender.FEMALE.value, *([Gender.MALE.value] if capital else [])]
        Segment.objects.filter(pk=self.segment.pk).update(definition=definition(gender=genders))

    # Brevo

    @rule(who=WHO, learned=st.booleans())
    def somebody_unsubscribes(self, who: int, learned: bool) -> None:
        self.brevo.block(address(who))
        self.blocked.add(address(who))
        if learned:
            self.we_learn_of_it(who)

    @rule(who=WHO)
    def we_learn_of_it(self, who: int) -> None:
        if address(who) in self.blocked:
            unsubscribed = SuppressionReason.UNSUBSCRIBED
            suppress(address(who), unsubscribed, SuppressionSource.RECONCILIATION)

    @rule(who=WHO)
    def an_address_bounces(self, who: int) -> None:
        """Brevo blocklists it, and tells us by a webhook."""
        if address(who) not in self.blocked:
            self.brevo.bounce(address(who))
            self.blocked.add(address(who))
            self.bounced.add(address(who))
            self.tell("hard_bounce", who)

    @rule(who=WHO, told=st.booleans())
    def a_colleague_deletes_a_contact(self, who: int, told: bool) -> None:
        """With it Brevo forgets a block; the webhook tells us, or gets lost."""
        self.brevo.delete_contact(address(who))
        self.blocked.discard(address(who))
        self.by_hand.discard(address(who))
        self.is_well = False
        if told:
            self.tell("contact_deleted", who)

    @rule(who=WHO)
    def staff_correct_an_address_at_brevo(self, who: int) -> None:
        """Of a contact that we know; a block would be lifted by it, as Brevo says."""
        was, now = address(who), f"ada{who}.new@example.com"
        contact = self.brevo.contact(was)
        known = ListMember.objects.current().filter(email=was).values_list("contact_id", flat=True)
        is_known = contact is not None and contact["id"] in known
        if is_known and was not in self.blocked and self.brevo.contact(now) is None:
            self.brevo.correct_address(was, now)
            self.corrected[now] = was

    @rule(who=WHO, learned=st.booleans())
    def somebody_unsubscribes_under_their_corrected_address(self, who: int, learned: bool) -> None:
        now = f"ada{who}.new@example.com"
        if self.brevo.contact(now) is not None:
            self.brevo.block(now)
            self.blocked.add(now)
            if learned:
                suppress(now, SuppressionReason.UNSUBSCRIBED, SuppressionSource.WEBHOOK)

    @rule(who=WHO)
    def the_corrected_address_is_taken_over_here(self, who: int) -> None:
        now = f"ada{who}.new@example.com"
        if now in self.corrected and not User.objects.filter(email_key=now).exists():
            people(who).update(email=now)
            del self.corrected[now]

    @rule(who=WHO)
    def an_address_is_corrected_back(self, who: int) -> None:
        now = f"ada{who}.new@example.com"
        is_free = self.brevo.contact(address(who)) is None
        if now in self.corrected and now not in self.blocked and is_free:
            self.brevo.correct_address(now, address(who))
            del self.corrected[now]

    def tell(self, event: str, who: int) -> None:
        body = {"event": event, "email": address(who), "ts_event": next(self.names)}
        events.keep(json.dumps(body).encode())
        events.process_pending()

    @rule(who=st.integers(8, 13))
    def a_colleague_puts_somebody_on_the_list(self, who: int) -> None:
        """Of whom some are strangers and some may be, or may become, ours."""
        if self.list_id in self.brevo.lists() and address(who) not in self.ever_ours():
            self.brevo.put_on_list(self.list_id, address(who))
            self.by_hand.add(address(who))

    @rule(come=SOME, change=SOME, go=SOME)
    def the_list_is_deleted(self, come: set[int], change: set[int], go: set[int]) -> None:
        with self.brevo.store.writing() as store:
            store.execute("DELETE FROM list")
            store.execute("DELETE FROM member")
        self.by_hand.clear()
        self.list_is_new = True
        self.a_sync(come, change, go)

    @rule()
    def what_is_late_is_carried_out(self) -> None:
        self.brevo.release_late_imports()
        self.brevo.release_stuck_imports()
        self.brevo.wait_for_imports()
        self.is_well = False

    # Runs

    @rule(come=SOME, change=SOME, go=SOME)
    def a_sync(self, come: set[int], change: set[int], go: set[int]) -> None:
        """Nothing goes wrong in it: when all was well before, all is well after it."""
        self.much_happens(come, change, go)
        is_well = self.is_well
        ended = self.run(self.request())
        assert not is_well or ended.status == ExportStatus.SUCCESS, ended.error_message

    @rule()
    def two_syncs_succeed(self) -> None:
        """Whatever was before: the first puts right what is wrong, the second finds it so."""
        self.brevo.clear_faults()
        self.brevo.release_stuck_imports()
        self.brevo.wait_for_imports()
        first = self.run(self.request())
        second = first if first.status == ExportStatus.SUCCESS else self.run(self.request())
        assert second.status == ExportStatus.SUCCESS, second.error_message
        assert second.waits_for == ""

    @rule(fault=FAULTS, level=st.sampled_from(["AUTO", "OFF"]), come=SOME, change=SOME, go=SOME)
    def a_sync_with_a_fault(
        self, fault: str, level: str, come: set[int], change: set[int], go: set[int]
    ) -> None:
        self.much_happens(come, change, go)
        self.faults_begin(fault)
        if fault.startswith("no-contact"):
            level = "AUTO"  # with OFF, Brevo's word that there is no such contact is all there is
        self.run(self.request(verify_level=level), faulty=True)
        self.brevo.clear_faults()
        if self.list_id not in self.brevo.lists():
            self.by_hand.clear()  # the fault took the list, and with it whom others had put there

    @rule(
        last=st.integers(1, 15),
        come=SOME,
        change=SOME,
        go=SOME,
        leave=SOME,
        then=st.sampled_from([0, 1, 2, 5, 6]),
        fault=st.just("") | FAULTS,
    )
    def a_sync_that_is_killed(
        self,
        last: int,
        come: set[int],
        change: set[int],
        go: set[int],
        leave: set[int],
        then: int,
        fault: str,
    ) -> None:
        """Before its nth request; some may leave before it is taken up again, or called off."""
        self.much_happens(come, change, go)
        self.faults_begin(fault)
        export = self.request()
        left = [last]

        def beat(run: Run) -> None:
            left[0] -= 1
            if not left[0]:
                raise Killed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Run, "beat", beat)
            try:
                self.run(export, faulty=True)
            except Killed:
                leases_end()
        self.brevo.clear_faults()
        if self.list_id not in self.brevo.lists():
            self.by_hand.clear()
        if then & 1:
            people(*leave).update(marketing_consent=Consent.OPTED_OUT)
        elif then & 2:
            people(*leave).delete()
        if then & 4:
            self.what_died_is_cancelled()
            self.two_syncs_succeed()

    @rule(moves=st.booleans(), who=WHO)
    def a_plan_is_looked_at_then_applied(self, moves: bool, who: int) -> None:
        self.finish_what_died()
        before = self.members()
        found = run_export(request_sync(self.segment, plan_only=True).pk)
        assert self.members() == before
        if moves:
            people(who).update(first_name=f"Grace {next(self.names)}")
        if found.status == ExportStatus.PLANNED:
            self.run(apply_plan(found, by=None))

    @rule()
    def what_died_is_cancelled(self) -> None:
        for export in SegmentExport.objects.active():
            assert cancel(export, by=None).status == ExportStatus.CANCELLED
        self.look_at_requests()

    def faults_begin(self, fault: str) -> None:
        """A report that is empty although people were refused says nothing of their data."""
        self.was_refused_without_a_word |= "report-empty" in fault
        for spec in filter(None, fault.split(" with ")):
            self.brevo.fault(spec)

    def request(self, **options: Any) -> SegmentExport:
        return request_sync(Segment.objects.get(pk=self.segment.pk), **options)

    def finish_what_died(self) -> None:
        for export in SegmentExport.objects.active():
            self.run(export)

    def run(self, export: SegmentExport, *, faulty: bool = False) -> SegmentExport:
        """Carry the run on, then look at what it did."""
        resumed, known = export.attempts > 0, self.held()
        self.is_well, self.list_is_new = False, self.list_is_new and resumed
        try:
            ended = run_export(export.pk)
        finally:
            self.brevo.wait_for_imports()
            self.look_at_requests(known)
        learned = self.held() - known  # by reading the list back: they go with the next run
        assert ended.finished_at is not None
        lines = ExportChange.objects.filter(export=ended)
        assert not lines.filter(outcome=Outcome.PENDING).exists()
        self.who_said_no_is_off_the_list_or_named(ended, known)
        self.numbers_agree()
        if not faulty and not self.list_is_new:
            done = lines.filter(outcome=Outcome.DONE).values_list("kind", "email")
            joined = {email for kind, email in done if kind == ChangeKind.JOIN}
            left = {email for kind, email in done if kind == ChangeKind.LEAVE}
            # Who joined before the run died, and said no before it went on, is taken off by it.
            assert joined - known <= self.members(), "what is done is done"
            assert not joined & known & self.members()
            assert not left & self.members()
        verified = ended.status == ExportStatus.SUCCESS and ended.proof["level"] != "OFF"
        self.is_well = verified and not learned
        if ended.status == ExportStatus.SUCCESS and not resumed and not learned:
            self.list_is_what_it_should_be(told=ended.proof["level"] != "OFF")
            assert ended.users_count == self.audience().count()
        return ended

    # What must hold

    def list_is_what_it_should_be(self, *, told: bool) -> None:
        if told:
            ours = set(self.audience().values_list("email_key", flat=True))
            assert self.ledger() == ours
            assert self.members() == ours | (self.by_hand - self.ever_ours())
            assert len(self.brevo.members(self.list_id)) == len(self.members()), "nobody twice"
            elsewhere = ListMember.objects.current().exclude(email_at_brevo="")
            moved = elsewhere.values_list("email", flat=True)
            for person in self.audience().exclude(first_name="").exclude(email_key__in=moved):
                contact = self.brevo.contact(person.email_key)
                assert contact is not None
                if not self.was_refused_without_a_word:
                    assert contact["attributes"]["FIRSTNAME"] == person.first_name
                digits = contact["attributes"].get("SMS", "")
                is_open = OpenPhone.objects.filter(email=person.email_key).exists()
                assert is_open or not person.phone or f"+{digits}" == person.phone

    def who_said_no_is_off_the_list_or_named(self, ended: SegmentExport, held: set[str]) -> None:
        if ended.proof and ended.proof["list_found"] and ended.proof["names"]:
            names = ended.proof["names"]
            named = {*names["unexpected"], *names["said_no"]}
            for email in self.brevo.members(self.list_id):
                known_as = {email, self.corrected.get(email, email)}
                if known_as & held and not self.is_blocked(email):
                    assert known_as & named, ended.error_message

    def is_blocked(self, email: str) -> bool:
        contact = self.brevo.contact(email)
        return bool(contact and contact["emailBlacklisted"])

    def numbers_agree(self) -> None:
        """The head of each run, its lines, the ledger and the figures of the home page."""
        for export in SegmentExport.objects.exclude(finished_at=None):
            lines = ExportChange.objects.filter(export=export)
            done = Counter(lines.filter(outcome=Outcome.DONE).values_list("kind", flat=True))
            head = (export.added, export.updated, export.removed)
            assert head == (done["JOIN"], done["CHANGE"], done["LEAVE"])
            assert export.failed == lines.filter(outcome=Outcome.REFUSED).count()
            assert ListMember.objects.filter(added_by=export.pk).count() == export.added
        totals = SegmentExport.objects.aggregate(joined=Sum("added"), left=Sum("removed"))
        shown = joined_and_left()
        assert sum(day.joined for day in shown) == totals["joined"]
        assert sum(day.left for day in shown) == totals["left"]

    def look_at_requests(self, known: set[str] | None = None) -> None:
        """Nobody who must not be mailed was put on a list, and nobody not ours was taken off.

        ``known`` are those of whom that was known when the requests were sent.
        """
        held = self.held() if known is None else known
        for method, path, body in self.brevo.bodies:
            text = str(body).lower()
            assert "blacklist" not in text
            if path in {"/contacts", "/contacts/import"} and method == "POST":
                put = [row["email"] for row in body.get("jsonBody", [body])]
                assert not held & set(put), "nobody held back is put on a list"
            if path.endswith("/remove"):
                assert set(body.get("emails", ())) <= self.ever_ours(), "only ours are taken off"
                strangers = [self.brevo.contact(email) for email in self.by_hand - self.ever_ours()]
                assert not set(body.get("ids", ())) & {one["id"] for one in strangers if one}
        self.brevo.clear_requests()

    @invariant()
    def no_block_is_ever_lifted(self) -> None:
        for email in getattr(self, "blocked", ()):
            contact = self.brevo.contact(email)
            assert contact is not None
            assert contact["emailBlacklisted"] is True

    @invariant()
    def a_bounce_concerns_the_address_alone(self) -> None:
        if bounced := getattr(self, "bounced", None):
            rows = Suppression.objects.filter(email__in=bounced, source="WEBHOOK")
            assert not rows.exclude(reason=SuppressionReason.BOUNCED).exists()

    @invariant()
    def whoever_others_put_there_stays(self) -> None:
        if hasattr(self, "segment") and self.list_id in self.brevo.lists():
            assert self.by_hand - self.ever_ours() <= self.members()

    @property
    def list_id(self) -> int:
        return Segment.objects.values_list("brevo_list_id", flat=True).get(pk=self.segment.pk) or 0

    def members(self) -> set[str]:
        """Return who is on the list, by the address that we know them by."""
        found = self.brevo.members(self.list_id)
        return {self.corrected.get(email, email) for email in found}

    def audience(self) -> Any:
        segment = Segment.objects.get(pk=self.segment.pk)
        return mailable(audience(segment))

    def held(self) -> set[str]:
        opted_out = User.objects.filter(marketing_consent=Consent.OPTED_OUT)
        of_persons = Suppression.objects.exclude(reason__in=ADDRESS_ALONE)
        followed = User.objects.filter(suppressions__in=of_persons)
        suppressed = Suppression.objects.values_list("email", flat=True)
        at_brevo = with_held_reason(User.objects.all()).filter(held_reason__in=SAID_NO)
        persons = [
            users.order_by().values("email_key") for users in (opted_out, followed, at_brevo)
        ]
        held = persons[0].union(*persons[1:]).values_list("email_key", flat=True)
        return {*held, *suppressed}

    def ledger(self) -> set[str]:
        return set(ListMember.objects.current().values_list("email", flat=True))

    def ever_ours(self) -> set[str]:
        """Return whom the ledger, or a line that was on its way, ever named."""
        lines = ExportChange.objects.filter(kind="JOIN").values_list("email", flat=True)
        return {*lines, *ListMember.objects.values_list("email", flat=True)}


def address(number: int) -> str:
    return f"ada{number}@example.com"


def people(*numbers: int) -> Any:
    return User.objects.filter(email_key__in=[address(number) for number in numbers])


@pytest.mark.thorough
@pytest.mark.django_db
def test_whatever_happens_nobody_is_mailed_against_their_will_and_the_list_comes_right(
    brevo, settings, monkeypatch
):
    settings.BREVO_CHUNK_SIZE = 2
    settings.BREVO_IMPORT_MAX_BYTES = 400
    settings.CAMPAIGNS_REMOVAL_BRAKE = 100
    settings.CAMPAIGNS_IMPORT_WAIT = 1
    monkeypatch.setattr(sending, "_HANDFUL", 1)
    monkeypatch.setattr(Transport, "FIRST_BACKOFF", 0.0)
    monkeypatch.setattr(Transport, "LONGEST_BACKOFF", 0.0)
    monkeypatch.setattr(Run, "pause", lambda run, _: (brevo.wait_for_imports(), run.beat()))
    monkeypatch.setattr(Histories, "brevo", brevo, raising=False)

    run_histories(Histories, settings=PROFILE)


PROFILE = settings(
    max_examples=HISTORIES or 25,
    stateful_step_count=20,
    derandomize=not HISTORIES,
    database=None,
    phases=[Phase.generate, Phase.shrink] if HISTORIES else [Phase.generate],
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
