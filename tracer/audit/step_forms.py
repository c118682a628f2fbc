"""Updates that are no plain steps: read side by side, so that what one takes for a gradient, a state or a correction is
told by what the others take there. An update by a known rule is the measure of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np

from tracer.audit.graph import root
from tracer.audit.known import FAR, NEAR, SAME, Study, ratio
from tracer.audit.known_rules import SheetStep, fits_a_rule
from tracer.audit.numbers import PointRow, cells_of, slopes, value
from tracer.expression import scalar as s

MOST_PARTS = 40  # cells that one update is made of
MOST_MODELS = 6  # updates that are tried as a measure
DEEPEST = 3  # formulas in one another


@dataclass(frozen=True)
class StepParts:
    """What an update is made of: computed cells in order, its gradient, typed states and numbers that it shares."""

    cell: s.Cell
    before: s.Cell
    parameter: s.Cell
    gradient: s.Cell
    parts: tuple[s.Cell, ...]
    states: tuple[s.Cell, ...]


@dataclass
class SideBySide:
    """How another update differs from a model: cells that stand for the model's, and where the first difference is."""

    parameter: s.Cell
    pairs: dict[s.Cell, s.Cell] = field(default_factory=dict)
    differs: list[tuple[s.Cell, s.Cell]] = field(default_factory=list)  # the model's cell and the other's, inner first


