"""Which cells are wrong: in the order of computation every claim is held against the right gradient, and a cell that is
wrong is put right before going on, so that what merely follows from it is told apart from what is wrong itself.

Nobody is accused without proof: a claim that only the cells after it make must put these right when it is put right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tracer.audit.claims import Claim, Claims, commonest
from tracer.audit.known import FAR, NEAR, alike, ratio
from tracer.audit.numbers import PointRow, slopes, value
from tracer.audit.updates import CLOSE, Fault, JudgedGradient, UpdateJudge
from tracer.audit.writing import relative_formula
from tracer.expression import scalar as s

STRONG = ("said", "update", "heading")
MOST_TRIED, MOST_AFTER = 400, 20_000  # proofs that are tried, and cells that are computed again for each
MOST_COUNTED = 10_000  # samples and outputs that a mean is over


@dataclass
class Judge(UpdateJudge):
    """Judges the cells of a study by their claims."""

    @classmethod
    def of(cls, claims: Claims) -> Judge:
        judge = cls(claims, dict(claims.study.values))
        judge.factor = judge.common_factor()
        if judge.change is not None and judge.change > 0 and judge.goes_down:
            judge.factor = abs(judge.factor)
        with np.errstate(all="ignore"):
            for cell in claims.study.graph.order:
                judge.look_at(cell)
            judge.go_on_in_line()
            judge.look_for_updates()
            judge.judge_steps()
        judge.faults.sort(key=lambda each: claims.study.places.get(each.cell, -1))
        return judge

    @property
    def is_sure(self) -> bool:
        """Whether enough is right, or comes right, for the rest to be called wrong."""
        return self._is_plain_factor() and len(self.gradients) + len(self.taken) >= 2 * len(
            {self.relative(each.cell) for each in self.faults}
        )

    def _is_plain_factor(self) -> bool:
        """Whether the sheet's scale is one that people use: 1, a count or its inverse, the rate, ln 10."""
        size = abs(self.factor)
        rates = [abs(each) for each in (self.change, self.step) if each]
        if abs(size - math.log(10)) <= CLOSE:  # a loss with logarithms of base 10
            return True
        counts = [size, 1 / size] + [size / rate for rate in rates] + [size * rate for rate in rates]
        return any(abs(each - round(each)) <= CLOSE * each and 1 <= round(each) <= MOST_COUNTED for each in counts)

    def go_on_in_line(self) -> None:
        """Cells that nothing speaks for are held against their neighbours' gradients."""
        found = self.claims.found
        settled = {each.cell: each.of for each in self.gradients}
        for _ in range(2):
            for cell in self.claims.study.roles.backward():
                if cell not in found and (claim := self.claims.in_line(cell, settled)) is not None:
                    found[cell] = claim
                    self.judge_gradient(cell, claim)
            settled = {each.cell: each.of for each in self.gradients}

    def common_factor(self) -> float:
        """What the sheet's gradients are times the loss's: 1, or −1, 1/N, the rate, by its convention."""
        for kinds in (STRONG, ("use", "rule", "line")):
            found = [
                factor
                for cell, claim in self.claims.found.items()
                if claim.how in kinds and (factor := self.fitting(self.row(cell), claim)) is not None
            ]
            if found:
                most = commonest(found) or 1.0
                ones = sum(abs(each - 1.0) <= CLOSE for each in found)
                return 1.0 if ones >= sum(abs(each - most) <= CLOSE * abs(most) for each in found) else most
        return 1.0

    def fitting(self, row: PointRow, claim: Claim) -> float | None:
        """The factor by which a row is what it claims to be."""
        for cell in claim.of:
            for _, right in self.claims.study.right.get(cell, ()):
                if (found := ratio(row, right)) is not None:
                    return found
        return None

    def look_at(self, cell: s.Cell) -> None:
        """Compute a cell anew where something before it changed, and judge what it claims."""
        study = self.claims.study
        if cell in study.roles.updates:
            self.judge_update(cell)
            return
        before = next((self.behind[each] for each in study.graph.uses[cell] if each in self.behind), None)
        if before is not None:
            self.values[cell] = value(study.graph.made[cell], self.values)
            self.behind[cell] = before
        claim = self.claims.found.get(cell)
        if claim is not None and cell not in study.right:
            self.judge_gradient(cell, claim)

    def judge_gradient(self, cell: s.Cell, claim: Claim) -> None:
        given = self.row(cell)
        of = self.agreeing(given, claim)
        blamed = False
        if of is None:
            of = self.proved(cell, claim)
            blamed = of is not None
        if of is None:
            return
        right = self.right_row(of)
        shown = np.broadcast_to(self.claims.study.values[cell], given.shape)
        wrong = not alike(shown[: 1 + NEAR], self.scaled_like(shown, right)[: 1 + NEAR])
        self.gradients.append(
            JudgedGradient(cell, of, right, shown, wrong, blamed, None if blamed else self.behind.get(cell))
        )

    def scaled_like(self, shown: PointRow, right: PointRow) -> PointRow:
        """The right row in the scale that a cell between has: its own constant factor, where that is one."""
        found = ratio(shown, right)
        return right * (found / 1.0) if found is not None and abs(abs(found) - 1.0) > CLOSE else right

    def agreeing(self, row: PointRow, claim: Claim) -> s.Cell | None:
        """The cell whose gradient a row is: in the sheet's own scale, or for a cell between in any."""
        for cell in sorted(claim.of, key=lambda each: (each.matrix, each.row, each.column)):
            for _, known in self.claims.study.right.get(cell, ()):
                if alike(row, self.factor * known):
                    return cell
                if claim.how not in STRONG and (found := ratio(row, known)) is not None and self.is_scale(found):
                    return cell
        return None

    def is_scale(self, factor: float) -> bool:
        """Whether cells between may be so many times the gradient: what most others of them are."""
        if factor < 0 < self.factor and self.change is not None and self.change > 0:
            return False
        return any(abs(factor - each) <= CLOSE * abs(each) for each in self.scales)

    @cached_property
    def scales(self) -> list[float]:
        counts: dict[float, int] = {}
        exact: dict[float, float] = {}
        for cell, claim in self.claims.found.items():
            if claim.how not in STRONG and (found := self.fitting(self.claims.study.row(cell), claim)) is not None:
                key = float(f"{found:.6g}")
                counts[key] = counts.get(key, 0) + 1
                exact.setdefault(key, found)
        most = max(counts.values(), default=0)
        alone = list(counts.values()).count(most) == 1

        def usual(factor: float, count: int) -> bool:
            """Often enough; the other sign only if most have it, as one cell with it has many copies."""
            same = factor * self.factor > 0
            return count > 1 and (count * 2 >= most if same else count == most and alone)

        return [exact[factor] for factor, count in counts.items() if usual(factor, count)] + [self.factor]

    def proved(self, cell: s.Cell, claim: Claim) -> s.Cell | None:
        """Blame a cell, or one that only serves it, where that can be proved; gives the cell of the gradient."""
        tried = [(self.gain(cell, of, claim), of) for of in self.candidates(claim)]
        rated = [(gain, of) for gain, of in tried if gain is not None]
        if not rated:
            return None
        gain, of = max(rated, key=lambda each: each[0])
        if claim.how not in STRONG and gain <= 0:
            return None
        right = self.right_row(of)
        self.blame(cell, of, right)
        return of

    def candidates(self, claim: Claim) -> list[s.Cell]:
        known = [each for each in claim.of if each in self.claims.study.right]
        return sorted(known, key=lambda each: (each.matrix, each.row, each.column))[:12]

    def gain(self, cell: s.Cell, of: s.Cell, claim: Claim) -> float | None:
        """How many claims after a cell come right when it and those made like it do, less those that go wrong.

        None where there is no proof either way.
        """
        if claim.how in STRONG and len(claim.of) == 1:
            return 1.0
        if self.tried >= MOST_TRIED:
            return None
        self.tried += 1
        put = {cell: self.right_row(of)} | self.family(cell)
        after = self.after(put)
        claimed = [each for each in after if each in self.claims.found and each not in put]
        if len(after) > MOST_AFTER or not claimed:
            return 0.5 if claim.how == "line" or (len(claim.of) == 1 and claim.how == "rule") else None
        before, now = self.trial({}, after), self.trial(put, after)
        good = sum(self.holds(each, now) and not self.holds(each, before) for each in claimed)
        bad = sum(self.holds(each, before) and not self.holds(each, now) for each in claimed)
        return float(good - 2 * bad)

    def family(self, cell: s.Cell) -> dict[s.Cell, PointRow]:
        """Cells with the formula of one, relative to their places, that claim one gradient each: what it should be."""
        found = {}
        with np.errstate(all="ignore"):
            for each in self.families.get(self.relative(cell), ()):
                claim = self.claims.found.get(each)
                if claim is None or claim.how in STRONG or len(claim.of) != 1 or each == cell:
                    continue
                (of,) = claim.of
                if of in self.claims.study.right:
                    found[each] = self.right_row(of)
        return found

    @cached_property
    def families(self) -> dict[str, list[s.Cell]]:
        found: dict[str, list[s.Cell]] = {}
        for cell in self.claims.study.roles.backward():
            found.setdefault(self.relative(cell), []).append(cell)
        return found

    def relative(self, cell: s.Cell) -> str:
        if cell not in self._relative:
            self._relative[cell] = cell.matrix + relative_formula(self.claims.study.graph.book, cell)
        return self._relative[cell]

    def holds(self, cell: s.Cell, values: Mapping[s.Cell, PointRow]) -> bool:
        row = np.broadcast_to(values[cell], (1 + NEAR + FAR,))
        return self.agreeing(row, self.claims.found[cell]) is not None

    def after(self, cells: Iterable[s.Cell]) -> list[s.Cell]:
        """The backward cells that depend on some, in order."""
        study = self.claims.study
        found: set[s.Cell] = set()
        left = list(cells)
        while left and len(found) <= MOST_AFTER:
            for user in study.graph.users.get(left.pop(), ()):
                if user not in found and user not in study.roles.updates:
                    found.add(user)
                    left.append(user)
        return sorted(found, key=lambda each: study.places[each])

    def trial(self, put: Mapping[s.Cell, PointRow], after: Iterable[s.Cell]) -> dict[s.Cell, PointRow]:
        """The values with some cells set and those after them computed."""
        made = self.claims.study.graph.made
        overlay = _Overlay(self.values)
        overlay.update(put)
        for each in after:
            if each not in put:
                overlay[each] = value(made[each], overlay)
        return overlay

    def blame(self, cell: s.Cell, of: s.Cell, right: PointRow) -> None:
        serving = self.serving(cell, right)
        if serving is not None:
            self.put_right(Fault(serving[0], serving[1], self.row(serving[0]), "local derivative", of))
            self.values[cell] = value(self.claims.study.graph.made[cell], self.values)
            self.behind[cell] = serving[0]
            return
        self.put_right(Fault(cell, right, self.row(cell), "gradient", of))

    def serving(self, cell: s.Cell, right: PointRow) -> tuple[s.Cell, PointRow] | None:
        """A cell that only serves others (a slope, a part) and would have to be a known local derivative."""
        study = self.claims.study
        shown = self.row(cell)
        for operand in study.graph.uses[cell]:
            if operand in study.right or operand in self.claims.found or operand not in study.graph.made:
                continue
            if self.is_local(self.row(operand)) is not None:
                continue
            slope = np.broadcast_to(self.slope(cell, operand), shown.shape)
            needed = self.row(operand) + (right - shown) / slope
            if np.count_nonzero(np.isfinite(needed)) >= 4 and self.is_local(needed) is not None:
                trial = self.trial({operand: needed}, [cell])
                if alike(np.broadcast_to(trial[cell], right.shape), right):
                    return operand, needed
        return None

    def slope(self, cell: s.Cell, operand: s.Cell) -> PointRow:
        return slopes(self.claims.study.graph.made[cell], self.values)[operand]

    def is_local(self, row: PointRow) -> tuple[s.Cell, s.Cell] | None:
        """The forward cells u, v whose ∂u/∂v a row is."""
        return next((pair for known, pair in self.locals if alike(row, known)), None)

    @cached_property
    def locals(self) -> list[tuple[PointRow, tuple[s.Cell, s.Cell]]]:
        """The slopes of forward cells in those before them that change from point to point."""
        found = []
        for cell in self.claims.study.right:
            for users in self.claims.onward(cell):
                for user, row in users.items():
                    full = np.broadcast_to(row, (1 + NEAR + FAR,))
                    if np.ptp(np.nan_to_num(full)) > 0:
                        found.append((full, (user, cell)))
        return found


class _Overlay(dict[s.Cell, PointRow]):
    """Rows laid over others."""

    def __init__(self, below: Mapping[s.Cell, PointRow]) -> None:
        super().__init__()
        self.below = below

    def __missing__(self, cell: s.Cell) -> PointRow:
        return self.below[cell]
