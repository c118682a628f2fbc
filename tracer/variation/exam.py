"""A short quiz of a few cells: one A4 page to answer, a table to type the answers into, and a key for assistants."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracer.answers.handed_in import Answers
from tracer.answers.key import Key, key_of
from tracer.expression.digits import as_typed, fixed
from tracer.expression.text import matrix_text
from tracer.files import replace_file
from tracer.judging.points import points_text, worth
from tracer.judging.sheet import Sheet
from tracer.judging.slips.forms import SlipForm
from tracer.judging.work import Work
from tracer.presentation.theme import Theme
from tracer.run.passes import AnyProblem
from tracer.variation.asking import AskedCell
from tracer.variation.folder import Variant
from tracer.variation.lots import numbers
from tracer.variation.many import work_many
from tracer.variation.roster import Student
from tracer.variation.telling import EDGE, Telling
from tracer.variation.wording import SlipWords

STUDENT, ID = "student", "id"  # the columns of a transcription that say whose a row is
WRONG_VALUES = 3  # of each cell, in the key


@dataclass(frozen=True)
class GivenTable:
    """A given matrix as the quiz prints it."""

    name: str
    rows: Sequence[Sequence[str]]


def render_exam(problem: AnyProblem, variant: str, asked: Sequence[AskedCell], theme: Theme) -> str:
    """The page to answer, for A4 paper, in the theme's language."""
    key = key_of(problem)
    cells = [{"name": key.called(each, (row, column)), "decimals": key.asked[each]} for each, row, column in asked]
    return theme.render(
        "exam.html.j2", problem=problem, variant=variant, given=list(_given(key, theme)), cells=cells,
        way=list(_way(key, theme)), facts=list(_facts(problem, key, theme)),
    )  # fmt: skip


def _given(key: Key, theme: Theme) -> Iterator[GivenTable]:
    for each in key.program.inputs[:-1]:
        rows = [[theme.number(as_typed(value).replace("-", "−")) for value in row] for row in key.values[each].tolist()]
        yield GivenTable(key.called(each), rows)


def _way(key: Key, theme: Theme) -> Iterator[str]:
    """The formulas of the way forward."""
    for each in key.program.assignments.values():
        if (
            each.expression is not None
            and each.role in ("intermediate", "loss")
            and each.id not in key.program.of_optimizer
        ):
            yield f"{key.called(each.id)} = {matrix_text(each.expression, key.called, theme.notation)}"


def _facts(problem: AnyProblem, key: Key, theme: Theme) -> Iterator[str]:
    """What else has to be known: rate and optimizer, the rows of the first batch, the conventions."""
    yield theme.say("exam.rate", rate=theme.number(as_typed(problem.learning_rate)))
    if len(problem.batches()) > 1:
        yield theme.say("exam.batch", count=key.program.rows)
    if problem.optimizer.settings and not theme.is_english:
        yield theme.say("exam.optimizer", settings=theme.number(problem.optimizer.settings))
    yield from theme.conventions(problem)


def column_of(place: AskedCell) -> str:
    """The heading of a cell in a transcription; rows and columns count from 1.

    >>> column_of(("Z1", 0, 2))
    'Z1[1,3]'
    """
    return f"{place[0]}[{place[1] + 1},{place[2] + 1}]"


def write_transcription(path: Path, variants: Sequence[Variant], asked: Sequence[AskedCell]) -> None:
    """A row for each student, to be typed in from paper. Raises ExportError where it cannot be written."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow((STUDENT, ID, "variant", *map(column_of, asked)))
    for variant in variants:
        for each in variant.students or (Student(""),):
            table.writerow((each.name, each.id, variant.number, *[""] * len(asked)))
    replace_file(path, lambda file: file.write(text.getvalue().encode("utf-8-sig")))


# The key


@dataclass(frozen=True)
class WrongValue:
    """What a slip gives in a cell: the number, the slip with its points, and what is right after it."""

    text: str
    slip: str
    carry_on: str


@dataclass(frozen=True)
class KeyCell:
    """A cell in the assistants' key: the value, what is accepted, and the commonest wrong values."""

    name: str
    value: str
    accepted: str
    points: str
    wrong: Sequence[WrongValue]


