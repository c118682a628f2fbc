"""Operations that pick by the order of computed numbers: the rank of each among the others, and what has a rank.

Ranks and places are whole numbers that formulas count, so that they follow the numbers; no gradient goes through them.
What is picked is a product with a table of zeros and ones, through which the gradient reaches the numbers picked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Laid, natural_blocks
from tracer.frameworks.cellwise import EQUAL, combined
from tracer.frameworks.draft import Draft
from tracer.frameworks.reductions import reduced
from tracer.frameworks.rules import Later, applied, rule

_BEFORE = {
    True: "where({2} > 0, where({0} >= {1}, 1, 0), where({0} > {1}, 1, 0))",
    False: "where({2} > 0, where({0} <= {1}, 1, 0), where({0} < {1}, 1, 0))",
}
"""Whether a number comes before another, the largest or the smallest first; of equal ones the first."""


def _last(value: Laid, dim: int) -> Laid:
    """The tensor with a dimension at its end."""
    return Laid(np.moveaxis(value.cells, dim, -1) if value.cells.ndim else value.cells.reshape(1))


def _combined(draft: Draft, text: str, part: str, *operands: Held) -> Laid:
    """A rule for cells, in matrices of the last two dimensions."""
    shape = np.broadcast_shapes(*(each.shape for each in operands))
    return draft.laid(combined(draft, text.format, *operands, blocks=natural_blocks(shape), part=part))


def _ranks(draft: Draft, rows: Laid, largest: bool) -> Laid:
    """How many come before each along the last dimension."""
    count = rows.shape[-1]
    earlier = np.triu(np.ones((count, count)), 1)
    draft.start_matrices(rows)
    before = _combined(draft, _BEFORE[largest], "before", Laid(rows.cells[..., None]), Laid(rows.cells[..., None, :]),
                       draft.laid(earlier, "earlier"))  # fmt: skip
    return reduced(draft, before, -2, False, "sum", "rank")


def one_hot(draft: Draft, places: Laid, count: int, down: bool = False) -> Laid:
    """1 where a place has its number: along a new last dimension, or down one before the last."""
    numbers = np.arange(count, dtype=np.float64)
    asked = Laid(places.cells[..., None, :] if down else places.cells[..., None])
    return _combined(draft, EQUAL, "chosen", asked, draft.laid(numbers[:, None] if down else numbers, "numbers"))


def _product(draft: Draft, rows: Laid, table: Laid, part: str = "") -> Laid:
    """Each row of a tensor times a table of its own."""
    shape = (*rows.shape[:-1], 1, table.shape[-1])
    places = [each for each in np.ndindex(*rows.shape[:-1])]
    texts = [f"{draft.text(rows.cells[at][None])} @ {draft.text(table.cells[at])}" for at in places]
    return Laid(draft.write(natural_blocks(shape), texts, part).reshape(*rows.shape[:-1], -1))


class _Picks:
    """What has the ranks asked for along one dimension: the numbers and their places, each written when it is used."""

    def __init__(self, draft: Draft, value: Laid, dim: int, ranks: Sequence[int], largest: bool) -> None:
        self.draft, self.dim, self.ranks, self.largest = draft, dim, list(ranks), largest
        self.rows = _last(value, dim)
        self._chosen: Laid | None = None

    def chosen(self) -> Laid:
        """1 where a number has the rank: numbers down, ranks along."""
        if self._chosen is None:
            ranks = _ranks(self.draft, self.rows, self.largest)
            asked = self.draft.laid(np.asarray(self.ranks, np.float64), "ranks")
            self._chosen = _combined(self.draft, EQUAL, "chosen", Laid(ranks.cells[..., None]), asked)
        return self._chosen

    def numbers(self) -> Laid:
        return self._turned(_product(self.draft, self.rows, self.chosen()))

    def places(self) -> Laid:
        count = self.draft.laid(np.arange(self.rows.shape[-1], dtype=np.float64), "places")
        chosen = self.chosen()
        wide = Laid(np.broadcast_to(count.cells, (*chosen.shape[:-2], len(count.cells))))
        return self._turned(_product(self.draft, wide, chosen, "places"))

    def _turned(self, made: Laid) -> Laid:
        return Laid(np.moveaxis(made.cells, -1, self.dim))


def _both(draft: Draft, picks: _Picks, keepdim: bool = True) -> tuple[Later, Later]:
    """The numbers and their places, without their dimension where it is not kept."""
    numbers, places = (
        lambda: _kept(picks.numbers(), picks.dim, keepdim),
        lambda: _kept(picks.places(), picks.dim, keepdim),
    )
    return Later(numbers, draft.operation), Later(places, draft.operation)


def _kept(value: Laid, dim: int, keepdim: bool) -> Laid:
    return value if keepdim else Laid(np.take(value.cells, 0, axis=dim))


@rule("max", "min")
def extreme(draft: Draft, self: Held, dim: int | None = None, keepdim: bool = False, other: Held | None = None) -> Any:
    """The largest or smallest of all, or along a dimension with its place; of two tensors that of each pair."""
    largest = draft.operation.kind == "max"
    if other is not None:
        return applied(draft, "maximum" if largest else "minimum", self=self, other=other)
    found = applied(draft, "amax" if largest else "amin", self=self, dim=dim, keepdim=keepdim)
    if dim is None or not isinstance(self, Laid):
        return found
    picks = _Picks(draft, self, dim, [0], largest)
    return found, _both(draft, picks, keepdim)[1]


@rule("topk")
def topk(draft: Draft, self: Held, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The k largest or smallest, and their places; of equal ones the first."""
    return _both(draft, _Picks(draft, draft.laid(self), dim, range(k), largest))


