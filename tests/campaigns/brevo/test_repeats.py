import socket

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import HTTPError

from campaigns.brevo import (
    BrevoClient,
    BrevoPermanent,
    BrevoTemporary,
    BrevoUnreachable,
    ImportBody,
)
from tests.campaigns.brevo.conftest import KEY, LIST_REPLY, ROOT, Time

LISTS = f"{ROOT}/contacts/lists"
LIST = f"{ROOT}/contacts/lists/3"


def import_body() -> ImportBody:
    body = ImportBody(3, max_bytes=10_000)
    body.add("ada@example.com", {})
    return body


# Every call that may make something twice, and how to provoke it.
ONE_SHOT = {
    "make a list": (f"{LISTS}", lambda client: client.create_list("Lagos", 1)),
    "import": (
        f"{ROOT}/contacts/import",
        lambda client: client.import_contacts(import_body()),
    ),
    "make a webhook": (
        f"{ROOT}/webhooks",
        lambda client: client.create_webhook(
            "https://us.example/hook", events=["unsubscribed"], token="t", description="d"
        ),
    ),
    "make an attribute": (
        f"{ROOT}/contacts/attributes/normal/STATE",
        lambda client: client.create_attribute("STATE"),
    ),
}
REPEATABLE = {
    "rename": ("PUT", LIST, lambda client: client.rename_list(3, "Abuja")),
    "delete": ("DELETE", LIST, lambda client: client.delete_list(3)),
    "read": ("GET", LIST, lambda client: client.get_list(3)),
    "add": ("POST", f"{LIST}/contacts/add", lambda client: client.add_to_list(3, ["a@b.example"])),
    "remove": (
        "POST",
        f"{LIST}/contacts/remove",
        lambda client: client.remove_from_list(3, ["a@b.example"]),
    ),
    "upsert": (
        "POST",
        f"{ROOT}/contacts",
        lambda client: client.upsert_contact("a@b.example", {}, 3),
    ),
}
AMBIGUOUS = {
    "read timeout": {"body": requests.ReadTimeout("slow")},
    "reset": {"body": requests.ConnectionError("reset by peer")},
    "cut off": {"body": requests.exceptions.ChunkedEncodingError("cut")},
    "stray error of urllib3": {"body": HTTPError("odd")},
    "500": {"status": 500},
    "502": {"status": 502, "body": "<html>Bad gateway</html>"},
    "503": {"status": 503},
    "524": {"status": 524, "body": "error code: 524"},
}


@pytest.mark.parametrize("failure", AMBIGUOUS.values(), ids=AMBIGUOUS)
@pytest.mark.parametrize(("url", "call"), ONE_SHOT.values(), ids=ONE_SHOT)
def test_one_shot_call_after_ambiguous_failure_is_not_repeated(
    brevo, client, url, call, failure
) -> None:
    once = brevo.post(url, **failure)

    with pytest.raises(BrevoTemporary) as caught:
        call(client)

    assert caught.value.may_have_happened
    assert once.call_count == 1


@pytest.mark.parametrize("failure", AMBIGUOUS.values(), ids=AMBIGUOUS)
@pytest.mark.parametrize(("method", "url", "call"), REPEATABLE.values(), ids=REPEATABLE)
def test_repeatable_call_after_ambiguous_failure_is_repeated(
    script, client, method, url, call, failure
) -> None:
    script.add(method, url, **failure)
    reply = LIST_REPLY if method == "GET" else {"contacts": {"success": [], "failure": []}}
    script.add(method, url, json=reply)

    call(client)

    assert len(script.calls) == 2


@pytest.mark.parametrize(("url", "call"), ONE_SHOT.values(), ids=ONE_SHOT)
def test_one_shot_call_refused_for_its_rate_is_repeated(script, client, time, url, call) -> None:
    script.post(url, status=429, headers={"x-sib-ratelimit-reset": "7"})
    script.post(url, status=201, json={"id": 5, "processId": 5})

    assert call(client) in {5, None}
    assert sum(time.naps) >= 7


def test_one_shot_call_is_repeated_when_the_connection_timed_out(script, client) -> None:
    script.post(LISTS, body=requests.ConnectTimeout("no route"))
    script.post(LISTS, status=201, json={"id": 5})

    assert client.create_list("Lagos", 1) == 5


