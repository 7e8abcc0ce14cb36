"""Carry queued runs on, and take up those whose worker died."""

import logging
import math
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections, connections

from campaigns import tasks
from campaigns.management.exits import FAILED, UNUSABLE
from campaigns.sync.events import process_pending

logger = logging.getLogger(__name__)

_CELERY = "With TASKS_BACKEND=celery start Celery: celery -A campaigns.celery worker --beat"
_LONGEST_GOODBYE = 5.0  # seconds for a sweep at work; it can be broken off without harm


class Command(BaseCommand):
    help = (
        "Carry queued runs on, and take up those whose worker died. Start as many as you like; "
        "SIGTERM or Ctrl-C ends one after the run it is at."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--interval",
            type=float,
            default=5.0,
            metavar="SECONDS",
            help="look so often for runs that were left behind (default: %(default)s)",
        )

    def handle(self, *, interval: float, **_: Any) -> None:
        if not (math.isfinite(interval) and interval > 0):
            told = f"--interval {interval}: write a number of seconds above 0."
            raise CommandError(told, returncode=UNUSABLE)
        if settings.TASKS_BACKEND == "celery":
            raise CommandError(_CELERY, returncode=UNUSABLE)
        work = _work_the_queue if settings.TASKS_BACKEND == "database" else _work_alone
        self.stdout.write(f"Working (TASKS_BACKEND={settings.TASKS_BACKEND}); Ctrl-C ends it.")
        self.stdout.flush()
        try:
            work(interval)
        except DatabaseError as error:
            raise CommandError(f"The database gave up: {error}.", returncode=FAILED) from error
        self.stdout.write("Ended.")


def _work_the_queue(interval: float) -> None:
    """Run the database worker here, for signals reach the main thread, and sweep beside it."""
    ended = threading.Event()
    sweeper = threading.Thread(target=_sweep_beside, args=(ended, interval), daemon=True)
    sweeper.start()
    try:
        call_command("db_worker", interval=min(interval, 1.0), startup_delay=False, reload=False)
    except SystemExit as goodbye:
        if goodbye.code:
            raise
    finally:
        ended.set()
        sweeper.join(_LONGEST_GOODBYE)


def _work_alone(interval: float) -> None:
    """Carry on here what was left behind, until a signal comes."""
    ended = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: ended.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        _keep_sweeping(ended, interval)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _sweep_beside(ended: threading.Event, interval: float) -> None:
    try:
        _keep_sweeping(ended, interval)
    finally:
        connections.close_all()  # this thread's own


def _keep_sweeping(ended: threading.Event, interval: float) -> None:
    """Sweep until it is over; a sweep that fails is logged, and the next one tries again."""
    while not ended.is_set():
        close_old_connections()
        for look in (tasks.sweep, process_pending):
            try:
                look()
            except Exception:
                logger.exception("Sweeping failed; it is tried again in %s s.", interval)
        ended.wait(interval)
