"""Exit codes that every command shares, and Brevo's errors as one sentence with such a code."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from campaigns.brevo import BrevoError, BrevoMisconfigured

FAILED = 1  # it was tried, and did not end well
WAITING = 3  # nothing failed; a segment was busy already, or its plan waits for approval
UNUSABLE = 2  # bad usage, no such segment, or Brevo is not configured


@contextmanager
def told_in_one_sentence() -> Iterator[None]:
    """Turn a BrevoError into a CommandError: UNUSABLE when an operator must act, else FAILED."""
    try:
        yield
    except BrevoError as error:
        code = UNUSABLE if isinstance(error, BrevoMisconfigured) else FAILED
        raise CommandError(str(error), returncode=code) from error
