"""Students with misconceptions who mend what they are told first, hand in again, and so on until all is right.

A misconception is a slip of the catalogue that is applied wherever it can be. `python -m benchmarks.diagnosis` runs
hundreds; the tests run a few.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from tests.simulation import Random, Teacher
from tests.students import Answers, Array, Habit, Work, rounded, split, work_through
from tests.wrong_rules import RULES, Memory, wrong_values
from tracer.judging.diagnosis import Misconception
from tracer.judging.marking import BY_CONVENTION, MarkedSheet

MOST_ROUNDS = 12
MOST_AT_ONCE = 3
SAME_THING = {"rate-in-gradient", "rate-missing-twice-divided"}  # the rate twice, wherever it shows
CONVENTIONAL = {
    "error-sign",
    "sum-for-mean",
    "rate-in-gradient",
    "half-factor",
    "gradient-transposed",
    "loss-sign",
    "not-updated",
}
"""Slips that are another convention where they are followed throughout; then this is what is said."""


@dataclass(frozen=True)
class Held:
    """A misconception: a slip in matrices of one kind, in one of its forms; `lot` chooses that."""

    slug: str
    kind: str
    lot: int

    def value(self, work: Work, name: str, memory: Memory) -> Array | None:
        forms = wrong_values(self.slug, work, name, memory) if split(name)[0] == self.kind else []
        return forms[self.lot % len(forms)] if forms else None


@dataclass
class Student:
    """Works a problem with misconceptions; `mended` are matrices that they have put right by themselves."""

    teacher: Teacher
    held: list[Held]
    random: Random
    mended: set[str] = field(default_factory=set)
    shown: set[Held] = field(default_factory=set)  # those that changed a number of the last sheet
    memory: Memory = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.work = Work(self.teacher.document)
        self.asked = self.teacher.conventions.key.asked

    def sheet(self) -> Answers:
        self.shown.clear()
        habit = Habit(self.teacher.conventions.key.problem.decimals.default, asked=self.asked)
        return work_through(self.work, habit, self.random, rules=self._rule)

    def _rule(self, name: str, memory: Memory) -> Array:
        self.memory = memory
        right = self.work.compute(name, memory)
        for each in self.held if name not in self.mended else ():
            wrong = each.value(self.work, name, memory)
            if wrong is not None:
                if (np.abs(wrong - right) > 10.0 ** -self.asked[name]).any():
                    self.shown.add(each)
                return wrong
        return right

    def mend(self, found: Misconception) -> None:
        """Give up what was named, or where something else was named only put those matrices right."""
        named = [each for each in self.held if names(found, each.slug)]
        self.held = [each for each in self.held if each not in named]
        if not named:
            self.mended |= set(found.matrices)

    def gives_the_same(self, found: Misconception) -> bool:
        """Whether a rule that was named but is not held gives the very numbers that were written."""
        cells = {name: [mark for mark in found.marks if mark.id == name] for name in found.matrices}
        return all(self._same(found.idea.slug, name, marks) for name, marks in cells.items())

    def _same(self, slug: str, name: str, marks: list) -> bool:  # type: ignore[type-arg]
        return any(
            all(float(rounded(float(form[mark.row, mark.column]), self.asked[name])) == float(mark.answer)
                for mark in marks)
            for form in wrong_values(slug, self.work, name, self.memory)
        )  # fmt: skip


def names(found: Misconception, slug: str) -> bool:
    """Whether this, or what cannot be told from it, is the slip."""
    ideas = [found.idea, *([found.rival] if found.rival else [])]
    for idea in ideas:
        if idea.slug == slug or {idea.slug, slug} <= SAME_THING:
            return True
        if idea.slug == BY_CONVENTION and slug in CONVENTIONAL:
            return True
    return False


@dataclass
class Replay:
    """What came of students with one to three misconceptions."""

    rounds: Counter[tuple[int, int]] = field(default_factory=Counter)  # (misconceptions that show, rounds)
    planted: int = 0
    found: int = 0
    named: int = 0
    right: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    mistaken: Counter[tuple[str, str]] = field(default_factory=Counter)
    slow: list[tuple[Teacher, tuple[Held, ...]]] = field(default_factory=list)

    @property
    def students(self) -> int:
        return self.rounds.total()

    @property
    def in_time(self) -> float:
        """The share of students who needed no more rounds than they had misconceptions."""
        return sum(count for (planted, rounds), count in self.rounds.items() if rounds <= planted) / self.students

    @property
    def recall(self) -> float:
        return self.found / max(self.planted, 1)

    @property
    def precision(self) -> float:
        return self.right / max(self.named, 1)

    def add(self, student: Student) -> None:
        """Mark, mend the first finding, mark again."""
        held = tuple(student.held)
        marked = student.teacher.mark(student.sheet())
        planted = set(student.shown)
        if not planted:
            return
        self._count(student, marked, planted)
        rounds = 0
        while _fails(marked) and rounds < MOST_ROUNDS:
            rounds += 1
            if not marked.diagnosis:
                student.mended |= {next(mark.id for mark in marked.marks if mark.verdict == "wrong")}
            else:
                student.mend(marked.diagnosis[0])
            marked = student.teacher.mark(student.sheet())
        self.rounds[len(planted), rounds] += 1
        if rounds > len(planted):
            self.slow.append((student.teacher, held))

    def _count(self, student: Student, marked: MarkedSheet, planted: set[Held]) -> None:
        diagnosis = list(marked.diagnosis)
        self.planted += len(planted)
        self.named += len(diagnosis)
        for each in planted:
            hit = any(names(found, each.slug) for found in diagnosis)
            self.found += hit
            if not hit:
                self.missed[each.slug] += 1
        for found in diagnosis:
            hit = any(names(found, each.slug) for each in planted) or student.gives_the_same(found)
            self.right += hit
            if not hit:
                self.mistaken[found.idea.slug, " ".join(sorted(each.slug for each in planted))] += 1


def _fails(marked: MarkedSheet) -> bool:
    return any(mark.verdict in ("slip", "wrong") for mark in marked.marks)


def students(random: Random, teachers: Iterable[Teacher], each: int) -> Iterator[Student]:
    """So many students for each problem, with one to three misconceptions, each in other matrices."""
    by_kind: Mapping[str, list[str]] = {
        kind: [slug for slug, of in RULES if of == kind] for kind in dict.fromkeys(kind for _, kind in RULES)
    }
    for teacher in teachers:
        kinds = sorted({split(name)[0] for name in Work(teacher.document).order()} & by_kind.keys())
        for _ in range(each):
            chosen = random.choice(kinds, int(random.integers(1, MOST_AT_ONCE + 1)), replace=False)
            held = [
                Held(str(random.choice(by_kind[kind])), str(kind), int(random.integers(1 << 30))) for kind in chosen
            ]
            yield Student(teacher, held, random)
