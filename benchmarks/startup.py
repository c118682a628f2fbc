"""The first minute: `tracer walkthrough` as a whole process, warm, beside what it imports."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Goal, by_turns, goals, process, table

TYPER = "import typer; app = typer.Typer(); app.command()(lambda: None); app(['--help'])"
LIBRARIES = "import numpy, pydantic, typer, jinja2, openpyxl"
MODULES = "import tracer.cli, tracer.trace, tracer.workbook.workbook, tracer.page.page"
FINDING = """Bytecode is there already, as on any second start. The five libraries alone take almost half of `tracer
walkthrough`; Tracer's own modules (with their dataclasses) come on top, then the workbook, the page and the derivation.
With two cores the workbook (and openpyxl) is left to a copy of the process while the pages are made, which saved
0.1 s. Python looks for garbage once more when it ends, which took 41 ms in one run: it is told that there is none."""
EMPTY, HELP, WALKTHROUGH = "an empty typer program, --help", "tracer --help", "tracer walkthrough"


def report() -> str:
    """The section of RESULTS.md."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(sys.executable)
        seconds = by_turns(
            {
                "python, nothing": process(python, "-c", "pass"),
                EMPTY: process(python, "-c", TYPER),
                HELP: process(python, "-m", "tracer", "--help"),
                "importing the five libraries": process(python, "-c", LIBRARIES),
                "importing all that walkthrough needs": process(python, "-c", MODULES),
                WALKTHROUGH: process(python, "-m", "tracer", "walkthrough", "-o", folder),
            }
        )
    median = {name: 1e3 * statistics.median(each) for name, each in seconds.items()}
    asked = [
        Goal("tracer --help less an empty typer program, ms", 60, median[HELP] - median[EMPTY], most=True),
        Goal("tracer walkthrough, ms", 600, median[WALKTHROUGH], most=True),
    ]
    return (
        f"## Start-up\n\nWhole processes, warm.\n\n{table(seconds, 'python, nothing')}\n\n{goals(asked)}\n\n{FINDING}\n"
    )
