"""What is judged, and the judgement of updates: each has to take the rate times its own parameter's gradient off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tracer.audit.claims import Claims, commonest
from tracer.audit.graph import root
from tracer.audit.known import FAR, NEAR, alike, ratio
from tracer.audit.numbers import PointRow, value
from tracer.audit.roles import changes_of
from tracer.audit.writing import cells_named
from tracer.expression import scalar as s

CLOSE = 1e-5  # of a factor: the same


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
    kind: str  # gradient, update, state, local derivative, forward
    of: s.Cell | None = None
    operands: Mapping[s.Cell, PointRow] = field(default_factory=dict)


@dataclass
class UpdateJudge:
    """A study that is being judged. `values` are the rows with all that was wrong put right."""

    claims: Claims
    values: dict[s.Cell, PointRow] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    gradients: list[JudgedGradient] = field(default_factory=list)
    factor: float = 1.0
    behind: dict[s.Cell, s.Cell] = field(default_factory=dict)  # the first fault that a changed cell follows from
    tried: int = 0
    _relative: dict[s.Cell, str] = field(default_factory=dict)

    def row(self, cell: s.Cell) -> PointRow:
        return np.broadcast_to(self.values[cell], (1 + NEAR + FAR,))

    def right_row(self, of: s.Cell) -> PointRow:
        rows = self.claims.study.right[of]
        return self.factor * rows[0][1]

    def put_right(self, fault: Fault) -> None:
        self.faults.append(fault)
        self.values[fault.cell] = fault.right
        self.behind[fault.cell] = fault.cell

    @cached_property
    def goes_down(self) -> bool:
        """Whether the losses are of a kind that one makes small: none is negative."""
        study = self.claims.study
        return all(float(study.row(loss)[0]) >= 0 for loss in study.roles.losses)

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

    def judge_steps(self) -> None:
        """Updates that keep states are held against one that is a known optimizer's."""
        forms = self.claims.forms
        if forms.model is None:
            return
        have = {each.parameter for each in self.claims.study.roles.updates.values()}
        missing = [
            each
            for each in self.places_of_updates()
            if each[2] not in have and each[0] in self.claims.study.graph.made and self.could_update(*each)
        ]
        blamed = {each.cell for each in self.faults}
        for cell, before, parameter in dict.fromkeys((*forms.others, *missing)):
            beside = forms.beside(cell, before, parameter)
            if not beside.differs or beside.differs[0][1] in blamed or forms.is_right_itself(cell):
                continue
            own, other = beside.differs[0]
            right = forms.should_be(own, beside, self.values)
            given = np.broadcast_to(value(self.claims.study.graph.made[other], self.values), (1 + NEAR + FAR,))
            if right is not None and not alike(given, right):
                blamed.add(other)
                self.faults.append(Fault(other, right, given, "update" if other == cell else "state", parameter))

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
        yield from self.times_an_empty_cell()

    def times_an_empty_cell(self) -> Iterator[tuple[s.Cell, s.Cell, s.Cell]]:
        """Cells that leave a parameter as it is: what they take of computed cells is multiplied by an empty one."""
        study, graph = self.claims.study, self.claims.study.graph
        for cell, uses in graph.uses.items():
            for before in uses:
                parameter = root(graph, before)
                if parameter in study.right and parameter in graph.typed and alike(self.row(cell), self.row(before)):
                    named = set(cells_named(graph.book, cell))
                    empty = any(each not in graph.typed and each not in graph.made for each in named)
                    if empty and any(each in graph.made and each != before for each in named):
                        yield cell, before, parameter

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
