"""The feedback page in a real browser: on a desk, a phone, in the dark and on paper."""

import re
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_page_axe import RUN
from tests.conftest import require_module, require_program
from tests.marking import mark, with_rule, worked
from tracer.classroom.feedback_page import render_feedback
from tracer.presentation.theme import theme_of
from tracer.problem.reading import load_problem

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The article's example without its first bias, and with cells that are blank, no number or too coarse."""
    problem = load_problem("article").to_document()
    answers: Any = worked(problem, with_rule(problem, "Z1", lambda m: m["X"] @ m["W1"]))
    answers["D2"][0][0], answers["dW1"][0][0], answers["dW2"][1][0] = None, "?", "0"
    file = tmp_path_factory.mktemp("feedback") / "ada.feedback.html"
    file.write_text(render_feedback(mark(problem, answers, student={"name": "Ada"}), "hint"), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def spanish(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The article's example without its first bias, with the key, in Spanish."""
    problem = load_problem("article").to_document()
    answers: Any = worked(problem, with_rule(problem, "Z1", lambda m: m["X"] @ m["W1"]))
    commas = {each: [[cell.replace(".", ",") for cell in row] for row in rows] for each, rows in answers.items()}
    file = tmp_path_factory.mktemp("feedback") / "ada.feedback.html"
    file.write_text(render_feedback(mark(problem, commas, student={"name": "Ada"}), "key", theme_of("es")), "utf-8")
    return file


def opened(chromium: Any, path: Path, width: int, scheme: str = "light") -> Any:
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page.on("request", lambda request: None if request.url == path.as_uri() else pytest.fail(request.url))
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (1200, "dark"), (390, "light")])
def test_axe_finds_nothing_and_nothing_lies_beside_the_window(
    chromium: Any, path: Path, width: int, scheme: str
) -> None:
    axe = require_module("axe_playwright_python")
    page = opened(chromium, path, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.add_script_tag(content=resources.files(axe).joinpath("axe.min.js").read_text())
    assert page.evaluate(RUN) == []
    page.close()


def test_in_spanish_it_has_no_english_words_of_its_own_and_no_complaints(chromium: Any, spanish: Path) -> None:
    axe = require_module("axe_playwright_python")
    page = opened(chromium, spanish, 390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.add_script_tag(content=resources.files(axe).joinpath("axe.min.js").read_text())
    assert page.evaluate(RUN) == []
    words, spoken = page.inner_text("body"), page.evaluate("document.body.outerHTML")
    assert "Empieza en hidden_layer_input[1,1]" in words and "empieza aquí" in words and "Puntos" in words
    english = ("start", "cells", "right", "wrong", "expected", "Points", "out of", "Layer ", "sample")
    assert [each for each in english if each in re.sub(r"ada\.feedback|answers\.json", "", words)] == []
    assert 'aria-label="error reconocido"' in spoken and 'aria-label="slip"' not in spoken
    assert re.findall(r"\d\.\d", words) == []
    page.close()


def test_a_wrong_cell_leads_to_what_is_said_of_it(chromium: Any, path: Path) -> None:
    page = opened(chromium, path, 1200)
    page.click("td.start a")
    title = page.evaluate("document.querySelector(':target h3').innerText")
    assert title.startswith("start here hidden_layer_input[1,1] and 8 more")
    assert page.evaluate("document.querySelector(':target').getBoundingClientRect().top") >= 0
    page.click("td.blank a")
    assert "d_output[1,1]" in page.evaluate("document.querySelector(':target h3').innerText")
    page.close()


def test_on_paper_it_is_three_pages_and_signs_are_there_without_colour(
    chromium: Any, path: Path, tmp_path: Path
) -> None:
    page = opened(chromium, path, 1200)
    page.pdf(path=str(tmp_path / "page.pdf"), format="A4", prefer_css_page_size=True)
    page.close()
    text = subprocess.run(
        [require_program("pdftotext"), "-layout", str(tmp_path / "page.pdf"), "-"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    assert 1 <= text.count("\f") <= 3
    assert "start here" in text and len(re.findall("[✗↪]", text)) > 50
