from typing import Any, Never

import pytest

from accounts.enums import PartnershipStatus, Role
from accounts.models import Partnership, User
from properties.models import Enrollment, Lead, Property
from sandbox.people import demo as demo_module
from sandbox.people.demo import Demo

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_batches(monkeypatch) -> None:
    monkeypatch.setattr(demo_module, "BATCH", 60)


def seed(users, number=1) -> int:
    return sum(added for _, added in Demo(number).seed(users))


def rows() -> list[list[Any]]:
    """Return all that was seeded, without ids."""
    people = User.objects.order_by("email_key").values_list(
        "email", "phone", "state", "referred_by_partner__email", "date_joined", "is_active"
    )
    deals = Enrollment.objects.order_by("user__email_key", "enrolled_at", "amount").values_list(
        "user__email", "property__name", "agent__email", "status", "amount", "enrolled_at"
    )
    leads = Lead.objects.order_by("client__email_key").values_list(
        "client__email", "property__name", "status", "closed_by__email", "closed_at", "created_at"
    )
    partners = Partnership.objects.order_by("partner__email_key").values_list(
        "partner__email", "status", "suspended_at"
    )
    return [list(table) for table in (people, deals, leads, partners)]


def test_kill_in_the_middle_is_mended_by_seeding_again() -> None:
    seed(250)
    whole = rows()
    User.objects.all().delete()
    killed = Demo(1).seed(250)
    next(killed)
    killed.close()
    assert User.objects.count() == 60

    assert seed(250) == 190
    assert rows() == whole


def test_failure_within_a_batch_leaves_nothing_of_it(monkeypatch) -> None:
    def fail(*_args) -> Never:
        raise RuntimeError("no room")

    monkeypatch.setattr(demo_module, "partnership_of", fail)
    with pytest.raises(RuntimeError, match="no room"):
        seed(60)

    assert User.objects.count() == 0


def test_seeding_twice_changes_nothing() -> None:
    assert seed(150) == 150
    first = rows(), sorted(User.objects.values_list("pk", flat=True))

    assert seed(150) == 0
    assert (rows(), sorted(User.objects.values_list("pk", flat=True))) == first


def test_seeding_more_adds_the_missing_people_only() -> None:
    seed(200)
    whole = rows()
    User.objects.all().delete()
    seed(70)

    assert seed(200) == 130
    assert rows() == whole


def test_person_who_was_deleted_comes_back_with_what_was_theirs() -> None:
    seed(100)
    whole = rows()
    gone = User.objects.filter(enrollments__isnull=False, role=Role.CLIENT).first()
    gone.delete()

    assert seed(100) == 1
    assert rows() == whole


def test_two_seeds_live_side_by_side() -> None:
    seed(100, number=1)

    assert seed(100, number=2) == 100
    assert Property.objects.count() == 24


def test_seeded_people_cannot_log_in() -> None:
    seed(100)

    assert not any(user.has_usable_password() for user in User.objects.all())


def test_stored_states_are_squeezed_and_derived_columns_true() -> None:
    seed(120)

    for user in User.objects.all():
        before = (user.state, user.state_key, user.email_key, user.phone_e164, user.email_is_usable)
        user.save()
        assert before == (
            user.state,
            user.state_key,
            user.email_key,
            user.phone_e164,
            user.email_is_usable,
        )


def test_every_partner_has_a_partnership_and_some_are_suspended() -> None:
    seed(120)

    assert User.objects.filter(role=Role.PARTNER, partnership__isnull=True).count() == 0
    assert set(Partnership.objects.values_list("status", flat=True)) == set(PartnershipStatus)
    assert Partnership.objects.filter(suspended_at__isnull=False).exists()


def test_rows_take_only_one_query_more_for_ten_times_the_people(
    django_assert_max_num_queries,
) -> None:
    with django_assert_max_num_queries(14):
        seed(6)
    User.objects.all().delete()
    with django_assert_max_num_queries(14):
        seed(60)
