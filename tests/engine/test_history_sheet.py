"""The history sheet follows the steps: its losses are those of the passes, also after an input was changed."""

import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.engine.recalculate import by_cellrune, by_ironcalc, with_wrong_cached_values
from tracer.problem.problem import Problem, problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.workbook.history_sheet import FIRST_ROW
from tracer.workbook.workbook import write_workbook

pytestmark = pytest.mark.engine


def problem(loss_shown: str, weight: float = 0.42) -> Problem:
    """The article's example in batches of two samples and one."""
    document = load_problem("article").to_document() | {"batch_size": 2, "loss_shown": loss_shown}
    document["layers"][0]["weights"][0][0] = weight
    return problem_from_document(document, "batches", "batches")


def changed(book: Path, target: Path) -> Path:
    """A copy in which the first weight, 0.42, is 0.9."""
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(target, "w") as out:
        place = openpyxl.load_workbook(book, read_only=True).sheetnames.index("Epoch 1.1 Step 1") + 1
        for name in source.namelist():
            content = source.read(name)
            if name == f"xl/worksheets/sheet{place}.xml":
                content, edits = re.subn(b"<v>0.42</v>", b"<v>0.9</v>", content)
                assert edits == 1
            out.writestr(name, content)
    return target


def losses(recorded: Trace) -> list[float]:
    assert recorded.history is not None
    return recorded.history.losses.tolist()


@pytest.mark.parametrize(("engine", "loss_shown"), [(by_cellrune, "sum"), (by_ironcalc, "mean")])
def test_the_loss_of_an_epoch_is_made_of_its_passes(engine: Any, loss_shown: str, tmp_path: Path) -> None:
    """Epochs 1, 2 and 4 are in the book: 2 starts from what 1 ends with, 4 from numbers of its own."""
    recorded = trace(problem(loss_shown), (1, 2, 4))
    write_workbook(recorded, tmp_path / "book.xlsx")
    cells = [("History", f"D{row}") for row in range(FIRST_ROW, FIRST_ROW + 4)]
    bare = with_wrong_cached_values(tmp_path / "book.xlsx", tmp_path / "bare.xlsx")
    assert list(engine(bare, cells).values()) == pytest.approx(losses(recorded), abs=1e-12)
    expected = losses(trace(problem(loss_shown, 0.9), (1, 2)))
    found = engine(changed(bare, tmp_path / "changed.xlsx"), [*cells, ("History", f"E{FIRST_ROW}")])
    assert [found[cell] for cell in cells[:2]] == pytest.approx(expected, abs=1e-12)
    assert [found[cell] for cell in cells[2:]] == pytest.approx(losses(recorded)[2:], abs=1e-12)
    assert found["History", f"E{FIRST_ROW}"] == 0.9
