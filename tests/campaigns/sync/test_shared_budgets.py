import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from campaigns.brevo.rate_limits import SmoothBudget, WindowBudget
from campaigns.models import RequestBudget
from campaigns.sync.gateway import connect
from campaigns.sync.shared_budgets import SharedBudget, old_budgets
from tests.elsewhere import ROOT, environment

PROCESSES, REQUESTS, PER_SECOND = 4, 10, 20
GRAIN = 0.05  # seconds that a database's clock may be coarse
SPENDER = f"""
import time
import django

django.setup()
from campaigns.brevo.rate_limits import SmoothBudget
from campaigns.sync.shared_budgets import SharedBudget

budget = SharedBudget(SmoothBudget({PER_SECOND}), key="one")
print("ready", flush=True)
input()
moments = [time.monotonic()]
for _ in range({REQUESTS}):
    while wait := budget.take(time.monotonic()):
        time.sleep(wait)
    moments.append(time.monotonic())
print(moments[0], moments[-1])
"""


class Clock:
    """A clock that only the test moves; the database's goes on by itself, by far less."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def hourly(limit: int = 3, *, key: str = "one", clock: Clock | None = None) -> SharedBudget:
    return SharedBudget(WindowBudget(limit), key=key, clock=clock or Clock())


@pytest.mark.django_db(transaction=True)
def test_several_processes_together_send_no_faster_than_one_may() -> None:
    command = [sys.executable, "-c", SPENDER]
    spenders = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(),
        )
        for _ in range(PROCESSES)
    ]
    try:
        for spender in spenders:
            assert spender.stdout is not None
            assert spender.stdout.readline() == "ready\n"
        for spender in spenders:
            assert spender.stdin is not None
            spender.stdin.write("\n")
            spender.stdin.flush()
        moments = [
            [float(each) for each in spender.communicate()[0].split()] for spender in spenders
        ]
    finally:
        for spender in spenders:
            spender.kill()

    begun, ended = zip(*moments, strict=True)
    assert max(ended) - min(begun) >= (PROCESSES * REQUESTS - 1) / PER_SECOND - GRAIN


@pytest.mark.django_db
def test_what_one_process_has_spent_the_others_wait_for() -> None:
    first, second = hourly(), hourly()

    granted = [budget.take(0) == 0 for budget in (first, second, first, second, first)]

    assert granted == [True, True, True, False, False]
    assert second.state(0).remaining == 0
    assert 3500 < second.take(0) <= 3600


@pytest.mark.django_db
def test_budgets_of_two_keys_are_apart() -> None:
    ours, others = hourly(1, key="ours"), hourly(1, key="others")

    assert ours.take(0) == others.take(0) == 0
    assert ours.take(0) > 0


@pytest.mark.django_db
def test_what_brevo_tells_one_process_holds_for_the_others() -> None:
    clock = Clock()
    first, second = hourly(100, clock=clock), hourly(100, clock=clock)
    assert first.take(0) == second.take(0) == 0

    first.learn(0, remaining=0, reset=600)

    clock.now += 2  # what was read a second ago is read again
    assert 500 < second.take(0) <= 600


@pytest.mark.django_db
def test_a_budget_that_nobody_else_spends_from_costs_one_statement_a_request(
    django_assert_num_queries,
) -> None:
    budget = hourly(100)
    budget.take(0)

    with django_assert_num_queries(1):
        assert budget.take(0) == 0


@pytest.mark.django_db
def test_without_the_database_a_process_keeps_its_own_pace_and_tells_later(
    monkeypatch, caplog
) -> None:
    clock = Clock()
    budget, other = hourly(clock=clock), hourly()
    assert budget.take(0) == 0

    def fail(*_: object) -> bool:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(SharedBudget, "_store", fail)
        assert [budget.take(0) == 0 for _ in range(3)] == [True, True, False]
        assert "keeps its own pace" in caplog.text
    assert other.state(0).remaining == 2

    clock.now += 31
    assert budget.take(0) > 0
    assert RequestBudget.objects.count() == 1


@pytest.mark.django_db
def test_inside_a_transaction_the_row_is_left_alone(django_assert_num_queries) -> None:
    budget = hourly()
    with transaction.atomic(), django_assert_num_queries(0):
        assert budget.take(0) == 0

    assert budget.state(0).remaining == 2


@pytest.mark.django_db
def test_a_clock_that_was_set_back_makes_nobody_wait_longer_than_a_period() -> None:
    budget = SharedBudget(SmoothBudget(10), key="one", clock=Clock())
    assert budget.take(0) == 0
    late = {"free_at": (timezone.now() + timedelta(days=9)).timestamp()}
    RequestBudget.objects.update(state=late)

    again = SharedBudget(SmoothBudget(10), key="one", clock=Clock())

    assert again.take(0) <= 1


@pytest.mark.django_db
def test_rows_of_keys_that_are_out_of_use_are_old_after_two_days() -> None:
    hourly(key="new").take(0)
    hourly(key="old").take(0)
    long_ago = timezone.now() - timedelta(days=3)
    RequestBudget.objects.filter(key="old").update(changed_at=long_ago)

    assert [row.key for row in old_budgets()] == ["old"]


@pytest.mark.django_db
def test_clients_of_one_key_share_their_budgets(settings) -> None:
    settings.BREVO_SHARE_BUDGETS = True
    settings.BREVO_OTHER_REQUESTS_PER_HOUR = 5

    assert connect()._other.take(0) == 0

    assert connect().budget().other.remaining == 4
