"""What a run keeps of all its epochs, and the sheet that shows it."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from tests.room import sheets
from tracer.problem.problem import Problem, problem_from_document
from tracer.problem.reading import load_problem
from tracer.run import training
from tracer.run.passes import Pass, Trace
from tracer.run.storage import load_trace, save_trace
from tracer.run.training import trace, train
from tracer.workbook.history_sheet import HEADER_ROW
from tracer.workbook.workbook import write_workbook

POINT = 12_700  # of the units in which drawings are measured


def batches(loss_shown: str = "sum") -> Problem:
    """The article's example in batches of two samples and one."""
    document = load_problem("article").to_document() | {"batch_size": 2, "loss_shown": loss_shown}
    return problem_from_document(document, "batches", "batches")


def parameters(one: Pass) -> list[float]:
    """What a pass starts from, row by row."""
    return [value for name in one.program.inputs[2:-1] for value in one[name].ravel().tolist()]


def table(path: Path) -> list[tuple[Any, ...]]:
    """The rows of the table, from the header on."""
    sheet = openpyxl.load_workbook(path, data_only=True)["History"]
    return [row[1:] for row in sheet.iter_rows(min_row=HEADER_ROW, values_only=True)]


@pytest.mark.parametrize("loss_shown", [None, "sum", "mean"], ids=["whole", "batches", "batches, mean"])
def test_a_run_knows_every_epoch(loss_shown: str | None) -> None:
    """The losses of all epochs and the parameters at their starts, as a run has them that records all."""
    problem = load_problem("article") if loss_shown is None else batches(loss_shown)
    some, every = trace(problem, (1, 6)), trace(problem, range(1, 7))
    assert some.history is not None and [epoch.number for epoch in some.epochs] == [1, 6]
    assert np.array_equal(some.history.losses, train(problem, 6).losses)
    assert some.history.noted == (1, 2, 3, 4, 5, 6)
    expected = [parameters(epoch.iterations[0]) for epoch in every.epochs]
    assert some.history.parameters.tolist() == expected


def test_what_is_printed_and_saved_does_not_change(tmp_path: Path) -> None:
    recorded = trace(load_problem("mazur"), (1, 3))
    bare = Trace(recorded.problem, recorded.epochs)
    assert json.dumps(recorded.to_document()) == json.dumps(bare.to_document())
    for name, each in (("recorded", recorded), ("bare", bare)):
        save_trace(each, tmp_path / f"{name}.npz")
    assert (tmp_path / "recorded.npz").read_bytes() == (tmp_path / "bare.npz").read_bytes()
    assert load_trace(tmp_path / "recorded.npz").history is None


def test_many_epochs_are_noted_evenly_and_with_those_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "MOST_NOTED", 5)
    history = trace(load_problem("mazur"), (7, 41)).history
    assert history is not None
    assert history.noted == (1, 7, 11, 21, 31, 41)
    assert history.losses.shape == (41,) and history.parameters.shape == (6, 10)


def test_many_parameters_are_not_kept() -> None:
    document = load_problem("article").to_document()
    document["layers"] = [{"activation": "sigmoid", "units": 30}, {"activation": "sigmoid", "units": 1}]
    recorded = trace(problem_from_document(document, "wide", "wide"), (3,))
    assert recorded.history is not None
    assert recorded.history.parameters.shape == (3, 0)


def test_a_single_epoch_has_no_history_sheet(tmp_path: Path) -> None:
    write_workbook(trace(batches()), tmp_path / "book.xlsx")
    assert "History" not in openpyxl.load_workbook(tmp_path / "book.xlsx", read_only=True).sheetnames


def test_the_sheet_shows_every_epoch(tmp_path: Path) -> None:
    problem = load_problem("mazur")
    every = trace(problem, range(1, 5))
    write_workbook(trace(problem, (1, 4)), tmp_path / "book.xlsx")
    header, *rows = table(tmp_path / "book.xlsx")
    assert header[:4] == ("epoch", "from", "loss", "w1")
    assert [row[0] for row in rows] == [1, 2, 3, 4]
    assert [row[1] for row in rows] == ["Epoch 1 Step 4", "recorded", "recorded", "Epoch 4 Step 4"]
    for row, epoch in zip(rows, every.epochs, strict=True):
        assert [*row[2:]] == [epoch.iterations[0].loss, *parameters(epoch.iterations[0])]
    live = openpyxl.load_workbook(tmp_path / "book.xlsx")["History"]
    for k, epoch in enumerate(range(1, 5), start=HEADER_ROW + 1):
        cells = [cell.value for cell in live[k][3:]]
        assert all(str(cell).startswith(f"='Epoch {epoch} Step ") for cell in cells) == (epoch in (1, 4))
        assert all(isinstance(cell, float) for cell in cells) == (epoch in (2, 3))


def test_it_says_what_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "MOST_NOTED", 3)
    monkeypatch.setattr(training, "MOST_PARAMETERS", 18)  # one fewer than there are
    write_workbook(trace(load_problem("article"), (9,)), tmp_path / "book.xlsx")
    says = openpyxl.load_workbook(tmp_path / "book.xlsx")["History"]["B2"].value
    assert "Here are 3 of the epochs" in says
    assert "The 19 parameters are too many for a row" in says
    assert [text for text in table(tmp_path / "book.xlsx")[0] if text] == ["epoch", "from", "loss"]


def test_the_chart_has_its_points_its_axes_and_its_words(tmp_path: Path) -> None:
    recorded = trace(load_problem("article"), (1, 5))
    assert recorded.history is not None
    write_workbook(recorded, tmp_path / "book.xlsx")
    with zipfile.ZipFile(tmp_path / "book.xlsx") as package:
        chart = package.read("xl/charts/chart1.xml").decode()
        drawings = "".join(package.read(name).decode() for name in package.namelist() if "drawings/drawing" in name)
    assert "Line chart of the loss of 5 epochs: it goes from 0.354106 to " in drawings
    across, up = (re.findall("<v>([^<]*)</v>", values) for values in re.findall("<numCache>.*?</numCache>", chart))
    assert across == ["1", "2", "3", "4", "5"]
    assert [float(value) for value in up] == pytest.approx(recorded.history.losses.tolist(), rel=1e-14)
    assert re.findall("<a:t>(.*?)</a:t>", chart) == ["epoch", "loss"]
    assert chart.count('<delete val="0"/>') == 2 and '<smooth val="0"/>' in chart


@pytest.mark.parametrize("name", ["linear-regression", "article"])
def test_the_chart_is_printed_whole_and_covers_no_number(name: str, tmp_path: Path) -> None:
    write_workbook(trace(load_problem(name), (1, 5)), tmp_path / "book.xlsx")
    room = next(each for each in sheets(tmp_path / "book.xlsx") if each.sheet.title == "History")
    (chart,) = room.sheet._charts
    first, top = chart.anchor._from.col + 1, chart.anchor._from.row + 1
    left, _, right, _ = room.areas()[0]  # the table has one of its own where it is wider
    assert chart.anchor.ext.height / POINT <= sum(map(room.height, range(top, HEADER_ROW)))
    assert left <= first and chart.anchor.ext.width / POINT <= sum(map(room.width, range(first, right + 1)))
    assert not [cell for cell in room.seen() if top <= cell.row < HEADER_ROW]
