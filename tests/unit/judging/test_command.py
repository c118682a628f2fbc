"""`tracer check`, run as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.marking import document, with_rule, worked

PROBLEM = document()
RIGHT = worked(PROBLEM, remembers=2.0)


def check(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tracer", "check", "small.json", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "COLUMNS": "200"}
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment, check=False, timeout=120
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the problem and a few students' files."""
    no_bias = worked(PROBLEM, with_rule(PROBLEM, "Z1", lambda m: m["X"] @ m["W1"]))
    other = document(convention={"error": "target - output"})
    files = {
        "small.json": PROBLEM,
        "right.json": RIGHT | {"student": {"name": "Ada"}},
        "slip.json": no_bias,
        "target.json": worked(other, remembers=2.0),
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    return tmp_path


def test_a_right_sheet_is_one_line_and_exit_status_0(folder: Path) -> None:
    run = check(folder, "right.json")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines()[0] == "right.json · Ada: all 139 cells are right"


def test_a_slip_is_said_with_where_to_start_and_exit_status_1(folder: Path) -> None:
    run = check(folder, "slip.json")
    assert run.returncode == 1
    first, *lines = run.stdout.splitlines()
    assert first.startswith("slip.json: all right up to Z1[1,1]: start there; ") or first.startswith(
        "slip.json: start at"
    )
    assert "later cells follow correctly from it" in first
    (line,) = (line for line in lines if "the bias 0.46 was not added" in line)
    assert line.startswith("Z1[1,1] and 8 more")


def test_json_is_one_document_or_an_array_of_them(folder: Path) -> None:
    one = json.loads(check(folder, "slip.json", "--json").stdout)
    assert one["answers"] == "slip.json" and one["student"] is None
    assert one["cells"][0]["slips"][0]["slug"] == "no-bias"
    assert set(one["cells"][0]) == {
        "id", "row", "column", "answer", "verdict", "expected", "on_own_work", "slips",
    }  # fmt: skip
    several = check(folder, "slip.json", "right.json", "--json")
    assert several.returncode == 1
    assert [each["summary"]["slip"] > 0 for each in json.loads(several.stdout)] == [True, False]


def test_another_convention_is_recognised_and_counts_where_it_may(folder: Path) -> None:
    strict = check(folder, "target.json")
    assert strict.returncode == 1
    assert "right under: target − output" in strict.stdout
    document = json.loads(check(folder, "target.json", "--json").stdout)
    assert document["right_under"] == ["target − output"]
    assert {each["verdict"] for each in document["cells"] if each["id"] == "E"} <= {"slip", "correct"}
    accepted = check(folder, "target.json", "--convention", "any", "--json")
    assert accepted.returncode == 0
    document = json.loads(accepted.stdout)
    assert {each["verdict"] for each in document["cells"]} == {"correct"}
    assert document["problem_sha256"] == json.loads(check(folder, "right.json", "--json").stdout)["problem_sha256"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("broken.json", "{", "tracer: broken.json: not JSON"),
        ("broken.csv", "a,b\n", "tracer: broken.csv: line 1: expected the header matrix,row,column,value"),
        ("answers.pdf", "%PDF", "tracer: answers.pdf: a file ending in .pdf is not read"),
        (
            "given.json",
            '{"given": {"W1": [[1, 2], [3, 4]]}}',
            "tracer: given.json: given.W1: expected 3×3 numbers",
        ),
        ("unknown.json", '{"given": {"W9": 1}}', "tracer: unknown.json: given.W9: not a given matrix of this problem"),
        ("none.json", None, "tracer: none.json: cannot be read (No such file or directory)"),
    ],
)
def test_what_cannot_be_used_is_one_message_and_exit_status_2(
    folder: Path, name: str, content: str | None, says: str
) -> None:
    if content is not None:
        (folder / name).write_text(content)
    run = check(folder, name)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(says) and run.stderr.count("\n") == 1


def test_a_pass_that_there_is_not_is_refused(folder: Path) -> None:
    assert check(folder, "right.json", "--pass", 2000).stderr == "tracer: --pass: found 2000, expected 1 to 1,000\n"
    assert check(folder, "right.json", "--pass", 2).returncode == 1


def test_a_name_that_tries_to_be_markup_is_shown_as_it_is(folder: Path) -> None:
    (folder / "x.json").write_text(json.dumps({"student": {"name": "[red]Ada[/] \x1b[31m"}, "[b]Z9": [["1"]]}))
    run = check(folder, "x.json")
    assert "[red]Ada[/]" in run.stdout and "\x1b" not in run.stdout
    assert "a number under “[b]Z9”: 1: not read: no matrix of this problem is called that" in run.stdout
    assert run.returncode == 2, "nothing could be judged"
