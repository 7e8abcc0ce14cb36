import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Self

import pytest

from campaigns.brevo import BrevoClient, BrevoTemporary, BrevoUrlWrong, ImportBody
from tests.campaigns.brevo.conftest import KEY, LIST_REPLY, ROOT

LIST = f"{ROOT}/contacts/lists/3"


def test_long_waits_are_slept_in_slices(script, client, time) -> None:
    script.get(LIST, status=429, headers={"x-sib-ratelimit-reset": "12"})
    script.get(LIST, json=LIST_REPLY)

    client.get_list(3)

    assert time.naps[:3] == [5.0, 5.0, 2.0]


def test_sleep_can_abandon_the_call(brevo, client) -> None:
    def abandon(seconds: float) -> None:
        raise KeyboardInterrupt

    brevo.get(LIST, status=429, headers={"x-sib-ratelimit-reset": "12"})
    client.sleep = abandon

    with pytest.raises(KeyboardInterrupt):
        client.get_list(3)


def test_before_request_is_called_before_every_attempt(script, client) -> None:
    beats = []
    client.before_request = lambda: beats.append(len(script.calls))
    script.get(LIST, status=500)
    script.get(LIST, json=LIST_REPLY)

    client.get_list(3)

    assert beats == [0, 1]


def test_redirect_is_not_followed_with_the_key(brevo, client) -> None:
    brevo.get(LIST, status=302, headers={"Location": "https://elsewhere.example/"})

    with pytest.raises(BrevoUrlWrong):
        client.get_list(3)

    assert len(brevo.calls) == 1


def test_each_attempt_has_both_timeouts(brevo, client) -> None:
    brevo.get(LIST, json=LIST_REPLY)

    client.get_list(3)

    assert brevo.calls[0].request.req_kwargs["timeout"] == client.TIMEOUT


def test_large_body_may_take_longer_to_send_than_to_connect(monkeypatch) -> None:
    """One write of a whole body would be cut off by the timeout meant for the connection."""
    body = ImportBody(3, max_bytes=8_000_000)
    while body.add("x" * 100_000, {}):
        pass
    monkeypatch.setattr(BrevoClient, "TIMEOUT", (0.4, 10.0))

    with SlowServer() as server:
        client = BrevoClient(KEY, base_url=server.root)
        assert client.import_contacts(body) == 78
        client.close()

    assert server.received == len(body.encode())


class SlowServer:
    """Takes an import in bites, for longer in all than the connect timeout of the test."""

    def __enter__(self) -> Self:
        slow = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length, slow.received = int(self.headers["Content-Length"]), 0
                while bite := self.rfile.read(min(500_000, length - slow.received)):
                    slow.received += len(bite)
                    threading.Event().wait(0.05)
                self.send_response(202)
                self.send_header("Content-Length", "16")
                self.end_headers()
                self.wfile.write(b'{"processId":78}')

            def log_message(self, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self.root = f"http://127.0.0.1:{self._server.server_port}/v3"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_client_for_somebody_who_waits_gives_up_in_time_all_requests_together(brevo) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    client = BrevoClient(KEY, within=10.0, clock=lambda: now[0], sleep=sleep)
    brevo.get(f"{ROOT}/contacts/lists/7", json=LIST_REPLY)
    client.get_list(7)
    now[0] = 7.0
    client.get_list(7)
    now[0] = 10.5

    with pytest.raises(BrevoTemporary):
        client.get_list(7)

    timeouts = [call.request.req_kwargs["timeout"] for call in brevo.calls]
    assert timeouts == [(5.0, 10.0), (3.0, 3.0)]
    assert now[0] == 10.5, "and does not wait to try again"
