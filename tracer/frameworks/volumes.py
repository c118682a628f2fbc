"""Volumes: convolution and pooling in three dimensions, as those of images at each depth."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Laid
from tracer.frameworks.draft import Draft
from tracer.frameworks.images import conv
from tracer.frameworks.moves import padded
from tracer.frameworks.rules import PLACES, applied, rule


@rule("conv3d")
def conv3d(draft: Draft, input: Held, weight: Held, bias: Held | None = None, stride: Any = 1, padding: Any = 0,
           dilation: Any = 1, groups: int = 1) -> Held:  # fmt: skip
    """At each depth a convolution of images, with every slice that the kernel reaches as a channel of its own."""
    x, w = draft.laid(input), draft.laid(weight)
    cells = x.cells if x.cells.ndim == 5 else x.cells[None]
    (step, *steps), (spread, *spreads) = _three(stride), _three(dilation)
    channels, reach = w.shape[1], spread * (w.shape[2] - 1)
    if isinstance(padding, str):
        edge, edges = ((reach // 2, reach - reach // 2) if padding == "same" else (0, 0)), padding
    else:
        (depth, *edges), edge = _three(padding), (0, 0)  # type: ignore[assignment]
        edge = (depth, depth)
    volume = draft.laid(padded(draft, Laid(cells), [(0, 0), (0, 0), edge, (0, 0), (0, 0)], 0.0)).cells
    kernels = Laid(w.cells.reshape(len(w.cells), channels * w.shape[2], *w.shape[3:]))
    slices = []
    for first in range(0, volume.shape[2] - reach, step):
        within = volume[:, :, first : first + reach + 1 : spread]
        image = Laid(within.reshape(len(within), -1, *within.shape[3:]))
        slices.append(draft.laid(conv(draft, image, kernels, bias, steps, edges, spreads, groups)).cells)
    made = np.stack(slices, axis=2)
    return Laid(made if x.cells.ndim == 5 else made[0])


def _three(value: Any) -> list[int]:
    found = [value] if isinstance(value, int) else [int(each) for each in value]
    return found * 3 if len(found) == 1 else found


@rule("max_pool3d", "max_pool3d_with_indices")
def max_pool3d(draft: Draft, self: Held, kernel_size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
               ceil_mode: bool = False) -> Any:  # fmt: skip
    """The largest of each window of an image, then of the slices of each window; of equal ones the first."""
    made = _pooled(draft, "max_pool2d", "amax", self, kernel_size, stride, (padding, dilation, ceil_mode))
    return (made, PLACES) if draft.operation.kind.endswith("indices") else made


@rule("avg_pool3d")
def avg_pool3d(draft: Draft, self: Held, kernel_size: Any, stride: Any = (), padding: Any = 0, ceil_mode: bool = False,
               count_include_pad: bool = True, divisor_override: int | None = None) -> Held:  # fmt: skip
    """The mean of each window of an image, then of the slices of each window."""
    if divisor_override:
        raise draft.refuse("with divisor_override is not known; write it as a product with a number")
    return _pooled(draft, "avg_pool2d", "mean", self, kernel_size, stride, (padding, 1, ceil_mode))


def _pooled(draft: Draft, flat: str, along: str, value: Held, size: Any, stride: Any, more: tuple[Any, ...]) -> Laid:
    x, (padding, dilation, ceil_mode) = draft.laid(value), more
    if any(_three(padding)) or set(_three(dilation)) != {1} or ceil_mode:
        raise draft.refuse("with padding, dilation or ceil_mode is not known; pad the volume before")
    (depth, *sizes), (step, *steps) = _three(size), _three(stride or size)
    slices = Laid(x.cells.reshape(-1, *x.shape[-2:]))
    images = draft.laid(applied(draft, flat, self=slices, kernel_size=sizes, stride=steps, dimensions=2))
    whole = images.cells.reshape(*x.shape[:-2], *images.shape[-2:])
    at = [whole[..., first : first + depth, :, :] for first in range(0, x.shape[-3] - depth + 1, step)]
    windows = Laid(np.moveaxis(np.stack(at, axis=-4), -3, -1))
    return draft.laid(applied(draft, along, self=windows, dim=-1)) if depth > 1 else Laid(windows.cells[..., 0])
