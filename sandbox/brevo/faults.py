"""Ways to misbehave, asked for as `KIND[=VALUE][@METHOD PATHGLOB][*TIMES][+SKIP]`.

    429[=SECONDS]      too many requests, with the rate headers (reset in SECONDS, default 1)
    429-bare           too many requests, without a header
    500, 502, 503      an error; the work was not done
    524                a time-out in front of Brevo; the work WAS done
    drop, drop-after   the connection breaks before, or after, the work
    slow=SECONDS       the answer takes that long; other faults still apply
    truncated          the work is done and the JSON body is cut in half
    html               the work is done and the body is a web page
    late[=WAIT]        a time-out (524); the work is done LATER, after WAIT
    late-500, late-504 the same with another error
    import-late[=WAIT] `late` for imports
    import-failed      the import is accepted and ends as failed
    import-partly[=N]  every Nth contact (default 10) ends in the CSV of invalid addresses
    import-stuck[=WAIT]  the import is accepted and stays queued for WAIT
    import-ends=STATE  the import ends in this state, documented or not. Half of the contacts are
                       imported and nobody is named; a STATE with "complet" in it imports all but
                       every tenth, whom the CSV names
    list-lags[=WAIT]   after the import, reads of its list do not show whom it added: for so many
                       reads (default 1) or seconds
    address-refused=WORD  e-mail addresses with WORD in them are invalid, alone and in imports
    keep-phones        an empty SMS leaves a contact's phone number, in whatever writes contacts
    key-revoked        401 from then on
    unknown-ip         401 because of an unrecognised IP address
    list-gone          the list of the call is deleted just before it
    contact-unsubscribed, contact-bounced, contact-gone
                       just before the call somebody on its list unsubscribes, bounces for good
                       (which blocklists the contact too), or unsubscribes and is deleted
    list-404           the list of the call is said not to exist, although it does
    list-replaced      the list of the call is deleted just before it, and its id given to another
                       list: of another name, in another folder, with somebody on it
    uncounted          lists of lists say of each list that nobody is on it
    account-validation, account-busy, no-credits, firewall
                       refused because of the account (400, 409, 402), or by a firewall (403)
    bad-request, not-allowed
                       refused (400, 403), whatever the call asks for
    no-contact         a removal is refused because of somebody who is no contact (404)
    odd-contact[=FIELD]  the last contact of a page is written oddly, with an id that is a text, a
                       flag that is a number and the like; only in FIELD, if given; for `row` there
                       are rows too that are no contacts
    wrong-count[=N]    the count beside a page is N (default 0), however many there are
    report-unreachable, report-elsewhere
                       the links of a process lead to a server that is down, or that is a stranger
    report-truncated, report-empty, report-quote, report-bomb, report-loop
                       a report is cut in half, names nobody, has a quote that nobody closes, grows
                       to 100 MB, or sends whoever asks for it round in circles

METHOD may be `*`. PATHGLOB is matched against the path below /v3, its `*` also matches slashes.
Without a target a fault meets every call of those that it speaks of. TIMES is how often it
strikes (default: always), SKIP how many matching calls pass before. WAIT is a number of further
requests, or of seconds when an `s` follows; without one it lasts for ever, or until a test calls
`release_late_imports` or `release_stuck_imports`.
Faults of an import, and of what it sends, add up; of all others the first that fits wins.
Examples: `524@POST /contacts/import*1`, `slow=3@GET /processes/*`, `429*2`, `import-late=30s*1`.
"""

import re
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from sandbox.brevo.delays import Wait

SYNTAX = "KIND[=VALUE][@METHOD PATHGLOB][*TIMES][+SKIP], for example 524@POST /contacts/import*1"

