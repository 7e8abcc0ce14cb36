import pytest
from django.db import connection

from accounts.models import User
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL has trigrams")
@pytest.mark.parametrize("column", ["email", "first_name", "last_name", "phone_e164"])
@pytest.mark.parametrize(("lookup", "word"), [("icontains", "lovelace"), ("istartswith", "lo")])
def test_a_search_for_part_of_a_text_uses_the_trigram_index(column, lookup, word) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        if cursor.fetchone() is None:
            pytest.skip("this server has no pg_trgm")
        cursor.execute("SET LOCAL enable_seqscan = off")  # few rows would be read without it
    plan = User.objects.filter(**{f"{column}__{lookup}": word}).order_by().explain()
    assert "user_search" in plan


def test_part_of_a_text_is_found_whatever_its_case() -> None:
    ada = make_user(first_name="Ada", last_name="Lovelace")
    make_user(last_name="Love")
    assert list(User.objects.filter(last_name__icontains="OVELA")) == [ada]