@rule("sort", "msort")
def sort(draft: Draft, self: Held, dim: int = -1, descending: bool = False, stable: bool | None = None) -> Any:
    value, alone = draft.laid(self), draft.operation.kind == "msort"
    axis = 0 if alone else dim
    picks = _Picks(draft, value, axis, range(value.shape[axis] if value.shape else 1), descending)
    return picks.numbers() if alone else _both(draft, picks)


@rule("argsort")
def argsort(draft: Draft, self: Held, dim: int = -1, descending: bool = False, stable: bool | None = None) -> Held:
    value = draft.laid(self)
    return _Picks(draft, value, dim, range(value.shape[dim]), descending).places()


def place_of_extreme(draft: Draft, value: Laid, dim: int, keepdim: bool, largest: bool) -> Laid:
    """The place of the largest or smallest along a dimension; of equal ones the first."""
    return _kept(_Picks(draft, value, dim, [0], largest).places(), dim, keepdim)


@rule("argmax", "argmin")
def argmax(draft: Draft, self: Held, dim: int | None = None, keepdim: bool = False) -> Held:
    value, largest = draft.laid(self), draft.operation.kind == "argmax"
    if dim is not None:
        return place_of_extreme(draft, value, dim, keepdim, largest)
    found = place_of_extreme(draft, Laid(value.cells.reshape(-1)), 0, False, largest)
    return Laid(found.cells.reshape((1,) * value.cells.ndim if keepdim else ()))


