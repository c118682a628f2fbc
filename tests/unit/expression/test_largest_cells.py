"""Which cell of a tile is the largest, where each can be anything between two bounds; kernels that can be several."""

import numpy as np

from tracer.calculus.first_order import Moved, moved
from tracer.expression import matrix as m
from tracer.expression.interval import Interval, bound
from tracer.expression.picking import open_maximum

VALUES = np.array([[1.0, 2.0, 5.0, 0.0], [2.004, 0.5, 4.0, 0.0]])


def test_only_cells_that_the_bounds_leave_open_may_be_either() -> None:
    off = 0.005
    assert open_maximum(VALUES - off, VALUES + off, (2, 2)).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]
    assert open_maximum(VALUES - 0.001, VALUES + 0.001, (2, 2)).tolist() == [[0] * 4, [0] * 4]


def test_first_order_and_intervals_say_the_same() -> None:
    rule, off = m.FirstMaximum(m.Symbol("A", (2, 4)), (2, 2)), np.full((2, 4), 0.005)
    made = moved(rule, {"A": Moved.by_each(VALUES, "A", off)})
    bounds = bound(rule, {"A": Interval.around(VALUES, off)})
    assert made.value.tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]] and made.reach.tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]
    assert bounds.low.tolist() == [[0, 0, 1, 0], [0, 0, 0, 0]] and bounds.high.tolist() == [[0, 1, 1, 0], [1, 0, 0, 0]]


def test_several_kernels_are_laid_on_at_once() -> None:
    """As a search for slips does, with an axis in front for the forms of one rule."""
    X, kernels = m.Symbol("X", (3, 4)), np.random.default_rng(2).normal(size=(5, 2, 2))
    image = np.random.default_rng(3).normal(size=(3, 4))
    rule = m.Correlation(X, m.Symbol("K", (2, 2)), (2, 3))
    found = bound(rule, {"X": Interval.exactly(image), "K": Interval.exactly(kernels)})
    for k, kernel in enumerate(kernels):
        alone = bound(rule, {"X": Interval.exactly(image), "K": Interval.exactly(kernel)})
        assert np.allclose(found.low[k], alone.low) and np.allclose(found.high[k], alone.high)
    assert found.low.shape == (5, 2, 3)
