"""Files marked in processes of their own: where one ends of itself, its file is named and another takes its place."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, Protocol, TypeVar

from tracer.classroom.submissions import Submission
from tracer.processes import can_copy

Result = TypeVar("Result")
Marks = TypeVar("Marks", covariant=True)
LONGEST = 20.0  # seconds for one file, its reports among them, on a machine that may be busy
AT_ONCE = 25  # files that a process is handed
LOOKS = 0.25  # seconds between two looks whether this process's parent still lives
ENDED = "the process that marked it stopped unexpectedly; the file may be damaged, or too large to mark"
TOO_LONG = f"took more than {LONGEST:.0f} seconds to mark"


class Marking(Protocol[Marks]):
    """Marks a file; `bare` is without what no process can hand to another."""

    def mark(self, hand_in: Submission, label: str) -> Marks: ...

    def bare(self) -> Marking[Marks]: ...


@dataclass(eq=False)
class _Worker:
    """A process, and the numbers of the files that it has still to mark, the first of them at work."""

    process: BaseProcess
    pipe: Connection
    files: deque[int] = field(default_factory=deque)
    since: float = 0.0


class Crew(Generic[Result]):
    """Marks files over several processes. `fault` makes the result of one that a process did not live through."""

    def __init__(self, marker: Marking[Result], count: int, fault: Callable[[Submission, str], Result]) -> None:
        self.marker, self.fault = marker, fault
        self.workers = [self._started() for _ in range(count)]

    def marked(self, submissions: Sequence[Submission], labels: Sequence[str]) -> Iterator[Result]:
        """The results in the order of the files."""
        left, done = deque(range(len(submissions))), dict[int, Result]()
        at_once = max(1, min(AT_ONCE, len(submissions) // (4 * len(self.workers))))
        try:
            for number in range(len(submissions)):
                while number not in done:
                    self._hand_out(left, at_once, submissions, labels)
                    self._collect(left, done, submissions)
                yield done.pop(number)
        finally:
            for each in self.workers:
                _end(each)

    def _hand_out(
        self, left: deque[int], at_once: int, submissions: Sequence[Submission], labels: Sequence[str]
    ) -> None:
        for worker in self.workers:
            if not worker.files and left:
                worker.files.extend(left.popleft() for _ in range(min(at_once, len(left))))
                worker.since = time.monotonic()
                try:
                    worker.pipe.send([(submissions[each], labels[each]) for each in worker.files])
                except OSError:  # it has ended, which is seen when nothing comes of it
                    continue

    def _collect(self, left: deque[int], done: dict[int, Result], submissions: Sequence[Submission]) -> None:
        """Take what has come, and put others in the place of processes that ended or take too long."""
        busy = [each for each in self.workers if each.files]
        ready = set(wait([each.pipe for each in busy], timeout=1.0))
        for worker in busy:
            late = time.monotonic() - worker.since > LONGEST
            ended = worker.pipe in ready and not _received(worker, done)
            if worker.files and (ended or late):
                number = worker.files.popleft()
                done[number] = self.fault(submissions[number], TOO_LONG if late and not ended else ENDED)
                left.extendleft(reversed(worker.files))
                _end(worker)
                self.workers[self.workers.index(worker)] = self._started()

    def _started(self) -> _Worker:
        method = "fork" if can_copy() else "spawn"
        context = get_context(method)
        ours, theirs = context.Pipe()
        marker = self.marker if method == "fork" else self.marker.bare()
        process = context.Process(target=_serve, args=(theirs, marker), daemon=True)  # type: ignore[attr-defined]
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of threads that numpy has waiting
            process.start()
        theirs.close()
        return _Worker(process, ours)


def _received(worker: _Worker, done: dict[int, Result]) -> bool:
    """Take one result of a worker; False where it has ended. Raises what the worker could not go on after."""
    try:
        result = worker.pipe.recv()
    except (EOFError, OSError):
        return False
    if isinstance(result, Exception):
        raise result
    done[worker.files.popleft()] = result
    worker.since = time.monotonic()
    return True


def _end(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.kill()
    worker.process.join()


def _serve(pipe: Connection, marker: Marking[object]) -> None:
    """In a process of its own: mark what comes, until nothing does or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent has it too, and says when to stop
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    gc.freeze()  # what is here now stays: no search for garbage need go through it again
    try:
        while True:
            for hand_in, label in pipe.recv():
                try:
                    pipe.send(marker.mark(hand_in, label))
                except OSError:
                    raise
                except Exception as wrong:  # the reports cannot be written, or the problem cannot be marked
                    pipe.send(wrong)
    except (EOFError, OSError):
        pass


def _watch(parent: int) -> None:
    """End this process once its parent has: whatever ended that may have left it no time to say so."""
    while os.getppid() == parent:
        time.sleep(LOOKS)
    os._exit(1)
