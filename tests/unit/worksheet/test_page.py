"""The worksheet as a page, read as text: what is in it, and what must not be."""

import re
from typing import Any

import pytest

from tracer.expression.digits import as_typed
from tracer.expression.traversal import symbols
from tracer.presentation.shown import shown
from tracer.problem.reading import load_problem
from tracer.program.naming_policy import RATE
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.worksheet.page import css_text, render_worksheet
from tracer.worksheet.plan import Plan, make_plan

EXAMPLES = ("article", "article-seed42", "hand", "mazur", "softmax-classifier", "logistic-regression", "xor")
FIXED = re.compile(r'data-cell="(\w+)-(\d+)-(\d+)"(?: data-fixed="[^"]*")? class="fixed"')


def recorded(name: str) -> Trace:
    return trace(load_problem(name))


def plan_of(run: Trace, **choices: Any) -> Plan:
    return make_plan(run.problem, run.first.program, **choices)


def significant(text: str) -> int:
    return len(text.lstrip("−-0.").replace(".", "").partition("e")[0])


def worked(run: Trace) -> set[tuple[str, int, int]]:
    """The cells that a sheet to print works out: the first of each matrix that is made of given numbers alone."""
    made = ((each.id, each.expression) for each in run.first.program.assignments.values())
    given = set(run.first.program.inputs)
    return {(key, 0, 0) for key, rule in made if rule and {symbol.name for symbol in symbols(rule)} <= given}


def answers(run: Trace, text: str, printed: set[tuple[str, int, int]] | None = None) -> set[str]:
    """Every answer of four or more significant digits, as it is shown and in full, that no given number shares."""
    one, decimals = run.first, shown(run, run.first)
    given = {(key, int(row), int(column)) for key, row, column in FIXED.findall(text)} | (printed or set())
    hidden, known = set[str](), {as_typed(one[RATE].item())}
    for key in one:
        for (row, column), value in zip(
            ((r, c) for r in range(one[key].shape[0]) for c in range(one[key].shape[1])),
            one[key].ravel().tolist(),
            strict=True,
        ):
            forms = {decimals.text(key, value), as_typed(value), repr(value)}
            forms |= {form.replace("−", "-") for form in forms}
            (known if key in one.program.inputs or (key, row, column) in given else hidden).update(forms)
    return {form for form in hidden - known if significant(form) >= 4}


def found_in(text: str, numbers: set[str]) -> list[str]:
    """The numbers that stand in a text, as a number or at the beginning of a longer one."""
    return sorted(number for number in numbers if re.search(rf"(?<![\d.]){re.escape(number.lstrip('−-'))}", text))


@pytest.mark.parametrize("mode", ["practice", "exam", "print"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_sheet_holds_no_answer(name: str, mode: Any) -> None:
    run = recorded(name)
    text = render_worksheet(run, plan_of(run, mode=mode))
    hidden = answers(run, text, worked(run) if mode == "print" else None)
    assert len(hidden) > 10
    assert found_in(text, hidden) == []


@pytest.mark.parametrize("name", ["article", "xor", "softmax-classifier"])
def test_sums_are_no_cells(name: str) -> None:
    run = recorded(name)
    text = render_worksheet(run, plan_of(run, sums=True))
    assert found_in(text, answers(run, text)) == []
    assert len(re.findall(r'data-check="sum"', text)) > 4


def test_the_search_finds_the_answers_of_the_key() -> None:
    run = recorded("article")
    hidden = answers(run, render_worksheet(run, plan_of(run)))
    assert len(found_in(render_worksheet(run, plan_of(run), key=True), hidden)) > 20


def test_printed_steps_are_in_the_file_and_it_says_so() -> None:
    run = recorded("article")
    text = render_worksheet(run, plan_of(run, give="2,3"))
    assert "Printed for you: Z1, A1" in text and 'data-fixed="2.400"' in text


def test_what_is_not_asked_is_not_there() -> None:
    run = recorded("article")
    text = render_worksheet(run, plan_of(run, blank="Z1"))
    assert 'data-id="Z1"' in text and 'data-id="A1"' not in text and ">3<" not in text.partition("<main>")[0]


def test_the_key_is_the_sheet_with_every_box_filled() -> None:
    run = recorded("article")
    sheet, key = (render_worksheet(run, plan_of(run), key) for key in (False, True))
    decimals = shown(run, run.first)
    cells = re.findall(r'data-cell="(\w+)-(\d+)-(\d+)"[^>]*><span class="value">([^<]*)', key)
    assert len(cells) == sum(run.first[each].size for each in run.first)
    for identifier, row, column, text in cells:
        assert text == decimals.text(identifier, float(run.first[identifier][int(row), int(column)]))
    tables = [re.findall(r'<table data-id="(\w+)"', each) for each in (sheet, key)]
    assert tables[0] == tables[1]
    assert "<input" not in key and "<script" not in key


def test_the_script_has_no_name_twice() -> None:
    """Files bundled into one scope: of two functions of one name the first would silently be lost."""
    run = recorded("article")
    script = render_worksheet(run, plan_of(run)).rpartition("<script>")[2]
    names = re.findall(r"^(?:async )?function (\w+)", script, re.MULTILINE)
    assert len(names) == len(set(names)) > 20


def test_a_title_cannot_leave_its_style() -> None:
    assert css_text('a"}</style>') == "a\\22 \\7d \\3c \\2f style\\3e "


def test_the_same_problem_gives_the_same_bytes() -> None:
    assert len({render_worksheet(recorded("hand"), plan_of(recorded("hand"))) for _ in range(2)}) == 1


@pytest.mark.parametrize("blank", [None, "Z1"])
def test_the_answers_to_questions_stand_in_the_key_alone_and_only_where_they_are_asked(blank: str | None) -> None:
    run = recorded("article")
    sheet, key = (render_worksheet(run, plan_of(run, blank=blank), key) for key in (False, True))
    assert 'class="model"' not in sheet
    asked, answered = sheet.count('class="question"'), key.count('class="model"')
    assert answered >= asked > 0 and (blank is None) == (answered > 2)
