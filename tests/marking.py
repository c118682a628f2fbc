"""Small networks for the tests of checking, and sheets of answers marked."""

import json
from functools import cache
from typing import Any

from tests.students import Answers, Array, Document, Habit, Work, work_through
from tests.wrong_rules import Memory
from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers
from tracer.problem.problem import problem_from_document

X = [[0.5, -1.2, 0.8], [1.5, 0.3, -0.7], [-0.4, 0.9, 1.1]]
W1 = [[0.42, -0.88, 0.55], [0.1, 0.73, -0.68], [-0.6, 0.18, 0.47]]
W2 = [[0.3, -0.45, 0.61], [0.25, 0.52, -0.17], [-0.73, 0.36, 0.84]]
ONE_HOT = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]


def document(
    hidden: str = "sigmoid", output: str = "sigmoid", loss: str = "half_squared_error", **more: Any
) -> Document:
    """Three samples through a 3-3-3 network, so that every matrix product fits every other; 3 decimals."""
    convention = {"error": "output - target"} | more.pop("convention", {})
    return {
        "learning_rate": 0.3,
        "loss": loss,
        "data": {"X": X, "Y": ONE_HOT if "entropy" in loss else [[0.2, 0.9, 0.1], [0.7, 0.3, 0.6], [0.4, 0.1, 0.8]]},
        "layers": [
            {"activation": hidden, "weights": W1, "bias": [0.46, -0.27, 0.13]},
            {"activation": output, "weights": W2, "bias": [0.69, 0.21, -0.34]},
        ],
        "decimals": 3,
        "convention": convention,
        **more,
    }


def worked(problem: Document, rules: Any = None, **habit: Any) -> Answers:
    """What a student who rounds as is asked for writes, by the right rules but where `rules` has others."""
    asked = _conventions(json.dumps(problem), 1).key.asked
    habits = Habit(problem["decimals"], asked=asked, **habit)
    return work_through(Work(problem), habits, _Never(), rules=rules)  # type: ignore[arg-type]


def with_rule(problem: Document, matrix: str, value: Any) -> Any:
    """The right rules, but `value` (of the memory) for one matrix."""
    work = Work(problem)

    def rules(name: str, memory: Memory) -> Array:
        return value(memory) if name == matrix else work.compute(name, memory)

    return rules


class _Never:
    """A lot that never falls on anything."""

    def random(self) -> float:
        return 1.0


def mark(
    problem: Document, answers: Any, accept: bool = False, number: int = 1, by_given: bool = False, **more: Any
) -> MarkedSheet:
    """Answers held against a problem, through an answer file."""
    read = read_content("answers.json", json.dumps(dict(answers) | more).encode())
    return mark_answers(read, _conventions(json.dumps(problem), number), accept, by_given)


@cache
def _conventions(problem: str, number: int) -> Conventions:
    return Conventions(key_of(problem_from_document(json.loads(problem), "small", "small"), number), number)


def verdicts(marked: MarkedSheet, matrix: str) -> list[list[str]]:
    """The verdicts on a matrix, row by row."""
    rows: dict[int, list[str]] = {}
    for each in marked.of(matrix):
        rows.setdefault(each.row, []).append(each.verdict)
    return list(rows.values())


def kinds(marked: MarkedSheet, matrix: str) -> set[str]:
    """The verdicts that some cell of a matrix has."""
    return {each.verdict for each in marked.of(matrix)}


def counts(marked: MarkedSheet) -> dict[str, int]:
    """How many cells have each verdict that some have."""
    return {verdict: count for verdict, count in marked.counts.items() if count}


def slugs(marked: MarkedSheet, matrix: str, row: int = 0, column: int = 0) -> list[str]:
    """The slips named at a cell."""
    return [slip.slug for each in marked.of(matrix) if (each.row, each.column) == (row, column) for slip in each.slips]
