"""Slips that the numbers of a problem's shape do not tell apart, seen on many drawings: they are listed, with why.

A single number is positive or negative: it tells relu from leaky relu, or leaves relu and a step function alone, but
never does both. Where no drawing tells all slips of a matrix apart, those count as one that are alike in the drawing
which leaves fewest together, and forms that are always the right matrix to its last decimal are told so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tracer.judging.slips.forms import SlipForm
from tracer.variation.many import Many
from tracer.variation.telling import EDGE, Reason, SlipGroup, Telling, stacked


def settled(telling: Telling, many: Many, identifier: str, decimals: int) -> Telling:
    """The slips of a matrix with those together that no drawing of many tells apart at these decimals."""
    groups = telling.groups[identifier]
    alike = _alike(stacked(many, identifier, groups), 10.0**-decimals)
    always = np.asarray(alike.all(axis=-1))
    fewest = min(range(many.count), key=lambda k: (int(alike[0, :, k].sum()), int(alike[..., k].sum())))
    chosen = alike[..., fewest] | always
    unseen = [form for k, group in enumerate(groups, 1) if chosen[0, k] for form in group.forms]
    rest = [k for k in range(1, len(groups) + 1) if not chosen[0, k]]
    made = [_one([groups[k - 1] for k in own], always[np.ix_(own, own)], many.count) for own in _together(rest, chosen)]
    return replace(
        telling,
        groups={**telling.groups, identifier: made},
        unseen=(*telling.unseen, *unseen),
        drawings=many.count,
    )


def _alike(made: NDArray[np.float64], unit: float) -> NDArray[np.bool_]:
    """Whether each two of the first axis are less than a unit apart in every cell: (n, n, variants)."""
    flat = made.reshape(*made.shape[:2], -1)
    return np.stack([(np.abs(flat - one).max(axis=-1) < unit * (1 - EDGE)) for one in flat])


def _together(rest: Sequence[int], chosen: NDArray[np.bool_]) -> Iterator[list[int]]:
    """The numbers in groups: those that are alike, directly or through others."""
    left = list(rest)
    while left:
        own = [left.pop(0)]
        for each in own:
            own += (near := [other for other in left if chosen[each, other]])
            left = [other for other in left if other not in near]
        yield own


def _one(groups: Sequence[SlipGroup], always: NDArray[np.bool_], drawings: int) -> SlipGroup:
    if len(groups) == 1:
        return groups[0]
    forms: tuple[SlipForm, ...] = tuple(form for group in groups for form in group.forms)
    seen = Reason("all" if always.all() else "at_once", drawings)
    return SlipGroup(forms, tuple(dict.fromkeys((*(reason for each in groups for reason in each.why), seen))))
