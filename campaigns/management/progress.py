"""Show how far a run is: a bar on a terminal, plain lines elsewhere."""

from typing import Any

from tqdm import tqdm


class _Terminal:
    """The stream of a command as a bar needs it: Django ends each write with a line, in red."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> None:
        self._stream.write(text, style_func=str, ending="")


def draw_bar(stream: Any, **options: Any) -> "tqdm[Any]":
    """Return a bar on a command's stream, which is a terminal; it leaves no trace when closed."""
    return tqdm(file=_Terminal(stream), leave=False, **options)


class Watcher:
    """Told of progress by a run; draws it on the error stream."""

    def __init__(self, stream: Any, *, silent: bool = False) -> None:
        self._stream = stream
        self._silent = silent
        self._name = self._phase = ""
        self._bar: tqdm[Any] | None = None

    def start(self, name: str) -> None:
        self._name, self._phase = name, ""
        if not self._silent and self._stream.isatty():
            self._bar = draw_bar(self._stream, desc=name, unit=" people")

    def __call__(self, phase: str, done: int, total: int) -> None:
        if self._bar is not None:
            self._bar.total = total
            self._bar.set_postfix_str(phase, refresh=False)
            self._bar.update(done - self._bar.n)
            self._bar.refresh()
        elif phase != self._phase and not self._silent:
            self._stream.write(f"{self._name}: {phase[:1].lower()}{phase[1:]} ({done} of {total})")
        self._phase = phase

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
