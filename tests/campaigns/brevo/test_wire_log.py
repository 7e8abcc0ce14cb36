"""What reaches a log, seen over a real connection: the library's own log is silent in a mock."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest
import requests

from campaigns.brevo import BrevoClient, BrevoError, ImportBody, ImportReport, Process
from tests.campaigns.brevo.conftest import KEY, Time

EMAIL, PHONE, SIGNATURE = "ada@b.example", "2348012345678", "c2lnbmF0dXJl"


class Echo(BaseHTTPRequestHandler):
    """Answers with a status of its choice, and talks of the contact while doing so."""

    status: ClassVar[int] = 200

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        message = f"{EMAIL} {PHONE} {KEY}"
        body = {"id": 3, "processId": 7, "contacts": {}, "code": message, "message": message}
        sent = json.dumps(body).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def exercise(client: BrevoClient, root: str) -> list[BrevoError | ImportReport]:
    body = ImportBody(3, max_bytes=1000)
    body.add(EMAIL, {"SMS": PHONE})
    report = Process(7, "", "completed", {"invalid_emails": f"{root}/i.csv?sig={SIGNATURE}"})
    errors: list[BrevoError | ImportReport] = []
    for call in (
        lambda: client.import_contacts(body),
        lambda: client.upsert_contact(EMAIL, {"SMS": PHONE}, 3),
        lambda: client.add_to_list(3, [EMAIL]),
    ):
        try:
            call()
        except BrevoError as error:
            errors.append(error)
    return [*errors, client.refusals(report)]


@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500])
def test_no_key_address_number_or_signature_reaches_a_log(
    echo, caplog, monkeypatch, status
) -> None:
    monkeypatch.setattr(Echo, "status", status)
    time = Time()
    client = BrevoClient(KEY, base_url=f"{echo}/v3", sleep=time.sleep, clock=time.clock)

    with caplog.at_level(logging.DEBUG):
        errors = exercise(client, echo)
    client.close()

    assert "/contacts/lists/{id}/contacts/add" in caplog.text
    assert str(status) in caplog.text
    for secret in (KEY, EMAIL, PHONE, SIGNATURE):
        assert secret not in caplog.text
    assert len(errors) == (1 if status == 200 else 4)


def test_no_representation_shows_the_key(time) -> None:
    client = BrevoClient(KEY, base_url="http://user:pass@127.0.0.1:1/v3", sleep=time.sleep)

    shown = [repr(client), repr(vars(client))]
    shown += [repr(error) + str(error) for error in exercise(client, "http://127.0.0.1:1")]

    assert repr(client) == "<BrevoClient for 127.0.0.1>"
    assert len(shown) == 6
    assert all(KEY not in text for text in shown)


def test_log_of_others_who_use_the_library_stays(echo, caplog) -> None:
    BrevoClient(KEY, base_url=f"{echo}/v3").close()

    with caplog.at_level(logging.DEBUG, "urllib3"), requests.Session() as session:
        session.get(f"{echo}/theirs").close()

    assert "/theirs" in caplog.text
