"""What cells are for: targets, losses, updates, and the cells of the forward and of the backward pass.

Everything is read off what is computed from what, not off how a sheet looks: a target is a typed number that an output
is held against; a loss is what squares or takes logarithms of that; an update is a parameter with something taken off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tracer.audit.graph import BookGraph, root
from tracer.audit.implied import implied_losses, under_roots
from tracer.audit.losses import loss_like
from tracer.audit.numbers import cells_of
from tracer.audit.role_map import RoleMap
from tracer.audit.targets import find_targets, nudged_cells
from tracer.expression import scalar as s

NOTHING = 1e-12  # a loss that is no more is a comparison with numbers that were written down


@dataclass(frozen=True)
class Update:
    """A computed cell that is `before`, a parameter or its copy, with something taken off or added.

    `parameter` is the typed or earlier updated cell that `before` shows; `takes` are the backward cells in it.
    """

    cell: s.Cell
    before: s.Cell
    parameter: s.Cell
    takes: tuple[s.Cell, ...]


@dataclass
class Roles:
    """`losses`: loss cells, each with those of its passes' parts that are losses themselves; `implied` ones are no
    cells of the book: `implied[cell]` is the expression that their gradient is of."""

    graph: BookGraph
    targets: frozenset[s.Cell]
    held: frozenset[s.Cell]  # cells that hold a target against something, and what depends on them
    losses: list[s.Cell]
    parts: list[s.Cell] = field(default_factory=list)
    updates: dict[s.Cell, Update] = field(default_factory=dict)
    implied: dict[s.Cell, s.Scalar] = field(default_factory=dict)
    first: frozenset[s.Cell] = frozenset()  # the cells that hold a target against something, and gradients by a map
    said: RoleMap = field(default_factory=RoleMap)

    @cached_property
    def forward(self) -> frozenset[s.Cell]:
        """All cells that a loss depends on within its own pass."""
        return frozenset(ancestors(self.graph, (*self.losses, *self.parts), self.updates, self.implied))

    @cached_property
    def parameters(self) -> list[s.Cell]:
        """Typed or carried cells that are said to be parameters, or that an update changes, and a loss depends on."""
        found = dict.fromkeys((*self.said.parameters, *(each.parameter for each in self.updates.values())))
        return [each for each in found if each in self.forward]

    def backward(self) -> Iterator[s.Cell]:
        """Computed cells that depend on a target and are neither losses nor updates nor before a loss, in order."""
        passed = {*self.losses, *self.parts, *self.updates}
        for cell in self.graph.order:
            if cell in self.held and cell not in passed:
                yield cell


def ancestors(
    graph: BookGraph, cells: Iterable[s.Cell], stop: Mapping[s.Cell, object], implied: Mapping[s.Cell, s.Scalar]
) -> set[s.Cell]:
    """The cells that some depend on; nothing beyond a cell of `stop`."""
    found: set[s.Cell] = set()
    left: list[s.Cell] = []
    for cell in cells:
        found.add(cell)
        left.extend(cells_of(implied[cell]) if cell in implied else graph.uses.get(cell, ()))
    while left:
        cell = left.pop()
        if cell not in found:
            found.add(cell)
            if cell not in stop:
                left.extend(graph.uses.get(cell, ()))
    return found


NOTHING_SAID = RoleMap()


def find_roles(graph: BookGraph, said: RoleMap = NOTHING_SAID, mixed: bool = False) -> Roles:
    """Targets, losses and updates of a book, and what is `said` of its cells.

    `mixed`: targets may be inputs too, as in an autoencoder.
    """
    loss, moved = said.loss, frozenset(nudged_cells(graph))
    while True:
        users = {cell: found for cell, found in find_targets(graph, mixed, moved) if cell not in said.parameters}
        targets = frozenset(users)
        first = frozenset(each for found in users.values() for each in found) | said.gradients.keys()
        changes = {each.cell: each for each in _changes(graph, targets, first)}
        if changes.keys() <= moved:
            break
        moved |= changes.keys()  # what is held against a parameter, moved or not, is no target for that
    held = frozenset(_descendants(graph, first, changes))
    behind = ancestors(graph, changes, {}, {})
    nudged = frozenset(nudged_cells(graph)) - changes.keys()
    tried = _descendants(graph, nudged, {})  # losses for central differences, which nobody goes down
    like = [
        cell for cell in loss_like(graph, targets, held) if (cell not in behind and cell not in tried) or cell == loss
    ]
    if loss is not None:
        like = [*like, loss] if loss not in like else like
    base = graph.values({})
    like = [cell for cell in like if not abs(float(base[cell])) <= NOTHING]
    used = {root(graph, each) for cell in like for each in graph.uses[cell]}
    top = [cell for cell in like if cell not in used]
    roles = Roles(graph, targets, held, [loss] if loss is not None else top, first=first, said=said)
    if loss is None:
        roles.parts = [cell for cell in like if cell in used]
    if not roles.losses:
        _imply(roles)
    for cell, expression in under_roots(graph, [each for each in roles.losses if each in graph.made]):
        roles.implied[cell] = expression
        roles.losses.append(cell)
    if not first:
        changes = {}
    before = ancestors(graph, (*roles.losses, *roles.parts), changes, roles.implied)
    roles.updates = {cell: each for cell, each in changes.items() if each.parameter in before}
    roles.held = frozenset(_descendants(graph, first, roles.updates))
    return roles


def _descendants(graph: BookGraph, cells: frozenset[s.Cell], stop: Mapping[s.Cell, object]) -> set[s.Cell]:
    """Some cells and all that depend on them, nothing beyond a cell of `stop`."""
    found: set[s.Cell] = set()
    for cell in graph.order:
        if cell in cells or any(each in found and each not in stop for each in graph.uses[cell]):
            found.add(cell)
    return found


def _changes(graph: BookGraph, targets: frozenset[s.Cell], first: frozenset[s.Cell]) -> Iterator[Update]:
    """Cells of the form parameter − something held against a target.

    What holds a target only by way of an updated parameter is of the next pass, and no change of anything. A typed
    number that no output depends on, as a 0 that gradients are added to, begins no pass.
    """
    outputs = ancestors(graph, first, dict.fromkeys(_descendants(graph, first, {}) - first), {})
    begun: set[s.Cell] = set()
    held: set[s.Cell] = set()
    for cell in graph.order:
        takes = [each for each in graph.uses[cell] if each in held and each not in begun]
        if not takes and cell not in first:
            continue
        held.add(cell)
        terms = _terms(graph.made[cell])
        for term, sign in terms:
            before = _undecayed(term)
            if sign > 0 and isinstance(before, s.Cell) and len(terms) > 1 and _once(terms, before):
                origin = root(graph, before)
                if (origin in graph.typed and origin not in targets) or origin in begun:
                    if origin in outputs or origin in begun:
                        begun.add(cell)
                    yield Update(cell, before, origin, tuple(each for each in takes if each != before))
                    break


def _undecayed(term: s.Scalar) -> s.Scalar:
    """w of w and of (1 − decay)·w."""
    match term:
        case s.Product((s.Sum(kept), inner)) | s.Product((inner, s.Sum(kept))) if s.Number(1.0) in kept:
            return inner
    return term


def changes_of(graph: BookGraph, roles: Roles) -> Iterator[Update]:
    """All cells that look like updates, those of numbers that no loss depends on too."""
    yield from _changes(graph, roles.targets, roles.first)


def _once(terms: list[tuple[s.Scalar, int]], cell: s.Cell) -> bool:
    return sum(cell in cells_of(term) for term, _ in terms) == 1


def _terms(node: s.Scalar, sign: int = 1) -> list[tuple[s.Scalar, int]]:
    """The terms of a sum with their signs, sums in it opened."""
    match node:
        case s.Sum(parts):
            return [each for part in parts for each in _terms(part, sign)]
        case s.Negative(inner):
            return _terms(inner, -sign)
    return [(node, sign)]


def _imply(roles: Roles) -> None:
    """Without a loss in the book: outputs minus targets say which one is meant; each candidate is a cell of its own."""
    graph = roles.graph
    seeds = []
    for cell in graph.order:
        match graph.made[cell]:
            case s.Sum((s.Cell() as first, s.Negative(s.Cell() as second))):
                for output, target in ((first, second), (second, first)):
                    if root(graph, target) in roles.targets and output in graph.made and output not in roles.held:
                        seeds.append((output, target))
    if seeds:
        for cell, expression in implied_losses(graph, list(dict.fromkeys(seeds))):
            roles.implied[cell] = expression
            roles.losses.append(cell)
