"""The stage of one formula as SVG markup: a small picture with the numbers of a run, for a page that links to it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from markupsafe import Markup

from tracer.expression.label import label_text
from tracer.expression.lower import lower, precedents
from tracer.expression.scalar import Cell
from tracer.presentation.example import example_cell
from tracer.presentation.headings import Headings
from tracer.presentation.shown import Shown, shown
from tracer.presentation.stage import stage_of
from tracer.presentation.stage_grid import SheetColumns, Staged, StageGrid, stage_grid
from tracer.program.naming_policy import RATE
from tracer.run.passes import AnyProblem, Pass, Trace

ROOM = 24  # columns of a row of operands and signs
CHARACTER, PADDING, LINE = 7.2, 9.0, 22.0  # in units of the picture: one is a pixel where it is not scaled
BOLD = 1.25  # how much wider a character of a name is


def stage_svg(trace: Trace[AnyProblem], identifier: str) -> Markup:
    """The formula of a matrix laid out with its numbers in the first pass, one cell of it asked.

    Classes tell what is what: `result`, `operand`, `asked` and `from` for cells, `name` and `sign` for text.
    """
    picture = _Picture(trace, trace.first, identifier)
    width, height = picture.size
    body = Markup("\n").join(picture.parts())
    label = f"{picture.name(identifier)} with the numbers that it is computed from"
    return Markup(
        '<svg class="stage" viewBox="0 0 {} {}" style="--wide: {}px" role="img" aria-label="{}">\n{}\n</svg>'
    ).format(f"{width:g}", f"{height:g}", f"{width:g}", label, body)


@dataclass
class _Picture:
    trace: Trace[AnyProblem]
    one: Pass
    identifier: str
    asked: Cell = field(init=False)
    grid: StageGrid = field(init=False)
    lefts: list[float] = field(init=False)

    def __post_init__(self) -> None:
        made = self.one.program.assignments[self.identifier]
        assert made.expression is not None  # only what is computed has a stage
        self.asked = example_cell(self.one, self.identifier)
        self.sources = set(precedents(lower(made.expression, self.asked.row, self.asked.column)))
        self.decimals: Shown = shown(self.trace, self.one)
        self.names = Headings(self.trace.problem, self.one.program).names
        shapes = {each.id: each.shape for each in self.one.program.assignments.values()} | {RATE: (1, 1)}
        self.grid = stage_grid(stage_of(made.expression), self.asked, shapes, SheetColumns(ROOM, ROOM, lambda *_: 1))
        self.lefts = self._edges()

    @property
    def size(self) -> tuple[float, float]:
        return self.lefts[-1] + 1, LINE * self.grid.rows + 1

    def name(self, identifier: str) -> str:
        return label_text(self.names.learning_rate() if identifier == RATE else self.names.matrix(identifier))

    def parts(self) -> Iterator[Markup]:
        for each in self.grid.operands:
            yield from self._matrix(each, "operand")
        yield from self._matrix(self.grid.result, "result")
        for row, column, sign in self.grid.signs:
            yield self._text("sign", row, (self.lefts[column] + self.lefts[column + 1]) / 2, sign)
        if self.grid.ones is not None:
            row, column, count = self.grid.ones
            for k in range(count):
                yield self._text("sign", row + 1 + k, (self.lefts[column] + self.lefts[column + 1]) / 2, "1")

    def _matrix(self, staged: Staged, kind: str) -> Iterator[Markup]:
        yield self._text("name", staged.row, self.lefts[staged.column] + 2, self._heading(staged))
        for row, column, cell in staged.cells():
            role = "asked" if cell == self.asked else "from" if kind == "operand" and cell in self.sources else ""
            left, right = self.lefts[column], self.lefts[column + 1]
            box = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>')
            yield box.format(f"{kind} {role}".strip(), f"{left:g}", f"{LINE * row:g}", f"{right - left:g}", f"{LINE:g}")
            yield self._text("value", row, (left + right) / 2, self._number(cell))

    def _heading(self, staged: Staged) -> str:
        return self.name(staged.operand.id) + ("ᵀ" if staged.operand.turned else "")

    def _text(self, kind: str, row: int, x: float, text: str) -> Markup:
        return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(
            kind, f"{x:g}", f"{LINE * (row + 0.5):g}", text
        )

    def _number(self, cell: Cell | None) -> str:
        if cell is None:
            return "…"
        return self.decimals.text(cell.matrix, float(self.one[cell.matrix][cell.row, cell.column]))

    def _edges(self) -> list[float]:
        """The left edge of every column of the grid, and the right one of the last."""
        widest = [1] * self.grid.columns
        for each in (*self.grid.operands, self.grid.result):
            for _, column, cell in each.cells():
                widest[column] = max(widest[column], len(self._number(cell)))
            last = each.column + len(each.across) - 1
            wanted = math.ceil(BOLD * len(self._heading(each)))
            widest[last] += max(0, wanted - sum(widest[each.column : last + 1]))
        for _, column, sign in self.grid.signs:
            widest[column] = max(widest[column], len(sign))
        edges = [0.0]
        for count in widest:
            edges.append(edges[-1] + CHARACTER * count + PADDING)
        return edges
