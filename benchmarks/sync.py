"""What a sync costs against the least that anybody could do, on PostgreSQL and the stand-in."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import requests

from benchmarks import world
from benchmarks.measure import Cost, manage, python

_MAKE_SEGMENT = """
import django
django.setup()
from campaigns.models import Segment
Segment(name="Everybody", countries=["NG"]).save()
"""
_SAMPLE = 2_000  # people sent one by one
_PER_SECOND = 10  # Brevo's limit


class Account:
    """A fresh Brevo with our attributes, beside a database."""

    def __init__(self, dsn: str, url: str) -> None:
        self.dsn, self.url = dsn, url
        self.env = world.environment(dsn, url) | {"DJANGO_SETTINGS_MODULE": "config.settings"}
        self.session = requests.Session()
        self.session.headers["api-key"] = "sandbox"
        for name in ("COUNTRY", "STATE", "REFERRAL_SOURCE"):
            self._post(f"contacts/attributes/normal/{name}", {"type": "text"})

    def _post(self, path: str, body: object) -> int:
        answer = self.session.post(f"{self.url}/{path}", json=body)
        answer.raise_for_status()
        return int(answer.json().get("id", 0)) if answer.content else 0

    def new_list(self, name: str) -> str:
        folder = self._post("contacts/folders", {"name": name})
        return str(self._post("contacts/lists", {"name": name, "folderId": folder}))

    def sync(self) -> Cost:
        return manage("sync_segment", "--all", "--verify", "off", env=self.env)


@contextmanager
def account(dsn: str) -> Iterator[Account]:
    with (
        tempfile.TemporaryDirectory() as folder,
        world.brevo(Path(folder) / "brevo.sqlite3") as url,
    ):
        yield Account(dsn, url)


def run(people: int) -> dict[str, float]:
    """Return the figures for a shop of so many people."""
    dsn = world.database(people)
    try:
        with account(dsn) as brevo:
            floor = python("-m", "benchmarks.floor", dsn, brevo.url, brevo.new_list("floor"))
        with account(dsn) as brevo:
            python("-c", _MAKE_SEGMENT, env=brevo.env)
            first = brevo.sync()
            imports = _ask(dsn, "SELECT count(*) FROM campaigns_exportchunk")
            unchanged = brevo.sync()
            _change(dsn, people // 1000)
            second = brevo.sync()
            runs = _runs(dsn)
        with account(dsn) as brevo:
            list_id, sample = brevo.new_list("one by one"), str(min(_SAMPLE, people))
            alone = python("-m", "benchmarks.usual_way", dsn, brevo.url, list_id, sample)
    finally:
        world.drop(dsn)
    one_by_one = alone.seconds / min(_SAMPLE, people) * people
    return {
        "floor, s": floor.seconds,
        "first sync, s": first.seconds,
        "first sync / floor": first.seconds / floor.seconds,
        "peak memory, MB": first.megabytes,
        "imports": imports,
        "unchanged sync / first": unchanged.seconds / first.seconds,
        "0.1 % changed / first": second.seconds / first.seconds,
        "unchanged / first, without starting Python": runs[1] / runs[0],
        "0.1 % changed / first, without starting Python": runs[2] / runs[0],
        "one by one, unlimited / first": one_by_one / first.seconds,
        "one by one, 10 a second / first": people / _PER_SECOND / first.seconds,
    }


def _change(dsn: str, people: int) -> None:
    """Let a third each leave, come back under another address, and change their data."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            """
            UPDATE accounts_user SET
                marketing_consent = CASE id %% 3 WHEN 0 THEN 'OPTED_OUT' ELSE 'UNKNOWN' END,
                first_name = CASE id %% 3 WHEN 1 THEN 'Changed' ELSE first_name END,
                email_key = CASE id %% 3 WHEN 2 THEN 'new.' || email_key ELSE email_key END
            WHERE id <= (SELECT min(id) FROM accounts_user) + %s
            """,
            (people,),
        )
        connection.execute("VACUUM ANALYZE")  # as autovacuum has done when the next sync is due


def _ask(dsn: str, question: str) -> float:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(question).fetchone()
    return float(row[0]) if row else 0.0


def _runs(dsn: str) -> list[float]:
    """Return the seconds that each run took by its own record, the oldest first."""
    took = "SELECT extract(epoch FROM finished_at - started_at) FROM campaigns_segmentexport"
    with psycopg.connect(dsn) as connection:
        return [float(row[0]) for row in connection.execute(f"{took} ORDER BY id")]


def report(sizes: list[int]) -> str:
    columns = {size: run(size) for size in sizes}
    names = list(next(iter(columns.values())))
    lines = ["| | " + " | ".join(f"{size:,} people" for size in sizes) + " |"]
    lines.append("|---|" + "---:|" * len(sizes))
    lines += [
        f"| {name} | " + " | ".join(f"{columns[size][name]:,.3g}" for size in sizes) + " |"
        for name in names
    ]
    return "\n".join([f"{os.cpu_count()} cores, PostgreSQL, the stand-in for Brevo", "", *lines])
