"""A mistake in a program file: one line with its place, the formula with a caret, and what would fit."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.programs import SAMPLES
from tracer.api import load
from tracer.errors import ProblemError
from tracer.formulas.parsing import FormulaError, parsed
from tracer.run.training import trace


def program(*formulas: str, **more: Any) -> dict[str, Any]:
    return {
        "learning_rate": 0.1,
        "given": {"X": [[1, 2], [3, 4], [5, 6]], "y": 2},
        "parameters": {"W": [[1, 2, 3], [4, 5, 6]], "b": [0.5, 0.25, 1]},
        "steps": [{"formulas": list(formulas)}],
        **more,
    }


def told(document: Any) -> str:
    with pytest.raises(ProblemError) as wrong:
        load(document)
    return str(wrong.value)


@pytest.mark.parametrize(
    ("formula", "caret", "says"),
    [
        ("Z = X @ b", 6, "X (3×2) @ b (1×3): the 2 columns on the left need as many rows on the right, which has 1"),
        ("Z = X @ X", 6, "with .T on the right it would fit"),
        ("Z = X + W", 6, "X (3×2) + W (2×3): the shapes differ where neither is 1"),
        ("Z = X @ w", 8, "there is no matrix 'w' up to here; did you mean 'W'?"),
        ("Z = sigmoidd(X)", 4, "there is no function 'sigmoidd'; did you mean 'sigmoid'?"),
        ("Z = softmax", 4, "softmax is a function: it needs parentheses"),
        ("Z = X[3]", 6, "found row 3, expected 0 to 2: there are 3"),
        ("Z = X[:, 2]", 9, "found column 2, expected 0 to 1"),
        ("Z = X[0:4]", 8, "found row 4"),
        ("Z = X[2:2]", 6, "takes no row of X (3×2)"),
        ("Z = X[0:2:1]", 6, "found a step in a slice"),
        ("Z = sum(X, axis=2)", 4, "found axis=2, expected 0 (down), 1 (along) or none"),
        ("Z = sum(X, axes=1)", 16, "sum has no setting axes, expected axis"),
        ("Z = max_pool(X)", 4, "max_pool needs size"),
        ("Z = max_pool(X, 4)", 4, "a window of 4×4 is larger than X (3×2)"),
        ("Z = conv2d(X, W, stride=0)", 4, "found stride=0, expected a whole number from 1"),
        ("Z = reshape(X, 4, 2)", 4, "X (3×2) has 6 cells, not 8"),
        ("Z = hstack(X, W)", 4, "W (2×3) must have 3 rows, as X (3×2) has"),
        ("L = squared_error(X, W)", 4, "a loss takes two matrices of one shape"),
        ("Z = X ** W", 9, "found a matrix as exponent, expected a number"),
        ("Z = X if y else W", 4, "found if/else, which no formula has"),
        ("Z = X.shape", 4, "found an attribute other than .T"),
        ("Z = __import__('os')", 4, "there is no function '__import__'"),
        ("Z = 1 / 0", 4, "found a division by 0"),
        ("Z = where(X, X, X)", 10, "expected a comparison"),
        ("Z = 'text'", 4, "found 'text', expected a number or a matrix"),
        ("Z = (X @ W", 4, "not a formula that can be read here"),
        ("X @ W", 0, "expected name = expression"),
        ("Z = Q = X", 0, "expected name = expression"),
        ("lambda = X", 0, "found 'lambda', a word of Python, as a name; 'lam' would do"),
        ("Z = X @ lambda", 8, "'lam' would do"),
        ("Z = X @ class", 8, "'class_' would do"),
        ("Z_é = X", 0, "found 'Z_é' as a name, expected a letter followed by letters"),
        ("softmax = X", 0, "found 'softmax' as a name; it is a function"),
        ("X = X @ W", 0, "X is there already; every matrix is assigned once"),
    ],
)
def test_a_formula_is_shown_with_a_caret(formula: str, caret: int, says: str) -> None:
    text = told(program(formula))
    line, shown, mark = text.split("\n")[:3]
    assert "steps[0].formulas[0]: " in line and says in line
    assert shown.strip() == formula and shown.index(formula) + caret == mark.index("^"), text


@pytest.mark.parametrize(
    ("formula", "line", "caret"),
    [
        ("   Z = X @ w", "Z = X @ w", 8),
        ("Z = (X\n  @ w)", "  @ w)", 4),
        ("Z = (X\n  + 1\n  + yy)", "  + yy)", 4),
        ("Z = X.T + é", "Z = X.T + é", 10),
    ],
)
def test_the_caret_stands_under_the_line_that_is_meant(formula: str, line: str, caret: int) -> None:
    _, shown, mark = told(program(formula)).split("\n")[:3]
    assert shown == f"    {line}" and mark == f"    {' ' * caret}^"


def test_what_is_looked_up_out_of_order_is_a_matrix_of_its_own() -> None:
    problem: Any = load(
        program("A = X[[0, 1]] @ W", "B = X[[2, 0]] @ W", "C = X[:, [1, 0]].T", "L = sum(A + B) + sum(C)")
    )
    assert {"B_part1", "C_part1"} <= problem.forward.parts and "A_part1" not in problem.forward.parts


def test_the_mean_within_a_variance_is_made_once() -> None:
    problem: Any = load(program("V = var(X) + 2 * var(X)", "U = var(X)", "L = sum(V @ b + U @ W[0])"))
    assert problem.forward.parts == {"V_part1", "V_part2", "V_part3", "L_part1"}


def test_every_mistake_is_told_but_not_what_follows_from_one() -> None:
    text = told(program("Z = X @ b", "A = relu(Z)", "B = X @ V", "L = sum(A)"))
    assert "formulas[0]" in text and "formulas[2]" in text
    assert "formulas[1]" not in text and "formulas[3]" not in text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"layers": []}, "layers: found layers beside steps; a file has [[layers]] or [[steps]], not both"),
        ({"batch_size": 2}, "batch_size: found batch_size beside steps"),
        ({"convention": {}}, "convention: found convention beside steps"),
        ({"loss": "Q"}, "loss: found 'Q', expected a matrix that a formula assigns"),
        ({"loss": "Z"}, "the loss Z is 3×3, expected 1×1"),
        ({"with_respect_to": ["W"]}, "with_respect_to[0]: found 'W', expected a matrix under [given]"),
        ({"given": {"X": [[1, 2], [3]]}}, "given.X[1]: found a row of 1, expected 2 as in the first"),
        ({"given": {"X": [["a"]]}}, "given.X[0][0]: found 'a', expected a number"),
        ({"parameters": {"lambda": 1}}, "found 'lambda', a word of Python, as a name; 'lam' would do"),
        ({"parameters": {"X": 1}}, "found it under [given] too"),
        ({"parameters": {"W": {"shape": [2]}}}, "parameters.W.shape: found a list of 1, expected [rows, columns]"),
        (
            {"optimizer": {"name": "adam", "momentum": 0.9}},
            "optimizer.momentum: found it for adam, which has betas, eps",
        ),
        ({"optimizer": {"name": "lion"}}, "optimizer.name: found 'lion', expected one of 'sgd', 'adagrad'"),
        ({"optimizr": {}}, "unknown key 'optimizr'; did you mean 'optimizer'?"),
        ({"steps": [{"formula": ["L = sum(X)"]}]}, "steps[0]: unknown key 'formula'; did you mean 'formulas'?"),
        ({"decimals": {"Q": 2}}, "decimals: found 'Q', expected a matrix of the program"),
        (
            {"steps": [{"formulas": ["dW = sum(X @ W)"]}]},
            "steps[0].formulas[0]: dW is the gradient of W here; call it something else",
        ),
    ],
)
def test_what_does_not_fit_names_its_place(change: dict[str, Any], says: str) -> None:
    assert says in told(program("Z = X @ W + b", "L = sum(Z)") | change)


def test_a_place_of_each_is_whole_numbers_alone(tmp_path: Path) -> None:
    step = {"each": {"t": [1, 2]}, "formulas": ["Z{t/2} = X"]}
    text = told(program() | {"steps": [step]})
    assert "steps[0].formulas[0]: found {t/2}, expected t and whole numbers with + - *" in text


def test_each_nests_with_its_first_variable_outermost() -> None:
    step = {
        "each": {"k": [1, 2], "name": ["a", "b"]},
        "title": "Head {k}, {name}",
        "formulas": ["Z_{name}{2*k-1} = X + {k}"],
    }
    problem: Any = load(program() | {"steps": [step, {"formulas": ["L = sum(Z_a1 * Z_b3 @ W)"]}]})
    assert [each.title for each in problem.forward.steps[:4]] == ["Head 1, a", "Head 1, b", "Head 2, a", "Head 2, b"]
    assert list(problem.forward.formulas)[:4] == ["Z_a1", "Z_b1", "Z_a3", "Z_b3"]
    assert problem.forward.steps[1].block == (("k", 1), ("name", "b"))


@pytest.mark.parametrize(
    "formula",
    [
        "Z = " + "(" * 5000 + "X" + ")" * 5000,
        "Z = " + "-" * 9000 + "X",
        "Z = " + "+".join(["X"] * 2000),
        "Z = " + "sum(" * 2000 + "X" + ")" * 2000,
        "Z = X" + "[0]" * 3000,
        "Z = " + "9" * 6000,
        "Z = X\x00",
        "Z = " + "X @ " * 100_000 + "X",
    ],
    ids=["brackets", "signs", "terms", "calls", "places", "digits", "nul", "long"],
)
def test_a_hostile_formula_is_refused_quickly(formula: str) -> None:
    text = told(program(formula))
    assert "steps[0].formulas[0]" in text and len(text) < 1000


def test_a_formula_may_be_as_long_as_is_said() -> None:
    longest = "Z = X" + " " * 9_992 + "+ X"
    assert parsed(longest).name == "Z"
    with pytest.raises(FormulaError, match="found 10,001 characters, expected at most 10,000"):
        parsed(longest + " ")


def test_too_many_matrices_are_refused_with_the_number() -> None:
    steps = [{"formulas": ["z{k} = X + {k}"], "each": {"k": list(range(10_001))}}]
    assert "found more than 10,000 matrices to be computed" in told(program() | {"steps": steps})


def test_names_and_marks_are_kept_but_not_hashed() -> None:
    sample = SAMPLES["perceptron"].document()
    problem: Any = load({**sample, "names": {"Z1": "the sums"}, "marks": {"default": 2, "Z1": 3}})
    document = problem.to_document()
    assert document["names"] == {"Z1": "the sums"} and document["marks"]["Z1"] == 3
    plain = load(sample).to_document()
    assert "names" not in plain and "marks" not in plain
    assert load(document) == problem and problem.sha256 == load(sample).sha256


def test_the_hash_is_of_meaning_alone() -> None:
    sample = SAMPLES["perceptron"].document()
    words = json.loads(json.dumps(sample))
    words["title"], words["steps"][0]["title"], words["steps"][0]["words"] = "Other", "Sums", "in words"
    words["steps"][0]["formulas"] = [re.sub(" ", "", each) for each in words["steps"][0]["formulas"]]
    other = sample | {"learning_rate": 0.2}
    assert load(words).sha256 == load(sample).sha256 != load(other).sha256


def test_a_key_that_is_missing_is_told_unless_an_unknown_one_is_meant_to_be_it() -> None:
    rate, rest = 0.1, {key: value for key, value in program("L = sum(X @ W)").items() if key != "learning_rate"}
    assert told(rest) == "problem: missing key 'learning_rate'"
    assert told(rest | {"epochs": "x"}).split("\n")[0] == "problem: missing key 'learning_rate'"
    assert told(rest | {"learning_rat": rate}) == "problem: unknown key 'learning_rat'; did you mean 'learning_rate'?"


def test_a_function_that_files_knew_nothing_of_leaves_its_name_to_a_matrix() -> None:
    problem: Any = load(program("arctan = X @ W", "L = sum(arctan(arctan))"))
    made = trace(problem).first
    assert np.array_equal(made["L"], np.arctan(made["arctan"]).sum(keepdims=True))
