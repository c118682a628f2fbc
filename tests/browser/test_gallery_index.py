"""The gallery's first page, as somebody meets it who has a minute: a slider, a mistake, and two clicks to a first ✓."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.pages import opened
from tests.browser.test_page_axe import PHONE, complaints
from tests.browser.test_worksheet import SIGNS
from tests.gallery import OUTPUTS
from tracer.gallery.index import render_index
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.training import trace

pytestmark = pytest.mark.browser

SIZES: dict[str, dict[str, Any]] = {"desktop": {"size": (1400, 900)}, "phone": PHONE}


@pytest.fixture(scope="module")
def index() -> str:
    return render_index(OUTPUTS)


def turn(page: Any, weight: float) -> None:
    page.evaluate(
        "x => { const it = document.querySelector('#weight'); it.value = x; it.dispatchEvent(new Event('input')) }",
        weight,
    )


@pytest.mark.parametrize("options", [*SIZES.values(), {**PHONE, "color_scheme": "dark"}], ids=[*SIZES, "dark"])
def test_axe_finds_nothing_and_nothing_runs_over_the_edge(
    chromium: Any, tmp_path: Path, index: str, options: dict[str, Any]
) -> None:
    """`opened` holds that the page asks for nothing but itself."""
    with opened(chromium, index, tmp_path, bypass_csp=True, unfold=False, **options) as page:
        page.click(".lines button >> nth=2")
        assert complaints(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_slider_shows_the_loss_of_that_weight(chromium: Any, tmp_path: Path, index: str) -> None:
    problem = load_problem("mlp-paper")
    with opened(chromium, index, tmp_path, unfold=False) as page:
        first = float(page.inner_text("#loss"))
        assert page.locator("#weight").bounding_box()["y"] < 800  # in the first view
        for weight in (-0.5, 0.4, 2.0):
            turn(page, weight)
            document = problem.to_document()
            document["layers"][-1]["weights"][0][0] = weight
            loss = trace(problem_from_document(document, "turned", "turned")).first.loss
            assert float(page.inner_text("#loss")) == pytest.approx(loss, abs=5e-5)
            assert ("Less wrong" in page.inner_text("#says")) is (loss < first), weight


def test_the_copied_mistake_is_found_in_the_third_line(chromium: Any, tmp_path: Path, index: str) -> None:
    right = trace(load_problem("mazur")).first["dW1"].T.ravel()
    with opened(chromium, index, tmp_path, unfold=False) as page:
        claimed = [
            float(each) for each in page.eval_on_selector_all(".lines button", "all => all.map(x => x.dataset.claimed)")
        ]
        np.testing.assert_allclose(claimed[:2], right[:2], atol=5e-9)
        assert all(abs(np.array(claimed[2:]) - right[2:]) > 1e-6)
        says = []
        for line in range(4):
            page.click(f".lines button >> nth={line}")
            says.append(page.inner_text("#found"))
        assert [each.split()[0] for each in says] == ["This", "This", "Found.", "Wrong"]
        assert f"{right[2]:.8f}" in says[2]


@pytest.mark.parametrize("options", SIZES.values(), ids=SIZES)
def test_two_clicks_lead_to_a_first_mark(chromium: Any, options: dict[str, Any]) -> None:
    first = trace(load_problem("mlp-paper")).first["Z1"][0, 0]
    context = chromium.new_context(viewport={"width": options["size"][0], "height": options["size"][1]})
    page = context.new_page()
    page.goto((OUTPUTS / "index.html").as_uri())
    page.click("#turn .links a >> nth=0")
    page.click("[data-keep='Z1-0-0']")
    page.keyboard.type(f"{first:.3f}")
    page.keyboard.press("Enter")
    assert page.evaluate(SIGNS)["Z1-0-0"] == "✓"
    context.close()


def test_every_link_leads_somewhere() -> None:
    text = (OUTPUTS / "index.html").read_text(encoding="utf-8")
    links = {part.partition('"')[0].partition("#")[0] for part in text.split('href="')[1:]}
    assert len(links) > 60
    assert not {each for each in links if not (OUTPUTS / each).exists()}
