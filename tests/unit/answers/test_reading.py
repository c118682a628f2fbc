"""Answer files as JSON and CSV: the contract, and files that cannot be used."""

import json
from pathlib import Path

import pytest

from tracer.answers.handed_in import MOST_CELLS, MOST_TEXT, AnswerError, Answers, Grid
from tracer.answers.reading import MOST_BYTES, read_answers, read_content
from tracer.presentation.theme import theme_of


def texts(grid: Grid) -> list[list[str]]:
    return [[entry.text for entry in row] for row in grid]


def kinds(grid: Grid) -> list[list[str]]:
    return [[entry.kind for entry in row] for row in grid]


def of_json(document: object) -> Answers:
    return read_content("answers.json", json.dumps(document).encode())


def test_json_has_matrices_of_numbers_and_text() -> None:
    answers = of_json({"Z1": [["1.480", 1.78, None], ["3/8", "", "−0,5"]]})
    assert texts(answers.matrices["Z1"]) == [["1.480", "1.78", ""], ["3/8", "", "−0,5"]]
    assert kinds(answers.matrices["Z1"]) == [["number", "number", "blank"], ["number", "blank", "number"]]
    assert [entry.value for entry in answers.matrices["Z1"][1] if entry.kind == "number"] == [0.375, -0.5]


def test_json_numbers_keep_the_digits_that_are_written() -> None:
    answers = read_content("answers.json", b'{"L": 0.3500, "Z1": [1.50, 2]}')
    (entry,) = answers.matrices["L"][0]
    assert (entry.text, entry.decimals) == ("0.3500", 4)
    assert [entry.decimals for entry in answers.matrices["Z1"][0]] == [2, 0]


def test_json_tells_who_worked_what() -> None:
    answers = of_json(
        {"student": {"name": "Ada", "id": 7, "age": 9}, "problem_sha256": "abc", "given": {"W1": [[1]]}, "Z1": [["1"]]}
    )
    assert answers.student == {"name": "Ada", "id": "7"} and answers.problem_sha256 == "abc"
    assert texts(answers.given["W1"]) == [["1"]] and list(answers.matrices) == ["Z1"]


@pytest.mark.parametrize("value", [True, {"a": 1}, [1]])
def test_json_of_another_kind_in_a_cell_is_unreadable(value: object) -> None:
    assert kinds(of_json({"Z1": [[value, "1"]]}).matrices["Z1"])[0] == ["unreadable", "number"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_json_has_no_number_that_is_none(number: str) -> None:
    answers = read_content("answers.json", f'{{"Z1": [[{number}]]}}'.encode())
    assert kinds(answers.matrices["Z1"]) == [["unreadable"]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "answers.json: not JSON"),
        (b"[1]", "answers.json: expected an object with a matrix for each identifier, found a list"),
        (b'{"student": 3}', "answers.json: student: expected an object with name and id, found a number"),
        (b'{"given": [1]}', "answers.json: given: expected an object with matrices, found a list"),
        (b'{"Z1": ' + b"[" * 100_000, "answers.json: nested too deeply"),
        (b'{"Z1": [' + b"1," * MOST_CELLS + b"1]}", "answers.json: more than 200,000 numbers"),
        (b'{"Z1": [' + b'"",' * MOST_CELLS + b'""]}', "answers.json: Z1: more than 200,000 cells"),
        (b'{"Z1": [' + b"[]," * MOST_CELLS + b"[]]}", "answers.json: more than 200,000 lists and objects"),
        (b"[" + b"{}," * MOST_CELLS + b"{}]", "answers.json: more than 200,000 lists and objects"),
        (b'{"Z1": [["1\x00"]]}', "answers.json: not UTF-8 text"),
        (b"\x81\x8d", "answers.json: not UTF-8 text"),
    ],
)
def test_json_that_cannot_be_used_is_refused_with_file_and_place(content: bytes, says: str) -> None:
    with pytest.raises(AnswerError) as refused:
        read_content("answers.json", content)
    assert str(refused.value).startswith(says)


CSV = "matrix,row,column,value\nZ1,1,1,1.48\nZ1,2,2,\nA1,1,2,3/8\n"


