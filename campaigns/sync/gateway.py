"""Where our settings become a Brevo client, and whose account it is."""

from dataclasses import asdict, dataclass

from django.conf import settings
from django.utils.crypto import salted_hmac

from campaigns.brevo import Account, BrevoClient
from campaigns.models import AccountLease
from campaigns.sync.shared_budgets import in_transaction, shared_by

_LONGEST = 254  # what the database keeps of an account's id and name


def connect(*, interactive: bool = False) -> BrevoClient:
    """Return a client for the configured account; raise BrevoKeyMissing when there is none.

    An interactive one gives up after BREVO_INTERACTIVE_SECONDS, all its requests together.
    """
    return BrevoClient(
        settings.BREVO_API_KEY,
        base_url=settings.BREVO_API_URL,
        requests_per_second=settings.BREVO_REQUESTS_PER_SECOND,
        other_requests_per_hour=settings.BREVO_OTHER_REQUESTS_PER_HOUR,
        report_hosts=settings.BREVO_REPORT_HOSTS,
        within=settings.BREVO_INTERACTIVE_SECONDS if interactive else None,
        guard=refuse_in_transaction if settings.BREVO_REFUSE_IN_TRANSACTION else None,
        share=shared_by(_digest()) if settings.BREVO_SHARE_BUDGETS else None,
    )


def refuse_in_transaction() -> None:
    """Raise RuntimeError while a transaction is open: whatever it locks would wait for Brevo."""
    if in_transaction():
        raise RuntimeError(
            "Brevo is asked while a database transaction is open. Commit first: until it ends, "
            "others wait for its locks."
        )


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """The account behind the configured key: the id that lists are remembered with, and a name."""

    id: str
    name: str

    def __str__(self) -> str:
        return f"“{self.name}” ({self.id})"


def account_of(client: BrevoClient) -> KnownAccount:
    """Return whose account the configured key is; raises BrevoError.

    Brevo is asked only when the key or the URL is new to us: it costs a request of the scarcer
    budget. A key never changes its account.
    """
    return known_account() or remember_account(client.account())


def known_account() -> KnownAccount | None:
    """Return whose account the configured key is, None while Brevo has not been asked."""
    lease = AccountLease.objects.filter(key=_key()).first()
    return KnownAccount(**lease.value) if lease is not None else None


def remember_account(account: Account) -> KnownAccount:
    """Keep what Brevo has just said of the configured key's account, and return it."""
    known = KnownAccount(account.id[:_LONGEST], (account.company or account.email)[:_LONGEST])
    AccountLease.objects.update_or_create(key=_key(), defaults={"value": asdict(known)})
    return known


def _key() -> str:
    return f"account {_digest()}"


def _digest() -> str:
    """Name the key and the URL by a digest, from which nobody finds the key."""
    spoken = f"{settings.BREVO_API_URL.rstrip('/')} {settings.BREVO_API_KEY.strip()}"
    digest = salted_hmac("campaigns.sync.gateway", spoken, algorithm="sha256").hexdigest()
    return digest[:40]
