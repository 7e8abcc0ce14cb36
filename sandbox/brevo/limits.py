"""Brevo's two rate limits: contact calls per second, and all other calls per hour."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

CONTACTS = "contacts"
OTHER = "other"


@dataclass(slots=True)
class Bucket:
    limit: int
    period: float
    started: float = -math.inf
    spent: int = 0


@dataclass(slots=True)
class Budget:
    """What is left, as the three headers say it."""

    limit: int
    remaining: int
    reset: int
    refused: bool

    def headers(self) -> dict[str, str]:
        return {
            "x-sib-ratelimit-limit": str(self.limit),
            "x-sib-ratelimit-remaining": str(self.remaining),
            "x-sib-ratelimit-reset": str(self.reset),
        }


@dataclass(slots=True)
class Limits:
    """Account-wide counters; a window opens with its first call and `reset` counts its seconds."""

    requests_per_second: int
    other_requests_per_hour: int
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _buckets: dict[str, Bucket] = field(init=False)

    def __post_init__(self) -> None:
        self._buckets = {
            CONTACTS: Bucket(self.requests_per_second, 1.0),
            OTHER: Bucket(self.other_requests_per_hour, 3600.0),
        }

    def spend(self, path: str, amount: int = 1) -> Budget:
        """Take one call from the path's budget; an `amount` of 0 only looks."""
        is_contacts = path == "/contacts" or path.startswith("/contacts/")
        with self._lock:
            bucket = self._buckets[CONTACTS if is_contacts else OTHER]
            now = self.clock()
            if now - bucket.started >= bucket.period:
                bucket.started, bucket.spent = now, 0
            refused = bucket.spent + amount > bucket.limit
            if not refused:
                bucket.spent += amount
            left = bucket.started + bucket.period - now
            return Budget(bucket.limit, bucket.limit - bucket.spent, math.ceil(left), refused)
