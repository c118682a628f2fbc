"""Running a network: one epoch recorded and shown, or many."""

from __future__ import annotations

import re
from contextlib import nullcontext
from enum import StrEnum
from functools import partial
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracer.commands.common import (
    DEFAULT_FOLDER,
    FolderOption,
    JsonOption,
    ProblemArgument,
    load,
    load_any,
    print_json,
    progress,
)
from tracer.commands.models import DataOption, LossOption, TargetsOption, is_model, load_model
from tracer.commands.shape import choices
from tracer.errors import TracerError
from tracer.files import unreserved, write_text
from tracer.presentation.excerpt import counted
from tracer.processes import beside

if TYPE_CHECKING:
    from tracer.run.passes import AnyProblem, Trace
    from tracer.run.training import Training

DEFAULT_EXAMPLE = "article"
MOST_EPOCHS = 1_000_000  # to record; `train` takes any number
MOST_STEPS = 1_000  # sheets of a workbook, sections of a page
MOST_MATRICES = 150_000  # on all of them together

EpochsOption = Annotated[
    str | None,
    typer.Option("--epochs", metavar="EPOCHS", help="How many epochs (3), or which ones (1,10,100 or 8-10)."),
]


class WalkthroughFile(StrEnum):
    """The workbook, or the page and the derivation worked by hand."""

    xlsx = "xlsx"
    html = "html"


def walkthrough(
    problem: ProblemArgument = DEFAULT_EXAMPLE,
    output: FolderOption = DEFAULT_FOLDER,
    epochs: EpochsOption = None,
    only: Annotated[
        WalkthroughFile | None,
        typer.Option(metavar=choices(WalkthroughFile), help="Write only the workbook, or only the pages."),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page when it is written.")] = False,
    matrix_formulas: Annotated[
        bool, typer.Option("--matrix-formulas", help="In the workbook, one array formula for a matrix.")
    ] = False,
    data: DataOption = None,
    targets: TargetsOption = None,
    loss: LossOption = None,
) -> None:
    """Write a live workbook, a page that shows one epoch step by step, and the derivation worked by hand."""
    from tracer.problem.remarks import departures
    from tracer.run.training import trace

    chosen = epoch_numbers(epochs, [1])
    told = [name for name, value in (("--data", data), ("--targets", targets), ("--loss", loss)) if value is not None]
    if told and not is_model(problem):
        raise TracerError(f"{told[0]}: found it beside a problem, expected it beside a model (model.onnx)")
    loaded = load_model(problem, data, targets, loss) if is_model(problem) else load_any(problem)
    check_readable(loaded, len(chosen))
    with progress("training", max(chosen)) as advance:
        recorded = trace(loaded, chosen, lambda _: advance())
    start = output / unreserved(loaded.name)
    there = set(output.glob(f"{escape(start.name)}.*"))
    written, left_out = _write_files(recorded, start, only, matrix_formulas)
    replaced = ", ".join(path.name for path in written if path in there)
    said = (*departures(loaded), left_out, replaced and f"replaced: {replaced}")
    for line in (summary(loaded, recorded.before, recorded.after), *filter(None, said), *written):
        typer.echo(line)
    if show:
        typer.launch(str(start.with_name(f"{start.name}.{only or WalkthroughFile.html}")))


def _write_files(
    recorded: Trace[AnyProblem], start: Path, only: WalkthroughFile | None, matrix_formulas: bool
) -> tuple[list[Path], str]:
    """The files written, whose names begin as `start` does; why there is no derivation, or ""."""
    book = start.with_name(f"{start.name}.xlsx")
    write_book = partial(_write_book, recorded, book, matrix_formulas)
    if only is WalkthroughFile.xlsx:
        write_book()
        return [book], ""
    with nullcontext() if only else beside(write_book):
        pages, left_out = _pages(recorded)
    written = [] if only else [book]
    for ending, text in pages.items():
        written.append(start.with_name(f"{start.name}{ending}"))
        write_text(written[-1], text)
    return written, left_out


def _write_book(recorded: Trace[AnyProblem], path: Path, matrix_formulas: bool) -> None:
    from tracer.workbook.workbook import write_workbook

    with progress("workbook", sum(len(each.steps) for each in recorded.passes)) as advance:
        write_workbook(recorded, path, advance, matrix_formulas)


def _pages(recorded: Trace[AnyProblem]) -> tuple[dict[str, str], str]:
    """The page and the derivation worked by hand, by the ends of their names; why there is no derivation, or ""."""
    from tracer.derivation.book import render_derivation, too_large
    from tracer.page.page import render_page

    name, left_out = recorded.problem.name, too_large(recorded.problem)
    if left_out:
        return {".html": render_page(recorded)}, left_out
    page, book = f"{name}.html", f"{name}.derivation.html"
    return {".html": render_page(recorded, book), ".derivation.html": render_derivation(recorded, page)}, ""


def trace(
    problem: ProblemArgument,
    epochs: EpochsOption = None,
    as_json: JsonOption = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Save the trace as .npz.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain-conventions", help="Print how other conventions' numbers differ, one of each.")
    ] = False,
) -> None:
    """Run one epoch and print every matrix, step by step."""
    from tracer.run.training import trace as run

    chosen = epoch_numbers(epochs, [1])
    loaded = load_any(problem)
    with progress("training", max(chosen)) as advance:
        recorded = run(loaded, chosen, lambda _: advance())
    if output is not None:
        from tracer.run.storage import save_trace

        save_trace(recorded, output)
    if explain:
        _explain(recorded, as_json)
    elif as_json:
        print_json(recorded.to_document())
    elif output is None:
        from tracer.terminal import print_trace

        print_trace(recorded)
    else:
        from tracer.terminal import notes

        for sentence in (*notes(loaded), output):
            typer.echo(sentence)


