import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from accounts.enums import Gender
from campaigns.audience.revision_words import summarize
from campaigns.audience.revisions import recorded
from campaigns.models import Segment, SegmentRevision
from tests.factories import (
    definition,
    make_agent,
    make_enrollment,
    make_lead,
    make_manager,
    make_property,
    make_segment,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment() -> Segment:
    return make_segment(countries=["NG"], brevo_list_id=7)


def change(segment: Segment, *, by=None, **fields) -> SegmentRevision | None:
    with recorded(segment, by=by):
        for field, value in fields.items():
            setattr(segment, field, value)
        segment.save()
    return segment.revisions.first()


def test_a_change_is_written_with_what_from_to_and_by_whom(segment) -> None:
    manager = make_manager()
    revision = change(segment, by=manager, countries=["NG", "GH"], description="West Africa")
    assert revision.changes == {
        "description": ["", "West Africa"],
        "definition": [definition(countries=["NG"]), definition(countries=["NG", "GH"])],
    }
    assert revision.changed_by == manager
    assert revision.segment_name == segment.name


def test_a_change_of_the_audience_counts_whom_it_gained_and_lost(segment) -> None:
    for country, people in (("NG", 2), ("GH", 3), ("KE", 1)):
        for _ in range(people):
            make_user(country=country)
    revision = change(segment, countries=["GH", "KE"])
    assert (revision.gained, revision.lost) == (4, 2)


def test_people_who_stay_are_neither_gained_nor_lost_with_subqueries_on_both_sides() -> None:
    agent, home = make_agent(), make_property()
    served, enrolled, both = make_user(), make_user(), make_user()
    make_lead(client=served, closed_by=agent)
    make_enrollment(user=enrolled, property=home)
    make_enrollment(user=both, property=home, agent=agent)
    segment = make_segment(agents=[agent.pk], brevo_list_id=7)
    revision = change(segment, agents=[], properties=[home.pk])
    assert (revision.gained, revision.lost) == (1, 1)


def test_new_words_gain_and_lose_nobody_and_count_nobody(segment) -> None:
    make_user(country="NG")
    with CaptureQueriesContext(connection) as queries:
        revision = change(segment, description="For the summer party.")
    assert not [query for query in queries if "COUNT(" in query["sql"]]
    assert (revision.gained, revision.lost) == (0, 0)


def test_a_save_that_changes_nothing_leaves_no_revision(segment) -> None:
    assert change(segment) is None


def test_a_save_that_fails_leaves_no_revision(segment) -> None:
    with pytest.raises(ValidationError):
        change(segment, countries=[])
    assert not SegmentRevision.objects.exists()


def test_a_new_segment_gets_a_revision_from_nothing() -> None:
    make_user(country="NG")
    segment = Segment(name="Nigeria", countries=["NG"], brevo_list_id=7)
    revision = change(segment)
    assert revision.changes["definition"] == [None, definition(countries=["NG"])]
    assert (revision.gained, revision.lost) == (1, 0)
    assert summarize([revision])[0].is_creation


def test_what_a_change_of_a_broken_definition_did_is_unknown() -> None:
    home = make_property()
    segment = make_segment(properties=[home.pk], brevo_list_id=7)
    home.delete()
    revision = change(segment, properties=[], gender=[Gender.FEMALE.value])
    assert (revision.gained, revision.lost) == (None, None)
    assert summarize([revision])[0].people == "how many people came and went is unknown"


def test_a_count_that_fails_is_unknown_and_the_save_stands(segment, monkeypatch) -> None:
    def failing(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    monkeypatch.setattr(QuerySet, "count", failing)
    revision = change(segment, countries=["GH"])
    assert (revision.gained, revision.lost) == (None, None)
    assert Segment.objects.get(pk=segment.pk).countries == ["GH"]


def test_known_sizes_are_forgotten_when_the_audience_changes(segment) -> None:
    Segment.objects.update(audience_size=12, mailable_size=10)
    change(segment, countries=["GH"])
    segment.refresh_from_db()
    assert (segment.audience_size, segment.mailable_size) == (None, None)


def test_known_sizes_are_kept_when_only_words_change(segment) -> None:
    Segment.objects.update(audience_size=12)
    segment.refresh_from_db()
    change(segment, description="New words")
    segment.refresh_from_db()
    assert segment.audience_size == 12


def test_a_revision_is_told_with_the_names_of_things(segment) -> None:
    revision = change(segment, countries=["NG", "GH"], match="ANY", description="Both")
    assert summarize([revision])[0].changes == [
        "Description: nothing → “Both”",
        "Match: all of the conditions → any of the conditions",
        "Countries: Nigeria → Nigeria, Ghana",
    ]
    assert summarize([revision])[0].people == "+0 −0 people"  # noqa: RUF001 -- a minus sign


def test_a_revision_tells_conditions_and_groups_that_flat_names_cannot(segment) -> None:
    not_men = {"criterion": "gender", "none_of": ["MALE"]}
    inner = {"match": "ANY", "conditions": [not_men, {"criterion": "states", "any_of": ["Oyo"]}]}

    revision = change(segment, definition={"match": "ALL", "conditions": [not_men, inner]})

    assert summarize([revision])[0].changes == [
        "Countries: Nigeria → nothing",
        "Gender is none of: nothing → Male",
        "Group: nothing → customers who are not men, or live in Oyo",
    ]


def test_a_thing_that_is_gone_is_still_summarize(segment) -> None:
    home = make_property("Palm Court")
    revision = change(segment, properties=[home.pk])
    home.delete()
    assert summarize([revision])[0].changes == ["Properties: nothing → Palm Court (gone)"]


def test_many_revisions_are_told_for_the_queries_of_one(
    segment, django_assert_max_num_queries
) -> None:
    for number in range(5):
        change(segment, properties=[make_property(f"Home {number}").pk])
    revisions = list(segment.revisions.all())
    with django_assert_max_num_queries(1):
        assert len(summarize(revisions)) == 5
