"""Operations that put numbers at places of a tensor, in place of others or added to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Ids, Laid, NumberArray
from tracer.frameworks.draft import Draft
from tracer.frameworks.moves import moved_as, shape_of, whole_numbers
from tracer.frameworks.ordering import computed, put
from tracer.frameworks.products import matmul
from tracer.frameworks.rules import applied, rule


def _places(shape: Sequence[int], chosen: Callable[[Ids], Ids]) -> Ids:
    """The places (counted along the flattened tensor) of a part of it."""
    found: Ids = np.asarray(chosen(np.arange(int(np.prod(shape, dtype=int))).reshape(tuple(shape))))
    return found


def _replaced(draft: Draft, base: Held, places: Ids, values: Held | float) -> Held:
    """The tensor with others in place of some of its numbers."""
    if not isinstance(base, Laid) and not isinstance(values, Laid):
        numbers = np.array(base, np.float64).ravel()
        numbers[places.ravel()] = np.broadcast_to(np.asarray(values), places.shape).ravel()
        return numbers.reshape(np.shape(base))
    cells = draft.laid(base).cells.ravel().copy()
    cells[places.ravel()] = np.broadcast_to(draft.laid(values).cells, places.shape).ravel()
    return Laid(cells.reshape(shape_of(base)))


@rule("slice_scatter", "select_scatter", "diagonal_scatter")
def put_into(draft: Draft, self: Held, src: Held, **part: Any) -> Held:
    """What a slice, a place or a diagonal of a tensor is written over with."""
    kind = draft.operation.kind.removesuffix("_scatter")
    return _replaced(draft, self, _places(shape_of(self), lambda x: moved_as(kind, x, **part)), src)


@rule("copy")
def copy(draft: Draft, self: Held, src: Held, **_: Any) -> Held:
    shape = shape_of(self)
    if isinstance(src, Laid):
        return Laid(np.broadcast_to(src.cells, shape))
    return np.broadcast_to(np.asarray(src, np.float64), shape)


@rule("fill")
def fill(draft: Draft, self: Held, value: Held) -> Held:
    return copy(draft, self, value)


@rule("index_put", "_unsafe_index_put")
def index_put(draft: Draft, self: Held, indices: Sequence[Any], values: Held, accumulate: bool = False) -> Held:
    """By whole numbers or a mask that are given; by a computed mask one number for all."""
    if any(isinstance(each, Laid) and draft.start_numbers(each) is None for each in indices):
        return _by_mask(draft, self, indices, values, accumulate)
    chosen = tuple(slice(None) if each is None else whole_numbers(draft, each) for each in indices)
    places = _places(shape_of(self), lambda x: x[chosen])
    return _added(draft, self, places, values) if accumulate else _replaced(draft, self, places, values)


def _by_mask(draft: Draft, base: Held, indices: Sequence[Any], values: Held, accumulate: bool) -> Held:
    (mask, *rest) = indices
    one = (values.cells.size if isinstance(values, Laid) else np.size(values)) == 1
    if rest or accumulate or not one or not isinstance(mask, Laid):
        raise draft.refuse("writes at places that are computed; write it with torch.where")
    wide = Laid(mask.cells.reshape(*mask.shape, *(1,) * (len(shape_of(base)) - mask.cells.ndim)))
    value = Laid(values.cells.reshape(())) if isinstance(values, Laid) else np.asarray(values).reshape(())
    return applied(draft, "where", condition=wide, self=value, other=base)


@rule("index_fill")
def index_fill(draft: Draft, self: Held, dim: int, index: Held, value: Held) -> Held:
    return _replaced(draft, self, _along(draft, self, dim, index), value)


@rule("index_copy")
def index_copy(draft: Draft, self: Held, dim: int, index: Held, source: Held) -> Held:
    return _replaced(draft, self, _along(draft, self, dim, index), source)


def _along(draft: Draft, value: Held, dim: int, index: Held) -> Ids:
    numbers = whole_numbers(draft, index).ravel()
    return _places(shape_of(value), lambda x: np.take(x, numbers, axis=dim))


@rule("scatter")
def scatter(draft: Draft, self: Held, dim: int, index: Held, src: Held | None = None, value: Held | None = None,
            reduce: str | None = None) -> Held:  # fmt: skip
    """A number for each of the index, at the place along one dimension that it names."""
    if reduce is None and computed(draft, index):
        source = np.asarray(value) if src is None else _first(src, shape_of(index))
        return put(draft, self, draft.laid(index), dim, source, False)
    places = _scattered(draft, self, dim, index)
    values = value if src is None else _first(src, places.shape)
    assert values is not None
    if reduce == "add":
        return _added(draft, self, places, values)
    if reduce is not None:
        raise draft.refuse(f"with reduce={reduce!r} is not known; write it with scatter_add")
    return _replaced(draft, self, places, values)


@rule("masked_scatter")
def masked_scatter(draft: Draft, self: Held, mask: Held, source: Held) -> Held:
    kept = np.broadcast_to(whole_numbers(draft, mask) > 0, shape_of(self))
    places = _places(shape_of(self), lambda x: x[kept])
    flat = Laid(source.cells.ravel()) if isinstance(source, Laid) else np.asarray(source).ravel()
    return _replaced(draft, self, places, _first(flat, places.shape))


def _scattered(draft: Draft, value: Held, dim: int, index: Held) -> Ids:
    numbers = whole_numbers(draft, index)
    grid = np.indices(numbers.shape)
    grid[dim % numbers.ndim] = numbers
    places: Ids = np.ravel_multi_index(tuple(grid), shape_of(value))  # type: ignore[assignment]
    return places


def _first(value: Held, shape: Sequence[int]) -> Held:
    """The part of a tensor that an index has numbers for."""
    part = tuple(slice(0, size) for size in shape)
    return Laid(value.cells[part]) if isinstance(value, Laid) else np.asarray(value)[part]


@rule("scatter_add")
def scatter_add(draft: Draft, self: Held, dim: int, index: Held, src: Held) -> Held:
    if computed(draft, index):
        return put(draft, self, draft.laid(index), dim, _first(src, shape_of(index)), True)
    return _reduced(draft, self, dim, index, src)


@rule("index_add")
def index_add(draft: Draft, self: Held, dim: int, index: Held, source: Held, alpha: float = 1) -> Held:
    if alpha != 1:
        source = applied(draft, "mul", self=source, other=np.asarray(alpha))
    numbers = whole_numbers(draft, index).ravel()
    return _sums(draft, self, dim, numbers, source)


@rule("scatter_reduce")
def scatter_reduce(draft: Draft, self: Held, dim: int, index: Held, src: Held, reduce: str,
                   include_self: bool = True) -> Held:  # fmt: skip
    """Sums and means."""
    if reduce not in ("sum", "mean"):
        raise draft.refuse(f"with {reduce!r} is not known; write it with a sum or a mean")
    places = _scattered(draft, self, dim, index).ravel()
    size = int(np.prod(shape_of(self), dtype=int))
    counts = np.bincount(places, minlength=size).reshape(shape_of(self))
    start: Held = self if include_self else applied(draft, "where", condition=counts > 0, self=np.zeros(()), other=self)
    total = _reduced(draft, start, dim, index, src)
    if reduce == "sum":
        return total
    return applied(draft, "div", self=total, other=np.maximum(counts + include_self, 1).astype(float))


def _reduced(draft: Draft, base: Held, dim: int, index: Held, src: Held) -> Held:
    """What is added along one dimension: whole rows at once where the index is the same for all of a row."""
    numbers = whole_numbers(draft, index)
    rows = np.moveaxis(numbers, dim, 0).reshape(numbers.shape[dim], -1)
    own, of = list(shape_of(base)), list(numbers.shape)
    own[dim] = of[dim] = 0
    if own == of and (rows == rows[:, :1]).all():
        return _sums(draft, base, dim, rows[:, 0], _first(src, numbers.shape))
    return _added(draft, base, _scattered(draft, base, dim, index), _first(src, numbers.shape))


def _sums(draft: Draft, base: Held, dim: int, numbers: NumberArray, source: Held) -> Held:
    """Rows added to those that their numbers name: a product with a matrix of ones."""
    turned = np.moveaxis(draft.laid(source).cells, dim, 0)
    count = shape_of(base)[dim]
    chosen = draft.laid((np.arange(count)[:, None] == numbers[None]).astype(float), "chosen")
    made = draft.laid(matmul(draft, chosen, Laid(turned.reshape(len(numbers), -1)))).cells
    total = Laid(np.moveaxis(made.reshape(count, *turned.shape[1:]), 0, dim))
    return _with(draft, base, total)


def _with(draft: Draft, base: Held, added: Held) -> Held:
    if not isinstance(base, Laid) and not np.any(np.asarray(base)):
        return added
    return applied(draft, "add", self=base, other=added)


def _added(draft: Draft, base: Held, places: Ids, values: Held | float) -> Held:
    """Numbers added at places that may come several times: first comers, then the second at a place, …"""
    flat, shape = places.ravel(), shape_of(base)
    cells = np.broadcast_to(draft.laid(values).cells, places.shape).ravel()
    nothing = int(draft.laid(np.zeros(()), "nothing").cells)
    order = np.zeros(len(flat), np.int64)
    seen: dict[int, int] = {}
    for k, place in enumerate(flat.tolist()):
        order[k] = seen.get(place, 0)
        seen[place] = seen.get(place, 0) + 1
    total = base
    for turn in range(max(seen.values(), default=0)):
        now = np.full(int(np.prod(shape, dtype=int)), nothing, np.int64)
        now[flat[order == turn]] = cells[order == turn]
        total = _with(draft, total, Laid(now.reshape(shape)))
    return total