REFUSALS = frozenset({"400", "402", "403"})
BEFORE_WORK = frozenset({"429", "429-bare", "500", "502", "503", "drop"}) | REFUSALS
AFTER_WORK = frozenset({"524", "drop-after", "truncated", "html"})
LATE = {"late": 524, "import-late": 524, "late-500": 500, "late-504": 504}
ON_IMPORT = frozenset(
    {"import-failed", "import-partly", "import-stuck", "import-ends", "list-lags"}
)
ON_CONTACT = frozenset({"contact-unsubscribed", "contact-bounced", "contact-gone"})
ON_WRITES = frozenset({"address-refused", "keep-phones"})
ADD_UP = ON_IMPORT | ON_WRITES
ON_KEY = frozenset({"key-revoked", "unknown-ip"})
ON_LIST = frozenset({"list-gone", "list-replaced"})
ON_DATA = ON_CONTACT | ON_LIST
REFUSED = frozenset(
    {
        "account-busy",
        "account-validation",
        "bad-request",
        "firewall",
        "list-404",
        "no-contact",
        "no-credits",
        "not-allowed",
    }
)
DISTORTED = {
    "odd-contact": ("GET", "/contacts*"),
    "wrong-count": ("GET", "*"),
    "uncounted": ("GET", "/contacts/*"),
    "report-unreachable": ("GET", "/processes*"),
    "report-elsewhere": ("GET", "/processes*"),
    "report-truncated": ("GET", "/files/*"),
    "report-empty": ("GET", "/files/*"),
    "report-quote": ("GET", "/files/*"),
    "report-bomb": ("GET", "/files/*"),
    "report-loop": ("GET", "/files/*"),
}
KINDS = (
    BEFORE_WORK
    | AFTER_WORK
    | LATE.keys()
    | ADD_UP
    | ON_KEY
    | ON_DATA
    | REFUSED
    | DISTORTED.keys()
    | {"slow"}
)
_TARGETS = {
    **dict.fromkeys({*ON_IMPORT, "import-late"}, ("POST", "/contacts/import")),
    **DISTORTED,
    **dict.fromkeys({*ON_LIST, "list-404"}, ("*", "/contacts/lists/*")),
    "no-contact": ("POST", "/contacts/lists/*/contacts/remove"),
}
_NUMBERS = frozenset({"429", "slow", "import-partly"})
_WAITS = LATE.keys() | {"import-stuck", "list-lags"}
_WORDS = {
    "address-refused": "[A-Za-z0-9_.]+",
    "import-ends": "[A-Za-z0-9_.]+",
    "odd-contact": "id|emailBlacklisted|modifiedAt|listIds|attributes|row",
    "wrong-count": "[0-9]+",
}
_WITHOUT_DEFAULT = frozenset({"address-refused", "import-ends", "slow"})

_SPEC = re.compile(
    r"(?P<kind>[a-z0-9-]+)(?:=(?P<value>[A-Za-z0-9_.]+))?"
    r"(?:@(?P<method>[A-Z]+|\*) (?P<glob>/[^+]*?))?"
    r"(?:\*(?P<times>[0-9]+))?(?:\+(?P<skip>[0-9]+))?"
)


class BadFault(ValueError):
    """A fault that cannot be parsed; the message shows the syntax."""


@dataclass(slots=True)
class Fault:
    kind: str
    value: float | None = None
    method: str = "*"
    glob: str = "*"
    times: int | None = None
    skip: int = 0
    word: str = ""

    @classmethod
    def parse(cls, spec: str) -> "Fault":
        """Read a spec, or raise BadFault with the syntax."""
        match = _SPEC.fullmatch(spec.strip())
        if match is None or match["kind"] not in KINDS:
            known = ", ".join(sorted(KINDS))
            raise BadFault(f"{spec!r} is no fault. Write {SYNTAX}. Kinds: {known}.")
        kind, value = match["kind"], match["value"] or ""
        if problem := _problem(kind, value):
            raise BadFault(f"{spec!r} is no fault: {kind} {problem}. Write {SYNTAX}.")
        target = _TARGETS.get(kind, ("*", "*"))
        return cls(
            kind=kind,
            value=float(value) if value and kind in _NUMBERS else None,
            method=match["method"] or target[0],
            glob=match["glob"] or target[1],
            times=None if match["times"] is None else int(match["times"]),
            skip=int(match["skip"] or 0),
            word="" if kind in _NUMBERS else value,
        )

    def applies_to(self, method: str, path: str) -> bool:
        """Return whether this fault applies to this call, and count the call."""
        if self.method not in {"*", method} or not fnmatchcase(path, self.glob):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


def _problem(kind: str, value: str) -> str:
    """Return what is wrong with the value of a fault, if anything is."""
    if not value:
        return "needs a value" if kind in _WITHOUT_DEFAULT else ""
    if kind in _NUMBERS:
        return "" if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) else "takes a number"
    if kind in _WAITS:
        try:
            Wait.parse(value)
        except ValueError:
            return "takes a number of requests, or of seconds with an s"
        return ""
    if kind not in _WORDS:
        return "takes no value"
    return "" if re.fullmatch(_WORDS[kind], value) else f"takes {_WORDS[kind]}"


@dataclass(slots=True)
class Effects:
    """What the faults do to one call: a delay, at most one other fault, and those that add up."""

    delay: float = 0.0
    kind: str = ""
    value: float | None = None
    word: str = ""
    more: list[Fault] = field(default_factory=list)


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

    def effects_on(self, method: str, path: str) -> Effects:
        """Return what the faults do to this call; the first match wins, but some add up."""
        effects = Effects()
        with self._lock:
            for fault in self._faults:
                adds_up = fault.kind == "slow" or fault.kind in ADD_UP
                if (effects.kind and not adds_up) or not fault.applies_to(method, path):
                    continue
                if fault.kind == "slow":
                    effects.delay += fault.value or 0.0
                elif fault.kind in ADD_UP:
                    effects.more.append(fault)
                else:
                    effects.kind, effects.value, effects.word = fault.kind, fault.value, fault.word
            if effects.kind == "key-revoked":
                self.revoked = True
        return effects
