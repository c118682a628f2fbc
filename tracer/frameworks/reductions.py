"""Sums, means, variances, softmax: operations along dimensions; and matrix products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Ids, Laid, LaidBlock, natural_blocks
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


@rule("amax", "max")
def amax(draft: Draft, self: Held, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest; along a dimension, of equal ones the first. Where a rule gives places too, they are numbers."""
    if not isinstance(self, Laid):
        return np.asarray(np.max(self, axis=_numpy_axes(dim), keepdims=keepdim))
    found = reduced(draft, self, dim, keepdim, "max")
    return (found, np.zeros(found.shape)) if draft.operation.kind == "max" and dim is not None else found


@rule("amin", "min")
def amin(draft: Draft, self: Held, dim: Any = None, keepdim: bool = False) -> Any:
    opposite = applied(draft, "neg", self=self)
    if not isinstance(opposite, Laid):
        return np.asarray(np.min(self, axis=_numpy_axes(dim), keepdims=keepdim))  # type: ignore[arg-type]
    found = applied(draft, "neg", self=reduced(draft, opposite, dim, keepdim, "max"))
    given: Any = np.zeros(found.shape)
    return (found, given) if draft.operation.kind == "min" and dim is not None else found


@rule("var", "std")
def var(draft: Draft, self: Held, dim: Any = None, correction: Any = 1, keepdim: bool = False, **_: Any) -> Held:
    """The variance, divided by n − 1 unless the correction says otherwise; std is its root."""
    if not isinstance(self, Laid):
        return np.asarray(np.var(self, axis=_numpy_axes(dim), ddof=int(correction), keepdims=keepdim))
    axes = axes_of(self, dim)
    count = int(np.prod([self.shape[axis] for axis in axes], dtype=int))
    middle = reduced(draft, self, axes, True, "mean", "mean")
    squares = combined(draft, "({} - {}) ** 2".format, self, middle)
    assert isinstance(squares, Laid)
    total = reduced(draft, squares, axes, keepdim, "sum", "sum")
    correction = 1 if correction is None else correction
    root = draft.operation.kind == "std"
    text = f"sqrt({{}} / {count - correction})" if root else f"{{}} / {count - correction}"
    return combined(draft, text.format, total)


@rule("norm", "linalg_vector_norm")
def norm(
    draft: Draft, self: Held, ord: float = 2, p: float = 2, dim: Any = None, keepdim: bool = False, **_: Any
) -> Held:
    """The length: the root of the sum of squares."""
    if ord != 2 or p not in (2, None):
        raise draft.refuse(f"of order {ord if ord != 2 else p} is not known; write it with abs, pow and sum")
    squares = applied(draft, "square", self=self)
    return applied(draft, "sqrt", self=sum_(draft, squares, dim, keepdim))


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
    made = matmul(draft, turned, np.triu(np.ones((self.shape[dim], self.shape[dim]))))
    assert isinstance(made, Laid)
    return Laid(np.moveaxis(made.cells, -1, dim))


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
    """ln Σ e^z: a logit less its own logarithm of softmax."""
    value = draft.laid(self)
    (axis,) = axes_of(value, dim)
    shares = _along(draft, value, axis, "log_softmax")
    both = [Laid(np.take(each.cells, [0] if keepdim else 0, axis=axis)) for each in (value, draft.laid(shares))]
    return applied(draft, "sub", self=both[0], other=both[1])


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


@rule("linear")
def linear(draft: Draft, input: Held, weight: Held, bias: Held | None = None) -> Held:
    """x·Wᵀ + b along the last dimension."""
    x, w = draft.laid(input), draft.laid(weight)
    rows = x if x.cells.ndim > 1 else Laid(x.cells.reshape(1, -1))
    table = w.cells if w.cells.ndim > 1 else w.cells.reshape(1, -1)
    width, units = rows.shape[-1], len(table)
    end = "" if bias is None else f" + {draft.text(draft.laid(bias).cells.reshape(1, -1))}"
    texts, blocks = [], []
    for each in draft.rows_of(rows):
        texts.append(f"{draft.text(rows.at(each))} @ {draft.text(table.T)}{end}")
        numbers = each.places[:, :1] // width
        blocks.append(LaidBlock(numbers * units + np.arange(units), each.index))
    made = draft.write(blocks, texts)
    return Laid(made.reshape(*x.shape[:-1], *([units] if w.cells.ndim > 1 else [])))


@rule("dense")
def dense(draft: Draft, input: Held, weight: Held, bias: Held | None = None) -> Held:
    """x·W + b: the weights as inputs × units."""
    turned = draft.laid(weight)
    return linear(draft, input, Laid(turned.cells.T), bias)


