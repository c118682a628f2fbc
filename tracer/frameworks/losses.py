"""Losses as PyTorch has them: a mean unless it is asked for a sum, targets as labels or as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Laid, NumberArray
from tracer.frameworks.cellwise import combined
from tracer.frameworks.draft import Draft, written
from tracer.frameworks.rules import applied, rule

NONE, MEAN, SUM = 0, 1, 2


def _paired(draft: Draft, a: Laid, b: Laid, by_rows: bool) -> list[tuple[str, str]]:
    """The matrices of two tensors of one shape that belong together."""
    for each in (a, b):
        draft.start_matrices(each)
    blocks = draft.rows_of(a) if by_rows else draft.blocks(a, b)
    return [(draft.text(a.at(block)), draft.text(b.at(block))) for block in blocks]


def _total(draft: Draft, function: str, a: Held, b: Held, divisor: float, by_rows: bool = False) -> Held:
    """A loss of the program language over two tensors, divided; `by_rows` where a row is a sample's classes."""
    one, other = draft.laid(a), draft.laid(b, "target")
    one, other = (
        Laid(np.broadcast_to(each.cells, np.broadcast_shapes(one.shape, other.shape))) for each in (one, other)
    )
    if one.cells.ndim == 1:  # a column for a sample in each row
        one, other = Laid(one.cells[:, None]), Laid(other.cells[:, None])
    sums = [f"{function}({x}, {y})" for x, y in _paired(draft, one, other, by_rows)]
    text = " + ".join(sums) if len(sums) == 1 or divisor == 1 else f"({' + '.join(sums)})"
    text += "" if divisor == 1 else f" / {written(divisor)}"
    return Laid(draft.matrix(text, (1, 1)).reshape(()))


def _count(value: Held, reduction: int) -> float:
    size = value.cells.size if isinstance(value, Laid) else np.size(value)
    return float(size) if reduction == MEAN else 1.0


def _reduced(draft: Draft, value: Held, reduction: int) -> Held:
    if reduction == NONE:
        return value
    return applied(draft, "mean" if reduction == MEAN else "sum", self=value)


@rule("mse_loss")
def mse_loss(draft: Draft, self: Held, target: Held, reduction: int = MEAN) -> Held:
    if reduction == NONE:
        return combined(draft, "({} - {}) ** 2".format, self, target)
    return _total(draft, "squared_error", self, target, _count(self, reduction))


@rule("half_squared_error")
def half_squared_error(draft: Draft, self: Held, target: Held, samples: int = 1) -> Held:
    """½(a − y)², added up over the outputs and averaged over the samples."""
    return _total(draft, "half_squared_error", self, target, float(samples))


@rule("squared_error")
def squared_error(draft: Draft, self: Held, target: Held, samples: int = 1) -> Held:
    return _total(draft, "squared_error", self, target, float(samples))


@rule("l1_loss")
def l1_loss(draft: Draft, self: Held, target: Held, reduction: int = MEAN) -> Held:
    return _reduced(draft, combined(draft, "abs({} - {})".format, self, target), reduction)


@rule("smooth_l1_loss", "huber_loss")
def smooth_l1_loss(draft: Draft, self: Held, target: Held, reduction: int = MEAN, beta: float = 1.0,
                   delta: float | None = None) -> Held:  # fmt: skip
    """Squares near 0, distances beyond; Huber's is δ times the other."""
    width = beta if delta is None else delta
    scale = 1.0 if delta is None else delta
    distance = combined(draft, "abs({} - {})".format, self, target)
    text = f"where({{0}} < {width!r}, {0.5 * scale / width!r} * {{0}} ** 2, {scale!r} * ({{0}} - {0.5 * width!r}))"
    return _reduced(draft, combined(draft, text.format, distance), reduction)


@rule("cross_entropy_loss")
def cross_entropy_loss(draft: Draft, self: Held, target: Held, weight: Held | None = None, reduction: int = MEAN,
                       ignore_index: int = -100, label_smoothing: float = 0.0) -> Held:  # fmt: skip
    """Of logits, with labels or with a share for each class; classes along the second dimension."""
    logits = draft.laid(self)
    rows = logits.cells[None] if logits.cells.ndim == 1 else np.moveaxis(logits.cells, 1, -1)
    classes = rows.shape[-1]
    rows = rows.reshape(-1, classes)
    shares, count = _shares(draft, target, logits, ignore_index, label_smoothing)
    if isinstance(shares, Laid):
        if weight is not None:
            shares = draft.laid(applied(draft, "mul", self=shares, other=weight))
    elif weight is not None:
        shares, count = _weighed(draft, shares, weight, target, logits, ignore_index)
    if reduction == NONE:
        logs = applied(draft, "log_softmax", self=Laid(rows), dim=-1)
        each = applied(draft, "sum", self=applied(draft, "mul", self=logs, other=shares), dim=-1)
        return applied(draft, "neg", self=each)
    return _total(draft, "cross_entropy_of_logits", Laid(rows), shares, count if reduction == MEAN else 1.0, True)


