"""Lines 2 to 4 of DESIGN.md's table, which look at the key alone: for all the numbers of a sheet at once.

Most numbers of most sheets are settled here, so that a right sheet costs little more than reading it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracer.expression.dependents import Marked
from tracer.expression.interval import Interval
from tracer.judging.numbers import (
    LEAST_CUT,
    LEAST_SHARE_CUT,
    close,
    cut_off,
    equals,
    half,
    inside,
    least_own,
    stands_for,
    tolerance,
)
from tracer.judging.sheet import Sheet


@dataclass(frozen=True, eq=False, slots=True)
class ByKey:
    """What the key says of a matrix: `verdicts` to begin with ("" where it says nothing, what was copied included),
    then the cells that are `cut` off where they should be rounded, and those that are right at too `coarse` digits.

    `right` are cells that are the key's at their own digits, those that have a verdict too.
    """

    verdicts: NDArray[np.object_]
    cut: Marked
    coarse: Marked
    right: Marked


def by_key(sheet: Sheet) -> dict[str, ByKey]:
    """What the key says of every matrix that was written, by identifier."""
    row, key = sheet.in_a_row, sheet.of_key(sheet.key.values)
    computed = _computed(sheet)
    correct = equals(row, key)
    rounded = close(row.values, key, tolerance(row)) & ~correct & computed
    left = row.present & computed & ~correct & ~rounded
    right, cut, coarse = correct, np.zeros_like(left), np.zeros_like(left)
    if left.any():
        exactly = Interval.exactly(key)
        right = stands_for(row, np.maximum(row.own, row.units), exactly)
        cut = cut_off(row, row.units, exactly) & left
        coarse = row.coarse & right & left & ~cut
    verdicts = np.full(row.values.shape, "", dtype=object)
    for cells, verdict in ((correct, "correct"), (rounded, "rounded"), (row.present & ~computed & ~correct, "wrong")):
        verdicts[cells] = verdict
    for place in np.flatnonzero(~row.present).tolist():
        verdicts[0, place] = row.entries[0][place].kind
    parts = (sheet.matrices_of(each) for each in (verdicts, cut, coarse, right))
    return {each: ByKey(*of_each) for each, *of_each in zip(sheet.written, *parts, strict=True)}


def _computed(sheet: Sheet) -> Marked:
    """The numbers that are no copies of given ones."""
    assignments = sheet.key.program.assignments
    each = np.array([assignments[name].expression is not None for name in sheet.written], dtype=bool)
    return np.repeat(each, sheet.sizes)[None]


def cuts_off(sheet: Sheet) -> bool:
    """Whether the learner cuts off what they write: of the numbers that tell, more are the key's cut than rounded.

    At their own last places; a 0 tells nothing, and no number that is both.
    """
    row, key = sheet.in_a_row, Interval.exactly(sheet.of_key(sheet.key.values))
    own = least_own(row)
    with np.errstate(all="ignore"):  # of an exact number there is no last place
        cut, rounded = cut_off(row, own, key), inside(row.values, key, half(row, own))
    tells = (row.values != 0) & _computed(sheet)
    only_cut, only_rounded = (int(np.count_nonzero(each & tells)) for each in (cut & ~rounded, rounded & ~cut))
    enough = max(LEAST_CUT, LEAST_SHARE_CUT * int(np.count_nonzero(tells & row.present)))
    return only_cut >= enough and only_cut > only_rounded
