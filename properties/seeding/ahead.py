"""Make the next thing while the last one is in use."""

import os
import signal
import sys
from collections.abc import Callable, Generator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TypeVar

Thing = TypeVar("Thing")

_CAN_FORK = sys.platform == "linux" and (os.cpu_count() or 1) > 1


def ahead(
    make: Callable[[int], Thing], count: int, *, worth_it: int = 4
) -> Generator[Thing, None, None]:
    """Yield ``make(0)``, ``make(1)``, … ``make(count - 1)``, made by a process of their own.

    That process is one thing ahead and no more, uses no database, and ends with this one, however
    this one ends. Fewer than ``worth_it`` things are made here, and so are all where processes
    cannot be forked.
    """
    if count < worth_it or not _CAN_FORK:
        yield from map(make, range(count))
        return
    context = get_context("fork")
    reader, writer = context.Pipe(duplex=False)
    maker = context.Process(target=_send_all, args=(reader, writer, make, count), daemon=True)
    maker.start()
    writer.close()
    try:
        for _ in range(count):
            yield reader.recv()
    except EOFError as error:
        raise RuntimeError("The process that makes the data has ended early.") from error
    finally:
        reader.close()  # whoever still sends now ends by itself
        maker.join()


def _send_all(
    reader: Connection, writer: Connection, make: Callable[[int], object], count: int
) -> None:
    reader.close()  # the last reader must be the parent's, or its death would go unnoticed
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    try:
        for number in range(count):
            writer.send(make(number))
    except BrokenPipeError:
        return
