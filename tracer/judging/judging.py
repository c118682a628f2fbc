"""The verdict on every cell: fair to rounding, an error marked once and carried after that.

The first line of DESIGN.md's table that fits holds; the numbers at the lines here are those of the table. Every matrix
is judged by the right rule on the learner's own earlier cells, and on what rounding leaves open of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracer.expression.arrays import Array
from tracer.expression.dependents import Marked
from tracer.expression.interval import Interval
from tracer.judging.numbers import close, cut_off, equals, stands_for, tolerance
from tracer.judging.open_cells import OpenCells, give, is_open
from tracer.judging.sheet import Sheet, WrittenMatrix
from tracer.judging.site import Explain, Site, no_slips
from tracer.judging.verdicts import COUNTS, Idea, Mark, Slip, Verdict
from tracer.judging.work import Work, is_step

_TURNED = "rows and columns are swapped: a gradient has the shape of what it is the gradient of"
_CUT_OFF = "this was cut off after the last digit; round it instead"
TRUNCATED = Slip("truncated", _CUT_OFF, _CUT_OFF)
RIGHT = frozenset({"correct", "rounded"})


def judge(sheet: Sheet, explain: Explain = no_slips) -> list[Mark]:
    """The verdicts on all cells of a sheet's matrices, in order of time."""
    judging = _Judging(sheet, explain)
    with np.errstate(all="ignore"):  # what is no number explains nothing
        for identifier in sheet.key.program.assignments:
            judging.matrix(identifier)
    return [mark for identifier in sheet.written for mark in judging.marks(identifier)]


