"""Keep the HTTP library from writing what we would not.

urllib3 logs every URL at DEBUG. Ours hold no address and no key, but the links to the reports of
an import are secrets of their own: who has the link has the addresses.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_speaking: ContextVar[bool] = ContextVar("speaking_with_brevo", default=False)


class _SilentWhileSpeaking(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - the interface of logging
        return not _speaking.get()


_FILTER = _SilentWhileSpeaking()


@contextmanager
def discreet() -> Iterator[None]:
    """Silence urllib3's log for our own requests, and for nobody else's."""
    logging.getLogger("urllib3.connectionpool").addFilter(_FILTER)  # adding it twice adds it once
    token = _speaking.set(True)
    try:
        yield
    finally:
        _speaking.reset(token)