def test_one_shot_call_is_repeated_and_not_in_doubt_when_the_connection_is_refused(
    time, caplog
) -> None:
    with socket.socket() as unheard:  # bound, never listening: every connection is refused
        unheard.bind(("127.0.0.1", 0))
        port = unheard.getsockname()[1]
        client = BrevoClient(
            KEY, base_url=f"http://127.0.0.1:{port}/v3", sleep=time.sleep, clock=time.clock
        )

        with pytest.raises(BrevoUnreachable, match="Check the network") as caught:
            client.create_list("Lagos", 1)

    assert not caught.value.may_have_happened
    assert "POST /contacts/lists: no answer; again in " in caplog.text
    assert len(time.naps) >= client.MAX_ATTEMPTS - 1


def test_doubt_raised_by_one_attempt_stays_after_a_clear_refusal(script, client) -> None:
    script.put(LIST, body=requests.ReadTimeout())
    script.put(LIST, status=400, json={"code": "invalid_parameter", "message": "Name taken"})

    with pytest.raises(BrevoPermanent) as caught:
        client.rename_list(3, "Abuja")

    assert caught.value.may_have_happened


def test_reading_never_leaves_a_doubt(brevo, client) -> None:
    brevo.get(LIST, body=requests.ReadTimeout())

    with pytest.raises(BrevoTemporary) as caught:
        client.get_list(3)

    assert not caught.value.may_have_happened


def test_attempts_end_and_pauses_grow(brevo, client, time, monkeypatch) -> None:
    monkeypatch.setattr(client, "_jittered", lambda ceiling: ceiling)
    brevo.get(LIST, status=503)

    with pytest.raises(BrevoTemporary):
        client.get_list(3)

    assert len(brevo.calls) == client.MAX_ATTEMPTS
    assert [nap for nap in time.naps if nap >= 0.5] == [0.5, 1.0, 2.0, 4.0, 5.0, 3.0]


def test_jitter_lies_between_half_and_all_of_the_pause(client) -> None:
    pauses = [client._jittered(8.0) for _ in range(200)]

    assert 4.0 <= min(pauses) < max(pauses) <= 8.0


@pytest.mark.parametrize("header", ["x-sib-ratelimit-reset", "Retry-After"])
def test_advised_wait_is_obeyed(script, client, time, header) -> None:
    script.get(LIST, status=429, headers={header: "42"})
    script.get(LIST, json=LIST_REPLY)

    client.get_list(3)

    assert 42 <= sum(time.naps) < 43


def test_brevos_own_header_comes_before_retry_after(script, client, time) -> None:
    script.get(LIST, status=429, headers={"x-sib-ratelimit-reset": "9", "Retry-After": "200"})
    script.get(LIST, json=LIST_REPLY)

    client.get_list(3)

    assert 9 <= sum(time.naps) < 10


@pytest.mark.parametrize("reset", ["soon", "-3", "1790000000", ""])
def test_nonsense_in_the_header_falls_back_to_the_usual_pause(script, client, time, reset) -> None:
    script.get(LIST, status=429, headers={"x-sib-ratelimit-reset": reset})
    script.get(LIST, json=LIST_REPLY)

    client.get_list(3)

    assert 0.25 <= sum(time.naps) < 1


def test_wait_beyond_the_budget_is_raised_with_its_length(brevo, client, time) -> None:
    brevo.get(
        LIST,
        status=429,
        headers={"x-sib-ratelimit-reset": "1800"},
        json={"code": "too_many_requests", "message": "Slow down"},
    )

    with pytest.raises(BrevoTemporary, match='takes more in 30 minutes: "Slow down"') as caught:
        client.get_list(3)

    assert caught.value.retry_after == 1800
    assert time.naps == []


@given(
    outcomes=st.lists(
        st.tuples(
            st.sampled_from([429, 500, 503, 524, "timeout"]),
            st.none() | st.integers(0, 400),
            st.floats(0, 120),
        ),
        min_size=6,
        max_size=6,
    ),
    max_wait=st.integers(1, 400),
)
def test_retries_never_outlast_their_time(outcomes, max_wait) -> None:
    time = Time()
    client = BrevoClient(KEY, sleep=time.sleep, clock=time.clock, max_wait=max_wait)
    started, left = time.now, iter(outcomes)
    asked: list[float] = []

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        status, reset, duration = next(left)
        asked.append(time.now - started)
        time.now += duration
        if status == "timeout":
            raise requests.ReadTimeout
        return status, {} if reset is None else {"x-sib-ratelimit-reset": str(reset)}, ""

    with responses.RequestsMock() as wire:
        wire.add_callback("GET", LIST, answer)
        with pytest.raises(BrevoTemporary):
            client.get_list(3)

    assert max(asked) <= max_wait + 1e-3
    assert sum(time.naps) <= max_wait + 1e-3
    assert max(time.naps, default=0) <= 5
