"""Gradients of any batch, the bound that they are held to, and which of a large matrix are looked at."""

from typing import Any

import numpy as np
import pytest

from tests.marking import document
from tracer.api import load, trace
from tracer.run.differences import chosen, gradient, largest_term
from tracer.run.passes import Trace


@pytest.fixture(scope="module")
def run() -> Trace:
    """Three epochs of two batches, of two samples and of one."""
    return trace({**document(), "batch_size": 2, "convention": {"reduction": "mean"}, "loss_shown": "sum"}, (1, 2, 3))


def test_first_and_last_are_the_ends_and_what_is_shown_of_all_rows_comes_before_and_after(run: Trace) -> None:
    assert [(each.epoch, each.iteration) for each in (run.first, run.last)] == [(1, 1), (3, 2)]
    assert (run.at_start.epoch, run.at_end.epoch) == (1, 4)


def test_the_gradient_of_a_later_batch_is_that_of_its_rows_alone(run: Trace) -> None:
    later = run.last
    of: dict[str, Any] = {**document(), "convention": {"reduction": "mean"}, "loss_shown": "sum"}
    of["data"] = {"X": later["X"].tolist(), "Y": later["Y"].tolist()}
    of["layers"] = [
        {**layer, "weights": later[f"W{k}"].tolist(), "bias": later[f"b{k}"][0].tolist()}
        for k, layer in enumerate(of["layers"], 1)
    ]
    problem = load(of)
    for parameter in ("W1", "b1", "W2", "b2"):
        alone = gradient(problem, trace(problem).last, parameter)
        np.testing.assert_allclose(gradient(run.problem, later, parameter), alone, rtol=1e-12)


def test_the_bound_of_a_small_loss_is_measured_by_1() -> None:
    assert largest_term(trace(document()).last) == 1.0


def test_of_a_large_matrix_the_largest_the_first_and_the_last_are_chosen() -> None:
    gradients = np.array([[0.1, 0.2, 0.3], [-0.9, 0.4, 0.5]])
    assert list(chosen(gradients, 3)) == [(0, 0), (1, 0), (1, 2)]
    assert list(chosen(gradients, 4)) == [(0, 0), (1, 0), (1, 1), (1, 2)]
    assert list(chosen(gradients, 6)) == list(np.ndindex(2, 3))
