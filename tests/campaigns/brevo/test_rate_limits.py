import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.brevo import BrevoTemporary
from campaigns.brevo.rate_limits import SmoothBudget, WindowBudget
from tests.campaigns.brevo.conftest import LIST_REPLY, ROOT

LIST = f"{ROOT}/contacts/lists/3"


def test_contacts_requests_are_spread_over_the_second(brevo, client, time) -> None:
    brevo.get(LIST, json=LIST_REPLY)

    for _ in range(11):
        client.get_list(3)

    assert sum(time.naps) == pytest.approx(1.0)
    assert max(time.naps) == pytest.approx(0.1)


def test_other_requests_stop_at_the_hourly_limit(brevo, client, time) -> None:
    brevo.get(f"{ROOT}/account", json={"email": "us@example.com"})
    for _ in range(100):
        client.account()

    with pytest.raises(BrevoTemporary, match="is back in 60 minutes") as caught:
        client.account()

    assert caught.value.retry_after == pytest.approx(3600)
    assert time.naps == []
    assert len(brevo.calls) == 100


def test_other_requests_go_on_once_the_hour_is_nearly_over(brevo, client, time) -> None:
    brevo.get(f"{ROOT}/account", json={"email": "us@example.com"})
    for _ in range(100):
        client.account()
    time.now += 3590

    client.account()

    assert sum(time.naps) == pytest.approx(10)


def test_the_two_budgets_are_apart(brevo, client, time) -> None:
    brevo.get(
        f"{ROOT}/account",
        json={"email": "us@example.com"},
        headers={"x-sib-ratelimit-remaining": "0", "x-sib-ratelimit-reset": "200"},
    )
    brevo.get(LIST, json=LIST_REPLY)
    client.account()

    client.get_list(3)

    assert time.naps == []


def test_nothing_remaining_makes_the_next_request_wait_for_the_reset(brevo, client, time) -> None:
    brevo.get(
        LIST,
        json=LIST_REPLY,
        headers={"x-sib-ratelimit-remaining": "0", "x-sib-ratelimit-reset": "3"},
    )
    client.get_list(3)

    client.get_list(3)

    assert sum(time.naps) == pytest.approx(3)


def test_budget_tells_what_is_known(brevo, client) -> None:
    brevo.get(
        f"{ROOT}/account",
        json={"email": "us@example.com"},
        headers={"x-sib-ratelimit-remaining": "40", "x-sib-ratelimit-reset": "600"},
    )
    before = client.budget()
    client.account()

    assert (before.other.remaining, before.contacts.remaining) == (100, None)
    assert client.budget().other.remaining == 40
    assert client.budget().other.available_in == 0


@pytest.mark.parametrize("budget", [SmoothBudget, WindowBudget])
def test_budget_of_nothing_cannot_be_made(budget) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        budget(0)


@given(
    limit=st.integers(1, 20),
    steps=st.lists(st.floats(0, 900), min_size=1, max_size=80),
)
def test_no_hour_ever_sees_more_than_its_limit(limit, steps) -> None:
    budget, now, taken = WindowBudget(limit), 0.0, []

    for step in steps:
        now += step
        if not budget.take(now):
            taken.append(now)
        assert sum(at > now - 3599.9 for at in taken) <= limit


@given(limit=st.integers(1, 60), steps=st.lists(st.floats(0, 0.3), min_size=1, max_size=80))
def test_contacts_requests_are_never_closer_than_their_share(limit, steps) -> None:
    budget, now, taken = SmoothBudget(limit), 0.0, []

    for step in steps:
        now += step
        if not budget.take(now):
            taken.append(now)

    gaps = [after - before for before, after in itertools.pairwise(taken)]
    assert all(gap >= 1 / limit - 1e-5 for gap in gaps)


def test_after_a_refusal_nothing_is_sent_until_the_reset(brevo, client, time) -> None:
    brevo.get(LIST, status=429, headers={"x-sib-ratelimit-reset": "1800"})
    with pytest.raises(BrevoTemporary, match="takes more in 30 minutes"):
        client.get_list(3)
    time.now += 1000

    with pytest.raises(BrevoTemporary, match="back in 14 minutes") as caught:
        client.get_list(3)

    assert caught.value.retry_after == pytest.approx(800)
    assert len(brevo.calls) == 1


def test_what_brevo_says_remains_is_counted_down(script, client, time) -> None:
    told = {"x-sib-ratelimit-remaining": "2", "x-sib-ratelimit-reset": "60"}
    script.get(f"{ROOT}/account", json={"email": "us@example.com"}, headers=told)
    for _ in range(3):
        script.get(f"{ROOT}/account", json={"email": "us@example.com"})
    for _ in range(3):
        client.account()
    before = sum(time.naps)

    client.account()

    assert (before, sum(time.naps)) == (0, pytest.approx(60))
