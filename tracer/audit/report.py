"""What an audit found: cells that are wrong alike, an experiment for each, conventions, and the JSON of it all."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tracer.audit.graph import BookGraph, name_of
from tracer.audit.implied import NOWHERE, UNDER_ROOT, WORDS
from tracer.audit.judge import Judge
from tracer.audit.known import Study
from tracer.audit.labels import BookLabels
from tracer.audit.numbers import PointRow, value
from tracer.audit.rewrites import FormulaChange, Rewriting
from tracer.audit.slips import SlipNaming
from tracer.audit.updates import Fault, JudgedGradient
from tracer.audit.writing import formula_at
from tracer.expression import scalar as s
from tracer.spreadsheet.columns import address

MOST_SECONDS = 3.0  # for looking for right formulas
MOST_COPIES = 4  # cells in which a formula is tried


@dataclass
class AuditFinding:
    """Cells that are wrong alike: the first of them, what belongs there, and what follows from it."""

    cell: s.Cell
    formula: str
    should_be: str | None
    slug: str
    says: str
    shown: float
    right: float
    cells: list[s.Cell] = field(default_factory=list)
    follow: list[s.Cell] = field(default_factory=list)
    experiment: str | None = None
    in_numbers: bool = True  # its own number is off too, not the formula alone
    updates: s.Cell | None = None  # the parameter that it should be the update of


@dataclass
class Audit:
    """The outcome for one book. `found`: whether there is a network in it at all."""

    file: str
    graph: BookGraph
    found: bool = True
    unsure: bool = False  # too few gradients agree with a loss
    labels: BookLabels | None = None
    study: Study | None = None  # what was judged
    factor: float = 1.0  # the book's gradients, by those of its loss
    change: float | None = None  # what updates add, by the loss's gradient
    losses: list[s.Cell] = field(default_factory=list)
    implied: str | None = None
    parameters: list[s.Cell] = field(default_factory=list)
    carried: frozenset[s.Cell] = frozenset()  # parameters that an update made
    gradients: list[JudgedGradient] = field(default_factory=list)
    updates: list[s.Cell] = field(default_factory=list)  # that were checked and have a gradient in their own formula
    findings: list[AuditFinding] = field(default_factory=list)
    conventions: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[AuditFinding]:
        """The findings whose numbers are wrong in the book as it stands."""
        return [each for each in self.findings if each.in_numbers]

    @property
    def status(self) -> int:
        return 2 if not self.found else 1 if self.wrong else 0

    def document(self) -> dict[str, Any]:
        """The JSON of `tracer audit --json`."""
        of_parameters: list[JudgedGradient] = []
        others: list[JudgedGradient] = []
        for each in self.gradients:
            (of_parameters if each.of in self.graph.typed or each.of in self.carried else others).append(each)
        return {
            "file": self.file,
            "loss": name_of(self.losses[0]) if self.losses and self.losses[0].matrix != NOWHERE else None,
            "losses": [name_of(each) for each in self.losses if each.matrix != NOWHERE],
            "implied_loss": self.implied,
            "parameters": [name_of(each) for each in self.parameters],
            "gradients": [_gradient(each) for each in of_parameters],
            "between": [_gradient(each) for each in others],
            "first_wrong": _finding(self.wrong[0]) if self.wrong else None,
            "wrong": [_finding(each) for each in self.wrong],
            "conventions": self.conventions,
            "notes": self.notes,
        }


def _gradient(each: JudgedGradient) -> dict[str, Any]:
    return {
        "cell": name_of(each.cell),
        "of": name_of(each.of),
        "claimed": _number(each.claimed[0]),
        "right": _number(each.right[0]),
        "verdict": "wrong" if each.wrong else "right",
        "because": name_of(each.because) if each.because is not None and each.wrong else None,
    }


def _finding(each: AuditFinding) -> dict[str, Any]:
    return {
        "cell": name_of(each.cell),
        "formula": each.formula,
        "should_be": each.should_be,
        "slug": each.slug,
        "says": each.says,
        "shown": _number(each.shown),
        "right": _number(each.right),
        "repeats": [name_of(cell) for cell in each.cells[1:]],
        "follow": [name_of(cell) for cell in each.follow],
        "experiment": each.experiment,
    }


def _number(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


def gradient_findings(judge: Judge, naming: SlipNaming) -> list[AuditFinding]:
    """The faults of a judge, those of one kind together, in the order of computation."""
    groups: dict[tuple[str, str], AuditFinding] = {}
    recipes: dict[tuple[str, str], tuple[FormulaChange | None, str, str]] = {}
    search = _Search(judge, naming)
    by_cell: dict[s.Cell, AuditFinding] = {}
    for fault in judge.faults:
        key = (fault.cell.matrix, judge.relative(fault.cell))
        if key not in recipes:
            recipes[key] = search.recipe(fault)
        rewrite, slug, says = recipes[key]
        off = _is_off(fault)
        if key not in groups:
            groups[key] = _made(judge, fault, rewrite, slug, says, off)
        elif off and not groups[key].in_numbers:
            cells = groups[key].cells
            groups[key] = _made(judge, fault, *search.recipe(fault), off)
            groups[key].cells.extend(cells)
        groups[key].cells.append(fault.cell)
        by_cell[fault.cell] = groups[key]
    for each in judge.gradients:
        if each.because in by_cell and each.wrong and each.cell not in by_cell:
            by_cell[each.because].follow.append(each.cell)
    _experiments(judge, groups)
    return _merged(list(groups.values()))


def _merged(findings: list[AuditFinding]) -> list[AuditFinding]:
    """Findings of one slip in cells side by side taken together: a matrix that is wrong throughout is one finding."""
    kept: list[AuditFinding] = []
    for each in findings:
        like = [
            one for one in kept if one.slug == each.slug and one.in_numbers == each.in_numbers and _touch(one, each)
        ]
        if like and each.slug != "other":
            like[0].cells.extend(each.cells)
            like[0].follow.extend(cell for cell in each.follow if cell not in like[0].follow)
        else:
            kept.append(each)
    return kept


def _touch(one: AuditFinding, other: AuditFinding) -> bool:
    """Whether two findings have cells next to each other."""
    near = {s.Cell(c.matrix, c.row + i, c.column + j) for c in one.cells for i in (-1, 0, 1) for j in (-1, 0, 1)}
    return any(each in near for each in other.cells)


def _made(judge: Judge, fault: Fault, rewrite: FormulaChange | None, slug: str, says: str, off: bool) -> AuditFinding:
    formula = formula_at(judge.claims.study.graph.book, fault.cell)
    return AuditFinding(
        fault.cell,
        formula,
        rewrite.text if rewrite else None,
        slug,
        says,
        float(fault.given[0]),
        float(fault.right[0]),
        in_numbers=off,
        updates=fault.of if fault.kind == "update" else None,
    )


@dataclass
class _Search:
    """Looks for the right formulas of one book's faults, the way that was right last first, while there is time."""

    judge: Judge
    naming: SlipNaming
    last: str = ""
    left: float = MOST_SECONDS

    def recipe(self, fault: Fault) -> tuple[FormulaChange | None, str, str]:
        rewrite = None
        if self.left > 0:
            begun = time.process_time()
            rewriting = Rewriting(self.judge.claims.study, self.judge.values, fault.cell, fault.right, fault.of)
            rewriting.alike = self.copies(fault)
            rewrite = rewriting.find(self.last)
            self.last = rewriting.way or self.last
            self.left -= time.process_time() - begun
        return (rewrite, *self.naming.slip(fault, rewrite))

    def copies(self, fault: Fault) -> list[tuple[s.Cell, PointRow]]:
        """A few other cells at fault that the formula of one was copied to."""
        sheet = self.judge.claims.study.graph.book.sheets[fault.cell.matrix]
        if sheet.formulas[fault.cell.row, fault.cell.column].spread is not None:
            return []
        same = self.judge.relative(fault.cell)
        found = [
            (each.cell, each.right)
            for each in self.judge.faults
            if each.cell != fault.cell
            and each.cell.matrix == fault.cell.matrix
            and self.judge.relative(each.cell) == same
        ]
        return found[:MOST_COPIES]


