"""Recording every matrix of a pass, beside the same pass in plain numpy that keeps nothing, and in others' tools.

Run as a process of its own with one BLAS thread, since numpy reads that when it is imported.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.measure import ONE_THREAD, Goal, by_turns, child, goals, markdown, peak_memory, spread, table
from benchmarks.problems import made_problem
from tracer.lesson.build import build
from tracer.problem.problem import Problem
from tracer.run.training import trace, train

SIZES = {"4-3-1, 3 samples": ((4, 3, 1), 3, 400), "784-128-10, 64 samples": ((784, 128, 10), 64, 4)}
PLAIN, TRACE = "plain numpy, nothing kept", "trace, every matrix kept"
TORCHLENS = "TorchLens, every operation and gradient kept"
ASKED = {"4-3-1, 3 samples": 1.25, "784-128-10, 64 samples": 1.05}
MEMORY_HELD = {"MALLOC_TRIM_THRESHOLD_": "1000000000", "MALLOC_MMAP_THRESHOLD_": "1000000000"}
HELD = """The same in a process that gives no memory back (glibc's MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_):
what is kept then costs no page faults; plain numpy, using the same memory again and again, has none either way."""
FINDING = """What made the difference, from profiles: `A.dot(B)` is `A @ B` in half the time for small matrices; large
results are written in place, very large ones into memory taken as one block for all passes, which the system hands out
in huge pages, from a cache line on; layers whose weights have more rows than columns are kept column by column, which
the BLAS computes faster (their gradients by a sixth); and of each pass only what cannot be seen later is looked at (a
number beyond float64 in a gradient stays in the parameters, so those of the last pass speak for all). What is left of
the small network's difference is losses, history and the loop; one `trace` takes some 20 µs besides, however many
passes it records. Of the large one it is memory, 1.9 MB a pass: what plain numpy writes stays in the processor's
nearest cache, while from some 10 MB on what is kept is written beyond it, and from 32 MB on the system clears new
memory for every trace."""
ROUNDS = 25  # they are short
COUNTS = (1, 2, 4, 8, 16, 64)  # passes that one trace keeps
MOONS = (2, 10, 1), 1000  # the sizes of the example, with biases
TRAINED, LOOP = "train, losses kept", "plain numpy, losses kept"
Seconds = Mapping[str, list[float]]


def plain(problem: Problem, epochs: int) -> list[float]:
    """The eleven steps as anybody writes them in numpy: the losses."""
    X, Y, rate = problem.X, problem.Y, problem.learning_rate
    (W1, b1), (W2, b2) = ((layer.weights, layer.bias) for layer in problem.layers)
    losses = []
    for _ in range(epochs):
        Z1 = X @ W1 + b1
        A1 = 1.0 / (1.0 + np.exp(-Z1))
        Z2 = A1 @ W2 + b2
        A2 = 1.0 / (1.0 + np.exp(-Z2))
        losses.append(0.5 * np.add.reduce((Y - A2) ** 2, None))
        E = A2 - Y
        S2, S1 = A2 * (1.0 - A2), A1 * (1.0 - A1)
        D2 = E * S2
        D1 = (D2 @ W2.T) * S1
        W2, b2 = W2 - rate * (A1.T @ D2), b2 - rate * np.add.reduce(D2, 0, keepdims=True)
        W1, b1 = W1 - rate * (X.T @ D1), b1 - rate * np.add.reduce(D1, 0, keepdims=True)
    return losses


def compiled(problem: Problem, epochs: int, keep: bool) -> Callable[[], object]:
    """The program that `trace` runs, built once; nothing is checked."""
    program = build(problem)
    rate = np.array([[problem.learning_rate]])

    def run() -> list[object]:
        parameters, kept = problem.parameters, []
        for _ in range(epochs):
            computed = program.numpy.run(problem.X, problem.Y, *parameters, rate)
            parameters = program.numpy.updated_of(computed)
            if keep:
                kept.append(computed)
        return kept

    return run


def _passes(name: str) -> dict[str, list[float]]:
    """Seconds of one pass, by numpy."""
    sizes, rows, epochs = SIZES[name]
    problem = made_problem(sizes, rows)
    seconds = by_turns(
        {
            PLAIN: lambda: plain(problem, epochs),
            "the compiled program alone, nothing kept": compiled(problem, epochs, False),
            "the compiled program alone, every matrix kept": compiled(problem, epochs, True),
            TRACE: lambda: trace(problem, range(1, epochs + 1)),
        },
        ROUNDS,
    )
    return {key: [each / epochs for each in seconds[key]] for key in seconds}


def _kept(name: str) -> dict[str, dict[str, list[float]]]:
    """Seconds of one pass where one trace keeps so many."""
    sizes, rows, _ = SIZES[name]
    problem = made_problem(sizes, rows)

    def measured(epochs: int) -> dict[str, list[float]]:
        subjects = {PLAIN: lambda: plain(problem, epochs), TRACE: lambda: trace(problem, range(1, epochs + 1))}
        return {key: [each / epochs for each in every] for key, every in by_turns(subjects, ROUNDS).items()}

    return {str(epochs): measured(epochs) for epochs in COUNTS}


def _kept_table(name: str) -> str:
    seconds = child("tracing", "kept", name, **ONE_THREAD)
    rows = [
        (
            count,
            *(f"{1e6 * statistics.median(each[key]):,.0f} µs" for key in (PLAIN, TRACE)),
            f"{_ratio(each, TRACE, PLAIN):.2f}",
        )
        for count, each in seconds.items()
    ]
    return markdown(("passes kept by one trace", f"a pass, {PLAIN}", f"a pass, {TRACE}", "ratio"), rows)


def _passes_of_others(name: str) -> dict[str, list[float]]:
    """Seconds of one pass beside Tracer's; TorchLens comes last, since PyTorch is slower from then on."""
    from benchmarks import frameworks

    sizes, rows, epochs = SIZES[name]
    problem, few = made_problem(sizes, rows), max(1, epochs // 100)
    threads = os.cpu_count() or 1
    subjects: dict[str, tuple[int, Callable[[], object]]] = {
        TRACE: (epochs, lambda: trace(problem, range(1, epochs + 1))),
        "PyTorch with hooks, one thread": (epochs, frameworks.pytorch(problem, epochs, 1)),
        f"PyTorch with hooks, {threads} threads": (epochs, frameworks.pytorch(problem, epochs, threads)),
    }
    if sizes[0] < 100:  # a larger one would take it minutes a pass
        subjects["micrograd, number by number"] = (few, frameworks.in_micrograd(problem, few))
    last = {TORCHLENS: (few, frameworks.in_torchlens(problem, few))}
    seconds = by_turns({key: run for key, (_, run) in subjects.items()})
    seconds |= by_turns({key: run for key, (_, run) in last.items()})
    return {key: [each / (subjects | last)[key][0] for each in seconds[key]] for key in seconds}


def _training(epochs: int) -> dict[str, list[float]]:
    problem = made_problem(*MOONS)
    subjects = {LOOP: lambda: plain(problem, epochs), TRAINED: lambda: train(problem, epochs)}
    return by_turns(subjects, 5)


def _training_memory(epochs: int) -> float:
    problem = made_problem(*MOONS)
    train(problem, 1)
    before = peak_memory()
    train(problem, epochs)
    return peak_memory() - before


def _ratio(seconds: Seconds, name: str, base: str) -> float:
    return statistics.median(seconds[name]) / statistics.median(seconds[base])


def _size_section(name: str) -> str:
    ours, others = child("tracing", "passes", name, **ONE_THREAD), child("tracing", "others", name, **ONE_THREAD)
    held = child("tracing", "passes", name, **ONE_THREAD, **MEMORY_HELD)
    return "\n\n".join(
        (
            f"### {name}",
            table(ours, PLAIN, unit=1e6, symbol="µs"),
            HELD,
            table(held, PLAIN, unit=1e6, symbol="µs"),
            "The more passes one trace keeps, the less its fixed cost counts, and the more memory is written:",
            _kept_table(name),
            "Others:",
            table(others, TRACE, unit=1e6, symbol="µs"),
            goals(
                [
                    Goal("trace / plain numpy", ASKED[name], _ratio(ours, TRACE, PLAIN), most=True),
                    Goal("trace / plain numpy, memory held", ASKED[name], _ratio(held, TRACE, PLAIN), most=True),
                    Goal("TorchLens / trace", 20, _ratio(others, TORCHLENS, TRACE)),
                ]
            ),
        )
    )


def _training_section() -> str:
    seconds = child("tracing", "training", 10_000, **ONE_THREAD)
    rows = [
        (name, *(f"{each:.2f} s" for each in spread(values)), f"{_ratio(seconds, name, LOOP):.2f}")
        for name, values in seconds.items()
    ]
    memory = {epochs: child("tracing", "memory", epochs, **ONE_THREAD) for epochs in (100, 1000, 10_000)}
    kept = "; ".join(f"{epochs:,} epochs {held:.1f} MB" for epochs, held in memory.items())
    ratio = Goal("train / plain numpy", 1.1, _ratio(seconds, TRAINED, LOOP), most=True)
    times = markdown(("10,000 epochs of 2-10-1, 1000 samples", "median", "min", "max", "ratio"), rows)
    return f"{times}\n\n{goals([ratio])}\n\nMemory that `train` takes beyond its first epoch's: {kept}."


def report() -> str:
    """The section of RESULTS.md."""
    head = (
        "## Tracing\n\nOne pass, one BLAS thread, float64. `trace` also makes sure that every number is finite and "
        "keeps a history. micrograd has networks of ReLU only."
    )
    return "\n\n".join((head, *map(_size_section, SIZES), FINDING, "### Training", _training_section())) + "\n"


if __name__ == "__main__":
    what, argument = sys.argv[1:]
    measures: dict[str, Callable[[], object]] = {
        "passes": lambda: _passes(argument),
        "kept": lambda: _kept(argument),
        "others": lambda: _passes_of_others(argument),
        "training": lambda: _training(int(argument)),
        "memory": lambda: _training_memory(int(argument)),
    }
    print(json.dumps(measures[what]()))