@dataclass
class StepForms:
    """The updates of a study that keep states."""

    study: Study
    _gradient: dict[tuple[s.Cell, s.Cell], bool] = field(default_factory=dict)

    @cached_property
    def model(self) -> StepParts | None:
        """An update that is a known rule, of the true gradient of its parameter."""
        tried = 0
        for cell in self.study.roles.updates:
            parts = self.parts_of(cell)
            if parts is not None and parts.states:
                tried += 1
                if self.is_by_rule(parts):
                    return parts
            if tried >= MOST_MODELS:
                break
        return None

    @property
    def others(self) -> Iterator[tuple[s.Cell, s.Cell, s.Cell]]:
        """The other updates: the cell, the parameter's cell before it and the parameter."""
        for cell, update in self.study.roles.updates.items():
            if self.model is not None and cell != self.model.cell and update.parameter in self.study.right:
                yield cell, update.before, update.parameter

    def claimed(self) -> Iterator[tuple[s.Cell, s.Cell]]:
        """What other updates take where the model takes its gradient, and the parameters that it has to be of."""
        if self.model is None:
            return
        yield self.model.gradient, self.model.parameter
        for cell, before, parameter in self.others:
            taken = self.beside(cell, before, parameter).pairs.get(self.model.gradient)
            if taken is not None and taken in self.study.roles.held and taken in self.study.graph.made:
                yield taken, parameter

    def parts_of(self, cell: s.Cell) -> StepParts | None:
        """What an update is made of, where its gradient is among it; nothing beyond that gradient."""
        graph, update = self.study.graph, self.study.roles.updates[cell]
        stop, found, states = root(graph, update.before), dict[s.Cell, None](), dict[s.Cell, None]()
        gradient, left = None, [cell]
        while left:
            each = left.pop()
            if each == stop or each in found:
                continue
            if each != cell and self._is_gradient(each, update.parameter):
                if gradient not in (None, each):
                    return None
                gradient = each
            elif each in graph.made:
                found[each] = None
                left.extend(root(graph, used) for used in graph.uses[each])
            elif each in graph.typed:
                states[each] = None
            if len(found) > MOST_PARTS:
                return None
        if gradient is None:
            return None
        ordered = sorted(found, key=lambda each: self.study.places[each])
        own = tuple(each for each in states if self._is_own(each, cell))
        return StepParts(cell, stop, update.parameter, gradient, tuple(ordered), own)

    def _is_gradient(self, cell: s.Cell, of: s.Cell) -> bool:
        """Whether a cell shows the gradient in another and nothing that it is made of does, as under a state of 0."""
        if (cell, of) not in self._gradient:
            self._gradient[cell, of] = self._shows(cell, of) and not any(
                self._shows(each, of) for each in self._within(cell)
            )
        return self._gradient[cell, of]

    def _within(self, cell: s.Cell) -> Iterator[s.Cell]:
        """The cells that one is made of, as deep as states and their corrections go."""
        level = {cell}
        for _ in range(DEEPEST):
            level = {root(self.study.graph, used) for each in level for used in self.study.graph.uses.get(each, ())}
            yield from level

    def _shows(self, cell: s.Cell, of: s.Cell) -> bool:
        if cell not in self.study.roles.held:
            return False
        found = [ratio(self.study.row(cell), right) for _, right in self.study.right.get(of, ())]
        return any(each is not None and abs(abs(each) - 1) <= SAME for each in found)

    def _is_own(self, typed: s.Cell, cell: s.Cell) -> bool:
        """Whether a typed number reaches no other update: a state, not a rate."""
        return self.reached[typed] <= {cell}

    @cached_property
    def reached(self) -> Mapping[s.Cell, frozenset[s.Cell]]:
        """For every typed cell the updates that it reaches other than by way of gradients."""
        graph, updates = self.study.graph, self.study.roles.updates
        found: dict[s.Cell, set[s.Cell]] = {each: set() for each in graph.typed}
        for cell, update in updates.items():
            left, seen = [cell], set[s.Cell]()
            while left and len(seen) <= MOST_PARTS:
                each = left.pop()
                if each in seen or (each != cell and self._is_gradient(each, update.parameter)):
                    continue
                seen.add(each)
                if each in found:
                    found[each].add(cell)
                left.extend(root(graph, used) for used in graph.uses.get(each, ()))
        return {each: frozenset(cells) for each, cells in found.items()}

    def is_by_rule(self, parts: StepParts) -> bool:
        """Whether an update is a known optimizer's, whatever its states are."""
        random = np.random.default_rng(len(parts.parts))
        rows: dict[s.Cell, PointRow] = {each: random.uniform(0.1, 1.1, 1 + NEAR + FAR) for each in parts.states}
        rows[parts.gradient] = self.study.row(parts.gradient)
        values = self._values(parts, rows)
        kept = [self._kept(parts, each, values) for each in parts.states]
        step = SheetStep(
            values[parts.before],
            rows[parts.gradient],
            [rows[each] for each in parts.states],
            [each for each in kept if each is not None],
            self._numbers(parts, values),
        )
        return None not in kept and fits_a_rule(step, values[parts.cell])

    def is_right_itself(self, cell: s.Cell) -> bool:
        """Whether an update is a known rule by itself, with settings of its own (a bias without decay)."""
        parts = self.parts_of(cell) if cell in self.study.roles.updates else None
        return parts is not None and bool(parts.states) and self.is_by_rule(parts)

    def _kept(self, parts: StepParts, state: s.Cell, values: Mapping[s.Cell, PointRow]) -> float | None:
        """The share of itself that a state keeps in its next value: what the one cell that uses it multiplies it by."""
        graph = self.study.graph
        for each in parts.parts:
            for used in graph.uses[each]:
                if root(graph, used) == state:
                    inner = {one: values.get(root(graph, one), self.study.row(one)) for one in graph.uses[each]}
                    found = slopes(graph.made[each], inner)[used]
                    return float(f"{np.mean(found):.12g}") if np.ptp(found) <= SAME else None
        return None

    def _values(self, parts: StepParts, rows: Mapping[s.Cell, PointRow]) -> dict[s.Cell, PointRow]:
        """The rows of what an update is made of, with its states as given."""
        graph, full = self.study.graph, (1 + NEAR + FAR,)
        values = dict(rows) | {parts.before: self.study.row(parts.before)}
        with np.errstate(all="ignore"):
            for each in parts.parts:
                inner = {used: values.get(root(graph, used), self.study.row(used)) for used in graph.uses[each]}
                values[each] = np.broadcast_to(value(graph.made[each], inner), full)
        return values

    def _numbers(self, parts: StepParts, values: Mapping[s.Cell, PointRow]) -> tuple[float, ...]:
        """The numbers in the formulas of an update and in the cells that it shares with others."""
        graph, found = self.study.graph, dict[float, None]()
        for each in parts.parts:
            found.update(dict.fromkeys(_literals(graph.made[each])))
            for used in (root(graph, cell) for cell in graph.uses[each]):
                row = values.get(used, self.study.row(used))
                if used not in parts.states and used not in (parts.before, parts.gradient) and np.ptp(row) == 0:
                    found[float(row[0])] = None
        return tuple(found)

    def beside(self, cell: s.Cell, before: s.Cell, parameter: s.Cell) -> SideBySide:
        """An update of a parameter, which `before` shows, beside the model's."""
        assert self.model is not None
        found = SideBySide(parameter, {self.model.before: root(self.study.graph, before)})
        self._compare(self.model.cell, cell, found)
        return found

    def _compare(self, own: s.Cell, other: s.Cell, found: SideBySide) -> None:
        graph = self.study.graph
        if not self._match(graph.made[own], graph.made[other], (own, other), found):
            found.differs.append((own, other))
        else:
            found.pairs.setdefault(own, other)

    def _match(self, own: s.Scalar, other: s.Scalar, within: tuple[s.Cell, s.Cell], found: SideBySide) -> bool:
        """Whether two formulas, those of the cells `within`, are the same but for whose cells they use."""
        if isinstance(own, s.Cell) and isinstance(other, s.Cell):
            graph = self.study.graph
            as_far = _way(within[0], own) == _way(within[1], other)
            return self._match_cells(root(graph, own), root(graph, other), as_far, found)
        one, two = s.children(own), s.children(other)
        if type(own) is not type(other) or len(one) != len(two) or _settings(own) != _settings(other):
            return False
        return all([self._match(first, second, within, found) for first, second in zip(one, two, strict=True)])

    def _match_cells(self, own: s.Cell, other: s.Cell, as_far: bool, found: SideBySide) -> bool:
        model, graph = self.model, self.study.graph
        assert model is not None
        if own in found.pairs:
            return found.pairs[own] == other
        if own == model.gradient:
            if other in graph.made and (as_far or not self._is_anothers([other], found.parameter)):
                found.pairs[own] = other
            return own in found.pairs
        if own in model.states:
            if other not in graph.typed or other in model.states:
                return False
            found.pairs[own] = other
            return True
        if own == other:
            return True
        if own not in model.parts or other not in graph.made or other in model.parts:
            return False
        if other not in self.study.roles.held or (
            not as_far and self._is_anothers(self._within(other), found.parameter)
        ):
            return False
        self._compare(own, other, found)
        return True

    def _is_anothers(self, cells: Iterable[s.Cell], parameter: s.Cell) -> bool:
        """Whether cells show the gradient of another parameter and not of this one."""
        known = list(cells)
        if any(self._shows(each, parameter) for each in known):
            return False
        others = {each.parameter for each in self.study.roles.updates.values()} - {parameter}
        return any(self._shows(each, other) for each in known for other in others)

    def should_be(self, own: s.Cell, found: SideBySide, values: Mapping[s.Cell, PointRow]) -> PointRow | None:
        """The numbers of the model's cell `own`, of the other parameter's cells; None where these are not all known."""
        graph, rows = self.study.graph, dict[s.Cell, PointRow]()
        for used in cells_of(graph.made[own]):
            stands = self._stand_in(root(graph, used), found)
            if stands is None:
                return None
            rows[used] = np.broadcast_to(values.get(stands, np.float64(0.0)), (1 + NEAR + FAR,))
        with np.errstate(all="ignore"):
            return np.broadcast_to(value(graph.made[own], rows), (1 + NEAR + FAR,))

    def _stand_in(self, used: s.Cell, found: SideBySide) -> s.Cell | None:
        """The other parameter's cell for one that the model's uses: its pair, the shared one, or one made alike."""
        model = self.model
        assert model is not None
        if used in found.pairs:
            return found.pairs[used]
        if used == model.gradient:
            held = self.study.roles.held
            known = (each for each in self.study.graph.order if each in held)
            return next((each for each in known if self._is_gradient(each, found.parameter)), None)
        if used in model.states:
            return None
        return self._made_like(used, found) if used in model.parts and self._depends(used) else used

    def _made_like(self, part: s.Cell, found: SideBySide) -> s.Cell | None:
        """The cell that is to another parameter what a part of the model is to its own."""
        model = self.model
        assert model is not None
        for each in self.study.graph.order:
            if each in self.study.roles.held and each not in model.parts:
                tried = SideBySide(found.parameter, {model.before: found.pairs[model.before]})
                self._compare(part, each, tried)
                taken = tried.pairs.get(model.gradient)
                if not tried.differs and (taken is None or self._shows(taken, found.parameter)):
                    return each
        return None

    def _depends(self, part: s.Cell) -> bool:
        """Whether a part of the model is its parameter's own: made of its gradient or of a state."""
        assert self.model is not None
        own = {self.model.gradient, self.model.before, *self.model.states}
        left = [part]
        while left:
            each = left.pop()
            if each in own:
                return True
            if each in self.model.parts:
                left.extend(root(self.study.graph, used) for used in self.study.graph.uses[each])
        return False


def _way(start: s.Cell, end: s.Cell) -> tuple[str, int, int]:
    """How far one cell is from another, and on which sheet."""
    return end.matrix, end.row - start.row, end.column - start.column


def _settings(node: s.Scalar) -> tuple[object, ...]:
    """What a node is besides its operands: an exponent, a relation, a name, a number."""
    return tuple(
        each for each in (getattr(node, one.name) for one in fields(node)) if isinstance(each, float | int | str)
    )


def _literals(node: s.Scalar) -> Iterator[float]:
    """The numbers that are written in a formula."""
    if isinstance(node, s.Cell):
        return
    yield from (float(each) for each in _settings(node) if isinstance(each, float | int))
    for part in s.children(node):
        yield from _literals(part)
