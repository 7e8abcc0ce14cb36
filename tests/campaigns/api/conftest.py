from collections.abc import Iterator

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from campaigns.models import Segment
from sandbox.brevo.server import Sandbox
from tests.factories import make_admin, make_manager, make_segment_unsaved


@pytest.fixture
def brevo(settings) -> Iterator[Sandbox]:
    """A Brevo of the test's own, that the project is configured for."""
    with Sandbox() as server:
        settings.BREVO_API_URL = server.url
        settings.BREVO_API_KEY = server.key
        yield server


@pytest.fixture
def admin(db) -> User:
    return make_admin(first_name="Ada", last_name="Obi", email="ada@example.com")


@pytest.fixture
def manager(db) -> User:
    return make_manager(email="manager@example.com")


@pytest.fixture
def api(admin) -> APIClient:
    """A client that speaks as the admin."""
    return speaking_as(admin)


def speaking_as(user: User) -> APIClient:
    client = APIClient()
    client.default_format = "json"
    client.force_authenticate(user)
    return client


@pytest.fixture
def segment(brevo, db) -> Segment:
    segment = make_segment_unsaved(name="Women")
    segment.save()
    return segment
