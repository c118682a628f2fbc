"""What a formula gives: a grid of scalar expressions, texts, truth values and blanks, and the arithmetic on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from tracer.audit.parsing import UnreadFormulaError
from tracer.expression import scalar as s

Item: TypeAlias = s.Scalar | str | bool | None
"""None is an empty cell."""
ItemGrid: TypeAlias = list[list[Item]]

ZERO, ONE, TWO = s.Number(0.0), s.Number(1.0), s.Number(2.0)
MOST_ITEMS = 250_000  # cells of one grid
MOST_CHOSEN = 50  # values that a cell's number chooses from


def one(item: Item) -> ItemGrid:
    return [[item]]


def number(item: Item) -> s.Scalar:
    """An item to calculate with: an empty cell is 0. Raises UnreadFormulaError for a text that is no number."""
    if item is None:
        return ZERO
    if isinstance(item, bool):
        return ONE if item else ZERO
    if isinstance(item, str):
        try:
            return s.Number(float(item))
        except ValueError:
            raise UnreadFormulaError(f"“{item[:20]}” is no number") from None
    return item


def constant(item: Item) -> float:
    """A number that does not depend on any cell. Raises UnreadFormulaError."""
    found = number(item)
    if not isinstance(found, s.Number):
        raise UnreadFormulaError("a place that depends on a cell's number")
    return found.value


def shape(grid: ItemGrid) -> tuple[int, int]:
    return len(grid), len(grid[0]) if grid else 0


def items(grids: Sequence[ItemGrid]) -> Iterator[Item]:
    return (item for grid in grids for row in grid for item in row)


def numbers(grids: Sequence[ItemGrid]) -> list[s.Scalar]:
    """The numbers of ranges: texts, truth values and empty cells are passed over, as SUM does."""
    return [item for item in items(grids) if item is not None and not isinstance(item, str | bool)]


def spread(function: Callable[..., Item], *grids: ItemGrid) -> ItemGrid:
    """A function of items over grids, each repeated where it has one row or column."""
    rows, columns = max(len(each) for each in grids), max(shape(each)[1] for each in grids)
    if rows * columns > MOST_ITEMS or any(0 in shape(each) for each in grids):
        raise UnreadFormulaError("too many cells at once")
    if rows == columns == 1:
        return [[function(*(each[0][0] for each in grids))]]
    for each in grids:
        if shape(each)[0] not in (1, rows) or shape(each)[1] not in (1, columns):
            raise UnreadFormulaError("ranges of shapes that do not fit")
    return [
        [
            function(*(each[r if len(each) > 1 else 0][c if len(each[0]) > 1 else 0] for each in grids))
            for c in range(columns)
        ]
        for r in range(rows)
    ]


def mapped(function: Callable[[s.Scalar], s.Scalar], grid: ItemGrid) -> ItemGrid:
    return spread(lambda item: function(number(item)), grid)


def add(terms: Sequence[s.Scalar]) -> s.Scalar:
    """A sum, its numbers taken together, without zeros."""
    flat: list[s.Scalar] = []
    known = 0.0
    for term in terms:
        if isinstance(term, s.Number):
            known += term.value
        else:
            flat.append(term)
    if known or not flat:
        flat.append(s.Number(known))
    return flat[0] if len(flat) == 1 else s.Sum(tuple(flat))


def negate(term: s.Scalar) -> s.Scalar:
    match term:
        case s.Number(value):
            return s.Number(-value)
        case s.Negative(operand):
            return operand
    return s.Negative(term)


def subtract(left: s.Scalar, right: s.Scalar) -> s.Scalar:
    return add((left, negate(right)))


def multiply(left: s.Scalar, right: s.Scalar) -> s.Scalar:
    match left, right:
        case s.Number(a), s.Number(b):
            return s.Number(a * b)
        case (s.Number(0.0), _) | (_, s.Number(0.0)):
            return ZERO
        case (s.Number(1.0), other) | (other, s.Number(1.0)):
            return other
    return s.Product((left, right))


def divide(left: s.Scalar, right: s.Scalar) -> s.Scalar:
    match left, right:
        case _, s.Number(0.0):
            raise UnreadFormulaError("a division by zero")
        case s.Number(a), s.Number(b):
            return s.Number(a / b)
        case _, s.Number(1.0):
            return left
    return s.Quotient(left, right)


def power(base: s.Scalar, exponent: s.Scalar) -> s.Scalar:
    """A power. One of a cell to a cell's number is taken through the logarithm, for a positive base."""
    match base, exponent:
        case s.Number(a), s.Number(b):
            try:
                return s.Number(float(a**b))
            except (OverflowError, ZeroDivisionError, TypeError):
                raise UnreadFormulaError("a power that is no number") from None
        case _, s.Number(0.0):
            return ONE
        case _, s.Number(1.0):
            return base
        case _, s.Number(b) if b > 0:
            return s.Power(base, b)
        case _, s.Number(b):
            return s.Quotient(ONE, power(base, s.Number(-b)))
        case s.Number(a), _ if is_e(a):
            return s.Exp(exponent)
        case s.Number(a), _ if a > 0:
            return s.Raised(a, exponent)
    return s.Exp(s.Product((exponent, s.Log(base))))


