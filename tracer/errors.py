"""Every error that Tracer raises on purpose.

TracerError               the input cannot be used; the command line prints it and exits with 2
├── ProblemError          a problem file: names the file, the place, what was found and expected
├── ShapeError            two matrices do not fit together
├── TraceFileError        a saved trace is damaged or comes from elsewhere
├── NotFiniteError        the numbers left the range of float64 or the domain of the loss
└── ExportError           a workbook or page cannot be written
"""

from __future__ import annotations

from collections.abc import Sequence


class TracerError(Exception):
    """The input cannot be used; the message says where and why."""


class ProblemError(TracerError):
    """A problem file cannot be used.

    `place` is the path of the value within the file, as in `layers[1].weights[0]`
    (counted from 0, as the file's own data are indexed), or "" for the file as a whole.
    `others` are the file's further mistakes; the text has a line for each.
    """

    def __init__(self, file: str, place: str, says: str, others: Sequence[ProblemError] = ()) -> None:
        self.file, self.place, self.says, self.others = file, place, says, tuple(others)
        first = ": ".join(part for part in (file, place, says) if part)
        super().__init__("\n".join([first, *map(str, others)]))


class ShapeError(TracerError):
    """Two matrices do not fit together; names both operands and their shapes."""


class TraceFileError(TracerError):
    """A saved trace is damaged or was written by something else."""


class NotFiniteError(TracerError):
    """The numbers left the range of float64, or the domain of the loss."""


class ExportError(TracerError):
    """A workbook or page cannot be written; what stood at its place is untouched."""
