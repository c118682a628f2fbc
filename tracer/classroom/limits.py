"""How much of the machine the marking of one file may take.

A file comes from a stranger, and a limit in every reader is no promise that all of them together keep one.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from tracer.limits import held_to

MOST_SECONDS = 5.0  # of a core's time
MOST_MEMORY = 500_000_000  # bytes beyond what the process has already
TOO_LONG = f"took more than {MOST_SECONDS:.0f} seconds to mark"
TOO_LARGE = f"took more than {MOST_MEMORY / 1e6:.0f} MB to mark"


def limited() -> AbstractContextManager[None]:
    """Hold the body to both limits. Raises LimitError where it would go beyond one."""
    return held_to(MOST_SECONDS, MOST_MEMORY, TOO_LONG, TOO_LARGE)
