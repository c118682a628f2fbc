"""`marks.csv` and the commonest slips."""

import csv
import io
from collections import Counter
from pathlib import Path

import pytest

from tests.marking import document, mark, with_rule, worked
from tracer.classroom.class_marks import MarksLine, as_text, commonest, is_marks, line_of, write_marks

PROBLEM = document()
RIGHT = worked(PROBLEM, remembers=2.0)
NO_BIAS = worked(PROBLEM, with_rule(PROBLEM, "Z1", lambda m: m["X"] @ m["W1"]))


def rows(lines: list[MarksLine], folder: Path) -> list[dict[str, str]]:
    order = list(mark(PROBLEM, {}).sheet.key.program.assignments)
    write_marks(lines, order, folder / "marks.csv")
    text = (folder / "marks.csv").read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_file_is_a_line_with_its_points_and_where_to_start(tmp_path: Path) -> None:
    line = line_of(mark(PROBLEM, NO_BIAS, student={"name": "Bo", "id": "7"}))
    (row,) = rows([line], tmp_path)
    assert (row["name"], row["id"], row["points"], row["out_of"]) == ("Bo", "7", "18", "19")
    assert (row["Z1"], row["A1"], row["first_wrong"], row["commonest_slip"]) == ("0", "1", "Z1[1,1]", "no-bias")
    assert is_marks(tmp_path / "marks.csv")


def test_what_does_not_count_is_missed_and_what_is_blank_is_not() -> None:
    rows = len(RIGHT["Z1"])
    assert set(line_of(mark(PROBLEM, NO_BIAS)).missed) == {
        f"Z1[{i},{j}]" for i in range(1, rows + 1) for j in range(1, len(RIGHT["Z1"][0]) + 1)
    }
    assert line_of(mark(PROBLEM, RIGHT | {"Z1": [["" for _ in row] for row in RIGHT["Z1"]]})).missed == []


def test_matrices_that_only_some_handed_in_are_blank_for_the_others(tmp_path: Path) -> None:
    some = mark(PROBLEM, {"Z1": RIGHT["Z1"]})
    first, second = rows([line_of(some), line_of(mark(PROBLEM, RIGHT))], tmp_path)
    assert (first["Z1"], first["D2"], second["D2"]) == ("1", "", "1")
    assert (first["first_wrong"], first["commonest_slip"]) == ("", "")


def test_matrices_stand_in_order_of_time_whoever_comes_first(tmp_path: Path) -> None:
    rows([line_of(mark(PROBLEM, {"D2": RIGHT["D2"]})), line_of(mark(PROBLEM, {"Z1": RIGHT["Z1"]}))], tmp_path)
    head = (tmp_path / "marks.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert head == "file,name,id,points,out_of,Z1,D2,first_wrong,commonest_slip,unreadable"


def test_an_unreadable_file_is_a_line_that_says_so(tmp_path: Path) -> None:
    (row,) = rows([MarksLine("bad.json", {"name": "Bo"}, fault="not JSON")], tmp_path)
    assert (row["file"], row["name"], row["points"], row["unreadable"]) == ("bad.json", "Bo", "", "not JSON")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =cmd|' /C calc'!A0", "＝1"])
def test_a_text_that_a_spreadsheet_would_take_for_a_formula_is_defused(text: str, tmp_path: Path) -> None:
    (row,) = rows([MarksLine(text, {"name": text, "id": text}, fault=text)], tmp_path)
    assert all(row[column].startswith("'") for column in ("file", "name", "id", "unreadable"))
    assert as_text("Ada-Marie") == "Ada-Marie"


def test_a_text_with_what_ends_a_line_or_rings_a_bell_stays_in_its_cell(tmp_path: Path) -> None:
    (row,) = rows([MarksLine("a\x07b\x1b[31m.json", {"name": 'Bo"\r\n,;'})], tmp_path)
    assert row["file"] == "a\ufffdb\ufffd[31m.json"
    assert row["name"] == 'Bo"  ,;'


def test_slips_are_counted_by_the_files_that_show_them() -> None:
    lines = [
        MarksLine("a", {}, slips={"x": 9, "y": 1}),
        MarksLine("b", {}, slips={"y": 2}),
        MarksLine("c", {}, slips={"z": 1, "a": 1}),
    ]
    assert commonest(Counter(slug for line in lines for slug in line.slips)) == [("y", 2), ("a", 1), ("x", 1), ("z", 1)]
    many = [MarksLine(str(k), {}, slips={str(k): 1}) for k in range(9)]
    assert len(commonest(Counter(slug for line in many for slug in line.slips))) == 5
