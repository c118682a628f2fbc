"""Recording every matrix of a pass, beside the same pass in plain numpy that keeps nothing.

Run as a process of its own with one BLAS thread, since numpy reads that when it is imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks.measure import ROUNDS, table
from tracer.network.problem import Problem, problem_from_document
from tracer.training import trace

SIZES = {"4-3-1, 3 samples": (4, 3, 1, 3, 400), "784-128-10, 64 samples": (784, 128, 10, 64, 4)}
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def _problem(inputs: int, hidden: int, outputs: int, rows: int) -> Problem:
    random = np.random.default_rng(1)
    X, Y = random.uniform(-1, 1, (rows, inputs)), random.integers(0, 2, (rows, outputs)).astype(float)
    layers = [{"activation": "sigmoid", "units": hidden}, {"activation": "sigmoid", "units": outputs}]
    document = {"learning_rate": 0.01, "loss": "half_squared_error", "layers": layers}
    return problem_from_document({**document, "data": {"X": X.tolist(), "Y": Y.tolist()}}, "bench", "bench")


def _plain(problem: Problem, epochs: int) -> None:
    """The eleven steps as anybody writes them in numpy."""
    X, Y, rate = problem.X, problem.Y, problem.learning_rate
    (W1, b1), (W2, b2) = ((layer.weights, layer.bias) for layer in problem.layers)
    for _ in range(epochs):
        Z1 = X @ W1 + b1
        A1 = 1.0 / (1.0 + np.exp(-Z1))
        Z2 = A1 @ W2 + b2
        A2 = 1.0 / (1.0 + np.exp(-Z2))
        0.5 * np.add.reduce((Y - A2) ** 2, None)
        E = A2 - Y
        S2, S1 = A2 * (1.0 - A2), A1 * (1.0 - A1)
        D2 = E * S2
        D1 = (D2 @ W2.T) * S1
        W2, b2 = W2 - rate * (A1.T @ D2), b2 - rate * np.add.reduce(D2, 0, keepdims=True)
        W1, b1 = W1 - rate * (X.T @ D1), b1 - rate * np.add.reduce(D1, 0, keepdims=True)


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _measure() -> dict[str, dict[str, list[float]]]:
    found = {}
    for name, (inputs, hidden, outputs, rows, epochs) in SIZES.items():
        problem = _problem(inputs, hidden, outputs, rows)
        subjects: dict[str, Callable[[], object]] = {
            "plain numpy, nothing kept": lambda p=problem, n=epochs: _plain(p, n),
            "trace, every matrix kept": lambda p=problem, n=epochs: trace(p, range(1, n + 1)),
        }
        for run in subjects.values():
            run()
        rounds = [{key: _seconds(run) / epochs for key, run in subjects.items()} for _ in range(ROUNDS)]
        found[name] = {key: [each[key] for each in rounds] for key in subjects}
    return found


def report() -> str:
    """The section of RESULTS.md."""
    command = [sys.executable, "-m", "benchmarks.tracing"]
    run = subprocess.run(command, env={**os.environ, **ONE_THREAD}, check=True, capture_output=True, text=True)
    parts = ["## Tracing\n\nOne pass, one BLAS thread; `trace` also builds its program and checks every number."]
    for name, seconds in json.loads(run.stdout).items():
        parts.append(f"{name}:\n\n{table(seconds, 'plain numpy, nothing kept', unit=1e6, symbol='µs')}")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(json.dumps(_measure()))
