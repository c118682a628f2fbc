"""What cells are for: targets, losses, updates, and the cells of the forward and of the backward pass.

Everything is read off what is computed from what, not off how a sheet looks: a target is a typed number that an output
is held against; a loss is what squares or takes logarithms of that; an update is a parameter with something taken off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tracer.audit.graph import BookGraph
from tracer.audit.numbers import cells_of
from tracer.audit.role_map import RoleMap
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


def root(graph: BookGraph, cell: s.Cell) -> s.Cell:
    """The cell that a copy shows: = B7 leads to B7, and on."""
    seen = 0
    while isinstance(made := graph.made.get(cell), s.Cell) and seen < 1_000:
        cell, seen = made, seen + 1
    return cell


NOTHING_SAID = RoleMap()


def find_roles(graph: BookGraph, said: RoleMap = NOTHING_SAID, mixed: bool = False) -> Roles:
    """Targets, losses and updates of a book, and what is `said` of its cells.

    `mixed`: targets may be inputs too, as in an autoencoder.
    """
    loss, moved = said.loss, frozenset(_nudged(graph))
    while True:
        users = {cell: found for cell, found in _targets(graph, mixed, moved) if cell not in said.parameters}
        targets = frozenset(users)
        first = frozenset(each for found in users.values() for each in found) | said.gradients.keys()
        changes = {each.cell: each for each in _changes(graph, targets, first)}
        if changes.keys() <= moved:
            break
        moved |= changes.keys()  # what is held against a parameter, moved or not, is no target for that
    held = frozenset(_descendants(graph, first, changes))
    behind = ancestors(graph, changes, {}, {})
    nudged = frozenset(_nudged(graph)) - changes.keys()
    tried = _descendants(graph, nudged, {})  # losses for central differences, which nobody goes down
    like = [
        cell for cell in _loss_like(graph, targets, held) if (cell not in behind and cell not in tried) or cell == loss
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


def _targets(graph: BookGraph, mixed: bool, moved: frozenset[s.Cell]) -> Iterator[tuple[s.Cell, list[s.Cell]]]:
    """Typed cells that are held against something computed, and their copies, each with the cells that do so.

    Each use is that, unless targets may be `mixed`. `moved` cells are parameters that something was added to.
    """
    copies: dict[s.Cell, list[s.Cell]] = {}
    for cell, made in graph.made.items():
        if isinstance(made, s.Cell):
            copies.setdefault(made, []).append(cell)
    known: dict[s.Cell, dict[s.Cell, int]] = {}
    records = set(_records(graph))
    for cell in graph.typed:
        if cell in graph.unread or cell in records:
            continue
        names = [cell]
        for each in names:
            names.extend(copies.get(each, ()))
        copied = set(names)
        users = {user for each in names for user in graph.users.get(each, ())} - copied
        for user in users:
            if user not in known:
                known[user] = _Ways(graph, user, moved).found()
        ways = {user: _together(known[user][each] for each in copied if each in known[user]) for user in users}
        measured = OTHER not in ways.values() or (
            mixed
            and any(
                _squares(graph, graph.made[user], copied, moved) or (way == HELD and _is_squared(graph, user))
                for user, way in ways.items()
            )
        )
        if HELD in ways.values() and measured:
            found = [user for user, way in ways.items() if way in (HELD, DIVIDED)]
            yield from ((each, found) for each in names)


def _records(graph: BookGraph) -> Iterator[s.Cell]:
    """Typed numbers of many digits that formulas give to the last of them: a record, or a key, and no targets."""
    numbers: dict[float, s.Cell] = {}
    base = graph.values({})
    for cell in graph.made:
        numbers.setdefault(float(f"{float(base[cell]):.9g}"), cell)
    for cell, number in graph.typed.items():
        if float(f"{number:.{RECORDED}g}") != number and float(f"{number:.9g}") in numbers:
            yield cell


RECORDED = 7  # digits: nobody types so many of a number that he thinks of


def _nudged(graph: BookGraph) -> Iterator[s.Cell]:
    """Cells that are a typed number with very little added, as for central differences."""
    base = graph.values({})
    for cell in graph.order:
        made = graph.made[cell]
        if isinstance(made, s.Sum) and isinstance(made.terms[0], s.Cell) and root(graph, made.terms[0]) in graph.typed:
            before = float(base[made.terms[0]])
            if 0 < abs(float(base[cell]) - before) <= NUDGE * max(1.0, abs(before)):
                yield cell


NUDGE = 1e-3  # of a number's size, at most
HELD, DIVIDED, COMPARED, OTHER = range(4)
"""How a cell is used: held against something computed, divided by it (as the slope of a logarithm is), compared with a
typed number, or anything else."""


def labels_of(graph: BookGraph, left: s.Scalar, right: s.Scalar) -> list[s.Cell]:
    """The cells of a comparison of typed numbers: of a label with a class."""
    cells = [*cells_of(left), *cells_of(right)]
    return cells if all(root(graph, each) in graph.typed for each in cells) else []


def _together(ways: Iterable[int]) -> int:
    """The way of a cell that is used in several ways."""
    return max(ways, default=COMPARED, key=(COMPARED, DIVIDED, HELD, OTHER).index)


class _Ways:
    """How each cell of one expression is used in it: in differences, in front of logarithms, or otherwise.

    A difference that nothing uses (it does not go on) may as well be the update of a number that is used nowhere else.
    """

    def __init__(self, graph: BookGraph, cell: s.Cell, moved: frozenset[s.Cell]) -> None:
        self.graph, self.whole, self.moved = graph, graph.made[cell], moved
        self.goes_on = bool(graph.users.get(cell))
        self.ways: dict[s.Cell, list[int]] = {}

    def found(self) -> dict[s.Cell, int]:
        self.walk(self.whole, frozenset(), False)
        return {cell: _together(ways) for cell, ways in self.ways.items()}

    def note(self, cell: s.Cell, way: int) -> None:
        self.ways.setdefault(cell, []).append(way)

    def walk(self, node: s.Scalar, known: frozenset[s.Cell], in_log: bool) -> None:
        """Note the ways of all cells in a part but those that are `known` from around it."""
        match node:
            case s.Where(left, "=", right, then, otherwise) if labels := labels_of(self.graph, left, right):
                chooses = in_log or any(is_logarithm(self.graph, each) for each in (then, otherwise))
                for cell in labels:
                    self.note(cell, HELD if chooses else COMPARED)
                self.walk(then, known, in_log)
                self.walk(otherwise, known, in_log)
                return
            case s.Log():
                in_log = True
            case s.Cell():
                if node not in known:
                    self.note(node, OTHER)
                return
            case s.Sum((first, second)):
                self.difference(node, first, second, known, in_log)
                return
            case s.Product(factors):
                known = self.before_logarithms(factors, known)
            case s.Quotient(above, below) if len(of := cells_of(above)) == 1 and _is_computed(
                self.graph, below, self.moved
            ):
                self.note(next(iter(of)), DIVIDED)
                self.walk(below, known, in_log)
                return
        for part in s.children(node):
            self.walk(part, known, in_log)

    def difference(
        self, node: s.Sum, first: s.Scalar, second: s.Scalar, known: frozenset[s.Cell], in_log: bool
    ) -> None:
        for one, two in ((first, second), (second, first)):
            match one.operand if isinstance(one, s.Negative) else one:
                case s.Where(left, "=", right, s.Number(), s.Number()) if labels := labels_of(self.graph, left, right):
                    for each in labels:
                        self.note(each, HELD if _is_computed(self.graph, two, self.moved) else COMPARED)
                    continue
            cell = one.operand if isinstance(one, s.Negative) else one
            other = _other(first, second, {cell}) if isinstance(cell, s.Cell) else None
            if not isinstance(cell, s.Cell) or other is None:
                self.walk(one, known, in_log)
            elif cell not in known:
                only_shown = node == self.whole and not self.goes_on
                self.note(cell, HELD if _is_computed(self.graph, two, self.moved) and not only_shown else COMPARED)

    def before_logarithms(self, factors: tuple[s.Scalar, ...], known: frozenset[s.Cell]) -> frozenset[s.Cell]:
        """t·ln a, (1 − t)·ln(1 − a), and t times a cell that is a logarithm: t is held against a."""
        logarithms = {k for k, each in enumerate(factors) if is_logarithm(self.graph, each)}
        if not logarithms:
            return known
        places: dict[s.Cell, set[int]] = {}
        for k, each in enumerate(factors):
            for cell in cells_of(each):
                places.setdefault(cell, set()).add(k)
        held = {cell for cell, at in places.items() if logarithms - at and cell not in known}
        for cell in held:
            self.note(cell, HELD)
        return known | held


def _squares(graph: BookGraph, node: s.Scalar, target: set[s.Cell], moved: frozenset[s.Cell]) -> bool:
    """Whether the square of a cell's difference with something computed is taken, or a logarithm times the cell."""
    match node:
        case s.Product(factors) if any(is_logarithm(graph, each) for each in factors):
            return any(not target.isdisjoint(cells_of(each)) and not is_logarithm(graph, each) for each in factors)
        case s.Power(s.Sum((first, second)), 2.0):
            other = _other(first, second, target)
            return other is not None and _is_computed(graph, other, moved)
    return any(_squares(graph, each, target, moved) for each in s.children(node))


