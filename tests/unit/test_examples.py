"""The built-in examples: each loads, traces and trains, and does what its description claims."""

import tomllib
from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tracer.problem.example_groups import ELEVEN_STEPS
from tracer.problem.problem import Problem, problem_from_document
from tracer.problem.reading import EXAMPLES, example_names, load_problem
from tracer.run.training import Training, trace, train

NAMES = [
    "article",
    "article-seed42",
    "article-seed42-training",
    "blobs",
    "hand",
    "linear-regression",
    "logistic-regression",
    "mazur",
    "moons",
    "softmax-classifier",
    "xor",
]
TRAINED = [
    "article",
    "article-seed42-training",
    "blobs",
    "linear-regression",
    "logistic-regression",
    "mazur",
    "softmax-classifier",
    "xor",
]
OURS = ["blobs", "linear-regression", "logistic-regression", "softmax-classifier", "xor"]


@cache
def trained(name: str) -> Training:
    return train(load_problem(name))


def output(name: str) -> np.ndarray:
    """The output after the example's own epochs."""
    return trained(name).final[f"A{load_problem(name).depth}"]


def right(name: str) -> int:
    """How many samples come out on the right side of one half, or in the right class."""
    Y, A = load_problem(name).Y, output(name)
    if Y.shape[1] == 1:
        return int(((A > 0.5) == (Y > 0.5)).sum())
    return int((A.argmax(axis=1) == Y.argmax(axis=1)).sum())


def changed(name: str, **convention: str) -> Problem:
    document = load_problem(name).to_document()
    document["convention"] |= convention
    return problem_from_document(document, name, name)


