"""Which cells are wrong: in the order of computation every claim is held against the right gradient, and a cell that is
wrong is put right before going on, so that what merely follows from it is told apart from what is wrong itself.

Nobody is accused without proof: a claim that only the cells after it make must put these right when it is put right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tracer.audit.claims import Claim, Claims, commonest
from tracer.audit.known import FAR, NEAR, alike, ratio
from tracer.audit.numbers import PointRow, slopes, value
from tracer.audit.roles import changes_of, root
from tracer.audit.writing import relative_formula
from tracer.expression import scalar as s

STRONG = ("said", "update", "heading")
MOST_TRIED, MOST_AFTER = 400, 20_000  # proofs that are tried, and cells that are computed again for each
CLOSE = 1e-5  # of a factor: the same
MOST_COUNTED = 10_000  # samples and outputs that a mean is over


@dataclass(frozen=True)
class JudgedGradient:
    """A cell that claims a gradient: `right` is what belongs there, at all points; `wrong` where it is not that.

    `blamed`: its own formula is at fault. `because`: the first cell at fault that it follows from.
    """

    cell: s.Cell
    of: s.Cell
    right: PointRow
    claimed: PointRow
    wrong: bool
    blamed: bool
    because: s.Cell | None = None


@dataclass(frozen=True)
class Fault:
    """A cell whose formula is at fault, and the numbers that belong there. `kind`: what it should be."""

    cell: s.Cell
    right: PointRow
    given: PointRow
    kind: str  # gradient, update, local derivative, forward
    of: s.Cell | None = None
    operands: Mapping[s.Cell, PointRow] = field(default_factory=dict)


@dataclass
class Judge:
    """Judges the cells of a study by their claims. `values` are the rows with all that was wrong put right."""

    claims: Claims
    values: dict[s.Cell, PointRow] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    gradients: list[JudgedGradient] = field(default_factory=list)
    factor: float = 1.0
    behind: dict[s.Cell, s.Cell] = field(default_factory=dict)  # the first fault that a changed cell follows from
    tried: int = 0
    _relative: dict[s.Cell, str] = field(default_factory=dict)

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
        judge.faults.sort(key=lambda each: claims.study.places.get(each.cell, -1))
        return judge

    @property
    def is_sure(self) -> bool:
        """Whether enough is right, or comes right, for the rest to be called wrong."""
        return self._is_plain_factor() and len(self.gradients) + len(self.taken) >= 2 * len(
            {self.relative(each.cell) for each in self.faults}
        )

    @cached_property
    def taken(self) -> list[s.Cell]:
        """The updates that take the gradient of their parameter off within their own formula, and rightly."""
        expected = self.change
        found = []
        for cell, update in self.claims.study.roles.updates.items():
            if (
                expected is not None
                and not any(each in self.claims.found for each in update.takes)
                and self.claims.study.right.get(update.parameter)
            ):
                with np.errstate(all="ignore"):
                    changed = value(self.claims.study.graph.made[cell], self.claims.study.values) - self.row(
                        update.before
                    )
                right = expected * self.claims.study.right[update.parameter][0][1]
                if alike(np.broadcast_to(changed, right.shape), right):
                    found.append(cell)
        return found

    def _is_plain_factor(self) -> bool:
        """Whether the sheet's scale is one that people use: 1, a count or its inverse, or the rate."""
        size = abs(self.factor)
        rates = [abs(each) for each in (self.change, self.step) if each]
        counts = [size, 1 / size] + [size / rate for rate in rates] + [size * rate for rate in rates]
        return any(abs(each - round(each)) <= CLOSE * each and 1 <= round(each) <= MOST_COUNTED for each in counts)

    @cached_property
    def unused(self) -> int:
        """Typed numbers with an update like the others' that no loss depends on: biases that were forgotten."""
        study = self.claims.study
        count = 0
        for update in changes_of(study.graph, study.roles):
            if update.parameter not in study.right and update.parameter in study.graph.typed and len(update.takes) == 1:
                slope = np.broadcast_to(study.slopes_of(update.cell).get(update.takes[0], 0.0), (1 + NEAR + FAR,))
                step = self.step
                count += step is not None and alike(slope, np.full_like(slope, step))
        return count

    @cached_property
    def step(self) -> float | None:
        """What most updates multiply their gradient with."""
        study, found = self.claims.study, []
        for update in study.roles.updates.values():
            if len(update.takes) == 1:
                slope = np.broadcast_to(study.slopes_of(update.cell).get(update.takes[0], 0.0), (1 + NEAR + FAR,))
                if np.ptp(slope) == 0:
                    found.append(float(slope[0]))
        return commonest(found)

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

    def row(self, cell: s.Cell) -> PointRow:
        return np.broadcast_to(self.values[cell], (1 + NEAR + FAR,))

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

    def right_row(self, of: s.Cell) -> PointRow:
        rows = self.claims.study.right[of]
        return self.factor * rows[0][1]

    def agreeing(self, row: PointRow, claim: Claim) -> s.Cell | None:
        """The cell whose gradient a row is: in the sheet's own scale, or for a cell between in any."""
        for cell in sorted(claim.of, key=lambda each: (each.matrix, each.row, each.column)):
            for _, known in self.claims.study.right.get(cell, ()):
                if alike(row, self.factor * known):
                    return cell
                if claim.how not in STRONG and (found := ratio(row, known)) is not None and self.is_scale(found):
                    return cell
        return None

    @cached_property
    def goes_down(self) -> bool:
        """Whether the losses are of a kind that one makes small: none is negative."""
        study = self.claims.study
        return all(float(study.row(loss)[0]) >= 0 for loss in study.roles.losses)

    def is_scale(self, factor: float) -> bool:
        """Whether cells between may be so many times the gradient: what most others of them are."""
        if factor < 0 < self.factor and self.change is not None and self.change > 0:
            return False
        return any(abs(factor - each) <= CLOSE * abs(each) for each in self.scales)

    @cached_property
    def scales(self) -> list[float]:
        counts: dict[float, int] = {}
        for cell, claim in self.claims.found.items():
            if claim.how not in STRONG and (found := self.fitting(self.claims.study.row(cell), claim)) is not None:
                key = float(f"{found:.6g}")
                counts[key] = counts.get(key, 0) + 1
        most = max(counts.values(), default=0)
        alone = list(counts.values()).count(most) == 1

        def usual(factor: float, count: int) -> bool:
            """Often enough; the other sign only if most have it, as one cell with it has many copies."""
            same = factor * self.factor > 0
            return count > 1 and (count * 2 >= most if same else count == most and alone)

        return [factor for factor, count in counts.items() if usual(factor, count)] + [self.factor]

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

    def put_right(self, fault: Fault) -> None:
        self.faults.append(fault)
        self.values[fault.cell] = fault.right
        self.behind[fault.cell] = fault.cell

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

    def judge_update(self, cell: s.Cell) -> None:
        """An update has to take the rate times the gradient of its own parameter off it."""
        study = self.claims.study
        update = study.roles.updates[cell]
        expected = self.change
        if expected is None or update.parameter not in study.right:
            return
        if expected > 0 and self.goes_down:
            expected = -expected
        changed = value(study.graph.made[cell], self.values) - self.row(update.before)
        right = expected * study.right[update.parameter][0][1]
        if alike(changed, right) or not self.is_plain():
            return
        if ratio(changed, right) is None and not self.takes_gradient(cell):
            return
        self.faults.append(
            Fault(cell, self.row(update.before) + right, self.row(update.before) + changed, "update", update.parameter)
        )

    def look_for_updates(self) -> None:
        """Cells where updates belong, by where the others are, and that are none."""
        expected = self.change
        if expected is None or not self.is_plain():
            return
        expected = -abs(expected) if self.goes_down and self.factor > 0 and expected > 0 else expected
        study = self.claims.study
        have = {each.parameter for each in study.roles.updates.values()}
        settled = {each.cell for each in self.gradients}
        for near, before, parameter in self.places_of_updates():
            if near in study.roles.updates or near in settled or near not in study.graph.made or parameter in have:
                continue
            if self.could_update(near, before, parameter):
                have.add(parameter)
                self.judge_missing(near, before, parameter, expected)

    def places_of_updates(self) -> Iterator[tuple[s.Cell, s.Cell, s.Cell]]:
        """Cells that may be updates, of what and of which parameter: beside updates, or as far from parameters."""
        study, graph = self.claims.study, self.claims.study.graph
        updates = list(study.roles.updates.items())
        for cell, update in updates:
            for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
                before = s.Cell(update.before.matrix, update.before.row + down, update.before.column + right)
                if (parameter := root(graph, before)) in study.right and parameter in graph.typed:
                    yield s.Cell(cell.matrix, cell.row + down, cell.column + right), before, parameter
        known = {each.of for each in self.gradients if each.of in graph.typed}
        shown = [each for each in (*graph.typed, *graph.made) if root(graph, each) in known]
        steps = dict.fromkeys(
            (c.matrix, u.before.matrix, c.row - u.before.row, c.column - u.before.column) for c, u in updates
        )
        for sheet, other, down, right in steps:
            for before in shown:
                if before.matrix == other and before.row + down > 0 and before.column + right > 0:
                    yield s.Cell(sheet, before.row + down, before.column + right), before, root(graph, before)

    def judge_missing(self, near: s.Cell, before: s.Cell, parameter: s.Cell, expected: float) -> None:
        """Blame a cell that should be an update and is none, or what it takes for a gradient."""
        study = self.claims.study
        gradient = self.taken_by(near, before)
        if gradient is not None and gradient not in self.claims.found:
            given, right = self.row(gradient), self.right_row(parameter)
            self.put_right(Fault(gradient, right, given, "gradient", parameter))
            self.gradients.append(JudgedGradient(gradient, parameter, right, given, wrong=True, blamed=True))
            return
        change = expected * study.right[parameter][0][1]
        given = np.broadcast_to(value(study.graph.made[near], self.values), change.shape)
        self.faults.append(Fault(near, self.row(before) + change, given, "update", parameter))

    def taken_by(self, cell: s.Cell, before: s.Cell) -> s.Cell | None:
        """The one computed cell that a cell takes as the other updates take their gradients."""
        known = self.claims.study.slopes_of(cell)
        found = [
            each
            for each, slope in known.items()
            if each != before
            and each in self.claims.study.graph.made
            and self.step is not None
            and alike(np.broadcast_to(slope, (1 + NEAR + FAR,)), np.full(1 + NEAR + FAR, self.step))
        ]
        return found[0] if len(found) == 1 and before in known else None

    def could_update(self, cell: s.Cell, before: s.Cell, parameter: s.Cell) -> bool:
        """Whether a cell in the place of an update has a part of it: the parameter, or its gradient."""
        right = self.claims.study.right[parameter][0][1]
        uses = self.claims.study.graph.uses[cell]
        return before in uses or any(ratio(self.row(each), right) is not None for each in uses)

    def takes_gradient(self, cell: s.Cell) -> bool:
        """Whether what an update takes off is a gradient at all, of this or of another parameter."""
        takes = self.claims.study.roles.updates[cell].takes
        return not takes or any(each in self.claims.found for each in takes)

    def is_plain(self) -> bool:
        """Whether most updates of the book are plain steps along the gradient."""
        return self.plain * 2 > len(self.claims.study.roles.updates)

    @cached_property
    def changes(self) -> list[float]:
        study = self.claims.study
        found = []
        for cell, update in study.roles.updates.items():
            with np.errstate(all="ignore"):
                changed = np.broadcast_to(value(study.graph.made[cell], study.values), (1 + NEAR + FAR,)) - self.row(
                    update.before
                )
            for _, right in study.right.get(update.parameter, ()):
                if (factor := ratio(changed, right)) is not None:
                    found.append(factor)
                    break
        return found

    @cached_property
    def change(self) -> float | None:
        """What updates add, times the gradient: minus the rate, which may be said."""
        said = self.claims.study.roles.said.rate
        if said is not None:
            return -abs(self.claims.study.graph.typed[said] * self.factor)
        most = commonest(self.changes)
        usual = self.step * self.factor if self.step is not None else None
        if usual is not None and most is not None:
            counts = [sum(abs(each - one) <= CLOSE * abs(one) for each in self.changes) for one in (usual, most)]
            return usual if counts[0] >= counts[1] else most
        return most

    @cached_property
    def plain(self) -> int:
        return len(self.changes)


class _Overlay(dict[s.Cell, PointRow]):
    """Rows laid over others."""

    def __init__(self, below: Mapping[s.Cell, PointRow]) -> None:
        super().__init__()
        self.below = below

    def __missing__(self, cell: s.Cell) -> PointRow:
        return self.below[cell]
