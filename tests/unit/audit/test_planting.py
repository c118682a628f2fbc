"""Faults planted at random in the gradients and updates of one of our own workbooks."""

from pathlib import Path

import numpy as np

import tracer
from tests.planting import places, planted
from tracer.audit.auditing import audit_cells

COUNT, LEAST_NOTICED, LEAST_NAMED = 15, 14, 10


def test_faults_planted_at_random_are_noticed_and_most_are_named_in_their_own_cell(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    tracer.write_workbook(tracer.trace("mazur"), path)
    content = path.read_bytes()
    noticed = named = 0
    for cell, _, book in planted(content, places(content), np.random.default_rng(3), COUNT):
        audit = audit_cells(book)
        noticed += audit.status == 1
        named += any(cell in each.cells for each in audit.wrong)
    assert (noticed >= LEAST_NOTICED, named >= LEAST_NAMED) == (True, True), (noticed, named)
