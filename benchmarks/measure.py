"""Timing by turns, and the table that comes of it."""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

ROUNDS = 9


def by_turns(subjects: Mapping[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Seconds of each subject, one after the other in every round, so that noise meets all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in subjects}
    for run in subjects.values():
        run()  # warm: files in the cache, .pyc written
    for _ in range(rounds):
        for name, run in subjects.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def process(*command: str | Path) -> Callable[[], object]:
    """A whole process, its output thrown away."""
    return lambda: subprocess.run([str(part) for part in command], check=True, capture_output=True)


def table(seconds: Mapping[str, Sequence[float]], baseline: str, unit: float = 1e3, symbol: str = "ms") -> str:
    """Medians with minimum and maximum, and ratios to the baseline of the same run."""
    base = statistics.median(seconds[baseline])
    lines = ["| what | median | min | max | ratio |", "|---|---|---|---|---|"]
    for name, values in seconds.items():
        median, least, most = statistics.median(values), min(values), max(values)
        cells = (f"{unit * value:.0f} {symbol}" for value in (median, least, most))
        lines.append(f"| {name} | {' | '.join(cells)} | {median / base:.2f} |")
    return "\n".join(lines)


def machine() -> str:
    """What was measured on."""
    model = "processor unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = f"{len(names)} × {names[0]}" if names else model
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "openpyxl", "jinja2", "pydantic", "typer"))
    return f"{model}; {platform.system()}; Python {sys.version.split()[0]}; {packages}"
