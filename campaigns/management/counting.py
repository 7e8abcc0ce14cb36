"""Show how much of a long piece of work is done: a bar on a terminal, now and then a line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from campaigns.management.progress import draw_bar

_A_LINE_EVERY = 50_000


@contextmanager
def counting(stream: Any, unit: str, *, total: int | None = None) -> Iterator[Callable[[int], Any]]:
    """Yield what is to be told how many more are done."""
    if stream.isatty():
        with draw_bar(stream, total=total, unit=f" {unit}", unit_scale=True) as bar:
            yield bar.update
        return
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        before, done = done // _A_LINE_EVERY, done + more
        if done // _A_LINE_EVERY > before:
            of = "" if total is None else f" of {total:,}"
            stream.write(f"{done:,}{of} {unit}\n")

    yield tell
