"""The operators of ONNX, each by the rule that it is; what only values tell (shapes, axes) is read from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Laid, moved
from tracer.frameworks.cellwise import SELU_ALPHA, SELU_SCALE, combined
from tracer.frameworks.draft import LARGEST, Draft
from tracer.frameworks.moves import padded, shape_of
from tracer.frameworks.ordering import computed, rows_picked
from tracer.frameworks.rules import RULES, applied, rule

PREFIX = "onnx."
Inputs = list[Any]


def _whole(value: Any) -> list[int]:
    """Whole numbers that an operator takes as a value."""
    return [int(each) for each in np.asarray(value).ravel()]


def operator(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return rule(*(PREFIX + name for name in names))


def _one(kind: str, **renamed: str) -> Callable[..., Held]:
    """An operator of one input that is a rule; its attributes are renamed as the rule calls them."""

    def made(draft: Draft, inputs: Inputs, **attributes: Any) -> Held:
        told = {renamed[key]: value for key, value in attributes.items() if key in renamed}
        return applied(draft, kind, self=inputs[0], **told)

    return made


_SAME = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Abs": "abs",
    "Neg": "neg", "Sin": "sin", "Cos": "cos", "Tan": "tan", "Sinh": "sinh", "Cosh": "cosh", "Reciprocal": "reciprocal",
    "Softsign": "softsign", "Softplus": "softplus", "Mish": "mish", "HardSwish": "hardswish", "Sign": "sign",
    "Identity": "identity", "Not": "logical_not", "Swish": "silu", "Erf": "erf", "Atan": "atan", "Asin": "asin",
    "Acos": "acos", "Asinh": "asinh", "Acosh": "acosh", "Atanh": "atanh",
}  # fmt: skip
for _name, _kind in _SAME.items():
    RULES[PREFIX + _name] = _one(_kind)
RULES[PREFIX + "Elu"] = _one("elu", alpha="alpha")
RULES[PREFIX + "Celu"] = _one("celu", alpha="alpha")
RULES[PREFIX + "LeakyRelu"] = _one("leaky_relu", alpha="negative_slope")
RULES[PREFIX + "Gelu"] = _one("gelu", approximate="approximate")
_TWO = {
    "Add": "add", "Sub": "sub", "Mul": "mul", "Equal": "eq", "Greater": "gt", "Less": "lt",
    "GreaterOrEqual": "ge", "LessOrEqual": "le", "And": "logical_and", "Or": "maximum", "MatMul": "matmul",
}  # fmt: skip


def _of_two(kind: str) -> Callable[..., Held]:
    def made(draft: Draft, inputs: Inputs, **_: Any) -> Held:
        return applied(draft, kind, self=inputs[0], other=inputs[1])

    return made


for _name, _kind in _TWO.items():
    RULES[PREFIX + _name] = _of_two(_kind)


@operator("Selu")
def selu(draft: Draft, inputs: Inputs, alpha: float = SELU_ALPHA, gamma: float = SELU_SCALE) -> Held:
    return applied(draft, "elu", self=inputs[0], alpha=alpha, scale=gamma)


@operator("ThresholdedRelu")
def thresholded(draft: Draft, inputs: Inputs, alpha: float = 1.0) -> Held:
    return applied(draft, "threshold", self=inputs[0], threshold=alpha, value=0.0)


@operator("Div")
def divided(draft: Draft, inputs: Inputs) -> Held:
    """Of whole numbers a whole one, as sizes are worked out with."""
    counts = [not isinstance(each, Laid) and np.asarray(each).dtype.kind in "iu" for each in inputs]
    if all(counts):
        return np.asarray(np.trunc(np.divide(*inputs)), np.int64)
    return applied(draft, "div", self=inputs[0], other=inputs[1])


@operator("Shrink")
def shrink(draft: Draft, inputs: Inputs, lambd: float = 0.5, bias: float = 0.0) -> Held:
    """Nothing near 0; elsewhere nearer to 0 by the bias."""
    text = "where({0} > {l}, {0} - {b}, where({0} < -{l}, {0} + {b}, 0 * {0}))"
    return combined(draft, lambda x: text.format(x, l=repr(lambd), b=repr(bias)), inputs[0])


@operator("LpNormalization")
def normalized(draft: Draft, inputs: Inputs, axis: int = -1, p: int = 2) -> Held:
    length = applied(draft, "norm", self=inputs[0], p=p, dim=axis, keepdim=True)
    return applied(draft, "div", self=inputs[0], other=length)


@operator("DepthToSpace")
def depth_to_space(draft: Draft, inputs: Inputs, blocksize: int, mode: str = "DCR") -> Held:
    """Channels put between rows and columns: those of a cell one after the other (CRD), or far apart (DCR)."""
    samples, channels, height, width = shape_of(inputs[0])
    x, b, c = inputs[0], blocksize, channels // blocksize**2
    if mode == "DCR":
        x = moved(x, lambda cells: cells.reshape(samples, b * b, c, height, width).swapaxes(1, 2))
        x = moved(x, lambda cells: cells.reshape(samples, channels, height, width))
    return applied(draft, "pixel_shuffle", self=x, upscale_factor=b)


@operator("SpaceToDepth")
def space_to_depth(draft: Draft, inputs: Inputs, blocksize: int) -> Held:
    samples, channels, height, width = shape_of(inputs[0])
    b, shape = blocksize, (samples, channels, height // blocksize, blocksize, width // blocksize, blocksize)
    return moved(inputs[0], lambda x: x.reshape(shape).transpose(0, 3, 5, 1, 2, 4).reshape(
        samples, channels * b * b, height // b, width // b))  # fmt: skip


@operator("HardSigmoid")
def hard_sigmoid(draft: Draft, inputs: Inputs, alpha: float = 0.2, beta: float = 0.5) -> Held:
    scaled = applied(
        draft, "add", self=applied(draft, "mul", self=inputs[0], other=np.asarray(alpha)), other=np.asarray(beta)
    )
    return applied(draft, "clamp", self=scaled, min=0.0, max=1.0)


@operator("Pow")
def power(draft: Draft, inputs: Inputs, **_: Any) -> Held:
    exponent = inputs[1]
    alone = not isinstance(exponent, Laid) and np.size(exponent) == 1
    return applied(draft, "pow", self=inputs[0], exponent=np.asarray(exponent).reshape(()) if alone else exponent)


@operator("Clip")
def clip(draft: Draft, inputs: Inputs, min: Any = None, max: Any = None) -> Held:
    bounds = [min, max]
    for k, each in enumerate(inputs[1:3]):
        bounds[k] = None if each is None else float(np.asarray(each).ravel()[0])
    return applied(draft, "clamp", self=inputs[0], min=bounds[0], max=bounds[1])


@operator("PRelu")
def prelu(draft: Draft, inputs: Inputs, **_: Any) -> Held:
    slope = draft.laid(inputs[1])
    x = draft.laid(inputs[0])
    wide = Laid(np.broadcast_to(slope.cells, x.shape))
    flat = applied(draft, "prelu", self=Laid(x.cells.reshape(-1)), weight=Laid(wide.cells.reshape(-1)))
    assert isinstance(flat, Laid)
    return Laid(flat.cells.reshape(x.shape))


@operator("Softmax", "LogSoftmax")
def softmax_of_rest(draft: Draft, inputs: Inputs, axis: int = 1) -> Held:
    """Before opset 13: over all dimensions from the axis on, as if they were one."""
    kind = "softmax" if draft.operation.kind.endswith(".Softmax") else "log_softmax"
    x = draft.laid(inputs[0])
    flat = Laid(x.cells.reshape(*x.shape[: axis % x.cells.ndim], -1))
    return moved(applied(draft, kind, self=flat, dim=-1), lambda cells: cells.reshape(x.shape))


@operator("Sum", "Mean", "Max", "Min")
def several(draft: Draft, inputs: Inputs, **_: Any) -> Held:
    name = draft.operation.kind.removeprefix(PREFIX)
    kind = {"Sum": "add", "Mean": "add", "Max": "maximum", "Min": "minimum"}[name]
    found = inputs[0]
    for each in inputs[1:]:
        found = applied(draft, kind, self=found, other=each)
    return applied(draft, "div", self=found, other=np.asarray(float(len(inputs)))) if name == "Mean" else found


@operator("Dropout")
def dropout(draft: Draft, inputs: Inputs, **_: Any) -> tuple[Held, ...]:
    if len(inputs) > 2 and inputs[2] is not None and np.any(inputs[2]):
        raise draft.refuse("drops units out in training; export the model in evaluation")
    return inputs[0], np.ones(1)


@operator("Cast", "CastLike")
def cast(draft: Draft, inputs: Inputs, to: int = 1, **_: Any) -> Held:
    if isinstance(inputs[0], Laid):
        if to in _WHOLE and not _is_truth(draft, inputs[0]):
            raise draft.refuse("makes whole numbers of computed ones, which lets no gradient through")
        return applied(draft, "ne", self=inputs[0], other=0) if to == _TRUTH else inputs[0]
    return np.asarray(inputs[0]).astype({**dict.fromkeys(_WHOLE, np.int64), _TRUTH: bool}.get(to, np.float64))


_WHOLE, _TRUTH = (2, 3, 4, 5, 6, 7, 12, 13), 9  # as ONNX numbers its types


def _is_truth(draft: Draft, value: Laid) -> bool:
    """Whether numbers are given, and whole already."""
    numbers = draft.start_numbers(value)
    return numbers is not None and bool((numbers == np.rint(numbers)).all())


# what moves numbers about


@operator("Reshape")
def reshape(draft: Draft, inputs: Inputs, allowzero: int = 0, shape: Any = None) -> Held:
    """0 keeps a size; where the number of samples was fixed at export, another number of them is taken."""
    size, own = _whole(inputs[1] if len(inputs) > 1 else shape), shape_of(inputs[0])
    size = [own[k] if each == 0 and not allowzero else each for k, each in enumerate(size)]
    if -1 not in size and np.prod(size) != np.prod(own):
        size[0] = -1
    return moved(inputs[0], lambda x: x.reshape(size))


@operator("Flatten")
def flatten(draft: Draft, inputs: Inputs, axis: int = 1) -> Held:
    shape = shape_of(inputs[0])
    axis = axis % len(shape) if axis < 0 else axis
    return moved(inputs[0], lambda x: x.reshape(int(np.prod(shape[:axis], dtype=int)), -1))


@operator("Transpose")
def transpose(draft: Draft, inputs: Inputs, perm: Any = None) -> Held:
    return moved(inputs[0], lambda x: np.transpose(x, perm))


@operator("Squeeze")
def squeeze(draft: Draft, inputs: Inputs, axes: Any = None) -> Held:
    chosen = _whole(inputs[1]) if len(inputs) > 1 else axes
    return moved(inputs[0], lambda x: x.squeeze(None if chosen is None else tuple(chosen)))


@operator("Unsqueeze")
def unsqueeze(draft: Draft, inputs: Inputs, axes: Any = None) -> Held:
    chosen = _whole(inputs[1]) if len(inputs) > 1 else list(axes)
    return moved(inputs[0], lambda x: np.expand_dims(x, tuple(chosen)))


@operator("Concat")
def concat(draft: Draft, inputs: Inputs, axis: int) -> Held:
    return applied(draft, "cat", tensors=inputs, dim=axis)


@operator("Split")
def split(draft: Draft, inputs: Inputs, axis: int = 0, split: Any = None, num_outputs: int = 0) -> Any:
    length = shape_of(inputs[0])[axis]
    count = num_outputs or draft.operation.arguments.get("parts", 2)
    sizes = _whole(inputs[1]) if len(inputs) > 1 and inputs[1] is not None else split
    return RULES["split"](draft, self=inputs[0], split_size=sizes or -(-length // count), dim=axis)


@operator("Slice")
def slice_(draft: Draft, inputs: Inputs, starts: Any = None, ends: Any = None, axes: Any = None) -> Held:
    told = [_whole(each) if each is not None else None for each in inputs[1:5]]
    told += [None] * (4 - len(told))
    first, last = told[0] or list(starts or []), told[1] or list(ends or [])
    along, steps = told[2] or list(axes or range(len(first))), told[3] or [1] * len(first)
    places: list[Any] = [slice(None)] * len(shape_of(inputs[0]))
    for axis, a, b, step in zip(along, first, last, steps, strict=True):
        stop = None if b < -(2**31) + 1 and step < 0 else b
        places[axis] = slice(a, stop, step)
    return moved(inputs[0], lambda x: x[tuple(places)])


@operator("Gather")
def gather(draft: Draft, inputs: Inputs, axis: int = 0) -> Held:
    """Rows by number: of a table, or of a shape."""
    if computed(draft, inputs[1]):
        return rows_picked(draft, inputs[0], inputs[1], axis % len(shape_of(inputs[0])))
    return moved(inputs[0], lambda x: np.take(x, np.asarray(inputs[1], int), axis=axis))


@operator("GatherElements")
def gather_elements(draft: Draft, inputs: Inputs, axis: int = 0) -> Held:
    return applied(draft, "gather", self=inputs[0], dim=axis, index=inputs[1])


@operator("Expand")
def expand(draft: Draft, inputs: Inputs) -> Held:
    shape = np.broadcast_shapes(shape_of(inputs[0]), tuple(_whole(inputs[1])))
    return moved(inputs[0], lambda x: np.broadcast_to(x, shape))


@operator("Tile")
def tile(draft: Draft, inputs: Inputs) -> Held:
    return moved(inputs[0], lambda x: np.tile(x, _whole(inputs[1])))


@operator("Pad")
def pad(draft: Draft, inputs: Inputs, mode: str = "constant", pads: Any = None, value: float = 0.0) -> Held:
    sizes = _whole(inputs[1]) if len(inputs) > 1 else list(pads)
    number = float(np.asarray(inputs[2]).ravel()[0]) if len(inputs) > 2 and inputs[2] is not None else value
    axes = _whole(inputs[3]) if len(inputs) > 3 else list(range(len(shape_of(inputs[0]))))
    around = [(0, 0)] * len(shape_of(inputs[0]))
    for k, axis in enumerate(axes):
        around[axis] = (sizes[k], sizes[k + len(axes)])
    if mode in ("reflect", "edge", "wrap"):
        return moved(inputs[0], lambda x: np.pad(x, around, mode=mode))  # type: ignore[call-overload]
    return padded(draft, inputs[0], around, number)


@operator("Shape")
def shape_(draft: Draft, inputs: Inputs, start: int = 0, end: int | None = None) -> Held:
    return np.array(shape_of(inputs[0])[start:end], np.int64)


@operator("Size")
def size_(draft: Draft, inputs: Inputs) -> Held:
    return np.asarray(int(np.prod(shape_of(inputs[0]))))


@operator("Constant")
def constant(draft: Draft, inputs: Inputs, **told: Any) -> Held:
    return np.asarray(next(iter(told.values())))


@operator("ConstantOfShape")
def constant_of_shape(draft: Draft, inputs: Inputs, value: Any = 0.0) -> Held:
    return np.full(_whole(inputs[0]), np.asarray(value).ravel()[0])


@operator("Range")
def range_(draft: Draft, inputs: Inputs) -> Held:
    return np.arange(*(np.asarray(each).item() for each in inputs))


@operator("Where")
def where(draft: Draft, inputs: Inputs) -> Held:
    condition, then, other = inputs
    for value, masked, keep in ((other, then, False), (then, other, True)):
        lowest = not isinstance(value, Laid) and np.size(value) == 1 and float(np.asarray(value).ravel()[0]) <= -LARGEST
        if lowest and not isinstance(condition, Laid) and isinstance(masked, Laid):
            mask = np.asarray(condition, bool)
            return applied(draft, "masked_fill", self=masked, mask=mask if keep else ~mask, value=np.asarray(-np.inf))
    return applied(draft, "where", condition=condition, self=then, other=other)


@operator("Mod", "Floor", "Ceil", "Round", "IsNaN", "Xor")
def of_numbers(draft: Draft, inputs: Inputs, fmod: int = 0) -> Any:
    """What no gradient goes through: worked out where it is of numbers alone, as in masks and positions."""
    if any(isinstance(each, Laid) for each in inputs):
        raise draft.refuse("lets no gradient through; compute it before and pass it as an input")
    a = np.asarray(inputs[0])
    match draft.operation.kind.removeprefix(PREFIX):
        case "Mod":
            return np.fmod(a, inputs[1]) if fmod else np.mod(a, inputs[1])
        case "Xor":
            return np.logical_xor(a, inputs[1])
        case name:
            functions: dict[str, Any] = {"Floor": np.floor, "Ceil": np.ceil, "Round": np.round, "IsNaN": np.isnan}
            return np.asarray(functions[name](a))


@operator("Trilu")
def trilu(draft: Draft, inputs: Inputs, upper: int = 1) -> Held:
    kept = (np.triu if upper else np.tril)(np.ones(shape_of(inputs[0])), int(inputs[1]) if len(inputs) > 1 else 0)
    if isinstance(inputs[0], Laid):
        return applied(draft, "mul", self=inputs[0], other=kept)
    return np.where(kept > 0, np.asarray(inputs[0]), 0)


# sums along axes, products, layers


_REDUCED = {
    "ReduceMean": ("", "mean"), "ReduceSum": ("", "sum"), "ReduceMax": ("", "amax"), "ReduceMin": ("", "amin"),
    "ReduceProd": ("", "prod"), "ReduceL2": ("", "norm"), "ReduceSumSquare": ("square", "sum"),
    "ReduceL1": ("abs", "sum"), "ReduceLogSum": ("", "sum"),
    "ReduceLogSumExp": ("", "logsumexp"),
}  # fmt: skip
"""What is done to each number first, and how they are reduced."""


@operator("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2", "ReduceSumSquare",
           "ReduceLogSumExp", "ReduceL1", "ReduceLogSum")  # fmt: skip
def reduce(draft: Draft, inputs: Inputs, axes: Any = None, keepdims: int = 1, noop_with_empty_axes: int = 0) -> Held:
    name = draft.operation.kind.removeprefix(PREFIX)  # ReduceMean, ReduceSum, …
    chosen = _whole(inputs[1]) if len(inputs) > 1 and inputs[1] is not None else axes
    if not chosen and noop_with_empty_axes:
        return inputs[0]  # type: ignore[no-any-return]
    x = inputs[0]
    before, kind = _REDUCED[name]
    if before:
        x = applied(draft, before, self=x)
    dim = None if chosen is None else [int(each) for each in chosen]
    dim = dim[0] if dim is not None and len(dim) == 1 and kind in ("prod", "logsumexp") else dim  # type: ignore[assignment]
    made = applied(draft, kind, self=x, dim=dim, keepdim=bool(keepdims))
    return applied(draft, "log", self=made) if name == "ReduceLogSum" else made


@operator("CumSum")
def cumsum(draft: Draft, inputs: Inputs, exclusive: int = 0, reverse: int = 0) -> Held:
    axis = _whole(inputs[1])[0]
    x = moved(inputs[0], lambda cells: np.flip(cells, axis)) if reverse else inputs[0]
    total = applied(draft, "cumsum", self=x, dim=axis)
    if exclusive:
        total = applied(draft, "sub", self=total, other=x)
    return moved(total, lambda cells: np.flip(cells, axis)) if reverse else total


@operator("Einsum")
def einsum(draft: Draft, inputs: Inputs, equation: str) -> Held:
    return applied(draft, "einsum", equation=equation, tensors=inputs)


@operator("Gemm")
def gemm(
    draft: Draft,
    inputs: Inputs,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,
    transB: int = 0,
) -> Held:
    a, b = (
        moved(each, np.transpose) if turned else each for each, turned in zip(inputs, (transA, transB), strict=False)
    )
    product = applied(draft, "matmul", self=a, other=b)
    if alpha != 1:
        product = applied(draft, "mul", self=product, other=np.asarray(alpha))
    if len(inputs) < 3 or inputs[2] is None:
        return product
    added = inputs[2] if beta == 1 else applied(draft, "mul", self=inputs[2], other=np.asarray(beta))
    return applied(draft, "add", self=product, other=added)
