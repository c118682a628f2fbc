"""Losses: cells that square, take the size or the logarithm of what is held against a target, and sums of them."""

from __future__ import annotations

from collections.abc import Iterator

from tracer.audit.graph import BookGraph
from tracer.audit.numbers import cells_of
from tracer.audit.targets import is_logarithm
from tracer.expression import scalar as s


def loss_like(graph: BookGraph, targets: frozenset[s.Cell], held: frozenset[s.Cell]) -> Iterator[s.Cell]:
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
