"""What goes wrong in a page without anybody looking."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response

_HERE = {"127.0.0.1", "localhost"}
_GIVEN_UP = "net::ERR_ABORTED"  # a poll or a count that was overtaken by the next one


class Watch:
    """Writes down every error of the pages of a browser."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._allowed: list[str] = []

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._on_console)
        context.on("weberror", lambda told: self.seen.append(f"script: {told.error}"))
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failure)
        context.on("response", self._on_response)

    def allow(self, pattern: str) -> None:
        """Name, as a regular expression, an error that the test provokes."""
        self._allowed.append(pattern)

    def complain(self) -> None:
        """Fail when there was an error that nobody allowed."""
        left = [told for told in self.seen if not any(re.search(p, told) for p in self._allowed)]
        assert not left, "\n".join(left)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.seen.append(f"console: {message.text} ({message.location['url']})")

    def _on_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme in {"http", "https", "ws", "wss"} and url.hostname not in _HERE:
            self.seen.append(f"elsewhere: {request.url}")

    def _on_failure(self, request: Request) -> None:
        if request.failure != _GIVEN_UP:
            self.seen.append(f"failed: {request.failure} {request.url}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.seen.append(f"answered: {response.status} {response.url}")
