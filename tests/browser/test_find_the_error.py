"""Find the error in a real browser: the first wrong cell is marked, its rule chosen, its number put right."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser.pages import opened
from tests.browser.test_page_axe import complaints
from tests.finding import FindSheet, find_sheet
from tracer.presentation.theme import theme_of
from tracer.worksheet.page import render_worksheet

pytestmark = pytest.mark.browser

SIGNS = {"slip": "✗", "wrong": "✗", "carried": "↪"}


def page_of(sheet: FindSheet, language: str = "en") -> str:
    return render_worksheet(sheet.run, sheet.plan, False, theme_of(language), sheet.planted)


def cell_of(page: Any, cell: tuple[str, int, int]) -> Any:
    return page.locator(f'[data-keep="{cell[0]}-{cell[1]}-{cell[2]}"]')


def signs(page: Any) -> dict[tuple[str, int, int], str]:
    found = page.evaluate(
        "[...document.querySelectorAll('button.box')].map(b => [b.dataset.keep, b.nextElementSibling.textContent])"
    )
    return {
        (id, int(row), int(column)): sign for (id, row, column), sign in ((key.split("-"), sign) for key, sign in found)
    }


@pytest.mark.parametrize("name", ["mlp-paper", "rnn-paper"])
def test_each_slip_is_found_named_and_mended(chromium: Any, name: str, tmp_path: Path) -> None:
    sheet = find_sheet(name)
    with opened(chromium, page_of(sheet), tmp_path) as page:
        assert page.inner_text("#progress") == "0 of 2 found, 0 mended" and set(signs(page).values()) == {""}
        for k, matrix in enumerate(sheet.planted.slips, 1):
            cell = sheet.wrong(matrix)
            cell_of(page, cell).click()
            assert "a rule was broken" in page.inner_text("#told")
            part = page.locator(f'.matrix:has(table[data-id="{matrix}"]) .broken')
            offered, right = part.locator("button").all_inner_texts(), sheet.says(matrix)
            assert right in offered and len(set(offered)) == len(offered) >= 3
            for wrong in (each for each in offered if each != right):
                part.get_by_role("button", name=wrong, exact=True).click()
                assert part.locator("output").inner_text().startswith("✗") and not part.locator("input").count()
            part.get_by_role("button", name=right, exact=True).click()
            printed = sheet.planted.texts(matrix)[cell[1]][cell[2]]
            for typed, sign in ((printed, "✗"), ("nothing", "?"), (sheet.right(cell), "✓")):
                part.locator("input").fill(typed)
                part.locator("input").blur()
                assert part.locator("output").last.inner_text().startswith(sign)
            assert page.inner_text("#progress") == f"{k} of 2 found, {k} mended"
        page.wait_for_selector("#done", state="visible")
        assert signs(page) == {cell: SIGNS.get(verdict, "✓") for cell, verdict in sheet.verdicts().items()}
        page.reload()
        page.wait_for_selector("#done", state="visible")
        assert page.inner_text("#progress") == "2 of 2 found, 2 mended"


def test_cells_that_follow_or_are_right_are_told_apart_and_end_nothing(chromium: Any, tmp_path: Path) -> None:
    sheet = find_sheet("mlp-paper")
    verdicts = sheet.verdicts()
    with opened(chromium, page_of(sheet), tmp_path) as page:
        for verdict, says in (("carried", "↪ This follows"), ("correct", "✓ This number is right")):
            cell = next(each for each, found in verdicts.items() if found == verdict)
            cell_of(page, cell).click()
            assert says in page.inner_text("#told")
        assert page.locator(".broken button").count() == 0
        assert page.inner_text("#progress") == "0 of 2 found, 0 mended"
        page.click("#clear")
        assert set(signs(page).values()) == {""}


@pytest.mark.parametrize("name", ["linear-regression", "conv-paper", "dropout"])
def test_page_and_judge_tell_every_cell_alike(chromium: Any, name: str, tmp_path: Path) -> None:
    """On problems of which some slips make later cells 0 or leave a parameter as it was; these are not planted."""
    sheet = find_sheet(name, 2, "21")
    with opened(chromium, page_of(sheet), tmp_path) as page:
        page.evaluate("document.querySelectorAll('button.box').forEach((box) => box.click())")
        assert signs(page) == {cell: SIGNS.get(verdict, "✓") for cell, verdict in sheet.verdicts().items()}


@pytest.mark.parametrize("language", ["en", "es"])
def test_axe_has_no_complaints_on_a_phone_with_a_question_open(chromium: Any, language: str, tmp_path: Path) -> None:
    sheet = find_sheet("rnn-paper")
    with opened(chromium, page_of(sheet, language), tmp_path, size=(390, 844)) as page:
        matrix = next(iter(sheet.planted.slips))
        cell_of(page, sheet.wrong(matrix)).click()
        part = page.locator(f'.matrix:has(table[data-id="{matrix}"]) .broken')
        part.get_by_role("button", name=sheet.says(matrix, theme_of(language)), exact=True).click()
        assert part.locator("input").count() == 1
        assert complaints(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
