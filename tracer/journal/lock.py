"""One run at a time in a folder: a lock that ends with the process that holds it, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracer.errors import ExportError, TracerError

LOCK = ".marking.lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder for the body. Raises TracerError where another run holds it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as wrong:
        raise ExportError(f"{folder}: cannot be written to: {wrong.strerror or wrong}") from None
    try:
        if not _locked(opened):
            raise TracerError(
                f"{folder}: another run is marking into this folder; wait for it, or choose another with -o"
            )
        yield
    finally:
        os.close(opened)


def _locked(opened: int) -> bool:
    """Whether the lock could be taken. It is no child's: a process that was copied from this one does not hold it."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(opened, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.lockf(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
