"""Slips that a learner makes in one cell: a term lost, an operand used twice, another row picked up.

Each is tried in every cell of a matrix at once, and all of one form together: `extra` symbols hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.expression.interval import Interval, bound
from tracer.judging.slips.context import Made, MatrixKind, SlipContext, WrongRule
from tracer.judging.slips.rewriting import products
from tracer.program.roles import PARAMETER, WEIGHTS

MOST_NUMBERS = 400_000  # in all the matrices of one form; nobody works larger ones by hand


LOST_OR_DOUBLED = {"left out": 0.0, "counted twice": 2.0}
SIGN_LOST = {"with the opposite sign": -1.0}


def term_lost_or_doubled(context: SlipContext, rule: m.Matrix) -> Made:
    """One term of a sum left out, or counted twice."""
    yield from _each_term(context, rule, LOST_OR_DOUBLED)
    bias = context.bias if context.kind is MatrixKind.PRE_ACTIVATION else None
    if bias is not None:
        yield WrongRule(m.add(rule, bias), ({"term": "the bias", "how": "counted twice"},))


def term_sign_lost(context: SlipContext, rule: m.Matrix) -> Made:
    """One term of a sum with the opposite sign."""
    yield from _each_term(context, rule, SIGN_LOST)


def _each_term(context: SlipContext, rule: m.Matrix, weights: Mapping[str, float]) -> Made:
    """The rule with one term of its sums weighed otherwise."""
    for inner in sorted({product.left.shape[1] for product in products(rule)}):
        yield from _weighed(context, rule, (1, inner), weights, lambda part, n=inner: _product_of(part, n))  # type: ignore[misc]
    for over, operand in dict.fromkeys((each.over, each.operand.shape) for each in _sums(rule)):
        rows, columns = operand
        shape = (rows if over != "columns" else 1, columns if over != "rows" else 1)
        yield from _weighed(context, rule, shape, weights, lambda part, o=over, s=operand: _sum_of(part, o, s))  # type: ignore[misc]


Weighing = Callable[[m.Matrix], "Callable[[m.Matrix], m.Matrix] | None"]


def _product_of(part: m.Matrix, inner: int) -> Callable[[m.Matrix], m.Matrix] | None:
    """A product of this inner size, its terms weighed."""
    if isinstance(part, m.MatMul) and part.left.shape[1] == inner:
        return lambda weights: m.MatMul(m.multiply(part.left, weights), part.right)
    return None


def _sum_of(part: m.Matrix, over: m.Axis, shape: m.Shape) -> Callable[[m.Matrix], m.Matrix] | None:
    """A sum over these cells, its terms weighed."""
    if isinstance(part, m.Reduce) and part.operation == "sum" and (part.over, part.operand.shape) == (over, shape):
        return lambda weights: m.Reduce("sum", m.multiply(part.operand, weights), over)
    return None


def _sums(rule: m.Matrix) -> Iterator[m.Reduce]:
    return (part for part in traversal.parts(rule) if isinstance(part, m.Reduce) and part.operation == "sum")


def _weighed(
    context: SlipContext, rule: m.Matrix, shape: m.Shape, others: Mapping[str, float], weighed: Weighing
) -> Made:
    """The rule with each term of its sums weighed by each of the other weights."""
    terms = shape[0] * shape[1]
    if terms < 2 or not _affordable(context, len(others) * terms, terms):
        return
    weights = np.ones((len(others), terms, terms))
    for k, other in enumerate(others.values()):
        weights[k, range(terms), range(terms)] = other
    symbol = m.Symbol("weights of terms", shape)

    def change(part: m.Matrix) -> m.Matrix | None:
        made = weighed(part)
        return None if made is None else made(symbol)

    words = [{"term": f"term {k + 1}", "how": how} for how in others for k in range(terms)]
    extra = {symbol.name: Interval.exactly(weights.reshape(-1, *shape))}
    yield WrongRule(traversal.rewrite(rule, change), words, extra)


def weight_misread(context: SlipContext, rule: m.Matrix) -> Made:
    """One weight read with the opposite sign, or in its place one that stands beside it."""
    for symbol in dict.fromkeys(traversal.symbols(rule)):
        if context.work.key.program.quantity(symbol.name) not in (WEIGHTS, PARAMETER):
            continue
        own, rows, columns = context.reading[symbol.name], *symbol.shape
        made = list(_misread(rows, columns))
        if not _affordable(context, len(made), rows):
            continue
        low, high = (np.repeat(end[None], len(made), axis=0) for end in (own.low, own.high))
        for k, (i, j, other) in enumerate(made):
            ends = (own.low[other], own.high[other]) if other else (-own.high[i, j], -own.low[i, j])
            low[k, i, j], high[k, i, j] = ends
        read = m.Symbol(f"{symbol.name} misread", symbol.shape)
        changed = traversal.rewrite(rule, lambda part, s=symbol, n=read: n if part == s else None)  # type: ignore[misc]
        words = [{"M": symbol.name, **_how(*each, context.turned)} for each in made]
        yield WrongRule(changed, words, {read.name: Interval(low, high)})


def _misread(rows: int, columns: int) -> Iterator[tuple[int, int, tuple[int, int] | None]]:
    """Each place, with every place beside it that may have been read instead; None for a sign."""
    for i, j in np.ndindex(rows, columns):
        yield i, j, None
        for other in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if 0 <= other[0] < rows and 0 <= other[1] < columns:
                yield i, j, other


def _how(i: int, j: int, other: tuple[int, int] | None, turned: bool) -> dict[str, str]:
    """The words for how the weight in a place was read."""
    how = f"as the one in {_place(*other, turned)}" if other else "with the opposite sign"
    return {"place": _place(i, j, turned), "how": how}


def _place(row: int, column: int, turned: bool) -> str:
    row, column = (column, row) if turned else (row, column)
    return f"row {row + 1}, column {column + 1}"


def operand_twice(context: SlipContext, rule: m.Matrix) -> Made:
    """In one term of a sum of products, the operand of another term."""
    for product in dict.fromkeys(products(rule)):
        terms = product.left.shape[1]
        pairs = [(k, other) for k in range(terms) for other in range(terms) if other != k]
        if not pairs or not _affordable(context, len(pairs), terms):
            continue
        index = np.tile(np.arange(terms), (len(pairs), 1))
        index[range(len(pairs)), [k for k, _ in pairs]] = [other for _, other in pairs]
        words = [{"term": f"term {k + 1}", "other": f"term {other + 1}"} for k, other in pairs]
        left, right = (bound(side, context.reading) for side in (product.left, product.right))
        sides = (
            (product.left, Interval(left.low[:, index].swapaxes(0, 1), left.high[:, index].swapaxes(0, 1))),
            (product.right, Interval(right.low[index], right.high[index])),
        )
        for side, bounds in sides:
            symbol = m.Symbol("operands", side.shape)
            changed = m.MatMul(*(symbol if each is side else each for each in (product.left, product.right)))
            yield WrongRule(
                traversal.rewrite(rule, lambda part, p=product, c=changed: c if part == p else None),  # type: ignore[misc]
                words,
                {symbol.name: bounds},
            )


def other_row_or_column(context: SlipContext, rule: m.Matrix) -> Made:
    """A matrix read one or more rows or columns off."""
    for symbol in dict.fromkeys(traversal.symbols(rule)):
        if symbol.name == context.work.key.program.rate:
            continue
        own = context.reading[symbol.name]
        for axis, name in enumerate(("column", "row") if context.turned else ("row", "column")):
            count = symbol.shape[axis]
            if count < 2 or not _affordable(context, count, sum(symbol.shape)):
                continue
            shifts = range(1, count)
            low, high = (np.array([np.roll(end, -by, axis) for by in shifts]) for end in (own.low, own.high))
            moved = m.Symbol(f"{symbol.name} moved", symbol.shape)
            words = [{"M": symbol.name, "axis": name, "by": str(by), "count": str(count)} for by in shifts]
            changed = traversal.rewrite(rule, lambda part, s=symbol, n=moved: n if part == s else None)  # type: ignore[misc]
            yield WrongRule(changed, words, {moved.name: Interval(low, high)})


def stale_value(context: SlipContext, rule: m.Matrix) -> Made:
    """A matrix of the pass before in place of this one's."""
    for symbol in dict.fromkeys(traversal.symbols(rule)):
        before = context.work.key.before.get(symbol.name)
        if before is not None:
            old = m.Symbol(f"{symbol.name} before", symbol.shape)
            changed = traversal.rewrite(rule, lambda part, s=symbol, o=old: o if part == s else None)  # type: ignore[misc]
            bounds = Interval.around(before.T if context.turned else before, context.work.unit(symbol.name) / 2)
            yield WrongRule(changed, ({"M": symbol.name},), {old.name: bounds})


def _affordable(context: SlipContext, count: int, terms: int) -> bool:
    rows, columns = context.right.shape
    return count * rows * columns * terms <= MOST_NUMBERS
