"""Links within the book: each sheet of a step leads to the one before, the one behind and the start."""

import re
from pathlib import Path

import openpyxl
import pytest

from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.training import trace
from tracer.workbook.workbook import write_workbook


@pytest.mark.parametrize(("batch_size", "epochs"), [(3, 1), (2, 1), (3, 3)])
def test_every_sheet_is_linked_to_its_neighbours_and_the_start(batch_size: int, epochs: int, tmp_path: Path) -> None:
    document = load_problem("article").to_document() | {"batch_size": batch_size}
    recorded = trace(problem_from_document(document, "linked", "linked"), range(1, epochs + 1))
    write_workbook(recorded, tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    start, *titles = (each.title for each in book.worksheets if each.sheet_state == "visible")
    for before, title, behind in zip([None, *titles[:-1]], titles, [*titles[1:], None], strict=True):
        linked = [cell for row in book[title].iter_rows() for cell in row if cell.hyperlink]
        targets = {cell.hyperlink.location for cell in linked}
        expected = {f"'{each}'!A1" for each in (before, start, behind) if each}
        assert expected <= targets, title
        assert {target.split("!")[0].strip("'") for target in targets} <= set(book.sheetnames)
        for cell in linked:
            target = cell.hyperlink.location.split("!")[0].strip("'")
            words = cell.value.removeprefix("← ").removesuffix(" →") if isinstance(cell.value, str) else None
            assert words == target or (
                title == "Gradient check" and re.fullmatch(r"(wh|bh|wout|bout)(\[\d(,\d)?\])?", words or "")
            ), f"{title}!{cell.coordinate}: the words stand in another cell than the link"
    starts = {cell.hyperlink.location for row in book[start].iter_rows() for cell in row if cell.hyperlink}
    assert {f"'{title}'!A1" for title in titles if "Step" in title} <= starts
