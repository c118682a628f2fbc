"""Faults planted at random in the gradients and updates of our own workbooks."""

from pathlib import Path

import numpy as np
import pytest

import tracer
from tests.planting import places, planted
from tracer.audit.auditing import audit_cells
from tracer.audit.package import read_book

BOOKS = ("mazur", "mlp-paper", "graph", "rnn-paper")
EACH, LEAST_NOTICED, LEAST_NAMED = 3, 0.8, 0.6  # missed: a way back that is 0 throughout, of an empty cell


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


@pytest.mark.parametrize("name", ["vae", "gan-discriminator", "siamese", "logistic-regression"])
def test_gradients_are_found_and_nothing_is_accused_in_our_own_books(name: str, tmp_path: Path) -> None:
    audit = audit_cells(read_book(name, _content(name, tmp_path)))
    found = audit.document()
    assert audit.status == 0 and found["gradients"] and found["first_wrong"] is None
