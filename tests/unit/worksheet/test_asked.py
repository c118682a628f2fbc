"""A worksheet asks for the decimals that its answers are judged by: filled in as asked, every cell is right."""

import json
import re
from pathlib import Path

import openpyxl
import pytest

from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.expression.digits import fixed
from tracer.judging.conventions import Conventions
from tracer.judging.marking import mark_answers
from tracer.problem.reading import load_problem
from tracer.run.training import trace
from tracer.worksheet.book import write_worksheet_book
from tracer.worksheet.page import render_worksheet
from tracer.worksheet.plan import make_plan

EXAMPLES = ["article", "mazur", "softmax-classifier", "linear-regression", "hand"]


def asked_on_the_page(page: str) -> dict[str, int]:
    """The decimals in the heading of each matrix with boxes."""
    asked = {}
    for part in page.split('<div class="matrix asked">')[1:]:
        identifier, count = re.search(r'data-id="(\w+)"', part), re.search(r"decimals: (\d+)", part)
        assert identifier and count
        asked[identifier[1]] = int(count[1])
    return asked


@pytest.mark.parametrize("mode", ["practice", "exam", "print"])
@pytest.mark.parametrize("example", EXAMPLES)
def test_a_sheet_filled_in_as_asked_is_right(example: str, mode: str, tmp_path: Path) -> None:
    problem = load_problem(example)
    run = trace(problem)
    plan = make_plan(problem, run.first.program, mode=mode)  # type: ignore[arg-type]
    page = render_worksheet(run, plan)
    asked = asked_on_the_page(page)
    assert asked.keys() == plan.blank
    answers = {each: [[fixed(value, asked[each]) for value in row] for row in run[each].tolist()] for each in asked}
    marked = mark_answers(read_content("a.json", json.dumps(answers).encode()), Conventions(key_of(problem)))
    assert {mark.verdict for mark in marked.marks} == {"correct"} and marked.all_right
    write_worksheet_book(run, plan, tmp_path / "sheet.xlsx")
    rules = openpyxl.load_workbook(tmp_path / "sheet.xlsx")["Worksheet"].data_validations.dataValidation
    prompts = {each.promptTitle: re.search(r"\d+", each.prompt) for each in rules}
    assert {each: int(found[0]) for each, found in prompts.items() if found} == asked
    if mode == "practice":
        data = json.loads(re.search(r'id="worksheet-data">(.*?)</script>', page, re.S)[1])  # type: ignore[index]
        assert {each: data["practice"]["asked"][each] for each in asked} == asked
