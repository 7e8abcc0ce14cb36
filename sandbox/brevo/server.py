"""The stand-in as an HTTP server on the loopback interface.

    with Sandbox() as brevo:
        requests.get(f"{brevo.url}/account", headers={"api-key": brevo.key})

It keeps connections open (HTTP/1.1), answers each at once (TCP_NODELAY), and takes everything
with it when it stops: threads, sockets, and the data unless `data` names a file.
"""

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.brevo import attributes, inspection, pages
from sandbox.brevo.api import ORGANIZATION, Brevo
from sandbox.brevo.faults import Faults
from sandbox.brevo.gate import Gate, parse
from sandbox.brevo.limits import Limits
from sandbox.brevo.processes import Processes
from sandbox.brevo.store import Store
from sandbox.brevo.wire import Answer, Request

HOST = "127.0.0.1"
BASE = "/v3"
MOST_READ = 64_000_000


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "brevo-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    server: "_Server"

    def _serve(self) -> None:
        length = self.headers.get("content-length", "0")
        chunked = "transfer-encoding" in self.headers
        if chunked or not length.isdigit() or int(length) > MOST_READ:
            self.close_connection = True
            refused = HTTPStatus.LENGTH_REQUIRED if chunked else HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            self._send(Answer(refused))
            return
        raw = self.rfile.read(int(length))
        url = urlsplit(self.path)
        gate = self.server.gate
        if url.path == BASE or url.path.startswith(f"{BASE}/"):
            request = Request(
                self.command,
                url.path.removeprefix(BASE),
                parse_qs(url.query, keep_blank_values=True),
                raw,
                parse(raw),
            )
            self._send(gate.pass_through(request, self.headers.get("api-key")))
        elif url.path.startswith("/files/"):
            self._send(gate.file(url.path))
        else:
            query = {name: values[-1] for name, values in parse_qs(url.query).items()}
            self._send(pages.page(gate.brevo, list(gate.calls), unquote(url.path), query))

    def __getattr__(self, name: str) -> Any:
        """Serve every method alike: the routes know which ones are allowed."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _send(self, answer: Answer) -> None:
        if answer.dropped:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != HTTPStatus.NO_CONTENT:
            if answer.body:
                self.send_header("content-type", answer.content_type)
            self.send_header("content-length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- named by the base class
        """Say nothing: the web page shows what came in."""


class _Server(ThreadingHTTPServer):
    """Knows its open connections, so that stopping does not wait for idle clients."""

    daemon_threads = False
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, port: int) -> None:
        self.gate: Gate
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        # Not the base class's, which asks the resolver for its own name: that can take seconds.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            if not self.stopping.is_set():
                self._open.add(request)
        if request in self._open:
            super().process_request(request, client_address)
        else:
            super().shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: a client that hangs up is no error of ours, and bugs are logged above."""

    def serve(self) -> None:
        while not self.stopping.is_set():
            self.handle_request()

    def stop(self) -> None:
        with self._guard:
            self.stopping.set()
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            # Wakes `serve`, which is waiting for a connection.
            socket.create_connection((HOST, self.server_port), timeout=1).close()


@dataclass(kw_only=True)
class Sandbox(inspection.Inspection):
    """A running stand-in; use it as a context manager, or call `start` and `stop`."""

    data: str = ":memory:"
    key: str = "sandbox"
    requests_per_second: int = 1000
    other_requests_per_hour: int = 100_000
    import_seconds: float = 0.0
    french: bool = False
    unicode_domains: bool = False
    organization: str = ORGANIZATION
    port: int = 0
    faults: Faults = field(default_factory=Faults)

    def start(self) -> Self:
        """Open the port and the data; OSError when the port is taken."""
        self._server = _Server(self.port)
        try:
            self.store = self._open_store()
        except BaseException:
            self._server.server_close()
            raise
        self.processes = Processes(self.store, self.import_seconds)
        limits = Limits(self.requests_per_second, self.other_requests_per_hour)
        brevo = Brevo(self.store, self.processes, self.root, self.organization)
        self.gate = self._server.gate = Gate(
            brevo, self.key, limits, self.faults, self._server.stopping
        )
        self.processes.start()
        self._thread = threading.Thread(target=self._server.serve, name="sandbox", daemon=True)
        self._thread.start()
        return self

    def _open_store(self) -> Store:
        store = Store(self.data, unicode_domains=self.unicode_domains)
        try:
            attributes.ensure_defaults(store, french=self.french)
        except BaseException:
            store.close()
            raise
        return store

    def stop(self) -> None:
        """Hang up on everybody and end every thread; an import under way is finished first."""
        self._server.stop()
        self._thread.join()
        self.gate.late.forget()
        self._server.server_close()
        self.processes.stop()
        self.store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def root(self) -> str:
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def url(self) -> str:
        """The root of the API, as BREVO_API_URL wants it."""
        return f"{self.root}{BASE}"

    @property
    def page_url(self) -> str:
        return f"{self.root}/"
