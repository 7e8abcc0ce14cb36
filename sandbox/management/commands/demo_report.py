"""`manage.py demo_report`: which segment went to which list, in a table."""

from typing import Any

from django.core.management.base import BaseCommand

from sandbox.people.report import DemoReport


class Command(BaseCommand):
    help = "Show which segment went to which list."

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(DemoReport.table())
