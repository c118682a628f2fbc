"""Links within the book: each sheet of a step leads to the one before, the one behind and the start."""

from pathlib import Path

import openpyxl
import pytest

from tracer.export.workbook import write_workbook
from tracer.network.problem import problem_from_document
from tracer.network.reading import load_problem
from tracer.training import trace


@pytest.mark.parametrize("batch_size", [3, 2])
def test_every_step_is_linked_to_its_neighbours_and_the_start(batch_size: int, tmp_path: Path) -> None:
    document = load_problem("article").to_document() | {"batch_size": batch_size}
    write_workbook(trace(problem_from_document(document, "linked", "linked")), tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    titles = [title for title in book.sheetnames if "Step" in title]
    for before, title, behind in zip([None, *titles[:-1]], titles, [*titles[1:], None], strict=True):
        targets = {cell.hyperlink.location for row in book[title].iter_rows() for cell in row if cell.hyperlink}
        expected = {f"'{each}'!A1" for each in (before, "Start", behind) if each}
        assert expected <= targets
        assert {target.split("!")[0].strip("'") for target in targets} <= set(book.sheetnames)
    starts = {cell.hyperlink.location for row in book["Start"].iter_rows() for cell in row if cell.hyperlink}
    assert {f"'{title}'!A1" for title in titles} <= starts
