import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.people import prefetch as prefetch_module
from sandbox.people.prefetch import prefetch

needs_fork = pytest.mark.skipif(
    not prefetch_module._CAN_FORK, reason="makes all in one process here"
)


def fail_at_two(number) -> int:
    if number == 2:
        raise ValueError("two")
    return number


@needs_fork
def test_failure_of_the_maker_ends_the_work(capfd) -> None:
    made = prefetch(fail_at_two, 9)

    assert [next(made), next(made)] == [0, 1]
    with pytest.raises(RuntimeError, match="has ended early"):
        next(made)
    assert "ValueError: two" in capfd.readouterr().err


def test_failure_without_another_process_is_raised_as_it_is() -> None:
    with pytest.raises(ValueError, match="two"):
        list(prefetch(fail_at_two, 3))


@pytest.mark.parametrize("count", [0, 1, 3, 9])
def test_things_come_in_order_whoever_makes_them(count) -> None:
    assert list(prefetch(lambda number: number * "x", count)) == [n * "x" for n in range(count)]


@needs_fork
def test_many_things_are_made_by_another_process() -> None:
    makers = set(prefetch(lambda _: os.getpid(), 5))

    assert len(makers) == 1
    assert os.getpid() not in makers


def test_where_processes_cannot_be_forked_all_is_made_here(monkeypatch) -> None:
    monkeypatch.setattr(prefetch_module, "_CAN_FORK", False)

    assert set(prefetch(lambda _: os.getpid(), 5)) == {os.getpid()}


@needs_fork
def test_maker_ends_when_nobody_wants_more() -> None:
    made = prefetch(lambda number: (os.getpid(), "x" * 1_000_000), 1000)
    maker, _ = next(made)

    made.close()

    with pytest.raises(ProcessLookupError):
        os.kill(maker, 0)


@needs_fork
def test_maker_ends_when_its_parent_is_killed() -> None:
    program = (
        "import os\n"
        "from sandbox.people.prefetch import prefetch\n"
        "for pid in prefetch(lambda n: (os.getpid(), 'x' * 1_000_000), 1000):\n"
        "    print(pid[0], flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )

    assert ended.returncode == -signal.SIGKILL
    maker, deadline = int(ended.stdout), time.monotonic() + 10
    while _runs(maker) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(maker)


def _runs(pid) -> bool:
    """True for a living process; one that only waits to be buried is dead."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
