"""The command line. Heavy modules are imported by the command that needs them.

Exit status 0: done; 1: an answer was wrong or a check failed; 2: the input cannot be used.
"""

from __future__ import annotations

import gc
import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracer.errors import TracerError

if TYPE_CHECKING:
    from rich.progress import Progress

    from tracer.network.problem import Problem

DEFAULT_EXAMPLE = "article"
DEFAULT_FOLDER = Path("outputs")
MOST_EPOCHS = 1_000_000  # to record; `train` takes any number
MOST_STEPS = 1_000  # sheets of a workbook, sections of a page
MOST_MATRICES = 150_000  # on all of them together
PATIENCE = 0.5  # seconds before a progress bar appears

app = typer.Typer(
    name="tracer",
    help="See, practise and check backpropagation by hand.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ProblemArgument = Annotated[str, typer.Argument(help="A problem file (.toml, .json) or a built-in example.")]
FolderOption = Annotated[Path, typer.Option("-o", "--output", help="The folder to write to.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
EpochsOption = Annotated[
    str | None, typer.Option("--epochs", help="How many epochs (3), or which ones (1,10,100 or 8-10).")
]


class Only(StrEnum):
    """The workbook, or the page and the derivation worked by hand."""

    xlsx = "xlsx"
    html = "html"


class Mode(StrEnum):
    """What a worksheet is for: practice with marks, an exam without, or paper."""

    practice = "practice"
    exam = "exam"
    print = "print"


class Feedback(StrEnum):
    """When a practice sheet shows its marks: after each cell, each whole matrix, or everything."""

    cell = "cell"
    step = "step"
    end = "end"


class OtherConvention(StrEnum):
    """What becomes of answers that are right under another convention than the problem's."""

    strict = "strict"
    any = "any"


def main() -> None:
    """Run the command line; whatever is wrong with the input is one message and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a redirected stream on Windows knows no →
            stream.reconfigure(encoding="utf-8")
    gc.set_threshold(200_000, 20, 20)  # imports make no garbage, and looking for it took a seventh of a short run
    try:
        app(standalone_mode=True)
    except TracerError as wrong:
        print(f"tracer: {wrong}", file=sys.stderr)
        sys.exit(2)
    except MemoryError:
        print("tracer: this needs more memory than there is; a smaller problem may do", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `tracer trace … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


@app.command()
def examples(name: Annotated[str | None, typer.Argument(help="Print this one's TOML.")] = None) -> None:
    """List the built-in examples, or print one as a problem file to start from."""
    from tracer.network.reading import example_names, example_text, load_problem

    if name is not None:
        typer.echo(example_text(name), nl=False)
        return
    width = max(map(len, example_names()))
    for each in example_names():
        typer.echo(f"{each:<{width}}  {load_problem(each).title}")


@app.command()
def walkthrough(
    problem: Annotated[str, typer.Argument(help="A problem file or a built-in example.")] = DEFAULT_EXAMPLE,
    output: FolderOption = DEFAULT_FOLDER,
    epochs: EpochsOption = None,
    only: Annotated[Only | None, typer.Option(help="Write only the workbook, or only the pages.")] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page when it is written.")] = False,
    matrix_formulas: Annotated[
        bool, typer.Option("--matrix-formulas", help="In the workbook, one array formula for a matrix.")
    ] = False,
) -> None:
    """Write a live workbook, a page that shows one epoch step by step, and the derivation worked by hand."""
    from tracer.network.remarks import departures
    from tracer.training import trace

    chosen = epoch_numbers(epochs, [1])
    loaded = load(problem)
    check_readable(loaded, len(chosen))
    with progress("training", max(chosen)) as advance:
        recorded = trace(loaded, chosen, lambda _: advance())
    paths, left_out = [], ""
    if only is not Only.html:
        from tracer.export.workbook import write_workbook

        paths.append(output / f"{loaded.name}.xlsx")
        sheets = sum(len(each.steps) for each in recorded.passes)
        with progress("workbook", sheets) as advance:
            write_workbook(recorded, paths[-1], advance, matrix_formulas)
    if only is not Only.xlsx:
        from tracer.export.derivation import too_deep, write_derivation
        from tracer.export.page import write_page

        paths.append(output / f"{loaded.name}.html")
        write_page(recorded, paths[-1])
        left_out = too_deep(loaded)
        if not left_out:
            paths.append(output / f"{loaded.name}.derivation.html")
            write_derivation(recorded, paths[-1])
    typer.echo(summary(loaded, recorded.before, recorded.after))
    for sentence in (*departures(loaded), *([left_out] if left_out else [])):
        typer.echo(sentence)
    for path in paths:
        typer.echo(path)
    if show:
        typer.launch(str(output / f"{loaded.name}.{only or Only.html}"))


@app.command()
def trace(
    problem: ProblemArgument,
    epochs: EpochsOption = None,
    as_json: JsonOption = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Save the trace as .npz.")] = None,
) -> None:
    """Run one epoch and print every matrix, step by step."""
    from tracer.training import trace as run

    chosen = epoch_numbers(epochs, [1])
    loaded = load(problem)
    with progress("training", max(chosen)) as advance:
        recorded = run(loaded, chosen, lambda _: advance())
    if output is not None:
        from tracer.storage import save_trace

        save_trace(recorded, output)
    if as_json:
        print_json(recorded.to_document())
    elif output is None:
        from tracer.terminal import print_trace

        print_trace(recorded)
    else:
        from tracer.network.remarks import departures

        for sentence in (*departures(loaded), output):
            typer.echo(sentence)


@app.command()
def train(
    problem: ProblemArgument,
    epochs: Annotated[int | None, typer.Option(min=1, help="How many; default: the problem's.")] = None,
    as_json: JsonOption = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A folder for plots and a page.")] = None,
) -> None:
    """Train for many epochs; show the loss, the final parameters and outputs."""
    from tracer.training import train as run

    if output is not None:
        from tracer.export.plots import require_matplotlib

        require_matplotlib()
    loaded = load(problem)
    total = loaded.epochs if epochs is None else epochs
    with progress("training", total) as advance:
        training = run(loaded, total, progress=lambda _: advance())
    paths = []
    if output is not None:
        from tracer.export.training_page import write_training

        paths = write_training(training, output)
    if as_json:
        print_json(training.to_document())
        return
    from tracer.terminal import print_training

    print_training(training)
    for path in paths:
        typer.echo(path)


@app.command()
def new(
    layers: Annotated[str, typer.Option(help="Sizes from inputs to outputs, as in 3-4-2.")] = "3-4-2",
    rows: Annotated[int, typer.Option(min=2, max=50, help="How many samples.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same problem.")] = 1,
    hidden: Annotated[str, typer.Option(help="Activation of the hidden layers.")] = "sigmoid",
    output_activation: Annotated[str, typer.Option("--output-activation", help="… of the output.")] = "sigmoid",
    loss: Annotated[str, typer.Option(help="The loss.")] = "half_squared_error",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The file to write.")] = None,
    force: Annotated[bool, typer.Option(help="Replace the file if it is there.")] = False,
) -> None:
    """Make up a problem with hand-friendly numbers that do not hide slips."""
    from tracer.files import replace_file
    from tracer.invent import invent

    text = invent(layers, rows, seed, hidden, output_activation, loss)
    if output is None:
        typer.echo(text, nl=False)
        return
    if output.exists() and not force:
        raise TracerError(f"{output}: is there already; --force replaces it")
    replace_file(output, lambda file: file.write(text.encode()))
    typer.echo(output)


@app.command()
def worksheet(
    problem: ProblemArgument,
    output: FolderOption = DEFAULT_FOLDER,
    mode: Annotated[Mode, typer.Option(help="What it is for.")] = Mode.practice,
    blank: Annotated[str | None, typer.Option(help="Steps (2,3,7) or matrices (Z1,D2) to fill in.")] = None,
    give: Annotated[str | None, typer.Option(help="Steps or matrices that are printed.")] = None,
    feedback: Annotated[Feedback, typer.Option(help="When a practice sheet shows its marks.")] = Feedback.step,
) -> None:
    """Write a blank worksheet for students, as workbook and page, and its key."""
    from tracer.export.worksheet_book import write_worksheet_book
    from tracer.export.worksheet_page import write_worksheet_page
    from tracer.export.worksheet_plan import make_plan
    from tracer.network.program import build
    from tracer.training import trace

    loaded = load(problem)
    plan = make_plan(loaded, build(loaded), mode.value, blank, give, feedback.value)
    recorded = trace(loaded)
    for kind in ("worksheet", "key"):
        book, page = (output / f"{loaded.name}.{kind}.{ending}" for ending in ("xlsx", "html"))
        write_worksheet_book(recorded, plan, book, kind == "key")
        write_worksheet_page(recorded, plan, page, kind == "key")
        for path in (book, page):
            typer.echo(path)
    if plan.given:
        printed = ", ".join(each for each in recorded.first if each in plan.given)
        typer.echo(f"printed, and so in the files: {printed}")


@app.command()
def check(
    problem: ProblemArgument,
    answers: Annotated[list[Path], typer.Argument(help="Answer files (.xlsx, .json, .csv).")],
    as_json: JsonOption = False,
    convention: Annotated[
        OtherConvention, typer.Option(help="Whether answers that are right under another convention count.")
    ] = OtherConvention.strict,
    number: Annotated[int, typer.Option("--pass", min=1, help="Which pass the answers are of.")] = 1,
) -> None:
    """Mark hand calculations cell by cell: fair to rounding, an error counted once, slips named."""
    from tracer.check.answers import read_answers
    from tracer.check.conventions import Conventions
    from tracer.check.key import key_of
    from tracer.check.marking import mark_answers

    conventions = Conventions(key_of(load(problem), number), number)
    accept = convention is OtherConvention.any
    marked = [mark_answers(read_answers(path), conventions, accept) for path in answers]
    if as_json:
        documents = [each.to_document() for each in marked]
        print_json(documents[0] if len(documents) == 1 else documents)
    else:
        from tracer.check.report import print_marked

        for each in marked:
            print_marked(each)
    if not all(each.all_right for each in marked):
        raise typer.Exit(1)


def load(source: str) -> Problem:
    """The problem of a file or a built-in example."""
    from tracer.network.reading import load_problem

    return load_problem(source)


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


def check_readable(problem: Problem, epochs: int) -> None:
    """Refuse a walkthrough that nobody could read, before anything is run."""
    from tracer.network.program import build

    program = build(problem)
    steps = epochs * len(problem.batches()) * len(program.steps)
    if steps > MOST_STEPS or steps * len(program.assignments) > MOST_MATRICES:
        raise TracerError(
            f"a walkthrough of {epochs} epochs with {len(problem.batches())} passes each has {steps:,} steps on "
            f"boards of {len(program.assignments):,} matrices, more than anybody reads; choose fewer epochs "
            "(--epochs 1,10), a larger batch_size or fewer layers"
        )


def summary(problem: Problem, before: float, after: float) -> str:
    """The one line that says what happened.

    With as many digits as it takes to see the loss change.
    """
    digits = next((d for d in range(4, 16) if f"{before:.{d}g}" != f"{after:.{d}g}"), 4)
    sizes = "→".join(map(str, problem.sizes))
    samples = f"{problem.rows} sample{'s' if problem.rows > 1 else ''}"
    return f"{sizes}, {samples}; loss {before:#.{digits}g} → {after:#.{digits}g}"


def print_json(document: Any) -> None:
    """One document on standard output; floats as repr, so that they read back the same."""
    json.dump(document, sys.stdout, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar on standard error, in a terminal, for work that takes longer than a moment."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    start, done = time.monotonic(), 0
    with ExitStack() as stack:
        bar: Progress | None = None

        def advance() -> None:
            nonlocal bar, done
            done += 1
            if bar is None and time.monotonic() - start > PATIENCE:
                from rich.console import Console
                from rich.progress import Progress

                bar = stack.enter_context(Progress(console=Console(stderr=True), transient=True))
                bar.add_task(what, total=total)
            if bar is not None:
                bar.update(bar.task_ids[0], completed=done)

        yield advance
