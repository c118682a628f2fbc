"""How much of the machine a piece of work may take, where the system can hold it to that."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from tracer.errors import TracerError

AGAIN = 0.5  # seconds after which a limit that was caught on its way out is said once more

_OWN_SIZE = Path("/proc/self/statm")  # in pages; Linux alone


class LimitError(TracerError):
    """A piece of work took too much."""


@contextmanager
def held_to(seconds: float, memory: int, too_long: str, too_large: str) -> Iterator[None]:
    """Hold the body to so many seconds of a core's time, and bytes beyond what the process has already.

    Raises LimitError, with the one message or the other, where it would go beyond a limit.
    """
    with ExitStack() as limits:
        limits.enter_context(_limited_memory(memory, too_large))
        limits.enter_context(_limited_time(seconds, too_long))
        yield


@contextmanager
def _limited_time(seconds: float, too_long: str) -> Iterator[None]:
    """A signal reaches the main thread alone, and Python between two of its own steps."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise LimitError(too_long)

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@contextmanager
def _limited_memory(memory: int, too_large: str) -> Iterator[None]:
    """What is asked of the system beyond the limit is refused: Python says so, and a library ends the process."""
    if not _OWN_SIZE.exists():
        yield
        return
    import resource  # of POSIX

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = int(_OWN_SIZE.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE") + memory
    if soft not in (resource.RLIM_INFINITY, -1) and soft <= most:
        yield
        return
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    except MemoryError:
        raise LimitError(too_large) from None
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