def _is_off(fault: Fault) -> bool:
    """Whether the number in the book is wrong, not the formula alone."""
    size = max(abs(float(fault.right[0])), abs(float(fault.given[0])), 1e-300)
    return bool(abs(float(fault.given[0]) - float(fault.right[0])) > 1e-9 * max(size, 1e-6))


def _experiments(judge: Judge, groups: dict[tuple[str, str], AuditFinding]) -> None:
    for finding in groups.values():
        wrong = [
            each
            for each in judge.gradients
            if each.wrong and (each.cell in finding.cells or each.because in finding.cells)
        ]
        wrong.sort(key=lambda each: each.cell not in finding.cells)
        for each in wrong:
            text = experiment(judge, each)
            if text is not None:
                finding.experiment = text
                break


def experiment(judge: Judge, gradient: JudgedGradient) -> str | None:
    """What anybody can type into the sheet to see that a gradient is wrong."""
    study = judge.claims.study
    graph, cell = study.graph, gradient.of
    if cell not in graph.typed or cell in graph.unread:
        return None
    loss = study.right[cell][0][0]
    if loss.matrix == NOWHERE:
        return None
    start = graph.typed[cell]
    step = 10.0 ** (math.floor(math.log10(max(abs(start), 0.1))) - 2)
    before, after = (loss_with(judge, loss, cell, number) for number in (start, start + step))
    slope = (float(after) - float(before)) / step
    return (
        f"type {start + step:.12g} for {start:.12g} into {address(cell.row, cell.column)}: the loss in "
        f"{address(loss.row, loss.column)} goes from {float(before):.8g} to {float(after):.8g}, "
        f"a slope of {slope:.5g}; "
        f"{address(gradient.cell.row, gradient.cell.column)} claims {float(gradient.claimed[0]) / judge.factor:.5g}"
    )


