"""The slips of programs: each made by numpy as a student makes it, and found under its name, where it was made."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tracer
from tests.program_slips import Program, filled_in
from tracer.expression.arrays import Array
from tracer.judging.slips.context import SlipContext
from tracer.judging.slips.evidence import idea_of
from tracer.judging.slips.table import WHOLE
from tracer.judging.slips.trials import wrong_rules
from tracer.judging.tutor import tutor
from tracer.judging.verdicts import SlipExtent
from tracer.presentation.theme import theme_of
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.reading import load_any

Values = dict[str, Array]


def softmax(scores: Array, axis: int = 1) -> Array:
    powers = np.exp(scores)
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def lower(run: Values) -> Array:
    return np.where(run["M"] == 0, 1.0, 0.0)


def mean_path(run: Values) -> Array:
    return np.asarray(run["dn"] / run["s"] + run["dv"] * run["v_slope"] / 4)


def variance_path(run: Values) -> Array:
    return np.asarray(run["dn"] / run["s"] + run["dm"] / 4)


def correlated(image: Array, kernel: Array, shape: tuple[int, int]) -> Array:
    rows, columns = kernel.shape
    return np.array([[(image[i : i + rows, j : j + columns] * kernel).sum() for j in range(shape[1])]
                     for i in range(shape[0])])  # fmt: skip


ATTENTION, NORM, RNN, LSTM, CONV = "self-attention-paper", "batch-norm-paper", "rnn-paper", "lstm-paper", "conv-paper"
MADE: list[tuple[str, str, str, Callable[[Values], Array]]] = [
    # attention
    ("causal-mask-missing", "causal-heads", "S1", lambda r: r["Q"][:, :2] @ r["K"][:, :2].T / np.sqrt(2)),
    ("mask-after-softmax", "causal-heads", "P1",
     lambda r: softmax(r["Q"][:, :2] @ r["K"][:, :2].T / np.sqrt(2)) * lower(r)),
    ("scaling-missing", ATTENTION, "S", lambda r: r["Q"] @ r["K"].T),
    ("scaling-missing", ATTENTION, "S", lambda r: r["Q"] @ r["K"].T / 2),
    ("scaling-missing", ATTENTION, "dQ", lambda r: r["dS"] @ r["K"]),
    ("softmax-wrong-axis", ATTENTION, "P", lambda r: softmax(r["S"], axis=0)),
    ("diagonal-jacobian", ATTENTION, "dS", lambda r: r["P"] * (1 - r["P"]) * r["dP"]),
    ("transposed-operand-missing", ATTENTION, "dV", lambda r: r["P"] @ r["dH"]),
    # normalisation
    ("gain-and-shift-exchanged", NORM, "a", lambda r: r["beta"] * r["n"] + r["gamma"]),
    ("variance-n-minus-1", NORM, "v", lambda r: r["x"].var(ddof=1, keepdims=True)),
    ("mean-path-missing", NORM, "dx", mean_path),
    ("variance-path-missing", NORM, "dx", variance_path),
    ("root-missing", NORM, "s", lambda r: r["v"]),
    ("sum-for-mean", NORM, "m", lambda r: r["x"].sum(keepdims=True)),
    # time
    ("time-steps-exchanged", RNN, "z2", lambda r: r["x2"] * r["w"] + r["h0"] * r["u"] + r["b"]),
    ("gradient-of-one-use", RNN, "du", lambda r: r["dz3"] * r["h2"]),
    ("no-bias", RNN, "z1", lambda r: r["x1"] * r["w"] + r["h0"] * r["u"]),
    ("slope-of-z", RNN, "h2_slope", lambda r: 1 - r["z2"] ** 2),
    ("slope-missing", RNN, "dz3", lambda r: r["dh3"]),
    ("raw-error-sent-back", RNN, "dh2", lambda r: r["dh3"] * r["u"]),
    ("gates-exchanged", LSTM, "c2", lambda r: r["i2"] * r["c1"] + r["f2"] * r["g2"]),
    ("path-missing", LSTM, "dc1", lambda r: r["dq1"] * r["q1_slope"]),
    # images
    ("kernel-flipped", CONV, "C", lambda r: correlated(r["X"], r["K"][::-1, ::-1], (2, 4)) + r["b"]),
    ("pool-gradient-everywhere", CONV, "M_slope", lambda r: np.ones((2, 4))),
    ("mean-for-max", CONV, "M", lambda r: np.array([[r["A"][:, :2].mean(), r["A"][:, 2:].mean()]])),
    ("relu-mask-missing", CONV, "A_slope", lambda r: np.ones((2, 4))),
    # depth
    ("residual-missing", "residual", "H", lambda r: r["F"]),
    ("residual-path-missing", "residual", "dX", lambda r: r["dX_at_Z"]),
    ("one-sample-only", "residual", "dW1", lambda r: r["X"][:1].T @ r["dZ"][:1]),
    ("updated-weights", "residual", "dA", lambda r: r["dF"] @ r["W2_next"].T),
    # optimizers, of programs and of layers
    ("bias-correction-missing", "adam-paper", "w_mean_hat", lambda r: r["w_mean_next"]),
    ("gradient-not-squared", "adam-paper", "w_squares_next", lambda r: 0.8 * r["w_squares"] + 0.2 * r["dw"]),
    ("plain-descent", "adam-paper", "w_next", lambda r: r["w"] - r["learning_rate"] * r["dw"]),
    ("bias-correction-missing", "adam", "W1_mean_hat", lambda r: r["W1_mean_next"]),
]  # fmt: skip


def run_of(name: str) -> Values:
    run = tracer.trace(name)
    return {**{each: run[each] for each in run.last}, "learning_rate": run["learning_rate"]}


def marked(name: str, sheet: dict[str, Array]) -> dict[str, Any]:
    return tracer.check(name, {each: [[f"{value:.5f}" for value in row] for row in grid.tolist()]
                               for each, grid in sheet.items()}).to_document()  # fmt: skip


@pytest.mark.parametrize(("slug", "name", "at", "made"), MADE)
def test_a_slip_is_named_where_it_was_made(slug: str, name: str, at: str, made: Callable[[Values], Array]) -> None:
    run = run_of(name)
    before = tracer.trace(name).last.program
    order = list(before.computed)
    sheet = {each: run[each] for each in order[: order.index(at)]}
    sheet[at] = np.broadcast_to(made(run), run[at].shape)
    document = marked(name, sheet)
    slips = [each for each in document["cells"] if each["verdict"] == "slip"]
    assert {each["id"] for each in slips} == {at}
    assert all(slug in [one["slug"] for one in each["slips"]] for each in slips)
    first = document["diagnosis"][0]
    assert slug in (first["slug"], first.get("or", {}).get("slug")), first


def test_a_slip_that_was_carried_on_is_one_and_named_where_it_shows() -> None:
    """Softmax down the columns, and everything after it worked rightly on that."""
    run = run_of(ATTENTION)
    P = softmax(run["S"], axis=0)
    H = P @ run["V"]
    sheet = {each: run[each] for each in ("Q", "K", "V", "S")} | {"P": P, "H": H, "dH": H - run["Y"]}
    document = marked(ATTENTION, sheet)
    assert [each["slug"] for each in document["diagnosis"]] == ["softmax-wrong-axis"]
    assert {each["verdict"] for each in document["cells"] if each["id"] in ("H", "dH")} <= {"carried", "correct"}


def test_a_slip_in_a_matrix_that_was_left_out_is_found() -> None:
    """No S on the sheet, and P without its √2."""
    run = run_of(ATTENTION)
    sheet = {each: run[each] for each in ("Q", "K", "V")} | {"P": softmax(run["Q"] @ run["K"].T)}
    document = marked(ATTENTION, sheet)
    (found,) = document["diagnosis"]
    assert found["slug"] == "scaling-missing" and found["first"][0] == "P"


def test_factors_of_the_loss_are_looked_for_in_it_and_where_its_gradient_begins() -> None:
    problem = load_any(ATTENTION)
    assert isinstance(problem, ProgramProblem)
    work = filled_in(Program(problem).key)
    tried = {
        each: {rule.slug for rule, wrongs in wrong_rules(WHOLE, context, context.right) if list(wrongs)}
        for each in problem.program.computed
        if (context := SlipContext(each, work))
    }
    assert {each for each, slugs in tried.items() if "half-factor" in slugs} == {"L", "dH"}


# What is said


PROGRAMS = (ATTENTION, RNN, NORM, CONV, "causal-heads", "residual", "adam-paper", "momentum-paper", "softmax")


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_misconception_can_be_said_in_35_words_with_one_question_and_no_number(language: str) -> None:
    """Of every wrong rule that has a place in these programs, by its own sentence."""
    theme, said = theme_of(language), set[str]()
    for name in PROGRAMS:
        problem = load_any(name)
        assert isinstance(problem, ProgramProblem)
        work = filled_in(Program(problem).key)
        for each in problem.program.computed:
            context = SlipContext(each, work)
            for rule, wrongs in wrong_rules(WHOLE, context, context.right):
                for words in [words for wrong in wrongs for words in wrong.words]:
                    idea = idea_of(rule, words, context, SlipExtent.THROUGHOUT)
                    says = tutor(work, idea, (each, 0, 0), theme=theme)
                    said.add(idea.says)
                    assert len(says.split()) <= 35 and says.count("?") == 1 and "{" not in says, (idea.says, says)
    assert len(said) > 60
