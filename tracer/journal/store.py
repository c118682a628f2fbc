"""The journal of a class: what came of every file, kept as it comes, so that a run can go on where it was ended.

SQLite with a write-ahead log and one writer. A row's key is the hash of everything that decides what comes of a file:
its content and name, the problem, the options and the version of the marking rules. What is in it stands in README.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from tracer.classroom.class_marks import MarksLine
from tracer.classroom.submissions import JOURNAL
from tracer.errors import ExportError

NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)  # what a full disk answers, and a file that may not grow
KEPT_AFTER = 0.5  # seconds that may be lost where the power goes
_TABLES = """
CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, line TEXT NOT NULL, document TEXT, reports TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS handed_in (position INTEGER PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL,
    digest TEXT NOT NULL);
"""

Reports = Sequence[tuple[str, int]]
"""The reports of a file: their names in the folder, and their sizes."""


class Journal:
    """The journal in a folder. Raises ExportError where it cannot be read or written."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL
        self._last = time.monotonic()
        with self._faults():
            self._base = sqlite3.connect(self.path, isolation_level=None)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=NORMAL")
            self._base.executescript(_TABLES)
            self._base.execute("BEGIN")

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.keep()
        finally:
            self._base.close()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as wrong:
            if wrong.sqlite_errorcode & 0xFF in NO_ROOM:
                says = f"cannot be written ({wrong}); where there is room again, the same command goes on from there"
                raise ExportError(f"{self.path}: {says}") from None
            raise ExportError(f"{self.path}: cannot be used: {wrong}; --afresh begins a new one") from None

    def keep(self) -> None:
        """Commit what has come so far."""
        with self._faults():
            if self._base.in_transaction:  # which a full disk ends, and that was said already
                self._base.execute("COMMIT")
            self._base.execute("BEGIN")
        self._last = time.monotonic()

    def clear(self) -> None:
        """Forget everything."""
        with self._faults():
            self._base.execute("DELETE FROM results")
            self._base.execute("DELETE FROM handed_in")

    def reports(self, key: str) -> Reports | None:
        """The reports of what came of a file before; None where nothing did."""
        with self._faults():
            found = self._base.execute("SELECT reports FROM results WHERE key = ?", (key,)).fetchone()
        return None if found is None else [(name, size) for name, size in json.loads(found[0])]

    def add(self, key: str, line: MarksLine, document: Mapping[str, Any] | None, reports: Reports) -> None:
        """Note what came of a file."""
        texts = (
            _text({each.name: getattr(line, each.name) for each in fields(line)}),
            None if document is None else _text(document),
            _text(list(reports)),
        )
        with self._faults():
            self._base.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", (key, *texts))
        if time.monotonic() - self._last > KEPT_AFTER:
            self.keep()

    def digests(self) -> dict[str, str]:
        """The files of the run before, with the hashes of what was in them."""
        with self._faults():
            return dict(self._base.execute("SELECT name, digest FROM handed_in ORDER BY position"))

    def hand_in(self, files: Iterable[tuple[str, str, str]]) -> None:
        """Note the files of this run in their order, each with key and digest; what belongs to none of them goes."""
        with self._faults():
            self._base.execute("DELETE FROM handed_in")
            self._base.executemany(
                "INSERT INTO handed_in VALUES (?, ?, ?, ?)", ((k, *each) for k, each in enumerate(files))
            )
            self._base.execute("DELETE FROM results WHERE key NOT IN (SELECT key FROM handed_in)")
        self.keep()

    def lines(self) -> Iterator[MarksLine]:
        """What came of each file, in the order in which they were handed in."""
        rows = self._base.execute("SELECT line FROM handed_in JOIN results USING (key) ORDER BY position")
        with self._faults():
            for (text,) in rows:
                yield _line(json.loads(text))

    def documents(self) -> Iterator[Any]:
        """What `--json` prints of each file."""
        rows = self._base.execute("SELECT document FROM handed_in JOIN results USING (key) ORDER BY position")
        with self._faults():
            for (text,) in rows:
                yield json.loads(text)

    def forget(self, names: Sequence[str]) -> list[str]:
        """Remove files by name; the names of their reports."""
        gone: list[str] = []
        with self._faults():
            for name in names:
                found = "SELECT reports FROM results WHERE key IN (SELECT key FROM handed_in WHERE name = ?)"
                for (text,) in self._base.execute(found, (name,)).fetchall():
                    gone.extend(report for report, _ in json.loads(text))
                self._base.execute(
                    "DELETE FROM results WHERE key IN (SELECT key FROM handed_in WHERE name = ?)", (name,)
                )
                self._base.execute("DELETE FROM handed_in WHERE name = ?", (name,))
            self._base.execute("COMMIT")
            self._base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._base.execute("VACUUM")  # or it would still stand in the file's free pages
            self._base.execute("BEGIN")
        return gone


class JournalLines:
    """The lines of a journal, as often as they are asked for, without holding them all."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    def __iter__(self) -> Iterator[MarksLine]:
        return self.journal.lines()


def _text(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _line(kept: dict[str, Any]) -> MarksLine:
    return MarksLine(**{**kept, "total": tuple(kept["total"])})
