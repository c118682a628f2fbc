"""The sheet that puts every gradient beside its central-difference estimate, cell by cell.

While the book has room, the losses it takes are formulas on the sheet Moved parameters, and all of it
follows when an input is changed; otherwise they were computed when the book was written. Compared is
only what is a gradient of the loss, and as one: with its sign, without the learning rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TypeAlias

import numpy as np

from tracer.lesson.network_symbols import NetworkSymbols
from tracer.presentation.headings import place_of
from tracer.presentation.live_words import Condition, LiveNumber
from tracer.problem.problem import Problem
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.remarks import departures
from tracer.program.program import Program
from tracer.run.differences import (
    Estimate,
    Path,
    chosen,
    compared,
    estimate,
    gradient,
    largest_term,
    paths_to_loss,
    summed,
)
from tracer.run.passes import AnyProblem, Pass
from tracer.spreadsheet.merging import merge
from tracer.spreadsheet.print_setup import ROW, break_rows, choose_page, leave_out, set_up
from tracer.spreadsheet.sheet_data import address, column_letters
from tracer.workbook.book import NARROW, Book
from tracer.workbook.flow import lines_of
from tracer.workbook.forward_sheet import recorded
from tracer.workbook.gradient_section import (
    CHECK,
    GRADIENT,
    NAME,
    OFF,
    SAYS,
    VERDICT,
    WIDTHS,
    GradientSection,
    GradientVerdict,
)
from tracer.workbook.moved_parameters import MOVED, MovedParameters, MovedPlan, cells_needed, range_of

ESTIMATED = "(L(θ + h) − L(θ − h)) / 2h estimates ∂L/∂θ without backpropagation."
MOST_LIVE = 20_000  # cells of the forward passes that are written out; of a larger network they are only recorded
MOST_RECORDED, LEAST_RECORDED = 40, 2  # cells of a matrix that are then estimated
MOST_ESTIMATED = 400  # cells of a pass, shared by its matrices

Verdicts: TypeAlias = dict[tuple[int, int, str], GradientVerdict]
"""By epoch, iteration and the identifier of the gradient."""


def check_gradients(book: Book, changed: Condition) -> Verdicts:
    """Add the sheet, where anything can be compared; returns what it comes to.

    `changed` asks whether an input is not the recorded one any more.
    """
    if not compared(book.problem, book.trace.first.program):
        return {}
    return _GradientCheck(book, changed).write()


def explained(problem: AnyProblem, program: Program) -> list[str]:
    """What is compared with what, and why not all of it, a sentence each."""
    if problem.carry_rounded:
        return [
            "Gradients are not compared with central differences: every matrix is rounded before it is used, "
            "so the loss is a staircase, with no slope to estimate."
        ]
    if isinstance(problem, ProgramProblem):
        return [ESTIMATED]
    checked = [program.gradients[each] for each in compared(problem, program)]
    gradients = {program.gradients[each] for each in program.parameters}
    left_out = [each for each in program.computed if each in gradients and each not in checked]
    says = [f"Not compared, because they are not gradients of this loss: {', '.join(left_out)}."] if left_out else []
    return _adjusted(problem, program.rows) + says if checked else says


def _adjusted(problem: Problem, rows: int) -> list[str]:
    """The estimate, and which conventions make dW and db differ from ∂L/∂θ."""
    says = [ESTIMATED]
    if NetworkSymbols(problem, rows).rate_in_change:
        says.append("dW and db are the changes −rate·∂L/∂θ: their negatives, divided by the rate, are compared.")
    elif problem.convention.sign < 0:
        says.append("The error is target − output, so dW and db are negative gradients: their negatives are compared.")
    if NetworkSymbols(problem, rows).rate_in_delta:
        says.append("Delta carries the learning rate, and so do dW and db: they are divided by it.")
    if problem.loss_shown != problem.convention.reduction:
        sums = problem.loss_shown == "sum"
        own, reported = ("mean", "sum") if sums else ("sum", "mean")
        says.append(
            f"dW and db are of the {own} over the N samples of a pass, L is the {reported}: they are "
            f"{'multiplied' if sums else 'divided'} by N."
        )
    return says


class _GradientCheck:
    """Writes the sheet from its first row on."""

    def __init__(self, book: Book, changed: Condition) -> None:
        self.book, self.changed = book, changed
        self.sheet = book.add_sheet(CHECK)
        self.data, self.styles = book.data[CHECK], book.styles
        self.moved = MovedParameters(book)
        self.room = MOST_LIVE
        self.row = 1
        self.breaks: set[int] = set()
        self.verdicts: Verdicts = {}

    def write(self) -> Verdicts:
        for column, width in enumerate((NARROW, *WIDTHS), start=1):
            self.sheet.column_dimensions[column_letters(column)].width = width
        self.sheet.freeze_panes = address(2, 1)
        self._head()
        for one in self.book.passes:
            self._pass(one)
        self.moved.finish()
        page = choose_page((sum(WIDTHS), ROW * self.row))
        set_up(self.sheet, page, [f"B1:{address(self.row - 1, SAYS)}"], "1:1")
        heights, rows = self.data.heights, range(2, self.row)
        break_rows(self.sheet, page, rows, lambda row: heights.get(row, ROW), self.breaks.__contains__, heights[1])
        leave_out(self.sheet, self.data, self.row)
        return self.verdicts

    def _head(self) -> None:
        problem = self.book.problem
        self.data.text(1, NAME, "Gradient check: every gradient beside its central difference", self.styles.title)
        self.data.heights[1] = 24.0
        text = " ".join((*departures(problem), *explained(problem, self.book.trace.first.program)))
        self.data.text(2, NAME, text, self.styles.note)
        self.data.heights[2] = ROW * lines_of(text, sum(WIDTHS)) + 2
        merge(self.sheet, 2, NAME, SAYS)
        self.book.leave_room_for_links(self.sheet.title, 3)
        self.row = 5

    def _pass(self, one: Pass) -> None:
        """The matrices of a pass, live where they fit."""
        paths = list(paths_to_loss(one.program, compared(self.book.problem, one.program)))
        plan = self._plan(one, paths)
        most = None if plan is not None else max(LEAST_RECORDED, MOST_ESTIMATED // max(1, len(paths)))
        found = {path.parameter: self._estimates(one, path, most) for path in paths}
        if plan is not None and not all(isfinite(each.value) for one_of in found.values() for each in one_of):
            plan = None  # a formula would be an error
        if plan is not None:
            self.moved.begin(plan)
        term = self._term(one, plan is not None)
        for k, path in enumerate(paths):
            if k > 0:  # the first stays with the line above the pass
                self.breaks.add(self.row)
            estimates = sorted(found[path.parameter], key=lambda each: not isfinite(each.value))
            self._section(one, path, plan, estimates, term)

    def _plan(self, one: Pass, paths: Sequence[Path]) -> MovedPlan | None:
        """Where the forward passes go; None where there is no room for them, which ends it for those behind too."""
        self.room -= cells_needed(one, paths)
        if self.room < 0:
            return None
        plan = self.moved.plan(one, paths)
        return plan if plan.fits else None

    def _estimates(self, one: Pass, path: Path, most: int | None) -> list[Estimate]:
        """At most so many cells of a matrix, or every one."""
        gradients = gradient(self.book.problem, one, path.parameter)
        cells = chosen(gradients, gradients.size if most is None else min(most, MOST_RECORDED))
        return [estimate(one, path, *cell) for cell in cells]

    def _term(self, one: Pass, is_live: bool) -> LiveNumber:
        """The line above a pass: which it is, and what the rounding of its loss is measured by."""
        where = recorded(self.book, one)
        loss = f"MAX(1,ABS({where(one.program.loss)(0, 0)}))"  # taken out first, so that no square leaves float64
        pairs = ((range_of(where(name), one[name].shape) for name in pair) for pair in summed(one.program))
        squares = "+".join(f"SUMPRODUCT(({error}*{output}/{loss})^2)" for error, output in pairs)
        formula = f"{loss}*MAX(1,({squares})^(1/2))" if squares else loss
        how = f"losses on the sheet {MOVED}" if is_live else "losses as they were when this book was written"
        text = " · ".join(filter(None, (place_of(self.book.trace, one), how)))
        self.data.text(self.row, NAME, text, self.styles.plain)
        self.data.text(self.row, GRADIENT, "loss terms up to", self.styles.heading("plain", False))
        value, style = largest_term(one), self.styles.value("plain", None, False)
        self.data.formulas(self.row, OFF, np.array([[value]]), style, lambda *_: formula)
        self.breaks.add(self.row)
        self.row += 2
        return LiveNumber(address(self.row - 2, OFF, absolute=True), value)

    def _section(
        self, one: Pass, path: Path, plan: MovedPlan | None, estimates: Sequence[Estimate], term: LiveNumber
    ) -> None:
        section = GradientSection(self.book, one, path, self.row, estimates, term, self.changed)
        copies = None
        if plan is not None:
            copies = [self.moved.write(plan, path, each, section.step_at(k)) for k, each in enumerate(estimates)]
        self.verdicts[one.epoch, one.iteration, one.program.gradients[path.parameter]] = section.write(copies)
        merge(self.sheet, self.row, VERDICT, SAYS)
        self.row = section.end + 1
