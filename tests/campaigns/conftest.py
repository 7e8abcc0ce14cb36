from collections.abc import Iterator

import pytest

from sandbox.brevo.server import Sandbox


@pytest.fixture
def brevo(settings) -> Iterator[Sandbox]:
    """A Brevo of the test's own, that the project is configured for."""
    with Sandbox() as server:
        settings.BREVO_API_URL = server.url
        settings.BREVO_API_KEY = server.key
        yield server
