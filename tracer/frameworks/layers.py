"""Layers of more than one formula: norms, attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Ids, Laid, LaidBlock
from tracer.frameworks.cellwise import MASKED, combined
from tracer.frameworks.draft import Draft, written
from tracer.frameworks.moves import shape_of
from tracer.frameworks.rules import Untold, applied, rule


def _normal_rows(draft: Draft, rows: Laid, eps: float, kind: str) -> Laid:
    """Each row (along the last dimension) less its mean, over the root of its variance; or over that of its squares."""
    blocks = draft.rows_of(rows)
    made = np.empty(rows.cells.size, np.int64)
    for block in blocks:
        x, (height, width) = draft.text(rows.at(block)), block.places.shape
        if kind == "rms":
            square = draft.matrix(f"mean({x} ** 2, axis=1)", (height, 1), "mean_square", block.index)
            text = f"{x} / sqrt({draft.text(square)} + {eps!r})"
        else:
            middle = draft.matrix(f"mean({x}, axis=1)", (height, 1), "mean_of", block.index)
            spread = draft.matrix(f"var({x}, axis=1)", (height, 1), "variance", block.index)
            text = f"({x} - {draft.text(middle)}) / sqrt({draft.text(spread)} + {eps!r})"
        cells = draft.matrix(text, (height, width), "normal", block.index)
        made[block.places] = cells
    return Laid(made.reshape(rows.shape))


def _scaled(draft: Draft, value: Held, weight: Held | None, bias: Held | None) -> Held:
    """Times the weight, plus the bias, in one formula."""
    if weight is None and bias is None:
        return value
    if weight is None or bias is None:
        other, kind = (weight, "mul") if bias is None else (bias, "add")
        return applied(draft, kind, self=value, other=other)
    return combined(draft, "{} * {} + {}".format, value, weight, bias)


@rule("layer_norm", "native_layer_norm")
def layer_norm(draft: Draft, input: Held, normalized_shape: Sequence[int], weight: Held | None = None,
               bias: Held | None = None, eps: float = 1e-5, **_: Any) -> Held:  # fmt: skip
    """Each sample over the last dimensions; the variance divided by n."""
    x, count = draft.laid(input), len(normalized_shape)
    rows = Laid(x.cells.reshape(*x.shape[: x.cells.ndim - count], -1))
    normal = _normal_rows(draft, rows, eps, "layer")
    return _scaled(draft, Laid(normal.cells.reshape(x.shape)), weight, bias)


@rule("rms_norm")
def rms_norm(draft: Draft, input: Held, normalized_shape: Sequence[int], weight: Held | None = None,
             eps: float | None = None, precision: float = float(np.finfo(np.float32).eps)) -> Held:  # fmt: skip
    """Each sample over the root of its mean square; eps is the precision of the numbers where none is given."""
    x, count = draft.laid(input), len(normalized_shape)
    rows = Laid(x.cells.reshape(*x.shape[: x.cells.ndim - count], -1))
    normal = _normal_rows(draft, rows, float(precision if eps is None else eps), "rms")
    return _scaled(draft, Laid(normal.cells.reshape(x.shape)), weight, None)


def _channels(value: Held | None, dimensions: int) -> Held | None:
    """One number for each channel, so that it is broadcast along the second dimension."""
    if value is None:
        return None
    shape = (-1, *(1,) * (dimensions - 2))
    return Laid(value.cells.reshape(shape)) if isinstance(value, Laid) else np.asarray(value).reshape(shape)


@rule("_native_batch_norm_legit_functional", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training",
      "native_batch_norm")  # fmt: skip
def batch_norm_with_averages(draft: Draft, **told: Any) -> Any:
    """The same, and beside it the averages that training goes on with."""
    told.setdefault("training", False)
    return (batch_norm(draft, **told), *(Untold("the averages of a batch"),) * 4)


@rule("batch_norm")
def batch_norm(draft: Draft, input: Held, weight: Held | None = None, bias: Held | None = None,
               running_mean: Held | None = None, running_var: Held | None = None, training: bool = False,
               momentum: float = 0.1, eps: float = 1e-5, **_: Any) -> Held:  # fmt: skip
    """Each channel over all samples and places of the batch; in evaluation with the running mean and variance."""
    x = draft.laid(input)
    if training:
        normal = _normal_channels(draft, x, eps)
    else:
        assert running_mean is not None and running_var is not None
        middle, spread = _channels(running_mean, x.cells.ndim), _channels(running_var, x.cells.ndim)
        text = f"({{}} - {{}}) / sqrt({{}} + {eps!r})".format
        assert middle is not None and spread is not None
        made = combined(draft, text, x, middle, spread)
        normal = draft.laid(made)
    return _scaled(draft, normal, _channels(weight, x.cells.ndim), _channels(bias, x.cells.ndim))


def _normal_channels(draft: Draft, x: Laid, eps: float) -> Laid:
    draft.start_matrices(x)
    if x.cells.ndim == 2:
        blocks = [LaidBlock(np.arange(x.cells.size).reshape(x.shape), ())]
        down = ", axis=0"
    else:
        places = np.moveaxis(np.arange(x.cells.size).reshape(x.shape), 1, 0)
        width = x.shape[-1]
        index = (lambda k: (k,)) if x.shape[1] > 1 else (lambda k: ())
        blocks = [LaidBlock(each.reshape(-1, width), index(k)) for k, each in enumerate(places)]
        down = ""
    made = np.empty(x.cells.size, np.int64)
    for block in blocks:
        text, width = draft.text(x.at(block)), block.places.shape[1]
        shape = (1, width) if down else (1, 1)
        middle = draft.matrix(f"mean({text}{down})", shape, "mean_of", block.index)
        spread = draft.matrix(f"var({text}{down})", shape, "variance", block.index)
        formula = f"({text} - {draft.text(middle)}) / sqrt({draft.text(spread)} + {eps!r})"
        made[block.places] = draft.matrix(formula, (len(block.places), width), "normal", block.index)
    return Laid(made.reshape(x.shape))


@rule("instance_norm")
def instance_norm(draft: Draft, input: Held, weight: Held | None = None, bias: Held | None = None,
                  running_mean: Held | None = None, running_var: Held | None = None, use_input_stats: bool = True,
                  momentum: float = 0.1, eps: float = 1e-5, **_: Any) -> Held:  # fmt: skip
    """Each channel of each sample by itself; in evaluation with running averages, where it keeps them."""
    if not use_input_stats:
        return batch_norm(draft, input, weight, bias, running_mean, running_var, False, momentum, eps)
    return group_norm(draft, input, None, weight, bias, eps)


@rule("group_norm")
def group_norm(draft: Draft, input: Held, num_groups: int | None = None, weight: Held | None = None,
               bias: Held | None = None, eps: float = 1e-5, **_: Any) -> Held:  # fmt: skip
    """Each sample's groups of channels by themselves; each channel where no groups are told."""
    x = draft.laid(input)
    rows = Laid(x.cells.reshape(x.shape[0], num_groups or x.shape[1], -1))
    normal = Laid(_normal_rows(draft, rows, eps, "group").cells.reshape(x.shape))
    return _scaled(draft, normal, _channels(weight, x.cells.ndim), _channels(bias, x.cells.ndim))


