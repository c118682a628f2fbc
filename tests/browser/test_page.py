"""The page in a real browser: what it shows, on screen and on paper, and that nothing else can get into it."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.pages import in_batches, opened, read_tables, section_ids
from tests.conftest import require_program
from tracer.page import script as page_script
from tracer.page.page import render_page
from tracer.presentation.shown import shown
from tracer.problem.problem import problem_from_document
from tracer.problem.program_problem import program_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace

pytestmark = pytest.mark.browser

EXAMPLES = ["article", "hand", "mazur", "softmax-classifier"]
# What is shown and ends to the right of a place, by how it begins.
BEYOND = """right => [...document.querySelectorAll('body *')].filter(each => each.getClientRects().length)
  .filter(each => each.getBoundingClientRect().right > right).map(each => each.outerHTML.slice(0, 90))"""
COLOURS = {"active": "rgb(255, 241, 118)", "input": "rgb(249, 188, 122)"}


@pytest.fixture(params=EXAMPLES)
def recorded(request: Any) -> Trace:
    return trace(load_problem(request.param))


def wide_network(layers: int = 2, units: int = 14, rows: int = 3) -> Trace:
    """As many cells as a table shows, with long numbers."""
    random = np.random.default_rng(5)
    document = {
        "title": "Wide",
        "learning_rate": 0.1,
        "loss": "cross_entropy",
        "data": {"X": random.normal(size=(rows, units)).tolist(), "Y": np.eye(units)[np.arange(rows) % units].tolist()},
        "layers": [
            *({"activation": "tanh", "units": units} for _ in range(layers - 1)),
            {"activation": "softmax", "units": units},
        ],
    }
    return trace(problem_from_document(document, "wide", "wide"))


def test_every_step_shows_every_known_value(chromium: Any, recorded: Trace, tmp_path: Path) -> None:
    one, decimals = recorded.last, shown(recorded, recorded.last)
    with opened(chromium, recorded, tmp_path) as page:
        assert section_ids(page) == [f"step-{step.label}" for step in one.steps]
        known = {"learning_rate"}
        for step in one.steps:
            known |= {each.id for each in step.assignments}
            cells = read_tables(page, f"step-{step.label}")
            expected = {(key, *at): decimals.text(key, float(one[key][at])) for key in known - {"learning_rate"}
                        for at in np.ndindex(one[key].shape)}  # fmt: skip
            expected["learning_rate", 0, 0] = decimals.text("learning_rate", recorded.problem.learning_rate)
            assert {cell: each["text"] for cell, each in cells.items()} == expected


def test_several_passes_show_their_own_values(chromium: Any, tmp_path: Path) -> None:
    run = in_batches()
    with opened(chromium, run, tmp_path) as page:
        for epoch in run.epochs:
            for one in epoch.iterations:
                cells = read_tables(page, f"epoch-{one.epoch}-{one.iteration}-step-11")
                decimals = shown(run, one)
                for (key, *at), each in cells.items():
                    if key != "learning_rate":
                        assert each["text"] == decimals.text(key, float(one[key][tuple(at)]))


def test_yellow_is_computed_and_orange_is_computed_from(chromium: Any, recorded: Trace, tmp_path: Path) -> None:
    colours = "cells => [...new Set(cells.map(cell => getComputedStyle(cell).backgroundColor))]"
    with opened(chromium, recorded, tmp_path, java_script_enabled=False) as page:
        for step in recorded.last.steps:
            section = page.locator(f"[id='step-{step.label}']")
            section.scroll_into_view_if_needed()
            for role, colour in COLOURS.items():
                tables = section.locator(f"table.{role}")
                if role == "active":
                    ids = set(tables.evaluate_all("all => all.map(each => each.dataset.id)"))
                    assert ids == {each.id for each in step.assignments}
                if tables.count():
                    assert tables.locator("tr + tr > :is(th, td:first-child) ~ td").evaluate_all(colours) == [colour]
        assert "•" in page.inner_text("body") and "▶" in page.inner_text("body")


def test_every_step_that_computes_has_a_formula_and_a_cell_worked_out(
    chromium: Any, recorded: Trace, tmp_path: Path
) -> None:
    with opened(chromium, recorded, tmp_path, java_script_enabled=False) as page:
        for step in recorded.last.steps:
            computed = [each for each in step.assignments if each.expression is not None]
            section = page.locator(f"[id='step-{step.label}']")
            later = [each for each in computed if each.id[0] == "J" and int(each.id[1:]) > 3]  # "likewise"
            assert section.locator(".formula").count() == len(computed) - len(later)
            assert section.text_content().count("likewise") == bool(later)
            assert section.locator(".worked.first").count() == len(computed) - len(later)
            section.scroll_into_view_if_needed()
            assert section.locator(".worked math").evaluate_all(
                "all => all.every(m => m.getBoundingClientRect().width)"
            )


def test_every_cell_has_a_name_for_those_who_cannot_see_it(chromium: Any, tmp_path: Path) -> None:
    with opened(chromium, trace(load_problem("article")), tmp_path, "#step-2") as page:
        tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
        nodes = {node["nodeId"]: node for node in tree}
        table = next(node for node in tree if said(node) == "hidden_layer_input, Z1, 3×3, computed in this step")
        assert table["role"]["value"] == "table"
        inside = list(below(nodes, table))
        headings = [(each["role"]["value"], said(each)) for each in inside if "header" in each["role"]["value"]]
        assert ("columnheader", "unit 3") in headings and ("rowheader", "sample 2") in headings
        assert [said(each) for each in inside if each["role"]["value"] == "cell"].count("1.890") == 1


def said(node: dict[str, Any]) -> str:
    return str(node.get("name", {}).get("value", ""))


def below(nodes: dict[str, Any], node: dict[str, Any]) -> Any:
    for child in node["childIds"]:
        yield nodes[child]
        yield from below(nodes, nodes[child])


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_nothing_is_wider_than_the_window(chromium: Any, recorded: Trace, tmp_path: Path, width: int) -> None:
    with opened(chromium, recorded, tmp_path, size=(width, 800)) as page:
        for _ in recorded.last.steps:
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            if page.locator("#next").is_enabled():
                page.click("#next")


def test_a_large_matrix_is_cut_and_says_so(chromium: Any, tmp_path: Path) -> None:
    run = trace(load_problem("blobs"))
    with opened(chromium, run, tmp_path) as page:
        rows = page.locator("[id='step-0'] table[data-id='X'] tr")
        assert rows.count() < run["X"].shape[0]
        texts = rows.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.textContent))")
        assert texts[9][1] == "⋮"
        last = shown(run, run.last).text("X", float(run["X"][-1, 0]))
        assert texts[-1][:2] == [str(len(run["X"])), last]


# On paper -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("example", "script"), [*((each, True) for each in (*EXAMPLES, "wide")), ("hand", False), ("wide", False)]
)
def test_printing_gives_every_step_with_nothing_cut(chromium: Any, tmp_path: Path, example: str, script: bool) -> None:
    run = wide_network() if example == "wide" else trace(load_problem(example))
    with opened(chromium, run, tmp_path, java_script_enabled=script, color_scheme="dark") as page:
        pdf = page.pdf(format="A4")
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 703, "height": 1000})  # A4 less its margins, at 96 pixels an inch
        assert page.evaluate(BEYOND, 704) == []
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") in (
            "rgb(255, 255, 255)",
            "rgba(0, 0, 0, 0)",
        )
    (tmp_path / "page.pdf").write_bytes(pdf)
    text = subprocess.run(
        [require_program("pdftotext"), "-layout", tmp_path / "page.pdf", "-"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    text = " ".join(text.split())
    for step in run.last.steps:
        assert f"Step {step.label} {step.title}" in text
    decimals = shown(run, run.last)
    for key in ("A1", f"W{run.problem.depth}_next"):
        for value in run.last[key][0]:
            assert decimals.text(key, float(value)) in text


def test_paper_has_the_choices_and_changes_of_the_screen(chromium: Any, tmp_path: Path) -> None:
    with opened(chromium, trace(load_problem("article")), tmp_path, "#W1-1-1") as page:
        page.fill("#asked-number", "0.9")
        page.press("#asked-number", "Enter")
        page.evaluate("document.querySelector('#settings').open = true")
        page.select_option("#decimals", "5")
        page.select_option("#style", "mazur")
        pdf = page.pdf(format="A4")
    (tmp_path / "page.pdf").write_bytes(pdf)
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "page.pdf", "-"], capture_output=True, check=True, text=True
    )
    assert "1.96000" in text.stdout and "1.48000" in text.stdout  # Z1[1,1] changed, Z1[3,1] as it was
    assert "hidden_layer_input" not in text.stdout and "net" in text.stdout


def test_a_heading_as_long_as_a_line_of_code_is_broken_on_a_phone(chromium: Any, tmp_path: Path) -> None:
    long = "encoder_projection_of_the_first_layer_with_a_long_name"
    steps = [{"title": f"{long}: Linear", "formulas": [f"{long} = X @ W"]},
             {"title": "Loss", "formulas": [f"L = squared_error({long}, Y)"]}]  # fmt: skip
    document = {"learning_rate": 0.1, "given": {"X": [[1.0, 2.0]], "Y": [[1.0]]}, "parameters": {"W": [[0.5], [0.2]]}}
    run = trace(program_from_document(document | {"steps": steps}, "long", "long"))
    with opened(chromium, run, tmp_path, size=(390, 844)) as page:
        while long not in page.inner_text("section.step:not([hidden]) h2"):
            page.click("#next")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


# Without scripts, or with others' -----------------------------------------------------------------


def test_without_scripts_everything_can_be_read(chromium: Any, recorded: Trace, tmp_path: Path) -> None:
    with opened(chromium, recorded, tmp_path, java_script_enabled=False) as page:
        assert page.locator("section.step").evaluate_all("all => all.every(each => each.getClientRects().length)")
        assert "Scripts are off" in page.inner_text("header")
        assert not page.locator(".script-only").evaluate_all("all => all.some(each => each.getClientRects().length)")
        page.locator(".rail a").last.click()
        assert page.url.endswith(section_ids(page)[-1])


def test_a_network_too_large_for_a_script_can_be_read(
    chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_script, "script_data", lambda trace, one: None)
    with opened(chromium, trace(load_problem("article")), tmp_path) as page:
        assert page.locator("script").count() == 0
        assert page.locator("section.step").evaluate_all("all => all.every(each => each.getClientRects().length)")
        assert "too large" in page.inner_text("header")


def test_passes_beyond_what_a_page_carries_step_and_can_be_read(
    chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = in_batches()
    monkeypatch.setattr(page_script, "MOST_DATA", 22_000)
    with opened(chromium, run, tmp_path, "#epoch-1-1-step-11") as page:
        assert 0 < page.evaluate("DATA.passes.length") < 4
        page.select_option("#pass", "3")
        assert page.locator("section.step:not([hidden])").get_attribute("id") == "epoch-2-2-step-11"
        assert "can only be read" in page.inner_text("section.step:not([hidden])")
        assert page.locator("section.step:not([hidden]) .worked.first").first.is_visible()
        page.locator("section.step:not([hidden]) .board td").nth(5).click()
        assert page.locator("#asked").is_hidden()
        page.evaluate("document.querySelector('#settings').open = true")
        for name, value in (("turned", "yes"), ("style", "mazur"), ("decimals", "6")):
            page.select_option(f"#{name}", value)
        page.click("#previous")
        assert page.locator("section.step:not([hidden])").get_attribute("id") == "epoch-2-2-step-10"


def test_no_other_script_can_run(chromium: Any, tmp_path: Path) -> None:
    text = render_page(trace(load_problem("article")))
    foreign = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">"
    with opened(chromium, text.replace("</main>", f"{foreign}</main>"), tmp_path, quiet=False) as page:
        assert page.title() != "taken"
        assert page.locator("#next").is_visible()  # the page's own does
        for source in ("script", "iframe", "img"):
            page.evaluate(
                f"document.body.append(Object.assign(document.createElement('{source}'), {{src: 'data:text/html,1'}}))"
            )
        page.evaluate("setTimeout(\"document.title = 'taken'\")")
        page.wait_for_timeout(100)
        assert page.title() != "taken"


EVIL = (
    "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">'\"\u2028\u2029<!--"
)


IMAGES_AFTER_EACH_CLICK = """() => {
  const found = [];
  for (const cell of document.querySelectorAll("section.step:not([hidden]) .board td[tabindex='0']")) {
    cell.click();
    if (document.querySelector('img')) found.push(cell.textContent);
  }
  return found;
}"""


def test_names_from_a_problem_file_stay_text(chromium: Any, tmp_path: Path) -> None:
    document = load_problem("article").to_document()
    tag = "</script><img src=x onerror=document.title='taken'>"
    own = {"style": "matrix", "Z1": tag, "W2": "<b>" + tag[:40], "X": "a<b>&\"'", "E": "{{ 7*7 }}${7*7}"}
    document |= {"title": EVIL, "description": EVIL, "source": EVIL, "names": own}
    run = trace(problem_from_document(document, "evil", "evil"))
    with opened(chromium, run, tmp_path) as page:
        assert page.locator("script").count() == 2 and page.locator("img").count() == 0
        for step in ("1", "8", "11"):
            page.click(f".rail a[data-step='step-{step}']")
            assert page.evaluate(IMAGES_AFTER_EACH_CLICK) == []
        page.evaluate("document.querySelector('#settings').open = true")
        page.select_option("#style", "hand")
        page.select_option("#style", "matrix")
        assert "taken" not in (page.title(), page.evaluate("document.title"))
        assert page.locator("script").count() == 2 and page.locator("img").count() == 0
        assert "<img src=x" in page.inner_text("h1")
