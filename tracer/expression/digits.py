"""Rounding as by hand, and numbers as text.

A half goes away from zero. A value within 1e-9 of a unit of the last place from a tie (or within
float64's own error, where that is more) counts as a tie, since 0.35·3 is 1.0499999999999998 in
float64 and 1.05 to everybody else. Zero has no sign.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import overload

import numpy as np
from numpy.typing import NDArray

TIE = 1e-9
FLOAT_ERROR, MOST_ERROR = 2.0**-51, 1e-6  # many digits on, float64 misses a tie by more than TIE
LARGEST_WRITTEN = 1e16
LARGEST_SCALED = 2.0**52  # from here on float64 has no decimals left to round


@overload
def round_half_away(values: NDArray[np.float64], decimals: int) -> NDArray[np.float64]: ...
@overload
def round_half_away(values: float, decimals: int) -> float: ...
def round_half_away(values: NDArray[np.float64] | float, decimals: int) -> NDArray[np.float64] | float:
    """Rounded to `decimals` (0 … 15) places, half away from zero.

    >>> round_half_away(0.35 * 3, 1)
    1.1
    """
    scale = 10.0**decimals
    if not isinstance(values, np.ndarray):
        size = abs(values) * scale
        if not size < LARGEST_SCALED:
            return float(values)
        tie = TIE + min(size * FLOAT_ERROR, MOST_ERROR)
        return math.copysign(math.floor(size + 0.5 + tie) / scale, values) or 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        sizes = np.abs(values) * scale
        ties = TIE + np.minimum(sizes * FLOAT_ERROR, MOST_ERROR)
        rounded = np.copysign(np.floor(sizes + 0.5 + ties) / scale, values)
        return np.where(sizes < LARGEST_SCALED, rounded + 0.0, values)


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals, rounded as by hand, with a typographic minus.

    From 1e16 on it is written with a power of ten.

    >>> fixed(-0.0004, 3), fixed(-1.5, 0)
    ('0.000', '−2')
    """
    if not abs(value) < LARGEST_WRITTEN:
        return _far_out(value)
    return f"{round_half_away(value, decimals):.{decimals}f}".replace("-", "−")


def fixed_texts(values: NDArray[np.float64], decimals: int) -> list[str]:
    """`fixed` of every number of an array, row by row, several times as fast where there are many.

    >>> fixed_texts(np.array([[0.0005, -1.5]]), 3)
    ['0.001', '−1.500']
    """
    if not (np.abs(values) < LARGEST_WRITTEN).all():
        return [fixed(value, decimals) for value in values.ravel().tolist()]
    rounded = round_half_away(values, decimals).ravel().tolist()
    return (f"%.{decimals}f " * len(rounded) % tuple(rounded)).replace("-", "−").split()


def as_typed(value: float) -> str:
    """A given number with the digits it was typed with.

    >>> as_typed(0.42), as_typed(1.0), as_typed(1e-05)
    ('0.42', '1', '0.00001')
    """
    if not math.isfinite(value):
        return _far_out(value)
    if not (value == 0 or 1e-6 <= abs(value) < LARGEST_WRITTEN):
        return repr(value).replace("-", "−")
    text = repr(value)
    text = f"{Decimal(text):f}" if "e" in text else text
    return (text.removesuffix(".0") if value else "0").replace("-", "−")


def typed_decimals(value: float) -> int:
    """How many decimals a given number was typed with.

    >>> typed_decimals(0.42), typed_decimals(3.0)
    (2, 0)
    """
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _far_out(value: float) -> str:
    """A number too large to write out: 1.014e+304, ∞."""
    text = f"{value:.3e}" if math.isfinite(value) else str(value).replace("inf", "∞").replace("nan", "NaN")
    return text.replace("-", "−")


def decimals_for(values: NDArray[np.float64], significant: int) -> int:
    """Decimals at which every cell shows `significant` digits, as far as is sensible.

    The smallest cell decides, but a cell far below the largest asks for no more than three
    digits beyond what the largest needs. Between `significant` and 15; zeros ask for nothing.
    """
    sizes = np.abs(values[(values != 0) & np.isfinite(values)])
    if not sizes.size:
        return significant
    largest = significant - 1 - math.floor(math.log10(sizes.max()))
    smallest = significant - 1 - math.floor(math.log10(sizes.min()))
    return max(min(smallest, largest + 3, 15), min(significant, 15))
