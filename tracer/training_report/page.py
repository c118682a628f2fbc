"""The page of a training: what was trained, the plots, the loss on the way, and where it ended.

One file without a request to anywhere; the same training gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from tracer.expression.digits import as_typed, decimals_for, fixed
from tracer.expression.label import label_mathml
from tracer.files import replace_file, unreserved
from tracer.presentation.headings import Headings, detail
from tracer.presentation.templates import environment
from tracer.problem.problem import Problem
from tracer.problem.remarks import conventions, departures
from tracer.program.roles import BIAS
from tracer.run.training import Training
from tracer.training_report.plots import draw, loss_words

PARTS = 10  # of the run: the loss is told after each
LOSS_DIGITS, OUTPUT_DIGITS = 6, 4
FIRST_ROWS = 10  # samples whose outputs are told
MOST_OUTPUTS = 5  # of a sample
MOST_PARAMETERS = 100  # of a network small enough to tell them
MOST_COLUMNS = 8  # of a matrix that has room on paper


@dataclass(frozen=True)
class ReportTable:
    """A table with a heading for each column and row."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


def write_training(training: Training, folder: Path) -> list[Path]:
    """Write the plots as SVG files and the page that holds them; returns the paths.

    Raises ExportError where matplotlib is missing or a file cannot be written.
    """
    name = unreserved(training.problem.name)
    files = {f"{name}.{each.kind}.svg": each.svg for each in draw(training, titled=True)}
    files[f"{name}.training.html"] = render_training(training)
    return [_written(folder / file_name, text.encode()) for file_name, text in files.items()]


def _written(path: Path, content: bytes) -> Path:
    replace_file(path, lambda file: file.write(content))
    return path


def render_training(training: Training) -> str:
    """The page as HTML. Raises ExportError where matplotlib is missing."""
    problem = training.problem
    parameters = training.final.program.parameters
    count = sum(training.final[each].size for each in parameters)
    return (
        environment()
        .get_template("training.html.j2")
        .render(
            problem=problem,
            departures=departures(problem),
            conventions=conventions(problem),
            facts=_facts(training),
            pictures=[(Markup(each.svg), each.words) for each in draw(training, titled=False)],
            losses=_losses(training),
            outputs=_outputs(training),
            left_out=max(0, problem.rows - FIRST_ROWS),
            parameters=[_parameter(training, each) for each in parameters] if count <= MOST_PARAMETERS else [],
            count=count,
        )
    )


def _facts(training: Training) -> list[tuple[str, str]]:
    problem, epochs = training.problem, len(training.losses)
    updates = len(problem.batches())
    return [
        ("Network", _network(problem)),
        ("Samples", f"{problem.rows:,}"),
        ("Loss", f"{problem.loss.replace('_', ' ')}, {_reduction(problem)} the samples"),
        ("Learning rate", as_typed(problem.learning_rate)),
        ("Epochs", f"{epochs:,}, of {'one update' if updates == 1 else f'{updates:,} updates'} each"),
        ("Result", loss_words(training)),
    ]


def _network(problem: Problem) -> str:
    leading = problem.convention.leading
    layers = (
        f"{each.units} {each.activation}{'' if each.bias is not None or leading else ' without bias'}"
        for each in problem.layers
    )
    return " → ".join((f"{problem.sizes[0]} input{'s' if problem.sizes[0] > 1 else ''}", *layers))


def _reduction(problem: Problem) -> str:
    return "added up over" if problem.loss_shown == "sum" else "averaged over"


def _losses(training: Training) -> ReportTable:
    """The loss before the first update, after each tenth of the run, and at its end.

    Where an epoch has several updates its passes reported the loss, none of them after it, so its number is its own.
    """
    several = len(training.problem.batches()) > 1
    losses = np.concatenate(([training.before], training.losses[0 if several else 1 :], [training.final.loss]))
    chosen = np.unique(np.linspace(0, len(losses) - 1, PARTS + 1).round().astype(int))
    decimals = decimals_for(losses[chosen], LOSS_DIGITS)
    names = {0: "before", len(losses) - 1: "after"} if several else {}
    rows = [(names.get(epoch, f"{epoch:,}"), [fixed(float(losses[epoch]), decimals)]) for epoch in chosen.tolist()]
    heading = "epoch" if several else "after epoch"
    return ReportTable(f"Loss, {_reduction(training.problem)} the samples", [heading, "loss"], rows)


def _outputs(training: Training) -> ReportTable:
    """The first samples: what was wanted of them and what came out."""
    problem = training.problem
    targets, outputs = problem.Y, problem.laid_out(training.final[training.final.program.output])
    decimals = decimals_for(np.abs(outputs).max(keepdims=True), OUTPUT_DIGITS)
    every = outputs.shape[1]
    kept = range(min(every, MOST_OUTPUTS))
    columns = [_numbered(kind, k, every) for kind in ("target", "output") for k in kept]
    rows = []
    for row in range(min(problem.rows, FIRST_ROWS)):
        texts = [as_typed(float(targets[row, k])) for k in kept] + [
            fixed(float(outputs[row, k]), decimals) for k in kept
        ]
        rows.append((str(row + 1), texts))
    part = f"; the first {MOST_OUTPUTS} of {every:,} outputs" if every > MOST_OUTPUTS else ""
    return ReportTable(f"With the final weights and biases{part}", ["sample", *columns], rows)


def _parameter(training: Training, identifier: str) -> ReportTable:
    """A matrix of weights, or a bias; one that is too wide for paper has a row for each unit."""
    values = training.problem.laid_out(training.final[identifier])
    program = training.final.program
    headings, layer = Headings(training.problem, program), program.layer_of(identifier).number
    heading = headings.of(identifier, *training.final[identifier].shape)
    decimals = decimals_for(values, LOSS_DIGITS)
    cells = np.array([[fixed(float(each), decimals) for each in row] for row in values])
    before = "bias" if program.quantity(identifier) == BIAS else "input" if layer == 1 else "unit"
    rows = [_numbered(before, k, 1 if before == "bias" else 2) for k in range(values.shape[0])]
    columns = [_numbered("output" if layer == training.problem.depth else "unit", k, 2) for k in range(values.shape[1])]
    note = detail(heading) + (", transposed" if program.turned else "")
    if len(columns) > max(MOST_COLUMNS, len(rows)):
        rows, columns, cells, note = columns, rows, cells.T, f"{note}, transposed"
    caption = Markup("<math>{}</math> <small>{}</small>").format(Markup(label_mathml(heading.name)), note)
    return ReportTable(caption, ["", *columns], list(zip(rows, cells.tolist(), strict=True)))


def _numbered(word: str, position: int, count: int) -> str:
    """A heading, with its number where there are several."""
    return f"{word} {position + 1}" if count > 1 else word
