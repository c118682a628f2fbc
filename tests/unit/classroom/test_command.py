"""`tracer check` of a class: folders, zips, reports, marks."""

import csv
import json
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.marking import document, with_rule, worked
from tracer import cli
from tracer.classroom import many

PROBLEM = document()
RIGHT = worked(PROBLEM, remembers=2.0)
NO_BIAS = worked(PROBLEM, with_rule(PROBLEM, "Z1", lambda m: m["X"] @ m["W1"]))


@dataclass
class Run:
    """What a run of the command, in this process, came to."""

    status: object
    out: str
    err: str


Check = Callable[..., Run]
KEPT = {
    "journal.sqlite",
    ".marking.lock",
    "todo.csv",
    "class.html",
    "class-private.html",
    "class.xlsx",
}  # beside the reports of a class


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """A problem, and a class as Moodle packs it: right, with a slip, unreadable."""
    (tmp_path / "small.json").write_text(json.dumps(PROBLEM))
    files = {"Ada_1": RIGHT, "Bo_2": NO_BIAS, "Cy_3": None}
    for name, answers in files.items():
        path = tmp_path / "class" / f"{name}_assignsubmission_file_" / "work.json"
        path.parent.mkdir(parents=True)
        path.write_text("{" if answers is None else json.dumps(answers))
    return tmp_path


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, school: Path) -> Check:
    """Runs the command on the problem with more arguments."""

    def run(*arguments: object) -> Run:
        monkeypatch.setattr(sys, "argv", ["tracer", "check", str(school / "small.json"), *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        status: object = 0
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code
        return Run(status, *capsys.readouterr())

    return run


def test_one_file_gives_a_marked_workbook_and_a_page(check: Check, school: Path) -> None:
    answers = school / "slip.json"
    answers.write_text(json.dumps(NO_BIAS))
    before = answers.read_bytes()
    run = check(answers, "-o", school / "reports")
    assert run.status == 1 and run.out.startswith("slip.json: start at Z1[1,1]")
    assert sorted(each.name for each in (school / "reports").iterdir()) == ["slip.feedback.html", "slip.marked.xlsx"]
    assert answers.read_bytes() == before


def test_the_last_line_counts_the_verdicts_that_there_are_and_no_others(check: Check, school: Path) -> None:
    answers = school / "slip.json"
    answers.write_text(json.dumps(NO_BIAS))
    line = check(answers).out.splitlines()[-1]
    slips = len(NO_BIAS["Z1"]) * len(NO_BIAS["Z1"][0])
    assert line.startswith(f"{139 - slips} of 139 cells count") and line.endswith("18 of 19 points")
    assert f", {slips} slip," in line and ", 0 " not in line and "wrong" not in line


def test_a_folder_gives_marks_a_line_each_and_the_commonest_slips(check: Check, school: Path) -> None:
    run = check(school / "class", "-o", school / "reports")
    assert run.status == 1
    assert run.err.startswith("tracer: Cy_3_assignsubmission_file_/work.json: not JSON")
    assert "Ada_1_assignsubmission_file_/work.json · Ada, 1: all 139 cells are right" in run.out
    assert run.out.splitlines()[-2:] == ["3 files: 1 all right, 1 could not be read", "commonest slips: no-bias (1)"]
    with (school / "reports" / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["points"], row["commonest_slip"]) for row in rows] == [
        ("Ada", "19", ""), ("Bo", "18", "no-bias"), ("Cy", "", ""),
    ]  # fmt: skip
    assert rows[2]["unreadable"].startswith("not JSON")
    reports = {each.name for each in (school / "reports").iterdir()} - KEPT
    assert reports == {"marks.csv"} | {
        f"{name}-work.{kind}" for name in ("Ada_1", "Bo_2") for kind in ("marked.xlsx", "feedback.html")
    }


@pytest.mark.parametrize(
    ("only", "written"), [("marks", {"marks.csv"}), ("xlsx", {"right.marked.xlsx"}), ("html", {"right.feedback.html"})]
)
def test_one_kind_of_what_is_written_can_be_asked_for(check: Check, school: Path, only: str, written: set[str]) -> None:
    (school / "few").mkdir()
    (school / "few" / "right.json").write_text(json.dumps(RIGHT))
    assert check(school / "few", "-o", school / "reports", "--only", only).status == 0
    assert {each.name for each in (school / "reports").iterdir()} - KEPT == written


def test_what_is_written_needs_a_place(check: Check, school: Path) -> None:
    run = check(school / "class", "--only", "marks")
    assert (run.status, run.err) == (2, "tracer: --only says what is written; say with -o where\n")


def test_a_zip_gives_what_its_folder_gives(check: Check, school: Path) -> None:
    with zipfile.ZipFile(school / "class.zip", "w") as archive:
        for path in sorted((school / "class").rglob("*.json")):
            archive.write(path, path.relative_to(school / "class"))
    for source in ("class", "class.zip"):
        check(school / source, "-o", school / f"reports of {source}")
    folder, packed = (school / f"reports of {source}" for source in ("class", "class.zip"))
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == {
        each.name: each.read_bytes() for each in packed.iterdir()
    }
    assert {each.name for each in school.iterdir()} >= {"class", "class.zip"}, "nothing else was unpacked"


def test_all_cores_say_what_one_says_in_the_same_order(
    check: Check, school: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k in range(6):
        (school / "class" / f"{k}.json").write_text(json.dumps(NO_BIAS if k % 2 else RIGHT))
    one = check(school / "class", "--json", "-o", school / "one")
    monkeypatch.setattr(many, "PAYS_WITH_REPORTS", 2)
    monkeypatch.setattr(many, "cores", lambda: 2)
    all_cores = check(school / "class", "--json", "-o", school / "all")
    assert (one.status, one.out, one.err) == (all_cores.status, all_cores.out, all_cores.err)
    assert {each.name: each.read_bytes() for each in (school / "one").iterdir()} == {
        each.name: each.read_bytes() for each in (school / "all").iterdir()
    }


def test_json_of_a_folder_is_an_array_with_a_place_for_what_could_not_be_read(check: Check, school: Path) -> None:
    run = check(school / "class", "--json", "--reveal", "none")
    ada, bo, cy = json.loads(run.out)
    assert ada["student"] == {"name": "Ada", "id": "1"} and "error" not in ada
    assert bo["cells"][0]["slips"][0]["says"].startswith("the bias 0.46 was not added"), "--json always has everything"
    assert (cy["cells"], cy["summary"]["of"]) == ([], 0) and cy["error"].startswith("not JSON")
    assert set(cy["summary"]) == set(ada["summary"])
    (school / "class" / "Bo_2_assignsubmission_file_" / "work.json").unlink()
    (school / "class" / "Cy_3_assignsubmission_file_" / "work.json").unlink()
    run = check(school / "class", "--json")
    assert run.status == 0 and [each["answers"] for each in json.loads(run.out)] == [ada["answers"]]


@pytest.mark.parametrize(
    ("reveal", "slip", "right"), [("none", False, False), ("hint", True, False), ("key", True, True)]
)
def test_what_the_terminal_may_show(check: Check, school: Path, reveal: str, slip: bool, right: bool) -> None:
    path = school / "slip.json"
    path.write_text(json.dumps(NO_BIAS))
    run = check(path, "--reveal", reveal)
    assert "Z1[1,1] and 8 more" in run.out and "18 of 19 points" in run.out
    assert ("was not added" in run.out) is slip
    assert ("expected" in run.out and "0.070" in run.out) is right


def test_where_no_file_could_be_read_the_status_is_2(check: Check, school: Path) -> None:
    empty = school / "empty"
    empty.mkdir()
    assert check(empty).status == 2
    run = check(school / "none.json", school / "class" / "Cy_3_assignsubmission_file_")
    assert (run.status, run.out) == (2, "")
    assert [line.split(":")[1].strip() for line in run.err.splitlines()] == ["none.json", "work.json"]


def test_marks_never_take_the_place_of_an_answer(check: Check, school: Path) -> None:
    answers = "matrix,row,column,value\nZ1,1,1,1\n"
    (school / "class" / "marks.csv").write_text(answers)
    run = check(school / "class", "-o", school / "class")
    assert run.status == 2 and "marks.csv: is a file of answers; choose another folder with -o" in run.err
    assert (school / "class" / "marks.csv").read_text() == answers


def test_a_second_run_over_a_folder_with_reports_in_it_marks_the_same_files(check: Check, school: Path) -> None:
    first, second = (check(school / "class", "-o", school / "class") for _ in range(2))
    assert (first.status, first.out) == (second.status, second.out)


def test_names_that_try_to_be_markup_or_to_ring_bells_are_shown_as_they_are(check: Check, school: Path) -> None:
    for name in ("[red]a\x1b[31m.json", "[b]b.json"):
        (school / name).write_text(json.dumps({"student": {"name": "[blink]"}, **RIGHT}) if "b.json" in name else "{")
    run = check(*sorted(school.glob("[[]*.json")))
    assert "\x1b" not in run.out + run.err
    assert "[b]b.json · [blink]: all 139 cells are right" in run.out
    assert "tracer: [red]a\ufffd[31m.json: not JSON" in run.err
