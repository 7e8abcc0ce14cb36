"""Ways to misbehave, asked for as `KIND[=VALUE][@METHOD PATHGLOB][*TIMES][+SKIP]`.

    429[=SECONDS]      too many requests, with the rate headers (reset in SECONDS, default 1)
    429-bare           too many requests, without a header
    500, 502, 503      an error; the work was not done
    524                a time-out in front of Brevo; the work WAS done
    drop, drop-after   the connection breaks before, or after, the work
    slow=SECONDS       the answer takes that long; other faults still apply
    truncated          the work is done and the JSON body is cut in half
    html               the work is done and the body is a web page
    import-failed      the import is accepted and ends as failed
    import-partly[=N]  every Nth contact (default 10) ends in the CSV of invalid addresses
    key-revoked        401 from then on
    unknown-ip         401 because of an unrecognised IP address
    list-gone          the list of the call is deleted just before it

METHOD may be `*`. PATHGLOB is matched against the path below /v3, its `*` also matches slashes.
Without a target a fault meets every call (an import's fault every import). TIMES is how often it
strikes (default: always), SKIP how many matching calls pass before.
Examples: `524@POST /contacts/import*1`, `slow=3@GET /processes/*`, `429*2`.
"""

import re
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

SYNTAX = "KIND[=VALUE][@METHOD PATHGLOB][*TIMES][+SKIP], for example 524@POST /contacts/import*1"

BEFORE_WORK = frozenset({"429", "429-bare", "500", "502", "503", "drop"})
AFTER_WORK = frozenset({"524", "drop-after", "truncated", "html"})
ON_IMPORT = frozenset({"import-failed", "import-partly"})
ON_KEY = frozenset({"key-revoked", "unknown-ip"})
KINDS = BEFORE_WORK | AFTER_WORK | ON_IMPORT | ON_KEY | {"slow", "list-gone"}
_WITH_VALUE = frozenset({"429", "slow", "import-partly"})

_SPEC = re.compile(
    r"(?P<kind>[a-z0-9-]+)(?:=(?P<value>[0-9]+(?:\.[0-9]+)?))?"
    r"(?:@(?P<method>[A-Z]+|\*) (?P<glob>/[^+]*?))?"
    r"(?:\*(?P<times>[0-9]+))?(?:\+(?P<skip>[0-9]+))?"
)


class BadFault(ValueError):
    """A fault nobody could read; the message shows the syntax."""


@dataclass(slots=True)
class Fault:
    kind: str
    value: float | None = None
    method: str = "*"
    glob: str = "*"
    times: int | None = None
    skip: int = 0

    @classmethod
    def parse(cls, spec: str) -> "Fault":
        """Read a spec, or raise BadFault with the syntax."""
        match = _SPEC.fullmatch(spec.strip())
        if match is None or match["kind"] not in KINDS:
            known = ", ".join(sorted(KINDS))
            raise BadFault(f"{spec!r} is no fault. Write {SYNTAX}. Kinds: {known}.")
        kind, value = match["kind"], match["value"]
        if (value is not None and kind not in _WITH_VALUE) or (kind == "slow" and value is None):
            needs = "needs" if kind == "slow" else "takes no"
            raise BadFault(f"{spec!r} is no fault: {kind} {needs} a value. Write {SYNTAX}.")
        target = ("POST", "/contacts/import") if kind in ON_IMPORT else ("*", "*")
        return cls(
            kind=kind,
            value=None if value is None else float(value),
            method=match["method"] or target[0],
            glob=match["glob"] or target[1],
            times=None if match["times"] is None else int(match["times"]),
            skip=int(match["skip"] or 0),
        )

    def strikes(self, method: str, path: str) -> bool:
        """Decide whether this call is hit, and count it."""
        if self.method not in {"*", method} or not fnmatchcase(path, self.glob):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


@dataclass(slots=True)
class Strike:
    """What befalls one call: a delay, and at most one fault besides."""

    delay: float = 0.0
    kind: str = ""
    value: float | None = None


@dataclass(slots=True)
class Faults:
    """The faults in force, and whether the key was revoked for good."""

    revoked: bool = False
    _faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, spec: str) -> None:
        fault = Fault.parse(spec)
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
            self.revoked = False

    def strike(self, method: str, path: str) -> Strike:
        """Return what befalls this call; the first fault that fits wins, delays add up."""
        strike = Strike()
        with self._lock:
            for fault in self._faults:
                if strike.kind and fault.kind != "slow":
                    continue
                if not fault.strikes(method, path):
                    continue
                if fault.kind == "slow":
                    strike.delay += fault.value or 0.0
                else:
                    strike.kind, strike.value = fault.kind, fault.value
            if strike.kind == "key-revoked":
                self.revoked = True
        return strike
