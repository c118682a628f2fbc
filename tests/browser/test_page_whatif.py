"""What if, and did it help: typed numbers give what a fresh run of the changed problem gives."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.agreement import assert_agrees
from tests.browser.pages import asked, opened, read_tables, table_cell
from tests.documents import FEW_OUTPUTS, HIDDEN
from tracer.errors import NotFiniteError
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Pass, Trace
from tracer.run.training import trace

pytestmark = pytest.mark.browser

Document = dict[str, Any]
PRECISE = "localStorage.setItem('tracer-page', JSON.stringify({decimals: '12'}))"


def run_of(document: Document, epochs: int = 1) -> Trace:
    return trace(problem_from_document(document, "what if", "what if"), range(1, epochs + 1))


def network(outputs: tuple[str, str, bool], hidden: str) -> Document:
    """Two layers, three samples, numbers that no kink is near."""
    loss, output, fused = outputs
    targets = [[0.25, 0.75], [1.0, 0.0], [0.0, 1.0]]
    if loss == "hinge":
        targets = [[1.0 if each > 0.5 else -1.0 for each in row] for row in targets]
    return {
        "learning_rate": 0.5,
        "loss": loss,
        "data": {"X": [[0.3, -0.8], [0.9, 0.4], [-0.5, 0.7]], "Y": targets},
        "layers": [
            {"activation": hidden, "weights": [[0.4, -0.6, 0.7], [0.9, 0.3, -0.5]], "bias": [0.1, 0.2, -0.3]},
            {"activation": output, "weights": [[0.5, -0.4], [0.3, 0.8], [-0.7, 0.6]], "bias": 0.15},
        ],
        "convention": {"softmax_slope": "fused" if fused else "jacobian"},
    }


CHANGES = {"X-2-1": "1,1", "W1-2-3": "−0.55", "b2-1-1": "2.5e-1", "learning_rate-1-1": "0.05", "W2-3-2": "0.65"}


def changed(document: Document) -> Document:
    made = copy.deepcopy(document)
    made["data"]["X"][1][0], made["learning_rate"] = 1.1, 0.05
    made["layers"][0]["weights"][1][2], made["layers"][1]["weights"][2][1] = -0.55, 0.65
    made["layers"][1]["bias"] = 0.25
    return made


def change(page: Any, cell: str, number: str) -> None:
    table_cell(page, cell).click()
    page.fill("#asked-number", number)
    page.press("#asked-number", "Enter")


# What `change` does, for many cells and without waiting for a mouse in between.
CHANGE_ALL = """changes => Object.entries(changes).forEach(([cell, number]) => {
  const [matrix, row, column] = cell.split('-'), table = `section.step:not([hidden]) table[data-id='${matrix}']`;
  document.querySelector(`${table} tr:nth-child(${+row + 1}) > :nth-child(${+column + 1})`).click();
  document.querySelector('#asked-number').value = number;
  document.querySelector('#asked-edit').requestSubmit();
})"""


def assert_shows(page: Any, section: str, one: Pass) -> None:
    """Every number of a step is that of a pass, to twelve decimals."""
    cells = read_tables(page, section)
    most = max(1.0, *(float(np.abs(one[key]).max()) for key in one))
    for key in one:
        found = [[number(cells[key, row, k]["text"]) for k in range(one[key].shape[1])] for row in range(len(one[key]))]
        assert np.abs(np.array(found) - one[key]).max() <= 1e-12 * most + 6e-13, key


def number(text: str) -> float:
    return float(text.replace("−", "-"))


@pytest.mark.parametrize(("outputs", "hidden"), [(each, HIDDEN[k % len(HIDDEN)]) for k, each in enumerate(FEW_OUTPUTS)])
def test_every_loss_and_activation_follows_what_is_typed(
    chromium: Any, tmp_path: Path, outputs: tuple[str, str, bool], hidden: str
) -> None:
    document = network(outputs, hidden)
    try:
        run, expected = run_of(document), run_of(changed(document))
    except NotFiniteError:
        pytest.fail("choose other numbers")
    last = f"step-{run.last.steps[-1].label}"
    with opened(chromium, run, tmp_path, f"#{last}", before=PRECISE) as page:
        page.evaluate(CHANGE_ALL, CHANGES)
        assert_shows(page, last, expected.last)
        cells = read_tables(page, last)
        unlike = {cell for cell, each in cells.items() if "changed" in each["classes"]}
        assert {("X", 1, 0), ("W1", 1, 2), ("b2", 0, 0), ("learning_rate", 0, 0), ("L", 0, 0)} <= unlike
        assert ("X", 0, 0) not in unlike and ("Y", 0, 0) not in unlike
        page.click("#reset")
        assert_shows(page, last, run.last)
        assert page.locator("td.changed").count() == 0 and page.locator("#reset").is_hidden()


def test_what_is_no_number_changes_nothing_and_says_so(chromium: Any, tmp_path: Path) -> None:
    with opened(chromium, run_of(load_problem("article").to_document()), tmp_path) as page:
        for text in ("", "abc", "1/0", "1/2/3", "0x10", "Infinity", "1e999", "1,2,3", "--1"):
            change(page, "W1-1-1", text)
            assert "Type a number" in page.inner_text("#asked-problem")
        change(page, "learning_rate-1-1", "0")
        assert "above 0" in page.inner_text("#asked-problem")
        assert page.locator("td.changed").count() == 0 and page.locator("#reset").is_hidden()


def test_a_changed_cell_says_what_was_recorded(chromium: Any, tmp_path: Path) -> None:
    with opened(chromium, run_of(load_problem("article").to_document()), tmp_path) as page:
        change(page, "W1-1-1", "0,9")
        assert asked(page) == "wh1,1 = 0.9"
        assert "≠ 0.42 as recorded" in page.inner_text("#asked-place")
        assert table_cell(page, "Z1-1-1").get_attribute("title") == "was 1.480"
        assert table_cell(page, "Z1-1-1").evaluate("td => getComputedStyle(td, '::after').content") == '"≠"'
        assert page.locator(".legend .other").is_visible()
        change(page, "W1-1-1", " −3/8 ")
        assert asked(page) == "wh1,1 = −0.375"
        change(page, "W1-1-1", "0.42")  # as it was: nothing is left to go back from
        assert page.locator("td.changed").count() == 0 and page.locator("#reset").is_hidden()


@pytest.mark.parametrize("batch", [2, 4])
def test_later_passes_go_on_from_what_is_changed(chromium: Any, tmp_path: Path, batch: int) -> None:
    document = load_problem("xor").to_document() | {"batch_size": batch}
    run = run_of(document, 3)
    expected = copy.deepcopy(document)
    expected["data"]["X"][1][0], expected["learning_rate"] = 0.5, 0.3
    prefix = "epoch-1-1-"
    with opened(chromium, run, tmp_path, f"#{prefix}step-2", before=PRECISE) as page:
        change(page, "X-2-1", "0.5")
        change(page, "learning_rate-1-1", "0.3")
        for one in run_of(expected, 3).passes:
            section = f"epoch-{one.epoch}-{one.iteration}-step-11"
            page.evaluate("id => { location.hash = id; }", section)
            page.wait_for_selector(f"[id='{section}']:not([hidden])")
            assert_shows(page, section, one)


def test_epochs_that_do_not_follow_stay_as_recorded(chromium: Any, tmp_path: Path) -> None:
    problem = load_problem("xor")
    run = trace(problem, [1, 5])
    with opened(chromium, run, tmp_path, "#epoch-1-1-step-2", before=PRECISE) as page:
        change(page, "W1-1-1", "0.5")
        page.select_option("#pass", "1")
        assert_shows(page, "epoch-5-1-step-2", known_by(run.last, 2))


def known_by(one: Pass, number: int) -> Any:
    """The matrices of a pass up to a step."""
    return {each.id: one[each.id] for step in one.steps if step.number <= number for each in step.assignments}


# Did it help? -------------------------------------------------------------------------------------


def help_table(page: Any) -> list[list[str]]:
    return list(
        page.eval_on_selector_all(
            "#help-body tbody tr", "rows => rows.map(row => [...row.cells].map(c => c.textContent))"
        )
    )


@pytest.mark.parametrize("example", ["article", "softmax-classifier", "linear-regression", "mazur"])
def test_outputs_and_loss_after_the_update_are_those_of_the_next_pass(
    chromium: Any, tmp_path: Path, example: str
) -> None:
    run = trace(load_problem(example), [1, 2])
    first, second = run.first, run.last
    with opened(chromium, trace(load_problem(example)), tmp_path, "#step-10") as page:
        page.click("#help summary")
        *outputs, loss = help_table(page)
        A = f"A{run.problem.depth}"
        places = list(np.ndindex(first[A].shape))[:12]
        assert len(outputs) == len(places)
        for (head, target, before, after, says), (row, column) in zip(outputs, places, strict=True):
            assert head == f"sample {row + 1}, output {column + 1}"
            assert number(target) == first["Y"][row, column]
            expected = first[A][row, column], second[A][row, column]
            assert_agrees([number(before), number(after)], expected, to=5.01e-6)
            nearer = abs(expected[0] - first["Y"][row, column]) - abs(expected[1] - first["Y"][row, column])
            assert says == ("closer" if nearer > 0 else "further away" if nearer < 0 else "the same")
        assert loss[0] == "loss" and loss[4] == ("smaller" if second.loss < first.loss else "larger")
        assert_agrees([number(loss[2]), number(loss[3])], [first.loss, second.loss], to=5.01e-6)


def test_did_it_help_follows_a_change_and_says_of_which_samples(chromium: Any, tmp_path: Path) -> None:
    document = load_problem("article").to_document()
    expected = copy.deepcopy(document)
    expected["learning_rate"] = 30.0
    run = run_of(expected, 2)
    with opened(chromium, run_of(document), tmp_path, "#step-11") as page:
        assert page.locator("#help-body table").is_visible()  # at the last step it is open
        change(page, "learning_rate-1-1", "30")
        loss = help_table(page)[-1]
        assert_agrees([number(loss[2]), number(loss[3])], [run.first.loss, run.last.loss], to=5.01e-6)
    batches = run_of(load_problem("xor").to_document() | {"batch_size": 2})
    with opened(chromium, batches, tmp_path, "#epoch-1-2-step-11") as page:
        assert help_table(page)[-1][0] == "loss of these samples"


@pytest.mark.parametrize("outputs", [("binary_cross_entropy", "sigmoid", False), ("cross_entropy", "softmax", False)])
def test_numbers_beyond_all_measure_leave_the_page_standing(
    chromium: Any, tmp_path: Path, outputs: tuple[str, str, bool]
) -> None:
    with opened(chromium, run_of(network(outputs, "relu")), tmp_path, "#step-10") as page:
        page.click("#help summary")
        for text in ("1e300", "-1e300", "1e-300"):
            for cell in ("W1-1-1", "W2-1-2", "X-1-1"):
                change(page, cell, text)
        assert "\ufffd" not in page.inner_text("main") and "undefined" not in page.inner_text("main")
        page.click("#reset")
        assert page.locator("td.changed").count() == 0
