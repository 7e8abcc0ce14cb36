"""Log-ins that fail are counted, by address of the machine and by e-mail address.

Only those: somebody who knows the password may log in as often as they like.
"""

import hashlib
from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from accounts.text import fold_email


class FailedLogIns(SimpleRateThrottle):
    key: str | None = None

    def throttle_success(self) -> bool:
        return True

    def count(self) -> None:
        """Count the attempt that was allowed a moment ago: it failed."""
        if self.key is not None:
            super().throttle_success()

    def get_cache_key(self, request: Request, view: Any) -> str | None:  # noqa: ARG002 -- DRF's hook
        who = self.ident(request)
        if who is None:
            return None
        digest = hashlib.sha256(who.encode("utf-8", "surrogatepass")).hexdigest()
        return f"failed-log-ins:{self.scope}:{digest}"

    def ident(self, request: Request) -> str | None:
        return self.get_ident(request)


class FailedLogInsOfAddress(FailedLogIns):
    scope = "log_in_ip"


class FailedLogInsOfEmail(FailedLogIns):
    scope = "log_in_email"

    def ident(self, request: Request) -> str | None:
        email = request.data.get("email") if isinstance(request.data, dict) else None
        return fold_email(email) if isinstance(email, str) else None
