"""Functions of numpy's arrays, noted: their loss, and gradients against central differences."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.unit.frameworks.test_pytorch import gradients
from tracer.api import trace
from tracer.errors import TracerError
from tracer.frameworks.models import of
from tracer.problem.problem import Problem

RNG = np.random.default_rng(9)
X, Y = RNG.normal(size=(4, 3)), np.eye(2)[[0, 1, 1, 0]]
W, b, V = RNG.normal(size=(3, 4)), RNG.normal(size=4), RNG.normal(size=(4, 2))


def softmax_by_hand(X: Any, Y: Any, W: Any, b: Any, V: Any) -> Any:
    hidden = np.maximum(X @ W + b, 0)
    z = hidden @ V
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -np.mean(np.sum(Y * np.log(p), axis=1))


def recurrent(X: Any, W: Any, V: Any) -> Any:
    h = np.zeros((1, 4))
    for t in range(X.shape[0]):
        h = np.tanh(X[t : t + 1] @ W + h @ V @ V.T)
    return (h**2).sum()


def pieces(X: Any, W: Any) -> Any:
    a = X @ W
    left, right = a[:, :2], a[:, 2:]
    joined = np.concatenate([left * right, np.where(left > 0, left, 0.1 * right)], axis=1)
    level = (joined - joined.mean(axis=0)) / np.sqrt(joined.var(axis=0) + 0.1)
    return np.mean(np.abs(level.reshape(2, 8).T)) + np.einsum("ij,kj->", left, right) / 50


def layered(X: Any, Y: Any, W: Any, b: Any, V: Any) -> Any:
    return 0.5 * np.sum((np.tanh(X @ W + b) @ V - Y) ** 2)


@pytest.mark.parametrize("function", [softmax_by_hand, recurrent, pieces, layered])
def test_loss_and_gradients_are_those_of_the_function(function: Callable[..., Any]) -> None:
    wanted = function.__code__.co_varnames[: function.__code__.co_argcount]
    numbers = {"X": X, "Y": Y, "W": W, "b": b, "V": V}
    given = {key: numbers[key] for key in wanted if key in ("X", "Y")}
    parameters = {key: numbers[key] for key in wanted if key not in given}
    problem = of(function, given, parameters)
    run = trace(problem)
    assert abs(run.last.loss - function(**given, **parameters)) < 1e-12
    found = gradients(problem, run)
    for key, each in parameters.items():
        for place in np.ndindex(each.shape):
            sides = []
            for step in (1e-6, -1e-6):
                moved = each.copy()
                moved[place] += step
                sides.append(function(**given, **{**parameters, key: moved}))
            assert abs((sides[0] - sides[1]) / 2e-6 - found[key][place]) < 1e-7, (key, place)


def test_lines_become_steps_and_variables_names() -> None:
    problem = of(softmax_by_hand, {"X": X, "Y": Y}, {"W": W, "b": b, "V": V})
    assert not isinstance(problem, Problem)
    steps = problem.to_document()["steps"]
    assert steps[0]["title"] == "hidden = np.maximum(X @ W + b, 0)"
    assert "test_numpy_functions.py" in steps[0]["why"] and "hidden = relu(add)" in steps[0]["formulas"]
    assert any(text.startswith("z = hidden @ V") for step in steps for text in step["formulas"])


def test_what_cannot_be_noted_is_said_with_its_line() -> None:
    def branch(X: Any, W: Any) -> Any:
        if (X @ W).sum() > 0:
            return (X @ W).sum()
        return (X * W).sum()

    def unknown(X: Any, W: Any) -> Any:
        return np.sum(np.arctan2(X @ W, 2.0))

    with pytest.raises(TracerError, match=r"found a branch on numbers that are computed.*if \(X @ W\)"):
        of(branch, {"X": X}, {"W": W})
    with pytest.raises(TracerError, match=r"np\.arctan2 is not known \(test_numpy_functions\.py:"):
        of(unknown, {"X": X}, {"W": W})
    with pytest.raises(TracerError, match=r"branch: W: found nothing for it; give it under"):
        of(branch, {"X": X}, {})
    with pytest.raises(TracerError, match=r"Z: branch has no such argument, expected X, W"):
        of(branch, {"X": X, "Z": X}, {"W": W})


def test_arrays_may_be_keywords_and_parameters_named() -> None:
    one = of(layered, {"X": X, "Y": Y}, {"W": W, "b": b, "V": V})
    other = of(layered, X=X, Y=Y, W=W, b=b, V=V, parameters=["W", "b", "V"])
    assert one.sha256 == other.sha256
