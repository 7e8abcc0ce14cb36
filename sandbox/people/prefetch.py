"""Produce the next item in a second process while the caller uses the current one."""

import os
import signal
import sys
from collections.abc import Callable, Generator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TypeVar

Item = TypeVar("Item")

_CAN_FORK = sys.platform == "linux" and (os.cpu_count() or 1) > 1


def prefetch(
    make: Callable[[int], Item], count: int, *, minimum: int = 4
) -> Generator[Item, None, None]:
    """Yield ``make(0)``, ``make(1)``, … ``make(count - 1)``, computed in a child process.

    The child process is at most one item ahead, does not use the database, and ends with this
    process, however this one ends. Fewer than ``minimum`` items are computed in this process, and
    so are all where processes cannot be forked.
    """
    if count < minimum or not _CAN_FORK:
        yield from map(make, range(count))
        return
    context = get_context("fork")
    reader, writer = context.Pipe(duplex=False)
    child = context.Process(target=_send_all, args=(reader, writer, make, count), daemon=True)
    child.start()
    writer.close()
    try:
        for _ in range(count):
            yield reader.recv()
    except EOFError as error:
        raise RuntimeError("The process that makes the data has ended early.") from error
    finally:
        reader.close()  # a child that is still sending gets BrokenPipeError and ends
        child.join()


def _send_all(
    reader: Connection, writer: Connection, make: Callable[[int], object], count: int
) -> None:
    # With this copy open, the child would not get BrokenPipeError when its parent dies.
    reader.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    try:
        for number in range(count):
            writer.send(make(number))
    except BrokenPipeError:
        return
