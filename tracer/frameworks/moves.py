"""Operations that only move numbers about: for cells as for numbers, and never a formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Laid, NumberArray, moved
from tracer.frameworks.draft import Draft
from tracer.frameworks.ordering import computed, picked, rows_picked
from tracer.frameworks.rules import RULES, Untold, applied, rule


def moved_as(kind: str, x: Any, **arguments: Any) -> Any:
    """A move by its name: slice, select, diagonal."""
    return _MOVES[kind](x, **arguments)


def _mover(move: Callable[..., Any]) -> Callable[..., Held]:
    def made(draft: Draft, self: Held, **arguments: Any) -> Held:
        return moved(self, lambda cells: move(cells, **arguments))

    return made


def _view(x: NumberArray, size: Sequence[int]) -> NumberArray:
    return x.reshape([int(each) for each in size])


def _flatten(x: NumberArray, start_dim: int = 0, end_dim: int = -1) -> NumberArray:
    if x.ndim == 0:
        return x.reshape(1)
    first, last = start_dim % x.ndim, end_dim % x.ndim
    return x.reshape(*x.shape[:first], -1, *x.shape[last + 1 :])


def _unflatten(x: NumberArray, dim: int, sizes: Sequence[int]) -> NumberArray:
    at = dim % x.ndim
    return x.reshape(*x.shape[:at], *sizes, *x.shape[at + 1 :])


def _expand(x: NumberArray, size: Sequence[int], implicit: bool = False) -> NumberArray:
    shape = [int(each) for each in size]
    own = (1,) * (len(shape) - x.ndim) + x.shape
    found: NumberArray = np.broadcast_to(x, [o if s == -1 else s for s, o in zip(shape, own, strict=True)])
    return found


def _squeeze(x: NumberArray, dim: Any = None) -> NumberArray:
    if dim is None:
        return x.squeeze()
    dims = [dim] if isinstance(dim, int) else list(dim)
    return x.squeeze(tuple(each % x.ndim for each in dims if x.ndim and x.shape[each] == 1))


def _slice(x: NumberArray, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> NumberArray:
    places: list[Any] = [slice(None)] * x.ndim
    places[dim] = slice(start, end, step)
    part: NumberArray = x[tuple(places)]
    return part


def _select(x: NumberArray, dim: int, index: int) -> NumberArray:
    places: list[Any] = [slice(None)] * x.ndim
    places[dim] = int(index)
    return np.asarray(x[tuple(places)])


def _diagonal(x: NumberArray, offset: int = 0, dim1: int = 0, dim2: int = 1) -> NumberArray:
    return x.diagonal(offset, dim1, dim2)


def _repeat(x: NumberArray, repeats: Sequence[int]) -> NumberArray:
    return np.tile(x, [int(each) for each in repeats])


def _repeat_interleave(x: NumberArray, repeats: Any, dim: int | None = None, **_: Any) -> NumberArray:
    return np.repeat(x, np.asarray(repeats, int), axis=dim)


def _unfold(x: NumberArray, dim: int, size: int, step: int) -> NumberArray:
    """Windows along a dimension, each along a new last one."""
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=dim % x.ndim)
    return _slice(windows, dim % x.ndim, step=step)


_MOVES: dict[str, Callable[..., Any]] = {
    "view": _view, "reshape": lambda x, shape: _view(x, shape), "_unsafe_view": _view, "flatten": _flatten,
    "unflatten": _unflatten, "expand": _expand,
    "expand_as": lambda x, other: _expand(x, shape_of(other)), "view_as": lambda x, other: _view(x, shape_of(other)),
    "reshape_as": lambda x, other: _view(x, shape_of(other)), "squeeze": _squeeze, "slice": _slice, "select": _select,
    "diagonal": _diagonal, "repeat": _repeat, "tile": lambda x, dims: _repeat(x, dims), 
    "repeat_interleave": _repeat_interleave, 
    "transpose": lambda x, dim0, dim1: np.swapaxes(x, dim0, dim1) if x.ndim else x,
    "permute": lambda x, dims: np.transpose(x, [each % x.ndim for each in dims]),
    "t": lambda x: x.T, "numpy_T": lambda x: x.T, "mT": lambda x: np.swapaxes(x, -1, -2),
    "unsqueeze": lambda x, dim: np.expand_dims(x, dim if dim >= 0 else dim + x.ndim + 1),
    "movedim": lambda x, source, destination: np.moveaxis(x, source, destination),
    "flip": lambda x, dims: np.flip(x, tuple(dims)),
    "roll": lambda x, shifts, dims: np.roll(x, tuple(shifts), tuple(dims)) if dims else np.roll(x, shifts),
    "unfold": lambda x, dimension, size, step: _unfold(x, dimension, size, step),
    "narrow": lambda x, dim, start, length: _slice(x, dim, start, start + length),
}  # fmt: skip
for _kind, _move in _MOVES.items():
    RULES[_kind] = _mover(_move)


@rule("clone", "contiguous", "alias", "to", "_to_copy", "type_as", "lift_fresh_copy", "identity", "detach_", "float",
      "double", "requires_grad_", "cast", "nan_to_num", "resolve_conj", "resolve_neg")  # fmt: skip
def as_it_is(draft: Draft, self: Held, **_: Any) -> Held:
    return self


def whole_numbers(draft: Draft, value: Held) -> NumberArray:
    """Numbers of rows or places, which must be given; computed ones are refused."""
    found = draft.start_numbers(value) if isinstance(value, Laid) else np.asarray(value)
    if found is None:
        raise draft.refuse("looks up numbers that are computed; expected whole numbers that are given")
    return found if found.dtype == bool else found.astype(int)


@rule("index")
def indexed(draft: Draft, self: Held, indices: Sequence[Any]) -> Held:
    if any(computed(draft, each) for each in indices):
        return _indexed_by_computed(draft, self, indices)
    places = tuple(slice(None) if each is None else whole_numbers(draft, each) for each in indices)
    return moved(self, lambda x: np.asarray(x[places]))


def _indexed_by_computed(draft: Draft, value: Held, indices: Sequence[Any]) -> Held:
    """By computed places alone, or by those behind whole numbers that are given: x[rows, places]."""
    *before, places = indices
    if not before or all(each is None for each in before):
        return rows_picked(draft, value, places, len(before))
    if any(each is None or computed(draft, each) for each in before) or len(before) + 1 != len(shape_of(value)):
        raise draft.refuse("looks up computed places in several dimensions at once; write it with gather")
    given = np.broadcast_arrays(*(whole_numbers(draft, each) for each in before))
    rows = moved(value, lambda x: np.asarray(x[tuple(given)]))
    shape = np.broadcast_shapes(given[0].shape, places.shape)
    wide = Laid(np.broadcast_to(draft.laid(rows).cells, (*shape, shape_of(rows)[-1])))
    asked = Laid(np.broadcast_to(places.cells, shape)[..., None])
    return Laid(picked(draft, wide, asked, -1).cells[..., 0])


@rule("index_select")
def index_select(draft: Draft, self: Held, dim: int, index: Held) -> Held:
    if computed(draft, index):
        return rows_picked(draft, self, draft.laid(index), dim % len(shape_of(self)))
    return moved(self, lambda x: np.take(x, whole_numbers(draft, index), axis=dim))


@rule("select")
def select(draft: Draft, self: Held, dim: int, index: Any) -> Held:
    """One place along a dimension, told or computed."""
    if not isinstance(index, Laid):
        return moved(self, lambda x: _select(x, dim, index))
    return rows_picked(draft, self, Laid(np.reshape(index.cells, ())), dim % len(shape_of(self)))


@rule("take_along_dim")
def take_along_dim(draft: Draft, self: Held, indices: Held, dim: int | None = None) -> Held:
    """The same, whatever of the two is broadcast."""
    if dim is None:
        return gather(draft, moved(self, lambda x: x.reshape(-1)), 0, moved(indices, lambda x: x.reshape(-1)))
    own, asked = list(shape_of(self)), list(shape_of(indices))
    own[dim] = asked[dim] = 1
    shape = list(np.broadcast_shapes(tuple(own), tuple(asked)))

    def wide(value: Held) -> Held:
        shape[dim] = shape_of(value)[dim]
        return moved(value, lambda x: np.broadcast_to(x, shape))

    return gather(draft, wide(self), dim, wide(indices))


@rule("gather")
def gather(draft: Draft, self: Held, dim: int, index: Held, sparse_grad: bool = False) -> Held:
    if computed(draft, index):
        return picked(draft, self, draft.laid(index), dim)
    return moved(self, lambda x: np.take_along_axis(x, whole_numbers(draft, index), axis=dim))


@rule("_embedding_bag", "embedding_bag")
def embedding_bag(draft: Draft, weight: Held, indices: Held, offsets: Held, scale_grad_by_freq: bool = False,
                  mode: int = 0, sparse: bool = False, per_sample_weights: Held | None = None,
                  include_last_offset: bool = False, padding_idx: int | None = -1) -> Any:  # fmt: skip
    """Rows of a table, those of each bag added up (with weights), averaged, or the largest of each column.

    Rows that stand for padding are in no bag.
    """
    _refuse_frequencies(draft, scale_grad_by_freq)
    rows, starts = whole_numbers(draft, indices).ravel(), whole_numbers(draft, offsets).tolist()
    table, kind = draft.laid(weight), ("sum", "mean", "amax")[mode]
    stops = [*starts, *([] if include_last_offset else [len(rows)])]
    weights = None if per_sample_weights is None else draft.laid(per_sample_weights).cells.ravel()
    made = []
    for start, stop in pairwise(stops):
        kept = np.array([k for k in range(start, stop) if padding_idx is None or rows[k] != padding_idx], int)
        bag: Held = Laid(table.cells[rows[kept]])
        if weights is not None:
            bag = applied(draft, "mul", self=bag, other=Laid(weights[kept][:, None]))
        empty = np.zeros(table.shape[1])
        made.append(draft.laid(applied(draft, kind, self=bag, dim=0) if len(kept) else empty).cells)
    return (Laid(np.stack(made)), *(Untold("what a bag is made of"),) * 3)


def _refuse_frequencies(draft: Draft, scaled: bool) -> None:
    if scaled:
        raise draft.refuse("with scale_grad_by_freq=True has no gradient of its loss; leave it off")


@rule("embedding")
def embedding(draft: Draft, weight: Held, indices: Held, padding_idx: int = -1, scale_grad_by_freq: bool = False,
              sparse: bool = False) -> Held:  # fmt: skip
    """Rows of a table by their numbers; no gradient goes to the row that stands for padding."""
    _refuse_frequencies(draft, scale_grad_by_freq)
    if padding_idx < 0 and computed(draft, indices):
        return rows_picked(draft, weight, draft.laid(indices))
    chosen = whole_numbers(draft, indices)
    if padding_idx < 0 or not isinstance(weight, Laid) or not (chosen == padding_idx).any():
        return moved(weight, lambda table: table[chosen])
    numbers = draft.start_numbers(Laid(weight.cells[padding_idx]))
    cells = weight.cells.copy()
    if numbers is not None:
        cells[padding_idx] = draft.laid(numbers, f"{draft.operation.name}_padding").cells
    return Laid(cells[chosen])


@rule("cat", "concat", "concatenate")
def cat(draft: Draft, tensors: Sequence[Held], dim: int = 0) -> Held:
    if not any(isinstance(each, Laid) for each in tensors):
        return np.concatenate([np.asarray(each) for each in tensors], axis=dim)
    return Laid(np.concatenate([draft.laid(each).cells for each in tensors if _size(each)], axis=dim))


def _size(value: Held) -> int:
    return int(value.cells.size if isinstance(value, Laid) else np.size(value))


@rule("stack")
def stack(draft: Draft, tensors: Sequence[Held], dim: int = 0) -> Held:
    if not any(isinstance(each, Laid) for each in tensors):
        return np.stack([np.asarray(each) for each in tensors], axis=dim)
    return Laid(np.stack([draft.laid(each).cells for each in tensors], axis=dim))


@rule("split", "split_with_sizes", "unsafe_split")
def split(draft: Draft, self: Held, split_size: Any = None, split_sizes: Any = None, dim: int = 0) -> tuple[Held, ...]:
    """Parts of so many places each, or of the sizes given."""
    sizes = split_size if split_sizes is None else split_sizes
    length = shape_of(self)[dim]
    if isinstance(sizes, int):
        stops = list(range(sizes, length, sizes))
    else:
        stops = np.cumsum([int(each) for each in sizes])[:-1].tolist()
    bounds = [0, *stops, length]
    return tuple(
        moved(self, lambda x, a=a, b=b: _slice(x, dim, a, b))  # type: ignore[misc]
        for a, b in pairwise(bounds)
    )


def shape_of(value: Held) -> tuple[int, ...]:
    return value.shape if isinstance(value, Laid) else tuple(np.shape(value))


@rule("chunk")
def chunk(draft: Draft, self: Held, chunks: int, dim: int = 0) -> tuple[Held, ...]:
    return split(draft, self, -(-shape_of(self)[dim] // chunks), dim=dim)


@rule("unbind")
def unbind(draft: Draft, self: Held, dim: int = 0) -> tuple[Held, ...]:
    return tuple(
        moved(self, lambda x, k=k: _select(x, dim, k))  # type: ignore[misc]
        for k in range(shape_of(self)[dim])
    )


@rule("pad", "constant_pad_nd")
def pad(draft: Draft, self: Held, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Held:
    """PyTorch's order: before and after the last dimension, then the one before it."""
    dimensions = len(shape_of(self))
    around = [(0, 0)] * dimensions
    for k in range(len(pad) // 2):
        around[dimensions - 1 - k] = (int(pad[2 * k]), int(pad[2 * k + 1]))
    if mode in ("reflect", "replicate", "circular"):
        name = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
        return moved(self, lambda x: np.pad(_cropped(x, around), _grown(around), mode=name))  # type: ignore[call-overload]
    return padded(draft, self, around, value or 0.0)


def _cropped(x: NumberArray, around: Sequence[tuple[int, int]]) -> NumberArray:
    """Without what a negative padding takes off."""
    return x[tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(around, x.shape, strict=True))]


