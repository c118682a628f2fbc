"""How far a cell can be off: to the first order what interval arithmetic finds."""

import numpy as np
import pytest

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.evaluate import evaluate_cell
from tracer.expression.interval import Interval, bound
from tracer.expression.lower import lower
from tracer.expression.rounding_error import rounding_error
from tracer.problem.activations import ACTIVATIONS

UNIT = 1e-4
z, a = s.Cell("z", 0, 0), s.Cell("a", 0, 0)


def off(expression: s.Scalar, **values: float) -> float:
    """The spread where every cell can be off by `UNIT`."""
    found = rounding_error(expression, lambda cell: s.Number(UNIT))
    assert found is not None
    return evaluate_cell(found, lambda cell: values[cell.matrix])


def test_what_is_exact_has_none() -> None:
    assert rounding_error(s.Sum((s.Number(1.0), z)), lambda cell: None) is None


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (s.Negative(z), 1.0),
        (s.Sum((z, a, s.Number(3.0))), 2.0),
        (s.Product((z, a)), 2.0 + 0.5),
        (s.Quotient(s.Number(1.0), z), 4.0),
        (s.Power(z, 2), 1.0),
        (s.Exp(z), np.exp(0.5)),
        (s.Raised(0.25, z), np.log(4) * 0.5),
        (s.Log(z), 2.0),
        (s.Tanh(z), 1 - np.tanh(0.5) ** 2),
        (s.Product((z, s.Sum((s.Number(1.0), s.Negative(z))))), 1.0),  # as intervals: nothing cancels
    ],
)
def test_each_rule(expression: s.Scalar, expected: float) -> None:
    assert off(expression, z=0.5, a=2.0) == pytest.approx(expected * UNIT)


@pytest.mark.parametrize("name", [name for name, each in ACTIVATIONS.items() if not each.whole_row])
@pytest.mark.parametrize("value", [-1.3, -1e-5, 0.7])
def test_activations_have_the_width_of_their_interval(name: str, value: float) -> None:
    symbol = m.Symbol("z", (1, 1))
    rule = ACTIVATIONS[name].apply(symbol, 0.01)
    around = bound(rule, {"z": Interval.around(np.array([[value]]), UNIT)})
    at = lower(rule, 0, 0)
    middle = evaluate_cell(at, lambda cell: value)
    widest = max(around.high.item() - middle, middle - around.low.item())
    assert off(at, z=value) >= widest * 0.999
    assert off(at, z=value) <= widest * 1.1 + UNIT


def test_a_step_can_be_off_by_its_height_where_it_may_go_either_way() -> None:
    slope = s.Where(z, ">", s.Number(0.0), s.Number(1.0), s.Number(0.0))
    assert off(slope, z=UNIT / 2) == 1.0
    assert off(slope, z=0.5) == 0.0
