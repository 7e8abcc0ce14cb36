from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from campaigns.api.idempotency import GIVEN_UP_AFTER, KEPT_FOR
from campaigns.api.views import segments as views
from campaigns.models import IdempotentAnswer, Segment, SegmentExport, Suppression
from tests.campaigns.api.conftest import speaking_as
from tests.campaigns.api.reading import fields, problem_of
from tests.factories import make_user

pytestmark = pytest.mark.django_db
SEGMENTS = "/api/campaigns/segments/"
WOMEN = {"name": "Women", "gender": ["FEMALE"]}


@pytest.fixture
def post(api) -> Callable[..., Any]:
    def send(path: str, sent: object, key: str = "key-1", client: Any = api) -> Any:
        return client.post(path, sent, headers={"Idempotency-Key": key})

    return send


def test_a_repeat_gets_the_first_answer_and_does_nothing(post, brevo):
    first, second = post(SEGMENTS, WOMEN), post(SEGMENTS, dict(reversed(WOMEN.items())))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert ("Idempotency-Replayed" in first, second["Idempotency-Replayed"]) == (False, "true")
    assert Segment.objects.count() == len(brevo.lists()) == 1


def test_without_a_key_a_repeat_is_worked_on(api, brevo):
    assert api.post(SEGMENTS, WOMEN).status_code == 201
    problem_of(api.post(SEGMENTS, WOMEN), 400)


def test_a_repeated_sync_shows_the_first_run_and_where_it_is(post, segment):
    path = f"{SEGMENTS}{segment.pk}/sync/"

    first, second = post(path, {}), post(path, {})

    assert first.json() == second.json()
    assert first["Location"] == second["Location"]
    assert SegmentExport.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        (SEGMENTS, WOMEN | {"name": "Ladies"}),
        (f"{SEGMENTS}?format=json", WOMEN),
        ("/api/campaigns/suppressions/", WOMEN),
    ],
)
def test_a_key_used_for_another_request_is_a_conflict(post, brevo, path, sent):
    post(SEGMENTS, WOMEN)

    problem = problem_of(post(path, sent), 409)

    assert problem["type"] == "urn:problem:idempotency-key"


def test_a_key_belongs_to_one_caller(post, brevo, manager):
    post(SEGMENTS, WOMEN)

    other = post(SEGMENTS, WOMEN | {"name": "Ladies"}, client=speaking_as(manager))

    assert other.status_code == 201


def test_a_refusal_is_repeated_as_a_problem(post, brevo):
    first, second = post(SEGMENTS, {"name": "X"}), post(SEGMENTS, {"name": "X"})

    assert problem_of(first, 400) == problem_of(second, 400)
    assert second["Idempotency-Replayed"] == "true"


def test_a_fault_of_brevo_is_not_remembered(post, brevo):
    brevo.fault("500@POST /contacts/lists*8")
    problem_of(post(SEGMENTS, WOMEN), 502)
    brevo.clear_faults()

    assert post(SEGMENTS, WOMEN).status_code == 201


def test_a_conflict_is_not_remembered(post, segment):
    path = f"{SEGMENTS}{segment.pk}/sync/"
    busy = SegmentExport.objects.create(segment=segment, segment_name="Women")
    problem_of(post(path, {}), 409)
    busy.delete()

    assert post(path, {}).status_code == 200


def test_a_fault_of_ours_is_not_remembered(api, post, segment, monkeypatch):
    api.raise_request_exception = False
    path = f"{SEGMENTS}{segment.pk}/sync/"
    with monkeypatch.context() as patch:
        patch.setattr(views, "request_sync", lambda *_, **__: 1 / 0)
        problem_of(post(path, {}), 500)

    assert post(path, {}).status_code == 200


def test_a_duplicate_that_comes_meanwhile_is_a_conflict(post, segment, monkeypatch):
    path, real, meanwhile = f"{SEGMENTS}{segment.pk}/sync/", views.request_sync, []

    def while_the_first_is_worked_on(*args: Any, **kwargs: Any) -> SegmentExport:
        meanwhile.append(post(path, {}))
        return real(*args, **kwargs)

    monkeypatch.setattr(views, "request_sync", while_the_first_is_worked_on)

    assert post(path, {}).status_code == 200
    assert "still being worked on" in problem_of(meanwhile[0], 409)["detail"]
    assert SegmentExport.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_duplicates_at_the_same_moment_one_works(brevo, admin):
    brevo.fault("slow=0.3@POST /contacts/lists")
    start = Barrier(3)

    def send(_: int) -> int:
        start.wait()
        try:
            headers = {"Idempotency-Key": "key-1"}
            return int(speaking_as(admin).post(SEGMENTS, WOMEN, headers=headers).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as threads:
        answers = sorted(threads.map(send, range(3)))

    assert answers == [201, 409, 409]
    assert Segment.objects.count() == len(brevo.lists()) == 1


def test_a_claim_whose_process_was_killed_is_given_up(post, brevo, admin):
    claim = IdempotentAnswer.objects.create(user=admin, key="key-1", request_digest="x")
    IdempotentAnswer.objects.update(created_at=timezone.now() - GIVEN_UP_AFTER - timedelta(1))

    assert post(SEGMENTS, WOMEN).status_code == 201
    assert not IdempotentAnswer.objects.filter(pk=claim.pk).exists()


def test_answers_are_forgotten_after_a_day(post, brevo):
    post(SEGMENTS, WOMEN)
    IdempotentAnswer.objects.update(created_at=timezone.now() - KEPT_FOR - timedelta(seconds=1))

    assert post(SEGMENTS, WOMEN | {"name": "Ladies"}).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "a\x00b", "a\x7fb"])
def test_a_key_that_is_none_is_refused(post, brevo, key):
    assert fields(problem_of(post(SEGMENTS, WOMEN, key), 400)) == [("Idempotency-Key", "invalid")]
    assert not Segment.objects.exists()


def test_the_longest_key_works(post, brevo):
    assert post(SEGMENTS, WOMEN, "k" * 200).status_code == 201


def test_people_in_a_preview_are_not_kept(post, brevo):
    make_user(gender="FEMALE")

    assert post(f"{SEGMENTS}preview/", WOMEN).json()["count"] == 1
    assert not IdempotentAnswer.objects.exists()


def test_suppressing_twice_with_one_key_works_once(post):
    sent = {"email": "no@example.com"}

    answers = [post("/api/campaigns/suppressions/", sent).status_code for _ in range(2)]

    assert answers == [201, 201]
    assert Suppression.objects.count() == 1
