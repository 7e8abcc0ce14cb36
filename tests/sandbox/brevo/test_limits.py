import time
from concurrent.futures import ThreadPoolExecutor

import requests

from sandbox.brevo.limits import Limits
from sandbox.brevo.server import Sandbox
from tests.sandbox.brevo.api import Api, error

LIMIT = "x-sib-ratelimit-limit"
LEFT = "x-sib-ratelimit-remaining"
RESET = "x-sib-ratelimit-reset"


def test_the_call_over_the_budget_of_a_second_waits_for_the_next() -> None:
    with Sandbox(requests_per_second=3) as brevo:
        api = Api(brevo)
        answers = [api.get("/contacts/lists") for _ in range(4)]
        time.sleep(int(answers[3].headers[RESET]) + 0.05)
        later = api.get("/contacts")
        api.session.close()

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers[LEFT] for answer in answers] == ["2", "1", "0", "0"]
    assert error(answers[3])[1] == "too_many_requests"
    assert "retry-after" not in answers[3].headers
    assert later.status_code == 200


def test_everything_but_contacts_shares_the_budget_of_an_hour() -> None:
    with Sandbox(other_requests_per_hour=2) as brevo:
        api = Api(brevo)
        calls = [api.get(path) for path in ("/account", "/processes", "/webhooks")]
        contacts = api.get("/contacts")
        api.session.close()

    assert [answer.status_code for answer in calls] == [200, 200, 429]
    assert calls[2].headers[LIMIT] == "2"
    assert 3500 < int(calls[2].headers[RESET]) <= 3600
    assert contacts.status_code == 200


def test_the_budget_is_the_accounts_not_the_connections() -> None:
    with Sandbox(other_requests_per_hour=5) as brevo, ThreadPoolExecutor(8) as pool:
        headers = {"api-key": brevo.key}
        url = f"{brevo.url}/account"
        codes = list(
            pool.map(lambda _: requests.get(url, headers=headers, timeout=5).status_code, range(12))
        )

    assert sorted(codes) == [200] * 5 + [429] * 7


def test_a_stranger_spends_nothing(brevo, api) -> None:
    refused = requests.get(f"{brevo.url}/account", timeout=5)

    assert refused.headers[LEFT] == "100000"
    assert api.get("/account").headers[LEFT] == "99999"


def test_a_refused_call_does_no_work() -> None:
    with Sandbox(requests_per_second=1) as brevo:
        api = Api(brevo)
        api.get("/contacts")
        answer = api.post("/contacts", {"email": "a@example.com"})
        api.session.close()

        assert answer.status_code == 429
        assert brevo.contact("a@example.com") is None


def test_a_window_opens_again_when_its_period_is_over() -> None:
    now = [100.0]
    limits = Limits(1, 1, clock=lambda: now[0])

    assert not limits.spend("/contacts/lists").refused
    now[0] += 0.6
    budget = limits.spend("/contacts")
    assert (budget.refused, budget.remaining, budget.reset) == (True, 0, 1)
    now[0] += 0.4
    assert not limits.spend("/contacts").refused


def test_a_path_that_only_starts_like_contacts_is_no_contacts_call() -> None:
    limits = Limits(1, 5)

    assert limits.spend("/contactsheets").limit == 5
