"""One import at a time per account, whoever runs it.

Imports in parallel hold each other up at Brevo (help.brevo.com/hc/en-us/articles/32331116133522).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from campaigns.brevo import BrevoError
from campaigns.models import AccountLease, ExportChunk
from campaigns.sync.chunks import IMPORT_PROCESS, patience
from campaigns.sync.work import Run, lease_end

_KEY = "import"
_ASK_AGAIN = 1.0  # seconds; our own database is asked
_LOOK_AGAIN = 20.0  # seconds; Brevo's hourly budget is spent
_FORGOTTEN = timedelta(days=1)


@contextmanager
def import_right(run: Run) -> Iterator[None]:
    """Wait for the right to import into the account, hold it, and give it back."""
    AccountLease.objects.get_or_create(key=_KEY)
    try:
        _wait_for_right(run)
        yield
    finally:
        _ours(run).update(owner="", until=None)


def keep_import_right(run: Run) -> None:
    """Prove that the right is still held; whoever slept and lost it waits for it anew."""
    if not _ours(run).update(until=lease_end()):
        _wait_for_right(run)


def _ours(run: Run) -> QuerySet[AccountLease, AccountLease]:
    return AccountLease.objects.filter(key=_KEY, owner=run.owner)


def _wait_for_right(run: Run) -> None:
    while not _taken(run):
        run.wait_for(f"another import into this Brevo account ({_holder()})")
        run.pause(_ASK_AGAIN)
    _let_lost_imports_end(run)
    run.wait_for("")


def _taken(run: Run) -> bool:
    free = AccountLease.objects.filter(key=_KEY).filter(Q(until__isnull=True) | Q(until__lt=Now()))
    value = {"export": run.export.pk, "segment": run.export.segment_name}
    return bool(free.update(owner=run.owner, until=lease_end(), value=value))


def _holder() -> str:
    value = AccountLease.objects.get(key=_KEY).value
    return f"export {value.get('export')} of “{value.get('segment')}”"


def _let_lost_imports_end(run: Run) -> None:
    """Wait, but not for ever, for imports that an earlier run may have left running at Brevo."""
    waited, longest = 0.0, patience(run)
    lost = ExportChunk.objects.unsettled().filter(
        one_by_one=False, sent_at__gt=timezone.now() - _FORGOTTEN
    )
    while waited < longest and lost.exclude(export=run.export).exists() and _is_importing(run):
        run.wait_for("an import that an earlier sync left running at Brevo")
        run.pause(_LOOK_AGAIN)
        waited += _LOOK_AGAIN


def _is_importing(run: Run) -> bool:
    """True when Brevo is at work on an import; where it does not say, nobody waits."""
    try:
        latest = run.client.latest_processes()
    except BrevoError:
        return False
    return any(each.name == IMPORT_PROCESS and not each.is_finished for each in latest)
