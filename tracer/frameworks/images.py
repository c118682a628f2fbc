"""Convolution and pooling: an image for each sample and channel, a kernel for each pair of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Ids, Laid
from tracer.frameworks.draft import Draft
from tracer.frameworks.moves import padded
from tracer.frameworks.rules import applied, rule

LOWEST = -1e9  # around an image before the largest of each window is taken


def _two(value: Any, default: int = 1) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    found = [int(each) for each in value] or [default]
    return (found[0], found[-1]) if len(found) > 1 else (found[0], found[0])


def _images(x: Laid, dimensions: int) -> Ids:
    """(samples, channels, height, width), whatever is left out of it."""
    cells = x.cells
    if dimensions == 1:
        cells = cells[..., None, :]
    return cells if cells.ndim == 4 else cells[None]


def _back(cells: Ids, like: Laid, dimensions: int) -> Laid:
    cells = cells[..., 0, :] if dimensions == 1 else cells
    return Laid(cells if like.cells.ndim == dimensions + 2 else cells[0])


def _pairs(value: Any, dimensions: int, default: int) -> tuple[int, int]:
    """A setting of an image; of a row of numbers the one along it."""
    if dimensions == 2:
        return _two(value, default)
    return default, value if isinstance(value, int) else int(value[-1])


def _index(counts: Sequence[int], at: Sequence[int]) -> tuple[int, ...]:
    return tuple(k for k, count in zip(at, counts, strict=True) if count > 1)


@rule("conv2d", "conv1d", "convolution_forward")
def conv(draft: Draft, input: Held, weight: Held, bias: Held | None = None, stride: Any = 1, padding: Any = 0,
         dilation: Any = 1, groups: int = 1) -> Held:  # fmt: skip
    """Each output channel: the correlations of its kernels with the input channels, added up, plus its bias."""
    w, x = draft.laid(weight), draft.laid(input)
    dimensions = w.cells.ndim - 2
    images, kernels = _images(x, dimensions), w.cells if dimensions == 2 else w.cells[:, :, None]
    step, spread = _pairs(stride, dimensions, 1), _pairs(dilation, dimensions, 1)
    around = _around(padding, kernels.shape[2:], spread, dimensions)
    same = step[0] == step[1] if dimensions == 2 else True
    plain = same and spread == (1, 1)
    inner = around[0][0] if plain and len({*around[0], *around[1]}) == 1 else 0
    if not (inner or all(each == (0, 0) for each in around)):
        images = _padded(draft, images, around, 0.0)
    sizes = [
        (n + 2 * inner - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(images.shape[2:], kernels.shape[2:], step, spread, strict=True)
    ]
    writer = _Convolution(draft, images, kernels, None if bias is None else draft.laid(bias), groups)
    writer.plain = f", stride={step[1]}" * (step[1] != 1) + f", padding={inner}" * (inner != 0) if plain else None
    writer.step, writer.spread, writer.size = step, spread, (sizes[0], sizes[1])
    return _back(writer.made(), x, dimensions)


def _padded(draft: Draft, images: Ids, around: list[tuple[int, int]], number: float) -> Ids:
    """Each image with its edges as a matrix of its own."""
    wide = draft.laid(padded(draft, Laid(images), [(0, 0), (0, 0), *around], number)).cells
    found = np.empty_like(wide)
    for at in np.ndindex(*wide.shape[:2]):
        found[at] = draft.settled(wide[at], "padded")
    return found


def _around(padding: Any, kernel: Sequence[int], spread: Sequence[int], dimensions: int) -> list[tuple[int, int]]:
    if padding == "valid":
        return [(0, 0), (0, 0)]
    if padding == "same":
        whole = [d * (k - 1) for k, d in zip(kernel, spread, strict=True)]
        return [(each // 2, each - each // 2) for each in whole]
    down, across = _pairs(padding, dimensions, 0)
    return [(down, down), (across, across)]


class _Convolution:
    """Writes a convolution channel by channel."""

    plain: str | None
    step: tuple[int, int]
    spread: tuple[int, int]
    size: tuple[int, int]

    def __init__(self, draft: Draft, images: Ids, kernels: Ids, bias: Laid | None, groups: int) -> None:
        self.draft, self.images, self.kernels, self.bias, self.groups = draft, images, kernels, bias, groups

    def made(self) -> Ids:
        samples, channels = len(self.images), len(self.kernels)
        out = np.empty((samples, channels, *self.size), np.int64)
        for sample, channel in np.ndindex(samples, channels):
            index = _index((samples, channels), (sample, channel))
            out[sample, channel] = self._channel(sample, channel, index)
        return out

    def _channel(self, sample: int, channel: int, index: tuple[int, ...]) -> Ids:
        each = self.kernels.shape[1]
        first = channel // (len(self.kernels) // self.groups) * each
        terms = [self._term(self.images[sample, first + k], self.kernels[channel, k]) for k in range(each)]
        text = " + ".join(terms)
        if self.plain is None:
            text = f"reshape({text}, {self.size[0]}, {self.size[1]})" if self.size[1] != 1 or len(terms) == 1 else text
        if self.bias is not None:
            text += f" + {self.draft.text(self.bias.cells.reshape(1, -1)[:, channel : channel + 1])}"
        return self.draft.matrix(text, self.size, "", index)

    def _term(self, image: Ids, kernel: Ids) -> str:
        if self.plain is not None:
            return f"conv2d({self.draft.text(image)}, {self.draft.text(kernel)}{self.plain})"
        windows = _windows(image, kernel.shape, self.step, self.spread, self.size)
        return f"{self.draft.text(windows)} @ {self.draft.text(kernel.reshape(-1, 1))}"


def _windows(image: Ids, kernel: Sequence[int], step: Sequence[int], spread: Sequence[int], size: Sequence[int]) -> Ids:
    """The cells of each window in a row of its own."""
    down, across = (
        (np.arange(n) * s)[:, None] + (np.arange(k) * d)[None]
        for n, s, k, d in zip(size, step, kernel, spread, strict=True)
    )
    found = image[down[:, None, :, None], across[None, :, None, :]]
    rows: Ids = found.reshape(size[0] * size[1], -1)
    return rows


@rule("conv_transpose2d", "conv_transpose1d")
def conv_transpose(draft: Draft, input: Held, weight: Held, bias: Held | None = None, stride: Any = 1,
                   padding: Any = 0, output_padding: Any = 0, groups: int = 1, dilation: Any = 1) -> Held:  # fmt: skip
    """Each input cell puts its multiple of the kernel into the output; padding is cut off there."""
    w, x = draft.laid(weight), draft.laid(input)
    dimensions = w.cells.ndim - 2
    images, kernels = _images(x, dimensions), w.cells if dimensions == 2 else w.cells[:, :, None]
    step, spread = _pairs(stride, dimensions, 1), _pairs(dilation, dimensions, 1)
    if spread != (1, 1) or (dimensions == 2 and step[0] != step[1]):
        raise draft.refuse("with a dilation, or with two strides, is not known; leave that part out")
    cut, extra = _pairs(padding, dimensions, 0), _pairs(output_padding, dimensions, 0)
    size = [
        (n - 1) * step[1] + k if k > 1 or n > 1 else 1 for n, k in zip(images.shape[2:], kernels.shape[2:], strict=True)
    ]
    each, inner = kernels.shape[1], len(kernels) // groups
    out = np.empty((len(images), each * groups, *size), np.int64)
    for sample, channel in np.ndindex(*out.shape[:2]):
        group = channel // each
        terms = [
            f"conv_transpose2d({draft.text(images[sample, k])}, {draft.text(kernels[k, channel % each])}"
            f"{f', stride={step[1]}' * (step[1] != 1)})"
            for k in range(group * inner, (group + 1) * inner)
        ]
        if bias is not None:
            terms.append(draft.text(draft.laid(bias).cells.reshape(1, -1)[:, channel : channel + 1]))
        index = _index(out.shape[:2], (sample, channel))
        out[sample, channel] = draft.matrix(" + ".join(terms), (size[0], size[1]), "", index)
    if extra != (0, 0) and any(e > c for e, c in zip(extra, cut, strict=True)):
        raise draft.refuse("with an output padding larger than its padding is not known; leave that part out")
    ends = [n - c + e for n, c, e in zip(size, cut, extra, strict=True)]
    return _back(out[:, :, cut[0] : ends[0], cut[1] : ends[1]], x, dimensions)


@rule("max_pool2d", "max_pool1d", "max_pool2d_with_indices")
def max_pool(draft: Draft, self: Held, kernel_size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
             ceil_mode: bool = False) -> Held:  # fmt: skip
    """The largest of each window; of equal ones the first."""
    return _pooled(draft, self, "max", kernel_size, stride, padding, dilation, ceil_mode)


@rule("avg_pool2d", "avg_pool1d")
def avg_pool(draft: Draft, self: Held, kernel_size: Any, stride: Any = (), padding: Any = 0, ceil_mode: bool = False,
             count_include_pad: bool = True, divisor_override: int | None = None) -> Held:  # fmt: skip
    """The mean of each window, zeros around the image counted with the others."""
    edges = padding not in (0, [0], [0, 0], (0, 0))
    if (edges and not count_include_pad) or divisor_override is not None or (ceil_mode and edges):
        raise draft.refuse("with this way of counting is not known; use the defaults, or leave that part out")
    return _pooled(draft, self, "mean", kernel_size, stride, padding, 1, ceil_mode)


def _pooled(
    draft: Draft, value: Held, function: str, size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Held:
    x = draft.laid(value)
    dimensions = 1 if draft.operation.kind.endswith("1d") else 2
    window = _pairs(size, dimensions, 1)
    step = window if stride is None or (not isinstance(stride, int) and not stride) else _pairs(stride, dimensions, 1)
    around, spread = _pairs(padding, dimensions, 0), _pairs(dilation, dimensions, 1)
    images = _images(x, dimensions)
    if ceil_mode and any(
        (n + 2 * p - k) % s for n, p, k, s in zip(images.shape[2:], around, window, step, strict=True)
    ):
        raise draft.refuse("with ceil_mode is not known where a window reaches beyond the image; leave that part out")
    if around != (0, 0):
        edges = [(around[0], around[0]), (around[1], around[1])]
        images = _padded(draft, images, edges, LOWEST if function == "max" else 0.0)
    height, width = (
        (n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(images.shape[2:], window, step, spread, strict=True)
    )
    square = window[0] == window[1] and step[0] == step[1] and spread == (1, 1)
    out = np.empty((*images.shape[:2], height, width), np.int64)
    for at in np.ndindex(*images.shape[:2]):
        index = _index(images.shape[:2], at)
        if square:
            jump = f", stride={step[0]}" * (step[0] != window[0])
            text = f"{function}_pool({draft.text(images[at])}, {window[0]}{jump})"
            out[at] = draft.matrix(text, (height, width), "", index)
        else:
            windows = draft.text(_windows(images[at], window, step, spread, (height, width)))
            column = draft.matrix(f"{function}({windows}, axis=1)", (height * width, 1), "windows", index)
            out[at] = column.reshape(height, width)
    return _back(out, x, dimensions)


@rule("adaptive_avg_pool2d", "adaptive_avg_pool1d", "adaptive_max_pool2d", "adaptive_max_pool1d")
def adaptive_pool(draft: Draft, self: Held, output_size: Any) -> Any:
    """So many windows as are asked for; each size that divides the image is a plain pooling."""
    x = draft.laid(self)
    dimensions = 1 if draft.operation.kind.endswith("1d") else 2
    sizes = [output_size] * dimensions if isinstance(output_size, int) else list(output_size)
    whole = x.shape[-dimensions:]
    if any(n % k for n, k in zip(whole, sizes, strict=True)):
        raise draft.refuse(f"of {whole} into {sizes} has windows of several sizes, which is not known")
    window = [n // k for n, k in zip(whole, sizes, strict=True)]
    kind = "max" if "max" in draft.operation.kind else "mean"
    if all(k == 1 for k in sizes) and kind == "mean":
        return applied(draft, "mean", self=x, dim=list(range(-dimensions, 0)), keepdim=True)
    made = _pooled(draft, x, kind, window, window, 0, 1, False)
    return (made, np.zeros(1)) if kind == "max" else made


@rule("upsample_nearest2d", "upsample_nearest1d")
def upsample(draft: Draft, input: Held, output_size: Any = None, scale_factors: Any = None, **_: Any) -> Held:
    """Each cell several times over."""
    x = draft.laid(input)
    dimensions = 1 if draft.operation.kind.endswith("1d") else 2
    cells = x.cells
    for k, axis in enumerate(range(cells.ndim - dimensions, cells.ndim)):
        size = output_size[k] if output_size else int(x.shape[axis] * scale_factors[k])
        cells = np.take(cells, np.arange(size) * x.shape[axis] // size, axis=axis)
    return Laid(cells)


@rule("pixel_shuffle")
def pixel_shuffle(draft: Draft, self: Held, upscale_factor: int) -> Held:
    x, r = draft.laid(self), upscale_factor
    samples, channels, height, width = x.shape
    cells = x.cells.reshape(samples, channels // r**2, r, r, height, width).transpose(0, 1, 4, 2, 5, 3)
    return Laid(cells.reshape(samples, channels // r**2, height * r, width * r))
