import math
from itertools import accumulate

import numpy as np
import pytest

from tests.agreement import within
from tests.letters import minus, one, plus, times, u, v, zero
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.interval import Interval, bound

P, Q = m.Symbol("P", (1, 1)), m.Symbol("Q", (1, 1))
INFINITY = math.inf


def bounds(template: s.Scalar, p: tuple[float, float], q: tuple[float, float] = (0.0, 0.0)) -> tuple[float, float]:
    """The bounds of a rule of u in p and v in q."""
    box = {"P": interval(*p), "Q": interval(*q)}
    found = bound(m.Apply(template, (("u", P), ("v", Q))), box)
    return float(found.low[0, 0]), float(found.high[0, 0])


def interval(low: float, high: float) -> Interval:
    return Interval(np.array([[low]]), np.array([[high]]))


STEP = s.Where(u, ">", zero, one, s.Number(0.25))
RULES: list[tuple[s.Scalar, tuple[float, float], tuple[float, float], tuple[float, float]]] = [
    (plus(u, v), (1, 2), (-3, 5), (-2, 7)),
    (minus(u, v), (1, 2), (-3, 5), (-4, 5)),
    (times(u, v), (-2, 3), (-5, 4), (-15, 12)),
    (times(u, v), (-2, -1), (-5, -4), (4, 10)),
    (s.Quotient(u, v), (1, 2), (4, 8), (0.125, 0.5)),
    (s.Quotient(u, v), (1, 2), (-1, 1), (-INFINITY, INFINITY)),
    (s.Quotient(u, v), (1, 2), (0, 0), (-INFINITY, INFINITY)),
    (s.Power(u, 2), (-2, 3), (0, 0), (0, 9)),
    (s.Power(u, 2), (-3, -2), (0, 0), (4, 9)),
    (s.Power(u, 3), (-2, 3), (0, 0), (-8, 27)),
    (s.Absolute(u), (-2, 1), (0, 0), (0, 2)),
    (s.Absolute(u), (-2, -1), (0, 0), (1, 2)),
    (s.Maximum((zero, u)), (-2, 1), (0, 0), (0, 1)),
    (s.Maximum((zero, u)), (-2, -1), (0, 0), (0, 0)),
    (s.Exp(u), (0, 1), (0, 0), (1, math.e)),
    (s.Exp(u), (0, 1000), (0, 0), (1, INFINITY)),
    (s.Exp(u), (-2000, 0), (0, 0), (0, 1)),
    (s.Raised(0.5, u), (1, 3), (0, 0), (0.125, 0.5)),
    (s.Raised(2.0, u), (-1, 3), (0, 0), (0.5, 8)),
    (s.Log(u), (1, math.e), (0, 0), (0, 1)),
    (s.Log(u), (-1, 1), (0, 0), (-INFINITY, 0)),
    (s.Tanh(u), (-1, 1), (0, 0), (-math.tanh(1), math.tanh(1))),
    (STEP, (-1, 1), (0, 0), (0.25, 1)),
    (STEP, (0, 0), (0, 0), (0.25, 0.25)),
    (STEP, (1e-9, 1), (0, 0), (1, 1)),
    (s.Where(u, ">=", zero, one, zero), (0, 1), (0, 0), (1, 1)),
    (s.Where(u, ">=", zero, one, zero), (-1, 0), (0, 0), (0, 1)),
    (s.Where(u, "=", v, one, zero), (1, 1), (1, 1), (1, 1)),
    (s.Where(u, "=", v, one, zero), (1, 2), (2, 3), (0, 1)),
    (s.Where(u, "=", v, one, zero), (1, 2), (3, 4), (0, 0)),
    (s.Where(u, "=", v, one, zero), (1, 1), (2, 2), (0, 0)),
    (s.Where(u, "=", v, one, zero), (1, 1), (1, 2), (0, 1)),
    (s.Where(u, "=", v, one, zero), (1, 2), (1, 1), (0, 1)),
    (s.Where(u, "=", v, one, zero), (1, 2), (1, 3), (0, 1)),
    (s.Round(u, 1), (0.04, 0.15), (0, 0), (0.0, 0.2)),
    (s.Stable(plus(u, one), plus(u, times(v, u))), (1, 2), (0, 1), (2, 3)),
    (s.Number(0.5), (1, 2), (0, 0), (0.5, 0.5)),
]  # fmt: skip


