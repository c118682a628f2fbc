"""The book of a derivation in a real browser: it fits the paper, and asks nobody for anything."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.derivation.test_book import layered, recorded
from tracer.derivation.book import write_derivation
from tracer.derivation.typeset import em_width
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace

pytestmark = pytest.mark.browser

A4, LETTER, PHONE = 680, 702, 390  # pixels between the margins of the papers; of a phone
LONG = "a name of a matrix that goes on and on and on & on <for ever>"
TOO_WIDE = """
() => [...document.querySelectorAll('.line, .stage, .stage > math, figure, svg, p, li')].filter(each => {
  const box = each.getBoundingClientRect();
  return each.scrollWidth > each.clientWidth + 1 && each.clientWidth || box.right > document.body.clientWidth + 1;
}).map(each => each.className + ' ' + each.textContent.slice(0, 60))
"""
FORMULAS = """
() => [...document.querySelectorAll('.stage > math')].map(math => ({
  markup: math.innerHTML.replaceAll('&nbsp;', ' '), width: math.getBoundingClientRect().width,
  size: parseFloat(getComputedStyle(math).fontSize),
}))
"""


def example(name: str) -> Trace:
    if name == "long names":
        names = {"style": "matrix", "Z1": LONG[:60], "W2": LONG[1:60]}
        return recorded(layered([3, 3, 2], 2) | {"names": names})
    return recorded(layered([12, 9, 7], 9)) if name == "wide" else trace(load_problem(name))


def open_book(chromium: Any, path: Path, width: int, **options: Any) -> tuple[Any, list[str]]:
    page = chromium.new_page(viewport={"width": width, "height": 900}, **options)
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    page.on("request", lambda request: noise.append(request.url))
    page.goto(path.as_uri())
    return page, [line for line in noise if not line.endswith(path.name)]


@pytest.fixture(scope="module", params=["hand", "article", "mazur", "softmax-classifier", "long names", "wide"])
def opened(request: Any, chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, list[str]]]:
    path = tmp_path_factory.mktemp("book") / "book.derivation.html"
    write_derivation(example(request.param), path)
    page, noise = open_book(chromium, path, A4)
    yield page, noise
    page.close()


@pytest.mark.parametrize("width", [A4, LETTER])
def test_nothing_is_cut_off_on_paper(opened: tuple[Any, list[str]], width: int) -> None:
    page, _ = opened
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(media="print")
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_phone_scrolls_down_only(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": PHONE, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


def test_formulas_are_no_wider_than_reckoned(opened: tuple[Any, list[str]]) -> None:
    formulas = opened[0].evaluate(FORMULAS)
    assert len(formulas) > 50
    for formula in formulas:
        assert 0 < formula["width"] <= em_width(formula["markup"]) * formula["size"], formula["markup"][:200]


def test_the_book_asks_for_nothing_and_says_nothing(opened: tuple[Any, list[str]]) -> None:
    page, noise = opened
    assert noise == []
    assert page.locator("script, img, link, iframe").count() == 0


@pytest.mark.parametrize(("paper", "fewest"), [("A4", 7), ("Letter", 7)])
def test_printing_gives_every_layer(chromium: Any, paper: str, fewest: int, tmp_path: Path) -> None:
    path = tmp_path / "mazur.derivation.html"
    write_derivation(example("mazur"), path)
    page, _ = open_book(chromium, path, A4)
    assert fewest <= page.pdf(format=paper).count(b"/Type /Page\n") <= 10


def test_zero_terms_are_struck_out_and_matrices_are_set_as_matrices(chromium: Any, tmp_path: Path) -> None:
    path = tmp_path / "hand.derivation.html"
    write_derivation(example("hand"), path)
    page, _ = open_book(chromium, path, A4)
    struck = page.locator(".struck")
    assert struck.count() > 5
    lines = struck.evaluate_all("all => all.map(each => getComputedStyle(each).backgroundImage)")
    assert all(each.startswith("linear-gradient(to right bottom") for each in lines)
    rows = page.locator("[data-of='W3_next'] mtable").last.locator("mtr")
    heights = rows.evaluate_all("all => all.map(row => row.getBoundingClientRect().y)")
    assert len(heights) == 3 and heights == sorted(set(heights))
