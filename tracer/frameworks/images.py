"""Convolution: an image for each sample and channel, a kernel for each pair of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Ids, Laid
from tracer.frameworks.draft import Draft
from tracer.frameworks.moves import padded
from tracer.frameworks.rules import rule


def _two(value: Any, default: int = 1) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    found = [int(each) for each in value] or [default]
    return (found[0], found[-1]) if len(found) > 1 else (found[0], found[0])


def images_of(x: Laid, dimensions: int) -> Ids:
    """(samples, channels, height, width), whatever is left out of it."""
    cells = x.cells
    if dimensions == 1:
        cells = cells[..., None, :]
    return cells if cells.ndim == 4 else cells[None]


def as_before(cells: Ids, like: Laid, dimensions: int) -> Laid:
    """Images as the tensor that they come from has them."""
    cells = cells[..., 0, :] if dimensions == 1 else cells
    return Laid(cells if like.cells.ndim == dimensions + 2 else cells[0])


def pairs(value: Any, dimensions: int, default: int) -> tuple[int, int]:
    """A setting of an image; of a row of numbers the one along it."""
    if dimensions == 2:
        return _two(value, default)
    return default, value if isinstance(value, int) else int(value[-1])


def index_of(counts: Sequence[int], at: Sequence[int]) -> tuple[int, ...]:
    """The number of an image: its places along what there are several of."""
    return tuple(k for k, count in zip(at, counts, strict=True) if count > 1)


@rule("conv2d", "conv1d", "convolution_forward")
def conv(draft: Draft, input: Held, weight: Held, bias: Held | None = None, stride: Any = 1, padding: Any = 0,
         dilation: Any = 1, groups: int = 1) -> Held:  # fmt: skip
    """Each output channel: the correlations of its kernels with the input channels, added up, plus its bias."""
    w, x = draft.laid(weight), draft.laid(input)
    dimensions = w.cells.ndim - 2
    images, kernels = images_of(x, dimensions), w.cells if dimensions == 2 else w.cells[:, :, None]
    step, spread = pairs(stride, dimensions, 1), pairs(dilation, dimensions, 1)
    around = _around(padding, kernels.shape[2:], spread, dimensions)
    same = step[0] == step[1] if dimensions == 2 else True
    plain = same and spread == (1, 1)
    inner = around[0][0] if plain and len({*around[0], *around[1]}) == 1 else 0
    if not (inner or all(each == (0, 0) for each in around)):
        images = with_edges(draft, images, around, 0.0)
    sizes = [
        (n + 2 * inner - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(images.shape[2:], kernels.shape[2:], step, spread, strict=True)
    ]
    writer = _Convolution(draft, images, kernels, None if bias is None else draft.laid(bias), groups)
    writer.plain = f", stride={step[1]}" * (step[1] != 1) + f", padding={inner}" * (inner != 0) if plain else None
    writer.step, writer.spread, writer.size = step, spread, (sizes[0], sizes[1])
    return as_before(writer.made(), x, dimensions)


def with_edges(draft: Draft, images: Ids, around: list[tuple[int, int]], number: float) -> Ids:
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
    down, across = pairs(padding, dimensions, 0)
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
            index = index_of((samples, channels), (sample, channel))
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
        windows = windows_of(image, kernel.shape, self.step, self.spread, self.size)
        return f"{self.draft.text(windows)} @ {self.draft.text(kernel.reshape(-1, 1))}"


def windows_of(
    image: Ids, kernel: Sequence[int], step: Sequence[int], spread: Sequence[int], size: Sequence[int]
) -> Ids:
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
    images, kernels = images_of(x, dimensions), w.cells if dimensions == 2 else w.cells[:, :, None]
    step, spread = pairs(stride, dimensions, 1), pairs(dilation, dimensions, 1)
    cut, extra = pairs(padding, dimensions, 0), pairs(output_padding, dimensions, 0)
    uneven = spread != (1, 1) or (dimensions == 2 and step[0] != step[1])
    if uneven or any(e > c for e, c in zip(extra, cut, strict=True)):
        made = _spread_out(draft, images, kernels, bias, (step, spread, cut, extra), groups)
        return as_before(made, x, dimensions)
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
        index = index_of(out.shape[:2], (sample, channel))
        out[sample, channel] = draft.matrix(" + ".join(terms), (size[0], size[1]), "", index)
    ends = [n - c + e for n, c, e in zip(size, cut, extra, strict=True)]
    return as_before(out[:, :, cut[0] : ends[0], cut[1] : ends[1]], x, dimensions)


def _spread_out(draft: Draft, images: Ids, kernels: Ids, bias: Held | None, told: Sequence[tuple[int, int]],
                groups: int) -> Ids:  # fmt: skip
    """A transposed convolution as what it is: cells set apart by zeros, and a convolution with the kernel turned."""
    step, spread, cut, extra = told
    samples, channels, *sizes = images.shape
    nothing = int(draft.laid(np.zeros(()), "nothing").cells)
    wide = np.full((samples, channels, *((n - 1) * s + 1 for n, s in zip(sizes, step, strict=True))), nothing, np.int64)
    wide[:, :, :: step[0], :: step[1]] = images
    reach = [d * (k - 1) for k, d in zip(kernels.shape[2:], spread, strict=True)]
    around = [(r - c, r - c + e) for r, c, e in zip(reach, cut, extra, strict=True)]
    ready = draft.laid(padded(draft, Laid(wide), [(0, 0), (0, 0), *around], 0.0)).cells
    each = kernels.shape[1]
    turned = kernels[:, :, ::-1, ::-1].reshape(groups, -1, each, *kernels.shape[2:]).swapaxes(1, 2)
    turned = turned.reshape(groups * each, -1, *kernels.shape[2:])
    made = conv(draft, Laid(ready), Laid(turned), bias, dilation=list(spread), groups=groups)
    return draft.laid(made).cells
