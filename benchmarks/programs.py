"""Programs: the derived assignments compiled, beside the same lines in numpy by hand and PyTorch with hooks.

Run as a process of its own with one BLAS thread, since numpy reads that when it is imported.
"""

from __future__ import annotations

import ast
import json
import statistics
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measure import ONE_THREAD, by_turns, child, markdown, table
from tests.programs import SAMPLES
from tracer.api import load
from tracer.formulas.derived import derive
from tracer.problem.program_problem import ProgramProblem

ATTENTION = ("Q = X @ Wq", "K = X @ Wk", "V = X @ Wv", "S = Q @ K.T / 8", "P = softmax(S)", "H = P @ V",
             "L = half_squared_error(H, Y)")  # fmt: skip
SIZES = {"64×64": (64, 64, 40, 1.10), "4×3": (4, 3, 400, 1.30)}
OURS, BY_HAND, HOOKS = "derived and compiled", "numpy by hand", "PyTorch with hooks"
BLOCKS = (1, 2, 4, 8, 16)
MOST_GROWTH = 1.5  # of the time for an assignment, where it is the same however many there are
ROUNDS = 15


def attention(rows: int, width: int) -> ProgramProblem:
    random = np.random.default_rng(1)

    def drawn() -> Any:
        return random.normal(0, 0.3, (width, width)).tolist()

    given = {name: random.normal(0, 1, (rows, width)).tolist() for name in "XY"}
    parameters = {name: drawn() for name in ("Wq", "Wk", "Wv")}
    document = {
        "learning_rate": 0.1,
        "given": given,
        "parameters": parameters,
        "steps": [{"formulas": list(ATTENTION)}],
    }
    problem = load(document)
    assert isinstance(problem, ProgramProblem)
    return problem


def by_hand(X: Any, Y: Any, Wq: Any, Wk: Any, Wv: Any, rate: float) -> tuple[Any, ...]:
    """The same matrices, as anybody writes them in numpy; all are kept."""
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    S = Q @ K.T / 8
    e = np.exp(S - S.max(axis=1, keepdims=True))
    P = e / e.sum(axis=1, keepdims=True)
    H = P @ V
    L = 0.5 * ((H - Y) ** 2).sum()
    dH = H - Y
    dP, dV = dH @ V.T, P.T @ dH
    dS = P * (dP - (dP * P).sum(axis=1, keepdims=True))
    dQ, dK = dS @ K / 8, dS.T @ Q / 8
    dWq, dWk, dWv = X.T @ dQ, X.T @ dK, X.T @ dV
    new = Wq - rate * dWq, Wk - rate * dWk, Wv - rate * dWv
    return Q, K, V, S, P, H, L, dH, dP, dV, dS, dQ, dK, dWq, dWk, dWv, *new


def passes(name: str) -> dict[str, list[float]]:
    """Seconds of many passes, by turns."""
    rows, width, count, _ = SIZES[name]
    problem = attention(rows, width)
    start = (*problem.data(0, 1), *problem.parameters)
    rate, run = np.array([[problem.learning_rate]]), problem.program.numpy.run

    def ours() -> None:
        for _ in range(count):
            run(*start, rate)

    def others() -> None:
        for _ in range(count):
            by_hand(*start, problem.learning_rate)

    return by_turns({BY_HAND: others, OURS: ours}, ROUNDS)


def beside_hooks(name: str) -> dict[str, list[float]]:
    """Every matrix and gradient of a sample, by our program and by autograd with a hook for each tensor."""
    import torch

    from tests.torch_formulas import of

    torch.set_num_threads(1)
    sample = SAMPLES[name]
    problem = load(sample.document())
    assert isinstance(problem, ProgramProblem)
    start, rate = (*problem.data(0, 1), *problem.parameters), np.array([[problem.learning_rate]])
    run = problem.program.numpy.run
    given, parameters = sample.numbers()
    fixed = {key: torch.tensor(each, dtype=torch.float64) for key, each in given.items()}
    trees = [ast.parse(text).body[0] for text in sample.formulas]
    weights = {key: torch.tensor(each, dtype=torch.float64, requires_grad=True) for key, each in parameters.items()}

    def autograd() -> None:
        values, kept = {**fixed, **weights}, {}
        for tree in trees:
            assert isinstance(tree, ast.Assign) and isinstance(tree.targets[0], ast.Name)
            key = tree.targets[0].id
            values[key] = of(tree.value, values)
            if values[key].requires_grad:
                values[key].register_hook(lambda gradient, key=key: kept.__setitem__(key, gradient))
        values[key].sum().backward()
        for each in weights.values():
            (each - 0.1 * each.grad).detach()  # type: ignore[operator]
            each.grad = None

    return by_turns({HOOKS: autograd, OURS: lambda: run(*start, rate)}, 51)


