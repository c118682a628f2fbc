"""The layers of Keras over images and signals: convolutions, pooling, padding, resizing; channels are last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tracer.frameworks.keras_layers import LayerReading, layer, pair


def _same_padding(sizes: Sequence[int], kernel: Sequence[int], step: Sequence[int]) -> list[tuple[int, int]]:
    """What "same" puts before and after each dimension: as many windows as steps fit."""
    found = []
    for n, k, s in zip(sizes, kernel, step, strict=True):
        whole = max((-(-n // s) - 1) * s + k - n, 0)
        found.append((whole // 2, whole - whole // 2))
    return found


def _padded(at: LayerReading, value: Any, around: Sequence[tuple[int, int]], number: float = 0.0) -> Any:
    """The padding of the last dimensions in PyTorch's order."""
    flat = [size for each in reversed(around) for size in each]
    return at.apply("pad", "padded", self=value, pad=flat, value=number) if any(flat) else value


def _sizes(node: Any) -> list[int]:
    return [int(each) for each in node.input_tensors[0].shape[1:-1]]


def _data_format(at: LayerReading, own: Any) -> None:
    if getattr(own, "data_format", "channels_last") not in (None, "channels_last"):
        raise at.refuse("with its channels first is not known; build it with data_format='channels_last'")


@layer("Conv1D", "Conv2D", "DepthwiseConv2D")
def _conv(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    _data_format(at, own)
    dimensions = 1 if type(own).__name__ == "Conv1D" else 2
    step, spread = pair(own.strides), pair(own.dilation_rate)
    kernel = [(k - 1) * d + 1 for k, d in zip(pair(own.kernel_size), spread, strict=True)]
    around = [(0, 0)] * dimensions
    if own.padding == "same":
        around = _same_padding(_sizes(node), kernel, step)
    elif own.padding == "causal":
        around = [(kernel[0] - 1, 0)]
    x = _padded(at, at.first(given[0]), around) if not _even(around) else at.first(given[0])
    before = [a for a, _ in around] if _even(around) else [0] * dimensions
    turned, groups = _kernel(at, own, dimensions)
    made = at.apply("conv2d" if dimensions == 2 else "conv1d", input=x, weight=turned, bias=at.weight(own, "bias"),
                    stride=step, padding=before, dilation=spread, groups=groups)  # fmt: skip
    return at.activated(at.last(made), own.activation)


@layer("SeparableConv1D", "SeparableConv2D")
def _separable(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    """A convolution of each channel by itself, then one of single places over all channels."""
    _data_format(at, own)
    flat = type(own).__name__ == "SeparableConv1D"
    kind = "conv1d" if flat else "conv2d"
    step, spread, size = pair(own.strides), pair(own.dilation_rate), pair(own.kernel_size)
    dimensions = 1 if flat else 2
    step, spread, size = (each * (dimensions // len(each)) for each in (step, spread, size))
    kernel = [(k - 1) * d + 1 for k, d in zip(size, spread, strict=True)]
    around = _same_padding(_sizes(node), kernel, step) if own.padding == "same" else [(0, 0)] * dimensions
    channels, each = (int(n) for n in own.depthwise_kernel.shape[-2:])
    order = [1, 2, 0] if flat else [2, 3, 0, 1]
    depth = at.apply("permute", "turned", self=at.weight(own, "depthwise_kernel"), dims=order)
    depth = at.apply("view", "kernels", self=depth, size=[channels * each, 1, *size])
    turned = at.apply(
        "permute", "turned", self=at.weight(own, "pointwise_kernel"), dims=[2, 1, 0] if flat else [3, 2, 0, 1]
    )
    x = _padded(at, at.first(given[0]), around)
    alone = at.apply(
        kind, "by_channel", input=x, weight=depth, bias=None, stride=step, dilation=spread, groups=channels
    )
    made = at.apply(kind, input=alone, weight=turned, bias=at.weight(own, "bias"))
    return at.activated(at.last(made), own.activation)


def _kernel(at: LayerReading, own: Any, dimensions: int) -> tuple[Any, int]:
    """A kernel as (outputs, inputs, height, width), and the groups."""
    kernel = at.weight(own, "kernel")
    if type(own).__name__ == "DepthwiseConv2D":
        height, width, channels, each = own.kernel.shape
        moved = at.apply("permute", "turned", self=kernel, dims=[2, 3, 0, 1])
        return at.apply("view", "kernels", self=moved, size=[channels * each, 1, height, width]), int(channels)
    order = [3, 2, 0, 1] if dimensions == 2 else [2, 1, 0]
    return at.apply("permute", "turned", self=kernel, dims=order), int(getattr(own, "groups", 1))


def _even(around: Sequence[tuple[int, int]]) -> bool:
    return all(a == b for a, b in around)


@layer("Conv1DTranspose", "Conv2DTranspose")
def _conv_transpose(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    _data_format(at, own)
    kernel, step = pair(own.kernel_size), pair(own.strides)
    flat = type(own).__name__ == "Conv1DTranspose"
    order = [2, 1, 0] if flat else [3, 2, 0, 1]
    turned = at.apply("permute", "turned", self=at.weight(own, "kernel"), dims=order)
    made = at.apply(
        "conv_transpose1d" if flat else "conv_transpose2d",
        input=at.first(given[0]), weight=turned, bias=at.weight(own, "bias"), stride=step,
    )  # fmt: skip
    whole = [(n - 1) * s + k for n, s, k in zip(_sizes(node), step, kernel, strict=True)]
    wanted = [int(each) for each in node.output_tensors[0].shape[1:-1]]
    extra = [w - n for w, n in zip(whole, wanted, strict=True)]
    around = [(-(each // 2), -(each - each // 2)) if each > 0 else (0, -each) for each in extra]
    if any(each < 0 for each in extra):
        raise at.refuse("with steps longer than its kernel is not known")
    return at.activated(at.last(_padded(at, made, around)), own.activation)


@layer("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D")
def _pool(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    _data_format(at, own)
    name = type(own).__name__
    size, step = pair(own.pool_size), pair(own.strides)
    largest, end = name.startswith("Max"), "1d" if name.endswith("1D") else "2d"
    x = at.first(given[0])
    told: dict[str, Any] = {}
    if own.padding == "same":
        around = _same_padding(_sizes(node), size, step)
        if not largest and any(map(any, around)):
            raise at.refuse("with padding='same' has other means in each backend where a window leaves the image")
        told = {"padding": [a for a, _ in around], "after": [b for _, b in around]}
    made = at.apply(("max_pool" if largest else "avg_pool") + end, self=x, kernel_size=size, stride=step, **told)
    return at.last(made)


@layer("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D")
def _global_pool(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    _data_format(at, own)
    kind = "amax" if "Max" in type(own).__name__ else "mean"
    dims = [1] if type(own).__name__.endswith("1D") else [1, 2]
    return at.apply(kind, self=given[0], dim=dims, keepdim=bool(own.keepdims))


@layer("ZeroPadding1D", "ZeroPadding2D")
def _zero_padding(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    around = own.padding if isinstance(own.padding[0], tuple | list) else [own.padding]
    return at.last(_padded(at, at.first(given[0]), [(int(a), int(b)) for a, b in around]))


@layer("Cropping1D", "Cropping2D")
def _cropped(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    cut = own.cropping if isinstance(own.cropping[0], tuple | list) else [own.cropping]
    return at.last(_padded(at, at.first(given[0]), [(-int(a), -int(b)) for a, b in cut]))


@layer("UpSampling1D", "UpSampling2D")
def _upsample(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    way = getattr(own, "interpolation", "nearest")
    if way not in ("nearest", "bilinear"):
        raise at.refuse(f"with {way} interpolation is not known, only with nearest and bilinear")
    factors = pair(own.size)
    end = "1d" if len(factors) == 1 else "2d"
    return at.last(at.apply(f"upsample_{way}{end}", input=at.first(given[0]), scale_factors=factors))
