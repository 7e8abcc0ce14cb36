from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import IntegrityError, connection

from accounts.models import User
from properties.models import Enrollment, Property
from sandbox.people.load import Loader, analyze, new_ids

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 1, 31, 23, 30, 0, 250, tzinfo=timezone(timedelta(hours=1)))
COLUMNS = ["email", "state", "phone", "date_joined", "updated_at", "password", "last_login"]
ROW = ("Ada@Example.com", " Akwa  IBOM ", "+234 803 123 4567", MOMENT, MOMENT, "!", None)


def bulk_load(model, columns, rows) -> None:
    loader = Loader(model, columns)
    loader.insert([loader.complete(row) for row in rows])


def test_row_that_breaks_a_rule_of_the_table_is_refused() -> None:
    with pytest.raises((IntegrityError, connection.Database.IntegrityError)):
        bulk_load(User, COLUMNS, [ROW, ROW])


def test_loaded_row_is_what_the_orm_would_have_saved() -> None:
    bulk_load(User, COLUMNS, [ROW])
    loaded = User.objects.values().get()
    User.objects.all().delete()
    twin = User.objects.create(**dict(zip(COLUMNS, ROW, strict=True)))
    User.objects.filter(pk=twin.pk).update(date_joined=MOMENT, updated_at=MOMENT)
    saved = User.objects.values().get()

    assert loaded["state_key"] == "akwa ibom"
    assert loaded["phone_e164"] == "+2348031234567"
    assert loaded["date_joined"] == MOMENT
    assert loaded | {"id": saved["id"]} == saved


def test_times_are_found_by_comparison() -> None:
    bulk_load(User, COLUMNS, [ROW])

    assert User.objects.filter(date_joined__lte=MOMENT, date_joined__gte=MOMENT).count() == 1
    assert not User.objects.filter(date_joined__lt=datetime(2026, 1, 31, 22, 30, tzinfo=UTC))


def test_amounts_are_whole_and_exact() -> None:
    user = User.objects.create(email="ada@example.com")
    home = Property.objects.create(name="Palm Court")
    bulk_load(Enrollment, ["user_id", "property_id", "amount"], [(user.pk, home.pk, 95_000_000)])

    assert str(Enrollment.objects.get().amount) == "95000000.00"


def test_reserved_ids_are_free_and_not_given_twice() -> None:
    before = User.objects.create(email="before@example.com")
    first, second = new_ids(User, 2)
    bulk_load(User, ["id", *COLUMNS], [(first, *ROW), (second, "eve@example.com", *ROW[1:])])

    after = User.objects.create(email="after@example.com")

    assert len({before.pk, first, second, after.pk}) == 4


def test_reserved_ids_of_an_empty_table_are_numbers(transactional_db) -> None:
    assert len(new_ids(Property, 3)) == 3


def test_analyze_tells_the_planner_about_the_rows() -> None:
    bulk_load(User, COLUMNS, [ROW])
    analyze(User)

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'accounts_user'")
        else:
            cursor.execute(
                "SELECT count(*) FROM pg_stats WHERE tablename = 'accounts_user'",
            )
        assert cursor.fetchone()[0] > 0
