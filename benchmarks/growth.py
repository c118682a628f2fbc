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
from typing import NamedTuple, TypeVar

from benchmarks import workbooks
from benchmarks.measure import ONE_THREAD, child, markdown, peak_memory, seconds_of
from benchmarks.problems import made_problem
from tracer.problem.reading import load_problem
from tracer.run.training import trace
from tracer.workbook.workbook import write_workbook

ROUNDS = 5
Result = TypeVar("Result")
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
BOOKED = {"epochs": (1, 4, 16), "inputs": (98, 392, 1568)}
BOOKS = {"epochs": "the article's example, {} epochs", "inputs": "{}-64-10, 64 samples"}
WRITERS = {"numbers": workbooks.tracer_numbers, "formulas": workbooks.tracer_formulas}


class Cost(NamedTuple):
    """Median seconds and MB for so many values or cells."""

    count: int
    seconds: float
    memory: float


def _cost(run: Callable[[], Result], count: Callable[[Result], int]) -> Cost:
    """Memory is what the first run takes beyond what was held before."""
    before = peak_memory()
    result = run()
    memory = peak_memory() - before
    counted = count(result)
    del result
    return Cost(counted, statistics.median(seconds_of(run) for _ in range(ROUNDS)), memory)


def traced(*size: int) -> Cost:
    layers, units, samples, epochs = size
    problem = made_problem((units,) * (layers + 1), samples, epochs)
    trace(problem)
    return _cost(
        lambda: trace(problem, range(1, epochs + 1)),
        lambda recorded: sum(array.size for one in recorded.passes for array in one.computed),
    )


def exported(kind: str, cells: int) -> Cost:
    """One matrix on one sheet."""
    with tempfile.TemporaryDirectory() as folder:
        path, values = Path(folder) / "book.xlsx", workbooks.made_values(cells)
        WRITERS[kind](values[:2], path)
        return _cost(lambda: WRITERS[kind](values, path), lambda _: values.size)


def booked(what: str, size: int) -> Cost:
    """A whole workbook: of the article's example by epochs, or of a large network by inputs."""
    made = load_problem("article") if what == "epochs" else made_problem((size, 64, 10), 64)
    recorded = trace(made, range(1, size + 1) if what == "epochs" else (1,))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        write_workbook(trace(load_problem("xor")), path)
        return _cost(lambda: write_workbook(recorded, path), lambda _: workbooks.cells_of(path)[1])


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
    for what, sizes in BOOKED.items():
        costs = [Cost(*child("growth", "booked", what, size)) for size in sizes]
        head = (f"whole workbooks, by {what}", "cells", "time", "per cell", "share", "memory")
        parts.append(markdown(head, _rows([BOOKS[what].format(size) for size in sizes], costs)))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    what, *sizes = sys.argv[1:]
    if what == "traced":
        print(json.dumps(traced(*map(int, sizes))))
    else:
        print(json.dumps({"exported": exported, "booked": booked}[what](sizes[0], int(sizes[1]))))
