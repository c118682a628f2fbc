"""A network too large for a board: each matrix in full on one sheet, excerpts on the others."""

from pathlib import Path

import numpy as np
import openpyxl
import pytest

from tests.engine.recalculate import by_ironcalc, cells
from tests.engine.test_workbooks import assert_libreoffice_recalculates, assert_recalculates
from tests.presenter import board_top
from tracer.problem.problem import problem_from_document
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.workbook.workbook import write_workbook

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def recorded() -> Trace:
    """25-22-2 with 33 samples in batches of 32 and 1: the first batch is large, the second is not."""
    random = np.random.default_rng(5)
    document = {
        "learning_rate": 0.1,
        "batch_size": 32,
        "loss": "cross_entropy",
        "data": {"X": random.normal(size=(33, 25)).round(2).tolist(), "Y": np.eye(2)[np.arange(33) % 2].tolist()},
        "layers": [{"activation": "relu", "units": 22}, {"activation": "softmax", "units": 2}],
        "convention": {"softmax_slope": "fused"},
    }
    return trace(problem_from_document(document, "large", "large"))


def test_it_recalculates(recorded: Trace, tmp_path: Path) -> None:
    write_workbook(recorded, tmp_path / "book.xlsx")
    assert_recalculates(recorded, tmp_path / "book.xlsx", by_ironcalc)


def test_libreoffice_recalculates_it(recorded: Trace, tmp_path: Path) -> None:
    assert_libreoffice_recalculates([recorded], tmp_path)


def test_every_matrix_stands_in_full_once_and_its_name_is_there(recorded: Trace, tmp_path: Path) -> None:
    write_workbook(recorded, tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx", data_only=True)
    for identifier in recorded.last:
        defined = identifier if identifier.endswith("_next") else f"{identifier}_"
        ((title, reference),) = book.defined_names[defined].destinations
        block = book[title][reference.replace("$", "")]
        rows = block if isinstance(block, tuple) else ((block,),)
        values = [[cell.value for cell in row] for row in rows]
        assert np.array_equal(np.array(values, dtype=float), recorded[identifier]), identifier
    numbers = [key for key, (_, value) in cells(tmp_path / "book.xlsx").items() if value and "Step" in key[0]]
    first = sum(each.size for each in recorded.first.matrices.values())
    whole = sum(each.size for one in recorded.passes for each in one.matrices.values())
    assert first < len(numbers) < 3 * whole, "large matrices are not repeated on every sheet"


def test_the_excerpt_shows_first_and_last_and_links_to_the_whole(recorded: Trace, tmp_path: Path) -> None:
    write_workbook(recorded, tmp_path / "book.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "book.xlsx", data_only=True)["Epoch 1.1 Step 2"]
    X, heading = recorded.first["X"], board_top(recorded) + 1
    first = heading + 2
    assert [sheet.cell(first, column).value for column in range(2, 7)] == [X[0, 0], X[0, 1], X[0, 2], "⋯", X[0, 24]]
    assert [sheet.cell(first + k, 2).value for k in range(5)] == [X[0, 0], X[1, 0], X[2, 0], "⋮", X[31, 0]]
    assert sheet.cell(heading + 1, 2).value.endswith("in full on Epoch 1.1 Step 0")
    assert sheet.cell(heading, 2).hyperlink.location.startswith("'Epoch 1.1 Step 0'!")
