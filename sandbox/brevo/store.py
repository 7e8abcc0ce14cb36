"""The stand-in's data: one SQLite file, one connection, one lock.

Triggers count the members of each list, so that no counter can be forgotten and no list is ever
scanned to be counted. Results computed for reading are cached until the next write.
"""

import sqlite3
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.brevo.delays import Wait

_SETTINGS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -131072;
"""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS folder (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS list (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, folder_id INTEGER NOT NULL,
    created INTEGER NOT NULL, members INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS list_folder ON list (folder_id);
CREATE TABLE IF NOT EXISTS contact (
    id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT UNIQUE, phone TEXT, ext_id TEXT,
    attributes TEXT NOT NULL DEFAULT '{}', blocked INTEGER NOT NULL DEFAULT 0,
    sms_blocked INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, modified INTEGER NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS contact_phone ON contact (phone) WHERE phone IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS contact_ext_id ON contact (ext_id) WHERE ext_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS contact_modified ON contact (modified, created);
CREATE INDEX IF NOT EXISTS contact_blocked ON contact (id) WHERE blocked;
CREATE TABLE IF NOT EXISTS member (
    list_id INTEGER NOT NULL, contact_id INTEGER NOT NULL,
    PRIMARY KEY (list_id, contact_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS member_contact ON member (contact_id);
CREATE TRIGGER IF NOT EXISTS member_added AFTER INSERT ON member BEGIN
    UPDATE list SET members = members + 1 WHERE id = NEW.list_id; END;
CREATE TRIGGER IF NOT EXISTS member_removed AFTER DELETE ON member BEGIN
    UPDATE list SET members = members - 1 WHERE id = OLD.list_id; END;
CREATE TABLE IF NOT EXISTS statistic (
    contact_id INTEGER NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS statistic_contact ON statistic (contact_id);
CREATE TABLE IF NOT EXISTS attribute (
    name TEXT PRIMARY KEY, category TEXT NOT NULL, definition TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS process (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, status TEXT NOT NULL,
    list_ids TEXT NOT NULL, payload BLOB, created INTEGER NOT NULL, finished INTEGER,
    contacts INTEGER);
CREATE INDEX IF NOT EXISTS process_open ON process (id) WHERE finished IS NULL;
CREATE TABLE IF NOT EXISTS report (
    process_id INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (process_id, kind));
CREATE TABLE IF NOT EXISTS webhook (
    id INTEGER PRIMARY KEY AUTOINCREMENT, definition TEXT NOT NULL, created INTEGER NOT NULL,
    modified INTEGER NOT NULL);
CREATE TEMP TABLE staged (
    pos INTEGER PRIMARY KEY, email TEXT NOT NULL, phone TEXT, attributes TEXT NOT NULL);
"""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Lag:
    """Whom the reads of a list do not show yet, and how long."""

    hidden: frozenset[int]
    wait: Wait


class Store:
    """The data of the stand-in. Use `db` only inside `reading()` or `writing()`."""

    def __init__(self, data: str, *, unicode_domains: bool = False) -> None:
        self.unicode_domains = unicode_domains
        if data != ":memory:":
            Path(data).absolute().parent.mkdir(parents=True, exist_ok=True)
            Path(data).touch(mode=0o600)  # it holds people's data, even if they are invented
        self._lock = threading.RLock()
        self.cache: dict[Hashable, Any] = {}
        self.lags: dict[int, Lag] = {}
        self.db = sqlite3.connect(data, isolation_level=None, check_same_thread=False)
        try:
            self.db.row_factory = sqlite3.Row
            self.db.executescript(_SETTINGS + _SCHEMA)
        except sqlite3.Error:
            self.db.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            yield self.db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the lock and one transaction: all of the block is kept, or nothing."""
        with self._lock:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
            except BaseException:
                self.db.execute("ROLLBACK")
                raise
            else:
                self.db.execute("COMMIT")
            finally:
                self.cache.clear()

    def close(self) -> None:
        with self._lock:
            self.db.close()

    def value(self, sql: str, *arguments: Any) -> Any:
        """Return the first column of the first row, or None."""
        row = self.db.execute(sql, arguments).fetchone()
        return None if row is None else row[0]

    def row(self, sql: str, *arguments: Any) -> dict[str, Any] | None:
        row = self.db.execute(sql, arguments).fetchone()
        return None if row is None else dict(row)

    def rows(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in self.db.execute(sql, arguments)]
