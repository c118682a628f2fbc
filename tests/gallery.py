"""The gallery in outputs/: `python -m tests.gallery` remakes it, tests/unit/test_gallery.py holds it in step."""

import shutil
from pathlib import Path

from tracer.derivation.book import write_derivation
from tracer.gallery.index import write_index
from tracer.page.page import write_page
from tracer.presentation.theme import theme_of
from tracer.problem.problem import Problem
from tracer.problem.reading import example_names, load_any, load_problem
from tracer.run.training import trace, train
from tracer.training_report.page import render_training
from tracer.workbook.workbook import write_workbook
from tracer.worksheet.page import render_worksheet
from tracer.worksheet.plan import make_plan

OUTPUTS = Path(__file__).parents[1] / "outputs"
BOOKS = ("article", "hand", "mazur", "softmax-classifier")  # of which the workbook is there too
BY_HAND = ("article", "hand")  # what `make walkthrough` writes, and what mirrors the hand-written pages
TRAINED = ("article-seed42-training", "moons")
MOST_ROWS = 20  # of a sheet that is filled in by hand
PICTURE = OUTPUTS / "article-step-2.png"


def make(folder: Path) -> None:
    """Write the pages of every example, the workbooks and derivations of some, and the index, into a folder."""
    for name in example_names():
        recorded = trace(load_any(name))
        book = f"{name}.derivation.html" if name in BY_HAND else ""
        write_page(recorded, folder / f"{name}.html", book)
        if book:
            write_derivation(recorded, folder / book, f"{name}.html")
        if name in BOOKS:
            write_workbook(recorded, folder / f"{name}.xlsx")
        if practised(name):
            plan = make_plan(recorded.problem, recorded.first.program)
            _write(folder / f"{name}.worksheet.html", render_worksheet(recorded, plan, False, theme_of("en", None)))
    for name in TRAINED:
        _write(folder / f"{name}.training.html", render_training(train(load_problem(name))))
    write_index(folder)


def practised(name: str) -> bool:
    """Whether a sheet of it can be filled in: not of a network with hundreds of samples."""
    problem = load_any(name)
    return not isinstance(problem, Problem) or problem.rows <= MOST_ROWS


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def take_picture(page: Path, target: Path) -> None:
    """The README's picture of a step, where there is a browser to take it."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        opened = browser.new_page(viewport={"width": 1200, "height": 760})
        opened.goto(f"{page.as_uri()}#step-2")
        opened.add_style_tag(
            content=".step{content-visibility:visible!important;border:0!important;padding:8px!important}"
            "nav,.band:last-child,h3:nth-last-child(2){display:none!important}"  # nothing of later layers
        )
        opened.locator("[id='step-2']").screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    make(OUTPUTS)
    take_picture(OUTPUTS / "article.html", PICTURE)
