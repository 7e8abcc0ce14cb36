"""Lists follow segments, whoever saves or deletes one; what Brevo refuses is not saved."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import DataError, IntegrityError
from django.db.models.signals import pre_save

from campaigns.brevo import BrevoError, BrevoKeyMissing
from campaigns.brevo.transport import Transport
from campaigns.models import BrevoList, ListChange, ListMember, Segment, SegmentExport
from campaigns.sync.runs import request_sync
from tests.factories import make_property, make_segment_unsaved

pytestmark = pytest.mark.django_db

REFUSALS = ["500", "502", "key-revoked", "unknown-ip", "drop", "429-bare"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(Transport, "FIRST_BACKOFF", 0.001)
    monkeypatch.setattr(Transport, "LONGEST_BACKOFF", 0.001)


@pytest.fixture
def segment(brevo) -> Segment:
    segment = make_segment_unsaved(name="Women")
    segment.save()
    brevo.clear_requests()
    return segment


def writes(brevo) -> list[str]:
    return [f"{method} {path}" for method, path, _ in brevo.requests if method != "GET"]


# Made


def test_new_segment_has_its_list_in_our_folder(brevo, settings):
    segment = make_segment_unsaved(name="Women")
    segment.save()

    assert brevo.lists() == {segment.brevo_list_id: "Women"}
    assert Segment.objects.get().brevo_list_id == segment.brevo_list_id
    folder = next(body for method, path, body in brevo.bodies if path == "/contacts/folders")
    assert folder == {"name": settings.BREVO_FOLDER}


@pytest.mark.parametrize("fault", REFUSALS)
def test_segment_whose_list_brevo_refuses_is_not_saved(brevo, fault):
    brevo.fault(f"{fault}@POST /contacts/lists")

    with pytest.raises(BrevoError):
        make_segment_unsaved().save()

    assert (Segment.objects.count(), brevo.lists()) == (0, {})


def test_segment_is_not_saved_without_a_key(brevo, settings):
    settings.BREVO_API_KEY = ""

    with pytest.raises(BrevoKeyMissing):
        make_segment_unsaved().save()

    assert Segment.objects.count() == 0


@pytest.mark.parametrize("fault", ["524", "drop-after", "truncated", "html"])
def test_list_that_was_made_although_its_answer_was_lost_is_taken(brevo, fault):
    brevo.fault(f"{fault}@POST /contacts/lists*1")

    segment = make_segment_unsaved(name="Women")
    segment.save()

    assert brevo.lists() == {segment.brevo_list_id: "Women"}


def test_list_of_the_same_name_that_holds_somebody_or_is_ours_is_never_taken(brevo, segment):
    Segment.objects.filter(pk=segment.pk).update(name="Other")
    brevo.fault("524@POST /contacts/lists*1")
    brevo.fault("drop@POST /contacts/lists*1")
    first = make_segment_unsaved(name="Women")
    first.save()
    assert first.brevo_list_id != segment.brevo_list_id
    brevo.put_on_list(first.brevo_list_id, "by.hand@example.org")
    Segment.objects.filter(pk=first.pk).update(name="Another", brevo_list_id=None)

    with pytest.raises(BrevoError):
        make_segment_unsaved(name="Women").save()


@pytest.mark.django_db(transaction=True)
def test_list_is_taken_back_when_our_database_refuses_the_segment(brevo, segment):
    twin = make_segment_unsaved(name="Twin")
    twin.pk = segment.pk

    with pytest.raises(IntegrityError):
        twin.save(force_insert=True)

    assert brevo.lists() == {segment.brevo_list_id: "Women"}
    assert twin.brevo_list_id is None


@pytest.mark.django_db(transaction=True)
def test_segment_can_be_saved_once_what_was_wrong_is_right(brevo, segment):
    twin = make_segment_unsaved(name="Twin")
    twin.pk = segment.pk
    with pytest.raises(IntegrityError):
        twin.save(force_insert=True)

    twin.pk = None
    twin.save()

    assert brevo.lists() == {segment.brevo_list_id: "Women", twin.brevo_list_id: "Twin"}


@pytest.mark.django_db(transaction=True)
def test_failure_to_take_a_list_back_does_not_hide_why_nothing_was_saved(brevo, segment, caplog):
    brevo.fault("500@DELETE /contacts/lists/*")
    twin = make_segment_unsaved(name="Twin")
    twin.pk = segment.pk

    with pytest.raises(IntegrityError):
        twin.save(force_insert=True)

    assert "could not be put back: status 500" in caplog.text


@pytest.mark.parametrize("name", ["Women", "wOMEN", "  women "])
def test_name_that_is_taken_is_refused_before_brevo_is_asked(brevo, segment, name):
    with pytest.raises(ValidationError, match="exists already"):
        make_segment_unsaved(name=name).save()

    assert brevo.requests == []


@pytest.mark.parametrize(
    "wrong", [{"gender": []}, {"countries": ["XX"]}, {"properties": [99]}, {"match": "NONE"}]
)
def test_definition_that_cannot_be_used_is_refused_before_brevo_is_asked(brevo, segment, wrong):
    for candidate in (make_segment_unsaved(**wrong), segment):
        for field, value in wrong.items():
            setattr(candidate, field, value)
        with pytest.raises(ValidationError):
            candidate.save()

    assert brevo.requests == []
    segment.refresh_from_db()
    assert segment.gender == ["FEMALE"]


def test_loaddata_asks_nobody(brevo, segment, tmp_path):
    dump = tmp_path / "segments.json"
    call_command("dumpdata", "campaigns.segment", output=str(dump))
    rows = json.loads(dump.read_text())
    rows[0]["fields"]["name"] = "Renamed"
    new = {**rows[0]["fields"], "name": "New", "name_key": "new", "brevo_list_id": None}
    rows.append({"model": "campaigns.segment", "pk": segment.pk + 1, "fields": new})
    dump.write_text(json.dumps(rows))

    call_command("loaddata", str(dump), verbosity=0)

    assert set(Segment.objects.values_list("name", flat=True)) == {"Renamed", "New"}
    assert brevo.requests == []


# Renamed


def test_list_is_renamed_with_its_segment(brevo, segment):
    segment.name = "Ladies"
    segment.save()

    assert brevo.lists() == {segment.brevo_list_id: "Ladies"}


@pytest.mark.parametrize("fault", REFUSALS)
def test_name_that_brevo_refuses_is_not_saved(brevo, segment, fault):
    brevo.fault(f"{fault}@PUT /contacts/lists/*")
    segment.name = "Ladies"

    with pytest.raises(BrevoError):
        segment.save()

    assert Segment.objects.get().name == "Women"
    assert brevo.lists() == {segment.brevo_list_id: "Women"}


@pytest.mark.django_db(transaction=True)
def test_name_is_put_back_when_our_database_refuses_the_segment(brevo, segment):
    segment.name = "Ladies"
    segment.mailable_size = 2**70

    with pytest.raises((OverflowError, DataError)):
        segment.save()

    assert list(brevo.lists().values()) == ["Women"]


def test_name_is_put_back_when_another_receiver_refuses_the_segment(brevo, segment):
    def refuse(**_) -> None:
        raise ZeroDivisionError

    segment.name = "Ladies"
    pre_save.connect(refuse, sender=Segment)
    try:
        with pytest.raises(ZeroDivisionError):
            segment.save()
    finally:
        pre_save.disconnect(refuse, sender=Segment)

    assert brevo.lists() == {segment.brevo_list_id: "Women"}
    assert BrevoList.objects.get().name == "Women"
    assert not ListChange.objects.exists()


def test_renaming_is_fine_when_the_list_is_gone(brevo, segment):
    with brevo.store.writing() as store:
        store.execute("DELETE FROM list")
    segment.name = "Ladies"

    segment.save()

    assert Segment.objects.get().name == "Ladies"


def test_saving_only_other_fields_leaves_the_list_its_name(brevo, segment):
    segment.name, segment.description = "Ladies", "Women only"

    segment.save(update_fields=["description"])
    segment.save(update_fields=["gender"])

    assert (Segment.objects.get().name, brevo.lists()) == (
        "Women",
        {segment.brevo_list_id: "Women"},
    )
    assert writes(brevo) == []


def test_saving_only_the_name_renames_the_list(brevo, segment):
    segment.name = "Ladies"

    segment.save(update_fields=["name"])

    assert Segment.objects.get().name_key == "ladies"
    assert brevo.lists() == {segment.brevo_list_id: "Ladies"}


def test_saving_only_criteria_checks_them(segment):
    segment.gender = []

    with pytest.raises(ValidationError):
        segment.save(update_fields=["gender"])


def test_saving_without_a_change_writes_nothing_to_brevo(brevo, segment):
    segment.properties = [make_property().pk]
    segment.save()

    assert brevo.requests == []


# Deleted


def test_list_goes_with_its_segment_and_its_runs_stay(brevo, segment):
    request_sync(segment)

    segment.delete()

    assert (brevo.lists(), Segment.objects.count()) == ({}, 0)
    assert SegmentExport.objects.get().segment_name == "Women"
    assert ListMember.objects.count() == 0


@pytest.mark.parametrize("fault", REFUSALS)
def test_segment_whose_list_brevo_keeps_stays(brevo, segment, fault):
    brevo.fault(f"{fault}@DELETE /contacts/lists/*")

    with pytest.raises(BrevoError):
        segment.delete()

    assert Segment.objects.count() == 1
    assert brevo.lists() == {segment.brevo_list_id: "Women"}


@pytest.mark.parametrize("fault", ["524", "drop-after"])
def test_segment_goes_when_the_list_went_although_the_answer_was_lost(brevo, segment, fault):
    brevo.fault(f"{fault}@DELETE /contacts/lists/*1")

    segment.delete()

    assert (brevo.lists(), Segment.objects.count()) == ({}, 0)


@pytest.mark.parametrize("gone", ["at Brevo", "here"])
def test_deleting_is_fine_when_there_is_no_list_any_more(brevo, segment, gone):
    if gone == "here":
        Segment.objects.filter(pk=segment.pk).update(brevo_list_id=None)
    else:
        with brevo.store.writing() as store:
            store.execute("DELETE FROM list")

    Segment.objects.get().delete()

    assert Segment.objects.count() == 0


def test_segments_deleted_together_take_their_lists_along(brevo, segment):
    make_segment_unsaved(name="Other").save()

    Segment.objects.all().delete()

    assert (brevo.lists(), Segment.objects.count()) == ({}, 0)


def test_segments_deleted_together_all_stay_when_brevo_keeps_one_list(brevo, segment):
    make_segment_unsaved(name="Other").save()
    brevo.fault("500@DELETE /contacts/lists/*+1")

    with pytest.raises(BrevoError):
        Segment.objects.all().delete()

    assert Segment.objects.count() == 2
