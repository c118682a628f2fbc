"""Values and gradients of programs of many kinds, against PyTorch's autograd and central differences."""

import numpy as np
import pytest

from tests.programs import SAMPLES, Sample
from tests.torch_formulas import gradients
from tracer.api import load, trace
from tracer.problem.program_problem import ProgramProblem


def close(got: np.ndarray, want: np.ndarray, name: str) -> None:
    assert got.shape == want.shape, name
    assert np.allclose(got, want, rtol=1e-9, atol=1e-12), (name, got, want)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_matrix_and_gradient_is_pytorchs(name: str, seed: int) -> None:
    sample = SAMPLES[name]
    expected = gradients(list(sample.formulas), *sample.numbers(seed))
    run = trace(sample.document(seed))
    for key, want in expected.items():
        if key == "dL":
            continue
        close(run[key], want, key)
    own = {each.of for each in run.last.program.assignments.values() if each.role == "gradient"}
    assert own == {key[1:] for key in expected if key.startswith("d") and key[1:] in expected} - {"L"} | {
        each for each in own if each and "_part" in each
    }
    for parameter in sample.parameters:
        close(run[f"{parameter}_next"], run[parameter] - 0.1 * run[f"d{parameter}"], parameter)


@pytest.mark.parametrize("name", ["transformer block", "convolution, stride and padding", "variational autoencoder"])
def test_every_gradient_is_what_central_differences_say(name: str) -> None:
    sample = SAMPLES[name]
    document = sample.document()
    run = trace(document)
    for parameter, numbers in document["parameters"].items():
        for place in np.ndindex(*np.shape(numbers)):
            losses = []
            for step in (1e-6, -1e-6):
                moved = np.array(numbers, dtype=float)
                moved[place] += step
                moved_document = {**document, "parameters": {**document["parameters"], parameter: moved.tolist()}}
                losses.append(trace(moved_document).last.loss)
            slope = (losses[0] - losses[1]) / 2e-6
            assert np.isclose(run[f"d{parameter}"][place], slope, rtol=1e-5, atol=1e-7), (parameter, place)


def test_a_gradient_of_what_is_given_is_there_on_request() -> None:
    sample = SAMPLES["perceptron"]
    document = sample.document(with_respect_to=["X"])
    given, parameters = sample.numbers()
    y = {key: each for key, each in given.items() if key != "X"}
    expected = gradients(list(sample.formulas), y, {**parameters, "X": given["X"]})
    close(trace(document)["dX"], expected["dX"], "dX")
    assert "dX" not in trace(sample.document()).last.program.assignments


def test_steps_are_numbered_there_and_back_and_the_update_after_them() -> None:
    sample = Sample(("Z = X @ W", "U = X @ X", "L = sum(Z)"), {"X": (2, 2)}, {"W": (2, 2)})
    steps = trace(sample.document(loss="L")).last.program.steps
    assert [(each.number, each.label, each.phase) for each in steps] == [
        (0, "0", "given"), (1, "1", "forward"), (2, "2", "forward"), (3, "3", "forward"),
        (1, "1 back", "backward"), (4, "4", "update"),
    ]  # fmt: skip


def test_what_is_only_summed_up_is_sent_back_in_the_shape_that_it_had() -> None:
    sample = Sample(("Z = X @ W", "L = sum(Z.T)"), {"X": (2, 2)}, {"W": (2, 3)})
    run = trace(sample.document(loss="L"))
    close(run["dW"], run["X"].T @ np.ones((2, 3)), "dW")


def test_what_the_loss_does_not_depend_on_has_a_gradient_of_zeros() -> None:
    sample = Sample(("Z = X @ W", "U = Z @ V", "L = sum(Z)"), {"X": (2, 2)}, {"W": (2, 2), "V": (2, 1), "c": (1, 1)})
    problem = load(sample.document(loss="L"))
    assert isinstance(problem, ProgramProblem) and problem.unused == ("V", "c")
    run = trace(problem)
    assert not run["dV"].any() and np.array_equal(run["V_next"], run["V"])
    assert run["dc"].tolist() == [[0.0]]
    assert "dU" not in run.last.program.assignments
