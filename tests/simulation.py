"""Many simulated students marked, and what became of them: honest ones, and those with one slip or two.

The tests run a few; `python -m benchmarks.checking` runs hundreds of thousands of cells.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN
from typing import Any

import numpy as np

from tests.students import (
    Answers,
    Array,
    Document,
    Habit,
    Work,
    as_file,
    is_workable,
    random_document,
    rounded,
    split,
    work_through,
)
from tests.wrong_rules import FACTORS, IN_A_CELL, RULES, Memory, wrong_cells, wrong_values
from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.errors import TracerError
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers
from tracer.judging.verdicts import Mark
from tracer.presentation.shown import shown
from tracer.problem.problem import problem_from_document
from tracer.run.training import trace

Cell = tuple[str, int, int]
Random = np.random.Generator
STYLES = (
    "rounds every step", "remembers all digits", "remembers some, more digits here and there", "cuts off",
    "drops zeros", "leaves matrices out", "numbers of their own", "given numbers as shown",
    "miscopies a cell and goes on with the right one", "miscopies a cell and goes on with it",
)  # fmt: skip


@dataclass
class Teacher:
    """A problem with its key; marks files."""

    document: Document
    conventions: Conventions
    shown: dict[str, Array]

    @classmethod
    def of(cls, document: Document) -> "Teacher | None":
        """None where the network leaves float64 or the domain of its loss."""
        problem = problem_from_document(document, "simulated", "simulated")
        try:
            run, conventions = trace(problem), Conventions(key_of(problem))
        except TracerError:
            return None
        digits = shown(run, run.first)
        read = {name: [[digits.text(name, value) for value in row] for row in run.first[name].tolist()]
                for name in run.first.program.inputs[:-1]}  # fmt: skip
        texts = {
            name: np.array([[float(text.replace("−", "-")) for text in row] for row in rows])
            for name, rows in read.items()
        }
        return cls(document, conventions, texts)

    def mark(self, answers: Answers, **more: Any) -> MarkedSheet:
        return mark_answers(
            read_content("answers.json", as_file(answers, **more)), self.conventions, by_given="given" in more
        )


# Honest students


@dataclass
class Honesty:
    """How many cells of honest students got which verdict, and those that were misjudged."""

    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    misjudged: list[tuple[str, Document, Answers, Mark]] = field(default_factory=list)

    @property
    def cells(self) -> int:
        return sum(self.verdicts.values())

    def add(self, document: Document, random: Random, styles: Iterable[str] = STYLES) -> None:
        """Have a problem worked by a student of each style, and marked."""
        teacher = Teacher.of(document)
        if teacher is None:
            return
        for style in styles:
            answers, miscopied, more = _honest(teacher, style, random)
            for mark in teacher.mark(answers, **more).marks:
                if (mark.id, mark.row, mark.column) == miscopied:
                    continue
                self.verdicts[style, mark.verdict] += 1
                if mark.verdict in ("slip", "wrong"):
                    self.misjudged.append((style, document, answers, mark))


def _honest(teacher: Teacher, style: str, random: Random) -> tuple[Answers, Cell | None, Document]:
    """What an honest student writes, the one cell that they miscopied, and what else is in their file."""
    key, document = teacher.conventions.key, teacher.document
    decimals, asked = key.problem.decimals.default, key.asked
    work, habit = Work(document), Habit(decimals, asked=asked)
    copier, given, more = None, None, {}
    match style:
        case "remembers all digits":
            habit = replace(habit, remembers=1.0)
        case "remembers some, more digits here and there":
            habit = replace(habit, remembers=0.5, more=2)
        case "cuts off":
            habit = replace(habit, remembers=float(random.choice([0.0, 1.0])), how=ROUND_DOWN)
        case "drops zeros":
            habit = replace(habit, remembers=0.3, drops_zeros=True)
        case "leaves matrices out":
            habit = replace(
                habit, remembers=float(random.choice([0.0, 0.5, 1.0])), more=int(random.integers(2)), leaves_out=0.4
            )
        case "numbers of their own":
            given = {name: np.round(random.uniform(-1, 1, value.shape), 2) for name, value in work.given().items()
                     if name[0] in "Wb"}  # fmt: skip
            more = {"given": {name: value.tolist() for name, value in given.items()}}
        case "given numbers as shown":
            given = {name: value for name, value in teacher.shown.items() if name not in "XY"}
        case "miscopies a cell and goes on with the right one" | "miscopies a cell and goes on with it":
            habit = replace(
                habit, remembers=float(random.choice([0.0, 0.5])), leaves_out=float(random.choice([0.0, 0.3]))
            )
            copier = _Copier(str(random.choice(list(work.order()))), style.endswith("with it"), random)
    answers = work_through(work, habit, random, given=given, spoil=copier)
    return answers, copier.cell if copier else None, more


@dataclass
class _Copier:
    """Writes one cell of a matrix wrongly; goes on with it, or with the right one."""

    matrix: str
    goes_on: bool
    random: Random
    cell: Cell | None = None

    def __call__(self, name: str, texts: list[list[str]], remembered: Array) -> Array:
        if name != self.matrix:
            return remembered
        i, j = (int(self.random.integers(size)) for size in remembered.shape)
        off = int(self.random.integers(1, 30)) * int(self.random.choice([-1, 1]))
        decimals = max(len(text.partition(".")[2]) for row in texts for text in row)
        texts[i][j] = rounded(float(texts[i][j]) + off * 10.0**-decimals, decimals)
        self.cell = (name, i, j)
        if self.goes_on:
            remembered = remembered.copy()
            remembered[i, j] = float(texts[i][j])
        return remembered


# Students with slips


@dataclass
class Score:
    """Of so many sheets with a slip: in how many it can be told from the right value, and was found.

    `level` counts sheets where it is first, or another is that gives the same numbers. `others` counts
    sheets on which a cell of another matrix was not credited.
    """

    sheets: int = 0
    told: int = 0
    listed: int = 0
    first: int = 0
    level: int = 0
    others: int = 0

    def add(self, marked: MarkedSheet, slugs: dict[str, str], is_level: Callable[[list[Mark]], bool]) -> None:
        """Count a sheet; `slugs` has the slip of each matrix that has one.

        A matrix that is not on the sheet stands for the first one that fails.
        """
        failing = [mark for mark in marked.marks if mark.verdict in ("slip", "wrong")]
        unseen = [matrix for matrix in slugs if matrix not in marked.sheet.written]
        if unseen and failing:
            slugs = {failing[0].id: slugs[unseen[0]]}
        self.sheets += 1
        self.others += any(mark.id not in slugs for mark in failing)
        here = [mark for mark in failing if mark.id in slugs]
        if {mark.id for mark in here} != set(slugs):
            return
        self.told += 1
        self.listed += all(any(_same(slip.slug, slugs[mark.id]) for slip in mark.slips) for mark in here)
        first = all(mark.slips and _same(mark.slips[0].slug, slugs[mark.id]) for mark in here)
        self.first += first
        self.level += first or is_level(here)


def _same(found: str, wanted: str) -> bool:
    """Whether two slips are one; of a pair in either order."""
    return sorted(found.split(" + ")) == sorted(wanted.split(" + "))


def _never(marks: list[Mark]) -> bool:
    return False


@dataclass
class _Slipping:
    """Works by the right rules but for one matrix; `value` makes that one from the work, and notes what it was."""

    work: Work
    matrix: str
    value: Callable[[Memory], Array | None]
    memory: Memory = field(default_factory=dict)
    slipped: bool = False

    def __call__(self, name: str, memory: Memory) -> Array:
        if name == self.matrix:
            wrong = self.value(memory)
            if wrong is not None:
                self.slipped, self.memory = True, dict(memory)
                return wrong
        return self.work.compute(name, memory)


def slip_documents(random: Random, count: int, decimals: int = 3) -> Iterator[Teacher]:
    """Problems on which slips show: more than one sample, nothing at the edge of float64."""
    while count:
        document = random_document(random, rows=int(random.integers(2, 6))) | {"decimals": decimals}
        teacher = Teacher.of(document) if is_workable(Work(document)) else None
        if teacher is not None:
            count -= 1
            yield teacher


def score_slips(random: Random, teachers: Iterable[Teacher], unseen: bool = False) -> dict[str, Score]:
    """Each slip alone, in a matrix in which it can happen, on every problem.

    `unseen`: by students who leave out four matrices in ten, and this one.
    """
    scores = {slug: Score() for slug in [*dict.fromkeys(slug for slug, _ in RULES), *IN_A_CELL]}
    for teacher in teachers:
        work = Work(teacher.document)
        for slug, score in scores.items():
            matrices = [name for name in work.order() if slug in IN_A_CELL or (slug, split(name)[0]) in RULES]
            random.shuffle(matrices)
            for matrix in matrices:
                slipping = _Slipping(work, matrix, _by_slip(slug, work, matrix, random))
                habit = replace(_habit(teacher), leaves_out=0.4 if unseen else 0.0)
                answers = work_through(work, habit, random, rules=slipping)
                if slipping.slipped:
                    if unseen:
                        answers.pop(matrix, None)
                    level = _never if unseen else _leveller(work, matrix, slipping, teacher)
                    score.add(teacher.mark(answers), {matrix: slug}, level)
                    break
    return scores


def _habit(teacher: Teacher) -> Habit:
    key = teacher.conventions.key
    return Habit(key.problem.decimals.default, asked=key.asked)


def _by_slip(slug: str, work: Work, matrix: str, random: Random) -> Callable[[Memory], Array | None]:
    """Makes a matrix by one form of a slip, chosen by lot."""
    lot = int(random.integers(1 << 30))

    def value(memory: Memory) -> Array | None:
        if slug not in IN_A_CELL:
            forms = wrong_values(slug, work, matrix, memory)
            return forms[lot % len(forms)] if forms else None
        cells = wrong_cells(slug, work, matrix, memory)
        if not cells:
            return None
        i, j, wrong = cells[lot % len(cells)]
        made = work.compute(matrix, memory).copy()
        made[i, j] = wrong
        return made

    return value


def _leveller(work: Work, matrix: str, slipping: _Slipping, teacher: Teacher) -> Callable[[list[Mark]], bool]:
    """Whether the slips that are named first give the same written numbers."""
    decimals = teacher.conventions.key.asked[matrix]

    def level(marks: list[Mark]) -> bool:
        return all(mark.slips and _gives(mark.slips[0].slug, mark) for mark in marks)

    def _gives(slug: str, mark: Mark) -> bool:
        if slug in IN_A_CELL:
            cells = wrong_cells(slug, work, matrix, slipping.memory)
            made = [value for i, j, value in cells if (i, j) == (mark.row, mark.column)]
        else:
            made = [float(each[mark.row, mark.column]) for each in wrong_values(slug, work, matrix, slipping.memory)]
        return any(float(rounded(value, decimals)) == float(mark.answer) for value in made)

    return level


def score_pairs(random: Random, teachers: Iterable[Teacher], each: int = 20) -> dict[str, Score]:
    """Two slips: in two matrices, and in one."""
    scores = {"in two matrices": Score(), "in one matrix": Score()}
    for teacher in teachers:
        work = Work(teacher.document)
        for _ in range(each):
            _two_matrices(random, teacher, work, scores["in two matrices"])
            _one_matrix(random, teacher, work, scores["in one matrix"])
    return scores


def _two_matrices(random: Random, teacher: Teacher, work: Work, score: Score) -> None:
    names = list(work.order())
    matrices = sorted((str(name) for name in random.choice(names, 2, replace=False)), key=names.index)
    slugs = {}
    for matrix in matrices:
        fitting = [slug for slug, kind in RULES if kind == split(matrix)[0]]
        if not fitting:
            return
        slugs[matrix] = str(random.choice(fitting))
    slipping = [_Slipping(work, matrix, _by_slip(slug, work, matrix, random)) for matrix, slug in slugs.items()]

    def rules(name: str, memory: Memory) -> Array:
        return next((each(name, memory) for each in slipping if each.matrix == name), work.compute(name, memory))

    answers = work_through(work, _habit(teacher), random, rules=rules)
    if all(each.slipped for each in slipping):
        score.add(teacher.mark(answers), slugs, _never)


def _one_matrix(random: Random, teacher: Teacher, work: Work, score: Score) -> None:
    """A slip in a rule, and a factor besides."""
    slug, kind = list(RULES)[int(random.integers(len(RULES)))]
    factors = [name for name, (kinds, _) in FACTORS.items() if kind in kinds and name != slug]
    matrices = [name for name in work.order() if split(name)[0] == kind]
    if not factors or not matrices:
        return
    matrix, factor = str(random.choice(matrices)), str(random.choice(factors))
    one = _by_slip(slug, work, matrix, random)

    def value(memory: Memory) -> Array | None:
        made = one(memory)
        times = FACTORS[factor][1](work)
        return None if made is None or times == 1 else made * times

    slipping = _Slipping(work, matrix, value)
    answers = work_through(work, _habit(teacher), random, rules=slipping)
    if slipping.slipped:
        score.add(teacher.mark(answers), {matrix: f"{slug} + {factor}"}, _never)


def score_pens(random: Random, teachers: Iterable[Teacher], each: int = 20) -> dict[str, Score]:
    """One number wrongly written down: its point moved, two digits exchanged, its sign lost, a neighbour's."""
    scores = {name: Score() for name in _PENS}
    for teacher in teachers:
        work = Work(teacher.document)
        for name, (slug, spoiled) in _PENS.items():
            for _ in range(each):
                matrix = str(random.choice(list(work.order())))
                pen = _Pen(matrix, spoiled, bool(random.integers(2)), random)
                answers = work_through(work, _habit(teacher), random, spoil=pen)
                if pen.slipped:
                    scores[name].add(teacher.mark(answers), {matrix: slug}, _never)
    return scores


