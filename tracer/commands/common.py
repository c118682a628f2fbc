"""What the commands share: options, reading the problem, printing, progress."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracer.commands.shape import problem_completions

if TYPE_CHECKING:
    from rich.progress import Progress

    from tracer.problem.problem import Problem
    from tracer.run.passes import AnyProblem

DEFAULT_FOLDER = Path("outputs")
PATIENCE = 0.5  # seconds before a progress bar appears

ProblemArgument = Annotated[
    str,
    typer.Argument(
        metavar="PROBLEM",
        autocompletion=problem_completions,
        help="A problem file (.toml, .json) or a built-in example.",
    ),
]
FolderOption = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The folder to write to.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def load_any(source: str) -> AnyProblem:
    """The network or the program of a file or a built-in example."""
    from tracer.problem.reading import load_any as load_source

    return load_source(source)


def load(source: str) -> Problem:
    """The network of a file or a built-in example."""
    from tracer.problem.reading import load_problem

    return load_problem(source)


def print_json(document: Any) -> None:
    """One document on standard output; floats as repr, so that they read back the same."""
    json.dump(document, sys.stdout, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar with rate and time left on standard error, in a terminal, for what takes longer than a moment."""
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
                from rich.progress import Progress, TextColumn

                columns = (*Progress.get_default_columns(), TextColumn("{task.fields[rate]}"))
                bar = stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
                bar.add_task(what, total=total, rate="")
            if bar is not None:
                rate = f"{done / (time.monotonic() - start):,.0f} a second"
                bar.update(bar.task_ids[0], completed=done, rate=rate)

        yield advance
