"""What a save writes: the columns that were changed, over nothing that is newer."""

from copy import copy
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from accounts.columns import ChangedMeanwhile, SavesChangedColumns
from accounts.enums import Consent
from accounts.models import User
from campaigns.models import Segment, Suppression
from properties.models import Enrollment, Property
from tests.factories import definition, make_enrollment, make_property, make_segment, make_user

pytestmark = pytest.mark.django_db


def stale(row: Any, **changed: Any) -> Any:
    """Return the row as somebody read it before these columns were changed."""
    read = type(row).objects.get(pk=row.pk)
    type(row).objects.filter(pk=row.pk).update(**changed)
    return read


def test_saving_a_row_that_was_read_earlier_keeps_what_others_wrote_meanwhile() -> None:
    user = stale(make_user(), marketing_consent=Consent.OPTED_OUT)

    user.phone = "+2348031234567"
    user.save()

    user = User.objects.get(pk=user.pk)
    assert user.marketing_consent == Consent.OPTED_OUT
    assert user.phone_e164 == "+2348031234567"


def test_setting_a_password_keeps_an_opt_out_of_the_same_moment() -> None:
    user = stale(make_user(), marketing_consent=Consent.OPTED_OUT)

    user.set_password("correct horse battery")
    user.save()

    assert User.objects.get(pk=user.pk).marketing_consent == Consent.OPTED_OUT


def test_saving_a_segment_keeps_the_list_that_a_run_has_stored_meanwhile() -> None:
    segment = stale(make_segment(), brevo_list_id=4711)

    segment.description = "Changed"
    segment.save()

    assert Segment.objects.get().brevo_list_id == 4711


def test_saving_a_row_that_nobody_changed_writes_nothing() -> None:
    user = User.objects.get(pk=make_user().pk)
    with CaptureQueriesContext(connection) as asked:
        user.save()
    assert not asked.captured_queries


def test_every_save_after_the_first_writes_what_was_changed_since() -> None:
    user = make_user(state="Lagos")
    user.state = "Oyo"
    user.save()
    User.objects.update(state="Kano")
    user.first_name = "Ada"
    user.save()

    user = User.objects.get()
    assert (user.first_name, user.state, user.state_key) == ("Ada", "Kano", "kano")


def test_a_value_that_is_put_back_after_others_changed_it_is_read_anew_first() -> None:
    place = stale(make_property("Palm Court"), city="Ibadan")
    place.refresh_from_db()
    place.city = "Lagos"
    place.save()
    assert Property.objects.get().city == "Lagos"


def test_a_list_that_is_changed_in_place_is_saved() -> None:
    segment = Segment.objects.get(pk=make_segment().pk)
    segment.gender.append("MALE")
    segment.save()
    segment.gender.remove("FEMALE")
    segment.save()
    assert Segment.objects.get().gender == ["MALE"]


def test_an_expression_is_saved_each_time() -> None:
    row = Enrollment.objects.get(pk=make_enrollment(amount=1).pk)
    row.amount = F("amount") + 1
    row.save()
    row.amount = F("amount") + 1
    row.save()
    assert Enrollment.objects.get().amount == 3


def test_a_column_that_was_not_read_is_neither_lost_nor_needed() -> None:
    make_user(first_name="Ada", last_name="Obi", state="Lagos")
    user = User.objects.only("first_name").get()

    user.first_name, user.last_name = "Ife", "Eze"
    user.save()

    user = User.objects.get()
    assert (user.first_name, user.last_name, user.state_key) == ("Ife", "Eze", "lagos")


def test_a_row_without_its_key_is_made_anew_with_every_column() -> None:
    place = Property.objects.get(pk=make_property("Palm Court", city="Lagos").pk)
    place.pk, place.name = None, "Palm Court II"
    place.save()
    assert Property.objects.filter(city="Lagos").count() == 2


def test_a_copy_of_a_row_that_is_saved_leaves_the_first_one_alone() -> None:
    first = Property.objects.get(pk=make_property(city="Lagos").pk)
    other = copy(first)
    other.city = "Oyo"
    other.save()
    first.country = "NG"
    first.save()
    place = Property.objects.get()
    assert (place.city, place.country) == ("Oyo", "NG")


def test_a_row_that_was_deleted_meanwhile_is_not_made_anew() -> None:
    place = make_property()
    Property.objects.filter(pk=place.pk).delete()
    place.city = "Lagos"
    with pytest.raises(DatabaseError):
        place.save()


@pytest.mark.django_db(transaction=True)
def test_a_save_that_expects_an_older_value_writes_nothing_and_says_so() -> None:
    segment = stale(make_segment(description="Old"), description="New")

    segment.match = "ANY"
    with pytest.raises(ChangedMeanwhile):
        segment.save(expecting={"description": "Old", "definition": definition(gender=["FEMALE"])})

    assert Segment.objects.get().match == "ALL"
    segment.save(expecting={"description": "New", "definition": definition(gender=["FEMALE"])})
    assert (Segment.objects.get().match, Segment.objects.get().description) == ("ANY", "New")


def test_saving_a_suppression_keeps_what_brevo_said_of_it_meanwhile() -> None:
    row = stale(Suppression.objects.create(email="a@example.com"), reason="COMPLAINED")
    row.note = "Called"
    row.save()
    assert Suppression.objects.get().reason == "COMPLAINED"


def test_every_model_that_people_write_is_saved_by_column() -> None:
    """The others are rows of runs and queues, which are written by UPDATE alone."""
    names = ("User", "Partnership", "Property", "Enrollment", "Lead", "Segment", "Suppression")
    found = {m.__name__ for m in apps.get_models() if issubclass(m, SavesChangedColumns)}
    assert found == set(names)
