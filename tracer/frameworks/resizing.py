"""Images made larger or smaller: each cell several times over, or a mixture of those nearest to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Laid, NumberArray
from tracer.frameworks.draft import Draft
from tracer.frameworks.images import as_before, images_of, index_of
from tracer.frameworks.rules import rule


def _sizes(draft: Draft, x: Laid, size: Any, factors: Any, given: Sequence[Any]) -> list[tuple[int, int, float]]:
    """Of each dimension its length, the one wanted, and how many old cells a new one is wide."""
    dimensions = 1 if "1d" in draft.operation.kind else 2
    lengths = x.shape[-dimensions:]
    told = list(factors) if factors else [each for each in given if each is not None] or None
    found = []
    for k, length in enumerate(lengths):
        wanted = int(size[k]) if size else int(length * told[k])  # type: ignore[index]
        found.append((length, wanted, 1 / told[k] if told else length / wanted))
    return found


@rule("upsample_nearest2d", "upsample_nearest1d", "_upsample_nearest_exact2d", "_upsample_nearest_exact1d")
def nearest(draft: Draft, input: Held, output_size: Any = None, scale_factors: Any = None, scales: Any = None,
            scales_h: Any = None, scales_w: Any = None) -> Held:  # fmt: skip
    """Each cell several times over."""
    x = draft.laid(input)
    middle = 0.5 if "exact" in draft.operation.kind else 0.0
    cells = x.cells
    sizes = _sizes(draft, x, output_size, scale_factors, (scales, scales_h, scales_w))
    for k, (length, wanted, width) in enumerate(sizes):
        chosen = np.minimum(np.floor((np.arange(wanted) + middle) * width).astype(int), length - 1)
        cells = np.take(cells, chosen, axis=cells.ndim - len(sizes) + k)
    return Laid(cells)


@rule("upsample_bilinear2d", "upsample_linear1d")
def linear_between(draft: Draft, input: Held, output_size: Any = None, align_corners: bool = False,
                   scale_factors: Any = None, scales: Any = None, scales_h: Any = None,
                   scales_w: Any = None) -> Held:  # fmt: skip
    """R·X·C: what each new row takes of the old ones, and each new column."""
    x = draft.laid(input)
    sizes = _sizes(draft, x, output_size, scale_factors, (scales, scales_h, scales_w))
    way = "align_corners" if align_corners else "half_pixel"
    return mixed(draft, x, [shares(coordinates(*each, way), each[0]) for each in sizes])


def mixed(draft: Draft, x: Laid, each: Sequence[NumberArray]) -> Laid:
    """Images whose new rows, and columns, are mixtures of the old: shares (new, old) for each dimension."""
    images = images_of(x, len(each))
    across = draft.text(draft.laid(each[-1].T, "columns").cells)
    down = f"{draft.text(draft.laid(each[0], 'rows').cells)} @ " if len(each) == 2 else ""
    shape = (len(each[0]) if down else 1, len(each[-1]))
    out = np.empty((*images.shape[:2], *shape), np.int64)
    for at in np.ndindex(*images.shape[:2]):
        text = f"{down}{draft.text(images[at])} @ {across}"
        out[at] = draft.matrix(text, shape, "", index_of(images.shape[:2], at))
    return as_before(out, x, len(each))


def coordinates(length: int, wanted: int, width: float, way: str) -> NumberArray:
    """Where the middle of each new cell lies among the old ones; `width` is how many of them it covers."""
    new = np.arange(wanted)
    if way == "align_corners":
        return new * (length - 1) / max(wanted - 1, 1)
    if way == "pytorch_half_pixel" and wanted == 1:
        return np.zeros(1)
    return new * width if way == "asymmetric" else (new + 0.5) * width - 0.5


def shares(at: NumberArray, length: int) -> NumberArray:
    """What each new cell takes of the old ones along a dimension."""
    new, at = np.arange(len(at)), np.clip(at, 0, length - 1)
    first = np.floor(at).astype(int)
    second = np.minimum(first + 1, length - 1)
    found = np.zeros((len(at), length))
    np.add.at(found, (new, first), 1 - (at - first))
    np.add.at(found, (new, second), at - first)
    return found


@rule("pixel_shuffle")
def pixel_shuffle(draft: Draft, self: Held, upscale_factor: int) -> Held:
    """Channels put between the rows and columns of an image."""
    x, r = draft.laid(self), upscale_factor
    samples, channels, height, width = x.shape
    cells = x.cells.reshape(samples, channels // r**2, r, r, height, width).transpose(0, 1, 4, 2, 5, 3)
    return Laid(cells.reshape(samples, channels // r**2, height * r, width * r))
