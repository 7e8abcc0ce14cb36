import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.dispatch import Signal

from accounts.columns import ChangedMeanwhile
from accounts.derived import DerivedCharField, DerivedModel, DerivedQuerySet, DerivedTextField
from accounts.text import SqueezedCharField, fold, fold_unusual
from campaigns.models.flat import FLAT_NAMES, flat_view, match_of, no_conditions, with_match

# Sent when a save did not succeed, so that what was done at Brevo for it can be taken back.
segment_save_failed = Signal()
# Sent before a segment is saved, and before the transaction in which that is done.
segment_saving = Signal()
# Sent before a segment is deleted, and before the transaction in which Django deletes it.
segment_deleting = Signal()


class SegmentQuerySet(DerivedQuerySet["Segment"]):
    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the segments and their lists; when one list is refused, all segments stay."""
        for segment in self:
            segment_deleting.send(sender=Segment, instance=segment)
        return super().delete()


class Segment(DerivedModel):
    """A saved definition of an audience, mirrored by one Brevo list."""

    name = SqueezedCharField(max_length=150)
    name_key = DerivedCharField(
        source="name",
        derive=fold,
        max_length=450,  # three times that of the name: no name outgrows it
        unique=True,
        error_messages={"unique": "A segment with this name exists already: choose another name."},
    )
    description = models.TextField(blank=True, max_length=2000)
    description_folded = DerivedTextField(
        source="description", derive=fold_unusual, blank=True, default=""
    )
    # {"match": "ALL", "conditions": [condition or group]}: see campaigns.audience.parsing.
    definition = models.JSONField(default=no_conditions)
    # Ids repeat from account to account: BrevoList has the account that this one is of.
    brevo_list_id = models.BigIntegerField("Brevo list", null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="segments",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # The last known sizes, with their age: a page of segments never counts audiences.
    audience_size = models.BigIntegerField(null=True, editable=False)
    mailable_size = models.BigIntegerField(null=True, editable=False)
    counted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[models.Manager["Segment"]] = SegmentQuerySet.as_manager()

    class Meta:
        ordering = ["name_key", "id"]
        permissions = [
            ("sync_segment", "Can sync a segment's Brevo list"),
            ("approve_plan", "Can approve a plan that waits"),
        ]

    _mirrored_as: str | None = None  # what Brevo was asked for already, inside ``mirrored``
    steps_at_brevo: Sequence[Callable[[], None]] = ()  # how to take back what was done there

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        if update_fields is not None:
            flat = {"match", *FLAT_NAMES}
            names = ("definition" if name in flat else name for name in update_fields)
            update_fields = list(dict.fromkeys(names))
        try:
            super().save(*args, update_fields=update_fields, **kwargs)
        except Exception:
            if not self.is_being_mirrored:
                segment_save_failed.send(sender=type(self), instance=self)
            raise

    @contextmanager
    def mirrored(self) -> Iterator[None]:
        """Put around a save and what belongs to it: one transaction, entered once Brevo is done.

        When it fails, what was done at Brevo is taken back after it.
        """
        fields = None if self._state.adding else frozenset(self.changed_columns())
        try:
            segment_saving.send(sender=type(self), instance=self, raw=False, update_fields=fields)
            self._mirrored_as = self._as_mirrored()
            with transaction.atomic():
                yield
        except BaseException:
            segment_save_failed.send(sender=type(self), instance=self)
            raise
        finally:
            self._mirrored_as = None
            self.steps_at_brevo = []

    @property
    def is_being_mirrored(self) -> bool:
        return self._mirrored_as is not None

    @property
    def is_mirrored(self) -> bool:
        """True inside ``mirrored``, of what the segment was when that began."""
        return self._mirrored_as == self._as_mirrored()

    def _as_mirrored(self) -> str:
        return json.dumps([self.name, self.description, self.definition], default=repr)

    def delete(
        self, *args: Any, expecting: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> tuple[int, dict[str, int]]:
        """Delete the segment and its list; with ``expecting``, as ``save`` takes it."""
        segment_deleting.send(sender=Segment, instance=self)
        with transaction.atomic():
            if expecting is not None:
                same = Segment.objects.select_for_update(no_key=True).filter(pk=self.pk)
                if not same.filter(**expecting).exists():
                    raise ChangedMeanwhile(f"Segment {self.pk} was changed meanwhile.")
            return super().delete(*args, **kwargs)

    match = flat_view("match", get=match_of, put=with_match)
    gender = flat_view("gender")
    properties = flat_view("properties")
    countries = flat_view("countries")
    states = flat_view("states")
    traffic_sources = flat_view("traffic_sources")
    agents = flat_view("agents")
    partners = flat_view("partners")


class SegmentRevision(models.Model):
    """One change of a segment: what, from what to what, by whom, and whom it gained and lost."""

    segment = models.ForeignKey(
        Segment, null=True, on_delete=models.SET_NULL, related_name="revisions"
    )
    segment_name = models.CharField(max_length=150)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now_add=True)
    changes = models.JSONField(help_text="{field: [from, to]}")
    gained = models.BigIntegerField(null=True)
    lost = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.segment_name}, {self.changed_at:%Y-%m-%d %H:%M}"
