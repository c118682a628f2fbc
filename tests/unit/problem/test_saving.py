"""Problems written as files: they read back the same, and say what their sections are."""

from pathlib import Path

import pytest

from tracer.api import load, trace
from tracer.errors import TracerError
from tracer.problem.reading import example_names


@pytest.mark.parametrize("name", example_names())
def test_every_example_reads_back_the_same(name: str, tmp_path: Path) -> None:
    problem = load(name)
    written = problem.save(tmp_path / f"{name}.toml")
    assert written == tmp_path / f"{name}.toml" and load(written) == problem
    assert load(problem.save(tmp_path / f"{name}.json")) == problem


def test_a_file_explains_itself(tmp_path: Path) -> None:
    text = load("gru").save(tmp_path / "gru.toml").read_text(encoding="utf-8")
    assert "# What training changes." in text and "# The forward pass" in text and "×" in text
    assert max(map(len, text.splitlines())) < 400


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TracerError, match=r"expected a name that ends in \.toml or \.json"):
        load("mazur").save(tmp_path / "mine.yaml")
    assert not list(tmp_path.iterdir())


def test_states_of_an_optimizer_are_kept_and_those_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    document = load("adam").to_document()
    weights = document["parameters" if "parameters" in document else "layers"]
    assert weights
    problem = load("adam")
    first = next(each for each in trace(problem).last.program.of_optimizer if each.endswith("_mean"))
    shape = trace(problem)[first].shape
    document["optimizer"]["state"] = {first: [[0.25] * shape[1]] * shape[0], "step": 2.0}
    started = load(document)
    assert load(started.save(tmp_path / "mine.toml")).sha256 == started.sha256 != problem.sha256
    assert (trace(started)[first] == 0.25).all() and trace(started)["step"].item() == 2.0
    document["optimizer"]["state"] = {first: [[0.25]] * 7, "velocities": 1.0}
    with pytest.raises(TracerError, match=rf"optimizer\.state\.{first}: found 7 rows of 1, expected (?s:.*)velocities"):
        load(document)