@rule("scaled_dot_product_attention")
def attention(draft: Draft, query: Held, key: Held, value: Held, attn_mask: Held | None = None,
              dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None,
              enable_gqa: bool = False) -> Held:  # fmt: skip
    """Softmax of the scores between queries and keys, for each head, times the values."""
    q, k, v = map(draft.laid, (query, key, value))
    if enable_gqa:
        k, v = (Laid(np.repeat(each.cells, q.shape[-3] // each.shape[-3], axis=-3)) for each in (k, v))
    factor = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    mask = _mask(attn_mask, is_causal, (q.shape[-2], k.shape[-2]))
    lead = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    q, k, v = (Laid(np.broadcast_to(each.cells, (*lead, *each.shape[-2:]))) for each in (q, k, v))
    wide = None if mask is None else np.broadcast_to(draft.laid(mask, "mask").cells, (*lead, *shape_of(mask)[-2:]))
    made = np.empty((*lead, q.shape[-2], v.shape[-1]), np.int64)
    told = [axis for axis, size in enumerate(lead) if size > 1]
    for at in np.ndindex(*lead):
        index = tuple(at[axis] for axis in told)
        masked = None if wide is None else wide[at]
        made[at] = _one_head(draft, q.cells[at], k.cells[at], v.cells[at], masked, factor, index)
    return Laid(made)


def _one_head(draft: Draft, q: Ids, k: Ids, v: Ids, mask: Ids | None, factor: float, index: tuple[int, ...]) -> Ids:
    """The output of one head of one sample."""
    size, root = (len(q), len(k)), round(1 / factor**2)
    scale = f" / sqrt({root})" if math.isclose(1 / math.sqrt(root or 1), factor) else f" * {written(factor)}"
    text = f"{draft.text(q)} @ {draft.text(k.T)}{scale}"
    scores = draft.matrix(text + (f" + {draft.text(mask)}" if mask is not None else ""), size, "scores", index)
    shares = draft.matrix(f"softmax({draft.text(scores)})", size, "shares", index)
    return draft.matrix(f"{draft.text(shares)} @ {draft.text(v)}", (len(q), v.shape[1]), "", index)


def _mask(given: Held | None, causal: bool, shape: tuple[int, int]) -> Held | None:
    """What is added to the scores: 0, or what stands for minus infinity."""
    if causal:
        return np.where(np.tril(np.ones(shape)) > 0, 0.0, MASKED)
    if given is None or isinstance(given, Laid):
        return given
    found = np.asarray(given)
    if found.dtype == bool:
        return np.where(found, 0.0, MASKED)
    return np.maximum(found.astype(np.float64), MASKED)
