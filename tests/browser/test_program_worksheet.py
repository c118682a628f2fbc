"""The worksheets of programs in a real browser: right numbers, a slip that is named, a block left to fill in."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.pages import opened
from tests.browser.test_page_axe import complaints
from tests.browser.test_worksheet import FILL, SIGNS, Texts
from tests.browser.test_worksheet_home import hints, type_into
from tests.cutting import cut_sheet
from tests.unit.judging.test_programs import right
from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.judging.conventions import Conventions
from tracer.judging.marking import mark_answers
from tracer.presentation.theme import theme_of
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.reading import load_any
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.worksheet.page import render_worksheet
from tracer.worksheet.plan import make_plan

pytestmark = pytest.mark.browser

ATTENTION, RNN, NORM = "self-attention-paper", "rnn-paper", "batch-norm-paper"


def recorded(name: str) -> Trace[ProgramProblem]:
    problem = load_any(name)
    assert isinstance(problem, ProgramProblem)
    return trace(problem)


def page_of(run: Trace[ProgramProblem], language: str = "en", **choices: Any) -> str:
    plan = make_plan(run.problem, run.first.program, **choices)
    return render_worksheet(run, plan, False, theme_of(language))  # type: ignore[arg-type]


def texts(name: str) -> Texts:
    return right(name)  # type: ignore[return-value]


@pytest.mark.parametrize("name", [ATTENTION, RNN, NORM, "graph", "conv-paper", "adam-paper", "tiny-gpt"])
def test_every_right_number_is_marked_right(chromium: Any, name: str, tmp_path: Path) -> None:
    with opened(chromium, page_of(recorded(name)), tmp_path) as page:
        page.evaluate(FILL, texts(name))
        found = page.evaluate(SIGNS)
        assert [key for key, sign in found.items() if sign != "✓"] == []
        assert f"{len(found)} of {len(found)} boxes filled · {len(found)} ✓" == page.inner_text("#progress")


@pytest.mark.parametrize("name", ["softmax", "logistic-l2"])
def test_who_cuts_off_is_marked_as_the_command_does(chromium: Any, name: str, tmp_path: Path) -> None:
    _, answers = cut_sheet(name)
    with opened(chromium, page_of(recorded(name), feedback="cell"), tmp_path) as page:
        page.evaluate(FILL, answers)
        assert "✗" not in page.evaluate(SIGNS).values()


def softmax_down(values: dict[str, Any]) -> Any:
    powers = np.exp(values["S"])
    return powers / powers.sum(axis=0, keepdims=True)


WRONG = [
    (ATTENTION, "S", lambda r: r["Q"] @ r["K"].T),
    (ATTENTION, "P", softmax_down),
    (RNN, "du", lambda r: r["dz3"] * r["h2"]),
    (RNN, "h2_slope", lambda r: 1 - r["z2"] ** 2),
    (NORM, "dx", lambda r: r["dn"] / r["s"] + r["dv"] * r["v_slope"] / 4),
]


@pytest.mark.parametrize(("name", "matrix", "made"), WRONG)
def test_page_and_command_name_the_same_slip(chromium: Any, name: str, matrix: str, made: Any, tmp_path: Path) -> None:
    run = recorded(name)
    key = key_of(run.problem)
    all_right, order = texts(name), list(run.first.program.computed)
    wrong = made({each: run.first[each] for each in run.first.matrices})
    written = {each: all_right[each] for each in order[: order.index(matrix)]}
    written[matrix] = [[f"{value:.{key.asked[matrix]}f}" for value in row] for row in wrong.tolist()]
    marked = mark_answers(read_content("a.json", json.dumps(written).encode()), Conventions(key))
    with opened(chromium, page_of(run, feedback="cell"), tmp_path) as page:
        page.evaluate(FILL, written)
        found = page.evaluate(SIGNS)
        bad = [each for each, sign in found.items() if sign == "✗"]
        assert bad and all(each.startswith(f"{matrix}-") for each in bad)
        _, row, column = bad[0].split("-")
        for again in ("77", "78", written[matrix][int(row)][int(column)]):
            type_into(page, f"[data-keep='{bad[0]}']", again)
        said = " ".join(hints(page))
    says = [marked.tutor(each) for each in marked.diagnosis]
    assert len(says) == 1 and says[0] in said, (says, said)


def test_one_time_step_is_left_to_fill_in_and_the_others_are_printed(chromium: Any, tmp_path: Path) -> None:
    run = recorded(RNN)
    html = page_of(run, blank="t=3", give="t=1,t=2")
    with opened(chromium, html, tmp_path) as page:
        assert sorted({each.split("-")[0] for each in page.evaluate(SIGNS)}) == ["dh3", "dz3", "h3", "h3_slope", "z3"]
        page.evaluate(FILL, {each: grid for each, grid in texts(RNN).items() if each in ("z3", "h3")})
        assert [page.evaluate(SIGNS)[each] for each in ("z3-0-0", "h3-0-0")] == ["✓", "✓"]


def test_a_sheet_in_spanish_has_no_english_words_of_its_own_and_no_complaints(chromium: Any, tmp_path: Path) -> None:
    with opened(chromium, page_of(recorded(RNN), "es"), tmp_path) as page:
        assert complaints(page) == []
        titles = page.locator("h2").all_inner_texts()
        assert "3 ← De vuelta por: Time step 3" in titles and "5 Actualización" in titles and "0 Datos" in titles
        words = page.inner_text("body")
        assert not any(each in words for each in ("Back through", "Update", "Given", "row", "column"))
