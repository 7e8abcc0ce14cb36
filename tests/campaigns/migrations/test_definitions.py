"""Segments, runs and histories of the time when a segment had a list for each criterion."""

from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from campaigns.audience.definition import problems
from campaigns.audience.revision_words import summarize
from campaigns.models import Segment, SegmentExport, SegmentRevision
from tests.factories import definition

BEFORE = [("campaigns", "0016_one_rule_for_searching")]
MIGRATION = import_module("campaigns.migrations.0017_definitions")


def migrate(targets: Any) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps


@pytest.fixture
def old_apps(transactional_db) -> Any:
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes("campaigns")
    yield migrate(BEFORE)
    migrate(latest)


def test_lists_become_definitions_and_lists_again_in_segments_runs_and_histories(old_apps) -> None:
    flat = {"match": "ANY", "gender": ["FEMALE"], "states": ["Lagos", "Abuja"]}
    old_segment = old_apps.get_model("campaigns", "Segment")
    women = old_segment.objects.create(name="Women", name_key="women", **flat)
    spoilt = old_segment.objects.create(name="Spoilt", name_key="spoilt", states={"a": 1})
    exports = old_apps.get_model("campaigns", "SegmentExport").objects
    export = exports.create(segment=women, segment_name="Women", definition=flat)
    revisions = old_apps.get_model("campaigns", "SegmentRevision").objects
    made = {"name": [None, "Women"], "match": [None, "ANY"], "gender": [None, ["FEMALE"]]}
    changed = {"description": ["", "New"], "states": [[], ["Lagos"]], "match": ["ALL", "ANY"]}
    rows = [
        revisions.create(segment=women, segment_name="Women", changes=changes)
        for changes in (made, changed, {"name": ["Ladies", "Women"]})
    ]

    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes("campaigns"))

    segment = Segment.objects.get(pk=women.pk)
    assert segment.definition == definition(flat) == SegmentExport.objects.get().definition
    assert export.pk == SegmentExport.objects.get().pk
    assert (segment.match, segment.states) == ("ANY", ["Lagos", "Abuja"])
    assert problems(Segment.objects.get(pk=spoilt.pk)) == ["States: write a list of values."]
    told = {each.revision.pk: each.changes for each in summarize(SegmentRevision.objects.all())}
    assert told[rows[0].pk] == ["Name: “Women”", "Match: any of the conditions", "Gender: Female"]
    assert told[rows[1].pk] == [
        "Description: nothing → “New”",
        "Match: all of the conditions → any of the conditions",
        "States: nothing → Lagos",
    ]
    assert told[rows[2].pk] == ["Name: “Ladies” → “Women”"]

    again = migrate(BEFORE)

    back = again.get_model("campaigns", "Segment").objects
    assert {key: getattr(back.get(pk=women.pk), key) for key in flat} == flat
    assert back.get(pk=spoilt.pk).states == {"a": 1}
    assert again.get_model("campaigns", "SegmentExport").objects.get().definition == flat
    stored = again.get_model("campaigns", "SegmentRevision").objects.order_by("pk")
    assert list(stored.values_list("changes", flat=True)) == [
        made,
        changed,
        {"name": ["Ladies", "Women"]},
    ]


def test_going_back_keeps_what_lists_can_say_of_a_definition_that_says_more() -> None:
    lagos = {"criterion": "states", "any_of": ["Lagos"]}
    not_men = {"criterion": "gender", "none_of": ["MALE"]}
    inner = {"match": "ANY", "conditions": [not_men]}

    assert MIGRATION.flattened({"match": "ALL", "conditions": [lagos, not_men, inner]}) == {
        "match": "ALL",
        "states": ["Lagos"],
    }
