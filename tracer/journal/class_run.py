"""A class marked into a folder, with a journal: what was done before is not done again, and nothing done is lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TypeAlias

from tracer.classroom.many import FileResult, Marker
from tracer.classroom.submissions import Submission
from tracer.journal.keys import digest_of, key_of_file, key_start
from tracer.journal.store import Journal, Reports

MarkAll: TypeAlias = Callable[[Marker, Sequence[Submission], Sequence[str], Callable[[], None]], Iterator[FileResult]]
"""Marks files, called as these labels say, in their order; calls the last after each."""

ENDINGS = {"xlsx": ".marked.xlsx", "html": ".feedback.html"}


@dataclass
class ClassRun:
    """Marks files into a folder. `done` counts those that are marked, `vanished` are files that were there before.

    `same` are files in which nothing has changed since the run before; `sheets` has results that are to be shown.
    """

    marker: Marker
    submissions: Sequence[Submission]
    labels: Sequence[str]
    folder: Path
    journal: Journal
    done: int = 0
    vanished: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: set[str] = field(default_factory=set)
    sheets: dict[str, FileResult] = field(default_factory=dict)

    def run(self, advance: Callable[[], None], mark: MarkAll) -> None:
        """Mark what is not marked yet; `advance` is called for each file, those done before among them."""
        start, before = key_start(self.marker), self.journal.digests()
        names, digests = [each.name for each in self.submissions], list(map(digest_of, self.submissions))
        keys = [key_of_file(start, *each) for each in zip(self.submissions, self.labels, digests, strict=True)]
        shown = self.marker.sheets  # a few sheets are marked anew, to be shown in full
        left = [k for k, key in enumerate(keys) if shown or not self._is_done(key)]
        self.same = {name for name, digest in zip(names, digests, strict=True) if before.get(name) == digest}
        self.changed = [name for name in names if name in before and name not in self.same]
        for _ in range(len(keys) - len(left)):
            advance()
        self.done = len(keys) - len(left)
        with _ended_by_signal():
            try:
                for k, result in zip(left, self._results(left, advance, mark), strict=True):
                    self.journal.add(keys[k], result.line, result.document, self._written(k, result))
                    self.done += 1
                    if result.sheet is not None:
                        self.sheets[result.line.file] = result
            finally:
                self.journal.keep()
        self.vanished = sorted(before.keys() - set(names))
        self.journal.hand_in(zip(names, keys, digests, strict=True))

    def _results(self, left: Sequence[int], advance: Callable[[], None], mark: MarkAll) -> Iterator[FileResult]:
        if not left:
            return iter(())
        files, labels = [self.submissions[k] for k in left], [self.labels[k] for k in left]
        return mark(self.marker, files, labels, advance)

    def _is_done(self, key: str) -> bool:
        """Whether a file was marked before, and its reports are still there as they were written."""
        reports = self.journal.reports(key)
        return reports is not None and all(_size(self.folder / name) == size for name, size in reports)

    def _written(self, number: int, result: FileResult) -> Reports:
        """The reports that were written of a file."""
        if result.line.fault:
            return []
        names = (f"{self.labels[number]}{ENDINGS[each]}" for each in sorted(self.marker.reports))
        return [(name, _size(self.folder / name)) for name in names]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """SIGTERM ends the body as Ctrl-C does, so that everything done so far is kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
