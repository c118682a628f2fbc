"""Which convention is mine? The table of other ways says what differs, and both numbers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from tracer.cli import app
from tracer.derivation.book import render_derivation
from tracer.presentation.other_ways import OtherWay, other_ways
from tracer.problem.reading import load_problem
from tracer.run.training import trace


def ways(name: str) -> dict[str, OtherWay]:
    return {each.words: each for each in other_ways(trace(load_problem(name)))}


def test_the_sign_turns_every_gradient_and_nothing_else() -> None:
    one = ways("article")["output − target"]
    assert one == OtherWay(
        "output − target", ("E", "D2", "E1", "D1", "dW2", "dW1", "db2", "db1"), "E[3,1]", "−0.789", "0.789"
    )


@pytest.mark.parametrize("name", ["article", "softmax-classifier", "logistic-regression", "mazur"])
def test_what_is_said_to_differ_differs_and_nothing_else(name: str) -> None:
    """Against a trace of the other problem itself."""
    problem = load_problem(name)
    own = trace(problem).first
    for words, changes in {
        "the learning rate inside delta": {"learning_rate_in": "delta"},
        "dW and db as the changes that are added": {"learning_rate_in": "change"},
        "averaged over the samples": {"reduction": "mean"},
        "averaged over the samples in dW and db alone": {"reduction": "mean", "reduction_in": "gradient"},
    }.items():
        other = trace(replace(problem, convention=problem.convention.model_copy(update=changes))).first
        differ = [each for each in own.program.computed if not np.allclose(own[each], other[each], rtol=1e-9, atol=0)]
        told = ways(name).get(words)
        if told is not None:
            assert list(told.matrices) == differ
            row, column = (int(each) - 1 for each in told.cell.partition("[")[2].rstrip("]").split(","))
            found = float(told.there.replace("−", "-"))
            assert found == pytest.approx(float(other[differ[0]][row, column]), rel=0.2, abs=5e-3)
        else:
            assert not differ


def test_the_layout_is_told_by_where_a_number_stands() -> None:
    found = ways("article")
    assert found["a sample a column, Z = W·X + b"].there == "at W1[1,4]"
    assert found["the bias as first row of W"].there == "at W1[1,1]"


def test_the_command_prints_the_table_and_the_derivation_has_it() -> None:
    lines = CliRunner().invoke(app, ["trace", "article", "--explain-conventions"], env={"COLUMNS": "200"}).stdout
    assert "Which convention is mine?" in lines and "the learning rate inside delta" in lines
    assert "Step 2" not in lines
    printed = json.loads(CliRunner().invoke(app, ["trace", "article", "--explain-conventions", "--json"]).stdout)
    first = printed["other_conventions"][0]
    assert first["cell"] == "E[3,1]" and first["matrices"][0] == "E"
    book = render_derivation(trace(load_problem("article")))
    assert book.index("Which convention is mine?") < book.index("<nav")


def test_a_program_has_no_conventions(tmp_path: object) -> None:
    text = '[parameters]\nw = [[1]]\n[[steps]]\nformulas = ["L = w * w"]\n'
    path = tmp_path / "p.toml"  # type: ignore[operator]
    path.write_text("learning_rate = 0.1\n" + text)
    found = CliRunner().invoke(app, ["trace", str(path), "--explain-conventions"])
    assert found.exit_code != 0 and "expected a problem with [[layers]]" in str(found.exception or found.output)
