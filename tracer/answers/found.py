"""Numbers that were found, with all that tells where they belong."""

from __future__ import annotations

from dataclasses import dataclass

from tracer.answers.handed_in import Grid
from tracer.answers.names_read import NameReading


@dataclass(frozen=True)
class Found:
    """A block of numbers: its name as it was typed ("": none) and what that can mean, whole matrices or cells.

    `single` is a number, or a column of one thing, a row for each sample or epoch. In a `positional`
    file (JSON) every number stands in its row and column, and those that follow may be missing.
    """

    name: str
    readings: tuple[NameReading, ...]
    grid: Grid
    where: str
    order: int
    printed_by: str = ""
    single: bool = False
    positional: bool = False
