from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from campaigns.audience.explain import sentence, why
from campaigns.audience.parsing import parse
from campaigns.audience.query_builder import audience
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def joined(**operand: Any) -> dict[str, Any]:
    return {"match": "ALL", "conditions": [{"criterion": "joined", **operand}]}


def moment_of(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.get_current_timezone())  # type: ignore[misc,arg-type] # the parts of a date


def make_joined(moment: datetime) -> User:
    user = make_user()
    User.objects.filter(pk=user.pk).update(date_joined=moment)
    return User.objects.get(pk=user.pk)


@pytest.mark.parametrize(
    ("operator", "operand", "word"),
    [
        ("between", ["2026-01-01"], "write two dates"),
        ("between", "2026-01-01", "write two dates"),
        ("between", None, "write two dates"),
        ("between", ["2026-02-30", "2026-03-01"], "“2026-02-30” is not a date"),
        ("between", ["2026-1-1", "2026-03-01"], "“2026-1-1” is not a date"),
        ("between", ["20260101", "2026-03-01"], "is not a date"),
        ("between", ["0001-01-01", "2026-03-01"], "is not a date"),
        ("between", ["2026-01-01", "9999-12-31"], "is not a date"),
        ("between", ["\u0662\u0660\u0662\u0666-01-01", "2026-03-01"], "is not a date"),
        ("between", [20260101, "2026-03-01"], "is not a date"),
        ("between", ["2026-03-01", "2026-01-01"], "write the earlier date first"),
        ("within_days", 0, "from 1 to 36,500"),
        ("within_days", -1, "from 1 to 36,500"),
        ("within_days", 10**30, "from 1 to 36,500"),
        ("within_days", True, "from 1 to 36,500"),
        ("within_days", 1.5, "from 1 to 36,500"),
        ("within_days", "\u0663", "from 1 to 36,500"),
        ("within_days", "9" * 5000, "from 1 to 36,500"),
        ("before_days", [30], "from 1 to 36,500"),
        ("before_days", None, "from 1 to 36,500"),
    ],
)
def test_a_date_or_number_that_cannot_be_meant_is_refused_with_the_remedy(
    operator, operand, word
) -> None:
    (mistake,) = parse(joined(**{operator: operand})).mistakes

    assert mistake.error.messages[0].startswith("Joined: ")
    assert word in mistake.error.messages[0]


def test_both_days_of_a_range_belong_to_it_from_their_first_to_their_last_moment() -> None:
    first = moment_of(2026, 1, 1)
    after = moment_of(2026, 4, 1)
    moment = timedelta(microseconds=1)
    early, begins, ends, late = map(make_joined, [first - moment, first, after - moment, after])

    inside = set(audience(joined(between=["2026-01-01", "2026-03-31"])))

    assert inside == {begins, ends}
    assert {early, late}.isdisjoint(inside)


def test_within_and_before_so_many_days_share_everybody_between_them() -> None:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    border = midnight - timedelta(days=30)
    inside = make_joined(border)
    outside = make_joined(border - timedelta(microseconds=1))

    assert set(audience(joined(within_days=30))) == {inside}
    assert set(audience(joined(before_days=30))) == {outside}


def test_dates_read_as_words() -> None:
    user = make_joined(moment_of(2026, 2, 3, 12))
    spring = joined(between=["2026-03-01", "2026-05-31"])

    (answer,) = why(user, spring)

    assert [
        sentence(spring),
        sentence(joined(within_days=1)),
        sentence(joined(within_days=30)),
        sentence(joined(before_days=1000)),
    ] == [
        "Customers who joined between 1 March 2026 and 31 May 2026.",
        "Customers who joined in the last day.",
        "Customers who joined in the last 30 days.",
        "Customers who joined more than 1,000 days ago.",
    ]
    assert answer.fact == "joined on 3 February 2026, not between 1 March 2026 and 31 May 2026"


def test_a_number_of_days_may_come_as_a_form_sends_it() -> None:
    (condition,) = parse(joined(within_days="30")).conditions()

    assert condition.as_json() == {"criterion": "joined", "within_days": 30}
