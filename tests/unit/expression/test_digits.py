import math
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracer.expression.digits import as_typed, decimals_for, fixed, fixed_texts, round_half_away, typed_decimals


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (0.35 * 3, 1, 1.1),  # 1.0499999999999998 in float64
        (-0.35 * 3, 1, -1.1),
        (0.5, 0, 1.0),
        (-0.5, 0, -1.0),
        (2.5, 0, 3.0),
        (1.005, 2, 1.01),
        (2.675, 2, 2.68),
        (0.49, 0, 0.0),
        (0.5 - 1e-10, 0, 1.0),  # within 1e-9 of a tie
        (0.5 - 1e-8, 0, 0.0),
        (-0.0004, 3, 0.0),
        (123.456, 15, 123.456),
        (2.0**53 + 2.0, 3, 2.0**53 + 2.0),  # no decimals left
        (-1e100, 2, -1e100),
        (1e-300, 15, 0.0),
        (math.inf, 3, math.inf),
    ],
)
def test_a_half_goes_away_from_zero(value: float, decimals: int, expected: float) -> None:
    assert round_half_away(value, decimals) == expected
    assert round_half_away(np.array([[value]]), decimals).tolist() == [[expected]]


@pytest.mark.parametrize("value", [0.0, -0.0, -0.0004, -1e-300])
def test_what_rounds_to_zero_has_no_sign(value: float) -> None:
    assert math.copysign(1.0, round_half_away(value, 3)) == 1.0
    assert not np.signbit(round_half_away(np.array([value]), 3)).any()


def test_what_is_no_number_stays_none() -> None:
    assert math.isnan(round_half_away(math.nan, 2))


def test_the_largest_numbers_round_to_themselves_without_a_warning() -> None:
    assert round_half_away(1e300, 15) == 1e300


@given(st.integers(-(10**7), 10**7), st.integers(0, 4), st.integers(0, 4))
def test_rounding_of_typed_numbers_is_that_of_decimal(digits: int, typed: int, decimals: int) -> None:
    exact = Decimal(digits).scaleb(-typed)
    expected = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    assert Decimal(repr(round_half_away(float(exact), decimals))) == expected


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (-0.0004, 3, "0.000"),
        (-1.5, 0, "−2"),
        (0.35 * 3, 1, "1.1"),
        (-0.05, 1, "−0.1"),
        (0.1, 15, "0.100000000000000"),
        (999.9995, 3, "1000.000"),
        (1e22, 2, "1.000e+22"),
        (-0.0, 2, "0.00"),
        (math.nan, 2, "NaN"),
    ],
)
def test_fixed_writes_so_many_decimals(value: float, decimals: int, expected: str) -> None:
    assert fixed(value, decimals) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.42, "0.42"),
        (1.0, "1"),
        (-2.0, "−2"),
        (0.0, "0"),
        (-0.0, "0"),
        (1e-05, "0.00001"),
        (1e-06, "0.000001"),
        (1e-07, "1e−07"),
        (-1.5e-07, "−1.5e−07"),
        (1e15, "1000000000000000"),
        (1e16, "1e+16"),
        (1e22, "1e+22"),
        (123456789.125, "123456789.125"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1.2345678912345678e16, "1.2345678912345678e+16"),
    ],
)
def test_a_given_number_reads_as_typed(value: float, expected: str) -> None:
    assert as_typed(value) == expected


@given(st.lists(st.floats() | st.integers(-(10**6), 10**6).map(lambda k: k / 2000), min_size=1), st.integers(0, 15))
def test_many_numbers_are_written_as_each_alone(values: list[float], decimals: int) -> None:
    assert fixed_texts(np.array([values]), decimals) == [fixed(value, decimals) for value in values]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_digit_of_a_given_number_is_lost(value: float) -> None:
    assert float(as_typed(value).replace("−", "-")) == value


@pytest.mark.parametrize(("value", "expected"), [(0.42, 2), (3.0, 0), (-0.125, 3), (1e-05, 5), (1e22, 0), (0.0, 0)])
def test_typed_decimals_counts_what_was_typed(value: float, expected: int) -> None:
    assert typed_decimals(value) == expected


@pytest.mark.parametrize(("value", "expected"), [(1e-07, 7), (1.5e-07, 8), (1.5e22, 0)])
def test_typed_decimals_knows_powers_of_ten(value: float, expected: int) -> None:
    assert typed_decimals(value) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.0], 3),
        ([0.1], 3),
        ([0.00123], 5),
        ([0.01, 0.1], 4),
        ([123.0], 3),
        ([1e-9, 1.0], 5),  # the smallest asks for 11, the largest for 2 and at most three more
        ([1e-20], 15),
        ([math.inf, 0.5], 3),
    ],
)
def test_decimals_are_enough_for_three_digits_of_the_smallest_cell(values: list[float], expected: int) -> None:
    assert decimals_for(np.array([values]), 3) == expected
