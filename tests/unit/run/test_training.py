"""Training keeps losses and parameters only, and comes to what the recorded passes come to."""

import pickle
import re

import numpy as np
import pytest

from tracer.errors import NotFiniteError
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.training import trace, train


@pytest.mark.parametrize("name", ["article", "softmax-classifier", "hand"])
@pytest.mark.parametrize("batch_size", [1, None])
def test_training_without_recording_comes_to_the_same(name: str, batch_size: int | None) -> None:
    document = load_problem(name).to_document()
    document["batch_size"] = batch_size or document["batch_size"]
    problem = problem_from_document(document, name, name)
    lean, full = train(problem, 7), train(problem, 7, record=range(1, 8))
    assert np.array_equal(lean.losses, full.losses)
    for identifier in lean.final:
        assert np.array_equal(lean.final[identifier], full.final[identifier])
    assert trace(problem, [7]).last["L"] == full.trace.last["L"] if full.trace else False


@pytest.mark.parametrize(("batch_size", "iteration"), [(5, 1), (2, 3), (1, 3)])
def test_what_leaves_float64_is_named_although_nothing_is_recorded(batch_size: int, iteration: int) -> None:
    """In the pass in which it does, wherever in its epoch that is."""
    changes = {"learning_rate": 1e9, "batch_size": batch_size}
    document = load_problem("linear-regression").to_document() | changes
    problem = problem_from_document(document, "steep", "steep")
    with pytest.raises(NotFiniteError, match=rf"epoch \d+, iteration {iteration}: L\[1,1\] is too large") as lean:
        train(problem, 1000)
    with pytest.raises(NotFiniteError) as full:
        trace(problem, range(1, 1001))
    assert str(lean.value) == str(full.value)


SATURATED = {
    "softmax": {
        "loss": "cross_entropy",
        "data": {"X": [[1.0], [2.0]], "Y": [[0, 1], [0, 1]]},
        "layers": [{"activation": "softmax", "weights": [[400.0, -400.0]]}],
    },
    "rounded": {
        "loss": "cross_entropy",
        "decimals": 2,
        "carry_rounded": True,
        "data": {"X": [[1.0, 2.0]], "Y": [[0, 1]]},
        "layers": [{"activation": "softmax", "weights": [[2.0, -1.0], [1.5, 0.0]]}],
    },
    "later": {
        "loss": "binary_cross_entropy",
        "learning_rate": 500.0,
        "data": {"X": [[1.0], [-2.0]], "Y": [[0], [1]]},
        "layers": [{"activation": "sigmoid", "weights": [[4]]}],
    },
    "sigmoid under cross-entropy": {
        "loss": "cross_entropy",
        "data": {"X": [[0.0], [1.0]], "Y": [[0, 1], [0, 1]]},
        "layers": [{"activation": "sigmoid", "weights": [[3.0, -800.0]]}],
    },
}
FUSED = 'set softmax_slope = "fused" under [convention]'
SAYS = {
    "softmax": rf"epoch 1, sample 1: output \d is exactly [01] in float64 .*{re.escape(FUSED)}",
    "rounded": rf"epoch 1, sample 1: output 2 is exactly 0 when it is rounded .*{re.escape(FUSED)}",
    "later": rf"epoch 2, sample 1: output 1 is exactly [01] in float64 .*{re.escape(FUSED)}",
    "sigmoid under cross-entropy": r"epoch 1, sample 2: output 2 is exactly 0 in float64 .* start from smaller weights",
}


@pytest.mark.parametrize("name", SATURATED)
def test_a_saturated_output_is_refused_with_its_sample_and_what_would_help(name: str) -> None:
    problem = problem_from_document({"learning_rate": 0.5} | SATURATED[name], name, name)
    for run in (lambda: trace(problem, [1, 2]), lambda: train(problem, 5), lambda: train(problem, 5, record=[5])):
        with pytest.raises(NotFiniteError, match=SAYS[name]):
            run()


def test_epochs_that_there_are_none_of_are_refused() -> None:
    problem = load_problem("article")
    for epochs in ([], [0], [3, -1]):
        with pytest.raises(ValueError, match="expected numbers from 1"):
            trace(problem, epochs)
    for total in (0, -1):
        with pytest.raises(ValueError, match="expected 1 or more"):
            train(problem, total)
    with pytest.raises(KeyError, match="no step 99; there are 0, 1, 2"):
        trace(problem).step(99)


def test_a_problem_that_was_run_goes_to_another_process() -> None:
    problem = load_problem("article")
    recorded = trace(problem)
    again = pickle.loads(pickle.dumps(problem))
    assert again == problem and np.array_equal(trace(again)["W1_next"], recorded["W1_next"])
