"""Updates that keep states are held against the known rules of optimizers."""

from pathlib import Path

import numpy as np
import pytest

import tracer
from tests.planting import copied
from tracer.audit.auditing import audit_cells
from tracer.audit.known_rules import SheetStep, fits_a_rule
from tracer.audit.package import BookCells, WrittenFormula, read_book


def _book(name: str, folder: Path) -> BookCells:
    tracer.write_workbook(tracer.trace(name), folder / "book.xlsx")
    return read_book(name, (folder / "book.xlsx").read_bytes())


@pytest.mark.parametrize(
    ("name", "sheet", "place", "formula"),
    [
        ("adam-paper", "Step 1 back", (119, 2), "(C97*E110+C98*E111)*2"),
        ("adagrad", "Step 10", (174, 2), "B159-H116*B167/(SQRT(E182)+1E-10)"),
    ],
    ids=["a gradient that only states take", "another unit's state"],
)
def test_a_fault_behind_an_optimizer_with_states_is_named_in_its_own_cell(
    name: str, sheet: str, place: tuple[int, int], formula: str, tmp_path: Path
) -> None:
    right = _book(name, tmp_path)
    assert not audit_cells(right).wrong
    wrong = copied(right)
    wrong.sheets[sheet].formulas[place] = WrittenFormula(formula, place)
    first = audit_cells(wrong).wrong[0]
    assert (first.cell.matrix, first.cell.row, first.cell.column) == (sheet, *place)


@pytest.mark.parametrize("kept", [(-1.0,), (1.5,), (np.nan,), (0.0,), (0.9, 1.0), (-0.1, 0.5)], ids=str)
def test_shares_that_no_optimizer_keeps_are_no_rule(kept: tuple[float, ...]) -> None:
    numbers = np.linspace(0.1, 1.0, 8)
    step = SheetStep(numbers, numbers**2, [numbers / 3] * len(kept), kept, (0.1, 0.9, 1e-8))
    assert not fits_a_rule(step, numbers + 1)
