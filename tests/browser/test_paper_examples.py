"""The examples for pencil and paper: the way forward fits one side of A4, and all of it two sheets."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.pages import opened
from tracer.presentation.theme import theme_of
from tracer.problem.example_groups import EXAMPLE_GROUPS, ON_PAPER
from tracer.problem.reading import load_any
from tracer.run.training import trace
from tracer.worksheet.page import render_worksheet
from tracer.worksheet.plan import make_plan

pytestmark = pytest.mark.browser


def sides(chromium: Any, folder: Path, name: str, **choices: Any) -> int:
    """How many pages a sheet to print has."""
    run = trace(load_any(name))
    plan = make_plan(run.problem, run.first.program, "print", **choices)
    with opened(chromium, render_worksheet(run, plan, False, theme_of("en", None)), folder, unfold=False) as page:
        return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))


@pytest.mark.parametrize("name", EXAMPLE_GROUPS[ON_PAPER])
def test_the_way_forward_fits_one_side(chromium: Any, tmp_path: Path, name: str) -> None:
    program = trace(load_any(name)).first.program
    forward = [each.id for each in program.assignments.values() if each.role in ("intermediate", "loss")]
    assert sides(chromium, tmp_path, name, blank=",".join(forward)) == 1
    assert sides(chromium, tmp_path, name) <= 3