def _is_squared(graph: BookGraph, cell: s.Cell) -> bool:
    """Whether another cell takes the square of one."""
    square = s.Power(cell, 2.0)
    return any(_contains(graph.made[user], square) for user in graph.users.get(cell, ()))


def _contains(node: s.Scalar, part: s.Scalar) -> bool:
    return node == part or any(_contains(each, part) for each in s.children(node))


def _other(first: s.Scalar, second: s.Scalar, target: set[s.Cell]) -> s.Scalar | None:
    """What a target stands in a difference with: o in t − o, o − t and −t + o."""
    for one, two in ((first, second), (second, first)):
        if isinstance(one, s.Cell) and one in target and isinstance(two, s.Negative):
            return two.operand
        negative = isinstance(one, s.Negative) and isinstance(one.operand, s.Cell) and one.operand in target
        if negative and not isinstance(two, s.Number):
            return two
    return None


def _is_computed(graph: BookGraph, node: s.Scalar, moved: frozenset[s.Cell]) -> bool:
    """Whether any cell of an expression is computed: no copy of a typed number, and no parameter that was moved."""
    return any((origin := root(graph, each)) in graph.made and origin not in moved for each in cells_of(node))


def is_logarithm(graph: BookGraph, node: s.Scalar) -> bool:
    """A logarithm, also ln Σ e^z subtracted; the ln(1 + e^z) of a softplus is none."""
    match node:
        case s.Log(s.Sum(terms)) if any(isinstance(each, s.Number) for each in terms):
            return not any(isinstance(each, s.Exp) for each in terms)
        case s.Log():
            return True
        case s.Sum(terms):
            return any(isinstance(each, s.Negative) and is_logarithm(graph, each.operand) for each in terms)
        case s.Negative(inner) | s.Quotient(inner, s.Number()):
            return is_logarithm(graph, inner)
        case s.Cell():
            made = graph.made.get(node)
            return made is not None and is_logarithm(graph, made)
    return False


