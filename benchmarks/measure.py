"""Timing by turns, memory in a process of its own, and the tables that come of it."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROUNDS = 9
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PEERS = ("torch", "torchlens", "micrograd", "XlsxWriter", "PyExcelerate", "handcalcs")
PACKAGES = ("numpy", "openpyxl", "jinja2", "pydantic", "typer", *PEERS)


def by_turns(subjects: Mapping[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Seconds of each subject, one after the other in every round, so that noise meets all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in subjects}
    for run in subjects.values():
        run()  # warm: files in the cache, .pyc written
    for _ in range(rounds):
        for name, run in subjects.items():
            seconds[name].append(seconds_of(run))
    return seconds


def seconds_of(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def process(*command: str | Path) -> Callable[[], object]:
    """A whole process, its output thrown away. Bytecode is kept from one to the next, as it is where one installs."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "tracer-benchmarks-bytecode")
    arguments = [str(part) for part in command]
    return lambda: subprocess.run(arguments, env=environment, check=True, capture_output=True)


def child(module: str, *arguments: object, **environment: str) -> Any:
    """What a module of benchmarks prints as JSON, run as a process of its own."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    run = subprocess.run(command, env=os.environ | environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(run.stdout)


def peak_memory() -> float:
    """The most that this process has held so far, in MB.

    Linux's own count is asked first: after a fork, getrusage begins with what the parent held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / 1024**2 if sys.platform == "darwin" else held / 1024


def table(seconds: Mapping[str, Sequence[float]], baseline: str, unit: float = 1e3, symbol: str = "ms") -> str:
    """Medians with minimum and maximum, and ratios to the baseline of the same run."""
    base = statistics.median(seconds[baseline])
    rows = []
    for name, values in seconds.items():
        times = (f"{unit * value:,.0f} {symbol}" for value in spread(values))
        rows.append((name, *times, f"{statistics.median(values) / base:.2f}"))
    return markdown(("what", "median", "min", "max", "ratio"), rows)


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, minimum and maximum."""
    return statistics.median(values), min(values), max(values)


def markdown(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (head, *rows)]
    return "\n".join((lines[0], "|---" * len(head) + "|", *lines[1:]))


class Goal(NamedTuple):
    """What was asked for, and what came of it; `most` where less is better."""

    what: str
    asked: float
    found: float
    most: bool = False

    def row(self) -> tuple[str, str, str, str]:
        met = self.found <= self.asked if self.most else self.found >= self.asked
        sign = "at most" if self.most else "at least"
        return self.what, f"{sign} {_short(self.asked)}", _short(self.found), "met" if met else "**not met**"


def goals(each: Sequence[Goal]) -> str:
    """A table of goals, which judges itself."""
    return markdown(("goal", "asked", "found", ""), [goal.row() for goal in each])


def _short(number: float) -> str:
    """Three significant digits.

    >>> _short(1234567.0), _short(1.0567)
    ('1,230,000', '1.06')
    """
    return f"{float(f'{number:.3g}'):,.6g}" if number < 1000 else f"{float(f'{number:.3g}'):,.0f}"


def machine() -> str:
    """What was measured on."""
    model = "processor unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = f"{len(names)} × {names[0]}" if names else model
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"{model}; {platform.system()}; Python {sys.version.split()[0]}; {packages}"
