"""Faults that change what a call that writes contacts does."""

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.brevo.faults import Fault

_EVERY = 10


@dataclass(frozen=True, slots=True)
class WriteFaults:
    """How the faults of one call change what it writes.

    An empty SMS leaves the number with `keep_phones`; addresses with `refused` in them are invalid.
    An import `ends` in a state; each `spoil_every`-th row is refused; only the first half of the
    rows is read when it `breaks_off`; it stays queued while it is `stuck`, and reads of its lists
    do not show whom it added while it `lags`.
    """

    ends: str = "completed"
    spoil_every: int = 0
    breaks_off: bool = False
    stuck: str | None = None
    lags: str = ""
    keep_phones: bool = False
    refused: str = ""

    @classmethod
    def of(cls, faults: Iterable[Fault]) -> "WriteFaults":
        kinds = {fault.kind: fault for fault in faults}
        ends = "failed" if "import-failed" in kinds else "completed"
        every, breaks_off = 0, False
        if partly := kinds.get("import-partly"):
            every = max(int(partly.value or _EVERY), 1)
        if state := kinds.get("import-ends"):
            ends = state.word
            breaks_off = "complet" not in ends
            every = every or (0 if breaks_off or ends == "completed" else _EVERY)
        stuck, lags = kinds.get("import-stuck"), kinds.get("list-lags")
        return cls(
            ends=ends,
            spoil_every=every,
            breaks_off=breaks_off,
            stuck=stuck.word if stuck else None,
            lags=(lags.word or "1") if lags else "",
            keep_phones="keep-phones" in kinds,
            refused=refused.word if (refused := kinds.get("address-refused")) else "",
        )

    def refuses(self, email: str | None) -> bool:
        return bool(self.refused) and self.refused.lower() in (email or "")

    @property
    def imports_nobody(self) -> bool:
        return self.ends == "failed" and not self.breaks_off


NO_WRITE_FAULTS = WriteFaults()
