"""How time and memory grow: recorded values against layers, units, samples and epochs; exported cells.

With a subject and its sizes as arguments it measures that alone, in a process of its own.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import workbooks
from benchmarks.measure import ONE_THREAD, child, markdown, peak_memory, seconds_of
from benchmarks.problems import made_problem
from tracer.training import trace

ROUNDS = 5
LINEAR = 1.25  # of what one value or cell cost a step before; beyond, growth is called more than linear


class Size(NamedTuple):
    """A network of `layers` layers as wide as its inputs, traced for some epochs."""

    layers: int
    units: int
    samples: int
    epochs: int


TRACED = {
    "layers": [Size(layers, 20, 200, 10) for layers in (1, 4, 16, 64)],
    "units": [Size(2, units, 50, 10) for units in (5, 20, 80, 320)],
    "samples": [Size(2, 10, samples, 10) for samples in (8, 80, 800, 8000)],
    "epochs": [Size(2, 10, 40, epochs) for epochs in (3, 30, 300, 3000)],
}
EXPORTED = (10_000, 100_000, 1_000_000, 5_000_000)
WRITERS = {"numbers": workbooks.tracer_numbers, "formulas": workbooks.tracer_formulas}


class Cost(NamedTuple):
    """Median seconds and MB for so many values or cells."""

    count: int
    seconds: float
    memory: float


def _cost(run: Callable[[], int]) -> Cost:
    """Memory is what the first run takes beyond what was held before."""
    before = peak_memory()
    count = run()
    memory = peak_memory() - before
    return Cost(count, statistics.median(seconds_of(run) for _ in range(ROUNDS)), memory)


def traced(*size: int) -> Cost:
    layers, units, samples, epochs = size
    problem = made_problem((units,) * (layers + 1), samples, epochs)
    trace(problem)

    def run() -> int:
        passes = trace(problem, range(1, epochs + 1)).passes
        return sum(array.size for one in passes for array in one.computed)

    return _cost(run)


def exported(kind: str, cells: int) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        path, values = Path(folder) / "book.xlsx", workbooks.made_values(cells)
        WRITERS[kind](values[:2], path)

        def run() -> int:
            WRITERS[kind](values, path)
            return int(values.size)

        return _cost(run)


def _rows(first: Sequence[object], costs: Sequence[Cost]) -> list[tuple[str, ...]]:
    """Rows of a table: what each value costs, and the share of the row above's."""
    rows, before = [], None
    for name, cost in zip(first, costs, strict=True):
        each = cost.seconds / cost.count
        share = "" if before is None else f"{each / before:.2f}" + (" **more**" if each > LINEAR * before else "")
        sizes = (f"{cost.count:,}", f"{cost.seconds:.3f} s", f"{each * 1e9:,.0f} ns", share, f"{cost.memory:.0f} MB")
        rows.append((str(name), *sizes))
        before = each
    return rows


def report() -> str:
    """The section of RESULTS.md."""
    parts = [
        "## Growth\n\nEach row is a process of its own: the median of five runs, and the memory that the first takes. "
        "Linear growth is a cost per value that stays as it is or falls; where it is more than a quarter above the "
        "row before, the table says **more**."
    ]
    for what, sizes in TRACED.items():
        costs = [Cost(*child("growth", "traced", *size, **ONE_THREAD)) for size in sizes]
        names = ["{} layers, {} units, {} samples, {} epochs".format(*size) for size in sizes]
        head = (f"trace, by {what}", "values", "time", "per value", "share", "memory")
        parts.append(markdown(head, _rows(names, costs)))
    for kind in WRITERS:
        costs = [Cost(*child("growth", "exported", kind, cells)) for cells in EXPORTED]
        head = (f"exported {kind}", "cells", "time", "per cell", "share", "memory")
        parts.append(markdown(head, _rows([f"{cells:,} cells" for cells in EXPORTED], costs)))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    if sys.argv[1] == "traced":
        print(json.dumps(traced(*map(int, sys.argv[2:]))))
    else:
        print(json.dumps(exported(sys.argv[2], int(sys.argv[3]))))
