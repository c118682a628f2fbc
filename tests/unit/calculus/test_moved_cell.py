"""How far one cell can move, as a spreadsheet computes it: the same as the first-order reading of whole matrices."""

import numpy as np
import pytest

from tests.marking import document
from tracer.answers.key import Key, key_of
from tracer.calculus.first_order import Moved, moved
from tracer.calculus.moved_cell import moved_cell
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.evaluate import evaluate_cell
from tracer.expression.lower import lower
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.problem import problem_from_document

HALF = 1e-3
NETWORKS = {
    "sigmoid": document(),
    "softmax": document("relu", "softmax", "cross_entropy"),
    "fused softmax": document("softplus", "softmax", "cross_entropy", convention={"softmax_slope": "fused"}),
    "entropy": document("elu", "sigmoid", "binary_cross_entropy"),
    "fused": document("leaky_relu", "sigmoid", "binary_cross_entropy", convention={"softmax_slope": "fused"}),
}


def at(key: Key, rule: s.Scalar) -> float:
    found = moved_cell(rule, lambda cell: s.Number(HALF))
    return 0.0 if found is None else evaluate_cell(found, lambda c: float(key.values[c.matrix][c.row, c.column]))


@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_the_first_order_reading_cell_by_cell(name: str) -> None:
    key = key_of(problem_from_document(NETWORKS[name], "p", "p"))
    off = {each: Moved.by_each(value, each, np.full(value.shape, HALF)) for each, value in key.values.items()}
    for identifier in key.program.computed:
        rule = key.program.assignments[identifier].expression
        assert rule is not None
        cells = [[at(key, lower(rule, i, j)) for j in range(rule.shape[1])] for i in range(rule.shape[0])]
        np.testing.assert_allclose(cells, moved(rule, off).reach, rtol=1e-9, err_msg=identifier)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu"])
@pytest.mark.parametrize("value", [-0.5, -HALF / 2, 0.0, HALF / 2, 0.5])
def test_near_a_kink_either_side_counts(name: str, value: float) -> None:
    rule = ACTIVATIONS[name].apply(m.Symbol("z", (1, 1)), 0.01)
    found = moved_cell(lower(rule, 0, 0), lambda cell: s.Number(HALF))
    assert found is not None
    whole = moved(rule, {"z": Moved.by_each(np.array([[value]]), "z", np.array([[HALF]]))}).reach.item()
    assert evaluate_cell(found, lambda cell: value) == pytest.approx(whole)


def test_what_is_exact_does_not_move() -> None:
    assert moved_cell(s.Product((s.Number(2.0), s.Cell("z", 0, 0))), lambda cell: None) is None
