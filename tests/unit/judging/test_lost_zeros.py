"""A spreadsheet keeps no zeros at the end of a number: 0.010 is 0.01 in it, and right as it was typed."""

from collections import Counter
from typing import Any

import numpy as np

from tests.students import Habit, Work, work_through
from tracer.answers.handed_in import Answers
from tracer.answers.key import key_of
from tracer.answers.numbers import Entry, of_float, read_number
from tracer.judging.conventions import Conventions
from tracer.judging.marking import mark_answers
from tracer.problem.reading import load_problem

ARTICLE = load_problem("article")
MARKER = Conventions(key_of(ARTICLE))


def written(decimals: int, seed: int) -> dict[str, list[list[str]]]:
    """Honest work, rounded at every step."""
    habit = Habit(decimals, asked=MARKER.key.asked) if decimals == 3 else Habit(decimals)
    found = work_through(Work(ARTICLE.to_document()), habit, np.random.default_rng(seed))
    return {each: [[str(text) for text in row] for row in rows] for each, rows in found.items()}


def verdicts(texts: dict[str, list[list[str]]], read: Any) -> Counter[str]:
    grids: dict[str, tuple[tuple[Entry, ...], ...]] = {
        each: tuple(tuple(read(text) for text in row) for row in rows) for each, rows in texts.items()
    }
    return Counter(mark.verdict for mark in mark_answers(Answers("a.xlsx", grids), MARKER).marks)


def number(text: str) -> Entry:
    return of_float(float(text))


def test_honest_work_loses_nothing_in_a_workbook() -> None:
    as_text = Counter[str]()
    for seed in range(25):
        own = written(3, seed)
        assert verdicts(own, number).keys() <= {"correct", "rounded"}, seed
        as_text += verdicts(own, lambda text: read_number(number(text).text))
    assert as_text["too_coarse"], "such cells were among them: written as text, they have too few digits"


def test_two_decimals_throughout_are_still_too_few() -> None:
    own = written(2, 1)
    found = verdicts(own, number)
    assert found["too_coarse"] > 0.3 * found.total() and found["wrong"] + found["slip"] == 0
