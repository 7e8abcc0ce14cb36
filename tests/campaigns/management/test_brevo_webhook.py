import pytest
import requests

COMMAND = "brevo_webhook"
URL = "https://shop.example/webhooks/brevo/"


@pytest.fixture(autouse=True)
def _token(settings) -> None:
    settings.BREVO_WEBHOOK_TOKEN = "the token"


def registered(brevo) -> list[dict[str, object]]:
    url = f"{brevo.url}/webhooks?type=marketing"
    found = requests.get(url, headers={"api-key": brevo.key}, timeout=5).json()["webhooks"]
    return list(found)


def test_webhook_is_registered_with_token_and_events(brevo, run) -> None:
    said = run(COMMAND, "--install", URL)

    [webhook] = registered(brevo)
    assert (said.code, said.out) == (0, f"Webhook 1 calls {URL} from now on.\n")
    assert webhook["auth"] == {"type": "bearer", "token": "the token"}
    assert {"unsubscribed", "hardBounce", "spam"} <= set(webhook["events"])


def test_webhook_is_found_again_instead_of_made_twice(brevo, run) -> None:
    run(COMMAND, "--install", URL)

    said = run(COMMAND, "--install", URL)

    assert (said.code, said.out) == (0, f"Webhook 1 calls {URL} already.\n")
    assert len(registered(brevo)) == 1


def test_webhook_that_hears_too_little_is_named(brevo, run) -> None:
    body = {"url": URL, "events": ["spam", "hardBounce"], "type": "marketing"}
    headers = {"api-key": brevo.key}
    requests.post(f"{brevo.url}/webhooks", json=body, headers=headers, timeout=5)

    said = run(COMMAND, "--install", URL)

    assert said.code == 1
    assert "is not told of unsubscribed, contactDeleted" in said.err


def test_webhook_whose_answer_got_lost_is_found(brevo, run) -> None:
    brevo.fault("drop-after@POST /webhooks*1")

    said = run(COMMAND, "--install", URL)

    assert (said.code, len(registered(brevo))) == (0, 1)


def test_account_that_has_forty_webhooks_is_said_so(brevo, run) -> None:
    for number in range(40):
        assert run(COMMAND, "--install", f"https://{number}.example/webhooks/brevo/").code == 0

    said = run(COMMAND, "--install", URL)

    assert said.code == 1
    assert "An account may have 40 webhooks, and has 40 for marketing" in said.err


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000"])
def test_loopback_needs_no_https(brevo, run, host) -> None:
    assert run(COMMAND, "--install", f"http://{host}/webhooks/brevo/").code == 0


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://shop.example/webhooks/brevo/", "is not https"),
        ("shop.example", "is not a URL"),
        ("https://[::1/webhooks/brevo/", "is not a URL"),
        ("", "is not a URL"),
        ("https://shop.example/webhooks/brevo", "with its last slash"),
    ],
)
def test_url_that_brevo_should_not_call_is_refused(run, url, why) -> None:
    said = run(COMMAND, f"--install={url}")

    assert said.code == 2
    assert why in said.err


def test_without_a_token_nothing_is_registered(settings, brevo, run) -> None:
    settings.BREVO_WEBHOOK_TOKEN = ""

    said = run(COMMAND, "--install", URL)

    assert said.code == 2
    assert "BREVO_WEBHOOK_TOKEN" in said.err
    assert registered(brevo) == []


def test_list_shows_what_is_registered(brevo, run) -> None:
    assert run(COMMAND, "--list").out == "No marketing webhook is registered.\n"
    run(COMMAND, "--install", URL)

    assert run(COMMAND, "--list").out.startswith(f"1  {URL}  unsubscribed, ")


@pytest.mark.parametrize(
    ("key", "code", "why"), [("", 2, "BREVO_API_KEY"), ("wrong", 2, "Key not found")]
)
def test_unusable_key_is_one_sentence(settings, brevo, run, key, code, why) -> None:
    settings.BREVO_API_KEY = key

    said = run(COMMAND, "--list")

    assert (said.code, said.err.count("\n")) == (code, 0)
    assert why in said.err
