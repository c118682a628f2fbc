"""What stands in a workbook has room: no text is cut, none stands where it is not printed, and type has four sizes."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.room import Room, lines_in, sheets
from tests.traces import example
from tracer.problem.problem import problem_from_document
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.spreadsheet.print_setup import CHARACTER
from tracer.workbook.flow import lines_of
from tracer.workbook.workbook import write_workbook

EXAMPLES = ["article", "mazur", "hand", "softmax-classifier", "logistic-regression"]
LARGE = ["blobs"]


@cache
def book(name: str) -> list[Room]:
    made: Trace = batches() if name == "batches" else example(name)
    with TemporaryDirectory() as folder:
        write_workbook(made, Path(folder, "book.xlsx"))
        return sheets(Path(folder, "book.xlsx"))


def batches() -> Trace:
    """Two epochs of two passes each, in steps that follow no gradient."""
    changes = {"batch_size": 2, "reproduce": {"rate_twice": True}, "carry_rounded": True}
    document = example("article").problem.to_document() | changes
    return trace(problem_from_document(document, "batches", "batches"), (1, 2))


@pytest.mark.parametrize("name", [*EXAMPLES, *LARGE, "batches"])
def test_no_text_is_cut(name: str) -> None:
    assert [place for room in book(name) for place in room.cut()] == []


@pytest.mark.parametrize("name", [*EXAMPLES, "batches"])
def test_a_step_is_printed_to_its_last_row_and_column_and_no_further(name: str) -> None:
    """Of the bands that nothing stands in yet the headings alone are left out."""
    for room in book(name):
        if room.sheet.title.startswith("Step") and room.areas():
            assert not any(map(room.ends_empty, room.areas()))
            left_out = [cell for cell in room.unprinted() if (cell.column, cell.font.sz) != (2, 11)]
            assert not left_out, room.sheet.title


@pytest.mark.parametrize("name", [*EXAMPLES, "batches"])
def test_the_start_sheet_and_the_certificate_are_printed_whole(name: str) -> None:
    for room in book(name):
        if room.sheet.title in ("Start", "Certificate"):
            assert not list(room.unprinted())


@pytest.mark.parametrize("name", [*EXAMPLES, *LARGE, "batches"])
def test_titles_are_large_headings_bold_and_all_else_is_of_one_size(name: str) -> None:
    rooms = [room for room in book(name) if room.sheet.title != "Presenter"]  # in large type, for a lecture
    found = {(cell.font.sz, bool(cell.font.b)) for room in rooms for cell in room.seen()}
    assert found == {(16, True), (11, True), (10, True), (10, False)}


@pytest.mark.parametrize(
    "text",
    [
        "the numbers of a row and what they come to in the end, word by word and line after line",
        "THE LOSS AND NOTHING BUT THE LOSS, IN CAPITALS THROUGHOUT, AS NOBODY WRITES IT",
        "3.14159 26535 89793 23846 26433 83279 50288 41971 69399 37510",
        "Σ δ · w + ∂L/∂W − η ⊙ σ′(z) ≈ 0.5 × (a − y)² → ∞",
    ],
)
@pytest.mark.parametrize("width", [30.0, 60.0, 95.0])
def test_rows_are_as_high_as_their_text_and_not_much_higher(text: str, width: float) -> None:
    text = " ".join([text] * 8)
    lines = lines_in(text, width * CHARACTER)
    assert lines <= lines_of(text, width) <= 1.25 * lines + 1


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_head_of_a_step_takes_at_most_a_line_more_than_its_texts(name: str) -> None:
    for room in book(name):
        if room.sheet.title.startswith("Step"):
            for row in (2, 3):
                needed = max(room.down(cell, text, bounds) for cell, text, bounds in room.texts() if cell.row == row)
                assert room.height(row) < needed + 20, (room.sheet.title, row)
