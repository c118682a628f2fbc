"""The start sheet follows an edited input: its numbers and its words are those of the changed problem's own book."""

import copy
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests.engine.recalculate import (
    Values,
    by_cellrune,
    by_file,
    by_ironcalc,
    by_libreoffice,
    cells,
    values_of,
    with_wrong_cached_values,
)
from tests.presenter import board_top
from tests.traces import example_document
from tracer.presentation.board import lay_out
from tracer.problem.problem import problem_from_document
from tracer.program.naming_policy import RATE
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.spreadsheet.sheet_data import address
from tracer.workbook.book import LEFT
from tracer.workbook.workbook import write_workbook

pytestmark = pytest.mark.engine

Document = dict[str, Any]
Edit = tuple[str, int, int, float]
"""The matrix, the row and column of its cell, and what is typed into it."""

PAST = {
    "learning_rate": 0.1,
    "loss": "half_squared_error",
    "data": {"X": [[1.0], [3.0]], "Y": [[0.9], [0.0]]},
    "layers": [{"activation": "linear", "weights": [[0.5]]}],
}
# A built-in example or a document, the epochs, what is typed, and what the sentence must then say.
EDITS: dict[str, tuple[str | Document, tuple[int, ...], Edit, str]] = {
    "rose": ("article", (1,), (RATE, 0, 0, 10.0), "rose from"),
    "same": ("article", (1,), (RATE, 0, 0, 1e-15), "Nothing changed"),
    "nearer": ("article", (1,), ("Y", 2, 0, 1.0), "no output moved away"),
    "many": ("softmax-classifier", (1,), (RATE, 0, 0, 1.0), "sample 2 and 2 more"),
    "past": (PAST, (1,), ("W1", 0, 0, 1.0), "sample 1. The step carried it past its target."),
    "batches": (PAST | {"batch_size": 1}, (1, 2), ("X", 0, 0, -2.0), "From epoch 1 to 2"),
}


def opened(source: str | Document) -> Document:
    return example_document(source) if isinstance(source, str) else source


def changed(source: str | Document, edit: Edit) -> Document:
    """The document with the cell typed anew."""
    made = copy.deepcopy(opened(source))
    name, row, column, value = edit
    if name == RATE:
        made["learning_rate"] = value
    elif name in ("X", "Y"):
        made["data"][name][row][column] = value
    else:
        made["layers"][int(name[1:]) - 1]["weights"][row][column] = value
    return made


def run(source: str | Document, epochs: tuple[int, ...]) -> Trace:
    return trace(problem_from_document(opened(source), "edited", "edited"), epochs)


def with_edit(recorded: Trace, edit: Edit, path: Path) -> Path:
    """The book of a run with one number typed over, and no cached value left that is right."""
    name, row, column, value = edit
    write_workbook(recorded, path)
    place = lay_out(recorded.first.program).places[name]
    home = "Step 1" if name == "W1" else "Step 0"
    titles = CalamineWorkbook.from_path(path).sheet_names
    number = next(k for k, title in enumerate(titles, start=1) if title.endswith(home))
    cell = address(board_top(recorded) + place.row + row, LEFT + place.column + column)
    bare, edited = with_wrong_cached_values(path, path.with_suffix(".bare.xlsx")), path.with_suffix(".edited.xlsx")
    with zipfile.ZipFile(bare) as source, zipfile.ZipFile(edited, "w") as out:
        for part in source.namelist():
            content = source.read(part)
            if part == f"xl/worksheets/sheet{number}.xml":
                pattern = rf'(<c r="{cell}" s="\d+">)<v>[^<]*'.encode()
                content, edits = re.subn(pattern, rb"\g<1><v>" + repr(value).encode(), content)
                assert edits == 1
            out.writestr(part, content)
    return edited


def assert_follows(case: str, edited: Path, folder: Path, read: Callable[..., Values]) -> None:
    """Every formula of the sheets Start, Before and After gives what the changed problem's own book has there."""
    document, epochs, edit, says = EDITS[case]
    fresh = folder / f"{case}.fresh.xlsx"
    write_workbook(run(changed(document, edit), epochs), fresh)
    expected = {key: pair for key, pair in cells(fresh).items() if key[0] in ("Start", "Before", "After") and pair[0]}
    expected = {key: pair for key, pair in expected.items() if "'Certificate'" not in str(pair[0])}
    found = read(edited, expected)
    assert len(expected) > 10
    for key, (formula, cached) in expected.items():
        value, cached = found[key], str(cached)
        if re.fullmatch(r"-?[0-9.]+(e[+-]?[0-9]+)?", cached):
            assert isinstance(value, int | float) and abs(value - float(cached)) <= 1e-12 * max(1, abs(value)), (
                f"{key}: ={formula} gives {value!r}, expected {cached}"
            )
            continue
        assert without_decimals(str(value or "")) == without_decimals(cached), f"{key}: ={formula}"
    (sentence,) = (str(value) for key, value in found.items() if key[0] == "Start" and says in str(value))
    assert_digits_are_right(sentence, found)


