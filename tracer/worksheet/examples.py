"""The examples of a worksheet's page: a cell worked out, and a line to complete."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

from tracer.expression import scalar as s
from tracer.expression.label import label_mathml, label_text
from tracer.expression.lower import lower, precedents
from tracer.expression.mathml import cell_mathml_terms
from tracer.expression.worked import Worked
from tracer.page.views import math
from tracer.presentation.headings import Headings
from tracer.presentation.shown import Shown
from tracer.presentation.theme import Theme
from tracer.program.roles import Assignment
from tracer.run.passes import Pass
from tracer.worksheet.plan import Plan

MOST_OPERANDS = 16  # of a line to complete; a longer one is left bare
GAP = '<mrow><mo>(</mo><mtext class="gap">{}</mtext><mo>)</mo></mrow>'  # where an operand is written
BETWEEN = "</mtext><mo>)</mo></mrow><mo>·</mo><mrow><mo>(</mo><mtext"  # two gaps stand side by side as they are


@dataclass(frozen=True)
class Example:
    """A cell worked out; `lines` after the letters are missing where its operands are still to be found.

    In practice those of a blank matrix always are: the page works them out from what is on the sheet by then.
    """

    key: str
    kind: Literal["worked", "completion"]
    letters: Markup
    lines: tuple[Markup, ...] = ()


class Examples:
    """The examples of one pass; in a `key` every line is complete."""

    def __init__(self, one: Pass, plan: Plan, key: bool, theme: Theme, headings: Headings, decimals: Shown) -> None:
        self.one, self.plan, self.key, self.theme = one, plan, key, theme
        self.headings, self.decimals, self.notation = headings, decimals, theme.notation

    def of(self, made: Assignment) -> Iterator[Example]:
        """The worked cell and the line to complete; of a printed matrix the worked cell, if it gives nothing away."""
        for place in range(min(2, made.shape[0] * made.shape[1])):
            row, column = divmod(place, made.shape[1])
            kind = self.plan.example(made.shape, row, column)
            cell = s.Cell(made.id, row, column)
            asked = made.id in self.plan.blank
            if kind == "worked" and (asked or self._follows(cell)):
                yield self._worked(cell)
            elif kind == "completion" and asked and (line := self._completion(cell)):
                yield line

    def is_known(self, cell: s.Cell) -> bool:
        """Whether a cell's number is on the sheet."""
        return self.plan.prints(cell.matrix, self.one.program)

    def _follows(self, cell: s.Cell) -> bool:
        """Whether all that a cell is made from is on the sheet."""
        return all(map(self.is_known, precedents(self._lowered(cell))))

    def _lowered(self, cell: s.Cell) -> s.Scalar:
        expression = self.one.program.assignments[cell.matrix].expression
        assert expression is not None  # only computed matrices are left blank
        return lower(expression, cell.row, cell.column)

    def _work(self, cell: s.Cell) -> Worked:
        return self.decimals.work(self.one, cell.matrix, self._lowered(cell))

    def _worked(self, cell: s.Cell) -> Example:
        worked = self._work(cell)
        letters = self._line(self._cell_name(cell), "=", worked.letters)
        lines = [self._line("", "=", stage) for stage in worked.stages]
        lines.append(self._line("", "=" if worked.exact else "≈", worked.result))
        known = self.key or self.is_known(cell) or (self._follows(cell) and not self.plan.marks)
        return Example(cell_key(cell), "worked", letters, tuple(lines) if known else ())

    def _completion(self, cell: s.Cell) -> Example | None:
        """The line with a gap for every operand; None where it would be too long."""
        worked = self._work(cell)
        if self.key:
            filled = self._line(self._cell_name(cell), "=", worked.stages[0])
            result = self._line("", "=" if worked.exact else "≈", worked.result)
            return Example(cell_key(cell), "completion", filled + " " + result)
        operands = _operands(worked.letters)
        if len(operands) > MOST_OPERANDS or len(precedents(worked.letters)) != len(precedents(self._lowered(cell))):
            return None

        def gap(operand: s.Cell) -> str:
            here = next(each for each in operands if each[0] == operand)
            operands.remove(here)
            return self._gap(cell, *here)

        letters = cell_mathml_terms(worked.letters, gap, self.notation)
        terms = [term.replace(BETWEEN, BETWEEN.replace("<mo>·</mo>", "")) for term in letters]
        line = _joined(self._cell_name(cell), "=", [*terms, f"<mo>=</mo>{self._answer(cell)}"])
        return Example(cell_key(cell), "completion", line)

    def _answer(self, cell: s.Cell) -> str:
        """Where the line's result is written; in practice what stands in the cell's own box."""
        own = f' data-answer="{cell_key(cell)}"' if self.plan.marks else ""
        return f'<mtext class="gap"{own}></mtext>'

    def _gap(self, cell: s.Cell, operand: s.Cell, term: int, number: int) -> str:
        if not self.plan.marks:
            return GAP.format("")
        key = f"{cell_key(cell)} {number}"
        name = label_text(self.headings.symbols.cell(cell.matrix, cell.row, cell.column))
        aria = escape(self.theme.say("page.operand", cell=name, number=number))
        return GAP.format(
            f'<span class="held"><input class="operand" data-keep="{key}" data-of="{cell_key(operand)}" '
            f'data-term="{term}" aria-label="{aria}" autocomplete="off" inputmode="decimal" spellcheck="false">'
            f'<span class="mark" id="mark-{key.replace(" ", "-")}"></span></span>'
        )

    def _cell_name(self, cell: s.Cell) -> str:
        return label_mathml(self.headings.symbols.cell(cell.matrix, cell.row, cell.column))

    def _line(self, left: str, sign: str, right: s.Scalar) -> Markup:
        return _joined(left, sign, cell_mathml_terms(right, self._cell_name, self.notation))


def _joined(left: str, sign: str, terms: list[str]) -> Markup:
    """One line, in pieces between which the browser may break it."""
    first, *others = terms
    return Markup(" ").join(map(math, (f"{left}<mo>{sign}</mo>{first}", *others)))


def cell_key(cell: s.Cell) -> str:
    """What a cell is called in the page's attributes."""
    return f"{cell.matrix}-{cell.row}-{cell.column}"


def _operands(letters: s.Scalar) -> list[tuple[s.Cell, int, int]]:
    """Every cell as it is written, with the term that it is in and its number from 1."""
    terms = letters.terms if isinstance(letters, s.Sum) else (letters,)
    cells = [(cell, index) for index, term in enumerate(terms) for cell in _written(term)]
    return [(cell, index, number) for number, (cell, index) in enumerate(cells, 1)]


def _written(expression: s.Scalar) -> Iterator[s.Cell]:
    """The cells of an expression from left to right, as often as they are written."""
    if isinstance(expression, s.Cell):
        yield expression
    elif isinstance(expression, s.Stable):
        yield from _written(expression.shown)
    else:
        for part in s.children(expression):
            yield from _written(part)
