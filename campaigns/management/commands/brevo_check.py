"""Look at key, folder, attributes, lists and webhook at Brevo, and say what is to be done."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from campaigns.brevo import BrevoMisconfigured
from campaigns.management.exits import FAILED
from campaigns.management.findings import Finding, Mark, findings
from campaigns.sync.gateway import connect


class Command(BaseCommand):
    help = (
        "Say what is fine at Brevo (ok), worth knowing (--) and wrong (!!), and what to do. "
        "Changes nothing. Exit 0 when nothing is wrong, else 1."
    )

    def handle(self, **_: Any) -> None:
        try:
            client = connect()
        except BrevoMisconfigured as error:
            raise CommandError(str(error), returncode=FAILED) from error
        try:
            wrong = sum(self._show(finding) for finding in findings(client))
        finally:
            client.close()
        if wrong:
            raise SystemExit(FAILED)

    def _show(self, finding: Finding) -> bool:
        styles = {Mark.FINE: self.style.SUCCESS, Mark.NOTE: self.style.NOTICE}
        mark = styles.get(finding.mark, self.style.ERROR)(finding.mark.value)
        self.stdout.write(f"{mark} {finding.told}")
        return finding.mark == Mark.WRONG
