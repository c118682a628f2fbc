"""Simulated students over random networks and conventions: fair to the honest, and slips are found.

`python -m benchmarks.checking` measures the same over hundreds of thousands of cells.
"""

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.documents import documents
from tests.simulation import (
    STYLES,
    Honesty,
    Score,
    Teacher,
    score_pairs,
    score_pens,
    score_slips,
    slip_documents,
)
from tests.students import (
    Answers,
    Document,
    Habit,
    Work,
    as_file,
    is_workable,
    random_document,
    reference_fused,
    work_through,
)
from tracer.answers.reading import read_content
from tracer.judging.conventions import RIGHT
from tracer.judging.marking import mark_answers
from tracer.problem.problem import problem_from_document
from tracer.run.training import trace

SEEDS = st.integers(0, 2**32 - 1)


@given(documents(), st.sampled_from([2, 3, 4]), st.sampled_from(STYLES), SEEDS)
@settings(max_examples=60)
def test_no_cell_of_an_honest_student_is_called_wrong_or_slip(
    document: Document, decimals: int, style: str, seed: int
) -> None:
    honesty = Honesty()
    honesty.add(document | {"decimals": decimals}, np.random.default_rng(seed), [style])
    assert not honesty.misjudged, honesty.misjudged[0]


def test_nor_on_problems_like_those_of_exercises() -> None:
    random, honesty = np.random.default_rng(2), Honesty()
    for decimals in (2, 3, 4, 3, 2, 4):
        honesty.add(random_document(random) | {"decimals": decimals}, random)
    assert honesty.cells > 4000
    assert all(style.startswith("miscopies") for style, *_ in honesty.misjudged), honesty.misjudged[0]
    assert len(honesty.misjudged) <= 0.001 * honesty.cells, honesty.misjudged[0]
    found = {verdict for _, verdict in honesty.verdicts}
    assert found - {"wrong"} <= {"correct", "rounded", "carried", "too_coarse", "not_read"}


def test_a_sheet_of_made_up_numbers_is_not_credited() -> None:
    """What the simulation finds honest is not simply everything."""
    random = np.random.default_rng(3)
    teacher = next(slip_documents(random, 1))
    answers = work_through(Work(teacher.document), Habit(3), random)
    made_up = {name: [[f"{value:.3f}" for value in random.uniform(-1, 1, len(row))] for row in rows]
               for name, rows in answers.items()}  # fmt: skip
    marked = teacher.mark(made_up)  # type: ignore[arg-type]
    assert marked.score < 0.1 * len(marked.marks)


def total(scores: dict[str, Score]) -> Score:
    whole = Score()
    for score in scores.values():
        for name, value in vars(score).items():
            setattr(whole, name, getattr(whole, name) + value)
    return whole


def test_each_slip_alone_is_listed_mostly_first_and_nothing_else_is_marked_down() -> None:
    random = np.random.default_rng(4)
    scores = score_slips(random, slip_documents(random, 4))
    whole = total(scores)
    assert whole.told > 130
    missed = {slug: score for slug, score in scores.items() if score.listed < score.told}
    assert whole.listed >= 0.98 * whole.told, missed
    assert whole.first >= 0.90 * whole.told and whole.others == 0


def test_a_slip_in_a_matrix_left_out_is_mostly_named_where_it_shows() -> None:
    random = np.random.default_rng(5)
    whole = total(score_slips(random, slip_documents(random, 2), unseen=True))
    assert whole.told > 40 and whole.listed >= 0.9 * whole.told


def test_two_slips_and_slips_of_the_pen_are_mostly_named() -> None:
    random = np.random.default_rng(6)
    pairs = score_pairs(random, slip_documents(random, 6))
    assert pairs["in two matrices"].told > 30
    assert pairs["in two matrices"].listed >= 0.95 * pairs["in two matrices"].told
    assert pairs["in one matrix"].listed >= 0.6 * pairs["in one matrix"].told  # with three digits many equal another
    pens = total(score_pens(random, slip_documents(random, 2)))
    assert pens.told > 100 and pens.listed >= 0.97 * pens.told


# Conventions


def flipped(key: str, one: object, other: object) -> Callable[[Document], Document]:
    def change(document: Document) -> Document:
        copy: Document = json.loads(json.dumps(document))
        copy["convention"][key] = other if copy["convention"][key] == one else one
        return copy

    return change


def turned(answers: Answers, which: Callable[[str], bool]) -> Answers:
    return {
        name: [list(column) for column in zip(*rows, strict=True)] if which(name) else rows
        for name, rows in answers.items()
    }


