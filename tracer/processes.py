"""Work beside this process's own, where there is more than one core."""

from __future__ import annotations

import os
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
    """Do `work`, which writes files and prints nothing, in a copy of this process while the body runs.

    Where there can be no copy, or `work` fails in it, it is done here after the body, so that its error is raised here.
    """
    child = _start(work)
    try:
        yield
    except BaseException:
        _succeeded(child)
        raise
    if not _succeeded(child):
        work()


def _start(work: Callable[[], None]) -> int | None:
    """The process that does the work, by its id; None where there is none."""
    # macOS has fork, but its libraries may not live through it; a second thread may hold a lock that nobody would open
    if not hasattr(os, "fork") or sys.platform == "darwin" or threading.active_count() > 1 or cores() < 2:
        return None
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    try:
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of threads that numpy has waiting
            child = os.fork()
    except OSError:  # no more processes
        return None
    if child == 0:
        status = 1
        with suppress(BaseException):
            work()
            status = 0
        os._exit(status)
    return child


def _succeeded(child: int | None) -> bool:
    return child is not None and os.waitpid(child, 0)[1] == 0
