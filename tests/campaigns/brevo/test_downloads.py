"""Reports of imports, over the wire: from Brevo's hosts only, never too much, never an error."""

import gzip
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
import requests

from campaigns.brevo import BrevoClient, ImportReport, Process
from tests.campaigns.brevo.conftest import KEY, Time

LINK = "https://files.brevo.com/i.csv"
REFUSED = {"ada@b.example": "Brevo does not accept the e-mail address"}
METADATA = "http://169.254.169.254/latest/meta-data"


def process(**links: str) -> Process:
    return Process(78, "IMPORTUSER", "completed", links)


def report_of(client: BrevoClient, link: str = LINK) -> ImportReport:
    return client.refusals(process(invalid_emails=link))


def test_refusals_come_from_all_reports_and_no_report_is_shown_the_key(brevo, client) -> None:
    brevo.get(f"{LINK}?sig=s", body="EMAIL\nada@b.example\n")
    brevo.get("https://img.sendinblue.com/p.csv", body="EMAIL\nada@b.example\nobi@b.example\n")
    links = {
        "invalid_emails": f"{LINK}?sig=s",
        "duplicate_phone_id": "https://img.sendinblue.com/p.csv",
    }

    report = client.refusals(process(**links))

    assert report.is_complete
    assert report.refused == {
        "ada@b.example": "Brevo does not accept the e-mail address; "
        "the phone number belongs to another contact",
        "obi@b.example": "the phone number belongs to another contact",
    }
    assert all("api-key" not in call.request.headers for call in brevo.calls)


CANNOT_BE_HAD = {
    "expired": ({"status": 403, "body": "<Error>Expired</Error>"}, "link has probably expired"),
    "not allowed": ({"status": 401}, "cannot be downloaded (401)"),
    "gone": ({"status": 404}, "cannot be downloaded (404)"),
    "no content": ({"status": 204}, "cannot be downloaded (204)"),
    "a fault": ({"status": 500}, "cannot be downloaded (500)"),
    "a redirect to nowhere": ({"status": 302}, "cannot be downloaded (302)"),
    "cut off on the way": ({"body": requests.exceptions.ConnectionError()}, "broke off"),
    "too slow": ({"body": requests.ReadTimeout()}, "took too long"),
    "no trust": ({"body": requests.exceptions.SSLError("bad")}, "cannot be trusted (TLS)"),
    "no such address": ({"body": requests.exceptions.InvalidURL()}, "leads nowhere"),
    "packed otherwise": ({"headers": {"Content-Encoding": "br"}}, "compressed in a way"),
    "not what it says": (
        {"body": b"EMAIL\n", "headers": {"Content-Encoding": "gzip"}},
        "cannot be decompressed",
    ),
    "half an archive": (
        {"body": gzip.compress(b"EMAIL\n" * 9)[:-9], "headers": {"Content-Encoding": "gzip"}},
        "broke off before its end",
    ),
}


@pytest.mark.parametrize(("answer", "words"), CANNOT_BE_HAD.values(), ids=CANNOT_BE_HAD)
def test_report_that_cannot_be_had_is_incomplete_and_the_others_are_read(
    brevo, client, answer, words
) -> None:
    brevo.get("https://files.brevo.com/p.csv", **answer)
    brevo.get(LINK, body="EMAIL\nada@b.example\n")
    links = {"duplicate_phone_id": "https://files.brevo.com/p.csv", "invalid_emails": LINK}

    report = client.refusals(process(**links))

    assert (report.refused, report.is_complete) == (REFUSED, False)
    assert words in report.problem
    assert report.problem.endswith(".")


def test_report_with_a_quote_that_nobody_closes_is_incomplete(brevo, client) -> None:
    brevo.get(LINK, body='N;EMAIL\n"Ada;ada@b.example\n')

    report = report_of(client)

    assert (report.refused, report.is_complete) == (REFUSED, False)
    assert "quote" in report.problem


STRANGERS = [
    "https://brevo.com.evil.example/i.csv",
    "https://evilbrevo.com/i.csv",
    "https://s3.example.com/i.csv",
    "https://169.254.169.254/latest",
    "https://[::1]/i.csv",
    "https://127.0.0.1:8000/i.csv",
    "https://user:pass@files.brevo.com/i.csv",
    "https://evil.example\\@files.brevo.com/i.csv",
    "https://files.brevo.com@evil.example/i.csv",
    "http://files.brevo.com/i.csv",
    "ftp://files.brevo.com/i.csv",
    "file:///etc/passwd",
    "//files.brevo.com/i.csv",
    "https:///i.csv",
    "https://[files.brevo.com/i.csv",
    "/etc/passwd",
    "x",
]


@pytest.mark.parametrize("link", STRANGERS)
def test_no_report_is_asked_of_a_stranger(brevo, client, link) -> None:
    report = report_of(client, link)

    assert (report.refused, report.is_complete) == ({}, False)
    assert len(brevo.calls) == 0


@pytest.mark.parametrize(
    "link", [link for link in STRANGERS if "://" in link and ":///i" not in link] + [METADATA]
)
def test_no_redirect_leads_to_a_stranger(brevo, client, link) -> None:
    brevo.get(LINK, status=302, headers={"Location": link})

    report = report_of(client)

    assert (report.refused, report.is_complete) == ({}, False)
    assert len(brevo.calls) == 1


