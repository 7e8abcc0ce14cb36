"""`manage.py demo`: the whole product on one machine, with invented people and no real Brevo."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.files import write_private
from sandbox.people.report import DemoReport

_MARK = "# Written by `make demo`: its own settings, for other terminals. Delete it at will."
_DATABASE = ".demo/db.sqlite3"  # not the one that this folder may use for real
_SAY_EVERY = 15  # seconds of waiting after which it says so
_ENDS_WITHIN = 10  # seconds


class Command(BaseCommand):
    help = "Load invented people, start the stand-in for Brevo, sync, and serve the admin."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        port = _port("PORT", 8000)
        brevo_port = _port("BREVO_SANDBOX_PORT", 8900)
        own = _settings(brevo_port)
        self._environment = {**os.environ, **own}
        (Path(settings.BASE_DIR) / _DATABASE).parent.mkdir(mode=0o700, exist_ok=True)
        _write_env(own)
        self._running: list[subprocess.Popen[bytes]] = []
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as ctrl-C does
        try:
            self._prepare(brevo_port)
            self._serve(port, brevo_port)
        except KeyboardInterrupt:
            self.stdout.write("\nThe demo has ended; its data stays for the next time.")
        finally:
            self._end()

    def _prepare(self, brevo_port: int) -> None:
        self._run("migrate", "--verbosity", "0")
        self._start(
            "brevo_sandbox", "--port", str(brevo_port), "--other-requests-per-hour", "10000"
        )
        self._wait_until_served(f"http://127.0.0.1:{brevo_port}/", "the stand-in for Brevo")
        self._run("seed_demo", "--demo-logins", "--force")
        self._run("sync_segment", "--all", tolerated=(0, 1))
        self._run("demo_report")

    def _serve(self, port: int, brevo_port: int) -> None:
        self._start("worker")
        self._start("runserver", "--noreload", f"127.0.0.1:{port}", quiet=True)
        self._wait_until_served(f"http://127.0.0.1:{port}/admin/login/", "the admin")
        self.stdout.write(DemoReport.addresses(port, brevo_port))
        self.stdout.flush()
        while all(process.poll() is None for process in self._running):
            time.sleep(0.5)
        raise CommandError("A part of the demo ended by itself: its last words are above.")

    def _wait_until_served(self, url: str, what: str) -> None:
        """Wait as long as the processes live, however slow the machine is, and say for what."""
        started, said = time.monotonic(), 0
        while all(process.poll() is None for process in self._running):
            try:
                with urlopen(url, timeout=_SAY_EVERY):  # noqa: S310 -- our own loopback address
                    return
            except (URLError, OSError):
                time.sleep(0.1)
            if time.monotonic() - started > (said + 1) * _SAY_EVERY:
                said += 1
                self.stdout.write(f"Still waiting for {what} at {url}.")
                self.stdout.flush()
        raise CommandError(f"Before {what} answered, a part of the demo ended: see above.")

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *words]

    def _run(self, *words: str, tolerated: tuple[int, ...] = (0,)) -> None:
        done = subprocess.run(self._command(*words), env=self._environment, check=False)  # noqa: S603 -- our own commands
        if done.returncode not in tolerated:
            raise CommandError(f"manage.py {words[0]} did not succeed: its words are above.")

    def _start(self, *words: str, quiet: bool = False) -> None:
        output = subprocess.DEVNULL if quiet else None
        self._running.append(
            subprocess.Popen(  # noqa: S603 -- our own commands
                self._command(*words),
                env=self._environment,
                stdout=output,
                stderr=output,
                start_new_session=True,  # ctrl-C reaches this process alone, which ends the others
            )
        )

    def _end(self) -> None:
        for process in reversed(self._running):
            process.terminate()
        for process in self._running:
            try:
                process.wait(_ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()


def _settings(brevo_port: int) -> dict[str, str]:
    """Return settings that hold whatever the environment says: no real Brevo, no real data."""
    return {
        "DJANGO_DEBUG": "True",
        "DATABASE_URL": f"sqlite:///{_DATABASE}",
        "BREVO_API_URL": f"http://127.0.0.1:{brevo_port}/v3",
        "BREVO_API_KEY": "sandbox",
        "BREVO_OTHER_REQUESTS_PER_HOUR": "10000",
        "TASKS_BACKEND": "database",
    }


def _write_env(own: dict[str, str]) -> None:
    path = Path(settings.BASE_DIR) / ".env"
    if not path.exists() or path.read_text(encoding="utf-8").startswith(_MARK):
        lines = [_MARK, *(f"{name}={value}" for name, value in own.items())]
        write_private(path, "\n".join(lines) + "\n")


def _port(variable: str, default: int) -> int:
    """Return a free port; raise CommandError, naming the variable, when it is taken or none."""
    raw = os.environ.get(variable) or str(default)
    try:
        port = int(raw)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except (ValueError, OverflowError, OSError) as error:
        raise CommandError(
            f"Port {raw} is not free: say make demo {variable}={default + 1}, or end what uses it."
        ) from error
    return port
