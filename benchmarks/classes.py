"""How fast a class is marked: a folder of answers to the article's example (99 cells each), as a user does it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.measure import Goal, by_turns, goals, markdown, spread
from tests import worksheets
from tests.students import Answers, Habit, Work, as_file, work_through
from tests.wrong_rules import Memory, wrong_values
from tracer.lesson.build import build
from tracer.problem.reading import load_problem
from tracer.run.training import trace
from tracer.worksheet.book import write_worksheet_book
from tracer.worksheet.plan import make_plan

SEED, ROUNDS = 1, 5
STUDENTS, REPORTS = 1_000, 200  # files marked; of those, with a report each
WORKED = 50  # different sheets; the others are copies
SLIPPED = 5  # every so many students forget the bias of Z1


def sheets() -> Iterator[Answers]:
    """Students who round at every step, or remember some numbers in full; some with a slip."""
    work, random = Work(load_problem("article").to_document()), np.random.default_rng(SEED)

    def no_bias(name: str, memory: Memory) -> np.ndarray:
        return wrong_values("no-bias", work, name, memory)[0] if name == "Z1" else work.compute(name, memory)

    for k in range(WORKED):
        habit = Habit(3, remembers=0.5 if k % 2 else 0.0)
        yield work_through(work, habit, random, rules=no_bias if k % SLIPPED == 0 else None)


def hand_in(folder: Path) -> None:
    """The class's files, as JSON and as filled worksheets."""
    problem = load_problem("article")
    plan = make_plan(problem, build(problem), "exam")
    blank = folder / "blank.xlsx"
    write_worksheet_book(trace(problem), plan, blank)
    for kind in ("json", "xlsx", "few"):
        (folder / kind).mkdir()
    for k, answers in enumerate(sheets()):
        (folder / "json" / f"{k:04}.json").write_bytes(as_file(answers))
        numbers = {name: [[float(text) for text in row if text] for row in grid] for name, grid in answers.items()}
        worksheets.fill(blank, plan, numbers, folder / "xlsx" / f"{k:04}.xlsx")
    for k in range(WORKED, STUDENTS):
        for kind in ("json", "xlsx"):
            shutil.copy(folder / kind / f"{k % WORKED:04}.{kind}", folder / kind / f"{k:04}.{kind}")
    for k in range(REPORTS):
        shutil.copy(folder / "json" / f"{k:04}.json", folder / "few")


def _check(*arguments: str | Path) -> Callable[[], object]:
    """`tracer check article` as a process of its own; that some answers are wrong is no failure of it."""

    def run() -> None:
        command = (sys.executable, "-m", "tracer", "check", "article", *map(str, arguments))
        ended = subprocess.run(command, check=False, capture_output=True)
        assert ended.returncode == 1, ended.stderr

    return run


def _processor_time(run: Callable[[], object]) -> float:
    """Seconds of all cores together that a process and its own processes take."""
    before = os.times()
    run()
    after = os.times()
    return sum(after[k] - before[k] for k in (2, 3))


def report() -> str:
    """The section of RESULTS.md."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        hand_in(folder)
        marks = ("-o", folder / "out", "--only", "marks")
        runs = {
            f"{STUDENTS:,} JSON files, `marks.csv`": _check(folder / "json", *marks),
            f"{STUDENTS:,} filled worksheets (.xlsx), `marks.csv`": _check(folder / "xlsx", *marks),
            f"{REPORTS} JSON files, `marks.csv`, a workbook and a page each": _check(folder / "few", *marks[:2]),
        }
        seconds = by_turns(runs, ROUNDS)
        worked = {what: _processor_time(run) for what, run in runs.items()}
    rows = [
        (what, *(f"{each:.1f} s" for each in spread(values)), f"{worked[what]:.1f} s")
        for what, values in seconds.items()
    ]
    json_files, workbooks, _ = (min(values) for values in seconds.values())
    return "\n\n".join(
        (
            "## Checking a class",
            f"`tracer check article FOLDER -o DIR`, the whole process; one student in {SLIPPED} has forgotten a bias.",
            markdown(("what", "median", "min", "max", "processor time"), rows),
            goals([
                Goal(f"s for {STUDENTS:,} JSON files, the best of its runs", 5.0, json_files, most=True),
                Goal(f"s for {STUDENTS:,} worksheets, the best of its runs", 5.0, workbooks, most=True),
            ]),
        )
    ) + "\n"  # fmt: skip
