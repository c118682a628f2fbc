"""What is right: the gradients of the losses in every cell that they depend on, at several points at once.

The points are the book's own numbers, five near them and five farther off, where masks fall otherwise. Typed cells of
one value move together, so that a number that is typed in twice stays one number.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tracer.audit.graph import BookGraph, root
from tracer.audit.implied import NOWHERE
from tracer.audit.numbers import PointRow, cells_of, slopes, value
from tracer.audit.roles import Roles, Update, ancestors
from tracer.expression import scalar as s

NEAR, FAR = 5, 5  # points besides the book's own
NEAR_MOVE, FAR_MOVE = 0.2, 1.5  # of a number's size, at most
LEAST_MOVE = 0.3  # for numbers that are smaller
SAME = 1e-7  # of the size of what is compared
MOST_SWEPT = 6_000_000  # slopes that are added up for the gradients of all losses together


@dataclass
class Study:
    """A book's cells at all points, and the gradients of its losses.

    `values`: the rows of every cell. `gradients[loss][cell]`: ∂loss/∂cell, through that loss's pass alone.
    """

    graph: BookGraph
    roles: Roles
    values: dict[s.Cell, PointRow] = field(default_factory=dict)
    gradients: dict[s.Cell, dict[s.Cell, PointRow]] = field(default_factory=dict)
    moving: int = 0  # how many typed cells differ from point to point
    _slopes: dict[s.Cell, dict[s.Cell, PointRow]] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: BookGraph, roles: Roles) -> Study:
        study = cls(graph, roles)
        moved = moving(graph, roles)
        study.moving, study.values = len(moved), points(graph, roles, moved)
        with np.errstate(all="ignore"):
            for cell, expression in roles.implied.items():
                study.values[cell] = value(expression, study.values)
            for loss in study.swept():
                study.gradients[loss] = study.gradient_of(loss)
        study.choose()
        if len(moving(graph, roles)) < study.moving:  # what only other losses depend on stays as it is
            return cls.of(graph, roles)
        return study

    def swept(self) -> Iterator[s.Cell]:
        """The losses whose gradients are worked out, as far as time allows.

        A loss whose parameters all have their gradients from another is passed over: it is that one, moved.
        """
        left, covered = MOST_SWEPT, set[s.Cell]()
        updates = self.roles.updates.values()
        parameters = {each.parameter for each in updates}
        for loss in self.roles.losses:
            if left <= 0:
                return
            own = (
                parameters & ancestors(self.graph, (loss,), self.roles.updates, self.roles.implied)
                if parameters
                else set()
            )
            if own and own <= covered:
                continue
            yield loss
            left -= sum(len(self.slopes_of(cell)) for cell in self.gradients[loss] if cell in self._slopes)
            if any(self._is_taken(update, loss) for update in updates if update.parameter in own):
                covered |= own

    def _is_taken(self, update: Update, loss: s.Cell) -> bool:
        """Whether an update takes off the gradient of a loss."""
        known = self.gradients[loss].get(update.parameter)
        if known is None:
            return False
        return any(ratio(self.row(each), np.broadcast_to(known, (1 + NEAR + FAR,))) for each in update.takes)

    def slopes_of(self, cell: s.Cell) -> dict[s.Cell, PointRow]:
        """∂cell/∂operand for each cell that a computed cell is made of."""
        if cell not in self._slopes:
            made = self.roles.implied.get(cell) or self.graph.made.get(cell)
            with np.errstate(all="ignore"):
                self._slopes[cell] = slopes(made, self.values) if made is not None else {}
        return self._slopes[cell]

    def gradient_of(self, loss: s.Cell) -> dict[s.Cell, PointRow]:
        """∂loss/∂cell for every cell before it, the last first."""
        graph, roles = self.graph, self.roles
        before = ancestors(graph, (loss,), roles.updates, roles.implied)
        found: dict[s.Cell, PointRow] = {loss: np.ones(1 + NEAR + FAR)}
        for cell in sorted(
            before & self.places.keys() | {loss}, key=lambda each: self.places.get(each, -1), reverse=True
        ):
            if (cell in roles.updates and cell != loss) or cell not in found:
                continue
            for operand, slope in self.slopes_of(cell).items():
                along = found[cell] * slope
                found[operand] = found[operand] + along if operand in found else along
        return found

    @cached_property
    def places(self) -> dict[s.Cell, int]:
        """The place of every computed cell in the order of computation; implied losses come last."""
        found = {cell: place for place, cell in enumerate(self.graph.order)}
        return found | {cell: len(found) + k for k, cell in enumerate(self.roles.implied)}

    def choose(self) -> None:
        """Keep the losses whose gradients the book's backward cells show: the fewest that explain the most of them.

        A book that was told its loss, or shows no gradient, keeps what it has.
        """
        rows = [((loss, cell), row) for loss in self.roles.losses for cell, row in self._gradients(loss)]
        index = KnownNumbers(rows)
        linked = self._linked()
        shown = {
            cell: {loss for loss, _, _ in index.find(self.row(cell))} & linked[cell] for cell in self.roles.backward()
        }
        shown |= {each.cell: self._taken(index, each.cell, each.before) for each in self.roles.updates.values()}
        explained: dict[s.Cell, set[s.Cell]] = {}
        for cell, losses in shown.items():
            for loss in losses:
                explained.setdefault(loss, set()).add(cell)
        kept, left = [], {cell for cell, losses in shown.items() if losses}
        places = {loss: k for k, loss in enumerate(self.roles.losses)}
        for loss in sorted(explained, key=lambda each: (-len(explained[each]), places[each])):
            if explained[loss] & left:
                left -= explained[loss]
                kept.append(loss)
        if kept:
            self.roles.losses = sorted(kept, key=lambda each: places[each])
            before = ancestors(self.graph, kept, self.roles.updates, self.roles.implied)
            self.roles.parts = [each for each in self.roles.parts if each in before]
            self.roles.__dict__.pop("forward", None)
        wanted = {*self.roles.losses}
        self.gradients = {loss: each for loss, each in self.gradients.items() if loss in wanted}

    def _linked(self) -> dict[s.Cell, set[s.Cell]]:
        """For every computed cell the losses that share a cell with what it is made of."""
        member: dict[s.Cell, set[s.Cell]] = {}
        for loss in self.roles.losses:
            for cell in self.gradients.get(loss, ()):
                member.setdefault(cell, set()).add(loss)
        found: dict[s.Cell, set[s.Cell]] = {}
        for cell in self.graph.order:
            found[cell] = set()
            for used in self.graph.uses[cell]:
                if used not in self.roles.updates or used in member:
                    found[cell] |= member.get(root(self.graph, used), set()) | member.get(used, set())
                if used in self.roles.held and used not in self.roles.updates:
                    found[cell] |= found.get(used, set())
        return found

    def _gradients(self, loss: s.Cell) -> Iterator[tuple[s.Cell, PointRow]]:
        """The gradients of a loss that change from point to point: a constant row would explain any other."""
        for cell, row in self.gradients.get(loss, {}).items():
            full = np.broadcast_to(row, (1 + NEAR + FAR,))
            if np.ptp(full[: 1 + NEAR]) > 0:
                yield cell, full

    def _taken(self, index: KnownNumbers, cell: s.Cell, before: s.Cell) -> set[s.Cell]:
        """The losses whose gradient an update takes off within its own formula."""
        with np.errstate(all="ignore"):
            change = value(self.graph.made[cell], self.values) - self.row(before)
        return {loss for loss, _, _ in index.find(np.broadcast_to(change, (1 + NEAR + FAR,)))}

    @cached_property
    def right(self) -> dict[s.Cell, list[tuple[s.Cell, PointRow]]]:
        """For every cell the gradients in it: the loss and the row, of whole losses first."""
        found: dict[s.Cell, list[tuple[s.Cell, PointRow]]] = {}
        for loss, gradients in self.gradients.items():
            for cell, row in gradients.items():
                found.setdefault(cell, []).append((loss, np.broadcast_to(row, (1 + NEAR + FAR,))))
        return found

    def row(self, cell: s.Cell) -> PointRow:
        return np.broadcast_to(self.values[cell], (1 + NEAR + FAR,))


def moving(graph: BookGraph, roles: Roles) -> set[s.Cell]:
    """The typed cells that a loss depends on and that may differ from point to point."""
    return {cell for cell in roles.forward if cell.matrix != NOWHERE and _may_move(graph, roles, cell)}


def points(graph: BookGraph, roles: Roles, moved: Iterable[s.Cell]) -> dict[s.Cell, PointRow]:
    """The rows of all cells: what a loss depends on is moved, updates as numbers of their own."""
    base = graph.values({})
    leaves = {cell: _moved(graph.typed[cell]) for cell in moved}
    held = {cell: _moved(float(base[cell])) for cell in roles.updates}
    return graph.values(leaves, held)


def _may_move(graph: BookGraph, roles: Roles, cell: s.Cell) -> bool:
    """Parameters and data; no targets, and no 0, 1 or −1, which may be fixed inputs, unless an update changes it."""
    if cell in roles.targets or cell in graph.unread or cell not in graph.typed:
        return False
    if abs(graph.typed[cell]) in (0.0, 1.0):
        return cell in roles.parameters
    return not all(_divides(graph.made[user], cell) for user in graph.users.get(cell, ()))


def _divides(node: s.Scalar, cell: s.Cell) -> bool:
    """Whether a cell only divides: a count, a temperature."""
    match node:
        case s.Quotient(above, below) if below == cell:
            return cell not in cells_of(above)
        case s.Quotient(above, below) if cell not in cells_of(below):
            return _divides(above, cell)
        case s.Negative(inner):
            return _divides(inner, cell)
    return False


def _moved(number: float) -> PointRow:
    """A number at all points. Numbers that are equal move alike."""
    random = np.random.default_rng(abs(hash(round(number, 12))) % 2**32)
    near = random.uniform(-NEAR_MOVE, NEAR_MOVE, NEAR)
    far = random.uniform(-FAR_MOVE, FAR_MOVE, FAR)
    size = max(abs(number), LEAST_MOVE)
    return np.array([number, *(number + near * size), *(number + far * size)])


def alike(first: PointRow, second: PointRow, size: PointRow | float = 0.0) -> bool:
    """Whether two rows are the same numbers, wherever both are defined (at three points at least)."""
    both = np.isfinite(first) & np.isfinite(second)
    if np.count_nonzero(both) < 3:
        return False
    a, b = first[both], second[both]
    bound = SAME * np.maximum(np.abs(a), np.abs(b)) + 1e-13 + 1e-12 * (np.broadcast_to(size, first.shape)[both])
    return bool(np.all(np.abs(a - b) <= bound))


def ratio(first: PointRow, second: PointRow) -> float | None:
    """The one number that `first` is times `second` at all points; None where there is none."""
    both = np.isfinite(first) & np.isfinite(second)
    if np.count_nonzero(both) < 3:
        return None
    a, b = first[both], second[both]
    largest = int(np.argmax(np.abs(b)))
    if b[largest] == 0.0:
        return None
    found = float(a[largest] / b[largest])
    size = SAME * np.maximum(np.abs(a), np.abs(found * b)) + 1e-12 * abs(found) * float(np.max(np.abs(b)))
    return found if found and bool(np.all(np.abs(a - found * b) <= size)) else None


class KnownNumbers:
    """Rows that can be found again by their shape: times any one number."""

    def __init__(self, rows: Iterable[tuple[tuple[s.Cell, s.Cell], PointRow]]) -> None:
        """`rows`: (loss, cell) and the gradient in it."""
        keyed = [(key, found, row) for found, row in rows if (key := _key(row)) is not None]
        self.entries = sorted(keyed, key=lambda each: each[0])
        self.keys = [each[0] for each in self.entries]

    def find(self, row: PointRow, most: int = 200) -> list[tuple[s.Cell, s.Cell, float]]:
        """Loss, cell and factor of all that a row is a multiple of."""
        key = _key(row)
        if key is None:
            return []
        found: list[tuple[s.Cell, s.Cell, float]] = []
        at = bisect_left(self.keys, key - 1e-6)
        while at < len(self.keys) and self.keys[at] <= key + 1e-6 and len(found) < most:
            _, (loss, cell), known = self.entries[at]
            if (factor := ratio(row, known)) is not None:
                found.append((loss, cell, factor))
            at += 1
        return found


WEIGHTS = np.random.default_rng(1).normal(size=1 + NEAR + FAR)


def _key(row: PointRow) -> float | None:
    """A number that all multiples of a row share; None for zeros."""
    finite = np.nan_to_num(row, nan=0.0, posinf=0.0, neginf=0.0)
    largest = finite[int(np.argmax(np.abs(finite)))]
    return float(WEIGHTS @ (finite / largest)) if largest else None
