import pytest

from campaigns.models import Segment
from campaigns.sync.runs import request_sync
from sandbox.brevo.server import Sandbox
from tests.factories import make_segment

pytestmark = pytest.mark.django_db

COMMAND = "release_list"


@pytest.fixture
def segment(brevo) -> Segment:
    return make_segment(name="Women", brevo_list_id=None)


@pytest.fixture
def moved(segment, settings):
    """The key of another account is configured, which has no lists."""
    with Sandbox(organization="another") as server:
        settings.BREVO_API_URL = server.url
        yield server


def test_lists_in_another_account_are_released_and_nothing_is_written_there(
    brevo, moved, segment, run
) -> None:
    brevo.clear_requests()

    said = run(COMMAND, "--all")

    assert said.code == 0
    assert said.out == (
        f"Segment “Women” no longer has list {segment.brevo_list_id}, which stays as it is in "
        "Stand-in for Brevo. The next sync makes a new list.\n"
    )
    assert Segment.objects.get().brevo_list_id is None
    assert (brevo.requests, moved.requests) == ([], [("GET", "/account", 200)])


def test_list_that_is_here_stays_and_is_no_failure(segment, run) -> None:
    said = run(COMMAND, "Women")

    assert (said.code, "nothing was changed" in said.out) == (0, True)


def test_list_that_is_gone_needs_no_release(brevo, segment, run) -> None:
    brevo.fault("list-gone@GET /contacts/lists/**1")

    said = run(COMMAND, "Women")

    assert (said.code, "the next sync makes a new one" in said.out) == (0, True)


def test_segment_that_is_being_synced_keeps_its_list_for_now(moved, segment, run) -> None:
    request_sync(segment)

    said = run(COMMAND, "--all")

    assert (said.code, "is being synced already" in said.out) == (1, True)
    assert Segment.objects.get().brevo_list_id == segment.brevo_list_id


@pytest.mark.parametrize("arguments", [[], ["Nobody"], ["Women", "--all"]])
def test_segments_that_are_not_named_or_not_there_are_bad_usage(segment, run, arguments) -> None:
    assert run(COMMAND, *arguments).code == 2


def test_account_that_cannot_be_asked_for_is_one_sentence(segment, run, settings) -> None:
    settings.BREVO_API_KEY = "wrong"

    said = run(COMMAND, "Women")

    assert (said.code, "Make a new key in Brevo" in said.err) == (2, True)
