"""What the terminal shows of a trace and of a training."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracer.expression.digits import fixed
from tracer.expression.text import matrix_text
from tracer.presentation.other_ways import HEADINGS, TITLE, other_ways
from tracer.presentation.shown import Shown, shown
from tracer.problem.problem import Problem
from tracer.problem.remarks import conventions, departures
from tracer.program.roles import Assignment
from tracer.run.passes import AnyProblem, Pass, Trace
from tracer.run.training import Training

MOST_ROWS, MOST_COLUMNS = 20, 12
BARS = "▁▂▃▄▅▆▇█"
CURVE = 60  # columns of the loss curve
LINES = 11  # of the loss table


def print_trace(trace: Trace[AnyProblem]) -> None:
    """Every matrix by step, with its formula."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(trace.problem.title, style="bold"))
    for sentence in notes(trace.problem):
        console.print(Text(sentence, style="bold red"))
    several = len(list(trace.passes)) > 1
    for one in trace.passes:
        if several:
            rows = f"rows {one.start + 1}–{one.stop}"
            console.print(Text(f"\nEpoch {one.epoch}, iteration {one.iteration}, {rows}", style="bold"))
        decimals = shown(trace, one)
        for step in one.steps:
            console.print(Text(f"\nStep {step.label} · {step.title}", style="bold yellow"))
            for each in step.assignments:
                console.print(Text(f"  {_heading(trace, each)}"))
                for line in _lines(one, each.id, decimals):
                    console.print(Text(f"    {line}"))


def print_other_ways(trace: Trace) -> None:
    """The problem's own conventions, and a table of the others with one number of each."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(trace.problem.title, style="bold"))
    for sentence in (*notes(trace.problem), *conventions(trace.problem)):
        console.print(Text(f"  {sentence}"))
    console.print(Text(f"\n{TITLE}", style="bold yellow"))
    table = Table(*HEADINGS, box=None, pad_edge=False, header_style="bold")
    for each in other_ways(trace):
        table.add_row(*map(Text, each.row))
    Console(highlight=False).print(table)


def notes(problem: AnyProblem) -> list[str]:
    """What must be said of a problem before its numbers."""
    if isinstance(problem, Problem):
        return list(departures(problem))
    return [f"The loss does not depend on {name}: its gradient is zero." for name in problem.unused]


def print_training(training: Training[AnyProblem]) -> None:
    """The loss along the way as a table and a curve, and where it ended."""
    console = Console(highlight=False, soft_wrap=True)
    problem, losses = training.problem, training.losses
    console.print(Text(problem.title, style="bold"))
    for sentence in notes(problem):
        console.print(Text(sentence, style="bold red"))
    console.print(Text(f"loss ({problem.loss_shown}) {_when(training)}"))
    if len(problem.batches()) > 1:
        console.print(Text(f"  {'before':>8}  {training.before:.6g}"))
    for epoch in np.unique(np.linspace(0, len(losses) - 1, LINES).round().astype(int)):
        console.print(Text(f"  {epoch + 1:>8}  {losses[epoch]:.6g}"))
    console.print(Text(f"  {'after':>8}  {training.final.loss:.6g}"))
    console.print(Text(f"  {_curve(losses)}"))
    final = training.final
    last = final.program.output if isinstance(problem, Problem) else None
    for name in (*final.program.parameters, *([last] if last else [])):
        console.print(Text(f"{name}{' (outputs)' if name == last else ''}"))
        for line in _rows(final[name], lambda value: fixed(value, 6)):
            console.print(Text(f"    {line}"))


def _when(training: Training[AnyProblem]) -> str:
    """When the losses of the epochs were taken."""
    if len(training.problem.batches()) == 1:
        return "before each epoch's update"
    return "as the passes of each epoch reported it, each before its own update; of all samples before and after"


def _heading(trace: Trace[AnyProblem], each: Assignment) -> str:
    name = trace.name
    right = "" if each.expression is None else f" = {matrix_text(each.expression, name)}"
    shown_name = name(each.id)
    symbol = "" if shown_name == each.id else f"{each.id}: "
    return f"{symbol}{shown_name}{right}"


def _lines(one: Pass, identifier: str, decimals: Shown) -> Iterator[str]:
    return _rows(one[identifier], lambda value: decimals.text(identifier, value))


def _rows(values: NDArray[np.float64], text: Callable[[float], str]) -> Iterator[str]:
    rows, columns = values.shape
    cells = [[text(float(value)) for value in row[:MOST_COLUMNS]] for row in values[:MOST_ROWS]]
    width = max(len(cell) for row in cells for cell in row)
    for row in cells:
        yield "  ".join(f"{cell:>{width}}" for cell in row) + ("  …" if columns > MOST_COLUMNS else "")
    if rows > MOST_ROWS:
        yield f"… {rows - MOST_ROWS} more rows"


def _curve(losses: NDArray[np.float64]) -> str:
    """The losses as a line of bars, each the mean of its part."""
    parts = np.array_split(losses, min(CURVE, len(losses)))
    means = np.array([part.mean() for part in parts])
    span = means.max() - means.min()
    heights = (means - means.min()) / span if span else np.zeros_like(means)
    return "".join(BARS[round(height * (len(BARS) - 1))] for height in heights)