@dataclass
class _Pen:
    """Spoils one number of a matrix on the way to the paper."""

    matrix: str
    spoiled: Callable[[list[list[str]], int, int, Random], str | None]
    goes_on: bool
    random: Random
    slipped: bool = False

    def __call__(self, name: str, texts: list[list[str]], remembered: Array) -> Array:
        if name != self.matrix:
            return remembered
        i, j = (int(self.random.integers(size)) for size in remembered.shape)
        other = self.spoiled(texts, i, j, self.random)
        if other is None or float(other) == float(texts[i][j]):
            return remembered
        texts[i][j], self.slipped = other, True
        if self.goes_on:
            remembered = remembered.copy()
            remembered[i, j] = float(other)
        return remembered


def _point_moved(texts: list[list[str]], i: int, j: int, random: Random) -> str | None:
    value, decimals = float(texts[i][j]), len(texts[i][j].partition(".")[2])
    return rounded(value * 10, decimals) if random.random() < 0.5 else rounded(value / 10, decimals + 1)


def _digits_exchanged(texts: list[list[str]], i: int, j: int, random: Random) -> str | None:
    letters = list(texts[i][j])
    places = [k for k, letter in enumerate(letters) if letter.isdigit()]
    k = int(random.integers(len(places) - 1)) if len(places) > 1 else None
    if k is None:
        return None
    one, other = places[k], places[k + 1]
    letters[one], letters[other] = letters[other], letters[one]
    return "".join(letters)


def _sign_lost(texts: list[list[str]], i: int, j: int, random: Random) -> str | None:
    return texts[i][j].removeprefix("-") if texts[i][j].startswith("-") else f"-{texts[i][j]}"


def _neighbour(texts: list[list[str]], i: int, j: int, random: Random) -> str | None:
    beside = [(i, j - 1), (i, j + 1), (i - 1, j), (i + 1, j)]
    places = [(r, c) for r, c in beside if 0 <= r < len(texts) and 0 <= c < len(texts[0])]
    if not places:
        return None
    row, column = places[int(random.integers(len(places)))]
    return texts[row][column]


_PENS = {
    "decimal point moved": ("digit-slip", _point_moved),
    "two digits exchanged": ("digit-slip", _digits_exchanged),
    "sign turned": ("copied-or-sign-dropped", _sign_lost),
    "a neighbour's number": ("copied-or-sign-dropped", _neighbour),
}
