from collections.abc import Callable, Iterator

import pytest

from accounts.models import User
from campaigns.models import Segment, SegmentExport
from campaigns.sync.runs import request_sync, run_export
from sandbox.brevo.server import Sandbox
from tests.campaigns.admin.sync_steps import make_synced
from tests.factories import make_manager


@pytest.fixture
def brevo(settings) -> Iterator[Sandbox]:
    """A Brevo of the test's own, that the project is configured for."""
    with Sandbox() as server:
        settings.BREVO_API_URL = server.url
        settings.BREVO_API_KEY = server.key
        yield server


@pytest.fixture
def manager(client) -> User:
    """A manager, logged in."""
    user = make_manager(first_name="Mary", last_name="Manager")
    client.force_login(user)
    return user


@pytest.fixture
def segment(brevo) -> Segment:
    """All women, with a list at Brevo."""
    return make_synced(name="Women")


@pytest.fixture
def synced(segment) -> Callable[[], SegmentExport]:
    """Save the segment and sync it once, without the admin."""

    def sync() -> SegmentExport:
        segment.save()
        return run_export(request_sync(segment).pk)

    return sync