def test_the_examples_are_these() -> None:
    assert example_names(ELEVEN_STEPS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is(name: str) -> None:
    problem = load_problem(name)
    document = tomllib.loads((EXAMPLES / f"{name}.toml").read_text(encoding="utf-8"))
    assert problem.title == document["title"] and len(problem.title) <= 70
    assert problem.source and problem.description
    assert problem.description.count(". ") == 1 and problem.description.endswith(".")
    assert problem.description == problem.description.strip() and "\n" not in problem.description


def test_every_title_and_every_problem_is_its_own() -> None:
    problems = [load_problem(name) for name in NAMES]
    assert len({problem.title for problem in problems}) == len({problem.sha256 for problem in problems}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_traces(name: str) -> None:
    assert trace(load_problem(name)).first.loss > 0


def test_these_are_for_training() -> None:
    assert {name for name in NAMES if load_problem(name).epochs > 1} == {*TRAINED, "moons"}


@pytest.mark.parametrize("name", TRAINED)
def test_training_lowers_the_loss(name: str) -> None:
    assert trained(name).final.loss < trained(name).losses[0]


def test_moons_train_and_seem_to_learn_nothing_at_first() -> None:
    """What comes later is in tests/golden."""
    run = train(load_problem("moons"), 20)
    assert_allclose(run.losses[5:], 0.25, atol=1e-4)


@pytest.mark.parametrize("name", OURS)
def test_our_own_numbers_do_not_hide_slips(name: str) -> None:
    """SLIPS.md, end: one sample, some rates, equal biases, or signs that are all the same."""
    problem = load_problem(name)
    assert problem.rows > 1 and problem.learning_rate not in (1, 0.5, 0.1)
    one = trace(problem).first
    biases = np.concatenate([layer.bias.ravel() for layer in problem.layers if layer.bias is not None])
    assert len(set(biases)) == len(biases) >= problem.depth and (biases != 0).all()
    assert min(one["Z1"].min(), one[f"Z{problem.depth}"].min()) < 0 < one["Z1"].max()
    assert any((layer.weights < 0).any() for layer in problem.layers)


def test_some_of_ours_have_square_weights() -> None:
    """Where none are, a transposition cannot be told from the right thing by its shape."""
    for name in ("xor", "softmax-classifier"):
        assert load_problem(name).layers[0].weights.shape[0] == load_problem(name).layers[0].units


def test_article_is_the_default_and_learns() -> None:
    assert load_problem("article").learning_rate == 0.1
    assert load_problem("article").names.style == "article"
    assert_allclose(output("article").ravel(), [0.98, 0.97, 0.05], atol=0.005)


def test_seed_42_learns_as_described() -> None:
    assert output("article-seed42-training").round(2).ravel().tolist() == [0.92, 0.90, 0.19]
    slow, fast = load_problem("article-seed42"), load_problem("article-seed42-training")
    assert fast.learning_rate == pytest.approx(10 * slow.learning_rate)
    stream = np.random.RandomState(42).uniform(size=30)
    for problem, drawn in ((slow, stream[:15]), (fast, stream[15:])):
        assert problem.layers[0].weights.ravel().tolist() == drawn[:12].tolist()
        assert problem.layers[1].weights.ravel().tolist() == drawn[12:].tolist()


@pytest.mark.parametrize(("name", "rows"), [("moons", 1000), ("blobs", 200)])
def test_point_clouds(name: str, rows: int) -> None:
    """Scaled over the whole array, two classes of equal size."""
    problem = load_problem(name)
    assert problem.X.shape == (rows, 2) and problem.Y.sum() == rows / 2
    assert problem.X.min() == 0.0 and problem.X.max() == 1.0
    assert set(problem.Y.ravel()) == {0.0, 1.0}


def test_moons_are_the_library_s() -> None:
    """The two half circles of scikit-learn's make_moons, and the noise from its own stream."""
    problem, stream = load_problem("moons"), np.random.RandomState(42)
    angles = np.linspace(0, np.pi, 500)
    outer = np.column_stack([np.cos(angles), np.sin(angles)])
    inner = np.column_stack([1 - np.cos(angles), 0.5 - np.sin(angles)])
    order = np.arange(1000)
    stream.shuffle(order)
    X = np.concatenate([outer, inner])[order] + stream.normal(scale=0.1, size=(1000, 2))
    X -= X.min()
    X /= X.max()
    assert_allclose(problem.X, X, atol=1e-12)
    assert problem.Y.ravel().tolist() == (order >= 500).tolist()


def test_blobs_learns_every_point() -> None:
    assert right("blobs") == 200


def test_xor_learns_to_within_a_tenth() -> None:
    assert_allclose(output("xor"), load_problem("xor").Y, atol=0.1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_xor_gets_stuck_from_the_seeds_it_names(seed: int) -> None:
    document = tomllib.loads((EXAMPLES / "xor.toml").read_text(encoding="utf-8"))
    document["initial"]["seed"] = seed
    stuck = train(problem_from_document(document, "xor", "xor")).final["A2"]
    assert np.abs(stuck - load_problem("xor").Y).max() > 0.4


def test_linear_regression_ends_at_the_least_squares() -> None:
    problem, final = load_problem("linear-regression"), trained("linear-regression").final
    X = np.column_stack([problem.X, np.ones(problem.rows)])
    wanted = np.linalg.lstsq(X, problem.Y, rcond=None)[0]
    assert_allclose(np.concatenate([final["W1"], final["b1"]]), wanted, atol=1e-6)
    assert_allclose(wanted.ravel(), [1.5, -2, 0.5], atol=0.1)


def test_logistic_regression_is_settled_and_wrong_about_one() -> None:
    final = trained("logistic-regression").final
    assert right("logistic-regression") == load_problem("logistic-regression").rows - 1
    assert_allclose(final["dW1"], 0, atol=1e-5)


def test_softmax_classifier_names_every_colour() -> None:
    assert right("softmax-classifier") == 5
    assert trace(load_problem("softmax-classifier"))["Z1"].min() < 0  # so that the mask of ReLU shows


@pytest.mark.parametrize("name", ["softmax-classifier", "logistic-regression"])
def test_both_ways_come_to_the_same_delta(name: str) -> None:
    problem = load_problem(name)
    long, short = (trace(changed(name, softmax_slope=way)).first for way in ("jacobian", "fused"))
    assert_allclose(long[f"D{problem.depth}"], short[f"D{problem.depth}"], atol=1e-15)
    assert long.loss == pytest.approx(short.loss, rel=1e-14)
    assert_allclose(long["W1_next"], short["W1_next"], atol=1e-15)


def test_hand_and_mazur_keep_their_biases() -> None:
    for name in ("hand", "mazur"):
        problem = load_problem(name)
        one = trace(problem).first
        for layer in range(1, problem.depth + 1):
            assert_allclose(one[f"b{layer}_next"], one[f"b{layer}"], rtol=0)
    assert all(layer.shared_bias for layer in load_problem("mazur").layers)
    assert "J1" in trace(load_problem("hand")).first.matrices


@pytest.mark.parametrize("name", ["article", "hand", "mazur"])
def test_the_reproduction_in_the_comment_is_a_problem_too(name: str) -> None:
    text = (EXAMPLES / f"{name}.toml").read_text(encoding="utf-8")
    head, mark, tail = text.partition("# [reproduce]\n# ")
    assert mark
    document = tomllib.loads(f"{head}[reproduce]\n{tail}")
    other = trace(problem_from_document(document, name, name)).first
    assert np.abs(other["W1_next"] - trace(load_problem(name))["W1_next"]).max() > 1e-9
