"""Hypothesis strategies: shape-correct matrix expressions with values.

Problem documents are in `tests/documents.py`, re-exported here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.documents import OUTPUTS, arbitrary, documents, hand_friendly
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.losses import LOSSES

__all__ = ["EXPRESSION_SIZES", "OUTPUTS", "Made", "arbitrary", "documents", "expressions", "hand_friendly"]

Array = NDArray[np.float64]
u, v = s.Variable("u"), s.Variable("v")
zero, one = s.Number(0.0), s.Number(1.0)


def minus(left: s.Scalar, right: s.Scalar) -> s.Sum:
    return s.Sum((left, s.Negative(right)))


def activation(name: str, kind: str = "value") -> s.Scalar:
    """An activation's template with its leaky slope put in."""
    template = getattr(ACTIVATIONS[name], kind)
    return s.substitute(template, {"alpha": s.Number(0.25)})


# Rules that are continuous, each with the size of the terms that it adds up (agreement.py).
SMOOTH: dict[s.Scalar, Callable[..., Any]] = {
    activation("sigmoid"): lambda z: 1 + z,
    activation("tanh"): lambda z: 1 + z,
    activation("relu"): lambda z: z,
    activation("leaky_relu"): lambda z: z,
    activation("elu"): lambda z: 1 + z,
    activation("elu", "slope"): lambda z: 1 + z,
    activation("softplus"): lambda z: 1 + z,
    activation("linear"): lambda z: z,
    activation("sigmoid", "slope"): lambda a: a + a * a,
    activation("tanh", "slope"): lambda a: 1 + a * a,
    LOSSES["half_squared_error"].value: lambda y, a: (y + a) ** 2,
    LOSSES["squared_error"].gradient: lambda y, a: 2 * (y + a),
    s.negative(LOSSES["half_squared_error"].gradient): lambda y, a: y + a,
    s.Product((u, v)): lambda u, v: u * v,
    s.Negative(s.Product((minus(one, u), v))): lambda u, v: (1 + u) * v,
    s.Power(s.Negative(u), 3): lambda u: u**3,
    s.Negative(s.Power(u, 2)): lambda u: u**2,
    s.Absolute(u): lambda u: u,
    s.Maximum((u, v, s.Number(-1.5))): lambda u, v: 1.5 + u + v,
    s.Log(s.Sum((one, s.Power(u, 2)))): lambda u: 1 + u,
    s.Quotient(u, s.Sum((one, s.Absolute(v)))): lambda u, v: u * (1 + v),
    s.Where(u, ">", v, u, v): lambda u, v: u + v,
    s.Where(zero, ">=", u, s.Negative(u), u): lambda u: u,
}
# Rules that jump: two right evaluations may fall on different sides, so they only get exact cells.
JUMPING: dict[s.Scalar, Callable[..., Any]] = {
    activation("relu", "slope"): lambda z: 1,
    activation("relu", "slope_at_kink"): lambda z: 1,
    activation("leaky_relu", "slope"): lambda z: 1,
    s.Where(u, "=", v, minus(u, one), s.Product((u, s.Number(-2.0)))): lambda u, v: 2 * u + 1,
    s.Round(s.Product((u, s.Number(0.5))), 1): lambda u: u + 1,
}
POSITIVE = s.Sum((one, s.Power(u, 2)))  # a denominator that is no less than 1
SHIFTED = s.Exp(minus(s.Variable("z"), s.Variable("top")), bounded=True)
RAISED = s.Exp(s.Variable("z"))
EXPRESSION_SIZES = {
    **SMOOTH,
    **JUMPING,
    POSITIVE: lambda u: 1 + u * u,
    SHIFTED: lambda z, top: 1 + z + top,
    s.Log(u): lambda u: u,
}


@dataclass(frozen=True)
class Made:
    """An expression and values of its symbols."""

    expression: m.Matrix
    values: Mapping[str, Array]


