"""Targets: typed numbers that outputs are held against. How cells are used in expressions says which they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracer.audit.graph import BookGraph, root
from tracer.audit.numbers import cells_of
from tracer.expression import scalar as s


def find_targets(graph: BookGraph, mixed: bool, moved: frozenset[s.Cell]) -> Iterator[tuple[s.Cell, list[s.Cell]]]:
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


def nudged_cells(graph: BookGraph) -> Iterator[s.Cell]:
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