@rule("kthvalue", "median")
def kthvalue(draft: Draft, self: Held, k: int | None = None, dim: int | None = None, keepdim: bool = False) -> Any:
    """The k-th smallest and its place; the median is the lower of two in the middle."""
    value = draft.laid(self)
    if draft.operation.kind == "median" and dim is None:
        flat = Laid(value.cells.reshape(-1))
        return Laid(_Picks(draft, flat, 0, [(flat.cells.size - 1) // 2], False).numbers().cells.reshape(()))
    axis = -1 if dim is None else dim
    rank = (value.shape[axis] - 1) // 2 if k is None else k - 1
    return _both(draft, _Picks(draft, value, axis, [rank], False), keepdim)


@rule("quantile")
def quantile(draft: Draft, self: Held, q: Any, dim: int | None = None, keepdim: bool = False,
             interpolation: str = "linear") -> Held:  # fmt: skip
    """Between the two numbers whose ranks are nearest to the share asked for."""
    value, share = draft.laid(self), np.asarray(q, float)
    if share.ndim or interpolation != "linear":
        raise draft.refuse("is known for one share with linear interpolation; ask for each by itself")
    rows = Laid(value.cells.reshape(-1)) if dim is None else value
    axis, last = (0, rows.cells.size - 1) if dim is None else (dim, value.shape[dim] - 1)
    below = min(int(share * last), max(last - 1, 0))
    picks = _Picks(draft, rows, axis, [below, min(below + 1, last)], False)
    pair = np.moveaxis(picks.numbers().cells, axis, 0)
    made = applied(draft, "lerp", self=Laid(pair[0]), end=Laid(pair[1]), weight=np.asarray(share * last - below))
    cells = draft.laid(made).cells
    if not keepdim:
        return Laid(cells)
    return Laid(cells.reshape((1,) * value.cells.ndim) if dim is None else np.expand_dims(cells, dim))


@rule("any", "all")
def any_(draft: Draft, self: Held, dim: Any = None, keepdim: bool = False) -> Held:
    """Whether one of them is not 0, or none is."""
    told = applied(draft, "ne", self=self, other=np.asarray(0.0))
    kind = "amax" if draft.operation.kind == "any" else "amin"
    return applied(draft, kind, self=told, dim=dim, keepdim=keepdim)


@rule("bucketize")
def bucketize(draft: Draft, self: Held, boundaries: Held, right: bool = False, **_: Any) -> Held:
    """How many of the boundaries a number is beyond."""
    text = "where({0} >= {1}, 1, 0)" if right else "where({0} > {1}, 1, 0)"
    beyond = combined(draft, text.format, Laid(draft.laid(self).cells[..., None]), draft.laid(boundaries))
    return applied(draft, "sum", self=beyond, dim=-1)


@rule("one_hot")
def one_hot_of(draft: Draft, self: Held, num_classes: int = -1) -> Held:
    if num_classes < 0:
        raise draft.refuse("does not tell how many classes there are; give num_classes")
    places = draft.laid(self)
    flat = one_hot(draft, Laid(places.cells.reshape(-1)), num_classes)
    return Laid(flat.cells.reshape(*places.shape, num_classes))


# tensors looked up, and written over, at places that are computed


def computed(draft: Draft, value: Any) -> bool:
    """Whether places are worked out by formulas, so that no number of them is known."""
    return isinstance(value, Laid) and draft.start_numbers(value) is None


def picked(draft: Draft, value: Held, places: Laid, dim: int) -> Laid:
    """Along a dimension the numbers at computed places: as many along it as there are places."""
    whole = draft.laid(value)
    kept = tuple(slice(0, n) if axis != dim % whole.cells.ndim else slice(None) for axis, n in enumerate(places.shape))
    rows, asked = _last(Laid(whole.cells[kept]), dim), _last(places, dim)
    draft.start_matrices(whole)
    made = _product(draft, rows, one_hot(draft, asked, rows.shape[-1], down=True))
    return Laid(np.moveaxis(made.cells, -1, dim))


def rows_picked(draft: Draft, table: Held, places: Laid, dim: int = 0) -> Laid:
    """Whole rows of a table (or parts along another dimension) by computed places."""
    whole = draft.laid(table)
    turned = np.moveaxis(whole.cells, dim, 0)
    draft.start_matrices(whole)
    chosen = one_hot(draft, Laid(places.cells.reshape(-1)), len(turned))
    made = draft.laid(applied(draft, "matmul", self=chosen, other=Laid(turned.reshape(len(turned), -1))))
    found = made.cells.reshape((*places.shape, *turned.shape[1:]))
    count = places.cells.ndim
    return Laid(np.moveaxis(found, tuple(range(count)), tuple(range(dim, dim + count))))


def put(draft: Draft, base: Held, places: Laid, dim: int, source: Held, added: bool) -> Held:
    """Numbers put (or added) along a dimension at computed places, no two of them at one."""
    whole = draft.laid(base)
    if any(n != m for axis, (n, m) in enumerate(zip(places.shape, whole.shape, strict=True))
           if axis != dim % whole.cells.ndim):  # fmt: skip
        raise draft.refuse("writes at computed places of a part of a tensor; give it the places of the whole")
    chosen = one_hot(draft, _last(places, dim), whole.shape[dim])
    values = Laid(np.broadcast_to(draft.laid(source).cells, places.shape))
    sent = Laid(np.moveaxis(_product(draft, _last(values, dim), chosen).cells, -1, dim))
    if not isinstance(base, Laid) and not np.any(base):
        return sent
    if added:
        return applied(draft, "add", self=base, other=sent)
    taken = reduced(draft, chosen, -2, False, "sum", "taken")
    return applied(draft, "where", condition=Laid(np.moveaxis(taken.cells, -1, dim)), self=sent, other=base)
