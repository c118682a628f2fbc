"""Products of matrices: linear layers, einsum."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.frameworks.cells import Held, Laid, LaidBlock, moved, natural_blocks
from tracer.frameworks.draft import Draft
from tracer.frameworks.moves import shape_of
from tracer.frameworks.rules import applied, rule


@rule("linear")
def linear(draft: Draft, input: Held, weight: Held, bias: Held | None = None) -> Held:
    """x·Wᵀ + b along the last dimension."""
    x, w = draft.laid(input), draft.laid(weight)
    rows = x if x.cells.ndim > 1 else Laid(x.cells.reshape(1, -1))
    table = w.cells if w.cells.ndim > 1 else w.cells.reshape(1, -1)
    width, units = rows.shape[-1], len(table)
    end = "" if bias is None else f" + {draft.text(draft.laid(bias).cells.reshape(1, -1))}"
    texts, blocks = [], []
    for each in draft.rows_of(rows):
        texts.append(f"{draft.text(rows.at(each))} @ {draft.text(table.T)}{end}")
        numbers = each.places[:, :1] // width
        blocks.append(LaidBlock(numbers * units + np.arange(units), each.index))
    made = draft.write(blocks, texts)
    return Laid(made.reshape(*x.shape[:-1], *([units] if w.cells.ndim > 1 else [])))


@rule("dense")
def dense(draft: Draft, input: Held, weight: Held, bias: Held | None = None) -> Held:
    """x·W + b: the weights as inputs × units."""
    turned = draft.laid(weight)
    return linear(draft, input, Laid(turned.cells.T), bias)


@rule("bilinear")
def bilinear(draft: Draft, input1: Held, input2: Held, weight: Held, bias: Held | None = None) -> Held:
    """Each unit: x·W of its own matrix, times the other input and added up."""
    a, b, w = draft.laid(input1), draft.laid(input2), draft.laid(weight)
    x, y = (each.cells.reshape(-1, each.shape[-1]) for each in (a, b))
    columns = []
    for unit, each in enumerate(w.cells):
        product = draft.matrix(f"{draft.text(x)} @ {draft.text(each)}", (len(x), len(y.T)), "product", (unit,))
        end = "" if bias is None else f" + {draft.text(draft.laid(bias).cells.reshape(1, -1)[:, unit : unit + 1])}"
        text = f"sum({draft.text(product)} * {draft.text(y)}, axis=1){end}"
        columns.append(draft.matrix(text, (len(x), 1), "", (unit,))[:, 0])
    return Laid(np.stack(columns, axis=-1).reshape(*a.shape[:-1], len(columns)))


@rule("matmul", "mm", "bmm", "mv", "dot")
def matmul(draft: Draft, self: Held, other: Held | None = None, **more: Held) -> Held:
    """Products of matrices, one for each place of the dimensions before the last two."""
    other = next(iter(more.values())) if other is None else other  # mat2, vec, tensor
    if not isinstance(self, Laid) and not isinstance(other, Laid):
        return np.asarray(np.matmul(self, other))
    a, b = draft.laid(self), draft.laid(other)
    left, right = a.cells, b.cells
    left = left[None] if left.ndim == 1 else left
    right = right[:, None] if right.ndim == 1 else right
    lead = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    if right.ndim == 2 and left.ndim > 2 and draft.table.blocks(a) is not None:
        return linear(draft, a, Laid(right.T if b.cells.ndim > 1 else right[:, 0]))
    left, right = (np.broadcast_to(each, (*lead, *each.shape[-2:])) for each in (left, right))
    for each in (a, b):
        draft.start_matrices(each)
    shape = (*lead, left.shape[-2], right.shape[-1])
    texts = [f"{draft.text(left[at])} @ {draft.text(right[at])}" for at in np.ndindex(*lead)]
    made = draft.write(natural_blocks(shape), texts).reshape(shape)
    made = made[..., 0, :] if a.cells.ndim == 1 else made
    return Laid(made[..., 0] if b.cells.ndim == 1 else made)


@rule("addmm", "baddbmm", "addbmm")
def addmm(draft: Draft, self: Held, mat1: Held | None = None, mat2: Held | None = None, beta: float = 1,
          alpha: float = 1, batch1: Held | None = None, batch2: Held | None = None) -> Held:  # fmt: skip
    first, second = (mat1, mat2) if mat1 is not None else (batch1, batch2)
    assert first is not None and second is not None
    product = matmul(draft, first, second)
    if alpha != 1:
        product = applied(draft, "mul", self=product, other=np.asarray(alpha))
    if beta == 0:
        return product
    added = self if beta == 1 else applied(draft, "mul", self=self, other=np.asarray(beta))
    return applied(draft, "add", self=product, other=added)


@rule("outer", "ger")
def outer(draft: Draft, self: Held, vec2: Held) -> Held:
    a, b = draft.laid(self), draft.laid(vec2)
    return matmul(draft, Laid(a.cells[:, None]), Laid(b.cells[None]))


@rule("einsum")
def einsum(draft: Draft, equation: str, tensors: Sequence[Held], **_: Any) -> Held:
    """Two tensors at a time: dimensions moved so that they are a product of matrices."""
    terms, wanted = _spelled(equation, [len(shape_of(each)) for each in tensors])
    given = [_of_letters(each, letters) for each, letters in zip(tensors, terms, strict=True)]
    value, letters = given[0]
    for k, (other, its) in enumerate(given[1:], start=1):
        needed = set(wanted).union(*(after for _, after in given[k + 1 :]))
        value, letters = _contracted(draft, draft.laid(value), letters, draft.laid(other), its, needed)
    whole = draft.laid(value)
    extra = [axis for axis, letter in enumerate(letters) if letter not in wanted]
    if extra:
        whole = draft.laid(applied(draft, "sum", self=whole, dim=extra))
        letters = "".join(each for each in letters if each in wanted)
    return Laid(whole.cells.transpose([letters.index(each) for each in wanted]))


def _spelled(equation: str, dimensions: Sequence[int]) -> tuple[list[str], str]:
    """The letters of each tensor and of the result: "…" and a result that is not told written out."""
    given, arrow, wanted = equation.replace(" ", "").partition("->")
    terms = given.split(",")
    free = [each for each in string.ascii_letters if each not in equation]
    hidden = [count - len(each.replace("...", "")) if "..." in each else 0
              for each, count in zip(terms, dimensions, strict=True)]  # fmt: skip
    dots = "".join(free[: max(hidden, default=0)])
    terms = [each.replace("...", dots[len(dots) - count :]) for each, count in zip(terms, hidden, strict=True)]
    if not arrow:
        told = "".join(terms)
        return terms, dots + "".join(sorted(each for each in set(told) - set(dots) if told.count(each) == 1))
    return terms, wanted.replace("...", dots)


def _of_letters(value: Held, letters: str) -> tuple[Held, str]:
    """A tensor with the diagonal of dimensions that have one letter."""
    for letter in dict.fromkeys(letters):
        while letters.count(letter) > 1:
            one = letters.index(letter)
            other = letters.index(letter, one + 1)
            value = moved(value, lambda x, a=one, b=other: np.asarray(x.diagonal(0, a, b)))  # type: ignore[misc]
            letters = letters[:one] + letters[one + 1 : other] + letters[other + 1 :] + letter
    return value, letters


def _contracted(draft: Draft, a: Laid, one: str, b: Laid, other: str, needed: set[str]) -> tuple[Held, str]:
    """The product of two tensors over the letters that nothing after needs."""
    both = [each for each in one if each in other and each in needed]
    inner = [each for each in one if each in other and each not in needed]
    left, right = [each for each in one if each not in other], [each for each in other if each not in one]
    sizes = dict(zip(one + other, a.shape + b.shape, strict=True))
    x = a.cells.transpose([one.index(each) for each in (*both, *left, *inner)])
    y = b.cells.transpose([other.index(each) for each in (*both, *inner, *right)])
    lead = [sizes[each] for each in both]
    across = math.prod(sizes[each] for each in inner)
    x, y = x.reshape(*lead, -1, across), y.reshape(*lead, across, -1)
    made = draft.laid(matmul(draft, Laid(x), Laid(y)))
    letters = "".join((*both, *left, *right))
    return Laid(made.cells.reshape([sizes[each] for each in letters])), letters
