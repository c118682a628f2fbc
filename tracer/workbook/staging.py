"""The stages of a pass: for each step its formulas, each with its matrices on a grid and one cell worked out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tracer.expression.label import label_text
from tracer.expression.lower import lower
from tracer.expression.matrix import Shape
from tracer.expression.scalar import Cell
from tracer.expression.worked import Worked
from tracer.presentation.example import example_cell
from tracer.presentation.headings import MARKS, Headings
from tracer.presentation.palette import Highlight
from tracer.presentation.shown import Shown
from tracer.presentation.stage import Operand, stage_of
from tracer.presentation.stage_grid import SheetColumns, Staged, StageGrid, stage_grid
from tracer.program.naming_policy import RATE
from tracer.program.program import Step
from tracer.program.roles import Assignment
from tracer.run.passes import Pass

LEAST_WIDTH = 7.0
MARGIN = 2.0  # of a cell, in characters
WIDEST_HEADING = 32.0  # characters; a longer one is shrunk to fit
MOST_ACROSS = 18  # columns of a row of operands and signs; a wider one is broken
TURNED = "ᵀ"


@dataclass(frozen=True)
class StagedFormula:
    """One formula: where its matrices lie, and the asked cell worked out; `titled` where its step has others."""

    made: Assignment
    asked: Cell
    grid: StageGrid
    worked: Worked
    titled: bool

    @property
    def rows(self) -> int:
        """Rows that it takes, with a free one below."""
        return self.first_line + 1 + len(self.worked.stages) + 1 + 1

    @property
    def first_line(self) -> int:
        """The row of the cell in letters, below the matrices; in numbers and its value follow."""
        return int(self.titled) + self.grid.rows + 1


Stages = Mapping[str, Sequence[StagedFormula]]
"""The formulas of each step, by its label."""


class Staging:
    """Lays out the stages of a pass on columns of `widths` characters, which grow where a number needs it."""

    def __init__(self, one: Pass, decimals: Shown, headings: Headings, widths: list[float], slot: int) -> None:
        self.one, self.decimals, self.headings, self.widths = one, decimals, headings, widths
        self.columns = SheetColumns(slot, min(len(widths), MOST_ACROSS), self._span)
        self.shapes = {each.id: each.shape for each in one.program.assignments.values()} | {RATE: (1, 1)}

    def stages(self) -> dict[str, list[StagedFormula]]:
        """The formulas of every step; the widths are then those that all of them need."""
        found = {step.label: list(self._formulas(step)) for step in self.one.steps}
        for formula in (each for formulas in found.values() for each in formulas):
            for staged in (*formula.grid.operands, formula.grid.result):
                self._widen(staged)
        return found

    def _formulas(self, step: Step) -> Iterator[StagedFormula]:
        computed = [(made, made.expression) for made in step.assignments if made.expression is not None]
        for made, expression in computed:
            asked = example_cell(self.one, made.id)
            grid = stage_grid(stage_of(expression), asked, self.shapes, self.columns)
            worked = self.decimals.work(self.one, made.id, lower(expression, asked.row, asked.column))
            yield StagedFormula(made, asked, grid, worked, len(computed) > 1)

    def _span(self, operand: Operand, column: int) -> int:
        """How many columns its heading takes."""
        heading = stage_heading(self.headings, operand, self.shapes[operand.id], "input")
        wanted, count = min(len(heading) + MARGIN, WIDEST_HEADING), 0
        while wanted > 0:
            wanted -= self._width(column + count)
            count += 1
        return count

    def _width(self, column: int) -> float:
        return self.widths[column] if column < len(self.widths) else LEAST_WIDTH

    def _widen(self, staged: Staged) -> None:
        """Columns wide enough for every number of a matrix."""
        last = staged.column + max(staged.span, len(staged.across))
        self.widths += [LEAST_WIDTH] * (last - len(self.widths))
        values = self.one[staged.operand.id]
        for _, column, cell in staged.cells():
            if cell is not None:
                text = self.decimals.text(cell.matrix, float(values[cell.row, cell.column]))
                self.widths[column] = max(self.widths[column], MARGIN + len(text))


def stage_heading(headings: Headings, operand: Operand, shape: Shape, role: Highlight) -> str:
    """What stands over a matrix on the stage: its name and shape, as it is drawn."""
    rows, columns = shape
    heading = headings.of(operand.id, rows, columns)
    name, size = label_text(heading.name), heading.size
    if operand.turned:
        name, size = f"{name}{TURNED}", f"{columns}×{rows}, turned"
    return f"{MARKS[role]}{name}  {size}".rstrip()


def width_of(decimals: Shown, identifier: str, one: Pass, columns: Sequence[int]) -> float:
    """The width of a column that shows every number of some columns of a matrix."""
    values = one[identifier][:, columns]
    typed = decimals.decimals[identifier] is None  # else only size and sign make a number long
    longest = set(values.ravel().tolist()) if typed else (float(np.min(values)), float(np.max(values)))
    return MARGIN + max(len(decimals.text(identifier, value)) for value in longest)
