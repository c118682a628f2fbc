"""Answers to variants: each file finds its own, a neighbour's is said to be one, a quiz is marked from a table."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.students import Answers, Habit, Work, work_through
from tests.unit.variation.test_variants import SMALL
from tracer import cli
from tracer.answers.key import key_of
from tracer.problem.problem import Problem, problem_from_document
from tracer.variation.folder import Index, Variant, problem_path, write_index
from tracer.variation.roster import Student
from tracer.variation.search import find

STUDENTS = (
    Student("Ada Lovelace", "s1"),
    Student("Ada Lovelace", "s2"),
    Student("Bo García", "s3"),
    Student("Cy Young", "s4"),
)
Check = Callable[..., tuple[object, str, str]]


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    return list(find(problem_from_document(SMALL, "small", "small"), len(STUDENTS), "1").variants)


@pytest.fixture
def folder(tmp_path: Path, problems: list[Problem]) -> Path:
    """A folder of variants without its worksheets."""
    variants = tuple(
        Variant(k, 1, problem.sha256, (student,))
        for k, (problem, student) in enumerate(zip(problems, STUDENTS, strict=True), 1)
    )
    for variant, problem in zip(variants, problems, strict=True):
        path = problem_path(tmp_path / "v", variant)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(problem.to_document()))
    write_index(tmp_path / "v", Index("small", "0" * 64, "1", variants))
    (tmp_path / "class").mkdir()
    return tmp_path


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> Check:
    def run(what: Path | None = None, *more: str) -> tuple[object, str, str]:
        answers = str(folder / "class" if what is None else what)
        arguments = [str(folder / "v"), answers, "-o", str(folder / "marked"), "--only", "marks", *more]
        monkeypatch.setattr(sys, "argv", ["tracer", "check", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return (ended.value.code, *capsys.readouterr())

    return run


def worked(problem: Problem) -> Answers:
    key = key_of(problem)
    return work_through(Work(problem.to_document()), Habit(3, remembers=1.0, asked=key.asked), np.random.default_rng(1))


def hand_in(folder: Path, name: str, problem: Problem, **more: object) -> None:
    (folder / "class" / name).write_text(json.dumps({**worked(problem), **more}), encoding="utf-8")


def marks(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "marked" / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def test_each_file_finds_its_variant(check: Check, folder: Path, problems: list[Problem]) -> None:
    hand_in(folder, "by-id.json", problems[0], student={"name": "Ada Lovelace", "id": "s1"})
    hand_in(folder, "by-hash.json", problems[1], problem_sha256=problems[1].sha256)
    hand_in(folder, "Bo García.json", problems[2])
    hand_in(folder, "variant-004.json", problems[3])
    hand_in(folder, "namesake.json", problems[1], student={"name": "Ada Lovelace"})
    hand_in(folder, "nobody.json", problems[0], student={"name": "Who Ever"})
    check()
    found = marks(folder)
    for file, who, variant in (
        ("by-id.json", "s1", "1"), ("by-hash.json", "s2", "2"), ("Bo García.json", "s3", "3"),
        ("variant-004.json", "s4", "4"), ("namesake.json", "s2", "2"),
    ):  # fmt: skip
        row = found[file]
        assert (row["id"], row["variant"], row["points"], row["note"]) == (who, variant, row["out_of"], ""), file
    assert found["nobody.json"]["id"] == "" and "no student of the roster" in found["nobody.json"]["note"]
    with (folder / "marked" / "todo.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["file"] for row in csv.DictReader(file)] == ["nobody.json"]


def test_a_neighbours_variant_is_said_to_be_one(check: Check, folder: Path, problems: list[Problem]) -> None:
    hand_in(folder, "cy.json", problems[2], student={"name": "Cy Young", "id": "s4"})
    hand_in(folder, "bo.json", problems[2], student={"name": "Bo García", "id": "s3"})
    _, out, _ = check()
    row = marks(folder)["cy.json"]
    assert (row["id"], row["variant"]) == ("s4", "4") and float(row["points"]) < float(row["out_of"])
    assert row["note"] == "fits variant 3 better than 4, the student's own"
    assert "these answers fit another variant, not the one that was handed out to this student" in " ".join(out.split())
    assert marks(folder)["bo.json"]["note"] == ""


def test_a_quiz_is_marked_by_the_cells_that_it_asks_for(check: Check, folder: Path, problems: list[Problem]) -> None:
    table = folder / "class" / "typed.csv"
    asked = (("Z1", 0, 1), ("dW2", 1, 0))
    rows = ['student,id,variant,"Z1[1,2]","dW2[2,1]"']
    for k, (student, problem) in enumerate(zip(STUDENTS, problems, strict=True)):
        own = worked(problem)
        texts = [own[name][row][column] for name, row, column in asked]
        cells = ["", ""] if k == 0 else [texts[0], "7"] if k == 1 else texts
        rows.append(f"{student.name},{student.id},{k + 1},{cells[0]},{cells[1]}")
    table.write_text("\n".join(rows), encoding="utf-8")
    check(table)
    found = marks(folder)
    assert list(found) == ["typed.csv#2", "typed.csv#3", "typed.csv#4"]  # who wrote nothing handed in nothing
    assert [(row["id"], row["points"], row["out_of"]) for row in found.values()] == [
        ("s2", "1", "2"), ("s3", "2", "2"), ("s4", "2", "2"),
    ]  # fmt: skip


def test_a_folder_whose_numbers_were_changed_is_refused(check: Check, folder: Path, problems: list[Problem]) -> None:
    hand_in(folder, "a.json", problems[0])
    path = folder / "v" / "teacher" / "problems" / "002.json"
    path.write_text(path.read_text().replace('"learning_rate": 0.3', '"learning_rate": 0.2'))
    status, _, err = check()
    assert status == 2 and "002.json: has other numbers than the index says" in err
