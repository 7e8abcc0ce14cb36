from hashlib import md5

import pytest
from django.db.models import F
from django.db.models.functions import MD5
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from campaigns.sync.digest import SetDigest, digest_of
from tests.campaigns.sync.scenes import women

pytestmark = pytest.mark.django_db


def everybody():
    return User.objects.order_by().values_list(MD5(F("email")), flat=True)


def test_digest_of_a_query_adds_up_both_halves_of_each_mark() -> None:
    emails = [woman.email for woman in women(*range(50))]
    marks = [int(md5(email.encode()).hexdigest(), 16) for email in emails]

    high = sum(mark >> 64 for mark in marks) % 2**64
    low = sum(mark % 2**64 for mark in marks) % 2**64
    assert digest_of(everybody()) == f"{high:016x}{low:016x}"


def test_digest_of_a_query_that_finds_nobody_is_that_of_an_empty_set() -> None:
    assert digest_of(everybody()) == "0" * 32


@given(st.lists(st.text(max_size=5), unique=True), st.randoms())
def test_digest_of_a_set_does_not_depend_on_the_order(members, chance) -> None:
    one, other = SetDigest(), SetDigest()
    for member in members:
        one.add(member)
    chance.shuffle(members)
    for member in members:
        other.add(member)

    assert one.hexdigest() == other.hexdigest()