@rule("bilinear")
def bilinear(draft: Draft, input1: Held, input2: Held, weight: Held, bias: Held | None = None) -> Held:
    """Each unit: x·W of its own matrix, times the other input and added up."""
    a, b, w = draft.laid(input1), draft.laid(input2), draft.laid(weight)
    x, y = (each.cells.reshape(-1, each.shape[-1]) for each in (a, b))
    columns = []
    for unit, each in enumerate(w.cells):
        product = draft.matrix(f"{draft.text(x)} @ {draft.text(each)}", (len(x), len(y.T)), "product", (unit,))
        end = "" if bias is None else f" + {draft.text(draft.laid(bias).cells.reshape(1, -1)[:, unit : unit + 1])}"
        text = f"sum({draft.text(product)} * {draft.text(y)}, axis=1){end}"
        columns.append(draft.matrix(text, (len(x), 1), "", (unit,))[:, 0])
    return Laid(np.stack(columns, axis=-1).reshape(*a.shape[:-1], len(columns)))


@rule("matmul", "mm", "bmm", "mv", "dot")
def matmul(draft: Draft, self: Held, other: Held | None = None, **more: Held) -> Held:
    """Products of matrices, one for each place of the dimensions before the last two."""
    other = next(iter(more.values())) if other is None else other  # mat2, vec, tensor
    if not isinstance(self, Laid) and not isinstance(other, Laid):
        return np.asarray(np.matmul(self, other))
    a, b = draft.laid(self), draft.laid(other)
    left, right = a.cells, b.cells
    left = left[None] if left.ndim == 1 else left
    right = right[:, None] if right.ndim == 1 else right
    lead = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    if right.ndim == 2 and left.ndim > 2 and draft.table.blocks(a) is not None:
        return linear(draft, a, Laid(right.T if b.cells.ndim > 1 else right[:, 0]))
    left, right = (np.broadcast_to(each, (*lead, *each.shape[-2:])) for each in (left, right))
    for each in (a, b):
        draft.start_matrices(each)
    shape = (*lead, left.shape[-2], right.shape[-1])
    texts = [f"{draft.text(left[at])} @ {draft.text(right[at])}" for at in np.ndindex(*lead)]
    made = draft.write(natural_blocks(shape), texts).reshape(shape)
    made = made[..., 0, :] if a.cells.ndim == 1 else made
    return Laid(made[..., 0] if b.cells.ndim == 1 else made)


@rule("addmm", "baddbmm", "addbmm")
def addmm(draft: Draft, self: Held, mat1: Held | None = None, mat2: Held | None = None, beta: float = 1,
          alpha: float = 1, batch1: Held | None = None, batch2: Held | None = None) -> Held:  # fmt: skip
    first, second = (mat1, mat2) if mat1 is not None else (batch1, batch2)
    assert first is not None and second is not None
    product = matmul(draft, first, second)
    if alpha != 1:
        product = applied(draft, "mul", self=product, other=np.asarray(alpha))
    if beta == 0:
        return product
    added = self if beta == 1 else applied(draft, "mul", self=self, other=np.asarray(beta))
    return applied(draft, "add", self=product, other=added)


@rule("outer", "ger")
def outer(draft: Draft, self: Held, vec2: Held) -> Held:
    a, b = draft.laid(self), draft.laid(vec2)
    return matmul(draft, Laid(a.cells[:, None]), Laid(b.cells[None]))


@rule("einsum")
def einsum(draft: Draft, equation: str, tensors: Sequence[Held], **_: Any) -> Held:
    """Two tensors at a time: dimensions moved so that they are a product of matrices."""
    given, arrow, wanted = equation.replace(" ", "").partition("->")
    terms = given.split(",")
    if "." in equation or not arrow:
        raise draft.refuse(f"{equation!r} is not known; write every dimension with a letter, and what comes out")
    value, letters = tensors[0], terms[0]
    for k, (other, its) in enumerate(zip(tensors[1:], terms[1:], strict=True), start=1):
        needed = set(wanted).union(*terms[k + 1 :])
        value, letters = _contracted(draft, draft.laid(value), letters, draft.laid(other), str(its), needed)
    whole = draft.laid(value)
    extra = [axis for axis, letter in enumerate(letters) if letter not in wanted]
    if extra:
        whole = draft.laid(sum_(draft, whole, extra))
        letters = "".join(each for each in letters if each in wanted)
    return Laid(whole.cells.transpose([letters.index(each) for each in wanted]))


def _contracted(draft: Draft, a: Laid, one: str, b: Laid, other: str, needed: set[str]) -> tuple[Held, str]:
    """The product of two tensors over the letters that nothing after needs."""
    both = [each for each in one if each in other and each in needed]
    inner = [each for each in one if each in other and each not in needed]
    left, right = [each for each in one if each not in other], [each for each in other if each not in one]
    sizes = dict(zip(one + other, a.shape + b.shape, strict=True))
    x = a.cells.transpose([one.index(each) for each in (*both, *left, *inner)])
    y = b.cells.transpose([other.index(each) for each in (*both, *inner, *right)])
    lead = [sizes[each] for each in both]
    across = math.prod(sizes[each] for each in inner)
    x, y = x.reshape(*lead, -1, across), y.reshape(*lead, across, -1)
    made = draft.laid(matmul(draft, Laid(x), Laid(y)))
    letters = "".join((*both, *left, *right))
    return Laid(made.cells.reshape([sizes[each] for each in letters])), letters