def test_report_on_a_stranger_names_the_host_and_the_setting(client) -> None:
    assert report_of(client, "https://s3.example.com/i.csv").problem == (
        "The report of the import was not read: it lies on s3.example.com, which is neither "
        "Brevo's nor in BREVO_REPORT_HOSTS."
    )


@pytest.mark.parametrize("host", ["s3.example.com", "Example.com", " example.com. "])
def test_report_is_read_from_hosts_of_the_setting_and_those_below(brevo, time, host) -> None:
    client = BrevoClient(KEY, sleep=time.sleep, clock=time.clock, report_hosts=[host])
    brevo.get("https://s3.example.com/i.csv", body="EMAIL\nada@b.example\n")

    assert report_of(client, "https://s3.example.com/i.csv").refused == REFUSED


def test_redirects_among_brevos_hosts_are_followed_and_those_without_end_are_not(
    brevo, client
) -> None:
    brevo.get(LINK, status=302, headers={"Location": "/2.csv"})
    brevo.get("https://files.brevo.com/2.csv", status=307, headers={"Location": "//brevo.com/3"})
    brevo.get("https://brevo.com/3", body="EMAIL\nada@b.example\n")
    brevo.get("https://brevo.com/4", status=301, headers={"Location": "https://brevo.com/4"})

    assert report_of(client) == ImportReport(REFUSED)
    assert "redirects too often" in report_of(client, "https://brevo.com/4").problem
    assert len(brevo.calls) == 3 + 6


PACKED = {
    "gzip": gzip.compress(b"EMAIL\nada@b.example\n"),
    "deflate": zlib.compress(b"EMAIL\nada@b.example\n"),
    "several archives": gzip.compress(b"EMAIL\n") + gzip.compress(b"ada@b.example\n"),
}


@pytest.mark.parametrize("name", PACKED)
def test_packed_report_is_read(brevo, client, name) -> None:
    encoding = "deflate" if name == "deflate" else "gzip"
    brevo.get(LINK, body=PACKED[name], headers={"Content-Encoding": encoding})

    assert report_of(client) == ImportReport(REFUSED)


def test_packed_report_that_grows_without_end_is_left_alone(brevo, client) -> None:
    bomb = gzip.compress(b"a" * 75_000_000)
    assert len(bomb) < 100_000
    brevo.get(LINK, body=bomb, headers={"Content-Encoding": "gzip"})

    report = report_of(client)

    assert not report.is_complete
    assert "larger than 50 MB" in report.problem
    assert len(brevo.calls) == 1, "what is too large is not asked for again"


def test_report_of_a_hundred_thousand_rows_is_read(brevo, client) -> None:
    rows = 100_000
    body = b"EMAIL\n" + b"".join(b"ada%d@b.example\n" % n for n in range(rows))
    brevo.get(LINK, body=body)

    report = report_of(client)

    assert (len(report.refused), report.is_complete) == (rows, True)


def test_report_is_given_up_after_a_few_attempts(brevo, client, time) -> None:
    brevo.get(LINK, status=503)

    assert not report_of(client).is_complete
    assert len(brevo.calls) == BrevoClient.REPORT_ATTEMPTS
    assert sum(time.naps) < 10


def test_body_of_a_redirect_is_not_read(brevo, client) -> None:
    bomb = {"Location": "https://brevo.com/2", "Content-Encoding": "gzip"}
    brevo.get(LINK, status=302, headers=bomb, body=b"not even packed")
    brevo.get("https://brevo.com/2", body="EMAIL\nada@b.example\n")

    assert report_of(client) == ImportReport(REFUSED)


class Drip(BaseHTTPRequestHandler):
    """Sends a report, one byte after the other, each of which takes a minute of the test's time."""

    time: ClassVar[Time]

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(200):
            self.time.now += 60
            self.wfile.write(b"a")
            self.wfile.flush()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def drip(time, monkeypatch) -> Iterator[str]:
    monkeypatch.setattr(Drip, "time", time, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Drip)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Stop(Exception):
    pass


def test_report_that_drips_is_given_up(drip, time) -> None:
    client = BrevoClient(KEY, base_url=f"{drip}/v3", sleep=time.sleep, clock=time.clock)

    report = report_of(client, f"{drip}/i.csv")
    client.close()

    assert "too long" in report.problem


def test_run_that_is_stopped_stops_a_download_too(drip, time) -> None:
    client = BrevoClient(KEY, base_url=f"{drip}/v3", sleep=time.sleep, clock=time.clock)
    beats = []

    def beat() -> None:
        beats.append(time.now)
        if len(beats) > 1:
            raise Stop

    client.before_request = beat
    with pytest.raises(Stop):
        report_of(client, f"{drip}/i.csv")
    client.close()


def test_server_that_does_not_speak_tls_makes_a_report_incomplete(drip, time) -> None:
    client = BrevoClient(KEY, base_url=f"{drip}/v3", sleep=time.sleep, clock=time.clock)

    report = report_of(client, f"{drip}/i.csv".replace("http:", "https:"))
    client.close()

    assert not report.is_complete
    assert "cannot be trusted (TLS)" in report.problem


def test_server_that_is_not_there_makes_a_report_incomplete(time) -> None:
    client = BrevoClient(KEY, base_url="http://127.0.0.1:1/v3", sleep=time.sleep, clock=time.clock)

    report = report_of(client, "http://127.0.0.1:1/i.csv")
    client.close()

    assert not report.is_complete
    assert "cannot be reached" in report.problem
