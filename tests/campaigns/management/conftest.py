import io
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from django.core.management import CommandError, call_command

from sandbox.brevo.server import Sandbox


class Said(NamedTuple):
    """What a command said, and the code it would exit with."""

    out: str
    err: str
    code: int


@pytest.fixture
def brevo(settings) -> Iterator[Sandbox]:
    """A Brevo of the test's own, that the project is configured for."""
    with Sandbox() as server:
        settings.BREVO_API_URL, settings.BREVO_API_KEY = server.url, server.key
        yield server


@pytest.fixture
def run() -> Callable[..., Said]:
    """Run a command as `manage.py` does, except that a CommandError's sentence is in `err`."""

    def run_command(name: str, *arguments: str) -> Said:
        out, err, code = io.StringIO(), io.StringIO(), 0
        try:
            call_command(name, *arguments, stdout=out, stderr=err, no_color=True)
        except CommandError as error:
            err.write(str(error))
            code = error.returncode
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Said(out.getvalue(), err.getvalue(), code)

    return run_command
