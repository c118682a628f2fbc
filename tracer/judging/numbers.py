"""Whether a number that was written stands for a value: rounded, cut off, within a bound; ties count as met.

Where no number stands (nan) nothing holds; the caller lets numpy be silent about that (`judging.judge` does).
"""

from __future__ import annotations

import numpy as np

from tracer.answers.numbers import SIGNIFICANT
from tracer.expression.arrays import Array
from tracer.expression.dependents import Marked
from tracer.expression.interval import Interval
from tracer.judging.sheet import WrittenMatrix

SLACK = 1e-9  # of a unit: a tie is a tie (expression/digits.py)
ROUNDING = 4 * float(np.finfo(np.float64).eps)  # of a value: float64's own
MARGIN = 0.15  # of a bound: the least that no honest sheet of the simulator exceeds, rounded up (RESULTS.md)
MOST_UNITS, MOST_SHARE = 20.0, 0.05  # of the last place, and of the largest key value: beyond both there is no bound
FARTHEST = 5.0  # units that a right cell is taken to be off, at most
LEAST_CUT, LEAST_SHARE_CUT = 2, 0.08  # numbers that only cutting off gives, and their share: few are so by chance
LEAST_DIGITS = 3  # significant ones that scratch paper has
DIGIT_FEWER = 10.0  # times a unit: of wrong rules too what is written may have one digit fewer than asked for
OUT_OF_REACH = 2.0  # times a bound too wide to tell: what first order leaves out is less than it has
LIMITS = {
    "slack": SLACK, "rounding": ROUNDING, "significant": SIGNIFICANT, "margin": MARGIN, "most_units": MOST_UNITS,
    "most_share": MOST_SHARE, "farthest": FARTHEST, "least_digits": LEAST_DIGITS, "least_cut": LEAST_CUT,
    "least_share_cut": LEAST_SHARE_CUT, "digit_fewer": DIGIT_FEWER,
}  # fmt: skip
"""All of these by name, for the surfaces that mark by themselves."""


def close(values: Array, others: Array | float, tolerance: Array | float) -> Marked:
    """Whether numbers are no further from others than this."""
    return np.asarray(np.abs(values - others) <= tolerance)


def inside(values: Array, interval: Interval, tolerance: Array | float) -> Marked:
    """Whether numbers lie within bounds, give or take this."""
    return np.asarray((values >= interval.low - tolerance) & (values <= interval.high + tolerance))


def tolerance(written: WrittenMatrix) -> Array:
    """What a number may be off the value that it stands for, at the digits asked for."""
    return half(written, written.units)


def half(written: WrittenMatrix, units: Array) -> Array:
    """Half of a unit, as far as float64 tells."""
    return np.asarray((0.5 + SLACK) * units + ROUNDING * np.abs(written.values))


def equals(written: WrittenMatrix, key: Array) -> Marked:
    """Equal to the digits written, no fewer than asked for; an exact value needs no zeros behind it."""
    fine = close(written.values, key, half(written, least_own(written))) & ~written.coarse
    return np.asarray(fine | close(written.values, key, half(written, 0 * written.units)))


def least_own(written: WrittenMatrix) -> Array:
    """The last places written, as far as they are compared."""
    return np.asarray(np.maximum(written.own, SIGNIFICANT * np.abs(written.values)))


def cut_off(written: WrittenMatrix, units: Array, values: Interval) -> Marked:
    """Whether a value between two gives the number when its digits beyond a unit are cut off.

    A value that is a whole unit itself does not give 0: a 1 has nothing to be cut off.
    """
    numbers = written.values
    slack = SLACK * units + ROUNDING * np.abs(numbers)
    low = np.where(numbers <= 0, numbers - units, numbers) - slack
    high = np.where(numbers >= 0, numbers + units, numbers) + slack
    whole = (numbers == 0) & (values.low == values.high) & (np.abs(values.low) == units)
    even = np.abs(numbers - np.round(numbers / units) * units) <= slack + 1e-6 * units
    return np.asarray(even & ~whole & (values.high >= low) & (values.low <= high))


def a_digit_fewer(written: WrittenMatrix, key: Array) -> Marked:
    """Where a step function's value that is no whole number has one digit fewer than asked for: 0.0 for 0.01.

    Its 0 and 1 are exact.
    """
    return np.asarray((key != np.round(key)) & (written.own <= 1.5 * DIGIT_FEWER * written.units))


def stands_for(written: WrittenMatrix, units: Array, values: Interval) -> Marked:
    """Whether a number is rounded from a value between two, or cut off."""
    return np.asarray(inside(written.values, values, half(written, units)) | cut_off(written, units, values))


def too_wide(reach: Array, units: Array, key: Array) -> Marked:
    """Where a bound says nothing."""
    return np.asarray(~(reach <= farthest_told(units, key)))


def farthest_told(units: Array, key: Array) -> Array:
    """The widest bound that says something."""
    return np.asarray(np.maximum(MOST_UNITS * units, MOST_SHARE * np.abs(key).max(initial=0.0)))