@pytest.mark.parametrize(
    "content",
    [
        CSV.encode(),
        CSV.encode("utf-8-sig"),
        CSV.encode("utf-16"),
        CSV.replace("\n", "\r\n").encode(),
        CSV.replace(",", ";").encode(),
        CSV.replace("matrix", " Matrix").replace("\nA1", "\n\n , , ,\nA1").encode(),
    ],
)
def test_csv_has_a_cell_a_line_in_every_dialect(content: bytes) -> None:
    answers = read_content("answers.csv", content)
    assert texts(answers.matrices["Z1"]) == [["1.48", ""], ["", ""]]
    assert texts(answers.matrices["A1"]) == [["", "3/8"]]
    assert kinds(answers.matrices["Z1"]) == [["number", "blank"], ["blank", "blank"]]


def test_csv_with_a_decimal_comma_that_was_not_quoted() -> None:
    answers = read_content("answers.csv", b"matrix,row,column,value\nZ1,1,1,1,48\n")
    assert answers.matrices["Z1"][0][0].value == 1.48


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Z1,1,1,1.48\n", "answers.csv: line 1: expected the header matrix,row,column,value"),
        ("", "answers.csv: line 1: expected the header matrix,row,column,value"),
        ("matrix,row,column,value\nZ1,1\n", "answers.csv: line 2: expected matrix,row,column,value"),
        ("matrix,row,column,value\n\nZ1,0,1,2\n", "answers.csv: line 3: expected row and column as numbers from 1"),
        ("matrix,row,column,value\nZ1,x,1,2\n", "answers.csv: line 2: expected row and column as numbers from 1"),
        ("matrix,row,column,value\nZ1,100000,100000,2\n", "cells up to row 100,000 and column 100,000 are more"),
        ("matrix,row,column,value\n" + "Z1,1,1,2\n" * (MOST_CELLS + 1), "answers.csv: more than 200,000 lines"),
    ],
)
def test_csv_that_cannot_be_used_is_refused_with_file_and_line(content: str, says: str) -> None:
    with pytest.raises(AnswerError) as refused:
        read_content("answers.csv", content.encode())
    assert says in str(refused.value)


def test_a_name_that_is_too_long_is_cut() -> None:
    answers = read_content("answers.csv", f"matrix,row,column,value\n{'Z' * 10_000},1,1,{'9' * 10_000}\n".encode())
    (name,) = answers.matrices
    assert len(name) == MOST_TEXT
    assert answers.matrices[name][0][0].kind == "unreadable"


def test_a_file_of_another_kind_too_large_or_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(AnswerError, match=r"^answers\.pdf: a file ending in \.pdf is not read; type"):
        read_content("answers.pdf", b"%PDF")
    with pytest.raises(AnswerError, match=r"^page\.html: a file ending in \.html is not read; “Save answers” on"):
        read_content("page.html", b"<html>")
    with pytest.raises(AnswerError, match=r"^answers\.exe: expected a file ending in \.json"):
        read_content("answers.exe", b"MZ")
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(AnswerError, match=r"^large\.json: 20,000,001 bytes is too large for work done by hand"):
        read_answers(large)
    with pytest.raises(AnswerError, match=r"^none\.json: cannot be read \(No such file or directory\)"):
        read_answers(tmp_path / "none.json")


def test_a_first_line_that_names_the_delimiter_is_no_header() -> None:
    answers = read_content("a.csv", b"sep=;\nmatrix;row;column;value\nZ1;1;1;0,5\nZ1;1;2;0,7\n")
    assert [[entry.value for entry in row] for row in answers.matrices["Z1"]] == [[0.5, 0.7]]


def test_what_a_page_saved_in_words_is_kept() -> None:
    notes = {"note why 3": "It would be linear.", "note predict 4": " too high ", "note why x": 1, "note why 5": ""}
    notes["note why 3 ←"] = "Every share moves."
    answers = of_json({"L": 0.5, "student": {"name": "Ada", "notes": notes}})
    assert [(each.asked(theme_of("en", None)), each.text) for each in answers.words] == [
        ("step 3, question", "It would be linear."),
        ("step 4, prediction", "too high"),
        ("step 3 ←, question", "Every share moves."),
    ]
    assert not of_json({"L": 0.5, "student": {"notes": ["a list"]}}).words


def test_keys_that_stand_twice_are_said_and_the_first_is_read() -> None:
    answers = read_content("a.json", b'{"L": 0.5, "L": 0.7}')
    assert answers.matrices["L"][0][0].value == 0.5
    assert answers.notes == ("L: appears more than once; the first was read",)
