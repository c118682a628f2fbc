"""The verdict on every cell: fair to rounding, an error marked once and carried after that.

The first line of DESIGN.md's table that fits holds; the numbers at the lines here are those of the table. Every matrix
is judged by the right rule on the learner's own earlier cells, and on what rounding leaves open of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracer.expression.arrays import Array
from tracer.expression.dependents import Marked
from tracer.judging.by_key import by_key
from tracer.judging.numbers import a_digit_fewer
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
    made_of: dict[str, Mapping[str, Marked]] = field(default_factory=dict)
    cuts_off: bool = False

    def __post_init__(self) -> None:
        self.key = self.sheet.key
        self.work = Work(self.sheet)
        self.by_key = by_key(self.sheet)

    def matrix(self, identifier: str) -> None:
        expression = self.key.program.assignments[identifier].expression
        written = self.sheet.written.get(identifier)
        if written is not None:
            self.verdicts[identifier] = self.by_key[identifier].verdicts
            if expression is None:
                self.on_own[identifier] = self.key.values[identifier]
            else:
                self._computed(identifier, written)
            if written.turned:
                self._turned(identifier)
        self._note(identifier, written)

    def _computed(self, identifier: str, written: WrittenMatrix) -> None:
        """What the key alone leaves open."""
        verdicts, known = self.verdicts[identifier], self.by_key[identifier]
        self.on_own[identifier] = self.work.own.made[identifier]
        if not is_open(verdicts):
            return
        self.cut(identifier, known.cut, "rounded")
        if is_step(self.key.program.assignments[identifier].expression):
            lost = np.zeros(verdicts.shape, dtype=bool)
            give(verdicts, known.coarse & a_digit_fewer(written, self.key.values[identifier]), "too_coarse")
        else:
            lost = known.coarse & written.bare
            give(verdicts, known.coarse & ~lost, "too_coarse")
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

    def before(self, identifier: str) -> Mapping[str, Marked]:
        """The cells that wrong, carried or coarse ones go into, of each kind of mark that there is."""
        if identifier not in self.made_of:  # once, when all before it are judged
            self.made_of[identifier] = {
                name: self.work.dependents(identifier, marks) for name, marks in self.work.marked.items() if marks
            }
        return self.made_of[identifier]

    def _note(self, identifier: str, written: WrittenMatrix | None) -> None:
        """What stands behind the cells that are made of these, and what these may be off."""
        work = self.work
        nothing_behind = not any(work.marked.values())
        if written is not None and nothing_behind and RIGHT.issuperset(self.verdicts[identifier].ravel().tolist()):
            work.right[identifier] = np.ones(written.values.shape, dtype=bool)
            return
        before = self.before(identifier)
        if written is not None:
            before = self._of_written(identifier, written, before)
            for reading in (work.own, work.plain, work.mended):
                reading.forget(identifier)
        for name, cells in before.items():
            if cells.any():
                work.marked[name][identifier] = cells
        if written is None and (carried := work.dependents(identifier, work.carried)).any():
            work.carried[identifier] = carried

    def _of_written(
        self, identifier: str, written: WrittenMatrix, before: Mapping[str, Marked]
    ) -> Mapping[str, Marked]:
        """What stands behind the cells that are made of these, where a number can put an end to it."""
        work, verdicts = self.work, self.verdicts[identifier]
        found, nothing = set(verdicts.ravel().tolist()), np.zeros(verdicts.shape, dtype=bool)
        wrong, slip, carried, coarse, correct, rounded = (
            verdicts == each if each in found else nothing
            for each in ("wrong", "slip", "carried", "too_coarse", "correct", "rounded")
        )
        work.right[identifier] = correct | rounded
        failing = wrong | slip | carried
        for marks, cells in ((work.bad, wrong | slip), (work.carried, carried)):
            if cells.any():
                marks[identifier] = cells
        on = failing | ~written.present | (coarse & ~self.by_key[identifier].right)
        own = {"behind": failing, "wrong": wrong, "coarse": coarse}
        return {name: (before[name] & on) | cells if name in before else cells for name, cells in own.items()}

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
                self.made_of.pop(site.id)  # which is made of more now that does not count

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