def _changes(graph: BookGraph, targets: frozenset[s.Cell], first: frozenset[s.Cell]) -> Iterator[Update]:
    """Cells of the form parameter − something held against a target.

    What holds a target only by way of an updated parameter is of the next pass, and no change of anything.
    """
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


def _loss_like(graph: BookGraph, targets: frozenset[s.Cell], held: frozenset[s.Cell]) -> Iterator[s.Cell]:
    """Cells that square, take the size or the logarithm of what is held against a target; and sums of such cells."""
    found: set[s.Cell] = set()
    measured = targets | _errors(graph, held)
    for cell in graph.order:
        made = graph.made[cell]
        if isinstance(made, s.Cell):
            if made in found:
                found.add(cell)
        elif cell in held and (_measures(graph, made, measured, held) or _adds_up(made, found, held)):
            found.add(cell)
            yield cell


def _errors(graph: BookGraph, held: frozenset[s.Cell]) -> frozenset[s.Cell]:
    """Cells that hold an output against a target and nothing else: what a loss may square, and no gradient."""
    found: set[s.Cell] = set()
    for cell in graph.order:
        if cell in held and all(
            each not in held or (each in found and graph.made[cell] == each) for each in graph.uses[cell]
        ):
            found.add(cell)
    return frozenset(found)


