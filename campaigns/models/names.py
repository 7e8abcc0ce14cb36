from collections.abc import Collection, Mapping
from typing import Any

from django.db import models

from campaigns.batches import in_batches


class KnownName(models.Model):
    """What a row that segments name by its id is called, or was called before it was deleted."""

    LONGEST = 310

    kind = models.CharField(max_length=20, help_text="“property” or “user”")
    object_id = models.BigIntegerField()
    name = models.CharField(max_length=LONGEST)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "object_id"], name="known_name_of_a_row")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}: {self.name}"

    @classmethod
    def remember(cls, kind: str, names: Mapping[int, str]) -> None:
        """Write {id: name} down, over what they were called before."""
        rows: list[Any] = [
            cls(kind=kind, object_id=pk, name=name[: cls.LONGEST])
            for pk, name in sorted(names.items())
        ]
        cls.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["kind", "object_id"],
            update_fields=["name"],
        )

    @classmethod
    def of(cls, kind: str, ids: Collection[int]) -> dict[int, str]:
        """Return {id: name} of those that are known; no query for no ids."""
        names: dict[int, str] = {}
        for batch in in_batches(ids):
            known = cls.objects.filter(kind=kind, object_id__in=batch)
            names |= dict(known.values_list("object_id", "name"))
        return names
