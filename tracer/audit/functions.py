"""The functions of spreadsheets that are read, each once: what it makes of grids. A new one is one entry.

A function that is not here leaves its cell as a number that nothing is derived through.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial, reduce

from tracer.audit import grids as g
from tracer.audit.grids import Item, ItemGrid
from tracer.audit.parsing import UnreadFormulaError
from tracer.expression import scalar as s

FunctionRule = Callable[[Sequence[ItemGrid]], ItemGrid]
LN_10 = s.Number(math.log(10))


def _cells(rule: Callable[[s.Scalar], s.Scalar]) -> FunctionRule:
    return lambda a: g.mapped(rule, a[0])


def _function(name: s.FunctionName) -> FunctionRule:
    return _cells(lambda x: s.Function(name, x))


def _of_numbers(rule: Callable[[list[s.Scalar]], s.Scalar]) -> FunctionRule:
    return lambda a: g.one(rule(g.numbers(a)))


def _exp(x: s.Scalar) -> s.Scalar:
    return s.Number(math.exp(x.value)) if isinstance(x, s.Number) and x.value < 700 else s.Exp(x)


def _log(arguments: Sequence[ItemGrid]) -> ItemGrid:
    """LOG takes base 10 where none is given."""
    base = LN_10 if len(arguments) < 2 else s.Number(math.log(g.constant(arguments[1][0][0])))
    return g.mapped(lambda x: s.Quotient(s.Log(x), base), arguments[0])


def _mean(values: list[s.Scalar]) -> s.Scalar:
    return g.divide(g.add(values), s.Number(float(len(values))))


def _deviations(values: list[s.Scalar]) -> s.Scalar:
    mean = _mean(values)
    return g.add([s.Power(g.subtract(each, mean), 2.0) for each in values])


def _variance(values: list[s.Scalar], fewer: int) -> s.Scalar:
    return g.divide(_deviations(values), s.Number(float(len(values) - fewer)))


def _largest(values: list[s.Scalar]) -> s.Scalar:
    return values[0] if len(values) == 1 else s.Maximum(tuple(values)) if values else g.ZERO


def _smallest(values: list[s.Scalar]) -> s.Scalar:
    return g.negate(_largest([g.negate(each) for each in values]))


def _sign(x: s.Scalar) -> s.Scalar:
    return s.Where(x, ">", g.ZERO, g.ONE, s.Where(x, "=", g.ZERO, g.ZERO, s.Number(-1.0)))


def _product(values: Sequence[s.Scalar]) -> s.Scalar:
    start: s.Scalar = g.ONE
    return reduce(g.multiply, values, start)


def _aligned(a: Sequence[ItemGrid], rule: Callable[..., s.Scalar]) -> ItemGrid:
    """A sum over cells in the same places of ranges of one shape."""
    if len({g.shape(each) for each in a}) != 1:
        raise UnreadFormulaError("ranges of shapes that do not fit")
    return g.one(g.add([rule(*map(_or_zero, cells)) for cells in zip(*(g.items([each]) for each in a), strict=True)]))


def _or_zero(item: Item) -> s.Scalar:
    return g.ZERO if isinstance(item, str | bool) else g.number(item)


def _matrix_product(a: Sequence[ItemGrid]) -> ItemGrid:
    left, right = a
    if g.shape(left)[1] != g.shape(right)[0] or g.shape(left)[0] * g.shape(right)[1] > g.MOST_ITEMS:
        raise UnreadFormulaError("matrices that cannot be multiplied")
    columns = list(zip(*right, strict=True))
    return [
        [g.add([g.multiply(g.number(x), g.number(y)) for x, y in zip(row, column, strict=True)]) for column in columns]
        for row in left
    ]


def _transposed(a: Sequence[ItemGrid]) -> ItemGrid:
    return [list(row) for row in zip(*a[0], strict=True)]


def _index(a: Sequence[ItemGrid]) -> ItemGrid:
    grid = a[0]
    if len(a) == 2 and 1 in g.shape(grid) and isinstance(a[1][0][0], s.Cell):
        return g.one(g.chosen(a[1][0][0], [g.number(each) for each in g.items([grid])]))
    row = int(g.constant(a[1][0][0]))
    column = int(g.constant(a[2][0][0])) if len(a) > 2 else 0
    if len(a) == 2 and len(grid) == 1:
        row, column = 1, row
    rows, columns = g.shape(grid)
    if not (0 <= row <= rows and 0 <= column <= columns):
        raise UnreadFormulaError("a place outside its range")
    kept = [grid[row - 1]] if row else grid
    return [[each[column - 1]] if column else list(each) for each in kept]


def _if(a: Sequence[ItemGrid]) -> ItemGrid:
    return g.spread(g.choose, a[0], a[1], a[2] if len(a) > 2 else g.one(False))


def _and(a: Sequence[ItemGrid]) -> ItemGrid:
    return g.one(_product([g.number(each) for each in g.items(a)]))


def _or(a: Sequence[ItemGrid]) -> ItemGrid:
    return g.one(_largest([g.number(each) for each in g.items(a)]))


def _round(a: Sequence[ItemGrid]) -> ItemGrid:
    decimals = int(g.constant(a[1][0][0])) if len(a) > 1 else 0
    return g.mapped(lambda x: s.Round(x, decimals), a[0])


def _beside(a: Sequence[ItemGrid]) -> ItemGrid:
    return [[item for grid in a for item in grid[r]] for r in range(max(map(len, a)))]


def _below(a: Sequence[ItemGrid]) -> ItemGrid:
    return [list(row) for grid in a for row in grid]


def _taken(a: Sequence[ItemGrid], drop: bool) -> ItemGrid:
    rows, columns = ([int(g.constant(each[0][0])) for each in a[1:]] + [0, 0])[:2]
    kept = _cut(a[0], rows, drop)
    return [_cut(row, columns, drop) for row in kept]


def _cut(values: list, count: int, drop: bool) -> list:  # type: ignore[type-arg]
    if not count:
        return values
    if drop:
        return values[count:] if count > 0 else values[:count]
    return values[:count] if count > 0 else values[count:]


def _chosen_lines(a: Sequence[ItemGrid], columns: bool) -> ItemGrid:
    grid = _transposed(a[:1]) if columns else a[0]
    places = [int(g.constant(each)) for each in g.items(a[1:])]
    kept = [list(grid[place - 1 if place > 0 else place]) for place in places]
    return _transposed([kept]) if columns else kept


def _sequence(a: Sequence[ItemGrid]) -> ItemGrid:
    rows, columns, start, step = ([g.constant(each[0][0]) for each in a] + [1.0, 1.0, 1.0, 1.0][len(a) :])[:4]
    if rows * columns > g.MOST_ITEMS:
        raise UnreadFormulaError("too many cells at once")
    return [[s.Number(start + step * (r * columns + c)) for c in range(int(columns))] for r in range(int(rows))]


def _normal(a: Sequence[ItemGrid]) -> ItemGrid:
    if len(a) > 1 and not g.constant(a[1][0][0]):
        return g.mapped(
            lambda x: s.Product(
                (s.Number(1 / math.sqrt(2 * math.pi)), s.Exp(s.Product((s.Number(-0.5), s.Power(x, 2.0)))))
            ),
            a[0],
        )
    return g.mapped(lambda x: s.Function("normal_cdf", x), a[0])


def _error_function(x: s.Scalar) -> s.Scalar:
    return g.subtract(s.Product((g.TWO, s.Function("normal_cdf", s.Product((s.Number(math.sqrt(2)), x))))), g.ONE)


def _hyperbolic(x: s.Scalar, sign: float) -> s.Scalar:
    return s.Quotient(s.Sum((s.Exp(x), s.Product((s.Number(sign), s.Exp(g.negate(x)))))), g.TWO)


FUNCTIONS: dict[str, FunctionRule] = {
    "ABS": _cells(s.Absolute),
    "AND": _and,
    "ATAN": _function("arctan"),
    "AVERAGE": _of_numbers(_mean),
    "CHOOSECOLS": partial(_chosen_lines, columns=True),
    "CHOOSEROWS": partial(_chosen_lines, columns=False),
    "COLUMNS": lambda a: g.one(s.Number(float(g.shape(a[0])[1]))),
    "COS": _function("cos"),
    "COSH": _cells(lambda x: _hyperbolic(x, 1.0)),
    "COUNT": lambda a: g.one(s.Number(float(len(g.numbers(a))))),
    "COUNTA": lambda a: g.one(s.Number(float(sum(each is not None for each in g.items(a))))),
    "DEVSQ": _of_numbers(_deviations),
    "DROP": partial(_taken, drop=True),
    "ERF": _cells(_error_function),
    "EXP": _cells(_exp),
    "HSTACK": _beside,
    "IF": _if,
    "IFERROR": lambda a: a[0],
    "INDEX": _index,
    "LN": _cells(s.Log),
    "LOG": _log,
    "LOG10": _cells(lambda x: s.Quotient(s.Log(x), LN_10)),
    "MAX": _of_numbers(_largest),
    "MIN": _of_numbers(_smallest),
    "MMULT": _matrix_product,
    "MUNIT": lambda a: [
        [g.ONE if r == c else g.ZERO for c in range(int(g.constant(a[0][0][0])))]
        for r in range(int(g.constant(a[0][0][0])))
    ],
    "N": lambda a: a[0],
    "NORM.S.DIST": _normal,
    "NORMSDIST": lambda a: _normal(a[:1]),
    "NOT": lambda a: g.mapped(lambda x: g.subtract(g.ONE, x), a[0]),
    "OR": _or,
    "PI": lambda a: g.one(s.Number(math.pi)),
    "POWER": lambda a: g.spread(lambda x, y: g.power(g.number(x), g.number(y)), a[0], a[1]),
    "PRODUCT": _of_numbers(_product),
    "ROUND": _round,
    "ROWS": lambda a: g.one(s.Number(float(len(a[0])))),
    "SEQUENCE": _sequence,
    "SIGN": _cells(_sign),
    "SIN": _function("sin"),
    "SINGLE": lambda a: a[0],
    "SINH": _cells(lambda x: _hyperbolic(x, -1.0)),
    "SQRT": _cells(
        lambda x: s.Number(math.sqrt(x.value)) if isinstance(x, s.Number) and x.value >= 0 else s.Function("sqrt", x)
    ),
    "STDEV": _of_numbers(lambda v: s.Function("sqrt", _variance(v, 1))),
    "STDEV.P": _of_numbers(lambda v: s.Function("sqrt", _variance(v, 0))),
    "STDEV.S": _of_numbers(lambda v: s.Function("sqrt", _variance(v, 1))),
    "STDEVP": _of_numbers(lambda v: s.Function("sqrt", _variance(v, 0))),
    "SUM": _of_numbers(g.add),
    "SUMPRODUCT": lambda a: _aligned(a, lambda *cells: _product(cells)),
    "SUMSQ": _of_numbers(lambda v: g.add([s.Power(each, 2.0) for each in v])),
    "SUMX2MY2": lambda a: _aligned(a, lambda x, y: g.subtract(s.Power(x, 2.0), s.Power(y, 2.0))),
    "SUMX2PY2": lambda a: _aligned(a, lambda x, y: g.add((s.Power(x, 2.0), s.Power(y, 2.0)))),
    "SUMXMY2": lambda a: _aligned(a, lambda x, y: s.Power(g.subtract(x, y), 2.0)),
    "TAKE": partial(_taken, drop=False),
    "TANH": _cells(s.Tanh),
    "TOCOL": lambda a: [[item] for item in g.items(a[:1])],
    "TOROW": lambda a: [list(g.items(a[:1]))],
    "TRANSPOSE": _transposed,
    "VALUE": lambda a: g.mapped(lambda x: x, a[0]),
    "VAR": _of_numbers(lambda v: _variance(v, 1)),
    "VAR.P": _of_numbers(lambda v: _variance(v, 0)),
    "VAR.S": _of_numbers(lambda v: _variance(v, 1)),
    "VARP": _of_numbers(lambda v: _variance(v, 0)),
    "VSTACK": _below,
}
