"""The functions that a formula may call: what each is given, and the expression that it is. A new one is one entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tracer.calculus.functions import FUNCTIONS as OF_CELLS
from tracer.calculus.row_functions import cross_entropy_of_logits, log_softmax, softmax
from tracer.errors import ShapeError
from tracer.expression import matrix as m
from tracer.expression import scalar as s

Setting: TypeAlias = int | float | str | None
Kind: TypeAlias = Literal["cells", "whole", "sum", "kernel", "loss"]

REQUIRED: Setting = "required"
CELL_BY_CELL = (
    "exp", "log", "sqrt", "abs", "tanh", "sigmoid", "relu", "leaky_relu", "elu", "softplus", "silu", "sin", "cos",
)  # fmt: skip
LATER = ("arctan", "erf")  # functions that files knew nothing of: a matrix may have such a name

u, v = s.Variable("u"), s.Variable("v")
a, y = s.Variable("a"), s.Variable("y")
one = s.Number(1.0)


@dataclass(frozen=True)
class Called:
    """A function of a formula: so many matrices (None: any number), then settings with their defaults.

    `kind` says how it may stand in a formula: "cells" cell by cell; "sum" may take in a rule for cells; "kernel" is a
    product; the others take matrices and are matrices of their own.
    """

    make: Callable[..., m.Matrix]
    matrices: int | None
    kind: Kind
    settings: Mapping[str, Setting] = field(default_factory=dict)


def _of_cells(name: str) -> Called:
    function = OF_CELLS[name]

    def make(Z: m.Matrix, **settings: float) -> m.Matrix:
        numbers = {"alpha": settings["slope"]} if "slope" in settings else {}
        return m.Apply(function.filled(numbers), (("z", Z),))

    return Called(make, 1, "cells", {"slope": 0.01} if function.defaults else {})


def _gelu(Z: m.Matrix, form: str) -> m.Matrix:
    if form not in ("tanh", "erf"):
        raise ValueError(f'found form={form!r}, expected "tanh" or "erf"')
    return m.Apply(OF_CELLS["gelu" if form == "tanh" else "gelu_erf"].value, (("z", Z),))


def _over(axis: Setting) -> m.Axis:
    if axis not in (None, 0, 1) or isinstance(axis, float):
        raise ValueError(f"found axis={axis!r}, expected 0 (down), 1 (along) or none (all cells)")
    return "all" if axis is None else "rows" if axis == 0 else "columns"


def _count(A: m.Matrix, over: m.Axis) -> float:
    rows, columns = A.shape
    return float({"rows": rows, "columns": columns, "all": rows * columns}[over])


def _sum(A: m.Matrix, axis: Setting) -> m.Matrix:
    return m.Reduce("sum", A, _over(axis))


def _mean(A: m.Matrix, axis: Setting) -> m.Matrix:
    return m.divide(_sum(A, axis), m.Constant(_count(A, _over(axis))))


def _max(A: m.Matrix, axis: Setting) -> m.Matrix:
    return m.Reduce("max", A, _over(axis))


def variance(A: m.Matrix, middle: m.Matrix, axis: Setting) -> m.Matrix:
    """The mean of (a − middle)²; no gradient goes through the middle, whose own would come to 0."""
    over = _over(axis)
    wide = m.Detached(middle) if middle.shape == A.shape else m.repeat(m.Detached(middle), over, A.shape)
    squares = m.Apply(s.Power(s.difference(u, v), 2), (("u", A), ("v", wide)))
    return m.divide(m.Reduce("sum", squares, over), m.Constant(_count(A, over)))


def _along(make: Callable[[m.Matrix], m.Matrix]) -> Callable[..., m.Matrix]:
    def made(A: m.Matrix, axis: Setting) -> m.Matrix:
        if axis not in (0, 1) or isinstance(axis, float):
            raise ValueError(f"found axis={axis!r}, expected 0 (down) or 1 (along)")
        return make(A) if axis == 1 else m.Transpose(make(m.Transpose(A)))

    return made


def _larger(A: m.Matrix, B: m.Matrix) -> m.Matrix:
    return m.Apply(s.Maximum((u, v)), (("u", A), ("v", B)))


def _smaller(A: m.Matrix, B: m.Matrix) -> m.Matrix:
    """−max(−a, −b), which shares a tie as the maximum does."""
    return m.Apply(s.Negative(s.Maximum((s.Negative(u), s.Negative(v)))), (("u", A), ("v", B)))


def _same_shape(A: m.Matrix, Y: m.Matrix) -> None:
    if A.shape != Y.shape:
        raise ShapeError(f"{m.described(A)} and {m.described(Y)}: a loss takes two matrices of one shape")


def _loss(term: s.Scalar, factor: float = 1.0) -> Called:
    def make(A: m.Matrix, Y: m.Matrix) -> m.Matrix:
        _same_shape(A, Y)
        total = m.total(m.Apply(term, (("y", Y), ("a", A))))
        return total if factor == 1.0 else m.multiply(m.Constant(factor), total)

    return Called(make, 2, "loss")


def _of_logits(Z: m.Matrix, Y: m.Matrix) -> m.Matrix:
    _same_shape(Z, Y)
    return cross_entropy_of_logits(Z, Y)


def _whole(value: Setting, name: str, least: int) -> int:
    if type(value) is not int or not least <= value <= 10_000:
        raise ValueError(f"found {name}={value!r}, expected a whole number from {least}")
    return value


def _conv2d(X: m.Matrix, K: m.Matrix, stride: Setting, padding: Setting) -> m.Matrix:
    step, around = _whole(stride, "stride", 1), _whole(padding, "padding", 0)
    rows, columns = (size + 2 * around - kernel for size, kernel in zip(X.shape, K.shape, strict=True))
    if min(rows, columns) < 0:
        raise ShapeError(f"the kernel {m.described(K)} is larger than {m.described(X)} with padding {around}")
    return m.Correlation(X, K, (rows // step + 1, columns // step + 1), step, 1, around)


def _conv_transpose2d(X: m.Matrix, K: m.Matrix, stride: Setting) -> m.Matrix:
    step = _whole(stride, "stride", 1)
    rows, columns = ((size - 1) * step + kernel for size, kernel in zip(X.shape, K.shape, strict=True))
    return m.Spread(X, K, (rows, columns), step)


def _pooled(operation: s.Operation, X: m.Matrix, size: Setting, stride: Setting) -> m.Matrix:
    """Windows that overlap or leave cells out are laid side by side first."""
    tile = _whole(size, "size", 1)
    step = tile if stride is None else _whole(stride, "stride", 1)
    starts = [range(0, whole - tile + 1, step) for whole in X.shape]
    if not all(starts):
        raise ShapeError(f"a window of {tile}×{tile} is larger than {m.described(X)}")
    rows, columns = (tuple(k + within for k in along for within in range(tile)) for along in starts)
    whole = (rows, columns) == (tuple(range(X.shape[0])), tuple(range(X.shape[1])))
    return m.Pool(operation, X if whole else m.Part(X, rows, columns), (tile, tile))


def _max_pool(X: m.Matrix, size: Setting, stride: Setting) -> m.Matrix:
    return _pooled("max", X, size, stride)


def _mean_pool(X: m.Matrix, size: Setting, stride: Setting) -> m.Matrix:
    tile = _whole(size, "size", 1)
    return m.divide(_pooled("sum", X, size, stride), m.Constant(float(tile * tile)))


def _reshape(A: m.Matrix, rows: Setting, columns: Setting) -> m.Matrix:
    return m.Reshape(A, (_whole(rows, "rows", 1), _whole(columns, "columns", 1)))


_SQUARE = s.Power(s.difference(a, y), 2)
_CROSS_ENTROPY = s.Negative(s.Product((y, s.Log(a))))
_BINARY = s.Negative(s.Sum((s.Product((y, s.Log(a))), s.Product((s.difference(one, y), s.Log(s.difference(one, a)))))))
LOSS_TERMS = frozenset({_SQUARE, _CROSS_ENTROPY, _BINARY})
"""What the losses add up, of the target y and the output a."""

CALLED: dict[str, Called] = {
    **{name: _of_cells(name) for name in (*CELL_BY_CELL, *LATER)},
    "gelu": Called(_gelu, 1, "cells", {"form": "tanh"}),
    "maximum": Called(_larger, 2, "whole"),
    "minimum": Called(_smaller, 2, "whole"),
    "detach": Called(m.Detached, 1, "whole"),
    "sum": Called(_sum, 1, "sum", {"axis": None}),
    "mean": Called(_mean, 1, "sum", {"axis": None}),
    "max": Called(_max, 1, "whole", {"axis": None}),
    "var": Called(_mean, 1, "whole", {"axis": None}),
    "softmax": Called(_along(softmax), 1, "whole", {"axis": 1}),
    "log_softmax": Called(_along(log_softmax), 1, "whole", {"axis": 1}),
    "hstack": Called(lambda *parts: m.Stack(parts, "columns"), None, "whole"),
    "vstack": Called(lambda *parts: m.Stack(parts, "rows"), None, "whole"),
    "reshape": Called(_reshape, 1, "whole", {"rows": REQUIRED, "columns": REQUIRED}),
    "conv2d": Called(_conv2d, 2, "kernel", {"stride": 1, "padding": 0}),
    "conv_transpose2d": Called(_conv_transpose2d, 2, "kernel", {"stride": 1}),
    "max_pool": Called(_max_pool, 1, "whole", {"size": REQUIRED, "stride": None}),
    "mean_pool": Called(_mean_pool, 1, "whole", {"size": REQUIRED, "stride": None}),
    "half_squared_error": _loss(_SQUARE, 0.5),
    "squared_error": _loss(_SQUARE),
    "cross_entropy": _loss(_CROSS_ENTROPY),
    "binary_cross_entropy": _loss(_BINARY),
    "cross_entropy_of_logits": Called(_of_logits, 2, "loss"),
}
SPECIAL = ("where",)  # takes a comparison, which is no matrix
KNOWN = frozenset({*CALLED, *SPECIAL, "pi"})
WORDS = KNOWN - {*LATER}
"""What no matrix may be called."""