CONVENTIONS = {
    "error": flipped("error", "output - target", "target - output"),
    "reduction": flipped("reduction", "sum", "mean"),
    "learning_rate_in": flipped("learning_rate_in", "update", "delta"),
    "bias_update": lambda document: document | {"convention": document["convention"] | {"bias_update": False}},
    "both": lambda document: CONVENTIONS["reduction"](CONVENTIONS["error"](document)),
    "rate and mean": lambda document: CONVENTIONS["learning_rate_in"](CONVENTIONS["reduction"](document)),
    "softmax_slope": flipped("softmax_slope", "jacobian", "fused"),
    "loss": lambda document: document | {"loss": "squared_error"},
    "loss_shown": lambda document: document | {"loss_shown": "mean"},
}
LAYOUTS: dict[str, Callable[[str], bool]] = {
    "gradients transposed": lambda name: name.startswith("dW"),
    "samples as columns": lambda name: True,
}


@pytest.mark.parametrize("name", [*CONVENTIONS, *LAYOUTS])
def test_answers_right_under_another_convention_throughout_are_recognised(name: str) -> None:
    random, found = np.random.default_rng(7), 0
    while found < 3:
        document = random_document(random, rows=3) | {"decimals": 4, "loss_shown": "sum"}
        if not is_workable(Work(document)) or not comes_up(name, document, softmax=found == 2):
            continue
        teacher = Teacher.of(document)
        assert teacher is not None
        theirs = CONVENTIONS[name](document) if name in CONVENTIONS else document
        answers = work_through(Work(theirs), Habit(4), random)
        if name in LAYOUTS:
            answers = turned(answers, LAYOUTS[name])
        strict = teacher.mark(answers)
        if not {each.verdict for each in strict.marks} - RIGHT:  # one sample, no bias, a vector
            continue
        found += 1
        assert strict.other is not None and strict.other.all_right, (document, answers)
        accepted = mark_answers(read_content("a.json", as_file(answers)), teacher.conventions, accept=True)
        assert {each.verdict for each in accepted.marks} <= RIGHT and accepted.other is not None
        if name in LAYOUTS:
            assert accepted.other.words == (name,)


def comes_up(name: str, document: Document, softmax: bool) -> bool:
    """Whether a convention can make a difference; with a `softmax` output where one is wanted."""
    output, loss = document["layers"][-1]["activation"], document["loss"]
    if name == "loss" and loss != "half_squared_error":
        return False
    if name == "softmax_slope" and (output, loss) not in reference_fused():
        return False
    return output == "softmax" or not softmax


@pytest.mark.parametrize(
    "flags", [{"rate_twice": True}, {"updated_weights_sent_back": True}, {"softmax_slope": "diagonal"}]
)
def test_what_publications_did_though_it_is_not_the_gradient_is_no_convention(flags: Document) -> None:
    random, found = np.random.default_rng(9), 0
    while found < 2:
        document = random_document(random, rows=3) | {"decimals": 4}
        jacobian = document["convention"]["softmax_slope"] == "jacobian"
        softmax = document["layers"][-1]["activation"] == "softmax" and jacobian
        if not is_workable(Work(document)) or ("softmax_slope" in flags and not softmax):
            continue
        teacher = Teacher.of(document)
        run = trace(problem_from_document(document | {"reproduce": flags}, "drawn", "drawn")).first
        assert teacher is not None
        written = {name: run[name].tolist() for name in run.program.computed if name in teacher.conventions.key.values}
        marked = mark_answers(read_content("a.json", as_file(written)), teacher.conventions, accept=True)
        if not marked.all_right or marked.other is not None:
            found += 1
            assert marked.other is None or not marked.other.all_right, (document, marked.other)
            assert not marked.all_right


def test_one_gradient_transposed_is_a_slip_and_no_convention() -> None:
    random = np.random.default_rng(8)
    teacher = next(each for each in slip_documents(random, 100) if square(each.document))
    answers = work_through(Work(teacher.document), Habit(3, asked=teacher.conventions.key.asked), random)
    marked = teacher.mark(turned(answers, lambda name: name == "dW1"))
    assert marked.other is None
    failing = [mark for mark in marked.marks if mark.verdict == "slip"]
    assert failing and {mark.slips[0].slug for mark in failing if mark.id == "dW1"} == {"gradient-transposed"}


def square(document: Document) -> bool:
    """Two layers of weights with as many rows as columns."""
    shapes = [np.shape(layer["weights"]) for layer in document["layers"]]
    return len(shapes) == 2 and all(rows == columns > 1 for rows, columns in shapes)
