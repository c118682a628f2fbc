"""Trying out: sliders, the loss beside what is changed, one more epoch as a longer training has it, and undo."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.pages import opened, read_tables, table_cell
from tests.browser.test_page_whatif import PRECISE, assert_shows, change, run_of
from tracer.problem.program_problem import program_from_document
from tracer.problem.reading import load_problem
from tracer.run.training import trace

pytestmark = pytest.mark.browser

ADAM = {
    "learning_rate": 0.1,
    "given": {"X": [[1.0, 2.0], [0.5, -1.0]], "Y": [[1.0], [0.2]]},
    "parameters": {"W": [[0.3], [0.4]]},
    "steps": [{"formulas": ["P = tanh(X @ W)", "L = half_squared_error(P, Y)"]}],
    "optimizer": {"name": "adam"},
}
SLIDE = """([id, value]) => { const slider = document.querySelector(id); slider.value = value;
  slider.dispatchEvent(new Event('input')); slider.dispatchEvent(new Event('change')); }"""


def loss_of(page: Any) -> str:
    return str(page.inner_text("#asked-loss"))


@pytest.mark.parametrize("batch", [2, 4])
def test_one_more_epoch_is_the_next_one_of_a_training(chromium: Any, tmp_path: Path, batch: int) -> None:
    document = load_problem("xor").to_document() | {"batch_size": batch}
    expected = run_of(document, 3)
    losses = [each.iterations[0].loss for each in expected.epochs]
    first = expected.epochs[2].iterations[0]
    with opened(chromium, run_of(document), tmp_path, before=PRECISE) as page:
        table_cell(page, "W1-1-1").click()
        for _ in range(2):
            page.click("#once-more")
        assert f"{losses[2]:.5f}"[:6] in loss_of(page) and "after 2 more epochs" in loss_of(page)
        told = page.get_attribute("#curve", "aria-label").split(": ")[1].split(", ")
        assert np.allclose([float(each) for each in told], losses, atol=1e-6)
        assert page.locator("#curve circle").count() == 3
        shown = table_cell(page, "W1-1-1").inner_text()
        assert float(shown.replace("−", "-")) == pytest.approx(first["W1"][0, 0], abs=1e-9) and len(shown) < 16
        last = f"{page.evaluate('document.querySelector(`section.step`).id').removesuffix('step-0')}step-11"
        page.evaluate("anchor => { location.hash = anchor; }", last)
        assert_shows(page, last, first)


def test_an_optimizers_states_go_on_too(chromium: Any, tmp_path: Path) -> None:
    problem = program_from_document(ADAM, "adam", "adam")
    expected = trace(problem, range(1, 4)).epochs[2].iterations[0]
    with opened(chromium, trace(problem), tmp_path, "#step-2", before=PRECISE) as page:
        table_cell(page, "W-1-1").click()
        for _ in range(2):
            page.click("#once-more")
        assert_shows(page, "step-2", expected)


def test_sliders_change_the_number_and_the_rate_and_undo_goes_back(chromium: Any, tmp_path: Path) -> None:
    document = load_problem("article").to_document()
    with opened(chromium, run_of(document), tmp_path) as page:
        table_cell(page, "W1-1-1").click()
        before = loss_of(page)
        page.evaluate(SLIDE, ["#asked-slider", 50])
        assert page.input_value("#asked-number") == "0.92"
        page.evaluate(SLIDE, ["#rate-slider", 50])
        assert page.inner_text("#rate-now") == "1"
        document["layers"][0]["weights"][0][0], document["learning_rate"] = 0.92, 1.0
        loss = run_of(document).first.loss
        assert loss_of(page) == f"{before} → now {loss:.6f}"
        assert loss_of(page).split()[-1] == page.inner_text("#now")
        page.click("#undo")
        assert page.inner_text("#rate-now") == "0.1" and page.input_value("#asked-number") == "0.92"
        page.click("#undo")
        assert loss_of(page) == before and page.locator("#undo").is_hidden()
        assert page.locator("td.changed").count() == 0


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (1366, 768), (390, 844)])
def test_the_input_and_the_loss_are_in_view_together(chromium: Any, tmp_path: Path, width: int, height: int) -> None:
    run = run_of(load_problem("article").to_document())
    with opened(chromium, run, tmp_path, "#W1-1-1", size=(width, height), unfold=False) as page:
        page.fill("#asked-number", "0.9")
        page.press("#asked-number", "Enter")
        assert " → now " in loss_of(page)
        for part in ("#asked-number", "#asked-loss", "#asked-slider", "#once-more"):
            seen = page.evaluate(
                """part => { const element = document.querySelector(part), box = element.getBoundingClientRect();
                const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
                return found === element || element.contains(found); }""",
                part,
            )
            assert seen, part


def test_the_sign_of_a_changed_cell_covers_no_digit(chromium: Any, tmp_path: Path) -> None:
    with opened(chromium, run_of(load_problem("article").to_document()), tmp_path, "#step-9") as page:
        change(page, "W1-1-1", "0.9")
        rooms = page.evaluate("""[...document.querySelectorAll('section:not([hidden]) td.changed')].map(td => {
          const range = document.createRange(); range.selectNodeContents(td);
          const sign = getComputedStyle(td, '::after');
          return range.getBoundingClientRect().left - td.getBoundingClientRect().left
            - parseFloat(sign.left) - parseFloat(sign.fontSize) * 0.8; })""")
        assert len(rooms) > 5 and min(rooms) >= 0
        assert any("changed" in each["classes"] for each in read_tables(page, "step-9").values())
