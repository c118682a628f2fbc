"""Pooling: the largest, or the mean, of each window of an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Ids, Laid, NumberArray
from tracer.frameworks.draft import Draft, written
from tracer.frameworks.images import as_before, images_of, index_of, pairs, windows_of, with_edges
from tracer.frameworks.rules import PLACES, rule

LOWEST = -1e9  # around an image before the largest of each window is taken


@dataclass(frozen=True)
class Windows:
    """Where the windows of an image lie: its size, theirs, how far apart, the edges before and after, and how many."""

    image: tuple[int, int]
    size: tuple[int, int]
    step: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]
    spread: tuple[int, int]
    count: tuple[int, int]

    @property
    def around(self) -> list[tuple[int, int]]:
        """What is put before and after each dimension, so that the last window is whole."""
        found = []
        for n, k, s, p, q, d, c in self._along():
            found.append((p, max(q, (c - 1) * s + d * (k - 1) + 1 - n - p)))
        return found

    def _along(self) -> Iterator[tuple[int, ...]]:
        told = (self.image, self.size, self.step, self.before, self.after, self.spread, self.count)
        yield from zip(*told, strict=True)

    def cells(self, with_edge: bool) -> NumberArray:
        """How many cells each window has, those of the edge counted or not; what is beyond the edge never is."""
        along = []
        for n, k, s, p, q, _, c in self._along():
            start = np.arange(c) * s - p
            stop = np.minimum(start + k, n + q)
            along.append(stop - start if with_edge else np.minimum(stop, n) - np.maximum(start, 0))
        return np.outer(*along).astype(float)


def _windows(
    x: Laid, dimensions: int, size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, after: Any = None
) -> Windows:
    window = pairs(size, dimensions, 1)
    step = window if stride is None or (not isinstance(stride, int) and not stride) else pairs(stride, dimensions, 1)
    before, spread = pairs(padding, dimensions, 0), pairs(dilation, dimensions, 1)
    end = before if after is None else pairs(after, dimensions, 0)
    height, width = images_of(x, dimensions).shape[2:]
    counts = [
        _count(n, k, s, p, q, d, ceil_mode)
        for n, k, s, p, q, d in zip((height, width), window, step, before, end, spread, strict=True)
    ]
    return Windows((height, width), window, step, before, end, spread, (counts[0], counts[1]))


def _count(n: int, k: int, s: int, p: int, q: int, d: int, ceil_mode: bool) -> int:
    """How many windows there are along a dimension; none begins beyond the image and the edge before it."""
    room = n + p + q - d * (k - 1) - 1
    if not ceil_mode:
        return room // s + 1
    count = -(-room // s) + 1
    return count - 1 if (count - 1) * s >= n + p else count


@rule("max_pool2d", "max_pool1d", "max_pool2d_with_indices", "max_pool1d_with_indices")
def max_pool(draft: Draft, self: Held, kernel_size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
             ceil_mode: bool = False, after: Any = None, dimensions: int | None = None) -> Any:  # fmt: skip
    """The largest of each window; of equal ones the first. `after` is the edge behind, where it is another."""
    x, dimensions = draft.laid(self), dimensions or _dimensions(draft)
    told = _windows(x, dimensions, kernel_size, stride, padding, dilation, ceil_mode, after)
    made = _pooled(draft, x, dimensions, told, LOWEST)
    return (made, PLACES) if draft.operation.kind.endswith("indices") else made


@rule("avg_pool2d", "avg_pool1d")
def avg_pool(draft: Draft, self: Held, kernel_size: Any, stride: Any = (), padding: Any = 0, ceil_mode: bool = False,
             count_include_pad: bool = True, divisor_override: int | None = None,
             after: Any = None, dimensions: int | None = None) -> Held:  # fmt: skip
    """The mean of each window, zeros around the image counted with the others unless it is asked otherwise."""
    x, dimensions = draft.laid(self), dimensions or _dimensions(draft)
    told = _windows(x, dimensions, kernel_size, stride, padding, 1, ceil_mode, after)
    counts = told.cells(count_include_pad)
    if divisor_override is not None:
        counts = np.full(counts.shape, float(divisor_override))
    return _pooled(draft, x, dimensions, told, 0.0, counts)


def _dimensions(draft: Draft) -> int:
    return 1 if "1d" in draft.operation.kind else 2


def _pooled(
    draft: Draft, x: Laid, dimensions: int, told: Windows, filler: float, counts: NumberArray | None = None
) -> Laid:
    """The largest of each window; where it is told how many cells each has, the mean."""
    images = images_of(x, dimensions)
    if any(edge != (0, 0) for edge in told.around):
        images = with_edges(draft, images, told.around, filler)
    out = np.empty((*images.shape[:2], *told.count), np.int64)
    for at in np.ndindex(*images.shape[:2]):
        out[at] = _of_image(draft, images[at], told, counts, index_of(images.shape[:2], at))
    return as_before(out, x, dimensions)


def _of_image(draft: Draft, image: Ids, told: Windows, counts: NumberArray | None, index: tuple[int, ...]) -> Ids:
    (down, across), (rows, columns) = told.size, told.count
    whole = counts is None or bool((counts == down * across).all())
    function = "max" if counts is None else "mean"
    if whole and down == across and told.step[0] == told.step[1] and told.spread == (1, 1):
        jump = f", stride={told.step[0]}" * (told.step[0] != down)
        return draft.matrix(f"{function}_pool({draft.text(image)}, {down}{jump})", told.count, "", index)
    windows = draft.text(windows_of(image, told.size, told.step, told.spread, told.count))
    text = f"{function}({windows}, axis=1)"
    if counts is not None and not whole:
        one = bool((counts == counts[0, 0]).all())
        divisor = written(counts[0, 0]) if one else draft.text(draft.laid(counts.reshape(-1, 1), "counts").cells)
        text = f"sum({windows}, axis=1) / {divisor}"
    column = draft.matrix(text, (rows * columns, 1), "windows", index)
    return column.reshape(rows, columns)


@rule("adaptive_avg_pool2d", "adaptive_avg_pool1d", "adaptive_max_pool2d", "adaptive_max_pool1d")
def adaptive_pool(draft: Draft, self: Held, output_size: Any) -> Any:
    """So many windows as are asked for; each size that divides the image is a plain pooling."""
    x, dimensions = draft.laid(self), _dimensions(draft)
    told = [output_size] * dimensions if isinstance(output_size, int) else list(output_size)
    whole = x.shape[-dimensions:]
    sizes = [n if each is None else each for n, each in zip(whole, told, strict=True)]
    largest = "max" in draft.operation.kind
    if any(n % k for n, k in zip(whole, sizes, strict=True)):
        made = _uneven(draft, x, dimensions, sizes, "max" if largest else "mean")
    else:
        window = [n // k for n, k in zip(whole, sizes, strict=True)]
        plain = _windows(x, dimensions, window, window, 0, 1, False)
        counts = None if largest else plain.cells(True)
        made = _pooled(draft, x, dimensions, plain, 0.0, counts)
    return (made, PLACES) if largest else made


def _uneven(draft: Draft, x: Laid, dimensions: int, sizes: Sequence[int], function: str) -> Laid:
    """Windows of several sizes, each in a formula of its own."""
    images = images_of(x, dimensions)
    rows, columns = (1, sizes[0]) if dimensions == 1 else (sizes[0], sizes[1])
    out = np.empty((*images.shape[:2], rows, columns), np.int64)
    for at in np.ndindex(*images.shape[:2]):
        for i, j in np.ndindex(rows, columns):
            part = images[at][_share(images.shape[2], rows, i), _share(images.shape[3], columns, j)]
            index = (*index_of(images.shape[:2], at), i, j)
            out[at][i, j] = draft.matrix(f"{function}({draft.text(part)})", (1, 1), "", index)[0, 0]
    return as_before(out, x, dimensions)


def _share(length: int, count: int, number: int) -> slice:
    return slice(number * length // count, -(-(number + 1) * length // count))
