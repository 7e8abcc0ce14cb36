from django.db.models import TextChoices


class Match(TextChoices):
    ALL = "ALL", "all of the conditions"
    ANY = "ANY", "any of the conditions"


class ExportStatus(TextChoices):
    QUEUED = "QUEUED", "Queued"
    RUNNING = "RUNNING", "Running"
    PLANNED = "PLANNED", "Planned"
    WAITING = "WAITING", "Waits for approval"
    SUCCESS = "SUCCESS", "Success"
    PARTIAL = "PARTIAL", "Partly done"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled"


ACTIVE = (ExportStatus.QUEUED, ExportStatus.RUNNING)
OPEN = (*ACTIVE, ExportStatus.PLANNED, ExportStatus.WAITING)


class Phase(TextChoices):
    """How far a run has come; each is entered once and survives a crash."""

    PLAN = "PLAN", "Planning"
    LIST = "LIST", "Preparing the list"
    REMOVE = "REMOVE", "Removing"
    SEND = "SEND", "Sending"
    VERIFY = "VERIFY", "Verifying"
    DONE = "DONE", "Done"


class ChangeKind(TextChoices):
    JOIN = "JOIN", "joins"
    LEAVE = "LEAVE", "leaves"
    CHANGE = "CHANGE", "has changed data"
    HELD_BACK = "HELD_BACK", "held back"


class Outcome(TextChoices):
    PENDING = "PENDING", "Not attempted yet"
    DONE = "DONE", "Done"
    REFUSED = "REFUSED", "Refused by Brevo"
    HELD_BACK = "HELD_BACK", "Held back"
    SENT = "SENT", "Sent, outcome unknown"
    UNNEEDED = "UNNEEDED", "Nothing to do"
    NOT_ATTEMPTED = "NOT_ATTEMPTED", "Not attempted"


class Reason(TextChoices):
    """Why a person is held back, or leaves a list."""

    OPTED_OUT = "OPTED_OUT", "opted out of marketing"
    SUPPRESSED = "SUPPRESSED", "the address is suppressed"
    UNUSABLE_ADDRESS = "UNUSABLE_ADDRESS", "the e-mail address cannot be used"
    NO_MATCH = "NO_MATCH", "the segment no longer matches"
    NEW_ADDRESS = "NEW_ADDRESS", "has another e-mail address now"
    DELETED = "DELETED", "was deleted"


# Whoever has one of these said no: they leave a list at once, whatever else waits.
SAID_NO = (Reason.OPTED_OUT, Reason.SUPPRESSED)


class ChunkState(TextChoices):
    SENDING = "SENDING", "Being sent"
    ACCEPTED = "ACCEPTED", "Accepted by Brevo"
    UNKNOWN = "UNKNOWN", "Outcome unknown"
    DONE = "DONE", "Done"
    FAILED = "FAILED", "Failed"


class VerifyLevel(TextChoices):
    AUTO = "AUTO", "Fits the size of the list"
    FULL = "FULL", "Name by name"
    COUNT = "COUNT", "Count only"
    OFF = "OFF", "Off"


class SuppressionReason(TextChoices):
    UNSUBSCRIBED = "UNSUBSCRIBED", "Unsubscribed"
    BOUNCED = "BOUNCED", "Bounced"
    COMPLAINED = "COMPLAINED", "Complained"
    REFUSED = "REFUSED", "Refused by Brevo"
    BY_HAND = "BY_HAND", "Set by hand"
    BLOCKLISTED = "BLOCKLISTED", "Blocklisted in Brevo"
    DELETED = "DELETED", "Deleted in Brevo"

    @property
    def strength(self) -> int:
        """Return how much the reason counts among others for the same address: the most wins.

        Nobody knows why Brevo blocklisted a contact, or why it was deleted there: they may have
        unsubscribed, so that holds them back under any address. Only a bounce explains it, because
        Brevo blocklists whoever bounces, and people delete such contacts.
        """
        weak = {SuppressionReason.BLOCKLISTED: 1, SuppressionReason.DELETED: 2}
        if self in ADDRESS_ALONE:
            return 3 if self == SuppressionReason.BOUNCED else 0
        return weak.get(self, 4)


# These say something of the address; all others hold back its person under any address.
ADDRESS_ALONE = frozenset({SuppressionReason.BOUNCED, SuppressionReason.REFUSED})


class SuppressionSource(TextChoices):
    ADMIN = "ADMIN", "Admin"
    API = "API", "REST API"
    CSV = "CSV", "CSV file"
    WEBHOOK = "WEBHOOK", "Brevo's webhook"
    RECONCILIATION = "RECONCILIATION", "Reconciliation with Brevo"
    SYNC = "SYNC", "A sync"
