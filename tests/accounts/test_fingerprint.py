import pytest

from accounts.fingerprint import CONTACT_COLUMNS
from accounts.models import User

pytestmark = pytest.mark.django_db


def marks() -> dict[str, object]:
    return dict(User.objects.values_list("email", "contact_fingerprint"))


def person(email: str, **fields) -> User:
    return User.objects.create_user(email, first_name="Ada", phone="+2348031234567", **fields)


def test_fingerprint_of_people_told_alike_is_the_same() -> None:
    person("a@example.com", gender="FEMALE")
    person("b@example.com", marketing_consent="OPTED_OUT")

    assert len(set(marks().values())) == 1


@pytest.mark.parametrize("column", CONTACT_COLUMNS)
def test_fingerprint_changes_with_each_column_that_is_told(column: str) -> None:
    person("a@example.com", country="NG")
    before = marks()["a@example.com"]

    User.objects.update(**{column: "KE"})

    assert marks()["a@example.com"] != before


def test_fingerprint_knows_where_one_value_ends_and_the_next_begins() -> None:
    User.objects.bulk_create(
        [
            User(email="a@example.com", first_name="An", last_name="nLee"),
            User(email="b@example.com", first_name="Ann", last_name="Lee"),
        ]
    )

    assert len(set(marks().values())) == 2
