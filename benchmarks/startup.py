"""The first minute: `tracer walkthrough` as a whole process, warm, beside what it imports."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.measure import by_turns, process, table

TYPER = "import typer; app = typer.Typer(); app.command()(lambda: None); app(['--help'])"
LIBRARIES = "import numpy, pydantic, typer, jinja2, openpyxl"
MODULES = "import tracer.cli, tracer.trace, tracer.export.workbook, tracer.export.page"
GOAL = """Goals: `tracer walkthrough` under 600 ms, of which imports under 250 ms. The import goal is not met: the
five libraries alone take most of it, and Tracer's own modules (some fifty, with 68 dataclasses)
come on top. Without the garbage collector the whole took a seventh
less when that was tried; raising its threshold, as is done, gave about half of that."""


def report() -> str:
    """The section of RESULTS.md."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(sys.executable)
        seconds = by_turns(
            {
                "python, nothing": process(python, "-c", "pass"),
                "an empty typer program, --help": process(python, "-c", TYPER),
                "tracer --help": process(python, "-m", "tracer", "--help"),
                "importing the five libraries": process(python, "-c", LIBRARIES),
                "importing all that walkthrough needs": process(python, "-c", MODULES),
                "tracer walkthrough": process(python, "-m", "tracer", "walkthrough", "-o", folder),
            }
        )
    return f"## Start-up\n\nWhole processes, warm.\n\n{table(seconds, 'python, nothing')}\n\n{GOAL}\n"
