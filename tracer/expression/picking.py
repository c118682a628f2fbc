"""What numpy has no single word for: cells picked and put back, kernels laid on images, tiles.

All of it works on the last two axes, whatever stands before them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[Any]
Chosen: TypeAlias = Sequence[int | None]


def part(matrix: Numbers, rows: Chosen, columns: Chosen) -> Numbers:
    """The cells where these rows and columns meet; 0 where one is None."""
    down, across = ([0 if each is None else each for each in chosen] for chosen in (rows, columns))
    found = matrix[..., down, :][..., across]
    for axis, chosen in ((-2, rows), (-1, columns)):
        empty = [place for place, each in enumerate(chosen) if each is None]
        if empty:
            np.moveaxis(found, axis, 0)[empty] = 0
    return found


def scatter(cells: Numbers, rows: Chosen, columns: Chosen, shape: tuple[int, int]) -> Numbers:
    """Cells added up where they were taken from."""
    whole = np.zeros((*cells.shape[:-2], *shape), dtype=cells.dtype)
    (taken, down), (beside, across) = (_placed(chosen) for chosen in (rows, columns))
    placed: Any = (..., down[:, None], across)
    np.add.at(whole, placed, cells[..., taken, :][..., beside])  # a place may be met twice
    return whole


def _placed(chosen: Chosen) -> tuple[Numbers, Numbers]:
    """Where the cells stand that are placed at all, and where each goes."""
    pairs = [(place, each) for place, each in enumerate(chosen) if each is not None]
    return np.array([place for place, _ in pairs], dtype=int), np.array([each for _, each in pairs], dtype=int)


def correlate(
    image: Numbers, kernel: Numbers, shape: tuple[int, int], step: int, spacing: int, padding: int
) -> Numbers:
    """See `matrix.Correlation`. The shorter of two loops: over the kernel's cells, or over the result's."""
    padded = _padded(image, shape, kernel.shape, step, spacing, padding)
    if kernel.size <= shape[0] * shape[1]:
        made = np.zeros((*image.shape[:-2], *shape))
        for u, v in product(*map(range, kernel.shape)):
            made += padded[..., _run(u * spacing, step, shape[0]), _run(v * spacing, step, shape[1])] * kernel[u, v]
        return made
    rows, columns = kernel.shape
    sums = np.array(
        [
            [
                (padded[..., _run(i * step, spacing, rows), _run(j * step, spacing, columns)] * kernel).sum((-2, -1))
                for j in range(shape[1])
            ]
            for i in range(shape[0])
        ]
    )
    return np.moveaxis(sums, (0, 1), (-2, -1))


def spread(image: Numbers, kernel: Numbers, shape: tuple[int, int], step: int, spacing: int, padding: int) -> Numbers:
    """See `matrix.Spread`."""
    whole = _padded(np.zeros(shape), image.shape[-2:], kernel.shape, step, spacing, padding).shape
    made = np.zeros((*image.shape[:-2], *whole))
    if kernel.size <= image.size or image.ndim > 2:
        for u, v in product(*map(range, kernel.shape)):
            place = _run(u * spacing, step, image.shape[-2]), _run(v * spacing, step, image.shape[-1])
            made[..., *place] += image * kernel[u, v]
    else:
        for i, j in product(*map(range, image.shape)):
            place = _run(i * step, spacing, kernel.shape[0]), _run(j * step, spacing, kernel.shape[1])
            made[place] += kernel * image[i, j]
    return made[..., padding : padding + shape[0], padding : padding + shape[1]]


def _padded(
    image: Numbers, placed: tuple[int, ...], kernel: tuple[int, ...], step: int, spacing: int, padding: int
) -> Numbers:
    """The image with zeros around it, at least as far as a kernel of this size reaches, placed so often."""
    reach = [(n - 1) * step + (size - 1) * spacing + 1 for n, size in zip(placed, kernel, strict=True)]
    after = [max(0, far - size - padding) for far, size in zip(reach, image.shape[-2:], strict=True)]
    if not padding and not any(after):
        return image
    return np.pad(image, [*[(0, 0)] * (image.ndim - 2), *((padding, each) for each in after)])


def _run(start: int, step: int, count: int) -> slice:
    return slice(start, start + step * (count - 1) + 1, step)


def normal_cdf(values: Numbers) -> Numbers:
    """Φ, the normal distribution's share below each value: ½ erfc(−z/√2), which keeps its digits far below 0."""
    return np.asarray(_ERFC(np.asarray(values) * -math.sqrt(0.5)), dtype=np.float64) * 0.5


_ERFC = np.frompyfunc(math.erfc, 1, 1)


def tiles(matrix: Numbers, size: tuple[int, int]) -> Numbers:
    """(…, rows, columns) -> (…, tiles down, tiles across, cells of a tile, row by row)."""
    (*front, rows, columns), (height, width) = matrix.shape, size
    split = matrix.reshape(*front, rows // height, height, columns // width, width)
    return np.swapaxes(split, -3, -2).reshape(*front, rows // height, columns // width, height * width)


def first_maximum(matrix: Numbers, size: tuple[int, int]) -> Numbers:
    """See `matrix.FirstMaximum`."""
    apart = tiles(matrix, size)
    first = np.zeros(apart.shape)
    np.put_along_axis(first, apart.argmax(axis=-1)[..., None], 1.0, axis=-1)
    return _laid(first, size, matrix.shape)


def open_maximum(low: Numbers, high: Numbers, size: tuple[int, int]) -> Numbers:
    """1 where a cell between these bounds may be the largest of its tile or not; 0 where that is certain."""
    apart = tiles(high, size)
    may_be = apart >= tiles(low, size).max(axis=-1, keepdims=True)
    several = may_be.sum(axis=-1, keepdims=True) > 1
    return _laid((may_be & several).astype(float), size, low.shape)


def _laid(apart: Numbers, size: tuple[int, int], shape: tuple[int, ...]) -> Numbers:
    """Tiles laid side by side again."""
    *front, down, across, _ = apart.shape
    return np.swapaxes(apart.reshape(*front, down, across, *size), -3, -2).reshape(shape)