@dataclass(eq=False)
class _Judging:
    """Goes through the matrices in order of time."""

    sheet: Sheet
    explain: Explain
    verdicts: dict[str, NDArray[np.object_]] = field(default_factory=dict)
    on_own: dict[str, Array] = field(default_factory=dict)
    slips: dict[str, dict[tuple[int, int], list[Slip]]] = field(default_factory=dict)
    empty: dict[str, Marked] = field(default_factory=dict)
    cuts_off: bool = False

    def __post_init__(self) -> None:
        self.key = self.sheet.key
        self.work = Work(self.sheet)

    def matrix(self, identifier: str) -> None:
        expression = self.key.program.assignments[identifier].expression
        written = self.sheet.written.get(identifier)
        if written is not None:
            self.verdicts[identifier] = _unwritten(written)
            if expression is None:
                self._given(identifier, written)
            else:
                self._computed(identifier, written)
            if written.turned:
                self._turned(identifier)
        self._note(identifier, written)

    def _given(self, identifier: str, written: WrittenMatrix) -> None:
        """Numbers that were copied: right as they stand, or a copying error."""
        key = self.on_own[identifier] = self.key.values[identifier]
        verdicts = self.verdicts[identifier]
        give(verdicts, equals(written, key), "correct")
        give(verdicts, written.present, "wrong")

    def _computed(self, identifier: str, written: WrittenMatrix) -> None:
        """Lines 2 to 4, which look at the key alone."""
        verdicts, key = self.verdicts[identifier], self.key.values[identifier]
        self.on_own[identifier] = self.key.compute(identifier, self.work.own.values)
        give(verdicts, equals(written, key), "correct")
        if is_open(verdicts):
            give(verdicts, close(written.values, key, tolerance(written)), "rounded")
        lost = np.zeros(key.shape, dtype=bool)
        if is_open(verdicts):
            exactly = Interval.exactly(key)
            self.cut(identifier, cut_off(written, written.units, exactly), "rounded")
            if not is_step(self.key.program.assignments[identifier].expression):  # whose 0 and 1 are exact
                coarse = written.coarse & stands_for(written, written.own, exactly)
                lost = coarse & written.bare
                give(verdicts, coarse & ~lost, "too_coarse")
        if is_open(verdicts):
            OpenCells(self, identifier, written, lost).judge()

    def cut(self, identifier: str, cells: Marked, verdict: Verdict) -> None:
        """A verdict to cells that were cut off where they should be rounded."""
        cells = cells & (self.verdicts[identifier] == "")
        if not cells.any():
            return
        give(self.verdicts[identifier], cells, verdict)
        self.cuts_off = True
        for row, column in np.argwhere(cells).tolist():
            self.slips.setdefault(identifier, {})[row, column] = [TRUNCATED]

    def _turned(self, identifier: str) -> None:
        """Rows and columns are exchanged in the whole matrix: nothing in it is where it belongs."""
        verdicts = self.verdicts[identifier]
        for row, column in np.argwhere(np.isin(verdicts, list(COUNTS))).tolist():
            gradient = identifier in self.key.program.gradients_of_parameters
            verdicts[row, column] = "slip" if gradient else "wrong"
            self.slips.setdefault(identifier, {})[row, column] = [turned(identifier)] if gradient else []

    def _note(self, identifier: str, written: WrittenMatrix | None) -> None:
        """What stands behind the cells that are made of these, and what these may be off."""
        work = self.work
        nothing_behind = not work.behind and not work.coarse_behind
        if written is not None and nothing_behind and RIGHT.issuperset(self.verdicts[identifier].ravel().tolist()):
            work.right[identifier] = np.ones(written.values.shape, dtype=bool)
            return
        marked = {"behind": work.behind, "wrong": work.wrong_behind, "coarse": work.coarse_behind}
        before = {name: work.dependents(identifier, marks) for name, marks in marked.items()}
        if written is not None:
            verdicts = self.verdicts[identifier]
            wrong, slip, carried, coarse = (verdicts == each for each in ("wrong", "slip", "carried", "too_coarse"))
            work.right[identifier] = (verdicts == "correct") | (verdicts == "rounded")
            on = wrong | slip | carried | ~written.present
            if coarse.any():
                on |= coarse & ~self._right(identifier, written)
            before = {name: cells & on for name, cells in before.items()}
            before["behind"] |= wrong | slip | carried
            before["wrong"] |= wrong
            before["coarse"] |= coarse
            for marks, cells in ((work.bad, wrong | slip), (work.carried, carried)):
                if cells.any():
                    marks[identifier] = cells
            for reading in (work.own, work.plain, work.mended):
                reading.forget(identifier)
        for name, cells in before.items():
            if cells.any():
                marked[name][identifier] = cells
        if written is None and (carried := work.dependents(identifier, work.carried)).any():
            work.carried[identifier] = carried

    def _right(self, identifier: str, written: WrittenMatrix) -> Marked:
        """Whether cells are the key's at their own digits."""
        return stands_for(
            written, np.maximum(written.own, written.units), Interval.exactly(self.key.values[identifier])
        )

    def name_slips(self, site: Site) -> None:
        """Line 10."""
        verdicts, replaced = self.verdicts[site.id], False
        for found in self.explain(site):
            cells = found.cells & site.failing
            if not found.slip.is_plain:
                cells &= ~site.doubtful
            for row, column in np.argwhere(cells).tolist():
                self.slips.setdefault(site.id, {}).setdefault((row, column), []).append(found.slip)
            verdicts[cells] = "slip"
            if found.slip.is_plain:
                self.work.known.extend(each for each in found.slip.ideas if each not in self.work.known)
            if found.left_out and not replaced:
                replaced = True
                for each, interval in found.left_out:
                    self.work.replace(each, interval)

    # The result

    def marks(self, identifier: str) -> Iterator[Mark]:
        entries, expected = self.sheet.written[identifier].entries, self.key.values[identifier].tolist()
        own, slips = self.on_own[identifier].tolist(), self.slips.get(identifier, {})
        empty = self.empty.get(identifier, np.zeros(self.key.values[identifier].shape, dtype=bool))
        for row, verdicts in enumerate(self.verdicts[identifier].tolist()):
            for column, verdict in enumerate(verdicts):
                entry = entries[row][column]
                yield Mark(
                    identifier, row, column, entry.text, verdict, expected[row][column], own[row][column],
                    tuple(slips.get((row, column), ())), entry.digits, bool(empty[row, column]),
                )  # fmt: skip


def turned(identifier: str) -> Slip:
    """A gradient with its rows and columns exchanged."""
    slug = "gradient-transposed"
    return Slip(slug, _TURNED, _TURNED, ideas=(Idea(slug, slug, slug, identifier, {}),))


def _unwritten(written: WrittenMatrix) -> NDArray[np.object_]:
    """The verdicts on a matrix, to begin with: none but on cells that hold no number."""
    verdicts = np.full(written.values.shape, "", dtype=object)
    for row, column in np.argwhere(~written.present).tolist():
        verdicts[row, column] = written.entries[row][column].kind
    return verdicts
