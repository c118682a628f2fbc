"""Faults planted at random in the gradients and updates of our own workbooks."""

import re
from pathlib import Path

import numpy as np
import pytest

import tracer
from tests.planting import copied, places, planted
from tracer.audit.auditing import audit_cells
from tracer.audit.graph import name_of
from tracer.audit.package import WrittenFormula, read_book
from tracer.audit.writing import formula_at

BOOKS = ("mazur", "mlp-paper", "graph", "adaline")
EACH, LEAST_NOTICED, LEAST_NAMED = 3, 0.9, 0.6
RATE = re.compile(r"-([A-Z]+)([0-9]+)\*")  # in the formula of an update


def _content(name: str, folder: Path) -> bytes:
    tracer.write_workbook(tracer.trace(name), folder / "book.xlsx")
    return (folder / "book.xlsx").read_bytes()


def test_faults_planted_at_random_are_noticed_and_most_are_named_in_their_own_cell(tmp_path: Path) -> None:
    noticed, named = [], []
    for name in BOOKS:
        content = _content(name, tmp_path)
        right = audit_cells(read_book(name, content))
        assert right.status == 0 and right.gradients, name
        for cell, formula, book in planted(content, places(content, right), np.random.default_rng(3), EACH):
            audit = audit_cells(book)
            noticed.append((audit.status == 1, name, cell, formula))
            named.append(any(cell in each.cells for each in audit.wrong))
    missed = [each[1:] for each in noticed if not each[0]]
    assert len(missed) <= (1 - LEAST_NOTICED) * len(noticed), missed
    assert sum(named) >= LEAST_NAMED * len(named), f"{sum(named)} of {len(named)}"


@pytest.mark.parametrize("name", ["adaline", "adagrad", "adamw"])
def test_an_update_that_takes_an_empty_cell_for_its_rate_is_the_first_wrong_cell(name: str, tmp_path: Path) -> None:
    content = _content(name, tmp_path)
    right = audit_cells(read_book(name, content))
    book = read_book(name, content)
    updates = [each for each in places(content, right) if RATE.search(formula_at(book, each))]
    for cell in (updates[0], updates[-1]):
        wrong = copied(book)
        text = RATE.sub(lambda found: f"-{found[1]}{found[2]}9*", formula_at(book, cell)[1:], count=1)
        wrong.sheets[cell.matrix].formulas[cell.row, cell.column] = WrittenFormula(text, (cell.row, cell.column))
        document = audit_cells(wrong).document()
        found = document["first_wrong"]
        assert found is not None and found["cell"] == name_of(cell), (cell, text, found)
        assert [
            each for each in document["notes"] if each.startswith(f"{name_of(cell)} =") and each.endswith(" is empty")
        ]
    assert not right.notes


@pytest.mark.parametrize("name", ["vae", "gan-discriminator", "siamese", "logistic-regression"])
def test_gradients_are_found_and_nothing_is_accused_in_our_own_books(name: str, tmp_path: Path) -> None:
    audit = audit_cells(read_book(name, _content(name, tmp_path)))
    found = audit.document()
    assert audit.status == 0 and found["gradients"] and found["first_wrong"] is None
