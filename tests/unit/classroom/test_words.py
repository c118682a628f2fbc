"""What students write in words is kept, and stands wherever the marks do."""

from pathlib import Path

import openpyxl
import pytest

from tests.marking import document, mark, worked
from tracer.classroom.feedback_page import write_feedback
from tracer.classroom.marked_workbook import write_marked_workbook
from tracer.classroom.report import print_marked
from tracer.judging.marking import MarkedSheet

PROBLEM = document()
NOTES = {"note why 3": "It would all be linear.", "note predict 4": "the second is too high"}
LINES = ["step 3, question: “It would all be linear.”", "step 4, prediction: “the second is too high”"]


@pytest.fixture(scope="module")
def marked() -> MarkedSheet:
    return mark(PROBLEM, worked(PROBLEM, remembers=2.0), student={"name": "Ada", "notes": NOTES})


def test_the_terminal_and_the_json_have_them(marked: MarkedSheet, capsys: pytest.CaptureFixture[str]) -> None:
    print_marked(marked, "none")
    printed = capsys.readouterr().out
    assert all(line in printed for line in LINES)
    found = marked.to_document()["in_words"]
    assert [each["text"] for each in found] == list(NOTES.values())


def test_the_page_and_the_marked_workbook_have_them(marked: MarkedSheet, tmp_path: Path) -> None:
    write_feedback(marked, "none", tmp_path / "ada.html")
    page = (tmp_path / "ada.html").read_text(encoding="utf-8")
    assert all(text in page for text in NOTES.values())
    write_marked_workbook(marked, "none", tmp_path / "ada.xlsx")
    cells = [str(cell.value) for row in openpyxl.load_workbook(tmp_path / "ada.xlsx")["Marks"] for cell in row]
    assert all(any(line in cell for cell in cells) for line in LINES)
