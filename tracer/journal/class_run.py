"""A class marked into a folder, with a journal: what was done before is not done again, and nothing done is lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from tracer.classroom.many import FileResult, Marker, mark_all
from tracer.classroom.submissions import Submission
from tracer.journal.keys import key_of_file, key_start
from tracer.journal.store import Journal, Reports

ENDINGS = {"xlsx": ".marked.xlsx", "html": ".feedback.html"}


@dataclass
class ClassRun:
    """Marks files into a folder. `marked` counts those marked now, `vanished` are files that were there before."""

    marker: Marker
    submissions: Sequence[Submission]
    labels: Sequence[str]
    folder: Path
    journal: Journal
    marked: int = 0
    vanished: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def run(self, advance: Callable[[], None]) -> None:
        """Mark what is not marked yet; `advance` is called for each file, those done before among them."""
        start, before = key_start(self.marker), set(self.journal.names())
        keys = [key_of_file(start, each, label) for each, label in zip(self.submissions, self.labels, strict=True)]
        left = [k for k, key in enumerate(keys) if not self._is_done(key)]
        self.changed = [self.submissions[k].name for k in left if self.submissions[k].name in before]
        for _ in range(len(keys) - len(left)):
            advance()
        with _ended_by_signal():
            try:
                for k, result in zip(left, self._results(left, advance), strict=True):
                    self.journal.add(keys[k], result.line, result.document, self._written(k, result))
                    self.marked += 1
            finally:
                self.journal.keep()
        names = [each.name for each in self.submissions]
        self.vanished = sorted(before - set(names))
        self.journal.hand_in(zip(names, keys, strict=True))

    def _results(self, left: Sequence[int], advance: Callable[[], None]) -> Iterator[FileResult]:
        if not left:
            return iter(())
        files, labels = ([sequence[k] for k in left] for sequence in (self.submissions, self.labels))
        return mark_all(self.marker, files, labels, advance)  # type: ignore[arg-type]

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