def _explain(recorded: Trace[Any], as_json: bool) -> None:
    """The table of other conventions. Raises TracerError for a program, which has none."""
    from tracer.presentation.other_ways import other_ways
    from tracer.problem.problem import Problem
    from tracer.terminal import print_other_ways

    if not isinstance(recorded.problem, Problem):
        raise TracerError("--explain-conventions: found a program, expected a problem with [[layers]]")
    if as_json:
        print_json({"other_conventions": [each.to_document() for each in other_ways(recorded)]})
    else:
        print_other_ways(recorded)


def train(
    problem: ProblemArgument,
    epochs: Annotated[int | None, typer.Option(min=1, metavar="N", help="How many; default: the problem's.")] = None,
    as_json: JsonOption = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="A folder for plots and a page.")
    ] = None,
) -> None:
    """Train for many epochs; show the loss, the final parameters and outputs."""
    from tracer.run.training import train as run

    if output is not None:
        from tracer.training_report.plots import require_matplotlib

        require_matplotlib()
    loaded = load_any(problem) if output is None else load(problem)
    total = loaded.epochs if epochs is None else epochs
    with progress("training", total) as advance:
        training: Training[Any] = run(loaded, total, progress=lambda _: advance())
    paths = []
    if output is not None:
        from tracer.training_report.page import write_training

        paths = write_training(training, output)
    if as_json:
        print_json(training.to_document())
        return
    from tracer.terminal import print_training

    print_training(training)
    for path in paths:
        typer.echo(path)


def epoch_numbers(text: str | None, default: list[int]) -> list[int]:
    """Which epochs: "3" is the first three, "1,10" and "8-10" are those.

    Raises TracerError for anything else.
    """
    if text is None:
        return default
    numbers: set[int] = set()
    try:
        ranges = f"1-{text.strip()}" if re.fullmatch(r"[0-9]+", text.strip()) else text
        for part in ranges.split(","):
            found = re.fullmatch(r"\s*([0-9]{1,12})(?:-([0-9]{1,12}))?\s*", part)
            wanted = range(int(found[1]), int(found[2] or found[1]) + 1) if found else range(0)
            if not wanted:
                raise ValueError(part)
            if len(numbers) + len(wanted) > MOST_EPOCHS:
                raise TracerError(f"--epochs: found {text[:40]!r}, expected at most {MOST_EPOCHS:,} to record")
            numbers.update(wanted)
    except ValueError:
        numbers = set()
    if not numbers or min(numbers) < 1:
        raise TracerError(f"--epochs: found {text[:40]!r}, expected a number (3), a list (1,10) or a range (8-10)")
    return sorted(numbers)


def check_readable(problem: AnyProblem, epochs: int) -> None:
    """Refuse a walkthrough that nobody could read, before anything is run."""
    from tracer.lesson.build import build

    program = build(problem)
    steps = epochs * len(problem.batches()) * len(program.steps)
    if steps > MOST_STEPS or steps * len(program.assignments) > MOST_MATRICES:
        raise TracerError(
            f"a walkthrough of {counted(epochs, 'epoch')} with {counted(len(problem.batches()), 'pass', 'passes')} "
            f"each has {steps:,} steps on "
            f"boards of {len(program.assignments):,} matrices, more than anybody reads; choose fewer epochs "
            "(--epochs 1,10), a larger batch_size or fewer layers"
        )


def summary(problem: AnyProblem, before: float, after: float) -> str:
    """The one line that says what happened."""
    from tracer.presentation.shown import losses, size_words

    return f"{size_words(problem)}; loss {' → '.join(losses(problem, before, after))}"
