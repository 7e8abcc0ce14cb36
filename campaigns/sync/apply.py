"""Apply: perform exactly the plan that was written down. Removals go first."""

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from campaigns.brevo import AttributeMap, BrevoError, BrevoNotFound, BrevoPermanent
from campaigns.enums import ChangeKind, Outcome
from campaigns.models import ExportChange, Segment
from campaigns.sync import ledger
from campaigns.sync.lists import make_list
from campaigns.sync.outgoing import pending, stretches
from campaigns.sync.sending import Sender
from campaigns.sync.work import Run, segment_deleted


def prepare_list(run: Run) -> None:
    """Make the list when there is none any more; then nobody is on it, whatever we remember."""
    segment, export = run.segment, run.export
    if export.list_was_gone and export.brevo_list_id is None:
        list_id = make_list(run.client, segment.name, look_first=export.attempts > 1)
        with transaction.atomic():
            is_there = Segment.objects.filter(pk=segment.pk).update(brevo_list_id=list_id)
            if is_there:
                ledger.strike_off(export)
                run.save(brevo_list_id=list_id)
        if not is_there:
            run.client.delete_list(list_id)
            raise segment_deleted()
        segment.brevo_list_id = list_id
    elif export.brevo_list_id is None:
        run.save(brevo_list_id=segment.brevo_list_id)


def remove(run: Run) -> None:
    """Take the leavers off the list, chunk by chunk; only contacts that our ledger names."""
    size = settings.BREVO_CHUNK_SIZE
    for lines in stretches(run.export, ChangeKind.LEAVE):
        leavers = list(lines.values_list("pk", "email"))
        for start in range(0, len(leavers), size):
            _remove(run, leavers[start : start + size])
            run.show()


def _remove(run: Run, page: Sequence[tuple[int, str]]) -> None:
    """Remove one chunk; when Brevo refuses it as a whole, find out whom it means."""
    lines, emails = [line for line, _ in page], [email for _, email in page]
    ledger.doubt(run.export, emails)  # should the answer be lost, and they come back
    refusal = ""
    try:
        run.client.remove_from_list(_list_id(run), emails)
    except BrevoNotFound:
        raise
    except BrevoPermanent as error:
        if len(page) > 1:
            for one in page:
                _remove(run, [one])
            return
        refusal = error.brevo_message or str(error)
    outcome = Outcome.REFUSED if refusal else Outcome.DONE
    with transaction.atomic():
        ExportChange.objects.filter(pk__in=lines).update(outcome=outcome, message=refusal)
        if not refusal:
            ledger.strike_off(run.export, emails)
        run.settle(len(page))


def send(run: Run) -> None:
    """Send whoever joins, then whoever's data changed."""
    kinds = [
        kind for kind in (ChangeKind.JOIN, ChangeKind.CHANGE) if pending(run.export, kind).exists()
    ]
    if not kinds:
        return
    attributes = _attributes(run)
    for kind in kinds:
        Sender(run, _list_id(run), kind, attributes).send()


def _attributes(run: Run) -> AttributeMap:
    """Return what the account calls our attributes, after making those it lacks.

    What another run made in the meantime is refused here, and there all the same.
    """
    found = AttributeMap.from_account(run.client.attributes())
    if not found.missing:
        return found
    refused: BrevoError | None = None
    for name in found.missing:
        try:
            run.client.create_attribute(name)
        except BrevoError as error:
            refused = error
    found = AttributeMap.from_account(run.client.attributes())
    if found.missing and refused is not None:
        raise refused
    return found


def _list_id(run: Run) -> int:
    list_id = run.export.brevo_list_id
    assert list_id is not None, "the list is prepared before anything is sent"
    return list_id
