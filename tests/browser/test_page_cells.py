"""Every cell answers: the cells lit up are those that it is computed from, and its worked line comes to its value."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from tests.browser.pages import Cell, asked, current, opened, read_tables, section_ids, table_cell
from tests.mathml import NotANumberError, reckon
from tests.strategies import documents
from tests.traces import passes
from tracer.expression.lower import lower, precedents
from tracer.presentation.shown import shown
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Pass
from tracer.run.training import trace

pytestmark = pytest.mark.browser

# Click every cell of the section that is shown, and note what the page answers.
ASK_ALL = """() => {
  const section = document.querySelector('section.step:not([hidden])');
  const place = td => [td.closest('table').dataset.id, td.parentNode.rowIndex - 1, td.cellIndex - 1];
  const lit = name => [...section.querySelectorAll('.board td.' + name)].map(place);
  const line = div => [...div.querySelectorAll('math')].map(math =>
    new XMLSerializer().serializeToString(math).replaceAll(/ xmlns="[^"]*"/g, ''));
  return [...section.querySelectorAll('.board tr + tr > :is(th, td:first-child) ~ td')].map(td => {
    td.click();
    return {cell: place(td), text: td.textContent, asked: lit('is-asked'), from: lit('is-from'), users: lit('is-user'),
            lines: [...document.querySelectorAll('#asked-lines > div')].map(line)};
  });
}"""


def made_of(one: Pass) -> dict[Cell, set[Cell]]:
    """What every cell of a pass is computed from, as the expressions say; a given one from nothing."""
    found: dict[Cell, set[Cell]] = {}
    for key, each in one.program.assignments.items():
        for row, column in np.ndindex(each.shape):
            used = () if each.expression is None else precedents(lower(each.expression, row, column))
            found[key, row, column] = {(cell.matrix, cell.row, cell.column) for cell in used}
    return found


def places(cells: list[list[Any]]) -> set[Cell]:
    return {(matrix, row, column) for matrix, row, column in cells}


@settings(max_examples=10)
@given(document=documents(most_layers=3, most_rows=4))
def test_every_cell_of_a_random_network_answers(
    chromium: Any, tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]
) -> None:
    passes(document)  # drops what cannot be worked
    run = trace(problem_from_document(document, "drawn", "drawn"))
    one, sources = run.first, made_of(run.first)
    users = defaultdict(set)
    for cell, used in sources.items():
        for each in used:
            users[each].add(cell)
    before = "localStorage.setItem('tracer-page', JSON.stringify({decimals: '12'}))"
    with opened(chromium, run, tmp_path_factory.mktemp("page"), before=before) as page:
        last = next(each for each in reversed(section_ids(page)) if each.startswith(("step", "epoch-1-1-")))
        page.evaluate("id => { location.hash = id; }", last)
        page.wait_for_selector(f"[id='{last}']:not([hidden])")
        answers = page.evaluate(ASK_ALL)
    assert {tuple(each["cell"]) for each in answers} == {*sources, ("learning_rate", 0, 0)}
    for each in answers:
        cell = tuple(each["cell"])
        assert places(each["asked"]) == {cell}
        assert places(each["from"]) == sources.get(cell, set())
        assert places(each["users"]) == users[cell]
        if cell[0] in (*one.program.inputs, "learning_rate"):
            assert each["lines"] == []
            continue
        value = float(one[cell[0]][cell[1:]])
        for line in each["lines"][1:]:  # the first is in letters
            try:
                assert reckon(line) == pytest.approx(value, rel=1e-6, abs=1e-9), (cell, line)
            except NotANumberError as wrong:
                assert "more)" in str(wrong)
        assert reckon(each["lines"][-1]) == pytest.approx(float(each["text"].replace("−", "-")), rel=1e-15, abs=2e-12)


def test_the_worked_line_has_letters_numbers_terms_and_result(chromium: Any, tmp_path: Path) -> None:
    with opened(chromium, trace(load_problem("article")), tmp_path) as page:
        assert asked(page) == "hidden_layer_input1,1 = 1.480"
        lines = page.locator("#asked-lines > div").all_text_contents()
        assert lines == [
            "hidden_layer_input1,1=X1,1·wh1,1 +X1,2·wh2,1 +X1,3·wh3,1 +X1,4·wh4,1 +bh1",
            "=(1)(0.42) +(0)(0.1) +(1)(0.6) +(0)(0.92) +0.46",
            "=0.420 +0.000 +0.600 +0.000 +0.46",
            "=1.480",
        ]


@pytest.mark.parametrize(
    ("example", "link", "stages"),
    [("article", "#A1-1-1", ["e−1.480", "0.228", "1.228"]), ("softmax-classifier", "#A2-1-1", ["e0.298", "1.348"])],
)
def test_powers_of_e_and_their_sum_have_lines_of_their_own(
    chromium: Any, tmp_path: Path, example: str, link: str, stages: list[str]
) -> None:
    with opened(chromium, trace(load_problem(example)), tmp_path, link) as page:
        lines = page.locator("#asked-lines > div").all_text_contents()
        assert len(lines) == 5
        for stage, line in zip(stages, lines[1:], strict=False):
            assert stage in line


def test_what_is_computed_from_and_what_uses_a_cell_can_be_followed(chromium: Any, tmp_path: Path) -> None:
    with opened(chromium, trace(load_problem("article")), tmp_path, "#step-9") as page:
        table_cell(page, "D1-2-3").click()
        sources = page.locator("#asked-sources a").all_text_contents()
        assert sources == ["Error_at_hidden_layer2,3", "slope_hidden_layer2,3"]
        page.locator("#asked-sources a").nth(1).click()
        assert asked(page) == "slope_hidden_layer2,3 = 0.1379"
        assert page.locator("#asked-users a").all_text_contents() == ["d_hiddenlayer2,3"]
        page.locator("#asked-lines [data-matrix='A1']").first.click()  # a letter of the line is a way, too
        assert asked(page) == "hiddenlayer_activations2,3 = 0.835"
        page.go_back()
        assert asked(page) == "slope_hidden_layer2,3 = 0.1379"
        page.go_back()
        assert asked(page) == "d_hiddenlayer1,1 = 0.001587"  # the step as it was entered


def test_a_cell_that_is_cut_out_of_its_table_answers_too(chromium: Any, tmp_path: Path) -> None:
    run = trace(load_problem("moons"))
    with opened(chromium, run, tmp_path, "#Z1-500-3") as page:
        assert asked(page) == f"Z1500,3 = {shown(run, run.first).text('Z1', float(run['Z1'][499, 2]))}"
        assert page.locator(".board td.is-asked").count() == 0 and page.locator(".stage td.is-asked").count() == 1
        assert page.locator("td.is-from").count() > 0  # the weights are on the board


@pytest.mark.parametrize("example", ["article", "mazur"])
def test_the_story_leads_to_the_chain_of_its_weight(chromium: Any, tmp_path: Path, example: str) -> None:
    run = trace(load_problem(example))
    depth = run.problem.depth
    change = np.abs(run[f"W{depth}_next"] - run[f"W{depth}"])
    row, column = (int(k) for k in np.unravel_index(change.argmax(), change.shape))
    with opened(chromium, run, tmp_path) as page:
        before, after = (float(page.inner_text(f"#story-{each}")) for each in ("before", "after"))
        assert before == pytest.approx(run[f"W{depth}"][row, column], abs=1e-3)
        assert after == pytest.approx(run[f"W{depth}_next"][row, column], abs=1e-3)
        page.click("text=see why")
        assert current(page) == "step-10"
        lit = [cell for cell, each in read_tables(page, "step-10").items() if "is-asked" in each["classes"]]
        assert lit == [(f"W{depth}_next", row, column)]
        assert page.locator("#asked-chain-lines mfrac").count() >= 3 * run.problem.rows
        factors = page.locator("#asked-chain-cells a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        assert f"#S{depth}-1-{column + 1}" in factors
        page.locator("#asked-chain-lines [data-matrix='E']").first.click()
        assert current_matrix(page) == "E"


def current_matrix(page: Any) -> str:
    return str(page.locator("td.is-asked").evaluate("td => td.closest('table').dataset.id"))


@pytest.mark.parametrize("problem", ["hand", "softmax-classifier"])
def test_hovering_moves_nothing(chromium: Any, tmp_path: Path, problem: str) -> None:
    tables = "[...document.querySelectorAll('section.step:not([hidden]) .board table')]"
    top = f"() => {tables}.map(each => each.getBoundingClientRect().top)"
    for width in (1280, 900):
        with opened(chromium, trace(load_problem(problem)), tmp_path, "#step-5", size=(width, 900)) as page:
            before = page.evaluate(top)
            for cell in page.locator("section.step:not([hidden]) .board td[tabindex]").all()[::4]:
                box = cell.bounding_box()
                if box and 60 < box["y"] < 860:
                    page.mouse.move(box["x"] + 5, box["y"] + 5)
                    assert page.evaluate(top) == before
            assert asked(page)


def test_a_cell_that_comes_under_a_mouse_at_rest_is_not_asked(chromium: Any, tmp_path: Path) -> None:
    """Who goes on to a step sees what the step opens on, wherever the pointer was left."""
    with opened(chromium, trace(load_problem("article")), tmp_path) as page:
        page.evaluate("location.hash = '#step-10'")
        first = page.inner_text("#asked-place")
        spot = page.locator("section.step:not([hidden]) .stage td").nth(-2).bounding_box()
        page.evaluate("location.hash = '#step-7'")
        page.mouse.move(spot["x"] + 4, spot["y"] + 4)
        page.evaluate("location.hash = '#step-10'")
        page.wait_for_timeout(200)
        assert page.inner_text("#asked-place") == first
        page.mouse.move(spot["x"] + 6, spot["y"] + 6)
        assert page.inner_text("#asked-place") != first
