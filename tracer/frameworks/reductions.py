"""Sums, means, variances, softmax: operations along dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Ids, Laid, natural_blocks
from tracer.frameworks.cellwise import combined
from tracer.frameworks.draft import Draft
from tracer.frameworks.rules import applied, rule


def axes_of(value: Laid, dim: Any) -> tuple[int, ...]:
    """The dimensions that are meant; all of them where none are named."""
    count = value.cells.ndim
    if dim is None or (isinstance(dim, Sequence) and not dim):
        return tuple(range(count))
    named = [dim] if isinstance(dim, int) else list(dim)
    return tuple(sorted(int(each) % max(count, 1) for each in named))


def last(value: Laid, axes: tuple[int, ...]) -> Laid:
    """The tensor with some dimensions at its end, flattened into one."""
    kept = [axis for axis in range(value.cells.ndim) if axis not in axes]
    turned = value.cells.transpose(*kept, *axes)
    return Laid(turned.reshape(*(value.shape[axis] for axis in kept), -1))


def _shaped(value: Laid, cells: Ids, axes: tuple[int, ...], keepdim: bool) -> Laid:
    shape = [size if axis not in axes else 1 for axis, size in enumerate(value.shape) if keepdim or axis not in axes]
    return Laid(cells.reshape(shape))


def reduced(draft: Draft, value: Laid, dim: Any, keepdim: bool, function: str, part: str = "") -> Laid:
    """A function of the program language (sum, mean, max) along dimensions."""
    axes, count = axes_of(value, dim), value.cells.ndim
    draft.start_matrices(value)
    own = draft.table.blocks(value)
    if len(axes) == count:
        return _shaped(value, _of_all(draft, value, function, part), axes, keepdim)
    if count >= 2 and axes == (count - 2,):  # down the columns of a matrix
        return _shaped(value, _down(draft, value, function, part), axes, keepdim)
    inner = (count - 2, count - 1)
    whole = (
        own is not None and axes == inner and all(each.places.size == value.shape[-1] * value.shape[-2] for each in own)
    )
    if whole and own is not None:
        order = sorted(own, key=lambda each: int(each.places.min()))
        cells = [draft.matrix(f"{function}({draft.text(value.at(each))})", (1, 1), part, each.index) for each in order]
        return _shaped(value, np.array([each[0, 0] for each in cells]), axes, keepdim)
    flat = last(value, axes)
    made = np.empty(int(np.prod(flat.shape[:-1], dtype=int)), np.int64)
    width = flat.shape[-1]
    for block in draft.rows_of(flat):
        column = draft.matrix(
            f"{function}({draft.text(flat.at(block))}, axis=1)", (len(block.places), 1), part, block.index
        )
        made[block.places[:, 0] // width] = column[:, 0]
    return _shaped(value, made, axes, keepdim)


def _down(draft: Draft, value: Laid, function: str, part: str) -> Ids:
    made = np.empty((*value.shape[:-2], value.shape[-1]), np.int64)
    told = [axis for axis, size in enumerate(value.shape[:-2]) if size > 1]
    for at in np.ndindex(*value.shape[:-2]):
        index = tuple(at[axis] for axis in told)
        text = f"{function}({draft.text(value.cells[at])}, axis=0)"
        made[at] = draft.matrix(text, (1, value.shape[-1]), part, index)[0]
    return made


def _of_all(draft: Draft, value: Laid, function: str, part: str) -> Ids:
    blocks = draft.blocks(value)
    if len(blocks) == 1 or function == "max":
        cells = value.at(blocks[0]) if len(blocks) == 1 else value.cells.reshape(1, -1)
        return draft.matrix(f"{function}({draft.text(cells)})", (1, 1), part)
    sums = " + ".join(f"sum({draft.text(value.at(block))})" for block in blocks)
    text = sums if function == "sum" else f"({sums}) / {value.cells.size}"
    return draft.matrix(text, (1, 1), part)


@rule("sum")
def sum_(draft: Draft, self: Held, dim: Any = None, keepdim: bool = False, **_: Any) -> Held:
    if not isinstance(self, Laid):
        return np.asarray(np.sum(self, axis=_numpy_axes(dim), keepdims=keepdim))
    return reduced(draft, self, dim, keepdim, "sum")


@rule("mean")
def mean(draft: Draft, self: Held, dim: Any = None, keepdim: bool = False, **_: Any) -> Held:
    if not isinstance(self, Laid):
        return np.asarray(np.mean(self, axis=_numpy_axes(dim), keepdims=keepdim))
    return reduced(draft, self, dim, keepdim, "mean")


def _numpy_axes(dim: Any) -> Any:
    return None if dim is None or dim == [] else tuple(dim) if isinstance(dim, Sequence) else dim


@rule("amax")
def amax(draft: Draft, self: Held, dim: Any = None, keepdim: bool = False) -> Held:
    """The largest; along a dimension, of equal ones the first."""
    if not isinstance(self, Laid):
        return np.asarray(np.max(self, axis=_numpy_axes(dim), keepdims=keepdim))
    return reduced(draft, self, dim, keepdim, "max")


@rule("amin")
def amin(draft: Draft, self: Held, dim: Any = None, keepdim: bool = False) -> Held:
    opposite = applied(draft, "neg", self=self)
    if not isinstance(opposite, Laid):
        return np.asarray(np.min(self, axis=_numpy_axes(dim), keepdims=keepdim))  # type: ignore[arg-type]
    return applied(draft, "neg", self=reduced(draft, opposite, dim, keepdim, "max"))


@rule("var", "std")
def var(draft: Draft, self: Held, dim: Any = None, correction: Any = 1, keepdim: bool = False,
        unbiased: bool = True) -> Held:  # fmt: skip
    """The variance, divided by n − 1 unless the correction says otherwise; std is its root."""
    correction = 0 if not unbiased else 1 if correction is None else correction
    if not isinstance(self, Laid):
        return np.asarray(np.var(self, axis=_numpy_axes(dim), ddof=int(correction), keepdims=keepdim))
    axes = axes_of(self, dim)
    count = int(np.prod([self.shape[axis] for axis in axes], dtype=int))
    middle = reduced(draft, self, axes, True, "mean", "mean")
    squares = combined(draft, "({} - {}) ** 2".format, self, middle)
    assert isinstance(squares, Laid)
    total = reduced(draft, squares, axes, keepdim, "sum", "sum")
    root = draft.operation.kind.startswith("std")
    text = f"sqrt({{}} / {count - correction})" if root else f"{{}} / {count - correction}"
    return combined(draft, text.format, total)


@rule("var_mean", "std_mean")
def var_mean(draft: Draft, self: Held, dim: Any = None, keepdim: bool = False, **told: Any) -> Any:
    """Both at once, as some layers are written."""
    kind = draft.operation.kind.removesuffix("_mean")
    return applied(draft, kind, self=self, dim=dim, keepdim=keepdim, **told), mean(draft, self, dim, keepdim)


@rule("norm", "linalg_vector_norm")
def norm(
    draft: Draft, self: Held, ord: float = 2, p: float = 2, dim: Any = None, keepdim: bool = False, **_: Any
) -> Held:
    """The length: the root of the sum of squares; of order 1 the sum of distances, of order ∞ the largest."""
    order = float(2 if p is None else p) if ord == 2 else float(ord)
    if order == 2:
        return applied(draft, "sqrt", self=sum_(draft, applied(draft, "square", self=self), dim, keepdim))
    sizes = applied(draft, "abs", self=self)
    if order == math.inf:
        return reduced(draft, draft.laid(sizes), dim, keepdim, "max")
    if order < 1:
        raise draft.refuse(f"of order {order:g} is not known; write it with abs, pow and sum")
    if order == 1:
        return sum_(draft, sizes, dim, keepdim)
    total = sum_(draft, applied(draft, "pow", self=sizes, exponent=np.asarray(order)), dim, keepdim)
    return applied(draft, "pow", self=total, exponent=np.asarray(1 / order))


@rule("cdist", "_cdist_forward")
def cdist(draft: Draft, x1: Held, x2: Held, p: float = 2.0, **_: Any) -> Held:
    """The distance of each row of one from each row of the other."""
    a, b = draft.laid(x1), draft.laid(x2)
    apart = applied(draft, "sub", self=Laid(a.cells[..., :, None, :]), other=Laid(b.cells[..., None, :, :]))
    return norm(draft, apart, float(p), dim=-1)


@rule("prod")
def prod(draft: Draft, self: Held, dim: int | None = None, keepdim: bool = False, **_: Any) -> Held:
    if not isinstance(self, Laid):
        return np.asarray(np.prod(self, axis=dim, keepdims=keepdim))
    flat = last(self, axes_of(self, dim))
    found: Held = Laid(flat.cells[..., 0])
    for k in range(1, flat.shape[-1]):
        found = applied(draft, "mul", self=found, other=Laid(flat.cells[..., k]))
    assert isinstance(found, Laid)
    return _shaped(self, found.cells, axes_of(self, dim), keepdim)


@rule("cumsum")
def cumsum(draft: Draft, self: Held, dim: int, **_: Any) -> Held:
    """Sums of all up to each place: a product with a triangle of ones."""
    if not isinstance(self, Laid):
        return np.cumsum(self, axis=dim)
    turned = Laid(np.moveaxis(self.cells, dim, -1))
    made = applied(draft, "matmul", self=turned, other=np.triu(np.ones((self.shape[dim], self.shape[dim]))))
    assert isinstance(made, Laid)
    return Laid(np.moveaxis(made.cells, -1, dim))


@rule("cumprod")
def cumprod(draft: Draft, self: Held, dim: int, **_: Any) -> Held:
    """Products of all up to each place, one after the other."""
    if not isinstance(self, Laid):
        return np.cumprod(self, axis=dim)
    turned = np.moveaxis(self.cells, dim, 0)
    found = [turned[0]]
    for each in turned[1:]:
        found.append(draft.laid(applied(draft, "mul", self=Laid(found[-1]), other=Laid(each))).cells)
    return Laid(np.moveaxis(np.stack(found), 0, dim))


@rule("softmax", "_softmax")
def softmax(draft: Draft, self: Held, dim: int, **_: Any) -> Held:
    return _along(draft, self, dim, "softmax")


@rule("log_softmax", "_log_softmax")
def log_softmax(draft: Draft, self: Held, dim: int, **_: Any) -> Held:
    return _along(draft, self, dim, "log_softmax")


@rule("softmin")
def softmin(draft: Draft, self: Held, dim: int, **_: Any) -> Held:
    return _along(draft, applied(draft, "neg", self=self), dim, "softmax")


@rule("logsumexp")
def logsumexp(draft: Draft, self: Held, dim: Any, keepdim: bool = False) -> Held:
    """ln Σ e^z, with the largest taken out of the exponentials: no one of them overflows, and none is lost."""
    value = draft.laid(self)
    largest = combined(draft, "detach({})".format, reduced(draft, value, dim, True, "max", "largest"), part="shift")
    powers = combined(draft, "exp({} - {})".format, value, largest, part="powers")
    total = reduced(draft, draft.laid(powers), dim, True, "sum", "sum")
    made = draft.laid(combined(draft, "log({}) + {}".format, total, largest))
    return _shaped(value, made.cells, axes_of(value, dim), keepdim)


@rule("logcumsumexp")
def logcumsumexp(draft: Draft, self: Held, dim: int) -> Held:
    """ln Σ e^z of all up to each place, one after the other."""
    turned = np.moveaxis(draft.laid(self).cells, dim, 0)
    found = [turned[0]]
    for each in turned[1:]:
        found.append(draft.laid(applied(draft, "logaddexp", self=Laid(found[-1]), other=Laid(each))).cells)
    return Laid(np.moveaxis(np.stack(found), 0, dim))


def _along(draft: Draft, value: Held, dim: int, function: str) -> Held:
    whole = draft.laid(value)
    axis = dim % max(whole.cells.ndim, 1)
    draft.start_matrices(whole)
    if whole.cells.ndim >= 2 and axis == whole.cells.ndim - 2 and whole.shape[-1] > 1:
        down = natural_blocks(whole.shape)
        made = draft.write(down, [f"{function}({draft.text(whole.at(each))}, axis=0)" for each in down])
        return Laid(made.reshape(whole.shape))
    turned = Laid(np.moveaxis(whole.cells, axis, -1)) if whole.cells.ndim else Laid(whole.cells.reshape(1))
    rows = draft.rows_of(turned)
    made = draft.write(rows, [f"{function}({draft.text(turned.at(each))})" for each in rows])
    cells = made.reshape(turned.shape)
    return Laid(np.moveaxis(cells, -1, axis) if whole.cells.ndim else cells.reshape(()))
