"""The workbooks of programs of every kind, recalculated by real engines, hold the trace's numbers."""

import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.engine.recalculate import by_cellrune, by_ironcalc, cells, with_wrong_cached_values
from tests.engine.test_workbooks import assert_libreoffice_recalculates, assert_recalculates, compare
from tests.programs import SAMPLES
from tracer.problem.program_problem import ProgramProblem, program_from_document
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.workbook.workbook import write_workbook

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:Generating overly large repr")]

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "nesterov": {"name": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    "dampened": {"name": "sgd", "momentum": 0.9, "dampening": 0.5},
    "adagrad": {"name": "adagrad", "lr_decay": 0.1},
    "rmsprop": {"name": "rmsprop", "momentum": 0.9, "centered": True},
    "adamw": {"name": "adamw", "clip_norm": 0.1},
}


def recorded(sample: str, epochs: tuple[int, ...] = (1,), **more: Any) -> Trace[ProgramProblem]:
    return trace(program_from_document(SAMPLES[sample].document(**more), sample, "program"), epochs)


ENGINES: tuple[Any, ...] = (by_ironcalc, by_cellrune)
# ironcalc's normal distribution has eleven digits, which the certificate tells from the recorded run
INEXACT = {("waves", by_ironcalc): 1e-10}


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_program_recalculates(sample: str, tmp_path: Path) -> None:
    run, path = recorded(sample), tmp_path / "book.xlsx"
    write_workbook(run, path)
    for engine in ENGINES:
        if (sample, engine) not in INEXACT:
            assert_recalculates(run, path, engine)  # type: ignore[arg-type]
            continue
        found = {key: parts for key, parts in cells(path).items() if key[0].startswith("Step")}
        formulas = [key for key, (formula, _) in found.items() if formula]
        values = engine(with_wrong_cached_values(path, tmp_path / "bare.xlsx"), formulas)
        compare(run, found, values, INEXACT[sample, engine])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizers_states_go_on_from_epoch_to_epoch(name: str, tmp_path: Path) -> None:
    run = recorded("perceptron", (1, 2), optimizer=OPTIMIZERS[name])
    write_workbook(run, tmp_path / "book.xlsx")
    for engine in ENGINES:
        assert_recalculates(run, tmp_path / "book.xlsx", engine)  # type: ignore[arg-type]
    states = [each for each in run.last.program.carried if each not in run.last.program.parameters]
    assert states
    given = cells(tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    for identifier in (*run.last.program.parameters, *states):
        first = book.defined_names[f"{identifier}_"].attr_text.partition("!")[2].replace("$", "").partition(":")[0]
        formula, _ = given["Epoch 2 Step 0", first]
        assert formula and "Epoch 1" in formula, f"{identifier} does not come from the epoch before"


def functions_of(path: Path) -> set[str]:
    """The functions that the formulas of a workbook call."""
    return {name for formula, _ in cells(path).values() for name in re.findall(r"([A-Z][A-Z0-9.]*)\(", formula or "")}


def test_libreoffice_recalculates_programs(tmp_path: Path) -> None:
    """Programs, the small ones first, that call together every function that any does; the others do so elsewhere."""
    runs = sorted(map(recorded, SAMPLES), key=lambda run: len(run.last.program.assignments))
    chosen, called = [], set[str]()
    for number, run in enumerate(runs):
        write_workbook(run, tmp_path / f"{number}.xlsx")
        new = functions_of(tmp_path / f"{number}.xlsx") - called
        called |= new
        chosen += [run] if new else []
    assert len(called) > 10 and len(chosen) > 3
    assert_libreoffice_recalculates(chosen, tmp_path)  # type: ignore[arg-type]


def test_the_hidden_sheet_says_where_every_matrix_stands(tmp_path: Path) -> None:
    document = SAMPLES["perceptron"].document()
    document["parameters"]["z1"] = [[0.5, -0.2]]
    document["steps"][2]["formulas"] = ["Z2 = A1 @ W2 + b2 + z1"]
    run = trace(program_from_document(document, "cases", "program"))
    write_workbook(run, tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx", data_only=True)
    assert book["Names"].sheet_state == "hidden"
    heading, *rows = book["Names"].iter_rows(values_only=True)
    assert heading == ("identifier", "defined name", "sheet", "address")
    assert [row[0] for row in rows] == [*run.first, "learning_rate"]
    named = {row[0]: row[1] for row in rows}
    assert (named["z1"], named["Z1"], named["z1_next"]) == ("z1_", "Z1_2_", "z1_next")
    for identifier, name, sheet, address in rows:
        assert book.defined_names[name].attr_text == f"'{sheet}'!{address}"
        found = book[sheet][re.sub(r"\$", "", str(address))]
        values = [[cell.value for cell in row] for row in (found if isinstance(found, tuple) else ((found,),))]
        assert values == run.first[identifier].tolist()