def is_e(base: float) -> bool:
    """Whether a base is e, however many of its digits were written: 2.718, 2.71828."""
    return abs(base - math.e) < 5e-4


def compare(operator: str, left: Item, right: Item) -> Item:
    """1 or 0 for cells' numbers, a truth value where both sides are known."""
    if isinstance(left, str) or isinstance(right, str):
        return _compare_known(operator, "" if left is None else left, "" if right is None else right)
    a, b = number(left), number(right)
    if isinstance(a, s.Number) and isinstance(b, s.Number):
        return _compare_known(operator, a.value, b.value)
    match operator:
        case ">" | ">=":
            return s.Where(a, operator, b, ONE, ZERO)
        case "<":
            return s.Where(b, ">", a, ONE, ZERO)
        case "<=":
            return s.Where(b, ">=", a, ONE, ZERO)
        case "=":
            return s.Where(a, "=", b, ONE, ZERO)
    return s.Where(a, "=", b, ZERO, ONE)


def _compare_known(operator: str, left: Item | float, right: Item | float) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        left, right = left.casefold(), right.casefold()
    if operator in ("=", "<>"):
        return (left == right) is (operator == "=")
    if not (isinstance(left, int | float) and isinstance(right, int | float)):
        raise UnreadFormulaError("an order of texts")
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]


def choose(condition: Item, then: Item, otherwise: Item) -> Item:
    """IF for one cell; where the condition depends on numbers, both branches must be numbers."""
    if isinstance(condition, str):
        raise UnreadFormulaError("a text as a condition")
    if condition is None or isinstance(condition, bool):
        return then if condition else otherwise
    if isinstance(condition, s.Number):
        return then if condition.value else otherwise
    yes, no = number(then), number(otherwise)
    match condition:
        case s.Where(left, relation, right, s.Number(1.0), s.Number(0.0)):
            return s.Where(left, relation, right, yes, no)
        case s.Where(left, relation, right, s.Number(0.0), s.Number(1.0)):
            return s.Where(left, relation, right, no, yes)
    return s.Where(condition, "=", ZERO, no, yes)


def chosen(place: s.Cell, values: Sequence[s.Scalar]) -> s.Scalar:
    """The value whose place, from 1, a cell holds: a class's share by its label."""
    if len(values) > MOST_CHOSEN:
        raise UnreadFormulaError("a choice of too many cells")
    found = values[-1]
    for k in range(len(values) - 1, 0, -1):
        found = s.Where(place, "=", s.Number(float(k)), values[k - 1], found)
    return found


def join(left: Item, right: Item) -> Item:
    """Texts put together, where no cell's number is in them."""
    return _as_text(left) + _as_text(right)


def _as_text(item: Item) -> str:
    if isinstance(item, str):
        return item
    if item is None:
        return ""
    value = constant(item)
    return str(int(value)) if value.is_integer() and math.isfinite(value) else repr(value)
