"""The book of a program: its numbers, its links by central differences, and its chains, which add up."""

import re
import time
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.book_checks import assert_equal_signs_hold, assert_every_number_is_the_traces
from tests.books import Book, plain, read_book
from tests.programs import SAMPLES
from tracer.derivation.book import MOST_MATRICES, render_derivation, too_large
from tracer.derivation.cells import Cells
from tracer.derivation.links import ChainLinks, Link
from tracer.derivation.paths import LONGEST, MOST_PATHS, paths_of, strongest
from tracer.derivation.typeset import CUTS
from tracer.expression import scalar as s
from tracer.expression.evaluate import evaluate
from tracer.problem.program_problem import ProgramProblem, program_from_document
from tracer.run.passes import Trace
from tracer.run.training import trace

SMOOTH = [name for name in SAMPLES if name != "ties and kinks"]  # there a slope is PyTorch's, and no difference
STEP = 1e-6
ADAM = {"optimizer": {"name": "adam", "clip_norm": 1.0}}
RECURRENT = {
    "learning_rate": 0.1,
    "given": {"X1": [0.7, 0.1], "X2": [-0.4, 0.8], "X3": [0.2, -0.5], "h0": 0.5, "Y": 1},
    "parameters": {"Wx": [[0.1], [0.7]], "Wh": -0.2},
    "steps": [
        {
            "title": "Time step {t}",
            "each": {"t": [1, 2, 3]},
            "formulas": ["z{t} = X{t} @ Wx + h{t-1} @ Wh", "h{t} = tanh(z{t})"],
        },
        {"title": "Loss", "formulas": ["L = half_squared_error(h3, Y)"]},
    ],
}  # fmt: skip


def recorded(document: dict[str, Any]) -> Trace[ProgramProblem]:
    return trace(program_from_document(document, "drawn", "drawn.toml"))


@cache
def sample(name: str) -> Trace[ProgramProblem]:
    return recorded(SAMPLES[name].document())


@cache
def book_of(name: str) -> Book:
    return read_book(render_derivation(sample(name)))


def links_of(made: Trace[ProgramProblem]) -> tuple[Cells, ChainLinks]:
    cells = Cells(made, made.first)
    return cells, ChainLinks(cells)


# what is printed


@pytest.mark.parametrize("name", SAMPLES)
def test_every_number_is_the_traces_and_every_equal_sign_holds(name: str) -> None:
    assert_every_number_is_the_traces(sample(name), book_of(name))
    assert_equal_signs_hold(book_of(name))


@pytest.mark.parametrize("name", ["lstm", "convolution, stride and padding"])
def test_with_an_optimizer_the_states_are_matrices_of_the_book(name: str) -> None:
    made = recorded(SAMPLES[name].document(**ADAM))
    book = read_book(render_derivation(made))
    assert_every_number_is_the_traces(made, book)
    assert_equal_signs_hold(book)
    told = [of for kind, of in book.blocks if kind in ("state", "update")]
    assert told == [each.id for each in made.first.steps[-1].assignments]
    assert "Before this pass:" in book.text and "running mean" in book.text


@pytest.mark.parametrize("name", SAMPLES)
def test_every_computed_matrix_is_told_once_in_order_of_time(name: str) -> None:
    kinds = ("forward", "local-derivative", "contribution", "gradient", "state", "update")
    told = [of for kind, of in book_of(name).blocks if kind in kinds]
    assert told == list(sample(name).first.program.computed)


def test_numbers_that_are_rounded_on_the_way_are_the_traces_too() -> None:
    made = recorded(SAMPLES["gru"].document(carry_rounded=True, decimals=3))
    assert_every_number_is_the_traces(made, read_book(render_derivation(made)))


# links and paths


def direct(made: Trace[ProgramProblem], link: Link) -> float:
    """∂top/∂by by central differences, `by` moved where `top` is made of it and nowhere else."""
    one = made.first
    rule = one.program.assignments[link.top.matrix].expression
    assert rule is not None
    sides = []
    for side in (1, -1):
        moved = one[link.by.matrix].copy()
        moved[link.by.row, link.by.column] += side * STEP
        sides.append(evaluate(rule, {**one.matrices, link.by.matrix: moved})[link.top.row, link.top.column])
    return float(sides[0] - sides[1]) / (2 * STEP)


@pytest.mark.parametrize("name", SMOOTH)
def test_every_link_is_the_derivative_of_one_cell_by_another(name: str) -> None:
    made = sample(name)
    detached = name == "waves"  # its loss is made of a value, too, that no gradient goes through
    program, (cells, links) = made.first.program, links_of(made)
    checked = 0
    for gradient in program.gradients.values():
        for link in links.of(cells.first(gradient)) or ():
            if not (detached and link.by.matrix == "G"):
                assert link.value == pytest.approx(direct(made, link), rel=1e-5, abs=1e-7), link
                checked += 1
    assert checked > len(program.gradients) / 2


@pytest.mark.parametrize("name", SAMPLES)
def test_the_paths_of_every_parameter_add_up_to_its_gradient(name: str) -> None:
    made = sample(name)
    program, (_, links) = made.first.program, links_of(made)
    for parameter in program.parameters:
        gradient = program.gradients[parameter]
        for place, expected in np.ndenumerate(made.first[gradient]):
            found = paths_of(links, s.Cell(gradient, *place))
            assert found is not None and all(len(path) <= LONGEST for path in found.paths)
            assert sum(found.values) == pytest.approx(float(expected), rel=1e-9, abs=1e-12)


