"""The functions of `keras.ops` in a functional model, and Python's operators on its tensors (`x + layer(x)`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from tracer.frameworks.keras_layers import LayerReading

MadeFunction: TypeAlias = Callable[[LayerReading, Any, Sequence[Any]], Any]

_OF_TWO = {
    "Add": "add", "Subtract": "sub", "Multiply": "mul", "TrueDivide": "div", "Divide": "div", "Maximum": "maximum",
    "Minimum": "minimum", "Matmul": "matmul", "Greater": "gt", "GreaterEqual": "ge", "Less": "lt", "LessEqual": "le",
}  # fmt: skip
_OF_ONE = {
    "Negative": "neg", "Absolute": "abs", "Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Square": "square",
    "Tanh": "tanh", "Sigmoid": "sigmoid", "Relu": "relu", "Softplus": "softplus", "Silu": "silu", "Rsqrt": "rsqrt",
    "Reciprocal": "reciprocal", "Sin": "sin", "Cos": "cos", "Softsign": "softsign", "Log1p": "log1p", "Expm1": "expm1",
    "Sign": "sign", "Relu6": "relu6", "LogSigmoid": "log_sigmoid", "Selu": "selu",
}  # fmt: skip
_REDUCED = {"Sum": "sum", "Mean": "mean", "Max": "amax", "Min": "amin", "Prod": "prod", "Logsumexp": "logsumexp",
            "Var": "var", "Std": "std"}  # fmt: skip


def _of_two(at: LayerReading, own: Any, given: Sequence[Any]) -> Any:
    return at.apply(_OF_TWO[type(own).__name__], self=given[0], other=given[1])


def _of_one(at: LayerReading, own: Any, given: Sequence[Any]) -> Any:
    return at.apply(_OF_ONE[type(own).__name__], self=given[0])


def _reduced(at: LayerReading, own: Any, given: Sequence[Any]) -> Any:
    """Along axes; the spread is Keras', which divides by n."""
    kind = _REDUCED[type(own).__name__]
    more: dict[str, Any] = {"correction": 0} if kind in ("var", "std") else {}
    if own.axis is not None:
        more["dim"] = own.axis[0] if kind == "prod" and isinstance(own.axis, list | tuple) else own.axis
    return at.apply(kind, self=given[0], keepdim=bool(own.keepdims), **more)


def _power(at: LayerReading, own: Any, given: Sequence[Any]) -> Any:
    return at.apply("pow", self=given[0], exponent=given[1])


def _shares(at: LayerReading, own: Any, given: Sequence[Any]) -> Any:
    kind = "softmax" if type(own).__name__ == "Softmax" else "log_softmax"
    return at.apply(kind, self=given[0], dim=int(own.axis))


def _gelu(at: LayerReading, own: Any, given: Sequence[Any]) -> Any:
    return at.apply("gelu", self=given[0], approximate="tanh" if own.approximate else "none")


def _clipped(at: LayerReading, own: Any, given: Sequence[Any]) -> Any:
    return at.apply("clamp", self=given[0], min=own.x_min, max=own.x_max)


def _where(at: LayerReading, own: Any, given: Sequence[Any]) -> Any:
    return at.apply("where", condition=given[0], self=given[1], other=given[2])


def _einsum(at: LayerReading, own: Any, given: Sequence[Any]) -> Any:
    return at.apply("einsum", equation=own.subscripts, tensors=list(given))


def _joined(at: LayerReading, own: Any, given: Sequence[Any]) -> Any:
    return at.apply("cat" if type(own).__name__ == "Concatenate" else "stack", tensors=given[0], dim=int(own.axis))


def _expanded(at: LayerReading, own: Any, given: Sequence[Any]) -> Any:
    return at.apply("unsqueeze", self=given[0], dim=int(own.axis))


def _squeezed(at: LayerReading, own: Any, given: Sequence[Any]) -> Any:
    return at.apply("squeeze", self=given[0], **({} if own.axis is None else {"dim": own.axis}))


def _reshaped(at: LayerReading, own: Any, given: Sequence[Any]) -> Any:
    return at.apply("onnx.Reshape", inputs=[given[0], np.array(own.newshape)])


def _transposed(at: LayerReading, own: Any, given: Sequence[Any]) -> Any:
    if own.axes is None:
        raise at.refuse("without its axes is not known; say them")
    return at.apply("permute", self=given[0], dims=list(own.axes))


def _picked(at: LayerReading, own: Any, given: Sequence[Any]) -> Any:
    """`x[:, -1]`, `x[..., :2]`, `x[:, None]`: one dimension after the other."""
    key = given[1] if isinstance(given[1], tuple) else (given[1],)
    if not all(isinstance(each, int | slice) or each is None or each is Ellipsis for each in key):
        raise at.refuse("at computed places is not known; expected numbers and slices")
    rank = len(own._inbound_nodes[0].input_tensors[0].shape)
    named = sum(each is not None and each is not Ellipsis for each in key)
    if Ellipsis in key:
        place = key.index(Ellipsis)
        key = key[:place] + (slice(None),) * (rank - named) + key[place + 1 :]
    found, dim = given[0], 0
    for each in key:
        if isinstance(each, int):
            found = at.apply("select", "at", self=found, dim=dim, index=each)
            continue
        if each is None:
            found = at.apply("unsqueeze", "wide", self=found, dim=dim)
        elif each != slice(None):
            told = {"start": each.start, "end": each.stop, "step": each.step or 1}
            found = at.apply("slice", "part", self=found, dim=dim, **told)
        dim += 1
    return found


FUNCTIONS: Mapping[str, MadeFunction] = {
    **dict.fromkeys(_OF_TWO, _of_two), **dict.fromkeys(_OF_ONE, _of_one), **dict.fromkeys(_REDUCED, _reduced),
    "Power": _power, "Softmax": _shares, "LogSoftmax": _shares, "Gelu": _gelu, "Clip": _clipped, "Where": _where,
    "Einsum": _einsum, "Concatenate": _joined, "Stack": _joined, "ExpandDims": _expanded, "Squeeze": _squeezed,
    "Reshape": _reshaped, "Transpose": _transposed, "GetItem": _picked,
}  # fmt: skip
"""What each class of operation is; `given` are its arguments in order, tensors as the values they stand for."""


def arguments_of(node: Any, value: Callable[[Any], Any]) -> list[Any]:
    """The arguments of a call in order, with the value for each tensor, in lists too."""

    def found(each: Any) -> Any:
        if isinstance(each, list | tuple) and each and all(hasattr(one, "_keras_history") for one in each):
            return [value(one) for one in each]
        if hasattr(each, "_keras_history"):
            return value(each)
        return np.asarray(each, float) if isinstance(each, float | int) and not isinstance(each, bool) else each

    arguments = node.arguments
    return [found(each) for each in (*arguments.args, *arguments.kwargs.values())]