def blocks(count: int) -> ProgramProblem:
    """Transformer blocks of one head, one after the other."""
    eye = np.eye(4).tolist()
    formulas, parameters, before = [], {}, "X"
    for k in range(count):
        parameters |= {f"{name}{k}": eye for name in ("Wq", "Wk", "Wv", "Wo", "A", "B")}
        formulas += [
            f"N{k} = ({before} - mean({before}, axis=1)) / sqrt(var({before}, axis=1) + 0.00001)",
            f"Q{k} = N{k} @ Wq{k}", f"K{k} = N{k} @ Wk{k}", f"V{k} = N{k} @ Wv{k}",
            f"P{k} = softmax(Q{k} @ K{k}.T / 2)", f"R{k} = {before} + P{k} @ V{k} @ Wo{k}",
            f"O{k} = R{k} + gelu(R{k} @ A{k}) @ B{k}",
        ]  # fmt: skip
        before = f"O{k}"
    formulas.append(f"L = half_squared_error({before}, Y)")
    numbers = np.arange(12.0).reshape(3, 4)
    given = {"X": (numbers / 12).tolist(), "Y": (numbers % 2).tolist()}
    problem = load({"learning_rate": 0.1, "given": given, "parameters": parameters, "steps": [{"formulas": formulas}]})
    assert isinstance(problem, ProgramProblem)
    return problem


def deriving() -> dict[str, list[float]]:
    """Seconds to derive the way back, and how many assignments come of it."""
    found = {}
    for count in BLOCKS:
        problem = blocks(count)
        subject: Callable[[], object] = lambda problem=problem: derive(problem.forward, problem.optimizer)  # noqa: E731
        times = by_turns({"": subject}, 5)[""]
        found[str(count)] = [statistics.median(times), len(problem.program.assignments)]
    return found


def _met(holds: bool) -> str:
    return "yes" if holds else "**no**"


def report() -> str:
    parts = ["## Programs: any network"]
    reached = []
    for name, (*_, goal) in SIZES.items():
        seconds = child("programs", "passes", name, **ONE_THREAD)
        ratio = statistics.median(seconds[OURS]) / statistics.median(seconds[BY_HAND])
        reached.append((f"attention, {name}", f"{ratio:.2f}", f"at most {goal}", _met(ratio <= goal)))
        parts.append(f"Attention, {name}, {SIZES[name][2]} passes, every matrix kept:\n\n{table(seconds, BY_HAND)}")
    rows, ratios = [], {}
    for name in SAMPLES:
        seconds = child("programs", "hooks", name, **ONE_THREAD)
        ours, others = (statistics.median(seconds[key]) for key in (OURS, HOOKS))
        ratios[name] = ours / others
        rows.append((name, f"{1e6 * ours:,.0f} µs", f"{1e6 * others:,.0f} µs", f"{ratios[name]:.2f}"))
    slowest = max(ratios, key=lambda name: ratios[name])
    reached.append((f"beside hooks, {slowest}", f"{ratios[slowest]:.2f}", "below 1", _met(ratios[slowest] < 1)))
    heads = ("one pass of", OURS, HOOKS, "ratio")
    parts.append(f"Every matrix and gradient, beside PyTorch's autograd with a hook each:\n\n{markdown(heads, rows)}")
    times = child("programs", "deriving", **ONE_THREAD)
    lines = [
        (blocks, f"{int(count):,}", f"{1e3 * seconds:,.1f} ms", f"{1e6 * seconds / count:,.0f} µs")
        for blocks, (seconds, count) in times.items()
    ]
    parts.append(markdown(("transformer blocks", "assignments", "deriving", "for each"), lines))
    (two, of_two), (many, of_many) = (times[str(count)] for count in (BLOCKS[1], BLOCKS[-1]))
    growth = (many / of_many) / (two / of_two)
    reached.append(("deriving two blocks", f"{1e3 * two:,.1f} ms", "below 300 ms", _met(two < 0.3)))
    reached.append((f"an assignment of {BLOCKS[-1]} blocks beside one of {BLOCKS[1]}", f"{growth:.2f}",
                    f"at most {MOST_GROWTH}", _met(growth <= MOST_GROWTH)))  # fmt: skip
    parts.append(markdown(("goal", "measured", "asked", "reached"), reached))
    return "\n\n".join(parts)


if __name__ == "__main__":
    what, *names = sys.argv[1:]
    made = {"passes": passes, "hooks": beside_hooks, "deriving": deriving}[what](*names)  # type: ignore[operator]
    print(json.dumps(made))
