"""Limits on wrong passwords, the same at every door and for all processes together.

An attempt is counted before its password is looked at, in one statement of the database, and the
count is given back when the password was right. So however many attempts come at once, no more
than the limit are ever tried.

Each attempt counts for its machine. From a machine that the person has logged in from before it
counts for the person on that machine, from any other for the person as such: somebody who guesses
elsewhere cannot keep people out at the machines that they use.
"""

import hashlib
import ipaddress
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import Throttled
from rest_framework.throttling import BaseThrottle

from accounts.demo_logins import DEMO_PASSWORD
from accounts.models import KnownMachine, LogInCount, User
from accounts.text import fold_email

logger = logging.getLogger(__name__)

PERIOD = timedelta(minutes=1)
PER_PERSON = 10
PER_MACHINE = 60
KNOWN_FOR = timedelta(days=90)
_KEPT = timedelta(days=1)
_NETWORK_V6 = 64  # bits that one household has


class TooManyLogIns(Throttled):
    """So many passwords were wrong that no other is tried for now."""

    default_detail = "Too many attempts to log in failed."

    def __init__(self, wait: float) -> None:
        super().__init__(wait)
        self.wait: float = wait


class LimitedBackend(ModelBackend):
    """Checks a password as Django does, unless too many before it were wrong.

    The public password of the demo opens nothing outside a demo. Raises TooManyLogIns. Without a
    request, in a shell, nothing is counted.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        email = kwargs.get(User.USERNAME_FIELD) if username is None else username
        if request is None or email is None or password is None:
            return super().authenticate(request, username, password, **kwargs)
        with _counted(machine_of(request), fold_email(email)) as attempt:
            if settings.DEBUG or password != DEMO_PASSWORD:
                attempt.user = super().authenticate(request, username, password, **kwargs)
        return attempt.user


@dataclass
class _Attempt:
    user: Any = None


def machine_of(request: Any) -> str:
    """Return the address that a request comes from; of IPv6 the network, for that is one place.

    ``NUM_PROXIES`` says how many entries of X-Forwarded-For are believed.
    """
    text = BaseThrottle().get_ident(request) or ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _NETWORK_V6), strict=False))
    return str(address)


@contextmanager
def _counted(machine: str, email: str) -> Iterator[_Attempt]:
    """Count an attempt, and give the count back when it ends with a user."""
    known = KnownMachine.objects.filter(
        user__email_key=email,
        machine=_digest(machine),
        last_used_at__gt=timezone.now() - KNOWN_FOR,
    )
    person = f"{email} {machine}" if known.exists() else email
    limits = {_digest("machine", machine): PER_MACHINE, _digest("person", person): PER_PERSON}
    taken: list[str] = []
    attempt = _Attempt()
    try:
        for key, limit in limits.items():
            _take(key, limit)
            taken.append(key)
    except TooManyLogIns:
        _give_back(taken)
        logger.warning(
            "A log-in was refused without a look at the password: too many failed (person %s, "
            "machine %s).",
            _digest("person", email)[:12],
            _digest("machine", machine)[:12],
        )
        raise
    yield attempt
    if attempt.user is not None:
        _give_back(taken)
        KnownMachine.objects.update_or_create(
            user=attempt.user,
            machine=_digest(machine),
            defaults={"last_used_at": timezone.now()},
        )
    else:
        logger.info("A log-in failed (machine %s).", _digest("machine", machine)[:12])


def _digest(*words: str) -> str:
    return hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).hexdigest()


def _take(key: str, limit: int) -> None:
    """Count one attempt in one statement; raises TooManyLogIns when there are as many as may be."""
    now = timezone.now()
    is_over = Q(since__lte=now - PERIOD)
    # Two rounds: the row may be missing, and another process may make it first.
    for _ in range(2):
        counted = LogInCount.objects.filter(is_over | Q(number__lt=limit), key=key).update(
            number=Case(When(is_over, then=Value(1)), default=F("number") + 1),
            since=Case(When(is_over, then=Value(now)), default=F("since")),
        )
        if counted:
            return
        row = LogInCount.objects.filter(key=key).first()
        if row is not None:
            left = row.since + PERIOD - now
            raise TooManyLogIns(max(left.total_seconds(), 1.0))
        LogInCount.objects.filter(since__lt=now - _KEPT).delete()
        with transaction.atomic():
            LogInCount.objects.bulk_create(
                [LogInCount(key=key, number=0, since=now)], ignore_conflicts=True
            )
    raise TooManyLogIns(1.0)


def _give_back(keys: list[str]) -> None:
    LogInCount.objects.filter(key__in=keys, number__gt=0).update(number=F("number") - 1)
