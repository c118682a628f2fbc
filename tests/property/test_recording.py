"""What is kept of a run: whether a number left float64 is seen without a look at each, and nothing is missed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import documents
from tests.traces import first_pass
from tracer.errors import NotFiniteError
from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.expression.evaluate import evaluate
from tracer.lesson.build import build
from tracer.problem.problem import problem_from_document
from tracer.run import training
from tracer.run.recording import MOST_UNSEEN, Recording, batches_of, surely_finite
from tracer.run.training import trace


@settings(max_examples=150)
@given(
    documents(most_layers=3), st.sampled_from([1.0, 1e60, 1e110, 1e155, 1e200, 1e300]), st.sampled_from([1.0, 1e307])
)
def test_every_number_beyond_float64_is_refused_and_nothing_else(
    document: dict[str, Any], scale: float, rate: float
) -> None:
    document["loss"] = "squared_error"
    document["convention"] = {"softmax_slope": "jacobian"}
    document.pop("reproduce", None)
    document.pop("batch_size", None)
    document["carry_rounded"] = False
    problem = problem_from_document(document, "drawn", "drawn.toml")
    first = [(layer.weights * scale, layer.bias) for layer in problem.layers]
    problem = replace(problem.with_parameters(first), learning_rate=problem.learning_rate * rate)
    program = build(problem)
    parameters = [each for pair in first for each in pair if each is not None]
    with np.errstate(all="ignore"):
        made = program.numpy.run(problem.X, problem.Y, *parameters, np.array([[problem.learning_rate]]))
    beyond = [name for name, matrix in zip(program.computed, made, strict=True) if not np.isfinite(matrix).all()]
    if not beyond:
        recorded = trace(problem)
        assert all(np.array_equal(recorded[name], matrix) for name, matrix in zip(program.computed, made, strict=True))
        return
    with pytest.raises(NotFiniteError, match=rf"epoch 1, iteration 1: {beyond[0]}\["):
        trace(problem)


@pytest.mark.parametrize("name", ["Z1", "dW1"])
@pytest.mark.parametrize("rows", [1, 4 * MOST_UNSEEN])
def test_an_overflow_in_a_product_alone_is_found_later_and_named_with_its_epoch(rows: int, name: str) -> None:
    document = {
        "learning_rate": 0.1,
        "loss": "squared_error",
        "data": {"X": [[1.0, 2.0]] * rows, "Y": [[0.5]] * rows},
        "layers": [{"activation": "sigmoid", "weights": [[0.3], [0.4]], "bias": [0.1]}],
    }
    problem = problem_from_document(document, "long", "long.toml")
    program = build(problem)
    first = trace(problem).first
    broken = dict(zip(program.computed, first.computed, strict=True))
    broken[name] = np.full_like(broken[name], np.inf)
    broken["W1_next"] = broken["W1_next"] - problem.learning_rate * broken["dW1"]
    given_next = (problem.X, problem.Y, broken["W1_next"], broken["b1_next"], first["learning_rate"])
    recording = Recording(batches_of(problem))
    with pytest.raises(NotFiniteError, match=rf"epoch 2, iteration 1: {name}\[1,1\]"), np.errstate(all="ignore"):
        recording.keep(1, [(first.given, first.computed)], suspected=False)
        recording.keep(2, [(first.given, tuple(broken.values()))], suspected=False)
        recording.keep(3, [(given_next, program.numpy.run(*given_next))], suspected=False)
        recording.close()


@settings(max_examples=300)
@given(documents(most_layers=3), st.sampled_from([np.inf, -np.inf, np.nan]), st.data())
def test_what_is_looked_at_shows_a_number_beyond_float64_in_any_product(
    document: dict[str, Any], beyond: float, data: st.DataObject
) -> None:
    """Also where a product of the BLAS multiplies by no zeros, as here: infinity times 0 is 0 in it."""
    one = first_pass(document)
    program = one.program
    rules = {each.id: each.expression for each in program.assignments.values() if each.expression is not None}
    products = [
        name for name, made in rules.items() if any(isinstance(part, m.MatMul) for part in traversal.parts(made))
    ]
    broken = data.draw(st.sampled_from(products))
    values = {**one.matrices, "learning_rate": one["learning_rate"]}
    for name, made in rules.items():
        if name == broken:
            values[name] = values[name].copy()
            values[name][tuple(data.draw(st.integers(0, size - 1)) for size in made.shape)] = beyond
        elif name not in products:
            values[name] = evaluate(made, values)
        elif not all(np.isfinite(values[each.name]).all() for each in traversal.symbols(made)):
            values[name] = one[name]  # nothing of it comes through
    computed = [values[name] for name in program.computed]
    assert not surely_finite([*program.numpy.watched_of(computed), *program.numpy.updated_of(computed)])


def test_a_recorded_epoch_in_which_it_began_is_named_though_a_later_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = {
        "learning_rate": 0.1,
        "loss": "squared_error",
        "data": {"X": [[1e10]], "Y": [[-1e100]]},
        "layers": [{"activation": "linear", "weights": [[weight]]} for weight in (0.0, 1e100, 1e100)],
    }
    monkeypatch.setattr(training._Runner, "suspect", lambda *_: None)  # as with a BLAS that tells numpy nothing
    problem = problem_from_document(document, "large", "large.toml")
    for run in (lambda: trace(problem, [1, 5]), lambda: training.train(problem, 10, record=[1])):
        with pytest.raises(NotFiniteError, match=r"epoch 1, iteration 1: dW1\[1,1\]"):
            run()


def test_epochs_are_made_once_and_counted_as_any_sequence_does() -> None:
    document = {
        "learning_rate": 0.1,
        "loss": "squared_error",
        "batch_size": 2,
        "data": {"X": [[1.0], [2.0], [3.0]], "Y": [[0.5]] * 3},
        "layers": [{"activation": "sigmoid", "weights": [[0.3]]}],
    }
    epochs = trace(problem_from_document(document, "three", "three.toml"), [2, 5, 9]).epochs
    assert [each.number for each in epochs] == [2, 5, 9] and len(epochs) == 3
    assert epochs[-1] is epochs[2] and [each.number for each in epochs[1:]] == [5, 9]
    assert [(one.epoch, one.iteration, one.start, one.stop) for one in epochs[1].iterations] == [
        (5, 1, 0, 2),
        (5, 2, 2, 3),
    ]
    with pytest.raises(IndexError):
        epochs[3]