def _grown(around: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(max(a, 0), max(b, 0)) for a, b in around]


def padded(draft: Draft, value: Held, around: Sequence[tuple[int, int]], number: float) -> Held:
    """A tensor with so much of one number before and after it along each dimension."""
    if not isinstance(value, Laid):
        return np.pad(_cropped(np.asarray(value), around), _grown(around), constant_values=number)
    cells = _cropped(value.cells, around)
    grown = _grown(around)
    if not any(a or b for a, b in grown):
        return Laid(cells)
    for axis, (before, after) in enumerate(grown):
        parts = [cells]
        for count, at in ((before, 0), (after, 1)):
            if count:
                shape = (*cells.shape[:axis], count, *cells.shape[axis + 1 :])
                filler = draft.laid(np.full(shape, number), "padding").cells
                parts.insert(0 if at == 0 else len(parts), filler)
        cells = np.concatenate(parts, axis=axis)
    return Laid(cells)


@rule("tril", "triu")
def triangle(draft: Draft, self: Held, diagonal: int = 0) -> Held:
    """What is on one side of the diagonal; 0 on the other."""
    kept = (np.tril if draft.operation.kind == "tril" else np.triu)(np.ones(shape_of(self)), diagonal)
    if not isinstance(self, Laid):
        return np.asarray(self) * kept
    return applied(draft, "mul", self=self, other=kept)
