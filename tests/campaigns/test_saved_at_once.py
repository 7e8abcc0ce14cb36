"""Two requests save the same new thing at the same moment: one row, and no fault."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError, local
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connections
from django.db.models.signals import pre_save
from django.test import Client
from rest_framework.test import APIClient

from accounts.enums import PartnershipStatus, Role
from accounts.models import Partnership, User
from campaigns.brevo import BrevoClient
from campaigns.models import Segment, Suppression
from properties.models import Property
from tests.factories import make_admin, make_user

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 2  # seconds that one waits for the other, who cannot come where writers queue up


@pytest.fixture
def together() -> Iterator[Callable[[Any, list[Callable[[], Any]]], list[Any]]]:
    """Run functions in threads that meet when each has checked and none has written."""
    state = local()
    receivers = []

    def run(model: Any, functions: list[Callable[[], Any]]) -> list[Any]:
        meeting = Barrier(len(functions))

        def meet(**_: Any) -> None:
            if not getattr(state, "has_met", False):
                state.has_met = True
                with suppress(BrokenBarrierError):
                    meeting.wait(PATIENCE)

        def one(function: Callable[[], Any]) -> Any:
            try:
                return function()
            finally:
                connections.close_all()

        receivers.append((meet, model))
        pre_save.connect(meet, sender=model, weak=False)
        with ThreadPoolExecutor(len(functions)) as threads:
            return [answer.result() for answer in [threads.submit(one, f) for f in functions]]

    yield run
    for receiver, model in receivers:
        pre_save.disconnect(receiver, sender=model)


def lists_at(brevo) -> list[str]:
    return [found.name for found in _lists(brevo)]


def _lists(brevo) -> list[Any]:
    client = BrevoClient(brevo.key, base_url=brevo.url)
    return list(client.lists(client.ensure_folder("Campaign Segments")))


SEGMENT = {"name": "Women", "match": "ALL", "gender": ["FEMALE"]}
FORMS = {
    "segment": (Segment, "/admin/campaigns/segment/add/", lambda: SEGMENT, "Women"),
    "suppression": (
        Suppression,
        "/admin/campaigns/suppression/add/",
        lambda: {"email": "no@example.com", "reason": "BY_HAND"},
        "no@example.com",
    ),
    "person": (
        User,
        "/admin/accounts/user/add/",
        lambda: {
            "email": "new@example.com",
            "role": "CLIENT",
            "marketing_consent": "UNKNOWN",
            "usable_password": "false",
        },
        "new@example.com",
    ),
    "property": (
        Property,
        "/admin/properties/property/add/",
        lambda: {"name": "Palm Court"},
        "Palm Court",
    ),
    "partnership": (
        Partnership,
        "/admin/accounts/partnership/add/",
        lambda: {"partner": partner().pk, "status": PartnershipStatus.APPROVED},
        "Paul",
    ),
}


def partner() -> User:
    return User.objects.filter(role=Role.PARTNER).first() or make_user(
        role=Role.PARTNER, first_name="Paul"
    )


@pytest.mark.parametrize("what", FORMS)
def test_form_that_is_sent_twice_makes_one_row_and_links_to_it(brevo, together, what) -> None:
    model, address, data, name = FORMS[what]
    posted, known = data(), set(model.objects.values_list("pk", flat=True))
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(make_admin())
        known = known | set(model.objects.values_list("pk", flat=True))

    answers = together(model, [lambda c=c: c.post(address, posted) for c in clients])

    (row,) = model.objects.exclude(pk__in=known)
    refused = [answer for answer in answers if answer.status_code == 200]
    saved = [answer for answer in answers if answer.status_code == 302]
    assert len(saved) + len(refused) == 2
    assert len(saved) == 1 or what == "suppression"  # said twice by two, it is true all the same
    for answer in refused:
        assert " already" in answer.content.decode()
        told = [str(message) for message in get_messages(answer.wsgi_request)]
        assert any(name in text and f"/{row.pk}/change/" in text for text in told)
    if what == "segment":
        assert [found.id for found in _lists(brevo)] == [row.brevo_list_id]


@pytest.mark.parametrize("what", FORMS)
def test_form_that_is_sent_again_afterwards_links_to_the_row(brevo, what) -> None:
    model, address, data, _ = FORMS[what]
    client, posted = Client(), data()
    client.force_login(make_admin())
    assert client.post(address, posted).status_code == 302
    row = model.objects.latest("pk")

    answer = client.post(address, posted)

    assert answer.status_code == 200
    assert f"/{row.pk}/change/" in answer.content.decode()


CALLS = {
    "segment": (Segment, "/api/campaigns/segments/", SEGMENT),
    "suppression": (Suppression, "/api/campaigns/suppressions/", {"email": "no@example.com"}),
}


@pytest.mark.parametrize("what", CALLS)
def test_call_that_is_made_twice_makes_one_row_and_a_problem(brevo, together, what) -> None:
    model, address, data = CALLS[what]
    callers = [APIClient(), APIClient()]
    for caller in callers:
        caller.force_authenticate(make_admin())

    answers = together(model, [lambda c=c: c.post(address, data, format="json") for c in callers])

    other, made = sorted(answers, key=lambda answer: answer.status_code == 201)
    assert made.status_code == 201
    if what == "segment" or other.status_code >= 400:
        assert other.status_code in {400, 409}
        assert other["Content-Type"] == "application/problem+json"
    assert model.objects.count() == 1
    if what == "segment":
        assert lists_at(brevo) == ["Women"]


def test_two_who_rename_to_the_same_name_get_one_refusal(brevo, together) -> None:
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(make_admin())
    segments = [Segment.objects.create(**SEGMENT | {"name": name}) for name in ("One", "Other")]

    answers = together(
        Segment,
        [
            lambda c=c, s=s: c.post(f"/admin/campaigns/segment/{s.pk}/change/", SEGMENT)
            for c, s in zip(clients, segments, strict=True)
        ],
    )

    assert sorted(answer.status_code for answer in answers) == [200, 302]
    names = sorted(Segment.objects.values_list("name", flat=True))
    assert "Women" in names
    assert sorted(lists_at(brevo)) == names
