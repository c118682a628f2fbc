"""The pages of a class in a real browser: nothing is asked of any server, axe finds nothing, the map is sorted."""

from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_feedback import opened
from tests.browser.test_page_axe import RUN
from tests.conftest import require_module
from tracer.classroom.class_marks import MarksLine
from tracer.overview.reports import write_reports
from tracer.presentation.theme import theme_of
from tracer.problem.reading import load_problem
from tracer.run.training import trace
from tracer.variation.certificate import certify
from tracer.variation.exam import render_exam, render_exam_key
from tracer.variation.search import find

pytestmark = pytest.mark.browser
LINES = [
    MarksLine(
        f"f{k}.json", {"name": f"Student {k}"}, points={"Z1": k / 10, "A1": 1.0}, total=(1 + k / 10, 2.0),
        worth={"Z1": 1.0, "A1": 1.0}, ideas=[("no-bias", "What of the bias?", "Z1[1,1] = (1)(0.42) + … = ?")],
        missed=["Z1[1,1]"], first_wrong="Z1[1,1]", unexplained={"Z1[1,1]": "1", "Z1[1,2]": "2", "Z1[1,3]": "3"},
    )
    for k in (3, 9, 1, 10, 5, 7)
]  # fmt: skip


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, article = tmp_path_factory.mktemp("class"), load_problem("article")
    lines = [*LINES, MarksLine("bad.xlsx", {}, fault="damaged")]
    write_reports(folder, article, lines, ["Z1", "A1"], theme_of("es"), True)
    found = find(article, 1, "7")
    certificate, (variant,) = certify(found), found.variants
    asked = certificate.asked(8)
    covers = [{"student": None, "variant": variant.sha256[:8], "number": 1}]
    for name, text in {
        "certificate": certificate.render(theme_of("es")),
        "exam": render_exam(variant, variant.sha256[:8], asked, theme_of("es")),
        "exam-key": render_exam_key(variant, 1, variant.sha256[:8], asked, certificate.telling, theme_of("es")),
        "cover": theme_of("es").render("cover.html.j2", problem=variant, covers=covers),
    }.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["class", "class-private", "certificate", "exam", "exam-key", "cover"])
def test_axe_finds_nothing_and_no_request_leaves(chromium: Any, pages: Path, name: str) -> None:
    axe = require_module("axe_playwright_python")
    for width in (1200, 390):
        page = opened(chromium, pages / f"{name}.html", width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        page.add_script_tag(content=resources.files(axe).joinpath("axe.min.js").read_text())
        assert page.evaluate(RUN) == []
        page.close()


def test_the_map_is_sorted_by_any_column(chromium: Any, pages: Path) -> None:
    page = chromium.new_page()
    page.goto((pages / "class-private.html").as_uri())
    names = "[...document.querySelectorAll('#map tbody tr')].map((row) => row.cells[0].textContent)"
    page.click("#map thead th:nth-child(4) button")  # Z1
    order = [f"Student {k}" for k in (1, 3, 5, 7, 9, 10)]
    assert [each for each in page.evaluate(names) if each != "bad.xlsx"] == order
    page.click("#map thead th:nth-child(4) button")
    assert [each for each in page.evaluate(names) if each != "bad.xlsx"] == order[::-1]
    assert page.get_attribute("#map thead th:nth-child(4)", "aria-sort") == "descending"
    page.close()


@pytest.mark.parametrize("name", ["certificate", "exam"])
def test_one_sheet_of_a4_holds_it(chromium: Any, pages: Path, name: str) -> None:
    page = chromium.new_page()
    page.goto((pages / f"{name}.html").as_uri())
    assert page.pdf(format="A4", prefer_css_page_size=True).count(b"/Type /Page\n") == 1
    page.close()


def test_a_map_of_many_matrices_prints_one_page_wide_and_names_stay_in_one_line_on_a_phone(
    chromium: Any, tmp_path: Path
) -> None:
    article, theme = load_problem("article"), theme_of("en")
    matrices = list(trace(article).first.program.computed)
    ones = dict.fromkeys(matrices, 1.0)
    lines = [replace(LINES[0], points=ones, worth=ones), replace(LINES[1], total=(0.0, 0.0), first_wrong="")]
    write_reports(tmp_path, article, lines, matrices, theme, False)
    page = opened(chromium, tmp_path / "class-private.html", 390)
    heights = page.evaluate("[...document.querySelectorAll('#map tbody th')].map((each) => each.clientHeight)")
    assert len(heights) == 2 and max(heights) < 50
    page.set_viewport_size({"width": 1017, "height": 687})  # A4 across, between its margins
    page.emulate_media(media="print")
    assert page.evaluate("document.querySelector('#map').getBoundingClientRect().right") <= 1017
    assert "Student 9: nothing that could be judged" in page.inner_text("ul")
    page.close()
