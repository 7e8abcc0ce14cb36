"""Workers as what they are: processes that come, are killed, and go."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from accounts.enums import Gender
from campaigns.enums import ChunkState, ExportStatus
from campaigns.models import ExportChunk, ListMember, SegmentExport, Suppression
from campaigns.sync import events
from campaigns.sync.runs import request_sync
from sandbox.brevo.server import Sandbox
from tests.factories import make_segment, make_user

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[3]
PEOPLE, RUNS = 25, 3


@pytest.fixture
def brevo(settings) -> Iterator[Sandbox]:
    with Sandbox(import_seconds=1.0) as server:
        settings.BREVO_API_URL, settings.BREVO_API_KEY = server.url, server.key
        yield server


def database_url(settings) -> str:
    """Return where the test's own database is for another process."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(settings.TEST_DATABASE_URL)._replace(path=f"/{name}").geturl()


@pytest.fixture
def start(brevo, settings) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    started = []

    def start_worker(backend="database", *arguments) -> subprocess.Popen[bytes]:
        environment = {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DJANGO_SECRET_KEY": "tests",
            "DJANGO_DEBUG": "False",
            "DATABASE_URL": database_url(settings),
            "BREVO_API_URL": brevo.url,
            "BREVO_API_KEY": brevo.key,
            "BREVO_REQUESTS_PER_SECOND": "1000",
            "BREVO_OTHER_REQUESTS_PER_HOUR": "100000",
            "CAMPAIGNS_LEASE_SECONDS": "2",
            "TASKS_BACKEND": backend,
        }
        command = [sys.executable, "manage.py", "worker", *(arguments or ["--interval", "0.3"])]
        worker = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        started.append(worker)
        return worker

    yield start_worker
    for worker in started:
        worker.kill()
        worker.communicate()


@pytest.fixture
def queued(brevo) -> list[SegmentExport]:
    for number in range(PEOPLE):
        make_user(gender=Gender.FEMALE, email=f"ada{number}@example.com")
    segments = [make_segment(brevo_list_id=None) for _ in range(RUNS)]
    return [request_sync(segment) for segment in segments]


def wait_until(true: Callable[[], object], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"Not so within {seconds} s: {states()}"
        time.sleep(0.05)


def states() -> list[tuple[str, str, str]]:
    return list(SegmentExport.objects.values_list("status", "phase", "error_message"))


def all_over() -> bool:
    return not SegmentExport.objects.active().exists()


def imports(brevo) -> Counter[int]:
    """Count the imports that the stand-in took, by list."""
    return Counter(
        body["listIds"][0] for _, path, body in brevo.bodies if path == "/contacts/import"
    )


def end(worker, number=signal.SIGTERM) -> tuple[int, str]:
    worker.send_signal(number)
    said, _ = worker.communicate(timeout=60)
    return worker.returncode, said.decode()


@pytest.mark.thorough
def test_runs_end_exactly_once_although_a_worker_is_killed_in_the_middle(
    brevo, queued, start
) -> None:
    workers = {worker.pid: worker for worker in (start(), start())}
    under_way = ExportChunk.objects.filter(state=ChunkState.ACCEPTED)
    wait_until(under_way.exists)
    owner = SegmentExport.objects.get(chunks__state=ChunkState.ACCEPTED).lease_owner

    killed = workers.pop(int(owner.split(":")[1]))
    killed.kill()
    wait_until(all_over)

    assert [state for state, _, _ in states()] == [ExportStatus.SUCCESS] * RUNS, states()
    assert imports(brevo) == {export.segment.brevo_list_id: 1 for export in queued}
    assert ListMember.objects.current().count() == PEOPLE * RUNS
    assert all(len(brevo.members(e.segment.brevo_list_id)) == PEOPLE for e in queued)
    assert max(SegmentExport.objects.values_list("attempts", flat=True)) == 2
    [survivor] = workers.values()
    assert end(survivor)[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_worker_ends_on_a_signal_after_the_run_it_is_at(queued, start, number) -> None:
    worker = start()
    wait_until(ExportChunk.objects.filter(state=ChunkState.ACCEPTED).exists)

    code, said = end(worker, number)

    assert (code, "Traceback" in said) == (0, False), said
    assert said.rstrip().endswith("Ended.")
    running = SegmentExport.objects.filter(status=ExportStatus.RUNNING)
    assert not running.exists()


@pytest.mark.thorough
def test_worker_without_a_queue_carries_runs_on_itself(queued, start) -> None:
    events.keep(b'{"event": "spam", "email": "ada1@example.com"}')
    worker = start("immediate")
    wait_until(all_over)

    assert [state for state, _, _ in states()] == [ExportStatus.SUCCESS] * RUNS, states()
    wait_until(Suppression.objects.exists)
    assert end(worker)[0] == 0


@pytest.mark.parametrize("interval", ["0", "-1", "nan", "inf"])
def test_interval_that_makes_no_sense_is_refused(run, interval) -> None:
    said = run("worker", f"--interval={interval}")

    assert said.code == 2
    assert "a number of seconds above 0" in said.err


def test_with_celery_it_is_said_how_to_start_celery(settings, run) -> None:
    settings.TASKS_BACKEND = "celery"

    said = run("worker")

    assert (said.code, said.out) == (2, "")
    assert "celery -A campaigns.celery worker --beat" in said.err