def loss_with(judge: Judge, loss: s.Cell, cell: s.Cell, number: float) -> float:
    """The loss with a number typed into a cell, on the book's own other numbers."""
    study = judge.claims.study
    values: dict[s.Cell, PointRow] = _Own(study)
    values[cell] = np.float64(number)  # type: ignore[assignment]
    between = [each for each in study.gradients[loss] if each in study.graph.made and each not in study.roles.updates]
    with np.errstate(all="ignore"):
        for each in sorted(between, key=lambda each: study.places[each]):
            values[each] = value(study.graph.made[each], values)
    return float(values[loss])


class _Own(dict[s.Cell, PointRow]):
    """The book's own numbers beneath what is set."""

    def __init__(self, study: Study) -> None:
        super().__init__()
        self.study = study

    def __missing__(self, cell: s.Cell) -> PointRow:
        return self.study.row(cell)[0]  # type: ignore[no-any-return]


def conventions(judge: Judge) -> Iterator[str]:
    """What is done otherwise than usual and is right all the same."""
    factor = judge.factor
    if abs(factor + 1) < 1e-6:
        yield "gradients have the opposite sign: they are what is added"
    elif abs(factor - math.log(10)) < 1e-6:
        yield "the loss takes logarithms of base 10: the gradients are those of the loss with natural ones"
    elif abs(factor - 1) > 1e-6:
        yield f"gradients are {factor:.6g} times those of the loss in the book"
    study = judge.claims.study
    if study.roles.losses[0].matrix == NOWHERE:
        number = study.roles.losses[0].row
        begin = "" if number == UNDER_ROOT else "the book holds no loss: "
        yield f"{begin}its gradients are judged as those of {WORDS[number]}"
