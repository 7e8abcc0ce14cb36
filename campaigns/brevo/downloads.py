"""Fetch the reports that Brevo links to: from its own hosts, and never too much or too long."""

import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from campaigns.brevo.endpoints import REPORT
from campaigns.brevo.errors import BrevoPermanent, BrevoTemporary
from campaigns.brevo.verdicts import refusal

# Of Brevo, and of what it was called before. Where its reports lie is not documented.
_BREVOS = ("brevo.com", "sendinblue.com")
_MOST_REDIRECTS = 5
_PIECE = 65_536
_IN_MEMORY = 1_000_000  # bytes; what is larger goes into a temporary file
_TO_PLAIN = 32 + zlib.MAX_WBITS  # tells gzip from deflate by itself


@dataclass(frozen=True, slots=True)
class Hosts:
    """Whom a report may be fetched from: Brevo, the host of the API, and those of a setting.

    Whatever a link or a redirect says, no other host is asked, inside this network or outside.
    """

    api_scheme: str
    api_host: str
    more: tuple[str, ...]

    @classmethod
    def beside(cls, base_url: str, more: Iterable[str]) -> "Hosts":
        parts = urlsplit(base_url)
        names = tuple(name.strip().strip(".").lower() for name in more)
        return cls(parts.scheme, (parts.hostname or "").lower(), tuple(filter(None, names)))

    def objection(self, url: str) -> str:
        """Return why this address is not asked, "" when it may be."""
        try:
            # As the library that connects reads it: others may see another host in the same text.
            parts = parse_url(url)
        except LocationParseError:
            return "its link leads nowhere"
        host = (parts.host or "").rstrip(".").lower()
        if not host or parts.auth or parts.scheme not in {"http", "https"}:
            return "its link leads nowhere"
        is_apis = host == self.api_host.strip("[]") or host == f"[{self.api_host}]"
        if parts.scheme == "http" and not (is_apis and self.api_scheme == "http"):
            return "its link is not encrypted"
        if is_apis or any(_is_below(host, name) for name in (*_BREVOS, *self.more)):
            return ""
        return f"it lies on {host}, which is neither Brevo's nor in BREVO_REPORT_HOSTS"


def _onward(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def _is_below(host: str, name: str) -> bool:
    return host == name or host.endswith(f".{name}")


@dataclass(frozen=True, slots=True)
class Fetcher:
    """How reports are fetched; ``still_wanted`` is called again and again, and may raise."""

    session: requests.Session
    hosts: Hosts
    timeout: tuple[float, float]
    clock: Callable[[], float]
    still_wanted: Callable[[], None]
    most_bytes: int

    def fetch(self, url: str, deadline: float) -> IO[bytes]:
        """Return a report, decompressed; raise BrevoError, or what the HTTP library raises."""
        for _ in range(_MOST_REDIRECTS + 1):
            if objection := self.hosts.objection(url):
                raise unreadable_report(objection)
            with self._send(url) as response:
                if not response.is_redirect:
                    return self._save(response, deadline)
                url = _onward(url, response.headers["location"])
        raise unreadable_report("it redirects too often")

    def _send(self, url: str) -> requests.Response:
        """Ask for a report; its body is not read yet.

        Past the session, which would read all of the body that comes with a redirect.
        """
        wanted = requests.Request("GET", url, headers={"Accept-Encoding": "gzip"})
        prepared = self.session.prepare_request(wanted)
        usual = self.session.merge_environment_settings(url, {}, True, None, None)
        return self.session.get_adapter(url).send(
            prepared,
            stream=True,
            timeout=self.timeout,
            verify=True if usual["verify"] is None else usual["verify"],
            cert=usual["cert"],
            proxies=usual["proxies"],
        )

    def _save(self, response: requests.Response, deadline: float) -> IO[bytes]:
        if response.status_code != requests.codes.ok:
            raise refusal(REPORT, response)
        # The caller reads it and lets it go; what is small was never a file.
        report = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        try:
            for piece in self._in_bounds(self._plain(response), deadline):
                report.write(piece)
        except BaseException:
            report.close()
            raise
        report.seek(0)
        return report

    def _in_bounds(self, pieces: Iterable[bytes], deadline: float) -> Iterator[bytes]:
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > self.most_bytes:
                raise unreadable_report(f"it is larger than {self.most_bytes // 1_000_000} MB")
            if self.clock() > deadline:
                raise BrevoTemporary("The report of the import takes too long to download")
            yield piece

    def _plain(self, response: requests.Response) -> Iterator[bytes]:
        """Yield the body in small pieces, however much a few bytes of it may grow to."""
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding in {"", "identity"}:
            yield from self._sent(response)
            return
        if encoding not in {"gzip", "x-gzip", "deflate"}:
            raise unreadable_report(
                f"it is compressed in a way that was not requested ({encoding[:20]})"
            )
        try:
            yield from _unpacked(self._sent(response))
        except zlib.error as error:
            raise unreadable_report("it cannot be decompressed") from error

    def _sent(self, response: requests.Response) -> Iterator[bytes]:
        # `read1` returns with what there is, so that a server that drips is noticed in time.
        while piece := response.raw.read1(_PIECE, decode_content=False):
            self.still_wanted()
            yield piece


def _unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    unpack = zlib.decompressobj(_TO_PLAIN)
    for packed in pieces:
        rest = packed
        while rest:
            if unpack.eof:  # several archives, one after the other, are one
                unpack = zlib.decompressobj(_TO_PLAIN)
            yield unpack.decompress(rest, _PIECE)
            rest = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
    yield unpack.flush()
    if not unpack.eof:
        raise unreadable_report("it broke off before its end")


def unreadable_report(why: str) -> BrevoPermanent:
    return BrevoPermanent(f"The report of the import was not read: {why}")