def fixed_texts(path: Path) -> dict[str, str]:
    """The texts of the sheet Start that stand there whatever is typed, by their cells."""
    formulas = {at for (sheet, at), (formula, _) in cells(path).items() if sheet == "Start" and formula}
    found = values_of(path, "Start")["Start"].items()
    return {at: text for at, text in found if isinstance(text, str) and at not in formulas}


def without_decimals(text: str) -> str:
    """The words and whole numbers: how many decimals a loss is written with, the first run decides."""
    return re.sub(r"-?\d+\.\d+", "#", text)


def assert_digits_are_right(sentence: str, found: Values) -> None:
    """The losses in the sentence are those of the table."""
    numbers = [value for value in found.values() if isinstance(value, float)]
    for text in re.findall(r"-?\d+\.\d+", sentence):
        half = 0.51 * 10.0 ** -len(text.partition(".")[2])
        assert any(abs(float(text) - number) <= half for number in numbers), sentence


@pytest.mark.parametrize("case", EDITS)
def test_the_sheet_follows_an_edit(case: str, tmp_path: Path) -> None:
    document, epochs, edit, says = EDITS[case]
    recorded = run(document, epochs)
    edited = with_edit(recorded, edit, tmp_path / "book.xlsx")
    assert_follows(case, edited, tmp_path, by_ironcalc)
    assert fixed_texts(edited) == fixed_texts(tmp_path / f"{case}.fresh.xlsx"), "what is no formula follows no edit"
    before = values_of(tmp_path / "book.xlsx", "Start")["Start"].values()
    assert not any(says in str(value) for value in before) or case == "batches", "it said so before"


def test_the_sheet_follows_an_edit_in_libreoffice(tmp_path: Path) -> None:
    edited = []
    for case, (document, epochs, edit, _) in EDITS.items():
        edited.append(with_edit(run(document, epochs), edit, tmp_path / f"{case}.xlsx"))
    for case, written in zip(EDITS, by_libreoffice(edited, tmp_path), strict=True):
        assert_follows(case, written, tmp_path, by_file)


@pytest.mark.parametrize("engine", [by_ironcalc, by_cellrune])
def test_it_says_what_the_certificate_says(engine: Callable[..., Values], tmp_path: Path) -> None:
    document, epochs, edit, _ = EDITS["rose"]
    edited = with_edit(run(document, epochs), edit, tmp_path / "book.xlsx")
    (place,) = (key for key, (formula, _) in cells(edited).items() if formula == "'Certificate'!B2")
    assert place[0] == "Start"
    found = engine(edited, [place, ("Certificate", "B2")])
    assert found[place] == found["Certificate", "B2"] == "you changed 1 input: the recorded run no longer applies"


@pytest.mark.parametrize(
    ("loss", "slope"),
    [
        ("cross_entropy", "fused"),
        ("binary_cross_entropy", "jacobian"),
        ("binary_cross_entropy", "fused"),
    ],
)
def test_the_largest_network_that_follows_recalculates(loss: str, slope: str, tmp_path: Path) -> None:
    """As many samples and outputs as fit: no formula is longer than a cell takes, and every engine computes them."""
    activation = "softmax" if loss == "cross_entropy" else "sigmoid"
    rows = [[round(0.1 * ((7 * i + 3 * j) % 11) - 0.5, 1) for j in range(8)] for i in range(25)]
    targets = [[1.0 if j == i % 4 else 0.0 for j in range(4)] for i in range(25)]
    weights = [[round(0.2 * ((5 * i + j) % 7) - 0.6, 1) for j in range(4)] for i in range(8)]
    document = {
        "learning_rate": 0.01,
        "loss": loss,
        "data": {"X": rows, "Y": targets},
        "layers": [{"activation": activation, "weights": weights}],
        "convention": {"softmax_slope": slope},
    }
    recorded = run(document, (1,))
    path = tmp_path / "book.xlsx"
    write_workbook(recorded, path)
    found = {key: pair for key, pair in cells(path).items() if key[0] in ("Start", "After") and pair[0]}
    values = by_ironcalc(with_wrong_cached_values(path, tmp_path / "bare.xlsx"), found)
    assert any(title == "After" for title, _ in found)
    for key, (formula, cached) in found.items():
        assert formula is not None and len(formula) <= 8192
        if re.fullmatch(r"-?[0-9.]+(e[+-]?[0-9]+)?", str(cached)):
            value = values[key]
            assert isinstance(value, int | float) and abs(value - float(str(cached))) < 1e-10, (key, formula)
