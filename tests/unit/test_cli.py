"""The command line, run as a user runs it."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from tracer.problem.example_groups import EXAMPLE_GROUPS
from tracer.problem.reading import example_names, example_text, load_problem
from tracer.run.storage import load_trace
from tracer.run.training import trace


def tracer(*arguments: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tracer", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "100"}
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment, check=False, timeout=120
    )


def test_walkthrough_without_a_problem_writes_the_articles_example(tmp_path: Path) -> None:
    run = tracer("walkthrough", folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [
        "4→3→1, 3 samples; loss 0.3541 → 0.3530",
        "outputs/article.xlsx",
        "outputs/article.html",
        "outputs/article.derivation.html",
    ]
    written = sorted(path.name for path in (tmp_path / "outputs").iterdir())
    assert written == ["article.derivation.html", "article.html", "article.xlsx"]


def test_walkthrough_says_which_files_it_replaced(tmp_path: Path) -> None:
    tracer("walkthrough", "mazur", "--only", "html", "-o", ".", folder=tmp_path)
    (tmp_path / "mazur.toml").touch()
    lines = tracer("walkthrough", "mazur", "-o", ".", folder=tmp_path).stdout.splitlines()
    assert lines[1:] == [
        "replaced: mazur.html, mazur.derivation.html",
        "mazur.xlsx",
        "mazur.html",
        "mazur.derivation.html",
    ]


def test_no_file_has_a_name_that_windows_reserves(tmp_path: Path) -> None:
    (tmp_path / "aux.toml").write_text(example_text("mazur"), encoding="utf-8")
    for command in (["walkthrough"], ["worksheet"], ["train", "--epochs", "1"]):
        run = tracer(command[0], "aux.toml", *command[1:], "-o", "there", folder=tmp_path)
        assert run.returncode == 0, run.stderr
    written = {path.name.partition(".")[0] for path in (tmp_path / "there").iterdir()}
    assert written == {"aux_"}


def test_the_same_problem_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        assert tracer("walkthrough", "hand", "-o", folder, folder=tmp_path).returncode == 0
    for name in ("hand.xlsx", "hand.html", "hand.derivation.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize(
    ("only", "left"), [("xlsx", ["mazur.xlsx"]), ("html", ["mazur.derivation.html", "mazur.html"])]
)
def test_only_writes_the_workbook_or_the_pages(only: str, left: list[str], tmp_path: Path) -> None:
    assert tracer("walkthrough", "mazur", "--only", only, "-o", ".", folder=tmp_path).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == left


def test_a_network_too_deep_to_work_by_hand_has_no_derivation(tmp_path: Path) -> None:
    layers = [{"activation": "tanh", "units": 2}] * 8 + [{"activation": "sigmoid", "units": 1}]
    problem_file(tmp_path, layers=layers, names={"style": "matrix"})
    run = tracer("walkthrough", "mine.json", "--only", "html", "-o", ".", folder=tmp_path)
    assert run.returncode == 0 and "no derivation: 9 layers" in run.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.html", "mine.json"]


def test_json_reads_back_to_the_same_floats() -> None:
    run = tracer("trace", "article", "--epochs", "2", "--json")
    document = json.loads(run.stdout)
    recorded = trace(load_problem("article"), (1, 2))
    assert document["problem_sha256"] == recorded.problem.sha256
    assert [epoch["epoch"] for epoch in document["epochs"]] == [1, 2]
    for epoch, one in zip(document["epochs"], recorded.passes, strict=True):
        (iteration,) = epoch["iterations"]
        assert iteration["rows"] == [1, 2, 3] and iteration["loss"] == one.loss
        found = {each["id"]: each for step in iteration["steps"] for each in step["assignments"]}
        assert list(found) == list(one)
        for identifier, each in found.items():
            assert np.array_equal(each["value"], one[identifier]) and each["shape"] == list(one[identifier].shape)
    assert found["Z1"]["name"] == "hidden_layer_input" and found["Z1"]["expression"] == "X·W1 + b1"


def test_trace_prints_every_matrix_by_step() -> None:
    run = tracer("trace", "article")
    assert run.returncode == 0
    for words in ("Step 2 · ", "Z1: hidden_layer_input = X·wh + bh", "1.480  1.780  1.100", "wh_new"):
        assert words in run.stdout


def test_a_saved_trace_comes_back(tmp_path: Path) -> None:
    run = tracer("trace", "mazur", "-o", "run.npz", folder=tmp_path)
    assert run.stdout == "run.npz\n"
    assert np.array_equal(load_trace(tmp_path / "run.npz")["D1"], trace(load_problem("mazur"))["D1"])


def test_train_reports_where_it_ended() -> None:
    document = json.loads(tracer("train", "xor", "--epochs", "50", "--json").stdout)
    assert document["epochs"] == len(document["loss"]) == 50
    assert document["final_loss"] < document["loss"][0]
    assert np.shape(document["outputs"]) == (4, 1)
    assert "after" in tracer("train", "xor", "--epochs", "5").stdout


def test_train_writes_its_plots_and_a_page(tmp_path: Path) -> None:
    run = tracer("train", "xor", "--epochs", "5", "-o", ".", folder=tmp_path)
    assert run.returncode == 0, run.stderr
    files = ["xor.boundary.svg", "xor.loss.svg", "xor.training.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == files
    assert sorted(run.stdout.splitlines()[-3:]) == files


def test_examples_lists_and_prints_them(tmp_path: Path) -> None:
    listed = tracer("examples").stdout.splitlines()
    assert [line for line in listed if not line.startswith("  ")] == list(EXAMPLE_GROUPS)
    assert sorted(line.split()[0] for line in listed if line.startswith("  ")) == example_names()
    (tmp_path / "mine.toml").write_text(tracer("examples", "mazur").stdout, encoding="utf-8")
    assert tracer("walkthrough", "mine.toml", "-o", ".", folder=tmp_path).returncode == 0
    assert (tmp_path / "mine.xlsx").exists()


@pytest.mark.parametrize("name", ["moons", "blobs"])
def test_an_example_with_a_data_file_is_printed_with_its_data(name: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(example_text(name), encoding="utf-8")
    assert load_problem(tmp_path / "mine.toml").sha256 == load_problem(name).sha256


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [["trace", "mazur"], ["trace", "mazur", "--json"]])
def test_a_full_disk_is_one_message(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "tracer", *arguments]
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert run.returncode == 2
    assert run.stderr == "tracer: the output cannot be written: No space left on device\n"


def test_a_new_problem_can_be_traced_and_is_not_written_over(tmp_path: Path) -> None:
    made = tracer("new", "--layers", "3-4-2", "--rows", "4", "--seed", "7", "-o", "mine.toml", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    problem = load_problem(tmp_path / "mine.toml")
    assert problem.sizes == (3, 4, 2) and problem.rows == 4
    assert tracer("trace", "mine.toml", folder=tmp_path).returncode == 0
    again = tracer("new", "-o", "mine.toml", folder=tmp_path)
    assert again.returncode == 2 and "mine.toml: is there already" in again.stderr
    assert load_problem(tmp_path / "mine.toml") == problem


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["walkthrough", "nothing.toml"], "nothing.toml"),
        (["walkthrough", "artcle"], "did you mean 'article'"),
        (["trace", "article", "--epochs", "0"], "--epochs: found '0'"),
        (["trace", "article", "--epochs", "two"], "--epochs: found 'two'"),
        (["trace", "article", "--epochs", "1-99999999999"], "at most 1,000,000 to record"),
        (["new", "--layers", "3"], "--layers: found '3'"),
        (["new", "--output-activation", "tanh", "--loss", "cross_entropy"], "cross_entropy needs"),
        (["examples", "nothing"], "nothing"),
        (["nonsense"], "nonsense"),
    ],
)
def test_a_mistake_is_one_message_and_status_2(arguments: list[str], says: str, tmp_path: Path) -> None:
    run = tracer(*arguments, folder=tmp_path)
    assert run.returncode == 2
    assert says in run.stderr and "Traceback" not in run.stderr
    assert run.stdout == "" and not list(tmp_path.iterdir())


def test_every_mistake_of_a_problem_file_is_a_line_of_one_run(tmp_path: Path) -> None:
    layers = [{"activation": "tann", "units": 3}, {"activation": "sigmoid", "units": 10**9}]
    problem_file(tmp_path, epochs=0, batch_size=99, layers=layers)
    run = tracer("trace", "mine.json", folder=tmp_path)
    assert run.returncode == 2 and run.stdout == ""
    lines = [line.removeprefix("tracer: mine.json: ") for line in run.stderr.splitlines()]
    assert [line.split(": found ")[0] for line in lines] == [
        "epochs",
        "layers[0].activation (layer 1)",
        "batch_size",
        "layers[1].units (layer 2)",
    ]


def test_what_diverges_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    document = load_problem("linear-regression").to_document() | {"learning_rate": 1e50}
    (tmp_path / "far.json").write_text(json.dumps(document))
    run = tracer("train", "far.json", "--epochs", "50", folder=tmp_path)
    assert run.returncode == 2 and "too large for float64" in run.stderr


def test_an_output_folder_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    run = tracer("walkthrough", "-o", "taken", folder=tmp_path)
    assert run.returncode == 2 and "taken" in run.stderr and "Traceback" not in run.stderr
    assert (tmp_path / "taken").read_text() == "a file"


def problem_file(folder: Path, **changes: object) -> Path:
    path = folder / "mine.json"
    path.write_text(json.dumps(load_problem("article").to_document() | changes), encoding="utf-8")
    return path


def test_thousands_of_rows_make_a_workbook_and_a_page(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).uniform(-1, 1, (5000, 4)).round(2)
    data = {"X": rows.tolist(), "Y": (rows[:, :1] > 0).astype(float).tolist()}
    problem_file(tmp_path, data=data, batch_size=5000)
    run = tracer("walkthrough", "mine.json", "-o", ".", folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert {"mine.xlsx", "mine.html"} <= {path.name for path in tmp_path.iterdir()}


def test_what_is_wider_than_a_sheet_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    layers = [{"activation": "tanh", "units": 9000}, {"activation": "sigmoid", "units": 1}]
    problem_file(tmp_path, layers=layers, names={"style": "matrix"})
    run = tracer("walkthrough", "mine.json", "-o", ".", folder=tmp_path)
    assert run.returncode == 2 and "a sheet has" in run.stderr and "Traceback" not in run.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.json"]


@pytest.mark.parametrize("text", ["3-", "9-5", "1-3,9-5", "+2", "1_0", "٣", "", ",", "1-99999999999"])
def test_epochs_are_never_guessed(text: str) -> None:
    run = tracer("trace", "mazur", "--epochs", text)
    assert run.returncode == 2 and "--epochs: found" in run.stderr


def test_too_many_steps_to_read_are_refused_before_training(tmp_path: Path) -> None:
    run = tracer("walkthrough", "xor", "--epochs", "20000", folder=tmp_path)
    assert run.returncode == 2 and "more than anybody reads" in run.stderr
    assert not list(tmp_path.iterdir())


def test_output_is_utf8_whatever_the_stream_was() -> None:
    command = [sys.executable, "-m", "tracer", "trace", "article"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    run = subprocess.run(command, capture_output=True, env=environment, cwd=Path(__file__).parents[2], check=False)
    assert run.returncode == 0 and "A1ᵀ" not in run.stderr.decode()
    assert "hidden_layer_input = X·wh + bh" in run.stdout.decode("utf-8")


def test_every_surface_says_what_is_not_the_gradient(tmp_path: Path) -> None:
    problem_file(tmp_path, reproduce={"rate_twice": True})
    words = "Not the gradient of this loss"
    for command in (["trace"], ["trace", "--json"], ["trace", "-o", "run.npz"], ["train"], ["train", "--json"]):
        run = tracer(command[0], "mine.json", *command[1:], folder=tmp_path)
        assert run.returncode == 0 and words in run.stdout, command
    assert words in tracer("walkthrough", "mine.json", "-o", ".", folder=tmp_path).stdout
    page = (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert page.count(words) >= 12
    titles = openpyxl.load_workbook(tmp_path / "mine.xlsx", read_only=True).sheetnames
    with zipfile.ZipFile(tmp_path / "mine.xlsx") as package:
        parts = [package.read(f"xl/worksheets/sheet{k}.xml").decode() for k in range(1, len(titles) + 1)]
    silent = {title for title, part in zip(titles, parts, strict=True) if words not in part}
    assert silent <= {"Record", "Moved parameters", "After", "Names"}  # numbers only, or addresses
