"""Right answers in every form in which students hand them in, under many names, are right, and nothing is remarked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.documents import documents
from tests.papers import FORMS, Block
from tests.students import Document, Habit, Work, work_through
from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.errors import TracerError
from tracer.expression.label import label_text
from tracer.judging.conventions import Conventions
from tracer.judging.marking import mark_answers
from tracer.problem.names import NetworkNames
from tracer.problem.problem import Problem, problem_from_document

HIDDEN = {  # of a network with one hidden layer
    "W1": ["wh", "W_h", "hidden weights"], "b1": ["bh", "b_hidden"], "Z1": ["hidden_layer_input", "z_hidden"],
    "A1": ["hiddenlayer_activations", "Hidden Layer Activations", "hidden layer output", "A₁"],
    "S1": ["slope_hidden_layer", "dA1/dZ1"], "D1": ["d_hiddenlayer", "delta hidden", "δ1", "dL/dZ1"],
    "E1": ["Error_at_hidden_layer", "error_at-hidden layer", "∂L/∂A1"], "dW1": ["d_wh", "grad W1", "dL/dwh"],
    "W1_next": ["wh_new", "new W1", "W1'", "W1⁺", "wh (updated)", "wh after update"],
    "W2_next": ["wout_new", "updated wout", "W2 next", "W2*"],
    "b1_next": ["bh new", "b1'"],
}  # fmt: skip
ALWAYS = {
    "X": ["Input X", "inputs"], "Y": ["y", "target"], "L": ["loss", "Total error"], "E": ["E"],
    "Z{}": ["output_layer_input", "z_out"], "A{}": ["output", "ŷ", "y_hat", "predictions"],
    "S{}": ["slope_output_layer", "slope output"], "D{}": ["d_output", "delta_output", "dE/dZ{}"],
    "W{}": ["wout"], "b{}": ["bout"], "dW{}": ["dL/dW{}", "gradient of W{}", "∂E/∂W{}"], "db{}": ["grad b{}"],
    "W{}_next": ["W{} new", "W{}+"],
}  # fmt: skip


def names_for(problem: Problem) -> dict[str, list[str]]:
    """Names for the matrices of a problem: the identifier, its display names, the usual ones."""
    found: dict[str, list[str]] = {}
    depth = problem.depth
    for pattern, names in ALWAYS.items():
        found.setdefault(pattern.format(depth), []).extend(name.format(depth) for name in names)
    if depth == 2:
        for identifier, names in HIDDEN.items():
            if identifier != "W2_next" or problem.convention.learning_rate_in:
                found.setdefault(identifier, []).extend(names)
    return found


def shown_names(problem: Problem, style: str, identifier: str) -> str:
    names = NetworkNames(
        style, problem.sizes, problem.rows, tuple(layer.shared_bias for layer in problem.layers),
        tuple(layer.bias is not None for layer in problem.layers), problem.convention.sign,
        rate_in_delta=problem.convention.learning_rate_in == "delta",
        rate_in_change=problem.convention.learning_rate_in == "change",
        fused=problem.convention.softmax_slope == "fused",
    )  # fmt: skip
    return label_text(names.matrix(identifier))


def blocks_of(
    problem: Problem, document: Document, decimals: int, random: np.random.Generator
) -> tuple[list[Block], int]:
    """A student's blocks in the order of the steps, given numbers among them, and how many numbers are answers.

    Updated parameters may have the old name.
    """
    work = Work(document)
    answers = work_through(work, Habit(decimals), random)
    given = {
        name: [[f"{value:.{decimals + 2}f}" for value in row] for row in rows] for name, rows in work.given().items()
    }
    usual, style = names_for(problem), str(random.choice(["matrix", "article"]))
    again = random.random() < 0.4
    blocks: list[Block] = []
    for identifier, rows in {**given, **answers}.items():
        if identifier in given and random.random() < 0.3 and not again:
            continue
        names = [identifier, shown_names(problem, style, identifier), *usual.get(identifier, [])]
        name = str(random.choice(names))
        if again and identifier.endswith("_next"):
            name = identifier.removesuffix("_next")
        blocks.append((name, rows))  # type: ignore[arg-type]
    return blocks, sum(len(rows) * len(rows[0]) for rows in answers.values())


@pytest.mark.parametrize("form", FORMS)
@given(documents(hand=True, most_layers=3, most_rows=4), st.integers(2, 4), st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_right_answers_are_right_in_every_form(form: str, document: Document, decimals: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    document = document | {"decimals": decimals}
    problem = problem_from_document(document, "drawn", "drawn")
    try:
        conventions = Conventions(key_of(problem))
    except TracerError:
        return
    blocks, count = blocks_of(problem, document, decimals, random)
    file, write = FORMS[form]
    marked = mark_answers(read_content(file, write(blocks, random)), conventions)
    assert not marked.warnings, (blocks, marked.warnings)
    wrong = [mark for mark in marked.marks if mark.verdict not in ("correct", "rounded", "too_coarse")]
    assert not wrong, (blocks, wrong[:3])
    assert len(marked.marks) == count, blocks
