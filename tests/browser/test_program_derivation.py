"""The book of a program in a real browser: it fits screen, phone and paper, and axe finds nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_derivation import A4, FORMULAS, TOO_WIDE, open_book
from tests.browser.test_page_axe import complaints
from tests.unit.derivation.test_programs import RECURRENT
from tracer.derivation.book import write_derivation
from tracer.derivation.typeset import em_width
from tracer.problem.program_problem import program_from_document
from tracer.run.training import trace

pytestmark = pytest.mark.browser

ATTENTION = {
    "learning_rate": 0.1,
    "given": {"X": [[1, 0, 1], [0, 2, 0], [1, 1, 0]], "Y": [[1, 0], [0, 1], [1, 0]]},
    "parameters": {"Wq": {"shape": [3, 2]}, "Wk": {"shape": [3, 2]}, "Wv": {"shape": [3, 2]}},
    "steps": [
        {"title": "Queries, keys, values", "formulas": ["Q = X @ Wq", "K = X @ Wk", "V = X @ Wv"]},
        {"title": "Attention", "formulas": ["S = Q @ K.T / sqrt(2)", "P = softmax(S)", "H = P @ V"]},
        {"title": "Loss", "formulas": ["L = half_squared_error(H, Y)"]},
    ],
}
LAYER_NORM = {
    "learning_rate": 0.1,
    "given": {"X": [[1, 2, 0.5], [0, -1, 1]], "Y": [[1, 0, 0], [0, 1, 0]]},
    "parameters": {"W": {"shape": [3, 3]}, "gamma": [1, 0.9, 1.1], "beta": [0.1, 0, -0.1]},
    "steps": [
        {"formulas": ["Z = X @ W", "mu = mean(Z, axis=1)", "v = var(Z, axis=1)"]},
        {"formulas": ["N = (Z - mu) / sqrt(v + 0.00001)", "A = gamma * N + beta", "L = half_squared_error(A, Y)"]},
    ],
}
DOCUMENTS = {
    "attention": ATTENTION,
    "recurrence": RECURRENT | {"optimizer": {"name": "adam"}},
    "layer norm": LAYER_NORM,
}


@pytest.fixture(scope="module", params=DOCUMENTS)
def book(request: Any, chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path: Path = tmp_path_factory.mktemp("book") / "program.derivation.html"
    write_derivation(trace(program_from_document(DOCUMENTS[request.param], request.param, "drawn.toml")), path)
    page, noise = open_book(chromium, path, 1400, bypass_csp=True)
    assert noise == []
    yield page
    page.close()


def test_nothing_is_cut_off_on_paper(book: Any) -> None:
    book.set_viewport_size({"width": A4, "height": 900})
    book.emulate_media(media="print")
    assert book.evaluate(TOO_WIDE) == []
    assert book.evaluate("document.documentElement.scrollWidth") <= A4


def test_formulas_are_no_wider_than_reckoned_and_none_is_set_too_small(book: Any) -> None:
    book.emulate_media(media="screen")
    formulas = book.evaluate(FORMULAS)
    assert len(formulas) > 100
    for formula in formulas:
        assert formula["width"] <= em_width(formula["markup"]) * formula["size"], formula["markup"][:300]
    sizes = book.evaluate("[...document.querySelectorAll('.line')].map(each => parseFloat(each.style.fontSize || 100))")
    assert min(sizes) > 45


def test_the_picture_of_the_steps_stands_at_the_beginning(book: Any) -> None:
    first = book.locator("main svg").first
    assert first.get_attribute("role") == "img" and "forward step" in first.get_attribute("aria-label")
    box = first.bounding_box()
    assert box["width"] > 100 and box["height"] > 30
    lines = first.locator(".arrow polyline").evaluate_all("all => all.map(each => getComputedStyle(each).markerEnd)")
    assert lines and set(lines) == {"none"}  # the arrows have points of their own


@pytest.mark.parametrize("width", [1400, 390])
def test_it_scrolls_down_only(book: Any, width: int) -> None:
    book.emulate_media(media="screen")
    book.set_viewport_size({"width": width, "height": 900})
    assert book.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1400, 390])
def test_axe_finds_nothing(book: Any, width: int) -> None:
    """The last test of a book: it leaves the formulas of the first passage of every chapter, as they are much alike."""
    book.set_viewport_size({"width": width, "height": 900})
    book.evaluate("document.querySelectorAll('.block:nth-of-type(n+2) .line').forEach(line => line.remove())")
    assert book.locator(".line").count() > 20
    assert complaints(book) == []
