"""Worked lines: a cell's letters, numbers and result in LaTeX, beside what handcalcs makes of the same arithmetic."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from math import exp
from typing import Any

from benchmarks.measure import Goal, by_turns, goals, markdown, spread
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace

OURS, THEIRS = "Tracer", "handcalcs"


def rendered(recorded: Trace) -> list[str]:
    """The worked lines of Z1 and A1 of the article's example, all 18."""
    cells = [(row, column) for row in range(3) for column in range(3)]
    return [recorded.matrix(name)[cell]._repr_latex_() for name in ("Z1", "A1") for cell in cells]


def in_handcalcs(recorded: Trace) -> Callable[[], list[str]]:
    """The same lines; its letters, numbers and results of the same sums and fractions."""
    from handcalcs.decorator import handcalc

    def input_of_unit(x_1: Any, x_2: Any, x_3: Any, x_4: Any, w_1: Any, w_2: Any, w_3: Any, w_4: Any, b: Any) -> Any:
        z = x_1 * w_1 + x_2 * w_2 + x_3 * w_3 + x_4 * w_4 + b
        return z

    def activation_of_unit(z: Any) -> Any:
        a = 1 / (1 + exp(-z))
        return a

    X, W, b, Z = (recorded[name].tolist() for name in ("X", "W1", "b1", "Z1"))
    line, sigmoid = handcalc()(input_of_unit), handcalc()(activation_of_unit)
    cells = [(row, column) for row in range(3) for column in range(3)]

    def render() -> list[str]:
        sums = [line(*X[row], *(each[column] for each in W), b[0][column])[0] for row, column in cells]
        return sums + [sigmoid(Z[row][column])[0] for row, column in cells]

    return render


def report() -> str:
    """The section of RESULTS.md."""
    recorded = trace(load_problem("article"))
    theirs = in_handcalcs(recorded)
    assert len(rendered(recorded)) == len(theirs()) == 18
    seconds = by_turns({OURS: lambda: rendered(recorded), THEIRS: theirs})
    rows = [(name, *(f"{1e6 * each / 18:,.0f} µs" for each in spread(values))) for name, values in seconds.items()]
    ratio = statistics.median(seconds[THEIRS]) / statistics.median(seconds[OURS])
    return "\n\n".join(
        (
            "## Worked lines\n\nLetters = numbers = result of 18 cells (Z1 and A1 of the article's example) in LaTeX.",
            markdown(("a line", "median", "min", "max"), rows),
            goals([Goal("handcalcs / Tracer", 1, ratio)]),
        )
    )
