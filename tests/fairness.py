"""How fairly sheets are marked: honest habits on several problems, and sheets that nobody calculated.

`python -m benchmarks.fairness` prints the figures.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from tests.alike import by_slip
from tests.dishonest import SHEETS
from tests.habits import HANDED_IN, HonestHabit, worked_by
from tests.simulation import Teacher
from tests.students import Answers, Document, Work, is_workable, random_document, split
from tests.wrong_rules import RULES
from tracer.judging.marking import MarkedSheet
from tracer.judging.verdicts import COUNTS, Mark
from tracer.problem.reading import load_problem

BUILT_IN = ("article", "mazur", "xor", "softmax-classifier", "logistic-regression", "linear-regression")
ACCUSED = ("wrong", "slip")
MOST_CELLS = 400  # of a problem worked by hand


@dataclass
class Figures:
    """Verdicts by habit, and the cells of honest people that were called wrong or slip."""

    verdicts: dict[str, Counter[str]] = field(default_factory=dict)
    accused: list[tuple[str, str, Document, Answers, Mark]] = field(default_factory=list)

    def add(self, habit: str, way: str, document: Document, answers: Answers, marked: MarkedSheet) -> None:
        counted = self.verdicts.setdefault(habit, Counter())
        for mark in marked.marks:
            counted[mark.verdict] += 1
            if mark.verdict in ACCUSED:
                self.accused.append((habit, way, document, answers, mark))

    @property
    def cells(self) -> int:
        return sum(map(Counter.total, self.verdicts.values()))

    @property
    def share(self) -> float:
        return len(self.accused) / max(self.cells, 1)


def problems(random: np.random.Generator, by_lot: int) -> Iterator[tuple[str, Document]]:
    """The built-in examples that a hand can work, and so many made by lot; with 2, 3 or 4 decimals."""
    for name in BUILT_IN:
        document = json.loads(json.dumps(load_problem(name).to_document()))
        for decimals in (3, 4):
            yield f"{name}, {decimals} decimals", _reduced(document) | {"decimals": decimals}
    while by_lot:
        document = random_document(random) | {"decimals": int(random.choice([2, 3, 4]))}
        if is_workable(Work(document)):
            by_lot -= 1
            yield f"by lot, {document['decimals']} decimals", document


def _reduced(document: Document) -> Document:
    """Without what students do not have to know, and few samples."""
    kept = {key: value for key, value in document.items() if key in
            ("learning_rate", "loss", "data", "layers", "convention", "loss_shown")}  # fmt: skip
    kept["data"] = {name: rows[:6] for name, rows in kept["data"].items() if name in ("X", "Y")}
    return kept


def honest(
    documents: Iterable[Document], habits: Mapping[str, HonestHabit], random: np.random.Generator,
    ways: Iterable[str] = tuple(HANDED_IN),
) -> Figures:  # fmt: skip
    """Every habit on every problem, handed in in every way."""
    figures, ways = Figures(), list(ways)
    for document in documents:
        teacher = Teacher.of(document)
        if teacher is None:
            continue
        asked = teacher.conventions.key.asked
        for name, habit in habits.items():
            for way in ways:
                answers = worked_by(habit, document, HANDED_IN[way], asked, random)
                if answers:
                    figures.add(name, way, document, answers, teacher.mark(answers))
    return figures


def credited_though_wrong(documents: Iterable[Document], random: np.random.Generator) -> tuple[int, int]:
    """Of matrices made by a wrong rule the cells that are not the key's, and how many of these count all the same."""
    cells = credited = 0
    for document in documents:
        teacher, work = Teacher.of(document), Work(document)
        for slug, kind in RULES if teacher else ():
            assert teacher is not None
            asked = teacher.conventions.key.asked
            for name in [each for each in work.order() if split(each)[0] == kind][:2]:
                answers = by_slip(slug, name, work, asked, random)
                for mark in teacher.mark(answers).of(name) if name in answers else ():
                    if abs(float(mark.answer) - mark.expected) > 10.0 ** -asked[name]:
                        cells, credited = cells + 1, credited + (mark.verdict in COUNTS)
    return cells, credited


@dataclass(frozen=True)
class Earned:
    """Of a dishonest kind of sheet: cells, those credited, those that are right by the key, and points."""

    cells: int
    credited: int
    right: int
    points: float
    out_of: float

    @property
    def unearned(self) -> float:
        """The share of cells that was credited beyond the right ones."""
        return (self.credited - self.right) / max(self.cells, 1)


def dishonest(documents: Iterable[Document], random: np.random.Generator) -> dict[str, Earned]:
    """What each kind of dishonest sheet earns over some problems."""
    totals = {name: np.zeros(5) for name in SHEETS}
    for document in documents:
        teacher = Teacher.of(document)
        if teacher is None:
            continue
        for name, sheet in SHEETS.items():
            marked = teacher.mark(sheet(document, random))
            unit = 10.0 ** -document["decimals"]
            right = sum(abs(float(mark.answer) - mark.expected) <= unit for mark in marked.marks)
            totals[name] += [len(marked.marks), sum(mark.verdict in COUNTS for mark in marked.marks), right,
                             *marked.points]  # fmt: skip
    return {name: Earned(*map(int, each[:3]), *map(float, each[3:])) for name, each in totals.items()}
