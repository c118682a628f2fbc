"""The command line. Heavy modules are imported by the command that needs them.

Exit status 0: done; 1: an answer was wrong or a check failed; 2: the input cannot be used.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from typing import Annotated

import typer

from tracer.commands import auditing, checking, classes, models, problems, running, worksheets
from tracer.commands.shape import Command, Group
from tracer.errors import TracerError

app = typer.Typer(
    name="tracer",
    cls=Group,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

for command in (
    problems.examples,
    running.walkthrough,
    running.trace,
    running.train,
    problems.new,
    worksheets.worksheet,
    classes.variants,
    checking.check,
    auditing.audit,
):
    app.command(cls=Command)(command)
app.command("import", cls=Command)(models.import_model)


def _print_version(wanted: bool) -> None:
    if wanted:
        from tracer import __version__

        typer.echo(f"tracer {__version__}")
        raise typer.Exit


@app.callback()
def tracer(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """See, practise and check backpropagation by hand."""


def main() -> None:
    """Run the command line; whatever is wrong with the input is one message and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a redirected stream on Windows knows no →
            stream.reconfigure(encoding="utf-8")
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # looking for them reads every package's metadata
    gc.set_threshold(200_000, 20, 20)  # imports make no garbage, and looking for it took a seventh of a short run
    try:
        app(prog_name="tracer")
    except TracerError as wrong:
        print(*(f"tracer: {line}" for line in str(wrong).split("\n")), sep="\n", file=sys.stderr)
        sys.exit(2)
    except MemoryError:
        print("tracer: not enough memory; try a smaller problem", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `tracer trace … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as wrong:  # with no file's name: what is printed cannot be written, since the disk is full
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        what = wrong.filename or "the output cannot be written"
        print(f"tracer: {what}: {wrong.strerror or wrong}", file=sys.stderr)
        sys.exit(2)
    finally:
        gc.freeze()  # nothing is left to look for; Python does so once more when it ends
