"""Honest habits are not accused, sheets that nobody calculated earn next to nothing, digits never cost points.

`python -m benchmarks.fairness` prints the same figures over more problems.
"""

from itertools import pairwise

import numpy as np
import pytest

from tests.fairness import BUILT_IN, Figures, dishonest, honest, problems
from tests.habits import HABITS, HANDED_IN
from tests.simulation import Teacher
from tests.students import Answers, Document, Habit, Work, work_through
from tracer.problem.reading import load_problem

MOST_ACCUSED = 2e-4  # of honest cells
MOST_UNEARNED = 0.05  # of cells beyond those that are right


def some(count: int, seed: int) -> list[Document]:
    """Built-in problems and such made by lot."""
    found = [document for _, document in problems(np.random.default_rng(seed), count)]
    return [*found[: 2 * len(BUILT_IN) : 3], *found[2 * len(BUILT_IN) :]]


def test_honest_habits_are_hardly_ever_called_wrong() -> None:
    random = np.random.default_rng(3)
    figures = Figures()
    for k, document in enumerate(some(2, seed=3)):
        names = list(HABITS)[k % 3 :: 3]
        made = honest([document], {name: HABITS[name] for name in names}, random)
        figures.accused += made.accused
        figures.verdicts |= {f"{k} {name}": counts for name, counts in made.verdicts.items()}
    assert figures.cells > 10_000 and len(HABITS) >= 27 and len(HANDED_IN) == 5
    assert len(figures.accused) <= MOST_ACCUSED * figures.cells, figures.accused[0]


def test_sheets_that_nobody_calculated_are_credited_with_what_is_right_and_little_more() -> None:
    for name, earned in dishonest(some(3, seed=4), np.random.default_rng(4)).items():
        assert earned.unearned <= MOST_UNEARNED, (name, earned)


def written(document: Document, decimals: int) -> Answers:
    """The right values to so many decimals."""
    return work_through(Work(document), Habit(decimals, remembers=2.0), np.random.default_rng(0))


def test_points_never_fall_when_the_same_right_values_have_more_digits() -> None:
    for document in some(3, seed=5):
        teacher = Teacher.of(document)
        assert teacher is not None
        points = [teacher.mark(written(document, decimals)).points[0] for decimals in range(13)]
        assert all(one <= other + 1e-9 for one, other in pairwise(points)), points


@pytest.mark.parametrize(("asked", "decimals"), [(4, 8), (9, 8), (9, 6), (3, 6)])
def test_the_mazur_example_all_right_earns_everything(asked: int, decimals: int) -> None:
    teacher = Teacher.of(load_problem("mazur").to_document() | {"decimals": asked})
    assert teacher is not None
    earned, out_of = teacher.mark(written(teacher.document, decimals)).points
    assert earned == pytest.approx(out_of)


def test_with_four_decimals_it_loses_only_where_a_number_has_fewer_than_three_digits() -> None:
    teacher = Teacher.of(load_problem("mazur").to_document())
    assert teacher is not None
    marked = teacher.mark(written(teacher.document, 4))
    short = [mark for mark in marked.marks if marked.share(mark) < 1]
    assert {mark.verdict for mark in short} == {"too_coarse"} and max(mark.digits for mark in short) < 3
    assert marked.points[0] >= 18.25 - 1e-9
