"""Lists follow segments, and suppressions people: in the admin, the API or a shell alike."""

from typing import Any

from django.db.models.signals import post_save, pre_delete, pre_save
from django.dispatch import receiver

from accounts.enums import Role
from accounts.models import User
from campaigns.audience.definition import validate
from campaigns.audience.remembered import keep_name, remember_names, rename
from campaigns.models import Segment, segment_deleting, segment_save_failed, segment_saving
from campaigns.sync import lists
from campaigns.sync.suppressing import adopt_for
from properties.models import Property


@receiver(segment_saving, sender=Segment)
@receiver(pre_save, sender=Segment)
def validate_and_mirror(
    instance: Segment, *, raw: bool, update_fields: frozenset[str] | None, **_: Any
) -> None:
    """Refuse what cannot be a segment, then make or rename its list, before anything is saved.

    Raises ValidationError, BrevoError, or ListNotOurs. ``loaddata`` (raw) calls nobody.
    """
    if raw or instance.is_mirrored or not _is_about(update_fields):
        return
    validate(instance)
    if instance._state.adding:
        if instance.brevo_list_id is None:
            instance.steps_at_brevo = [*instance.steps_at_brevo, lists.create_for(instance)]
        return
    if update_fields is not None and "name" not in update_fields:
        return
    old_name = Segment.objects.filter(pk=instance.pk).values_list("name", flat=True).first()
    if old_name is not None and old_name != instance.name:
        renamed = lists.rename_for(instance, old_name)
        instance.steps_at_brevo = [*instance.steps_at_brevo, renamed]


def _is_about(fields: frozenset[str] | None) -> bool:
    """True when what staff write is among the fields; None means all of them."""
    return fields is None or bool(fields & {"name", "description", "definition"})


@receiver(segment_save_failed, sender=Segment)
def take_back(instance: Segment, **_: Any) -> None:
    lists.undo(list(instance.steps_at_brevo))
    instance.steps_at_brevo = []


@receiver(post_save, sender=Segment)
def keep(instance: Segment, *, raw: bool, update_fields: frozenset[str] | None, **_: Any) -> None:
    lists.remember_made(instance)
    if not instance.is_being_mirrored:
        instance.steps_at_brevo = []
    if not raw and (update_fields is None or "definition" in update_fields):
        remember_names(instance)


@receiver(segment_deleting, sender=Segment)
def delete_list(instance: Segment, **_: Any) -> None:
    """Delete the list first: when Brevo refuses, the segment stays.

    Should the segment stay although its list went, the next sync makes it anew.

    Raises BrevoError, or ListNotOurs.
    """
    lists.delete_for(instance)


@receiver(post_save, sender=Property)
def rename_property(instance: Property, *, raw: bool, created: bool, **_: Any) -> None:
    if not (raw or created):
        rename(instance)


@receiver(post_save, sender=User)
def rename_person(
    instance: User,
    *,
    raw: bool,
    created: bool,
    update_fields: frozenset[str] | None,
    **_: Any,
) -> None:
    """Customers are named by no segment, and there are millions of them."""
    is_named = update_fields is None or bool(update_fields & {"first_name", "last_name", "email"})
    if is_named and not (raw or created) and instance.role != Role.CLIENT:
        rename(instance)


@receiver(pre_delete, sender=Property)
@receiver(pre_delete, sender=User)
def keep_name_of_deleted(instance: Property | User, **_: Any) -> None:
    if getattr(instance, "role", None) != Role.CLIENT:
        keep_name(instance)


@receiver(post_save, sender=User)
def hold_back(instance: User, *, raw: bool, update_fields: frozenset[str] | None, **_: Any) -> None:
    """Let what was said of a new address follow its person; rows loaded in bulk wait for a run."""
    if not raw and (update_fields is None or "email" in update_fields):
        adopt_for(instance)
