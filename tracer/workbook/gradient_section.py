"""One matrix on the sheet Gradient check: a row for each gradient, its central difference beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import numpy as np

from tracer.expression import scalar as s
from tracer.expression.arrays import Array
from tracer.expression.formula import literal, to_formula
from tracer.expression.label import label_text
from tracer.expression.live import Live
from tracer.expression.text import cell_text
from tracer.presentation.headings import detail
from tracer.presentation.live_words import Condition, LiveNumber, choose, joined, words
from tracer.program.naming_policy import RATE
from tracer.run.differences import (
    BEND,
    BOUND,
    ESTIMATE,
    FURTHEST,
    STEP,
    Estimate,
    Path,
    bound,
    gradient,
    gradient_rule,
    passes_corner,
    reach,
)
from tracer.run.passes import Pass
from tracer.spreadsheet.sheet_data import SheetData, address
from tracer.workbook.book import Book, link
from tracer.workbook.forward_sheet import recorded
from tracer.workbook.moved_parameters import MOVED, Copy, range_of

CHECK = "Gradient check"
AGREES, DIFFERS, AT_KINK, BEYOND = "agrees", "differs", "a function sits at its kink", "the loss overflows float64"
TOO_SMALL = "too small to tell from rounding"
CHANGED, NO_RATE = "an input has been changed", "nothing to compare at rate 0"
WIDTHS = (16.0, *(13.0,) * 6, 16.0, 13.0, 26.0)
NAME, THETA, H, PLUS, MINUS, ESTIMATED, STANDS, GRADIENT, OFF, SAYS = range(2, 2 + len(WIDTHS))
REACH, LARGEST, WITHIN, VERDICT = THETA, PLUS, ESTIMATED, MINUS  # columns of a section's head
HEAD_ROWS = 3
ZERO = 1e-5  # of what a gradient may be off: one that is smaller is zero but for its rounding

Copies = Sequence[tuple[Copy, Copy]]


@dataclass(frozen=True)
class GradientVerdict:
    """What the comparison of a matrix came to, as seen from other sheets: the largest difference, and words.

    `is_recorded`: its losses are no formulas.
    """

    largest: LiveNumber
    says: Live
    is_recorded: bool


@dataclass(frozen=True)
class GradientSection:
    """The gradients of one parameter's matrix in one pass, from the row `top` on.

    `estimates` has those that are no numbers last. `term` is what the rounding of L is measured by,
    `changed` asks whether an input is not the recorded one.
    """

    book: Book
    one: Pass
    path: Path
    top: int
    estimates: Sequence[Estimate]
    term: LiveNumber
    changed: Condition

    @property
    def first(self) -> int:
        """The row of the first estimate."""
        return self.top + HEAD_ROWS

    @property
    def end(self) -> int:
        """The first row behind it."""
        return self.first + len(self.estimates)

    def step_at(self, k: int) -> str:
        """Where the k-th step stands."""
        return f"'{CHECK}'!{self._at(k, H)}"

    def write(self, copies: Copies | None) -> GradientVerdict:
        """`copies` has the forward passes of each estimate; None where the losses are only recorded."""
        self._head()
        self._losses(copies)
        self._gradients()
        says = [self._row(k, None if copies is None else copies[k]) for k in range(len(self.estimates))]
        verdict = self._guarded(self._verdict([each.text for each in says]), copies is None)
        self._data.live_text(self.top, VERDICT, verdict.formula, verdict.text, self.book.styles.formula)
        largest = LiveNumber(f"'{CHECK}'!{address(self.top + 1, OFF)}", max(self._offs, default=0.0))
        return GradientVerdict(largest, Live(f"'{CHECK}'!{address(self.top, VERDICT)}", verdict.text), copies is None)

    # The numbers ------------------------------------------------------------------------------------

    @cached_property
    def _numbers(self) -> list[Estimate]:
        return [each for each in self.estimates if isfinite(each.value)]

    @cached_property
    def _compared(self) -> list[float]:
        """∂L/∂θ as the steps have it."""
        return self._cells(gradient(self.book.problem, self.one, self.path.parameter))

    @cached_property
    def _offs(self) -> list[float]:
        return [abs(found - each.value) for found, each in zip(self._compared, self._numbers, strict=False)]

    @cached_property
    def _largest(self) -> float:
        return max(map(abs, self._compared))

    @cached_property
    def _bound(self) -> float:
        return bound(self.one, self.path, self._largest)

    def _cells(self, values: Array) -> list[float]:
        return [float(values[each.row, each.column]) for each in self.estimates]

    # The cells --------------------------------------------------------------------------------------

    def _head(self) -> None:
        """What is compared, and how far a right gradient may be off."""
        data, styles, parameter = self._data, self.book.styles, self.path.parameter
        heading = self.book.headings.of(self.one.program.gradients[parameter], *self.one[parameter].shape)
        title = " · ".join(filter(None, (label_text(heading.name), detail(heading))))
        data.text(self.top, NAME, title, styles.band)
        labels = {NAME: "h grows up to ×", H: "gradients up to", MINUS: "may be off by", GRADIENT: "largest difference"}
        for column, text in labels.items():
            data.text(self.top + 1, column, text, styles.heading("plain", False))
        down = self._down(GRADIENT)
        within = _formula(BOUND, largest=self._of_head(LARGEST), reach=self._of_head(REACH), term=self.term.formula)
        for column, formula, value in (
            (REACH, self._reach(), reach(self.one, self.path)),
            (LARGEST, f"MAX(MAX({down}),-MIN({down}))", self._largest),
            (WITHIN, within, self._bound),
            (OFF, f"MAX({self._down(OFF)})", max(self._offs, default=0.0)),
        ):
            self._column(column, [value], [formula], self.top + 1)
        for column, text in zip(range(NAME, SAYS + 1), self._titles(), strict=True):
            data.text(self.top + 2, column, text, styles.heading("plain", True))

    def _reach(self) -> str:
        where, names = recorded(self.book, self.one), self.path.multipliers
        ranges = [range_of(where(name), self.one[name].shape) for name in names]
        grown = "*".join(f"MAX(1,MAX({each}),-MIN({each}))" for each in ranges)
        return f"MIN({literal(FURTHEST)},{grown})" if grown else "1"

    def _titles(self) -> tuple[str, ...]:
        names, d = self.book.headings.names, self.one.program.gradients[self.path.parameter]
        loss, rate = label_text(names.matrix(self.one.program.loss)), label_text(names.learning_rate())
        rule = s.substitute(self._rule, {"gradient": s.Cell(d, 0, 0), "rate": s.Cell(RATE, 0, 0)})
        compared = cell_text(rule, lambda cell: rate if cell.matrix == RATE else cell.matrix)
        sides = (f"{loss}(θ + h)", f"{loss}(θ − h)")
        return ("θ", "its value", "h", *sides, "estimate", d, f"∂{loss}/∂θ = {compared}", "difference", "")

    def _losses(self, copies: Copies | None) -> None:
        """h, L at both sides, and the estimate: formulas, or the first three as they were recorded."""
        found, grows = self._numbers, self._of_head(REACH)
        steps, plus, minus = None, None, None
        if copies is not None:
            steps = [_formula(STEP, theta=self._at(k, THETA), reach=grows) for k in range(len(found))]
            plus, minus = ([copy[side].range(self.one.program.loss) for copy in copies] for side in (0, 1))
        estimates = [
            _formula(ESTIMATE, plus=self._at(k, PLUS), minus=self._at(k, MINUS), h=self._at(k, H))
            for k in range(len(found))
        ]
        self._column(H, [each.h for each in found], steps)
        self._column(PLUS, [each.plus for each in found], plus)
        self._column(MINUS, [each.minus for each in found], minus)
        self._column(ESTIMATED, [each.value for each in found], estimates)

    def _gradients(self) -> None:
        """The parameter, its gradient as it stands on its sheet, and what is compared."""
        for column, name in ((THETA, self.path.parameter), (STANDS, self.one.program.gradients[self.path.parameter])):
            where = recorded(self.book, self.one)(name)
            self._column(column, self._cells(self.one[name]), [where(each.row, each.column) for each in self.estimates])
        rows = range(len(self.estimates))
        compared = [_formula(self._rule, gradient=self._at(k, STANDS), rate=self._rate) for k in rows]
        if self._carries_rate:
            compared = [f"IF({self._rate}=0,0,{each})" for each in compared]
        self._column(GRADIENT, self._compared, compared)
        self._column(OFF, self._offs, [f"ABS({self._at(k, GRADIENT)}-{self._at(k, ESTIMATED)})" for k in rows])

    def _row(self, k: int, copy: tuple[Copy, Copy] | None) -> Live:
        """What a parameter is called, and whether its gradient agrees."""
        each, styles = self.estimates[k], self.book.styles
        name = self.book.headings.names.cell(self.path.parameter, each.row, each.column)
        self._data.text(self.first + k, NAME, label_text(name), styles.plain if copy is None else styles.link)
        if copy is not None:
            link(self.book.workbook[CHECK], self._at(k, NAME), MOVED, copy[0].heading)
        says = self._guarded(self._words(k), copy is None)
        self._data.live_text(self.first + k, SAYS, says.formula, says.text, styles.plain)
        return says

    def _words(self, k: int) -> Live:
        if k >= len(self._numbers):
            return words(BEYOND)
        each = self.estimates[k]
        within = Condition(f"{self._at(k, OFF)}<={self._of_head(WITHIN)}", self._offs[k] <= self._bound)
        if not self.path.bends:
            return choose(within, AGREES, DIFFERS)
        if self._offs[k] > self._bound + each.bend and passes_corner(self.one, self.path, each):
            return choose(within, AGREES, AT_KINK)
        loss = recorded(self.book, self.one)(self.one.program.loss)(0, 0)
        bend = _formula(BEND, plus=self._at(k, PLUS), minus=self._at(k, MINUS), middle=loss, h=self._at(k, H))
        either = f"{self._at(k, OFF)}<={self._of_head(WITHIN)}+{bend}"
        at_kink = Condition(either, self._offs[k] <= self._bound + each.bend)
        return choose(within, AGREES, choose(at_kink, AT_KINK, DIFFERS))

    def _verdict(self, says: list[str]) -> Live:
        """The whole matrix in words."""
        column, count = self._down(SAYS), len(says)
        wrong = Condition(f'SUMPRODUCT(({column}="{DIFFERS}")*1)>0', DIFFERS in says)
        kinks = LiveNumber(f'SUMPRODUCT(({column}="{AT_KINK}")*1)', says.count(AT_KINK))
        largest, within, zero = self._of_head(LARGEST), self._of_head(WITHIN), ZERO * self._bound
        small = Condition(
            f"AND({largest}<{within},{largest}>{literal(ZERO)}*{within})", zero < self._largest < self._bound
        )
        told = choose(small, TOO_SMALL, self._agreed())
        some = choose(kinks.below(count), "agrees, but in ", "in ")
        at_kink = joined(some, kinks.written(0), f" of {count} cells {AT_KINK}")
        return choose(wrong, DIFFERS, choose(kinks.above(0), at_kink, told) if self.path.bends else told)

    def _agreed(self) -> str:
        """What is said where no number is off."""
        count, size = len(self.estimates), self.one[self.path.parameter].size
        beyond = count - len(self._numbers)
        if beyond:
            return BEYOND if beyond == count else f"agrees, but in {beyond} of {count} cells {BEYOND}"
        return AGREES if count == size else f"agrees in the {count} of {size:,} cells estimated"

    def _guarded(self, says: Live, is_recorded: bool) -> Live:
        """Words that hold only while there is a rate, and an estimate of these inputs."""
        if self._carries_rate:
            says = choose(Condition(f"{self._rate}=0", False), NO_RATE, says)
        return choose(self.changed, CHANGED, says) if is_recorded else says

    # Where things are -------------------------------------------------------------------------------

    @property
    def _data(self) -> SheetData:
        return self.book.data[CHECK]

    @cached_property
    def _rate(self) -> str:
        return recorded(self.book, self.book.trace.first)(RATE)(0, 0)

    @cached_property
    def _rule(self) -> s.Scalar:
        return gradient_rule(self.book.problem, self.one.stop - self.one.start)

    @property
    def _carries_rate(self) -> bool:
        return "rate" in s.variables(self._rule)

    def _at(self, k: int, column: int) -> str:
        return address(self.first + k, column)

    def _down(self, column: int) -> str:
        return f"{self._at(0, column)}:{self._at(len(self.estimates) - 1, column)}"

    def _of_head(self, column: int) -> str:
        return address(self.top + 1, column, absolute=True)

    def _column(
        self, column: int, values: Sequence[float], formulas: Sequence[str] | None, top: int | None = None
    ) -> None:
        """Numbers one under the other, or their formulas."""
        if not values:
            return
        block, style = np.array(values)[:, None], self.book.styles.value("plain", None, False)
        if formulas is None:
            self._data.numbers(top or self.first, column, block, style)
        else:
            self._data.formulas(top or self.first, column, block, style, lambda k, _: formulas[k])


def _formula(rule: s.Scalar, **cells: str) -> str:
    """A rule over the cells of a sheet, by their addresses."""
    return to_formula(s.substitute(rule, {name: s.Cell(at, 0, 0) for name, at in cells.items()}), _Written())


class _Written:
    """Addresses of cells that are called by them."""

    def cell(self, cell: s.Cell) -> str:
        return cell.matrix

    def block(self, block: s.Block) -> str:
        raise TypeError(f"{block} is no single cell")