class _Maker:
    """Draws an expression of a wanted shape; symbols of one shape may come again."""

    def __init__(self, draw: st.DrawFn, largest: int, symbol_prefix: str) -> None:
        self.draw = draw
        self.largest = largest
        self.prefix = symbol_prefix
        self.symbols: dict[str, m.Symbol] = {}

    def pick(self, options: list[Any]) -> Any:
        return self.draw(st.sampled_from(options))

    def size(self) -> int:
        return self.draw(st.integers(1, self.largest))

    def symbol(self, shape: m.Shape) -> m.Symbol:
        known = [each for each in self.symbols.values() if each.shape == shape]
        if known and self.draw(st.booleans()):
            return self.pick(known)
        name = f"{self.prefix}{len(self.symbols) + 1}"
        return self.symbols.setdefault(name, m.Symbol(name, shape))

    def exact(self, shape: m.Shape) -> m.Matrix:
        """Cells that every evaluation gives bit for bit: a symbol, or a way of looking at one."""
        rows, columns = shape
        kinds = ["symbol", "transpose", "stack"] + ["row"] * (rows == 1)
        match self.pick(kinds):
            case "transpose":
                return m.Transpose(self.symbol((columns, rows)))
            case "row":
                height = self.size()
                return m.Row(self.symbol((height, columns)), self.draw(st.integers(0, height - 1)))
            case "stack":
                return m.Stack(tuple(self.symbol((1, columns)) for _ in range(rows)))
            case _:
                return self.symbol(shape)

    def pair(self, shape: m.Shape, left: Callable[..., m.Matrix]) -> tuple[m.Matrix, m.Matrix]:
        """Two operands that broadcast to `shape`."""
        rows, columns = shape
        narrow = self.pick([shape, (1, columns), (rows, 1), (1, 1)])
        if narrow == (rows, 1) and self.draw(st.booleans()):
            return left((rows, 1)), left((1, columns))  # a column meets a row
        both = [left(shape), left(narrow)]
        return (both[0], both[1]) if self.draw(st.booleans()) else (both[1], both[0])

    def apply(self, template: s.Scalar, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        names = sorted(s.variables(template))
        parts = self.pair(shape, of) if len(names) == 2 else (of(shape),)
        return m.Apply(template, tuple(zip(names, parts, strict=True)))

    def matrix(self, shape: m.Shape, depth: int) -> m.Matrix:
        if depth == 0:
            return self.exact(shape)
        rows, columns = shape
        kinds = ["matmul", "broadcast", "constant", "divide", "smooth", "jumping", "transpose", "stack"]
        kinds += ["commuted", "softmax", "rounded", "long"] + ["row"] * (rows == 1)
        kinds += ["repeat"] + ["reduce"] * (1 in shape) + ["identity"] * (rows == columns)
        kind = self.pick(kinds)
        return getattr(self, f"_{kind}")(shape, lambda inner: self.matrix(inner, depth - 1))

    def _matmul(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        inner = self.size()
        return m.MatMul(of((shape[0], inner)), of((inner, shape[1])))

    def _long(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        """A product or sum of enough terms to be written as SUM, SUMPRODUCT or MMULT."""
        inner = self.draw(st.integers(9, 11))
        if self.draw(st.booleans()):
            # no long product of two transposes: test_formulas.py has it on its own
            return m.MatMul(self.symbol((shape[0], inner)), self.exact((inner, shape[1])))
        return m.MatMul(m.row_sums(self.exact((shape[0], inner))), m.column_sums(self.exact((inner, shape[1]))))

    def _broadcast(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        return m.Broadcast(self.pick(["+", "-", "*"]), *self.pair(shape, of))

    def _repeat(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        """Rows, columns or a number repeated, alone or beside a matrix of the whole shape, as a bias is."""
        rows, columns = shape
        over, narrow = self.pick([("rows", (1, columns)), ("columns", (rows, 1)), ("all", (1, 1))])
        repeated = m.repeat(of(narrow), over, shape)
        return m.Broadcast(self.pick(["+", "-", "*"]), of(shape), repeated) if self.draw(st.booleans()) else repeated

    def _constant(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        number = m.Constant(self.pick([-2.0, -0.5, 0.0, 1.0, 3.0, 0.125]))
        operator = self.pick(["+", "-", "*"])
        sides = (number, of(shape)) if self.draw(st.booleans()) else (of(shape), number)
        return m.Broadcast(operator, *sides)

    def _divide(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        numerator, denominator = self.pair(shape, of)
        return m.divide(numerator, m.Apply(POSITIVE, (("u", denominator),)))

    def _smooth(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        return self.apply(self.pick(list(SMOOTH)), shape, of)

    def _jumping(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        return self.apply(self.pick(list(JUMPING)), shape, self.exact)

    def _rounded(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        return m.Rounded(self.exact(shape), self.draw(st.integers(0, 4)))

    def _transpose(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        return m.Transpose(of((shape[1], shape[0])))

    def _stack(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        return m.Stack(tuple(of((1, shape[1])) for _ in range(shape[0])))

    def _row(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        height = self.size()
        return m.Row(of((height, shape[1])), self.draw(st.integers(0, height - 1)))

    def _identity(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        return m.Broadcast(self.pick(["+", "-", "*"]), m.Identity(shape[0]), of(shape))

    def _reduce(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        operation = self.pick(["sum", "max"])
        rows, columns = shape
        axes = ["all"] * (shape == (1, 1)) + ["rows"] * (rows == 1) + ["columns"] * (columns == 1)
        over = self.pick(axes)
        inner = (self.size() if over != "columns" else rows, self.size() if over != "rows" else columns)
        return m.Reduce(operation, of(inner), over)

    def _commuted(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        left, right = self.pair(shape, of)
        return m.StableForm(m.add(left, right), m.add(right, left))

    def _softmax(self, shape: m.Shape, of: Callable[..., m.Matrix]) -> m.Matrix:
        """The softmax of a matrix, as the product writes it."""
        Z = of(shape)
        powers = m.Apply(RAISED, (("z", Z),))
        shifted = m.Apply(SHIFTED, (("z", Z), ("top", m.row_maxima(Z))))
        return m.StableForm(*(m.divide(each, m.row_sums(each)) for each in (powers, shifted)))


NUMBERS = st.one_of(
    st.integers(-300, 300).map(lambda k: k / 100),
    st.floats(-4, 4, allow_nan=False).map(lambda x: float(f"{x:.15g}")).map(lambda x: x if abs(x) > 1e-9 else 0.0),
)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3, largest: int = 3, prefix: str = "M") -> Made:
    """A matrix expression of random shape with values of its symbols (up to 4, 15 digits at most).

    Numbers have 15 digits because workbooks keep no more, so that a jump or a rounding sees the same number
    in a spreadsheet.
    """
    maker = _Maker(draw, largest, prefix)
    expression = maker.matrix((maker.size(), maker.size()), draw(st.integers(0, depth)))
    values = {}
    for name, symbol in maker.symbols.items():
        rows, columns = symbol.shape
        cells = draw(st.lists(NUMBERS, min_size=rows * columns, max_size=rows * columns))
        values[name] = np.array(cells, dtype=np.float64).reshape(symbol.shape)
    return Made(expression, values)
