"""Training keeps losses and parameters only, and comes to what the recorded passes come to."""

import numpy as np
import pytest

from tracer.errors import NotFiniteError
from tracer.network.problem import problem_from_document
from tracer.network.reading import load_problem
from tracer.training import trace, train


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


def test_what_leaves_float64_is_named_although_nothing_is_recorded() -> None:
    document = load_problem("linear-regression").to_document() | {"learning_rate": 1e9}
    problem = problem_from_document(document, "steep", "steep")
    with pytest.raises(NotFiniteError, match=r"epoch \d+, iteration 1: \w+\[\d+,\d+\] is too large") as lean:
        train(problem, 1000)
    with pytest.raises(NotFiniteError) as full:
        trace(problem, range(1, 1001))
    assert str(lean.value) == str(full.value)
