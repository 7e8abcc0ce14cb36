"""Turn the seven lists of a segment into one definition, in segments, runs and histories."""

from collections.abc import Callable
from typing import Any

from django.db import migrations, models

import campaigns.models.flat

FLAT_NAMES = (
    "gender",
    "properties",
    "countries",
    "states",
    "traffic_sources",
    "agents",
    "partners",
)
BATCH = 500


def grouped(flat: dict[str, Any]) -> dict[str, Any]:
    """Return the group that says what the lists said; a list that was spoilt stays spoilt."""
    conditions = [
        {"criterion": key, "any_of": flat[key]}
        for key in FLAT_NAMES
        if key in flat and flat[key] != []
    ]
    match = {"match": flat["match"]} if "match" in flat else {}
    return {**match, "conditions": conditions}


def flattened(group: dict[str, Any]) -> dict[str, Any]:
    """Return the lists of a group; conditions that lists cannot say are lost."""
    match = {"match": group["match"]} if "match" in group else {}
    lists = {
        one["criterion"]: one["any_of"]
        for one in group.get("conditions", [])
        if one.get("criterion") in FLAT_NAMES and "any_of" in one
    }
    return match | lists


def grouped_changes(changes: dict[str, Any]) -> dict[str, Any]:
    flat = {key: pair for key, pair in changes.items() if key in {"match", *FLAT_NAMES}}
    if not flat:
        return changes
    others = {key: pair for key, pair in changes.items() if key not in flat}
    is_new = changes.get("name", [""])[0] is None
    old, new = ({key: pair[side] for key, pair in flat.items()} for side in (0, 1))
    old = {key: value for key, value in old.items() if value is not None}
    return others | {"definition": [None if is_new else grouped(old), grouped(new)]}


def flattened_changes(changes: dict[str, Any]) -> dict[str, Any]:
    if "definition" not in changes:
        return changes
    others = {key: pair for key, pair in changes.items() if key != "definition"}
    old, new = (flattened(group or {}) for group in changes["definition"])
    nothing: list[Any] | None = None if changes["definition"][0] is None else []
    keys = dict.fromkeys([*old, *new])
    pairs = {key: [old.get(key, nothing), new.get(key, [])] for key in keys}
    return others | {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def rewrite(rows: Any, column: str, turned: Callable[[Any], Any]) -> None:
    batch = []
    for row in rows.only("pk", column).order_by("pk").iterator(chunk_size=BATCH):
        if not isinstance(held := getattr(row, column), dict):
            continue
        if (value := turned(held)) != held:
            setattr(row, column, value)
            batch.append(row)
        if len(batch) == BATCH:
            rows.model.objects.bulk_update(batch, [column])
            batch.clear()
    rows.model.objects.bulk_update(batch, [column])


def to_definitions(apps: Any, _: Any) -> None:
    segments = apps.get_model("campaigns", "Segment").objects
    for segment in segments.order_by("pk").iterator(chunk_size=BATCH):
        flat = {key: getattr(segment, key) for key in ("match", *FLAT_NAMES)}
        segments.filter(pk=segment.pk).update(definition=grouped(flat))
    exports = apps.get_model("campaigns", "SegmentExport").objects.all()
    rewrite(exports, "definition", lambda held: grouped(held) if held else held)
    revisions = apps.get_model("campaigns", "SegmentRevision").objects.all()
    rewrite(revisions, "changes", grouped_changes)


def to_lists(apps: Any, _: Any) -> None:
    segments = apps.get_model("campaigns", "Segment").objects
    for segment in segments.order_by("pk").iterator(chunk_size=BATCH):
        segments.filter(pk=segment.pk).update(**flattened(segment.definition))
    exports = apps.get_model("campaigns", "SegmentExport").objects.all()
    rewrite(exports, "definition", lambda held: flattened(held) if held else held)
    revisions = apps.get_model("campaigns", "SegmentRevision").objects.all()
    rewrite(revisions, "changes", flattened_changes)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0016_one_rule_for_searching")]

    operations = [
        migrations.AddField(
            model_name="segment",
            name="definition",
            field=models.JSONField(default=campaigns.models.flat.no_conditions),
        ),
        migrations.RunPython(to_definitions, to_lists),
        *(migrations.RemoveField("segment", key) for key in ("match", *FLAT_NAMES)),
    ]
