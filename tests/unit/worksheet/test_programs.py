"""What a program's worksheet asks and says: steps, ways back and blocks by name; no answer in any file."""

import re
import zipfile
from pathlib import Path

import pytest

from tests.unit.test_cli import tracer
from tracer.errors import TracerError
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.reading import load_any
from tracer.run.training import trace
from tracer.worksheet.plan import make_plan


def program(name: str) -> ProgramProblem:
    problem = load_any(name)
    assert isinstance(problem, ProgramProblem)
    return problem


def blank(name: str, **choices: str) -> set[str]:
    problem = program(name)
    return set(make_plan(problem, problem.program, **choices).blank)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("chosen", "meant"),
    [
        ("3", {"z3", "h3"}),
        ("3 back", {"dh3", "h3_slope", "dz3"}),
        ("t=3", {"z3", "h3", "dh3", "h3_slope", "dz3"}),
        ("5", {"w_next", "u_next", "b_next"}),
        ("du,L", {"du", "L"}),
    ],
)
def test_steps_ways_back_blocks_and_matrices_are_chosen_by_name(chosen: str, meant: set[str]) -> None:
    assert blank("rnn-paper", blank=chosen) == meant


def test_heads_are_blocks_too_and_a_parameter_belongs_to_none() -> None:
    assert {"S1", "P1", "H1"} <= blank("causal-heads", blank="h=1") and "Wo" not in blank("causal-heads", blank="h=1")
    everything = set(program("rnn-paper").program.computed)
    assert blank("rnn-paper", give="t=1,t=2") >= {"dw", "du", "db"} and blank("rnn-paper") == everything


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [("9", "steps out of 1, 2, 3, 4, 3 back, 2 back, 1 back, 5"), ("t=9", "blocks out of t=1, t=2, t=3"),
     ("Z1", "computed matrices out of z1, h1")],
)  # fmt: skip
def test_what_is_not_there_is_refused_with_what_there_is(chosen: str, expected: str) -> None:
    with pytest.raises(TracerError, match=re.escape(f"--blank: found '{chosen}', expected {expected}")):
        blank("rnn-paper", blank=chosen)


def test_the_command_writes_sheets_and_keys_and_the_key_is_all_right(tmp_path: Path) -> None:
    run = tracer("worksheet", "rnn-paper", "-o", "out", folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [f"out/rnn-paper.{kind}.{ending}" for kind in ("worksheet", "key")
                                       for ending in ("xlsx", "html")]  # fmt: skip
    checked = tracer("check", "rnn-paper", tmp_path / "out" / "rnn-paper.key.xlsx")
    assert checked.returncode == 0 and "all 22 cells are right" in checked.stdout, checked.stdout + checked.stderr


@pytest.mark.parametrize("mode", ["practice", "exam", "print"])
def test_no_answer_is_in_a_file(tmp_path: Path, mode: str) -> None:
    """Numbers that only a computed matrix has; what a series prints is left out of this."""
    run = tracer("worksheet", "batch-norm-paper", "--mode", mode, "-o", "out", folder=tmp_path)
    assert run.returncode == 0, run.stderr
    problem = program("batch-norm-paper")
    one = trace(problem).first
    answers = {f"{value:.4f}"[:6] for each in ("n", "dx", "n_slope") for value in abs(one[each]).ravel() if value % 1}
    page = (tmp_path / "out" / "batch-norm-paper.worksheet.html").read_text(encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "out" / "batch-norm-paper.worksheet.xlsx") as book:
        texts = [page, *(book.read(each).decode() for each in book.namelist() if each.endswith(".xml"))]
    assert len(answers) > 3 and not [each for each in answers for text in texts if each in text]


def test_a_series_fades_step_by_step(tmp_path: Path) -> None:
    run = tracer("worksheet", "graph", "--series", "--sums", "--language", "es", "-o", tmp_path)
    assert run.returncode == 0, run.stderr
    sheets = sorted(path.name for path in tmp_path.glob("*.worksheet-*.html"))
    assert len(sheets) == 8
    first = (tmp_path / "graph.worksheet-1.html").read_text(encoding="utf-8")
    assert len(re.findall(r"<table[^>]* data-asked", first)) == 3 and "Actualización" in first
