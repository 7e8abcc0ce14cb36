from collections.abc import Iterator

import pytest

from sandbox.brevo.server import Sandbox
from tests.sandbox.brevo.api import Api


@pytest.fixture
def brevo() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def api(brevo: Sandbox) -> Iterator[Api]:
    client = Api(brevo)
    yield client
    client.session.close()
