import json

import pytest
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import Client

from campaigns import webhooks
from campaigns.enums import SuppressionReason as Why
from campaigns.models import Suppression, WebhookEvent
from campaigns.sync import events

pytestmark = pytest.mark.django_db

URL = "/webhooks/brevo/"
UNSUBSCRIBE = {"event": "unsubscribe", "email": "ada@example.com", "id": 3, "list_id": [3, 42]}


@pytest.fixture(autouse=True)
def token(settings) -> str:
    settings.BREVO_WEBHOOK_TOKEN = "the tokén"
    return "the tokén"


def tell(body, *, shown="the tokén", scheme="Bearer") -> HttpResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    header = f"{scheme} {shown}".encode().decode("latin-1")  # as a server hands it on
    client = Client(enforce_csrf_checks=True, headers={"Authorization": header})
    return client.post(URL, data, content_type="application/json")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_unsubscribe_is_stored_answered_and_understood(scheme) -> None:
    response = tell(UNSUBSCRIBE, scheme=scheme)

    assert (response.status_code, response.json()) == (200, {"stored": 1})
    assert Suppression.objects.get().reason == Why.UNSUBSCRIBED
    assert json.loads(WebhookEvent.objects.get().body) == UNSUBSCRIBE


@pytest.mark.parametrize("shown", ["", "the token", "the tokén!", "\N{SNOWMAN}"])
def test_wrong_token_is_refused_and_nothing_is_stored(shown) -> None:
    response = tell(UNSUBSCRIBE, shown=shown)

    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["detail"] == "The bearer token is missing or wrong."
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("header", [{}, {"Authorization": "Basic the tokén"}])
def test_request_without_a_bearer_token_is_refused(client, header) -> None:
    response = client.post(URL, "{}", content_type="application/json", headers=header)

    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


def test_without_a_configured_token_nobody_is_let_in(settings) -> None:
    settings.BREVO_WEBHOOK_TOKEN = ""

    response = tell(UNSUBSCRIBE, shown="")

    assert response.status_code == 503
    assert "BREVO_WEBHOOK_TOKEN" in response.json()["detail"]


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head", "options"])
def test_other_methods_are_not_allowed(client, method) -> None:
    response = getattr(client, method)(URL)

    assert (response.status_code, response["Allow"]) == (405, "POST")


def test_same_event_again_changes_nothing() -> None:
    tell(UNSUBSCRIBE)
    Suppression.objects.all().delete()  # lifted by staff: an old event must not bring it back

    response = tell([UNSUBSCRIBE, UNSUBSCRIBE])

    assert response.status_code == 200
    assert WebhookEvent.objects.count() == 1
    assert not Suppression.objects.exists()


def test_body_that_is_not_json_is_stored_and_answered_200() -> None:
    response = tell(b"event=unsubscribe\0\xff")

    assert response.status_code == 200
    assert WebhookEvent.objects.get().error_message == "The body is not JSON."


@pytest.mark.parametrize(("spare", "status"), [(0, 200), (1, 413)])
def test_body_above_the_limit_is_refused(spare, status) -> None:
    response = tell(b" " * (webhooks.MOST_BYTES + spare))

    assert response.status_code == status


def test_failure_to_understand_still_answers_200_and_the_event_waits(monkeypatch) -> None:
    def fail(_wishes) -> int:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as broken:
        broken.setattr(events, "suppress_many", fail)
        response = tell(UNSUBSCRIBE)

    assert response.status_code == 200
    assert events.process_pending() == 1
    assert Suppression.objects.count() == 1


def test_failure_to_store_asks_brevo_to_send_again(monkeypatch) -> None:
    def fail(_body) -> list[str]:
        raise DatabaseError("database is locked")

    monkeypatch.setattr(events, "keep", fail)

    assert tell(UNSUBSCRIBE).status_code == 429  # any other refusal loses the event


def test_body_with_very_many_events_is_stored_answered_and_processed_later(
    django_assert_max_num_queries,
) -> None:
    flood = [{"event": "spam", "email": f"p{n}@example.com", "id": n} for n in range(60_000)]

    with django_assert_max_num_queries(8):
        response = tell(flood)

    assert (response.status_code, response.json()) == (200, {"stored": 60_000})
    assert WebhookEvent.objects.get().processed_at is None


@pytest.mark.parametrize("number", [50, 500])
def test_flood_of_events_takes_a_bounded_number_of_queries(
    django_assert_max_num_queries, number
) -> None:
    names = ["unsubscribe", "hard_bounce", "spam", "soft_bounce"]
    flood = [{"event": names[n % 4], "email": f"p{n}@example.com", "id": n} for n in range(number)]

    with django_assert_max_num_queries(24):
        response = tell(flood)

    assert response.json() == {"stored": number}
    assert Suppression.objects.count() == (number * 3 + 3) // 4
    assert not WebhookEvent.objects.filter(processed_at=None).exists()
