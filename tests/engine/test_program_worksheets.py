"""The worksheet workbooks of programs, recalculated: right numbers are right, a slip is a ✗, what follows is not."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.cutting import cut_sheet
from tests.engine.recalculate import by_cellrune, by_ironcalc
from tests.unit.judging.test_programs import right
from tests.worksheets import Cells, fill, mark_addresses
from tracer.answers.key import key_of
from tracer.answers.reading import read_answers
from tracer.judging.conventions import Conventions
from tracer.judging.marking import mark_answers
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.reading import load_any
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.worksheet.book import write_worksheet_book
from tracer.worksheet.plan import Plan, make_plan

pytestmark = pytest.mark.engine
ENGINES = {"cellrune": by_cellrune, "ironcalc": by_ironcalc}


def written(folder: Path, name: str, key: bool = False) -> tuple[Trace[ProgramProblem], Plan, Path]:
    problem = load_any(name)
    assert isinstance(problem, ProgramProblem)
    run = trace(problem)
    plan = make_plan(problem, run.first.program, feedback="cell")
    path = folder / "worksheet.xlsx"
    write_worksheet_book(run, plan, path, key)  # type: ignore[arg-type]
    return run, plan, path


def numbers(name: str) -> dict[str, list[list[float | str | None]]]:
    return {each: [[float(value or 0) for value in row] for row in grid] for each, grid in right(name).items()}


def marks_of(path: Path, plan: Plan, engine: str = "cellrune") -> dict[tuple[str, int, int], object]:
    places = mark_addresses(path, plan)
    found = ENGINES[engine](path, [("Worksheet", each) for each in places.values()])
    return {key: found["Worksheet", each] for key, each in places.items()}


@pytest.mark.parametrize(
    ("name", "engine"),
    [("self-attention-paper", "ironcalc"), ("rnn-paper", "cellrune"), ("batch-norm-paper", "ironcalc"),
     ("graph", "cellrune"), ("adam-paper", "cellrune"), ("conv", "cellrune"), ("svm", "cellrune")],
)  # fmt: skip
def test_right_numbers_are_right_and_are_read_back(tmp_path: Path, name: str, engine: str) -> None:
    """`conv` and `svm` have identifiers that differ in case alone."""
    run, plan, path = written(tmp_path, name)
    filled = fill(path, plan, numbers(name), tmp_path / "filled.xlsx")
    assert set(marks_of(filled, plan, engine).values()) == {"✓"}
    marked = mark_answers(read_answers(filled), Conventions(key_of(run.problem)))
    assert marked.all_right and marked.score == sum(run[each].size for each in plan.blank) and not marked.warnings


@pytest.mark.parametrize("engine", ENGINES)
def test_who_cuts_off_is_marked_as_the_command_does(tmp_path: Path, engine: str) -> None:
    run, plan, path = written(tmp_path, "softmax")
    answers = {each: [[float(text) for text in row] for row in rows] for each, rows in cut_sheet("softmax")[1].items()}
    filled = fill(path, plan, answers, tmp_path / "filled.xlsx")
    signs = marks_of(filled, plan, engine)
    assert signs["dW", 0, 1] in ("✓", "↪") and "✗" not in signs.values()
    marked = mark_answers(read_answers(filled), Conventions(key_of(run.problem)))
    assert not {mark.verdict for mark in marked.marks} & {"wrong", "slip"}


def test_a_slip_is_marked_once_and_named_when_the_book_is_handed_in(tmp_path: Path) -> None:
    """Softmax down the columns in the workbook, and the mixture worked on with that."""
    run, plan, path = written(tmp_path, "self-attention-paper")
    answers: Cells = dict(numbers("self-attention-paper"))
    powers = np.exp(run["S"])
    P = (powers / powers.sum(axis=0)).round(4)
    H = (P @ run["V"]).round(4)
    answers = {**answers, "P": P.tolist(), "H": H.tolist()}
    filled = fill(path, plan, answers, tmp_path / "filled.xlsx")
    marks = marks_of(filled, plan)
    assert {marks["P", i, j] for i in range(3) for j in range(3)} == {"✗"}
    assert {marks["H", i, j] for i in range(3) for j in range(2)} <= {"↪", "✓"}
    marked = mark_answers(read_answers(filled), Conventions(key_of(run.problem)))
    assert marked.diagnosis[0].idea.slug == "softmax-wrong-axis"


def test_the_key_is_right_in_its_own_marks(tmp_path: Path) -> None:
    _, plan, path = written(tmp_path, "rnn-paper", key=True)
    assert set(marks_of(path, plan, "ironcalc").values()) == {"✓"}


def test_a_book_whose_names_were_dropped_is_read_by_its_headings(tmp_path: Path) -> None:
    """As Numbers saves it; `svm` has h beside H, so that no name of a cell could tell them apart."""
    run, plan, path = written(tmp_path, "svm")
    filled, bare = fill(path, plan, numbers("svm"), tmp_path / "filled.xlsx"), tmp_path / "bare.xlsx"
    with zipfile.ZipFile(filled) as old, zipfile.ZipFile(bare, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/workbook.xml":
                content = re.sub(rb"<definedNames>.*</definedNames>", b"", content, flags=re.S)
                content = content.replace(b'name="Names"', b'name="Other"')
            new.writestr(name, content)
    marked = mark_answers(read_answers(bare), Conventions(key_of(run.problem)))
    assert marked.all_right and marked.score == sum(run[each].size for each in plan.blank)
