"""Run a process to its end and say what it took."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Cost:
    seconds: float
    megabytes: float


def python(*words: str, env: dict[str, str] | None = None) -> Cost:
    """Run this Python with these words; raises when the process does not end well."""
    begin = time.perf_counter()
    silent = subprocess.DEVNULL
    with subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, env=env, stdout=silent, stderr=silent
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    return Cost(time.perf_counter() - begin, usage.ru_maxrss / 1024)


def manage(*words: str, env: dict[str, str]) -> Cost:
    return python("manage.py", *words, env=env)
