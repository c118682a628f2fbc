"""Workbooks and worksheets of layers with an optimizer: recalculated, carried on, marked and read back."""

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.engine.recalculate import by_cellrune, by_ironcalc, cells
from tests.engine.test_program_workbooks import OPTIMIZERS
from tests.engine.test_workbooks import assert_libreoffice_recalculates, assert_recalculates
from tests.engine.test_worksheets import ENGINES, marks_of, rounded, written
from tests.unit.problem.test_layer_optimizers import document
from tests.worksheets import addresses, fill
from tracer.answers.key import key_of
from tracer.answers.reading import read_answers
from tracer.judging.conventions import Conventions
from tracer.judging.marking import mark_answers
from tracer.problem.problem import Problem, problem_from_document
from tracer.run.training import trace
from tracer.workbook.workbook import write_workbook

pytestmark = pytest.mark.engine

SIGNS = ("output - target", "target - output")


def problem(name: str, error: str = SIGNS[0], **more: Any) -> Problem:
    return problem_from_document(document(OPTIMIZERS[name], {"error": error}, **more), name, "problem")


# each optimizer in both engines, each engine with both signs
BOOKS = [(engine, name, SIGNS[(k + n) % 2]) for k, name in enumerate(OPTIMIZERS)
         for n, engine in enumerate((by_ironcalc, by_cellrune))]  # fmt: skip


@pytest.mark.parametrize(("engine", "name", "error"), BOOKS)
def test_a_books_states_go_on_from_epoch_to_epoch(engine: Any, name: str, error: str, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    run = trace(problem(name, error, batch_size=2), (1, 2))
    write_workbook(run, path)
    assert_recalculates(run, path, engine)
    given, book = cells(path), openpyxl.load_workbook(path)
    for identifier in run.last.program.carried:
        sheet, _, place = book.defined_names[f"{identifier}_"].attr_text.partition("!")
        formula, _ = given[sheet.strip("'"), place.replace("$", "").partition(":")[0]]
        assert formula and "2.1" in formula, f"{identifier} does not come from the pass before"


def test_libreoffice_recalculates_them(tmp_path: Path) -> None:
    assert_libreoffice_recalculates([trace(problem(name), (1, 2)) for name in OPTIMIZERS], tmp_path)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["adamw", "dampened"])
def test_a_worksheets_key_is_right_in_its_own_marks(engine: str, name: str, tmp_path: Path) -> None:
    _, plan, path = written(tmp_path, problem(name), key=True)
    assert set(marks_of(path, plan, engine).values()) == {"✓"}


def test_a_filled_worksheet_is_read_back_whole(tmp_path: Path) -> None:
    run, plan, path = written(tmp_path, problem("adamw"))
    found = read_answers(fill(path, plan, rounded(run, 12), tmp_path / "filled.xlsx"))
    assert set(found.matrices) == set(run.first.program.computed) == {name for name, _, _ in addresses(path, plan)}
    marks = mark_answers(found, Conventions(key_of(problem("adamw")))).marks
    assert {each.verdict for each in marks} <= {"correct", "rounded"}
