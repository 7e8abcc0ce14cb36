"""A process that is killed on purpose: run with the number of the step before which it dies.

A step is a statement that writes to the database, a request to Brevo, or an answer from it.
Spending from a budget is none: it is the same step as the request.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import django
import requests


class Steps:
    """Counts the steps of this process and ends it, without any farewell, before a given one."""

    def __init__(self, last: int) -> None:
        self.last, self.taken = last, 0
        self._one_at_a_time = threading.Lock()  # a run works in two threads on PostgreSQL

    def step(self, name: str) -> None:
        with self._one_at_a_time:
            self.taken += 1
            if self.taken == self.last:
                print(name, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)

    def on_statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        words = sql.split(None, 8)
        if words[0] in {"INSERT", "UPDATE", "DELETE"} and "requestbudget" not in sql:
            self.step(" ".join(words[:6])[:70])
        return execute(sql, params, many, context)

    def on_connection(self, connection: Any, **_: Any) -> None:
        """Watch the connections that threads of the run open, too."""
        if self.on_statement not in connection.execute_wrappers:
            connection.execute_wrappers.append(self.on_statement)

    def on_request(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(session: Any, request: Any, **options: Any) -> Any:
            name = f"{request.method} {request.path_url.split('?')[0]}"
            self.step(f"before {name}")
            answer = send(session, request, **options)
            self.step(f"answered {name}")
            return answer

        return wrapped


def main() -> None:
    django.setup()
    from django.db import connection
    from django.db.backends.signals import connection_created

    from campaigns.sync import brake, chunks, sending
    from campaigns.sync.runs import run_export

    brake._SMALL_LIST = 4
    sending._HANDFUL = 2
    chunks.FIRST_LOOK = 0.01
    for line in sys.stdin:
        export_id, last = map(int, line.split())
        if not (child := os.fork()):
            steps = Steps(last)
            requests.Session.send = steps.on_request(requests.Session.send)  # type: ignore[method-assign]
            connection_created.connect(steps.on_connection)
            try:
                with connection.execute_wrapper(steps.on_statement):
                    run_export(export_id)
                print("survived", flush=True)
            except BaseException as error:
                print(repr(error), flush=True)
                raise
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        print("over", flush=True)


if __name__ == "__main__":
    main()
