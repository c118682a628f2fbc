"""The first-order reading against differences: each cell of each source moved a little, and the moves added up."""

import numpy as np
import pytest

from tests.marking import document
from tracer.answers.key import key_of
from tracer.calculus.first_order import Moved, moved
from tracer.expression import matrix as m
from tracer.problem.problem import problem_from_document

STEP = 1e-6
NETWORKS = {
    "sigmoid": document(),
    "tanh": document("tanh"),
    "softmax": document("relu", "softmax", "cross_entropy", convention={"softmax_slope": "jacobian"}),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_reach_is_the_sum_of_what_each_cell_moves(name: str) -> None:
    key = key_of(problem_from_document(NETWORKS[name], "p", "p"))
    for identifier in key.program.computed:
        rule = key.program.assignments[identifier].expression
        assert rule is not None
        exactly = {each: Moved.exactly(value) for each, value in key.values.items()}
        sources = {each: Moved.by_each(value, each, np.full(value.shape, STEP)) for each, value in key.values.items()}
        assert not moved(rule, exactly).reach.any()
        np.testing.assert_allclose(moved(rule, sources).reach, by_differences(key, identifier), rtol=1e-4, atol=1e-11)


def by_differences(key: object, identifier: str) -> np.ndarray:
    values = dict(key.values)  # type: ignore[attr-defined]
    right = key.compute(identifier, values)  # type: ignore[attr-defined]
    total = np.zeros_like(right)
    for each, value in values.items():
        for place in np.ndindex(value.shape):
            other = value.copy()
            other[place] += STEP
            total += np.abs(key.compute(identifier, values | {each: other}) - right)  # type: ignore[attr-defined]
    return total


def test_what_cancels_cancels_over_matrices() -> None:
    """a(1 − a) hardly moves at a = 0.5, though a and 1 − a both do."""
    key = key_of(problem_from_document(document(), "p", "p"))
    rule = key.program.assignments["S1"].expression
    assert rule is not None
    half = np.full((3, 3), 0.5)
    assert moved(rule, {"A1": Moved.by_each(half, "A1", np.full((3, 3), 0.01))}).reach.max() < 1e-12


def test_what_is_rounded_can_come_to_the_next_unit_where_it_moves_at_all() -> None:
    still, moving = np.array([[0.12, 0.0]]), np.array([[0.0, 0.001]])
    found = moved(m.Rounded(m.Symbol("X", (1, 2)), 2), {"X": Moved.by_each(still, "X", moving)})
    np.testing.assert_allclose(found.reach, [[0.0, 0.011]])
