"""The command line with programs: the JSON that others read, and what takes networks alone."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.testing import CliRunner

from tests.programs import SAMPLES
from tracer.cli import app
from tracer.derivation.book import MOST_MATRICES
from tracer.errors import TracerError
from tracer.program.roles import Role

RECURRENT = {
    "title": "Two time steps",
    "learning_rate": 0.1,
    "given": {"X1": [0.7, 0.1], "X2": [-0.4, 0.8], "h0": [0, 0], "Y": 1},
    "parameters": {
        "Wx": [[0.1, 0.8], [0.7, 0]], "Wh": [[-0.2, 0.2], [-0.1, -0.7]], "b": [-0.4, 0.6], "Wy": [[-0.9], [-0.9]],
    },
    "steps": [
        {
            "title": "Time step {t}",
            "each": {"t": [1, 2]},
            "formulas": ["z{t} = X{t} @ Wx + h{t-1} @ Wh + b", "h{t} = tanh(z{t})"],
        },
        {"title": "Output", "formulas": ["p = sigmoid(h2 @ Wy)"]},
        {"title": "Loss", "formulas": ["L = binary_cross_entropy(p, Y)"]},
    ],
}  # fmt: skip


def written(folder: Path, document: dict[str, Any]) -> Path:
    file = folder / "program.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def steps_of(folder: Path, document: dict[str, Any]) -> list[dict[str, Any]]:
    made = CliRunner().invoke(app, ["trace", str(written(folder, document)), "--json"])
    assert made.exit_code == 0, made.output
    (iteration,) = json.loads(made.stdout)["epochs"][0]["iterations"]
    assert "rows" not in iteration
    steps: list[dict[str, Any]] = iteration["steps"]
    return steps


def refused(*arguments: str) -> str:
    """What a command says of an input that it cannot use (cli.main prints it and exits with 2)."""
    made = CliRunner().invoke(app, list(arguments))
    assert isinstance(made.exception, TracerError), made.output
    return str(made.exception)


def test_steps_go_forward_and_back_and_end_with_the_update(tmp_path: Path) -> None:
    steps = steps_of(tmp_path, RECURRENT)
    told = [(each["number"], each["pass"]) for each in steps]
    backward = [(n, "backward") for n in (3, 2, 1)]  # the loss's own gradient, 1, need not be shown
    titles = [each["title"] for each in steps if each["number"] == 2]
    assert titles == ["Time step 2", "Back through: Time step 2"]
    assert told == [(0, "given"), *((n, "forward") for n in (1, 2, 3, 4)), *backward, (5, "update")]
    made = {each["id"]: (step["number"], step["pass"], each) for step in steps for each in step["assignments"]}
    assert made["dWy"][:2] == (3, "backward")
    assert made["dh2"][:2] == made["dz2"][:2] == made["h2_slope"][:2] == made["dWh_at_z2"][:2] == (2, "backward")
    assert all(made[key][:2] == (1, "backward") for key in ("dWx", "dWh", "db", "dz1", "dWx_at_z1"))
    assert [each["role"] for _, _, each in (made["dWh_at_z2"], made["h2_slope"], made["Wh_next"], made["L"])] == [
        "contribution", "local_derivative", "updated", "loss",
    ]  # fmt: skip
    assert made["dWh_at_z2"][2]["of"] == "Wh" and made["h2_slope"][2]["of"] == "h2" and made["dz1"][2]["of"] == "z1"


@pytest.mark.parametrize("name", SAMPLES)
def test_every_assignment_has_one_of_nine_roles_and_comes_after_what_it_uses(tmp_path: Path, name: str) -> None:
    steps = steps_of(tmp_path, SAMPLES[name].document(optimizer={"name": "adam", "clip_norm": 1.0}))
    identifiers = [each["id"] for step in steps for each in step["assignments"]]
    assert len(set(identifiers)) == len(identifiers)
    for step in steps:
        assert step["assignments"], "an empty step"
        for each in step["assignments"]:
            assert each["role"] in get_args(Role)
            assert each.get("of") is None or each["of"] in identifiers


def test_what_takes_networks_alone_says_so(tmp_path: Path) -> None:
    file = str(written(tmp_path, RECURRENT))
    says = refused("train", file, "-o", str(tmp_path / "out"))
    assert "found a program; this takes networks of [[layers]]" in says
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("only", "left"),
    [
        ([], ["program.derivation.html", "program.html", "program.xlsx"]),
        (["--only", "html"], ["program.derivation.html", "program.html"]),
        (["--only", "xlsx"], ["program.xlsx"]),
    ],
)
def test_a_walkthrough_is_workbook_page_and_derivation(tmp_path: Path, only: list[str], left: list[str]) -> None:
    out = tmp_path / "out"
    made = CliRunner().invoke(app, ["walkthrough", str(written(tmp_path, RECURRENT)), "-o", str(out), *only])
    assert made.exit_code == 0 and "no derivation" not in made.output
    assert sorted(path.name for path in out.iterdir()) == left
    if "program.html" in left:
        page, book = ((out / name).read_text(encoding="utf-8") for name in ("program.html", "program.derivation.html"))
        assert 'href="program.derivation.html"' in page and 'href="program.html"' in book


def test_a_program_too_large_to_work_by_hand_has_no_derivation_and_says_so(tmp_path: Path) -> None:
    formulas = [f"a{k} = a{k - 1} * w" for k in range(1, MOST_MATRICES)]
    document = {
        "learning_rate": 0.1, "given": {"a0": 1}, "parameters": {"w": 1},
        "steps": [{"formulas": [*formulas, f"L = a{MOST_MATRICES - 1} * w"]}],
    }  # fmt: skip
    out = tmp_path / "out"
    made = CliRunner().invoke(app, ["walkthrough", str(written(tmp_path, document)), "-o", str(out), "--only", "html"])
    assert made.exit_code == 0 and "matrices are too many to work by hand (at most" in made.output
    assert [path.name for path in out.iterdir()] == ["program.html"]


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("Z = log(W)", "Z[1,1] is not a number (NaN), from Z = ln(W)"),
        ("Z = sqrt(W * 0)", "Z_slope[1,1] is infinite, or too large for float64, from Z_slope = 1/(2·Z)"),
        ("Z = exp(1000 * X)", "Z[1,1] is infinite, or too large for float64"),
    ],
)
def test_what_is_not_finite_stops_with_formula_and_cell(tmp_path: Path, formula: str, says: str) -> None:
    document = {
        "learning_rate": 0.1, "given": {"X": 1}, "parameters": {"W": -1},
        "steps": [{"formulas": [formula, "L = sum(Z * W)"]}],
    }  # fmt: skip
    assert says in refused("trace", str(written(tmp_path, document)))


def test_a_note_says_what_the_loss_does_not_depend_on(tmp_path: Path) -> None:
    document = {"learning_rate": 0.1, "parameters": {"W": 1, "c": 2}, "steps": [{"formulas": ["L = W * W"]}]}
    made = CliRunner().invoke(app, ["trace", str(written(tmp_path, document))])
    assert made.exit_code == 0 and "The loss does not depend on c: its gradient is zero." in made.output


def test_training_counts_passes_and_carries_states(tmp_path: Path) -> None:
    file = str(written(tmp_path, RECURRENT | {"optimizer": {"name": "sgd", "momentum": 0.9}}))
    made = CliRunner().invoke(app, ["train", file, "--epochs", "30", "--json"])
    assert made.exit_code == 0
    found = json.loads(made.stdout)
    assert len(found["loss"]) == 30 and found["loss"][-1] < found["loss"][0]
    assert list(found["parameters"]) == list(RECURRENT["parameters"]) and "outputs" not in found  # type: ignore[call-overload]


def test_numbers_of_a_table_file(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("x1,x2,y\n1,2,3\n4,5,6\n", encoding="utf-8")
    document = {
        "learning_rate": 0.1, "given": {"X": {"file": "data.csv", "columns": ["x2", "x1"]}},
        "parameters": {"W": {"shape": [2, 1]}}, "steps": [{"formulas": ["L = sum(X @ W)"]}],
    }  # fmt: skip
    given, *_ = steps_of(tmp_path, document)
    assert {each["id"]: each["value"] for each in given["assignments"]}["X"] == [[2.0, 1.0], [5.0, 4.0]]
    document["given"] = {"X": {"file": "data.csv", "columns": ["z"]}}
    assert "given.X.file: data.csv: no column 'z'" in refused("trace", str(written(tmp_path, document)))