def _labels(target: Held, like: Laid) -> bool:
    """Whether targets are labels and not shares."""
    shape = target.shape if isinstance(target, Laid) else np.shape(target)
    return len(shape) < like.cells.ndim or (like.cells.ndim == 1 and shape == ())


def _shares(draft: Draft, target: Held, logits: Laid, ignored: int, smoothing: float) -> tuple[Held, float]:
    """A row of shares for each sample, and how many samples count."""
    classes = logits.shape[0] if logits.cells.ndim == 1 else logits.shape[1]
    if _labels(target, logits):
        if isinstance(target, Laid):
            raise draft.refuse("has labels that are computed; expected labels that are given")
        labels = np.asarray(target).ravel()
        counts = labels != ignored
        if ((labels[counts] < 0) | (labels[counts] >= classes)).any() or (labels != np.floor(labels)).any():
            raise draft.refuse(
                f"found the labels {labels.tolist()[:10]}, expected whole numbers from 0 to {classes - 1}"
            )
        rows = np.where(counts[:, None], np.eye(classes)[np.where(counts, labels, 0).astype(int)], 0.0)
        smooth = rows * (1 - smoothing) + counts[:, None] * smoothing / classes
        return smooth, float(counts.sum())
    if isinstance(target, Laid):
        cells = target.cells[None] if logits.cells.ndim == 1 else np.moveaxis(target.cells, 1, -1)
        shares: Held = Laid(cells.reshape(-1, classes))
        if smoothing:
            text = f"{1 - smoothing!r} * {{}} + {smoothing / classes!r}".format
            shares = combined(draft, text, shares)
        return shares, float(cells.size // classes)
    given = np.moveaxis(np.asarray(target, float), 1, -1) if logits.cells.ndim > 1 else np.asarray(target, float)
    given = given.reshape(-1, classes)
    return given * (1 - smoothing) + smoothing / classes, float(len(given))


def _weighed(draft: Draft, shares: Held, weight: Held, target: Held, logits: Laid, ignored: int) -> tuple[Held, float]:
    if isinstance(weight, Laid):
        raise draft.refuse("has class weights that are computed; expected weights that are given")
    heavy = np.asarray(shares) * np.asarray(weight)
    if not _labels(target, logits):
        return heavy, float(len(heavy))
    labels = np.asarray(target).ravel()
    return heavy, float(np.asarray(weight)[labels[labels != ignored].astype(int)].sum())


@rule("cross_entropy_of_shares")
def cross_entropy_of_shares(draft: Draft, self: Held, target: Held) -> Held:
    """−Σ y ln a of a model that ends in softmax, averaged over the samples."""
    outputs = draft.laid(self)
    shares, count = _shares(draft, target, outputs, -100, 0.0)
    rows = outputs.cells.reshape(-1, outputs.shape[-1])
    return _total(draft, "cross_entropy", Laid(rows), shares, count, True)


@rule("nll_loss", "nll_loss_nd", "nll_loss2d")
def nll_loss(draft: Draft, self: Held, target: Held, weight: Held | None = None, reduction: int = MEAN,
             ignore_index: int = -100) -> Held:  # fmt: skip
    """Of logarithms of shares, with labels."""
    logs = draft.laid(self)
    shares, count = _shares(draft, target, logs, ignore_index, 0.0)
    if weight is not None:
        shares, count = _weighed(draft, shares, weight, target, logs, ignore_index)
    rows = Laid(np.moveaxis(logs.cells, 1, -1).reshape(-1, logs.shape[1]) if logs.cells.ndim > 1 else logs.cells[None])
    products = applied(draft, "mul", self=rows, other=draft.laid(shares, "target"))
    if reduction == NONE:
        return applied(draft, "neg", self=applied(draft, "sum", self=products, dim=-1))
    total = applied(draft, "sum", self=products)
    divisor = count if reduction == MEAN else 1.0
    return combined(draft, f"-{{}} / {written(divisor)}".format if divisor != 1 else "-{}".format, total)


@rule("binary_cross_entropy")
def binary_cross_entropy(draft: Draft, self: Held, target: Held, weight: Held | None = None,
                         reduction: int = MEAN) -> Held:  # fmt: skip
    if weight is None and reduction != NONE:
        return _total(draft, "binary_cross_entropy", self, target, _count(self, reduction))
    text = "-({1} * log({0}) + (1 - {1}) * log(1 - {0}))".format
    return _reduced(draft, _weighted(draft, combined(draft, text, self, target), weight), reduction)


def _weighted(draft: Draft, value: Held, weight: Held | None) -> Held:
    return value if weight is None else applied(draft, "mul", self=value, other=weight)


@rule("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(draft: Draft, self: Held, target: Held, weight: Held | None = None,
                                     pos_weight: Held | None = None, reduction: int = MEAN) -> Held:  # fmt: skip
    """ln(1 + e^z) − y·z, without an exponential of a large number."""
    if pos_weight is None:
        value = combined(draft, "softplus({0}) - {1} * {0}".format, self, target)
    else:
        text = "(1 - {1}) * {0} + (1 + ({2} - 1) * {1}) * softplus(-{0})".format
        value = combined(draft, text, self, target, pos_weight)
    return _reduced(draft, _weighted(draft, value, weight), reduction)


@rule("kl_div")
def kl_div(draft: Draft, self: Held, target: Held, reduction: int = MEAN, log_target: bool = False) -> Held:
    """Σ y (ln y − ln a), of logarithms ln a."""
    if log_target:
        value = combined(draft, "exp({1}) * ({1} - {0})".format, self, target)
    elif isinstance(target, Laid):
        value = combined(draft, "{1} * (log({1}) - {0})".format, self, target)
    else:
        known = np.asarray(target, float)
        logs = np.log(np.where(known > 0, known, 1.0))
        value = combined(draft, "{1} * ({2} - {0})".format, self, known, logs)
    return _reduced(draft, value, reduction)


@rule("hinge_loss")
def hinge_loss(draft: Draft, self: Held, target: Held, samples: int = 1) -> Held:
    """Σ max(0, 1 − y·a) over the samples' outputs, averaged over the samples."""
    short = combined(draft, "relu(1 - {1} * {0})".format, self, target)
    total = applied(draft, "sum", self=short)
    return total if samples == 1 else applied(draft, "div", self=total, other=np.asarray(float(samples)))


@rule("soft_margin_loss")
def soft_margin_loss(draft: Draft, self: Held, target: Held, reduction: int = MEAN) -> Held:
    return _reduced(draft, combined(draft, "softplus(-{1} * {0})".format, self, target), reduction)


@rule("poisson_nll_loss")
def poisson_nll_loss(draft: Draft, input: Held, target: Held, log_input: bool = True, full: bool = False,
                     eps: float = 1e-8, reduction: int = MEAN) -> Held:  # fmt: skip
    counts = draft.start_numbers(target) if isinstance(target, Laid) else np.asarray(target, float)
    if full and counts is None:
        raise draft.refuse("with full=True and computed targets is not known; leave it at its default")
    text = "exp({0}) - {1} * {0}" if log_input else f"{{0}} - {{1}} * log({{0}} + {eps!r})"
    made = combined(draft, text.format, input, target)
    if full and counts is not None:
        made = applied(draft, "add", self=made, other=_stirling(counts))
    return _reduced(draft, made, reduction)


def _stirling(counts: NumberArray) -> NumberArray:
    """What ln n! is nearly, of counts above 1; 0 of others."""
    known = np.where(counts > 1, counts, 1.0)
    return np.where(counts > 1, known * np.log(known) - known + 0.5 * np.log(2 * np.pi * known), 0.0)


@rule("cosine_similarity")
def cosine_similarity(draft: Draft, x1: Held, x2: Held, dim: int = 1, eps: float = 1e-8, **_: Any) -> Held:
    products = applied(draft, "sum", self=applied(draft, "mul", self=x1, other=x2), dim=dim)
    lengths = [applied(draft, "norm", self=each, dim=dim) for each in (x1, x2)]
    lengths = [applied(draft, "clamp", self=each, min=eps) for each in lengths]
    return combined(draft, "{} / ({} * {})".format, products, *lengths)
