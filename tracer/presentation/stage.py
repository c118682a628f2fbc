"""The stage of a formula: its matrices laid out as it reads, the result where they meet.

The layout follows the expression alone, so that it is the same for any program. A sum of products is one block scheme
(Falk's): left operands side by side, right operands stacked above, the result where row meets column, a bias as the
last row. What works cell by cell stands in a row with its signs. A sum stands under or beside what it sums. Anything
else shows what it is made of, then the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.expression.digits import as_typed

SIGNS = {"+": "+", "-": "−", "*": "⊙", "/": "/"}
BINDS = {"+": 1, "-": 1, "*": 2, "/": 2}
MOST_ITEMS = 12  # of a row of operands and signs


@dataclass(frozen=True, slots=True)
class Operand:
    """A matrix on the stage, drawn turned where it is a transposed operand."""

    id: str
    turned: bool = False


@dataclass(frozen=True)
class Products:
    """A block scheme: pairs of a left and a right operand, and rows that are added."""

    pairs: tuple[tuple[Operand, Operand], ...]
    rows: tuple[Operand, ...]


@dataclass(frozen=True)
class InARow:
    """Operands with the signs, brackets and numbers between them, then the result behind `=`."""

    items: tuple[Operand | str, ...]


@dataclass(frozen=True)
class SumOf:
    """What is summed, with the sum `under` it or beside it."""

    operand: Operand
    under: bool


@dataclass(frozen=True)
class MadeOf:
    """The matrices that go in, then the result behind an arrow."""

    operands: tuple[Operand, ...]


Stage: TypeAlias = Products | InARow | SumOf | MadeOf


def stage_of(expression: m.Matrix) -> Stage:
    """How the matrices of a formula stand."""
    made = _bare(expression)
    products = _products(made)
    if products is not None:
        return products
    if isinstance(made, m.Reduce) and made.operation == "sum" and made.over != "all":
        operand = _operand(made.operand)
        if operand is not None:
            return SumOf(operand, made.over == "rows")
    items = _items(made, 0) if isinstance(made, m.Broadcast) else None
    if items is not None and len(items) <= MOST_ITEMS:
        return InARow(tuple(items))
    return MadeOf(tuple(Operand(name) for name in dict.fromkeys(each.name for each in traversal.symbols(made))))


def stage_document(stage: Stage) -> dict[str, Any]:
    """The stage as the page's script takes it: an operand is its identifier, in a list where it is turned."""
    match stage:
        case Products(pairs, rows):
            return {"pairs": [[_told(left), _told(right)] for left, right in pairs], "rows": [*map(_told, rows)]}
        case InARow(items):
            return {"items": [{"sign": each} if isinstance(each, str) else _told(each) for each in items]}
        case SumOf(operand, under):
            return {"sum": _told(operand), "under": under}
        case MadeOf(operands):
            return {"of": [*map(_told, operands)]}


def _told(operand: Operand) -> Any:
    return [operand.id] if operand.turned else operand.id


def _bare(expression: m.Matrix) -> m.Matrix:
    """Without what changes nothing of the layout: rounding, a stable form, a value held."""
    while isinstance(expression, m.Rounded | m.Detached | m.StableForm):
        (expression,) = traversal.operands(expression)[:1]
    return expression


def _operand(expression: m.Matrix) -> Operand | None:
    match _bare(expression):
        case m.Symbol(name):
            return Operand(name)
        case m.Transpose(inside):
            found = _operand(inside)
            return None if found is None else Operand(found.id, not found.turned)
        case _:
            return None


def _products(made: m.Matrix) -> Products | None:
    """A sum of products of two matrices and of rows, the first of them a product."""
    pairs, rows = [], []
    if isinstance(made, m.Broadcast) and made.operator == "/" and isinstance(made.right, m.Constant):
        made = made.left if isinstance(made.left, m.MatMul) else made  # a product divided by a number, as √d
    for term in _terms(made):
        if isinstance(term, m.MatMul):
            left, right = _operand(term.left), _operand(term.right)
            if left is None or right is None:
                return None
            pairs.append((left, right))
        elif (row := _row(term, made.shape[1])) is not None:
            rows.append(row)
        else:
            return None
    return Products(tuple(pairs), tuple(rows)) if pairs else None


def _row(term: m.Matrix, columns: int) -> Operand | None:
    """A row of so many columns that every row of the result has added, or the only one."""
    if isinstance(term, m.Repeat):
        return _operand(term.operand) if term.over == "rows" else None
    return _operand(term) if term.shape == (1, columns) else None


def _terms(made: m.Matrix) -> Iterator[m.Matrix]:
    """What is added."""
    if isinstance(made, m.Broadcast) and made.operator == "+":
        yield from (*_terms(made.left), *_terms(made.right))
    else:
        yield _bare(made)


def _items(made: m.Matrix, binds: int) -> list[Operand | str] | None:
    """Operands and signs as the formula reads; None where something else than signs stands between them."""
    made = _bare(made)
    if isinstance(made, m.Repeat):
        return _items(made.operand, binds)
    if isinstance(made, m.Constant):
        return [as_typed(made.value)]
    if not isinstance(made, m.Broadcast):
        operand = _operand(made)
        return None if operand is None else [operand]
    own = BINDS[made.operator]
    left, right = _items(made.left, own), _items(made.right, own + (made.operator in "-/"))
    if left is None or right is None:
        return None
    single = 1 in (_size(made.left), _size(made.right))
    items = [*left, "·" if made.operator == "*" and single else SIGNS[made.operator], *right]
    return ["(", *items, ")"] if own < binds else items


def _size(made: m.Matrix) -> int:
    made = made.operand if isinstance(made, m.Repeat) else made
    return made.shape[0] * made.shape[1]
