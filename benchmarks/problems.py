"""The problems that are measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tracer.problem.problem import Problem, problem_from_document


def made_problem(sizes: Sequence[int], rows: int, epochs: int = 1) -> Problem:
    """Sigmoid layers of these sizes, the inputs' first, over random samples."""
    random = np.random.default_rng(1)
    X, Y = random.uniform(-1, 1, (rows, sizes[0])), random.integers(0, 2, (rows, sizes[-1])).astype(float)
    return problem_from_document(
        {
            "learning_rate": 0.01,
            "epochs": epochs,
            "loss": "half_squared_error",
            "layers": [{"activation": "sigmoid", "units": units} for units in sizes[1:]],
            "data": {"X": X.tolist(), "Y": Y.tolist()},
        },
        "bench",
        "bench",
    )