def _measures(graph: BookGraph, node: s.Scalar, targets: frozenset[s.Cell], held: frozenset[s.Cell]) -> bool:
    """Whether a cell takes the square, size or logarithm of targets and errors (`targets`), and of nothing later."""
    match node:
        case s.Sum(terms):
            about = [each for each in terms if any(cell in held or cell in targets for cell in cells_of(each))]
            return bool(about) and all(_measures(graph, each, targets, held) for each in about)
        case s.Negative(inner) | s.Quotient(inner, s.Number() | s.Cell()) | s.Function("sqrt", inner):
            return _measures(graph, inner, targets, held)
        case s.Power(base, 2.0) | s.Absolute(base):
            return _is_held(base, targets, held)
        case s.Product(factors):
            return _measures_product(graph, factors, targets, held)
        case s.Log(inner):
            return _is_chosen(inner, targets)
        case s.Where(_, "=", _, then, otherwise) if _is_chosen(node, targets):
            return all(is_logarithm(graph, each) for each in (then, otherwise))
        case s.Maximum(operands):
            return s.Number(0.0) in operands and any(_is_held(each, targets, held) for each in operands)
        case s.Where(_, _, _, then, otherwise):
            kept = [each for each in (then, otherwise) if not isinstance(each, s.Number)]
            return bool(kept) and all(_measures(graph, each, targets, held) for each in kept)
    return False


def _is_chosen(node: s.Scalar, targets: frozenset[s.Cell]) -> bool:
    """Whether a target says which of several numbers is taken."""
    match node:
        case s.Where(left, "=", right):
            return any(each in targets for each in (*cells_of(left), *cells_of(right)))
    return any(_is_chosen(each, targets) for each in s.children(node))


def _is_held(node: s.Scalar, targets: frozenset[s.Cell], held: frozenset[s.Cell]) -> bool:
    about = [each for each in cells_of(node) if each in held or each in targets]
    return bool(about) and all(each in targets for each in about)


def _measures_product(
    graph: BookGraph, factors: tuple[s.Scalar, ...], targets: frozenset[s.Cell], held: frozenset[s.Cell]
) -> bool:
    about = [each for each in factors if _is_held(each, targets, held)]
    rest = [each for each in factors if each not in about]
    if len(about) == 2 and about[0] == about[1]:
        return not any(cells_of(each) for each in rest)
    if len(about) != 1:
        return False
    if any(is_logarithm(graph, each) for each in rest):
        return True
    constant = all(all(cell in graph.typed for cell in cells_of(each)) for each in rest)
    return constant and (_measures(graph, about[0], targets, held) or is_logarithm(graph, about[0]))


def _adds_up(node: s.Scalar, found: set[s.Cell], held: frozenset[s.Cell]) -> bool:
    """A sum of losses, scaled or not, with terms that no target is in."""
    match node:
        case s.Cell():
            return node in found
        case s.Negative(inner) | s.Quotient(inner, _):
            return _adds_up(inner, found, held)
        case s.Product(factors):
            about = [each for each in factors if any(cell in held for cell in cells_of(each))]
            return len(about) == 1 and _adds_up(about[0], found, held)
        case s.Sum(terms):
            about = [each for each in terms if any(cell in held for cell in cells_of(each))]
            signs = {isinstance(each, s.Negative) for each in about}
            return len(signs) == 1 and all(_adds_up(each, found, held) for each in about)
    return False


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
        from tracer.audit.implied import implied_losses

        for cell, expression in implied_losses(graph, list(dict.fromkeys(seeds))):
            roles.implied[cell] = expression
            roles.losses.append(cell)