def render_exam_key(
    problem: AnyProblem, number: int, variant: str, asked: Sequence[AskedCell], telling: Telling, theme: Theme
) -> str:
    """The key of a variant's quiz, in the theme's language."""
    cells = list(_ExamKey(problem, asked, telling, theme).cells())
    return theme.render("exam_key.html.j2", problem=problem, number=number, variant=variant, cells=cells)


class _ExamKey:
    def __init__(self, problem: AnyProblem, asked: Sequence[AskedCell], telling: Telling, theme: Theme) -> None:
        self.key, self.asked, self.telling, self.theme = key_of(problem), asked, telling, theme
        self.words = SlipWords(problem, self.key.program, theme)
        drawn = numbers(problem, telling.lots.program)
        redrawn = {lot.id: drawn[lot.id][None] for lot in telling.lots.lots}
        self.many = work_many(telling.lots.program, telling.lots.inputs(redrawn), 1)
        self.work = Work(Sheet(Answers("", {}), self.key, {}, ()))
        self.sheets = [(group.first, self._by_place(group.first)) for group in telling.all]
        scheme = self.key.problem.marks
        counts = {each: sum(place[0] == each for place in asked) for each, *_ in asked}
        self.points = {each: worth(scheme, self.key.program)[each] / count for each, count in counts.items()}
        self.share = scheme.shares["slip"]

    def _by_place(self, form: SlipForm) -> dict[AskedCell, float]:
        made = {**self.key.values, **{each: value[0] for each, value in self.many.carried(form).items()}}
        return {place: float(made[place[0]][place[1:]]) for place in self.asked}

    def cells(self) -> Iterator[KeyCell]:
        for at, place in enumerate(self.asked):
            identifier, row, column = place
            value, reach = self.work.own.by_right_rule(identifier)
            half = float(reach[row, column]) + self.key.units(identifier)[row, column] / 2
            low, high = float(value[row, column]) - half, float(value[row, column]) + half
            decimals = self.key.asked[identifier]
            yield KeyCell(
                self.key.called(identifier, (row, column)),
                self._number(float(value[row, column]), decimals),
                f"{self._number(low, decimals + 1)} … {self._number(high, decimals + 1)}",
                self.theme.number(points_text(self.points[identifier])),
                list(self._wrong(at, low, high)),
            )

    def _wrong(self, at: int, low: float, high: float) -> Iterator[WrongValue]:
        """The commonest slips that show here first, among the cells asked, each value once."""
        place, seen = self.asked[at], set[str]()
        order = sorted(self.sheets, key=lambda each: -each[0].often)
        for form, values in order:
            value, text = values[place], self._number(values[place], self.key.asked[place[0]])
            earlier = any(self._shows(values, other) for other in self.asked[:at])
            if earlier or low - EDGE <= value <= high + EDGE or text in seen or abs(value) > 1e6:
                continue
            seen.add(text)
            points = self.theme.number(points_text(self.share * self.points[place[0]]))
            slip = self.words.slip(form)
            yield WrongValue(
                text, self.theme.say("exam_key.worth", slip=slip, points=points), self._carry_on(at, values)
            )
            if len(seen) == WRONG_VALUES:
                return

    def _shows(self, values: Mapping[AskedCell, float], place: AskedCell) -> bool:
        right = float(self.key.values[place[0]][place[1], place[2]])
        return abs(values[place] - right) >= self.telling.unit(place[0]) * (1 - EDGE)

    def _carry_on(self, at: int, values: Mapping[AskedCell, float]) -> str:
        """What the cells after this one are then, where that is something else."""
        after = [place for place in self.asked[at + 1 :] if self._shows(values, place)]
        cells = "; ".join(
            f"{self.key.called(each, (row, column))} = {self._number(values[each, row, column], self.key.asked[each])}"
            for each, row, column in after
        )
        return self.theme.say("exam_key.then", cells=cells) if cells else ""

    def _number(self, value: float, decimals: int) -> str:
        return self.theme.number(fixed(value, decimals))
