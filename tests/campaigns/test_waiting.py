"""While a page or a call waits for Brevo, nobody else waits for it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from campaigns.models import Segment
from campaigns.sync import gateway
from tests.factories import make_manager, make_segment_unsaved, make_user

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "/admin/campaigns/segment/add/"
API = "/api/campaigns/segments/"
SEGMENT = {"name": "Ladies", "match": "ALL", "gender": ["FEMALE"]}


@pytest.fixture
def while_brevo_is_asked(
    monkeypatch,
) -> Any:
    """Run one function in a thread, and another once the first waits for Brevo."""

    def run(waits: Callable[[], Any], meanwhile: Callable[[], Any]) -> Any:
        asked, answered = Event(), Event()
        check = gateway.refuse_in_transaction

        def wait() -> None:
            check()
            asked.set()
            answered.wait()

        def in_thread() -> Any:
            try:
                return waits()
            finally:
                asked.set()
                connections.close_all()

        with monkeypatch.context() as patch, ThreadPoolExecutor(1) as threads:
            patch.setattr(gateway, "refuse_in_transaction", wait)
            answer = threads.submit(in_thread)
            asked.wait()
            try:
                assert not answer.done(), answer.result()
                meanwhile()
            finally:
                answered.set()
            return answer.result()

    return run


@pytest.fixture
def segment(brevo) -> Segment:
    segment = make_segment_unsaved(name="Women")
    segment.save()
    return segment


def admin(address: str, data: Any) -> Any:
    client = Client()
    client.force_login(User.objects.get(email="mara@example.com"))
    return client.post(address, data).status_code


def api(method: str, address: str, data: Any = None, **headers: str) -> Any:
    client = APIClient()
    client.force_authenticate(User.objects.get(email="mara@example.com"))
    return getattr(client, method)(address, data, format="json", headers=headers).status_code


ACTS: dict[str, Callable[[int], Any]] = {
    "create in the admin": lambda _: admin(ADD, SEGMENT),
    "create by the API": lambda _: api("post", API, SEGMENT),
    "rename in the admin": lambda pk: admin(f"/admin/campaigns/segment/{pk}/change/", SEGMENT),
    "rename by the API": lambda pk: api("patch", f"{API}{pk}/", {"name": "Ladies"}),
    "delete in the admin": lambda pk: admin(
        f"/admin/campaigns/segment/{pk}/delete/", {"post": "yes"}
    ),
    "delete several": lambda pk: admin(
        "/admin/campaigns/segment/",
        {"action": "delete_selected", "_selected_action": [pk], "post": "yes"},
    ),
    "delete by the API": lambda pk: api("delete", f"{API}{pk}/", **{"If-Match": "*"}),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_others_write_while_a_segment_waits_for_brevo(segment, while_brevo_is_asked, act) -> None:
    make_manager(email="mara@example.com")
    other = make_user(first_name="Before")

    def write() -> None:
        User.objects.filter(pk=other.pk).update(first_name="Meanwhile")
        Segment.objects.filter(pk=segment.pk).update(mailable_size=7)

    status = while_brevo_is_asked(lambda: act(segment.pk), write)

    assert status in {200, 201, 204, 302}
    other.refresh_from_db()
    assert other.first_name == "Meanwhile"


@pytest.mark.parametrize(
    ("act", "kept"), [("rename in the admin", 200), ("rename by the API", 200)], ids=str
)
def test_who_changes_a_segment_while_it_waits_for_brevo_is_not_overwritten(
    segment, while_brevo_is_asked, brevo, act, kept
) -> None:
    make_manager(email="mara@example.com")

    def write() -> None:
        Segment.objects.filter(pk=segment.pk).update(description="Theirs")

    assert while_brevo_is_asked(lambda: ACTS[act](segment.pk), write) in {200, 302}
    segment.refresh_from_db()
    assert segment.description == "Theirs"


def test_brevo_is_not_asked_while_a_transaction_is_open(brevo) -> None:
    with (
        pytest.raises(RuntimeError, match="while a database transaction is open"),
        transaction.atomic(),
    ):
        make_segment_unsaved().save()

    assert not Segment.objects.exists()
    assert brevo.lists() == {}
