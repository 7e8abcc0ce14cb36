"""`manage.py brevo_sandbox`: the stand-in for Brevo, alone."""

import errno
import signal
import sqlite3
import threading
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sandbox.brevo import faults
from sandbox.brevo.api import ORGANIZATION
from sandbox.brevo.server import Sandbox

DEFAULT_PORT = 8900
DEFAULT_DATA = ".demo/brevo.sqlite3"


class Command(BaseCommand):
    help = "Run a stand-in for Brevo at http://127.0.0.1:PORT/v3, for the demo and for tests."
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Show the faults below the options, as they are written in `sandbox.brevo.faults`."""
        kwargs["epilog"] = f"FAULTS\n{faults.__doc__}"
        kwargs["formatter_class"] = RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="default: %(default)s")
        parser.add_argument(
            "--data",
            metavar="FILE",
            default=DEFAULT_DATA,
            help="where it keeps what it was told (default: %(default)s; :memory: keeps nothing)",
        )
        parser.add_argument(
            "--key", help="the only key it accepts (default: BREVO_API_KEY, else sandbox)"
        )
        parser.add_argument(
            "--requests-per-second",
            type=int,
            default=10,
            metavar="N",
            help="the budget of /contacts (default: %(default)s)",
        )
        parser.add_argument(
            "--other-requests-per-hour",
            type=int,
            default=100,
            metavar="N",
            help="the budget of all the rest (default: %(default)s)",
        )
        parser.add_argument(
            "--import-seconds",
            type=float,
            default=1.0,
            metavar="S",
            help="an import takes at least this long (default: %(default)s)",
        )
        parser.add_argument(
            "--fault",
            action="append",
            default=[],
            metavar="SPEC",
            help="misbehave, as shown below; may be repeated",
        )
        parser.add_argument(
            "--organization",
            metavar="ID",
            default=ORGANIZATION,
            help="whose account it is: another ID is another account (default: %(default)s)",
        )
        parser.add_argument(
            "--french", action="store_true", help="attributes PRENOM and NOM, as in France"
        )
        parser.add_argument(
            "--unicode-domains",
            action="store_true",
            help="show domains in their own letters instead of as xn--… (default: as xn--…)",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        key = options["key"] or getattr(settings, "BREVO_API_KEY", "") or "sandbox"
        if key.startswith("xkeysib-"):
            raise CommandError(
                "This is a real Brevo key, and the stand-in never runs in production:"
                " give another one with --key."
            )
        brevo = Sandbox(
            data=options["data"],
            key=key,
            requests_per_second=options["requests_per_second"],
            other_requests_per_hour=options["other_requests_per_hour"],
            import_seconds=options["import_seconds"],
            french=options["french"],
            unicode_domains=options["unicode_domains"],
            organization=options["organization"],
            port=options["port"],
        )
        try:
            for spec in options["fault"]:
                brevo.fault(spec)
            brevo.start()
        except faults.BadFault as error:
            raise CommandError(str(error)) from error
        except (OSError, OverflowError) as error:
            raise CommandError(self._unopened(error, options)) from error
        except sqlite3.Error as error:
            raise CommandError(f"{options['data']} cannot be used as data: {error}.") from error
        try:
            self._serve(brevo)
        finally:
            brevo.stop()

    def _unopened(self, error: Exception, options: dict[str, Any]) -> str:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            return f"Port {options['port']} is in use: stop what runs there, or give --port."
        return f"The stand-in cannot start: {error}."

    def _serve(self, brevo: Sandbox) -> None:
        """Say where it is, and return on Ctrl-C and on SIGTERM."""
        ended = threading.Event()
        before = {
            number: signal.signal(number, lambda *_: ended.set())
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            self.stdout.write(f"Stand-in for Brevo: {brevo.url} (web page: {brevo.page_url})")
            self.stdout.flush()
            ended.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
