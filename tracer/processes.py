"""Work beside this process's own, where there is more than one core."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def beside(work: Callable[[], None]) -> Iterator[None]:
    """Do `work`, which writes files, in a copy of this process while the body runs.

    Where there can be no copy, or `work` fails in it, it is done here after the body, so that its error is raised here:
    it must bear being done twice. An error of the body, or an interrupt, ends it.
    """
    child = _start(work)
    try:
        yield
        done = child is not None and os.waitpid(child, 0)[1] == 0
    except BaseException:
        if child is not None:
            _stop(child)
        raise
    if not done:
        work()


def _start(work: Callable[[], None]) -> int | None:
    """The process that does the work, by its id; None where there is none."""
    if not can_copy():
        return None
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # as it is where the program was started without one
            stream.flush()
    try:
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of threads that numpy has waiting
            child = os.fork()
    except OSError:  # no more processes
        return None
    if child == 0:
        status = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent has it too, and says when to stop
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def can_copy() -> bool:
    """Whether a copy of this process would live, be of use, and be heard of when it ends."""
    if not hasattr(os, "fork") or sys.platform == "darwin":  # it has fork, but its libraries may not live through it
        return False
    alone = threading.active_count() == 1  # another thread may hold a lock that nobody would open
    return alone and cores() > 1 and signal.getsignal(signal.SIGCHLD) is not signal.SIG_IGN


def _stop(child: int) -> None:
    """End the work, which takes away what it has half written."""
    with suppress(ProcessLookupError, ChildProcessError):  # it has ended already
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
