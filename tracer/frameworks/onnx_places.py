"""The operators of ONNX that tell places or put numbers there, and that make images larger."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Laid, NumberArray, moved
from tracer.frameworks.cellwise import combined
from tracer.frameworks.draft import Draft, written
from tracer.frameworks.moves import shape_of, whole_numbers
from tracer.frameworks.onnx_rules import Inputs, operator
from tracer.frameworks.ordering import place_of_extreme
from tracer.frameworks.resizing import coordinates, mixed, shares
from tracer.frameworks.rules import RULES, applied


@operator("ScatterElements")
def scatter_elements(draft: Draft, inputs: Inputs, axis: int = 0, reduction: str = "none") -> Held:
    x, places, values = inputs
    index = _not_negative(draft, places, shape_of(x)[axis])
    if reduction not in ("none", "add"):
        raise draft.refuse(f"with reduction={reduction} is not known; write it with a sum")
    kind = "scatter" if reduction == "none" else "scatter_add"
    return applied(draft, kind, self=x, dim=axis, index=index, src=values)


@operator("ScatterND")
def scatter_nd(draft: Draft, inputs: Inputs, reduction: str = "none") -> Held:
    """By places told as rows of numbers, one for each of the first dimensions."""
    x, places, values = inputs
    if reduction not in ("none", "add"):
        raise draft.refuse(f"with reduction={reduction} is not known; write it with a sum")
    rows = whole_numbers(draft, places)
    columns = [rows[..., k] for k in range(rows.shape[-1])]
    return applied(draft, "index_put", self=x, indices=columns, values=values, accumulate=reduction == "add")


@operator("TopK")
def topk(draft: Draft, inputs: Inputs, axis: int = -1, largest: int = 1, sorted: int = 1, k: int | None = None) -> Any:
    count = int(np.asarray(inputs[1]).ravel()[0]) if len(inputs) > 1 else int(k or 0)
    return RULES["topk"](draft, self=inputs[0], k=count, dim=axis, largest=bool(largest))


@operator("ArgMax", "ArgMin")
def argmax(draft: Draft, inputs: Inputs, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Held:
    if select_last_index:
        raise draft.refuse("with select_last_index takes the last of equal ones, not known here; leave that part out")
    if not isinstance(inputs[0], Laid):
        pick = np.argmax if draft.operation.kind.endswith("ArgMax") else np.argmin
        found: NumberArray = np.asarray(pick(inputs[0], axis=axis, keepdims=bool(keepdims)))
        return found
    largest = draft.operation.kind.endswith("ArgMax")
    return place_of_extreme(draft, inputs[0], axis, bool(keepdims), largest)


@operator("Hardmax")
def hardmax(draft: Draft, inputs: Inputs, axis: int = -1) -> Held:
    """1 at the largest, 0 elsewhere; of equal ones the first."""
    value = draft.laid(inputs[0])
    places = place_of_extreme(draft, value, axis, False, True)
    chosen = applied(draft, "one_hot", self=places, num_classes=value.shape[axis])
    return moved(chosen, lambda x: np.moveaxis(x, -1, axis))


@operator("OneHot")
def one_hot(draft: Draft, inputs: Inputs, axis: int = -1) -> Held:
    """Of places that are given or computed; the inputs are they, how many there are, and the numbers for off and on."""
    count, (off, on) = int(np.asarray(inputs[1]).ravel()[0]), np.asarray(inputs[2]).ravel()
    if not isinstance(inputs[0], Laid):
        rows: NumberArray = np.where(np.arange(count) == np.asarray(inputs[0])[..., None], on, off)
        return np.moveaxis(rows, -1, axis)
    chosen = applied(draft, "one_hot", self=inputs[0], num_classes=count)
    if (off, on) != (0.0, 1.0):
        chosen = combined(draft, lambda x: f"{x} * {written(float(on - off))} + {written(float(off))}", chosen)
    return moved(chosen, lambda x: np.moveaxis(x, -1, axis))


@operator("GatherND")
def gather_nd(draft: Draft, inputs: Inputs, batch_dims: int = 0) -> Held:
    if batch_dims:
        raise draft.refuse("with batch_dims is not known; leave that part out")
    rows = whole_numbers(draft, inputs[1])
    return moved(inputs[0], lambda x: np.asarray(x[tuple(np.moveaxis(rows, -1, 0))]))


def _not_negative(draft: Draft, places: Held, length: int) -> Any:
    numbers = whole_numbers(draft, places)
    return np.where(numbers < 0, numbers + length, numbers)


_WAYS = ("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners")


@operator("Resize", "Upsample")
def resize(
    draft: Draft, inputs: Inputs, mode: str = "nearest", coordinate_transformation_mode: str = "half_pixel",
    nearest_mode: str = "round_prefer_floor", scales: Any = None, **_: Any,
) -> Held:  # fmt: skip
    """Along each dimension the nearest cell, or a mixture of the two nearest."""
    old = draft.operation.kind.endswith("Upsample")
    way = "asymmetric" if old else coordinate_transformation_mode
    nearest = "floor" if old else nearest_mode
    x = draft.laid(inputs[0])
    told = scales if scales is not None else inputs[1] if old else _told(inputs, 2)
    sizes = None if old else _told(inputs, 3)
    if way not in _WAYS or mode not in ("nearest", "linear"):
        raise draft.refuse(f"with {mode} and {way} is not known; leave that part out")
    axes = []
    for axis, length in enumerate(x.shape):
        wanted = int(sizes[axis]) if sizes is not None else int(np.floor(length * told[axis]))
        width = 1 / float(told[axis]) if sizes is None else length / wanted
        axes.append((length, coordinates(length, wanted, width, way)))
    if mode == "linear":
        kept = [k for k, (length, at) in enumerate(axes) if len(at) == length and np.allclose(at, np.arange(length))]
        if [k for k in kept if k < 2] != [0, 1] or x.cells.ndim > 4:
            raise draft.refuse("of more than the last two dimensions is not known; leave that part out")
        return mixed(draft, x, [shares(at, length) for length, at in axes[2:]])
    cells = x.cells
    for axis, (length, at) in enumerate(axes):
        cells = np.take(cells, np.clip(_NEAREST[nearest](at), 0, length - 1).astype(int), axis=axis)
    return Laid(cells)


_NEAREST: dict[str, Any] = {
    "floor": np.floor,
    "ceil": np.ceil,
    "round_prefer_floor": lambda at: np.ceil(at - 0.5),
    "round_prefer_ceil": lambda at: np.floor(at + 0.5),
}


def _told(inputs: Inputs, place: int) -> Any:
    """An input that may be left out, or be empty."""
    value = inputs[place] if len(inputs) > place else None
    return None if value is None or np.size(value) == 0 else np.asarray(value, float).ravel()
