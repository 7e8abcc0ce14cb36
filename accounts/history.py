"""Who made, changed or deleted what: one history for the admin and the API."""

from datetime import datetime
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, ProtectedError, QuerySet
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from accounts.models import User

__all__ = ["ADDITION", "CHANGE", "DELETION", "KEPT", "acted", "changed_by", "log_action"]

KEPT = "{}: the history of what they changed is kept; switch them off instead of deleting them."
_LONGEST = 200


def log_action(user: User, obj: Model, action: int, message: str = "") -> LogEntry:
    """Write that ``user`` made, changed or deleted ``obj``: ADDITION, CHANGE or DELETION.

    ``obj`` needs its primary key: of a row that was just deleted, give a copy made before.
    """
    return LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(obj, for_concrete_model=False),
        object_id=str(obj.pk),
        object_repr=str(obj)[:_LONGEST],
        action_flag=action,
        change_message=message,
    )


@receiver(pre_delete, sender=LogEntry)
def outlive_people(instance: LogEntry, origin: Any, **_: Any) -> None:
    """Refuse to delete a person together with the history of what they did."""
    deleted = origin.model if isinstance(origin, QuerySet) else type(origin)
    if deleted is User:
        raise ProtectedError(KEPT.format(instance.user), {instance})


def acted(people: Any) -> list[User]:
    """Return those of these people who stand in the history of changes."""
    entries = LogEntry.objects.filter(user__in=people).order_by()
    return list(User.objects.filter(pk__in=entries.values("user")))


def changed_by(obj: Model, since: datetime) -> list[str]:
    """Name who changed the row since then, as far as the history knows."""
    kind = ContentType.objects.get_for_model(obj, for_concrete_model=False)
    entries = LogEntry.objects.filter(
        content_type=kind, object_id=str(obj.pk), action_flag=CHANGE, action_time__gte=since
    ).order_by("action_time")
    people: Any = (entry.user for entry in entries.select_related("user"))
    return list(dict.fromkeys(str(person) for person in people if person is not None))
