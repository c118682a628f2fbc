"""Checking the answers to programs: right ones, carried ones, left-out matrices, names, marks, every report."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import tracer
from tracer.answers.key import key_of
from tracer.cli import app
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.reading import load_any

PROGRAMS = ("self-attention-paper", "rnn-paper", "batch-norm-paper", "graph", "conv-paper", "adam-paper", "tiny-gpt")
Sheet = dict[str, list[list[str | None]]]


def right(name: str) -> Sheet:
    """Every matrix to the digits that are asked for."""
    problem = load_any(name)
    assert isinstance(problem, ProgramProblem)
    key = key_of(problem)
    return {each: [[f"{value:.{key.asked[each]}f}" for value in row] for row in key.values[each].tolist()]
            for each in problem.program.computed}  # fmt: skip


def marked(name: str, sheet: Sheet) -> dict[str, Any]:
    return tracer.check(name, sheet).to_document()


def verdicts(document: dict[str, Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in document["cells"]:
        found.setdefault(each["id"], set()).add(each["verdict"])
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_right_sheet_counts_to_the_last_cell(name: str) -> None:
    summary = marked(name, right(name))["summary"]
    assert summary["score"] == summary["of"] > 15 and summary["points"] == summary["out_of"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_matrices_may_be_left_out(name: str) -> None:
    sheet = right(name)
    kept = {each: grid for k, (each, grid) in enumerate(sheet.items()) if k % 3 == 0}
    summary = marked(name, kept)["summary"]
    assert summary["score"] == summary["of"] > 3


def test_an_error_is_marked_once_and_carried_after_that() -> None:
    """Everything behind a wrong Q is worked on with it, by numpy."""
    run = tracer.trace("self-attention-paper")
    sheet: dict[str, Any] = {each: run[each] for each in ("K", "V")}
    sheet["Q"] = run["Q"].copy()
    sheet["Q"][0, 0] += 0.3
    sheet["S"] = sheet["Q"] @ run["K"].T / 2**0.5
    document = marked("self-attention-paper", {each: grid.round(4).tolist() for each, grid in sheet.items()})
    found = verdicts(document)
    assert "carried" in found["S"] and found["S"] <= {"carried", "correct", "rounded"} and found["V"] == {"correct"}
    wrong = [each for each in document["cells"] if each["verdict"] not in ("correct", "rounded", "carried")]
    assert [(each["id"], each["row"], each["column"]) for each in wrong] == [("Q", 1, 1)]


def test_usual_names_are_read_and_what_means_two_matrices_is_not(tmp_path: Path) -> None:
    run = tracer.trace("self-attention-paper")
    called = {"scores": "S", "attn": "P", "context": "H", "grad_Wq": "dWq", "Wk_new": "Wk_next"}
    text = "".join(f"{name} = {run[each].round(4).tolist()}\n" for name, each in called.items())
    (tmp_path / "mine.py").write_text(text + "widths = [[1.0, 2.0], [3.0, 4.0]]\n")
    checked = tracer.check("self-attention-paper", tmp_path / "mine.py")
    document = checked.to_document()
    assert set(verdicts(document)) == {"S", "P", "H", "dWq", "Wk_next"} and checked.all_right
    assert len(document["not_read"]) == 1


def test_given_numbers_of_ones_own(tmp_path: Path) -> None:
    problem = load_any("graph")
    assert isinstance(problem, ProgramProblem)
    sheet = {"given": {"x": [["3"]]}, "q": [[str(3 + problem.given["y"].item())]]}
    (tmp_path / "own.json").write_text(json.dumps(sheet))
    assert not tracer.check("graph", tmp_path / "own.json").all_right
    assert tracer.check("graph", tmp_path / "own.json", by_given=True).all_right


def test_the_command_writes_every_report(tmp_path: Path) -> None:
    sheet = right("rnn-paper")
    sheet["h2"][0][0] = "0.9"
    for student in ("ada", "ben"):
        (tmp_path / f"{student}.json").write_text(json.dumps(sheet))
    command = ["check", "rnn-paper", *(str(tmp_path / f"{each}.json") for each in ("ada", "ben"))]
    result = CliRunner().invoke(app, [*command, "-o", str(tmp_path / "out")])
    assert result.exit_code == 1 and "ada.json: all right up to h2: start there" in result.output
    written = {path.name for path in (tmp_path / "out").iterdir()}
    of_students = {f"{each}.{kind}" for each in ("ada", "ben") for kind in ("marked.xlsx", "feedback.html")}
    assert written >= {"marks.csv", "class.html", "class-private.html", "class.xlsx", "todo.csv"} | of_students
    marks = (tmp_path / "out" / "marks.csv").read_text(encoding="utf-8-sig").splitlines()
    assert marks[0].startswith("file,name,id,points,out_of,z1,h1,") and len(marks) == 3
    page = (tmp_path / "out" / "ada.feedback.html").read_text(encoding="utf-8")
    assert "Time step 2" in page and "2 Back through: Time step 2" in page and "back Back" not in page


def test_a_column_is_a_matrix_and_no_row_for_each_pass(tmp_path: Path) -> None:
    run = tracer.trace("momentum-paper")
    lines = "\n".join(f"{value:.4f}" for value in run["dw"].ravel())
    (tmp_path / "mine.csv").write_text(f"dw\n{lines}\n")
    checked = tracer.check("momentum-paper", tmp_path / "mine.csv")
    assert checked.of == 2 and checked.all_right


def test_the_number_of_the_pass_is_exact_and_what_follows_from_it_is_judged() -> None:
    """β to the power of a step that could be half a step off would leave room for anything."""
    sheet = right("adam-paper")
    assert sheet["step_next"] == [["1"]]
    sheet["w_mean_hat"] = [["-1.9"], ["-7.5"]]
    found = {(each["id"], each["row"]): each["verdict"] for each in marked("adam-paper", sheet)["cells"]}
    assert found["w_mean_hat", 1] == "wrong" and found["w_mean_hat", 2] == "correct"


def test_a_right_number_with_fewer_digits_than_the_key_may_be_off_by_half_its_own_last_place() -> None:
    """Three decimals written where more are asked for, the rest kept in the head."""
    run = tracer.trace("vae")
    sheet: Sheet = {
        each: [[f"{value:.3f}" for value in row] for row in run[each].tolist()] for each in run.problem.program.computed
    }  # type: ignore[union-attr]
    summary = marked("vae", sheet)["summary"]
    assert summary["wrong"] == summary["slip"] == 0 and summary["too_coarse"] > 10
