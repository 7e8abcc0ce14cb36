"""Verify: read the list back and compare it with the ledger. The result is the run's proof."""

from dataclasses import asdict, dataclass, field

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.text import fold_email
from campaigns.audience.mailable import with_held_reason
from campaigns.batches import in_batches
from campaigns.brevo import BrevoClient, BrevoNotFound
from campaigns.enums import SAID_NO, ChangeKind, Outcome, VerifyLevel
from campaigns.models import ExportChange, ListMember, Segment, Suppression
from campaigns.sync import ledger
from campaigns.sync.contact_ids import Reading
from campaigns.sync.digest import SetDigest
from campaigns.sync.list_identity import unless_gone
from campaigns.sync.reconciling import learn, look_up

_NAMES = 100  # so many of each are named in a proof


@dataclass(slots=True)
class Proof:
    """What was on the list, against what we put there.

    ``missing`` are ours and not on it, ``unexpected`` were taken off by this run, or by one before
    it that came to no proof, and are on it all the same, ``held_by_others`` are not ours and are
    left alone. ``said_no`` are those of them who must not be mailed, and whom Brevo would mail all
    the same. ``other_address`` are ours and on it under an address that Brevo alone has for them.
    ``unreadable`` rows of the list are no contacts that anybody could make out.
    """

    level: str
    at: str
    list_id: int | None
    expected: int
    list_found: bool = True
    on_list: int | None = None
    missing: int | None = None
    unexpected: int | None = None
    held_by_others: int | None = None
    said_no: int | None = None
    other_address: int | None = None
    unreadable: int = 0
    digest: str = ""
    names: dict[str, list[str]] = field(default_factory=dict)
    missing_emails: list[str] = field(default_factory=list)
    unexpected_emails: list[str] = field(default_factory=list)
    twins: list[int] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """True when nothing speaks against the list being what it should be."""
        if not self.list_found:
            return False
        if self.level == VerifyLevel.COUNT:
            return self.on_list is not None and self.on_list >= self.expected
        return not (self.missing or self.unexpected or self.said_no or self.twins)

    @property
    def falls_short(self) -> bool:
        """True when a count was too small, so that only names can tell whom to send again."""
        return self.level == VerifyLevel.COUNT and self.list_found and not self.holds

    def as_json(self) -> dict[str, object]:
        told = asdict(self) | {"holds": self.holds}
        del told["missing_emails"], told["unexpected_emails"], told["twins"]  # may be millions
        told["twice"] = len(self.twins)
        return told


def level_for(segment: Segment, wanted: str) -> VerifyLevel:
    """Return the level to use: short lists are read name by name, long ones counted."""
    if wanted != VerifyLevel.AUTO:
        return VerifyLevel(wanted)
    size = ListMember.objects.current().filter(segment=segment).count()
    return VerifyLevel.FULL if size <= settings.CAMPAIGNS_VERIFY_UP_TO else VerifyLevel.COUNT


def verify(
    client: BrevoClient, segment: Segment, level: VerifyLevel, *, after: int | None = None
) -> Proof:
    """Compare the list with the ledger and return the proof; raises BrevoError.

    ``after`` is the export whose removals must have taken, and those of earlier ones without a
    proof. A list that is gone holds nobody. At
    level FULL memory grows by about 100 bytes a member, and whoever the list shows to be blocked
    or unsubscribed is suppressed from then on.
    """
    members = ListMember.objects.current().filter(segment=segment)
    proof = Proof(level, timezone.now().isoformat(), segment.brevo_list_id, members.count())
    if level == VerifyLevel.OFF or segment.brevo_list_id is None:
        return proof

    def look() -> None:
        if level == VerifyLevel.COUNT:
            proof.on_list = client.get_list(proof.list_id or 0).unique_subscribers
        else:
            _compare(client, segment, proof, after)

    try:
        unless_gone(client, segment.brevo_list_id, look)
    except BrevoNotFound:
        proof.list_found, proof.on_list, proof.missing = False, 0, proof.expected
    return proof


def _compare(client: BrevoClient, segment: Segment, proof: Proof, after: int | None) -> None:
    assert segment.brevo_list_id is not None, "asked for only with a list"
    found: set[str] = set()
    mailed: set[str] = set()
    digest = SetDigest()
    runs = ledger.unproved_runs(segment.pk, after) if after is not None else []
    reading = Reading(segment.pk, runs)
    for page in client.list_members(segment.brevo_list_id):
        reading.see(page)
        proof.unreadable += page.unreadable
        learn(page, {segment.brevo_list_id})
        mailed.update(fold_email(contact.email) for contact in page if not contact.is_blocklisted)
        for email in {fold_email(contact.email) for contact in page} - found:
            found.add(email)
            digest.add(email)
    # Whoever was deleted at Brevo and then sent a change is on the list as a new contact.
    looked_up = look_up(client, reading.replaced())
    reading.close(unknown=looked_up.unknown)
    stays = ListMember.objects.filter(segment=segment).order_by()
    ours = _addresses(stays.current()).keys()
    removed = _removed_by(runs, stays)
    elsewhere, came_back = reading.elsewhere, reading.came_back
    missing = ours - found - {fold_email(email) for email in elsewhere}
    foreign = found - ours - set(elsewhere.values()) - set(came_back.values())
    unexpected = {removed[email] for email in foreign & removed.keys()} | came_back.keys()
    others = foreign - removed.keys()
    said_no = _who_said_no(others & mailed) | (looked_up.held & mailed)
    proof.on_list, proof.digest = len(found), digest.hexdigest()
    proof.missing, proof.unexpected = len(missing), len(unexpected)
    proof.held_by_others, proof.other_address = len(others), len(elsewhere)
    proof.said_no, proof.twins = len(said_no), reading.twins
    proof.missing_emails, proof.unexpected_emails = sorted(missing), sorted(unexpected)
    proof.names = {
        "missing": proof.missing_emails[:_NAMES],
        "unexpected": proof.unexpected_emails[:_NAMES],
        "held_by_others": sorted(others)[:_NAMES],
        "other_address": [" → ".join(pair) for pair in sorted(elsewhere.items())[:_NAMES]],
        "said_no": sorted(said_no)[:_NAMES],
    }


def _addresses(stays: QuerySet[ListMember] | QuerySet[ExportChange]) -> dict[str, str]:
    """Return {address: as the ledger spells it}, which is as it was sent at the time."""
    emails = stays.values_list("email", flat=True).iterator(chunk_size=10_000)
    return {fold_email(email): email for email in emails}


def _removed_by(runs: list[int], stays: QuerySet[ListMember]) -> dict[str, str]:
    """Return whom runs took off the list, whether they were members or in an open request.

    As ``_addresses`` does.
    """
    unconfirmed = ExportChange.objects.filter(
        export__in=runs,
        kind=ChangeKind.LEAVE,
        unconfirmed=True,
        outcome__in=(Outcome.DONE, Outcome.UNNEEDED),
    )
    return _addresses(unconfirmed) | _addresses(stays.filter(removed_by__in=runs))


def _who_said_no(emails: set[str]) -> set[str]:
    """Return those of the addresses that must not be mailed because somebody said no."""
    said_no: set[str] = set()
    for batch in in_batches(sorted(emails)):
        people = with_held_reason(User.objects.filter(email_key__in=batch))
        held = people.filter(held_reason__in=SAID_NO).values_list("email_key", flat=True)
        suppressed = Suppression.objects.filter(email__in=batch).values_list("email", flat=True)
        said_no |= {*held, *suppressed}
    return said_no
