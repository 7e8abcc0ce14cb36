"""Let the database work beside us: one task at a time, in a thread with a connection of its own."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from django.db import connection


class Beside:
    """Runs a task while its owner goes on; what the task raises comes out of the next ``join``.

    Where a second connection could not see or write what the first does, inside a transaction and
    on SQLite, the task is run at once instead.
    """

    def __init__(self) -> None:
        self._apart = connection.vendor == "postgresql" and not connection.in_atomic_block
        self._thread = ThreadPoolExecutor(1)
        self._task: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Wait for the task; an error of the owner's comes before one of the task's."""
        self._thread.shutdown(wait=True)
        if error is None:
            self.join()

    def do(self, task: Callable[..., None], *words: Any) -> None:
        self.join()
        if self._apart:
            self._task = self._thread.submit(_with_own_connection, task, *words)
        else:
            task(*words)

    def join(self) -> None:
        """Wait until the task is done; raise what it raised."""
        task, self._task = self._task, None
        if task is not None:
            task.result()


def _with_own_connection(task: Callable[..., None], *words: Any) -> None:
    try:
        task(*words)
    finally:
        connection.close()