@pytest.mark.parametrize(("template", "p", "q", "expected"), RULES)
def test_bounds_are_the_smallest_that_hold_up_to_a_few_roundings(
    template: s.Scalar, p: tuple[float, float], q: tuple[float, float], expected: tuple[float, float]
) -> None:
    low, high = bounds(template, p, q)
    assert low <= expected[0] and expected[1] <= high
    assert (low, high) == pytest.approx(expected, rel=1e-14, abs=1e-14)


def test_bounds_are_not_cut_to_the_range_of_an_activation() -> None:
    """A learner's own activation may be 1.2; its slope a(1 − a) then follows from it."""
    low, high = bounds(times(u, minus(one, u)), (1.15, 1.25))
    assert low < 1.2 * -0.2 < high


def test_bounds_around_and_exactly_hold_their_values() -> None:
    values = np.array([[0.5, -0.25]])
    around = Interval.around(values, 0.005)
    assert around.low.tolist() == [[0.495, -0.255]]
    assert within(around, np.array([[0.504, -0.256]])).tolist() == [[True, False]]
    assert within(Interval.exactly(values), values).all()
    assert not within(Interval.exactly(values), np.full((1, 2), math.nan)).any()


def test_a_matrix_product_is_bounded_by_its_terms() -> None:
    box = {
        "X": Interval.around(np.array([[1.0, -2.0]]), 0.5),
        "W": Interval.around(np.array([[3.0], [4.0]]), 0.5),
    }
    found = bound(m.MatMul(m.Symbol("X", (1, 2)), m.Symbol("W", (2, 1))), box)
    assert found.low[0, 0] == pytest.approx(0.5 * 2.5 - 2.5 * 4.5)
    assert found.high[0, 0] == pytest.approx(1.5 * 3.5 - 1.5 * 3.5)


def test_a_long_sum_is_bounded_whatever_order_it_is_added_up_in() -> None:
    """A thousand terms that nearly cancel: the roundings are many steps of the result."""
    terms = np.random.default_rng(3).normal(size=1000) * 1e6
    terms[-1] -= math.fsum(terms)
    found = bound(m.column_sums(m.Symbol("X", (1000, 1))), {"X": Interval.exactly(terms[:, None])})
    one_by_one = list(accumulate(terms.tolist()))[-1]
    for right in (math.fsum(terms), one_by_one, terms[::-1].sum(), np.sort(terms).sum()):
        assert found.low[0, 0] <= right <= found.high[0, 0]
    assert found.high[0, 0] - found.low[0, 0] < 1e-3


def test_an_unbounded_input_gives_an_unbounded_result_not_one_that_is_no_number() -> None:
    everything = (-INFINITY, INFINITY)
    for template in (minus(u, v), times(u, v), s.Quotient(u, v), plus(s.Exp(u), s.Negative(s.Exp(v)))):
        assert bounds(template, everything, everything) == everything


def test_nothing_times_anything_is_nothing() -> None:
    low, high = bounds(times(u, v), (0.0, 0.0), (-INFINITY, INFINITY))
    assert (low, high) == pytest.approx((0.0, 0.0))


def test_two_forms_of_one_quantity_bound_it_by_both() -> None:
    """e^z/Σe^z of an overflowing form says nothing; the form that is computed does."""
    z = m.Symbol("Z", (1, 2))
    forms = m.StableForm(m.Apply(s.Exp(u), (("u", z),)), m.Apply(minus(u, one), (("u", z),)))
    found = bound(forms, {"Z": Interval.around(np.array([[2.0, 800.0]]), 0.5)})
    assert found.low[0].tolist() == pytest.approx([math.exp(1.5), 1.7976931348623157e308])
    assert found.high[0].tolist() == pytest.approx([1.5, 799.5])


def test_a_template_with_a_cell_is_refused() -> None:
    with pytest.raises(TypeError, match="a template holds no cells"):
        bounds(s.Cell("P", 0, 0), (0.0, 1.0))