def test_a_recurrent_weight_has_a_path_through_every_time_step() -> None:
    made = recorded(RECURRENT)
    _, links = links_of(made)
    found = paths_of(links, s.Cell("dWh", 0, 0))
    assert found is not None and all(path[0].gradient is None for path in found.paths)
    along = [[link.by.matrix for link in path] for path in found.paths]
    assert along == [["h3", "z3", "Wh"], ["h3", "z3", "h2", "z2", "Wh"], ["h3", "z3", "h2", "z2", "h1", "z1", "Wh"]]
    chain = next(line for line in read_book(render_derivation(made)).lines if (line.block, line.of) == ("chain", "dWh"))
    stages = ["".join(map(plain, stage)) for stage, _ in chain.stages]
    assert stages[:3] == ["∂L∂Wh", "=∂L∂h3·∂h3∂z3·∂z3∂Wh", "+∂L∂h3·∂h3∂z3·∂z3∂h2·∂h2∂z2·∂z2∂Wh"]


def test_the_strongest_path_goes_all_the_way_and_there_are_never_too_many() -> None:
    for name in ("transformer block", "lstm"):
        program, (cells, links) = sample(name).first.program, links_of(sample(name))
        for parameter in program.parameters:
            gradient = cells.first(program.gradients[parameter])
            path, found = strongest(links, gradient), paths_of(links, gradient)
            assert path[0].gradient is None and path[0].top.matrix == program.loss and path[-1].by.matrix == parameter
            assert all(one.by == two.top for one, two in pairwise(path))
            first = len(links.of(gradient) or ())
            assert found is not None and len(found.paths) <= max(MOST_PATHS, first)


def test_the_jacobian_of_one_row_of_a_softmax() -> None:
    made = recorded(SAMPLES["graph convolution"].document())
    row = int(Cells(made, made.first).first("dZ").row)
    (line,) = (each for each in book_of("graph convolution").lines if any(t.kind == "derived" for t in each.tables))
    numbers = [[float(plain(cell).replace("−", "-")) for cell in cells] for cells in line.tables[-1].rows]
    share = made.first["P"][row]
    assert np.allclose(numbers, np.diag(share) - np.outer(share, share), atol=6e-4)
    assert plain(line.tables[1].rows[0][0]) == f"P{row + 1},1·(1−P{row + 1},1)"


# words, size, safety


def test_the_functions_are_derived_each_once() -> None:
    titles = [re.match(r"[^.]*", plain(div).strip()) for div in book_of("lstm").document.iter("div")
              if div.get("data-block") == "function"]  # fmt: skip
    found = [each[0] for each in titles if each]
    assert len(found) == len(set(found)) and {"Sigmoid", "Tanh", "A product of matrices"} <= set(found)
    assert "By the quotient rule" in book_of("lstm").text
    assert "Max pooling." in book_of("convolution, stride and padding").text
    assert "these add up to 0" in book_of("transformer block").text  # the variance's way through its middle


def test_texts_of_the_file_stay_text() -> None:
    evil = "</p><script>alert(1)</script>{x}"
    document = RECURRENT | {"title": evil, "description": evil, "names": {"h1": "<b>h"}}
    document["steps"] = [{**step, "words": "<i>words</i>", "why": "{t}" if "each" in step else "<u>"}
                         for step in RECURRENT["steps"]]  # type: ignore[attr-defined]  # fmt: skip
    read = read_book(render_derivation(recorded(document))).document
    assert not list(read.iter("script", "b", "i", "u"))
    assert "<i>words</i> 2" in read.text_content() and "<b>h" in read.text_content()


def test_large_matrices_are_cut_and_the_book_is_there_at_once() -> None:
    draw = np.random.default_rng(0)
    document = {
        "learning_rate": 0.1,
        "given": {"X": draw.uniform(-1, 1, (40, 200)).tolist(), "Y": np.eye(10)[np.arange(40) % 10].tolist()},
        "parameters": {"W1": {"shape": [200, 64]}, "W2": {"shape": [64, 10]}},
        "steps": [{"formulas": ["H = tanh(X @ W1)", "P = softmax(H @ W2)", "L = cross_entropy(P, Y) / 40"]}],
    }
    made = recorded(document)
    start = time.perf_counter()
    html = render_derivation(made)
    assert time.perf_counter() - start < 10 and len(html.encode()) < 1_000_000
    book = read_book(html)
    assert all(len(table.rows) <= CUTS[0].most for line in book.lines for table in line.tables)
    assert_every_number_is_the_traces(made, book)


def test_a_program_of_too_many_matrices_says_how_many() -> None:
    steps = [{"formulas": [f"a{k} = a{k - 1} * w" for k in range(1, 150)]}, {"formulas": ["L = sum(a149)"]}]
    problem = program_from_document(
        {"learning_rate": 0.1, "given": {"a0": 1}, "parameters": {"w": 1}, "steps": steps}, "long", "long.toml"
    )
    count = f"{len(problem.program.computed)} matrices"
    assert too_large(problem) == f"no derivation: {count} are too many to work by hand (at most {MOST_MATRICES})"
    assert too_large(sample("lstm").problem) == ""


def test_the_same_program_gives_the_same_bytes() -> None:
    first, second = (render_derivation(recorded(RECURRENT)) for _ in range(2))
    assert first == second
