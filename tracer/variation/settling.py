"""Slips that the numbers of a problem's shape do not tell apart, seen on many drawings: they are listed, with why.

A single number is positive or negative: it tells relu from leaky relu, or leaves relu and a step function alone, but
never does both. Where no drawing tells all slips of all matrices apart, those count as one that are alike in the
drawing which tells most matrices, and forms that give the right matrix there are listed as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tracer.judging.slips.forms import SlipForm
from tracer.variation.many import Many
from tracer.variation.telling import EDGE, Reason, SlipGroup, Telling, Unseen, stacked

OFTEN = 0.02  # of the drawings: what is alike in so many stands in the way of telling many matrices at once


def settled(telling: Telling, many: Many, decimals: Mapping[str, int], widely: bool) -> Telling:
    """The slips with those together that no drawing of many tells apart at these decimals, all others at once.

    `widely`: also those that are alike in a part of the drawings, so that drawings are found that tell the rest.
    """
    told = {each: telling.gaps(many, each) >= 10.0 ** -decimals[each] * (1 - EDGE) for each in decimals}
    best = int(np.argmax(np.sum(list(told.values()), axis=0)))
    for each, tells in told.items():
        if not tells[best] or (widely and tells.mean() < OFTEN):
            telling = _settled(telling, many, each, 10.0 ** -decimals[each], best, widely)
    return telling


def _settled(telling: Telling, many: Many, identifier: str, unit: float, best: int, widely: bool) -> Telling:
    groups = telling.groups[identifier]
    alike = _alike(stacked(many, identifier, groups), unit)
    always = np.asarray(alike.all(axis=-1))
    chosen = alike[..., best] | always
    if widely:
        chosen[1:, 1:] |= alike[1:, 1:].mean(axis=-1) >= OFTEN
    unseen = [
        Unseen(form, _reason(bool(always[0, k]), many.count))
        for k, group in enumerate(groups, 1) if chosen[0, k] for form in group.forms
    ]  # fmt: skip
    rest = [k for k in range(1, len(groups) + 1) if not chosen[0, k]]
    made = [
        _one([groups[k - 1] for k in own], _reason(bool(always[np.ix_(own, own)].all()), many.count))
        for own in _together(rest, chosen)
    ]
    return replace(telling, groups={**telling.groups, identifier: made}, unseen=(*telling.unseen, *unseen))


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


def _reason(always: bool, drawings: int) -> Reason:
    return Reason("all" if always else "at_once", drawings)


def _one(groups: Sequence[SlipGroup], seen: Reason) -> SlipGroup:
    if len(groups) == 1:
        return groups[0]
    forms: tuple[SlipForm, ...] = tuple(form for group in groups for form in group.forms)
    return SlipGroup(forms, tuple(dict.fromkeys((*(reason for each in groups for reason in each.why), seen))))
