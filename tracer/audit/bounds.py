"""The audit of a stranger's book in a process of its own, which may take so much of the machine and no more.

What the book holds is bounded where it is read; this is for what nobody thought of. The process's limits end it in
words where they can; where a library ends it, or does not come back, the one that waits for it has the words.
"""

from __future__ import annotations

import signal
import warnings
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tracer.audit.auditing import audit_file
from tracer.audit.marked_copy import write_marked_copy
from tracer.audit.package import AuditError
from tracer.audit.page import write_audit_page
from tracer.audit.taken_out import problem_of
from tracer.audit.words import report
from tracer.errors import TracerError
from tracer.limits import LimitError, held_to
from tracer.processes import can_copy

MOST_SECONDS = 60.0  # of a core's time
MOST_MEMORY = 1_000_000_000  # bytes beyond what the process has already
LONGEST = 240.0  # seconds by the clock, on a machine that may be busy
TOO_LONG = f"took more than {MOST_SECONDS:.0f} seconds to audit"
TOO_LARGE = f"took more than {MOST_MEMORY / 1e6:.0f} MB to audit"
ENDED = "the process that audited it stopped unexpectedly; the file may be damaged, or too large"


@dataclass(frozen=True)
class AuditRequest:
    """What is asked: a workbook, the cell that is its loss, a map of its roles, a folder for the marked copy and the
    page, and a file for the problem of its network."""

    book: Path
    loss: str | None = None
    told: Path | None = None
    folder: Path | None = None
    problem: Path | None = None


@dataclass(frozen=True)
class AuditOutcome:
    """An audit as one process can hand it to another: the exit status, the JSON document and the lines to print."""

    status: int
    document: dict[str, Any]
    lines: list[str]


def audit_in_bounds(request: AuditRequest) -> AuditOutcome:
    """Audit a workbook, and write the marked copy if a folder is named.

    Raises AuditError where the book cannot be read or takes too much, OSError where the copy cannot be written.
    """
    context = get_context("fork" if can_copy() else "spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(theirs, request), daemon=True)  # type: ignore[attr-defined]
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of threads that numpy has waiting
        process.start()
    theirs.close()
    try:
        found = ours.recv() if ours.poll(LONGEST) else AuditError(f"{request.book.name}: {TOO_LONG}")
    except (EOFError, OSError):
        found = AuditError(f"{request.book.name}: {ENDED}")
    finally:
        process.kill()
        process.join()
        ours.close()
    if isinstance(found, Exception):
        raise found
    outcome: AuditOutcome = found
    return outcome


def _serve(pipe: Connection, request: AuditRequest) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent has it too, and ends this process
    try:
        with held_to(MOST_SECONDS, MOST_MEMORY, TOO_LONG, TOO_LARGE):
            found: AuditOutcome | Exception = _outcome(request)
    except LimitError as wrong:
        found = AuditError(f"{request.book.name}: {wrong}")
    except (TracerError, OSError) as wrong:
        found = wrong
    except RecursionError:
        found = AuditError(f"{request.book.name}: its formulas are nested too deeply")
    pipe.send(found)


def _outcome(request: AuditRequest) -> AuditOutcome:
    audit = audit_file(request.book, request.loss, request.told)
    if request.folder is not None and audit.found:
        request.folder.mkdir(parents=True, exist_ok=True)
        write_marked_copy(audit, request.folder / f"{request.book.stem}.audited.xlsx")
        write_audit_page(audit, request.folder / f"{request.book.stem}.audit.html")
    if request.problem is not None:
        problem_of(audit).save(request.problem)
    return AuditOutcome(audit.status, audit.document(), list(report(audit)))
