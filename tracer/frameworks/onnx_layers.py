"""The operators of ONNX that are layers: convolution, pooling, norms, recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Laid, moved
from tracer.frameworks.draft import Draft
from tracer.frameworks.moves import padded, shape_of
from tracer.frameworks.onnx_rules import PREFIX, Inputs, operator
from tracer.frameworks.rules import RULES, applied


def _edges(
    draft: Draft, sizes: Sequence[int], kernel: Sequence[int], strides: Any, dilations: Any, pads: Any, auto: str
) -> tuple[list[int], list[int]]:
    """What is put before and after each dimension of images of these sizes."""
    count = len(kernel)
    if count > 2:
        raise draft.refuse("of more than two dimensions is not known; leave that part out")
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        told = list(pads or [0] * (2 * count)) if auto != "VALID" else [0] * (2 * count)
        return told[:count], told[count:]
    before, after = [], []
    for n, k, s, d in zip(sizes, kernel, strides or [1] * count, dilations or [1] * count, strict=True):
        whole = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
        less, more = whole // 2, whole - whole // 2
        before.append(less if auto == "SAME_UPPER" else more)
        after.append(more if auto == "SAME_UPPER" else less)
    return before, after


@operator("Conv")
def conv(
    draft: Draft, inputs: Inputs, pads: Any = None, strides: Any = None, dilations: Any = None, group: int = 1,
    auto_pad: str = "NOTSET", **_: Any,
) -> Held:  # fmt: skip
    kernel = shape_of(inputs[1])[2:]
    dimensions = len(kernel)
    before, after = _edges(draft, shape_of(inputs[0])[2:], kernel, strides, dilations, pads, auto_pad)
    x = inputs[0]
    if before != after:
        x = padded(draft, x, [(0, 0), (0, 0), *zip(before, after, strict=True)], 0.0)
        before = [0] * dimensions
    return applied(
        draft, "conv2d", input=x, weight=inputs[1], bias=inputs[2] if len(inputs) > 2 else None,
        stride=list(strides or [1] * dimensions), padding=before, dilation=list(dilations or [1] * dimensions),
        groups=group,
    )  # fmt: skip


@operator("ConvTranspose")
def conv_transpose(
    draft: Draft, inputs: Inputs, pads: Any = None, strides: Any = None, output_padding: Any = None, group: int = 1,
    dilations: Any = None, auto_pad: str = "NOTSET", **_: Any,
) -> Held:  # fmt: skip
    kernel = shape_of(inputs[1])[2:]
    dimensions = len(kernel)
    if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        raise draft.refuse(f"with auto_pad={auto_pad} is not known; export it with its padding written out")
    before, after = _edges(draft, (), kernel, strides, dilations, pads, auto_pad)
    more = list(output_padding or [0] * dimensions)
    if before != after:  # what is cut off behind is less, or more, than before
        more = [e + b - a for e, b, a in zip(more, before, after, strict=True)]
    return applied(
        draft, "conv_transpose2d", input=inputs[0], weight=inputs[1], bias=inputs[2] if len(inputs) > 2 else None,
        stride=list(strides or [1] * dimensions), padding=before, groups=group,
        output_padding=more, dilation=list(dilations or [1] * dimensions),
    )  # fmt: skip


@operator("MaxPool", "AveragePool")
def pool(
    draft: Draft, inputs: Inputs, kernel_shape: Any, strides: Any = None, pads: Any = None, ceil_mode: int = 0,
    count_include_pad: int = 0, dilations: Any = None, auto_pad: str = "NOTSET", **_: Any,
) -> Held:  # fmt: skip
    dimensions = len(kernel_shape)
    before, after = _edges(draft, shape_of(inputs[0])[2:], kernel_shape, strides, dilations, pads, auto_pad)
    told = {
        "self": inputs[0], "kernel_size": list(kernel_shape), "stride": list(strides or [1] * dimensions),
        "padding": before, "after": after, "ceil_mode": bool(ceil_mode), "dimensions": dimensions,
    }  # fmt: skip
    if draft.operation.kind.endswith("MaxPool"):
        return applied(draft, "max_pool2d", **told, dilation=list(dilations or [1] * dimensions))
    if dilations is not None and set(dilations) != {1}:
        raise draft.refuse("with dilations is not known; leave that part out")
    return applied(draft, "avg_pool2d", **told, count_include_pad=bool(count_include_pad))


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(draft: Draft, inputs: Inputs, **_: Any) -> Held:
    kind = "mean" if draft.operation.kind.endswith("AveragePool") else "amax"
    return applied(draft, kind, self=inputs[0], dim=list(range(2, len(shape_of(inputs[0])))), keepdim=True)


@operator("BatchNormalization")
def batch_norm(draft: Draft, inputs: Inputs, epsilon: float = 1e-5, training_mode: int = 0, **_: Any) -> Held:
    x, scale, bias, middle, spread = inputs[:5]
    return applied(draft, "batch_norm", input=x, weight=scale, bias=bias, running_mean=middle, running_var=spread,
                   training=bool(training_mode), eps=epsilon)  # fmt: skip


@operator("InstanceNormalization")
def instance_norm(draft: Draft, inputs: Inputs, epsilon: float = 1e-5) -> Held:
    return applied(draft, "instance_norm", input=inputs[0], weight=inputs[1], bias=inputs[2], eps=epsilon)


@operator("GroupNormalization")
def group_norm(draft: Draft, inputs: Inputs, num_groups: int, epsilon: float = 1e-5, **_: Any) -> Held:
    """Before opset 21 a weight and a bias for each group, since then for each channel."""
    channels = shape_of(inputs[0])[1]
    weight, bias = (moved(each, lambda x: np.repeat(x, channels // len(x))) for each in inputs[1:3])
    return applied(draft, "group_norm", input=inputs[0], num_groups=num_groups, weight=weight, bias=bias,
                   eps=epsilon)  # fmt: skip


@operator("LayerNormalization", "RMSNormalization")
def layer_norm(draft: Draft, inputs: Inputs, axis: int = -1, epsilon: float = 1e-5, **_: Any) -> Held:
    shape = shape_of(inputs[0])[axis:]
    told = {"input": inputs[0], "normalized_shape": list(shape), "weight": inputs[1], "eps": epsilon}
    if draft.operation.kind.endswith("RMSNormalization"):
        return applied(draft, "rms_norm", **told)
    return applied(draft, "layer_norm", **told, bias=inputs[2] if len(inputs) > 2 else None)


def _are_given(inputs: Inputs, place: int) -> bool:
    """Whether an input is there, and not nothing but zeros."""
    value = inputs[place] if len(inputs) > place else None
    return value is not None and (isinstance(value, Laid) or bool(np.any(value)))


@operator("RNN", "LSTM", "GRU")
def recurrent(
    draft: Draft, inputs: Inputs, hidden_size: int = 0, direction: str = "forward", layout: int = 0,
    linear_before_reset: int = 0, activations: Any = None, clip: Any = None, input_forget: int = 0, **_: Any,
) -> tuple[Held, ...]:  # fmt: skip
    """Y (time, directions, samples, units), and the last states (directions, samples, units)."""
    kind = draft.operation.kind.removeprefix(PREFIX).lower()
    if layout or clip is not None:
        raise draft.refuse("with its samples first, or with a clip, is not known; export it without")
    if input_forget or _are_given(inputs, 7):
        raise draft.refuse("with peepholes, or with one gate for two, is not known; leave that part out")
    lengths = inputs[4] if len(inputs) > 4 else None
    if lengths is not None and (np.asarray(lengths) != shape_of(inputs[0])[0]).any():
        raise draft.refuse("with samples of several lengths is not known; give each length a model of its own")
    function = {"tanh": "tanh", "relu": "relu"}.get(str((activations or ["Tanh"])[0]).lower())
    usual = {"lstm": ["sigmoid", "tanh", "tanh"], "gru": ["sigmoid", "tanh"]}.get(kind)
    told = [str(each).lower() for each in activations or []]
    if (function is None and kind == "rnn") or (usual and told and told[: len(usual)] != usual):
        raise draft.refuse(f"with the activations {activations} is not known; leave that part out")
    inputs = [*inputs, *[None] * (8 - len(inputs))]
    x, w, u = map(draft.laid, inputs[:3])
    ways = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[direction]
    outputs, finals = [], []
    for k, backwards in enumerate(ways):
        half = draft.laid(inputs[3]).cells[k].reshape(2, -1) if inputs[3] is not None else None
        states = [
            Laid(draft.laid(each).cells[k])
            for each in (inputs[5], inputs[6] if kind == "lstm" else None)
            if each is not None
        ]
        made: Any = RULES["recurrent_layer"](
            draft, input=x, w=Laid(w.cells[k]), u=Laid(u.cells[k]), b=None if half is None else Laid(half[0]),
            c=None if half is None else Laid(half[1]), states=states, kind=kind,
            order={"lstm": "iofg", "gru": "urn"}.get(kind, ""), after=bool(linear_before_reset), backwards=backwards,
            function=function or "tanh",
        )  # fmt: skip
        outputs.append(made[0].cells)
        finals.append([each.cells for each in made[1:]])
    return Laid(np.stack(outputs, axis=1)), *(Laid(np.stack(part)) for part in zip(*finals, strict=True))
