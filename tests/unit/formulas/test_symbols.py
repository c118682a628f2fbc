"""Formulas written in Python print themselves as they are read."""

import numpy as np
import pytest

from tracer.api import trace
from tracer.formulas import symbols as module
from tracer.formulas.symbols import FUNCTIONS, Expression, pi, softmax, step, symbols, where

A, B, C = symbols("A, B C")


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (A + B - C, "A + B - C"),
        (A - (B - C), "A - (B - C)"),
        (A * (B + 1) / 2, "A * (B + 1) / 2"),
        (A / (B / C), "A / (B / C)"),
        (2 - A, "2 - A"),
        (1 / (1 + A), "1 / (1 + A)"),
        (A @ B @ C, "A @ B @ C"),
        (A @ (B * C), "A @ (B * C)"),
        ((A @ B).T, "(A @ B).T"),
        (A.T @ B, "A.T @ B"),
        (-(A**2), "-A ** 2"),
        ((-A) ** 2, "(-A) ** 2"),
        ((A + B) ** -0.5, "(A + B) ** -0.5"),
        (A * -2, "A * (-2)"),
        (A - -2, "A - (-2)"),
        (-A - B, "-A - B"),
        (A * -B, "A * -B"),
        (A[0] + A[1:, 0:2], "A[0] + A[1:, 0:2]"),
        (A[[0, 2]], "A[[0, 2]]"),
        ((A + B)[:, -1], "(A + B)[:, -1]"),
        (softmax(A, axis=0), "softmax(A, axis=0)"),
        (where(A > B, A, 0), "where(A > B, A, 0)"),
        (2 * pi * A, "2 * pi * A"),
    ],
)
def test_what_is_written_is_what_python_means(made: Expression, text: str) -> None:
    assert str(made) == repr(made) == text
    values = {name: np.arange(1.0, 5.0).reshape(2, 2) + k for k, name in enumerate("ABC")}
    if "[" not in text and "softmax" not in text and "where" not in text:
        names = {**values, "pi": np.pi}
        run = trace({
            "learning_rate": 0.1, "given": {name: each.tolist() for name, each in values.items()},
            "parameters": {"w": 1}, "steps": [{"formulas": [f"R = {text}", "L = sum(R) * w"]}],
        })  # fmt: skip
        assert np.allclose(run["R"], eval(text, {}, names))


def test_a_program_is_written_and_run() -> None:
    X, W, Z, P, Y = symbols("X W Z P Y")
    steps = [step("Sums", Z=X @ W), step("Shares", P=softmax(Z)), step(L=FUNCTIONS["cross_entropy"](P, Y))]
    assert steps[2] == {"formulas": ["L = cross_entropy(P, Y)"]}
    run = trace({
        "learning_rate": 0.1, "given": {"X": [[1, 2]], "Y": [[0, 1]]}, "parameters": {"W": [[0.1, 0.2], [0.3, 0.4]]},
        "steps": steps,
    })  # fmt: skip
    assert run["dW"].shape == (2, 2)


def test_what_is_no_name_or_function_is_refused() -> None:
    with pytest.raises(ValueError, match="'lam' would do"):
        symbols("lambda")
    with pytest.raises(AttributeError, match="no attribute 'softmaxx'"):
        module.softmaxx  # noqa: B018
