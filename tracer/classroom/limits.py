"""How much of the machine the marking of one file may take, where the system can hold it to that.

A file comes from a stranger, and a limit in every reader is no promise that all of them together keep one.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from tracer.errors import TracerError

MOST_SECONDS = 5.0  # of a core's time
MOST_MEMORY = 500_000_000  # bytes beyond what the process has already
AGAIN = 0.5  # seconds after which a limit that was caught on its way out is said once more
TOO_LONG = f"took more than {MOST_SECONDS:.0f} seconds to mark"
TOO_LARGE = f"took more than {MOST_MEMORY / 1e6:.0f} MB to mark"

_OWN_SIZE = Path("/proc/self/statm")  # in pages; Linux alone


class LimitError(TracerError):
    """A file took too much."""


@contextmanager
def limited() -> Iterator[None]:
    """Hold the body to both limits. Raises LimitError where it would go beyond one."""
    with ExitStack() as limits:
        limits.enter_context(_limited_memory())
        limits.enter_context(_limited_time())
        yield


@contextmanager
def _limited_time() -> Iterator[None]:
    """A signal reaches the main thread alone, and Python between two of its own steps."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise LimitError(TOO_LONG)

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@contextmanager
def _limited_memory() -> Iterator[None]:
    """What is asked of the system beyond the limit is refused: Python says so, and a library ends the process."""
    if not _OWN_SIZE.exists():
        yield
        return
    import resource  # of POSIX

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = int(_OWN_SIZE.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE") + MOST_MEMORY
    if soft not in (resource.RLIM_INFINITY, -1) and soft <= most:
        yield
        return
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    except MemoryError:
        raise LimitError(TOO_LARGE) from None
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
