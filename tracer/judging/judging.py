"""The verdict on every cell: fair to rounding, an error marked once and carried after that.

Every matrix is judged by the right rule on the learner's own earlier cells: first on the numbers
themselves, and where those do not give what was written, on the bounds that rounding leaves them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.expression.dependents import Marked
from tracer.expression.interval import Interval, bound
from tracer.judging.sheet import Sheet, WrittenMatrix
from tracer.judging.verdicts import COUNTS, Mark, Slip, Verdict
from tracer.judging.work import ROUNDING, SLACK, Array, OnDemand, Work, close, inside, is_step, own_units, tolerance
from tracer.program.roles import WEIGHTS_GRADIENT

_TURNED = "rows and columns are swapped: a gradient has the shape of what it is the gradient of"
_CUT_OFF = "this was cut off after the last digit; round it instead"
TURNED, TRUNCATED = Slip("gradient-transposed", _TURNED, _TURNED), Slip("truncated", _CUT_OFF, _CUT_OFF)
SIGNIFICANT = 3  # digits that a number must have right, whatever decimals are asked
_SPOILT = {"slip", "wrong"}


@dataclass(eq=False)
class Site:
    """A matrix with cells that the right rule does not explain, for those who look for wrong ones.

    `right` are the right rule's bounds on the learner's own work and `on_own` its values, `tolerance` what
    every bound is widened by; `failing` has the cells to be explained, and `coarse` those among them
    that are right at the digits written, of which there are too few.
    """

    id: str
    expression: m.Matrix
    work: Work
    written: WrittenMatrix
    right: Interval
    on_own: Array
    tolerance: Array
    failing: Marked
    coarse: Marked


@dataclass(frozen=True)
class Explained:
    """A slip and the cells that it explains; `left_out` has bounds of left-out matrices as the slip makes them."""

    slip: Slip
    cells: Marked
    left_out: tuple[tuple[str, Interval], ...] = ()


Explain = Callable[[Site], Iterable[Explained]]
"""Names the slips that explain cells of a site, the likeliest first."""


def no_slips(site: Site) -> Sequence[Explained]:
    return ()


def judge(sheet: Sheet, explain: Explain = no_slips) -> list[Mark]:
    """The verdicts on all cells of a sheet's matrices, in order of time."""
    judging = _Judging(sheet, explain)
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
    truncates: bool = False

    def __post_init__(self) -> None:
        self.key = self.sheet.key
        self.work = Work(self.sheet)

    def matrix(self, identifier: str) -> None:
        expression = self.key.program.assignments[identifier].expression
        written = self.sheet.written.get(identifier)
        if written is not None:
            self.verdicts[identifier] = _unwritten(written)
        if written is not None and expression is None:
            self._given(identifier, written)
        elif written is not None and expression is not None:
            self._computed(identifier, expression, written)
        if written is not None and written.turned:
            self._turned(identifier)
        if self.work.behind or (written is not None and _SPOILT & set(self.verdicts[identifier].ravel().tolist())):
            self._note(identifier)
        self.work.past.add(identifier)

    def _given(self, identifier: str, written: WrittenMatrix) -> None:
        """Numbers that were copied: right as they stand, or a copying error."""
        key = self.on_own[identifier] = self.key.values[identifier]
        verdicts = self.verdicts[identifier]
        _give(verdicts, _equals(written, key), "correct")
        _give(verdicts, written.present, "wrong")

    def _computed(self, identifier: str, expression: m.Matrix, written: WrittenMatrix) -> None:
        verdicts = self.verdicts[identifier]
        self.on_own[identifier] = self.key.compute(identifier, self.work.values)
        _give(verdicts, _equals(written, self.key.values[identifier]), "correct")
        _give(verdicts, self._right_as_asked(identifier, written), "rounded")
        if (verdicts == "").any():
            self._judge_open(identifier, expression, written)
        coarse = verdicts == "too_coarse"
        if coarse.any():
            self.work.coarse[identifier] = coarse

    def _right_as_asked(self, identifier: str, written: WrittenMatrix) -> Marked:
        """Right to the decimals asked, and to three digits, however many more were written.

        Of an updated parameter the digits count from its change, or an unchanged one would be right.
        """
        key, unit = self.key.values[identifier], 10.0 ** -self.key.problem.decimals.of(identifier)
        assignment = self.key.program.assignments[identifier]
        size = np.abs(key)
        if assignment.role == "updated" and assignment.of is not None:
            size = np.abs(key - self.key.values[assignment.of])
        asked = np.minimum(0.5 * unit, 0.5 * 10.0**-SIGNIFICANT * size)
        return (written.units < unit) & close(written.values, key, asked)

    def _turned(self, identifier: str) -> None:
        """Rows and columns are exchanged in the whole matrix: nothing in it is where it belongs."""
        verdicts = self.verdicts[identifier]
        for row, column in np.argwhere(np.isin(verdicts, list(COUNTS))).tolist():
            gradient = self.key.program.quantity(identifier) == WEIGHTS_GRADIENT
            verdicts[row, column] = "slip" if gradient else "wrong"
            self.slips.setdefault(identifier, {})[row, column] = [TURNED] if gradient else []

    def _judge_open(self, identifier: str, expression: m.Matrix, written: WrittenMatrix) -> None:
        """The cells that do not equal the key."""
        work, verdicts = self.work, self.verdicts[identifier]
        behind, void = work.dependents(identifier, work.behind), work.dependents(identifier, work.void)
        if behind.any():
            by_mended = self._by(identifier, expression, written, work.mended, work.mended_values)
            carries = work.dependents(identifier, work.carried)
            _give(verdicts, by_mended & ~carries, "rounded")
            _give(verdicts, by_mended & ~void, "carried")
        if (verdicts == "").any():
            by_own = self._by(identifier, expression, written, work.own, work.values)
            _give(verdicts, by_own & ~behind, "rounded")
            _give(verdicts, by_own & ~void, "carried")
        if work.replaced and (verdicts == "").any():
            by_plain = inside(written.values, bound(expression, work.plain), tolerance(written))
            _give(verdicts, by_plain & ~void, "carried")
        if (verdicts == "").any():
            self._truncated(identifier, expression, written, behind, void)
        if (verdicts == "").any():
            self._name_slips(identifier, expression, written)
            _give(verdicts, np.ones(verdicts.shape, dtype=bool), "wrong")

    def _by(
        self,
        identifier: str,
        expression: m.Matrix,
        written: WrittenMatrix,
        bounds: OnDemand[Interval],
        values: OnDemand[Array],
    ) -> Marked:
        """The open cells that the right rule on these earlier cells explains, and others that it may."""
        open_cells, slack = self.verdicts[identifier] == "", tolerance(written)
        on_these = self.on_own[identifier] if values is self.work.values else self.key.compute(identifier, values)
        near = close(written.values, on_these, slack)
        if near[open_cells].all():
            return near
        within = near.copy()
        for choice in self._choices(expression, bounds):
            bounded = bound(expression, choice)
            if is_step(expression):
                within |= close(written.values, bounded.low, slack) | close(written.values, bounded.high, slack)
            else:
                within |= inside(written.values, bounded, slack)
        return within

    def _choices(self, expression: m.Matrix, bounds: OnDemand[Interval]) -> Iterator[dict[str, Interval]]:
        """The bounds; twice where a left-out slope jumps within its bounds: with either value, and none between."""
        jumping = [each.name for each in traversal.symbols(expression) if self.work.jumps(each.name)]
        if not jumping or not isinstance(expression, m.Broadcast):
            yield bounds
            return
        for end in ("low", "high"):
            yield {each.name: bounds[each.name] for each in traversal.symbols(expression)} | {
                name: Interval.exactly(getattr(bounds[name], end)) for name in jumping
            }

    def _truncated(
        self, identifier: str, expression: m.Matrix, written: WrittenMatrix, behind: Marked, void: Marked
    ) -> None:
        """Cells cut off where they should be rounded; on bounds of such only where a learner plainly does so."""
        verdicts = self.verdicts[identifier]
        cut = _cut_off(written, self.key.values[identifier]) | _cut_off(written, self.on_own[identifier])
        self.truncates |= bool((cut & (verdicts == "")).any())
        if self.truncates:
            bounds = bound(expression, self.work.cut)
            cut |= _cut_off(written, bounds.low, bounds.high)
        cut &= (verdicts == "") & ~void
        _give(verdicts, cut & ~behind, "rounded")
        _give(verdicts, cut, "carried")
        for row, column in np.argwhere(cut).tolist():
            self.slips.setdefault(identifier, {})[row, column] = [TRUNCATED]

    def _name_slips(self, identifier: str, expression: m.Matrix, written: WrittenMatrix) -> None:
        verdicts, right = self.verdicts[identifier], bound(expression, self.work.own)
        failing = verdicts == ""
        coarse = failing & self._coarse(identifier, written, right)
        slack = tolerance(written) + (written.units / 2 if self.truncates else 0.0)
        site = Site(identifier, expression, self.work, written, right, self.on_own[identifier], slack, failing, coarse)
        if not (failing & ~coarse).any():
            verdicts[coarse] = "too_coarse"
            return
        replaced = False
        for found in self.explain(site):
            cells = found.cells & failing
            for row, column in np.argwhere(cells).tolist():
                self.slips.setdefault(identifier, {}).setdefault((row, column), []).append(found.slip)
            verdicts[cells] = "slip"
            if found.left_out and not replaced:
                replaced = True
                for each, interval in found.left_out:
                    self.work.replace(each, interval)
        _give(verdicts, coarse, "too_coarse")

    def _coarse(self, identifier: str, written: WrittenMatrix, right: Interval) -> Marked:
        """Right at the digits written, of which there are fewer than asked for."""
        units = own_units(written)
        fewer = units > 1.5 * 10.0 ** -self.key.problem.decimals.of(identifier)
        half = (0.5 + SLACK) * units
        return fewer & (close(written.values, self.key.values[identifier], half) | inside(written.values, right, half))

    def _note(self, identifier: str) -> None:
        """Which cells are wrong, which carry a wrong one on, and which say nothing.

        A matrix with wrong cells that holds one number throughout says nothing in them, and what is
        made of such cells says no more.
        """
        work, written = self.work, self.sheet.written.get(identifier)
        marks = {name: work.dependents(identifier, marked) for name, marked in work.marked.items()}
        if written is not None:
            verdicts = self.verdicts[identifier]
            wrong, carried = verdicts == "wrong", verdicts == "carried"
            numbers = written.values[written.present]
            filled = wrong.any() and numbers.size > 1 and (numbers == numbers[0]).all()
            bad = wrong | (verdicts == "slip")
            marks = {
                "bad": bad,
                "carried": carried | (marks["carried"] & ~written.present),
                "behind": bad | carried | (marks["behind"] & ~written.present),
                "void": bad if filled else marks["void"] & (bad | ~written.present),
            }
        for name, cells in marks.items():
            if cells.any() and (name != "bad" or written is not None):
                work.marked[name][identifier] = cells

    # The result

    def marks(self, identifier: str) -> Iterator[Mark]:
        entries, expected = self.sheet.written[identifier].entries, self.key.values[identifier].tolist()
        own, slips = self.on_own[identifier].tolist(), self.slips.get(identifier, {})
        for row, verdicts in enumerate(self.verdicts[identifier].tolist()):
            for column, verdict in enumerate(verdicts):
                yield Mark(
                    identifier, row, column, entries[row][column].text, verdict, expected[row][column],
                    own[row][column], tuple(slips.get((row, column), ())),
                )  # fmt: skip


def _unwritten(written: WrittenMatrix) -> NDArray[np.object_]:
    """The verdicts on a matrix, to begin with: none but on cells that hold no number."""
    verdicts = np.full(written.values.shape, "", dtype=object)
    for row, column in np.argwhere(~written.present).tolist():
        verdicts[row, column] = written.entries[row][column].kind
    return verdicts


def _give(verdicts: NDArray[np.object_], cells: Marked, verdict: Verdict) -> None:
    """A verdict to the cells that have none yet."""
    verdicts[(verdicts == "") & cells] = verdict


def _equals(written: WrittenMatrix, key: Array) -> Marked:
    """Equal to the digits written."""
    return close(written.values, key, (0.5 + SLACK) * written.units + ROUNDING * np.abs(key))


def _cut_off(written: WrittenMatrix, least: Array, most: Array | None = None) -> Marked:
    """Whether a value, or one between two, gives the number when its further digits are cut off."""
    most = least if most is None else most
    values, units = written.values, written.units
    slack = SLACK * units + ROUNDING * np.abs(values)
    with np.errstate(invalid="ignore"):
        low = np.where(values <= 0, values - units, values) - slack
        high = np.where(values >= 0, values + units, values) + slack
        return np.asarray((most >= low) & (least <= high))
