"""Different ways of being right: answers that follow another convention of the problem throughout.

The first matrix that fails says which conventions come into question; one is recognised if with it no cell
that counts is lost and some are won. What `[reproduce]` has is no convention: those are slips.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations, product

import numpy as np

from tracer.answers.key import Key, key_of
from tracer.answers.reading import Answers, Grid
from tracer.errors import TracerError
from tracer.expression import traversal
from tracer.expression.interval import bound
from tracer.judging.judging import judge
from tracer.judging.numbers import close, inside, tolerance
from tracer.judging.sheet import Sheet, lay_beside, transposed
from tracer.judging.verdicts import COUNTS, Mark
from tracer.judging.work import Work
from tracer.problem.problem import Problem
from tracer.problem.ways import LAYOUTS, Choice, LayoutWay, choices, layouts, together
from tracer.run.passes import AnyProblem

MOST_ROUNDS = 5  # conventions are added one after the other
MOST_AT_ONCE = 3  # that one matrix shows together
MOST_JUDGED = 3  # of the conventions that the numbers speak for
MOST_PASSES_TRIED = 4
NEARLY_ALL = 0.9  # of the cells, right as those of another pass

FAILS = ("slip", "wrong", "not_read")  # what another convention may explain
RIGHT = COUNTS | {"too_coarse"}


@dataclass(frozen=True)
class OtherConventions:
    """A sheet read by other conventions: what they are called, the sheet laid beside their key.

    `all_right` says whether every cell counts by them, `another_pass` that they are answers of another pass.
    """

    words: tuple[str, ...]
    sheet: Sheet
    all_right: bool = False
    another_pass: bool = False


@dataclass(eq=False)
class Conventions:
    """The other conventions of a problem; their keys are made once for all learners."""

    key: Key
    number: int = 1
    keys: dict[tuple[str, ...], Key | None] = field(default_factory=dict)

    def recognised(self, sheet: Sheet, marks: list[Mark]) -> OtherConventions | None:
        """The conventions by which a sheet is right, or righter; None where there are none."""
        best, marks = self._by_numbers(sheet, marks)
        counted = _counting(marks)
        passed: set[str] = set()
        for _ in range(MOST_ROUNDS):
            failing = next((each.id for each in marks if _fails(each) and each.id not in passed), None)
            if failing is None:
                break
            for other in self._candidates(best, failing):
                read = judge(other.sheet)
                now = _counting(read)
                if counted < now and _throughout(marks, now, best.sheet, other.sheet):
                    best, marks, counted = replace(other, all_right=len(now) == len(read)), read, now
                    break
            else:
                passed.add(failing)
        return best if best.words else None

    def _by_numbers(self, sheet: Sheet, marks: list[Mark]) -> tuple[OtherConventions, list[Mark]]:
        """The sheet by the conventions of sign, rate and mean together whose key has most of its numbers."""
        best = OtherConventions((), sheet)
        if not any(map(_fails, marks)):
            return best, marks
        equal, found = _equal(sheet), []
        for several in together(self.key.problem):
            words = tuple(each.words for each in several)
            key = self._key(words)
            if key is not None and (count := _equal(sheet, key)) > equal:
                found.append((-count, len(words), words))
        for _, _, words in sorted(found)[:MOST_JUDGED]:
            beside = self._read_by(words, sheet.answers)
            read = [] if beside is None else judge(beside)
            now = _counting(read)
            if beside is not None and _counting(marks) < now and _throughout(marks, now, sheet, beside):
                return OtherConventions(words, beside, all_right=len(now) == len(read)), read
        return best, marks

    def _read_by(self, words: tuple[str, ...], answers: Answers) -> Sheet | None:
        """The answers beside the key by these conventions; None where the numbers leave float64 by them."""
        key = self._key(words)
        try:
            return None if key is None else lay_beside(answers, key)
        except TracerError:
            return None

    def of_another_pass(self, sheet: Sheet, marks: list[Mark]) -> OtherConventions | None:
        """The sheet read as answers of another of the first passes, if nearly all of it is right so."""
        counted, equal = _counting(marks), _equal(sheet)
        first = next((mark.id for mark in marks if _fails(mark)), None)
        for number in range(1, MOST_PASSES_TRIED + 1):
            key = self._key_of_pass(number) if number != self.number else None
            try:
                other = None if key is None else lay_beside(sheet.answers, key)
            except TracerError:  # the learner's given numbers leave float64
                continue
            if other is None or _equal(other) <= equal:
                continue
            if first in sheet.written and _equal(other, of=first) <= _equal(sheet, of=first):
                continue  # a sheet of another pass fails where that pass's numbers begin
            now = _counting(judge(other))
            if len(now) >= NEARLY_ALL * len(marks) and len(now) > len(counted):
                return OtherConventions(
                    (f"pass {number} (--pass {number})",), other, len(now) == len(marks), another_pass=True
                )
        return None

    def _key_of_pass(self, number: int) -> Key | None:
        words = (f"pass {number}",)
        if words not in self.keys:
            try:
                self.keys[words] = replace(key_of(self.key.problem, number), sha256=self.key.sha256)
            except TracerError:
                self.keys[words] = None
        return self.keys[words]

    def _candidates(self, best: OtherConventions, failing: str) -> Iterator[OtherConventions]:
        """The sheet read by one more convention, or a few, that explain the failing matrix."""
        answers, chosen = best.sheet.answers, best.words
        for layout in layouts(self.key.problem):
            turns = layout.turns(best.sheet.key.program.quantity(failing))
            if layout.words not in chosen and turns and failing in best.sheet.written:
                turned = _turned(answers, best.sheet.key, layout)
                if turned is not None:
                    yield OtherConventions((*chosen, layout.words), lay_beside(turned, self._key_now(best)))
        for more in self._together(best, failing):
            words = tuple(each.words for each in more)
            sheet = self._read_by((*(each for each in chosen if not _is_layout(each)), *words), answers)
            if sheet is not None and _explains(sheet, failing):
                yield OtherConventions((*chosen, *words), sheet)

    def _together(self, best: OtherConventions, failing: str) -> Iterator[tuple[Choice, ...]]:
        """One choice that changes a matrix, then two together, then three: at most one of each convention."""
        chosen = [each for each in best.words if not _is_layout(each)]
        taken = {each.of for each in choices(self.key.problem) if each.words in chosen}
        by_kind: dict[str, list[Choice]] = {}
        for each in choices(self.key.problem):
            if each.of not in taken:
                key = self._key((*chosen, each.words))
                if key is not None and _differs(key, best.sheet, failing):
                    by_kind.setdefault(each.of, []).append(each)
        for count in range(1, MOST_AT_ONCE + 1):
            for kinds in combinations(by_kind.values(), count):
                yield from product(*kinds)

    def _key_now(self, best: OtherConventions) -> Key:
        key = self._key(tuple(each for each in best.words if not _is_layout(each)))
        assert key is not None  # it was read with it
        return key

    def _key(self, words: tuple[str, ...]) -> Key | None:
        """The key by these conventions; None where the numbers leave float64."""
        words = tuple(sorted(words))
        if not words:
            return self.key
        if words not in self.keys:
            try:
                made = key_of(_changed(self.key.problem, words), self.number)
                self.keys[words] = replace(made, sha256=self.key.sha256, notes=self.key.notes)
            except TracerError:
                self.keys[words] = None
        return self.keys[words]


def _changed(problem: AnyProblem, words: Collection[str]) -> AnyProblem:
    """A problem by other conventions, of which a program has none."""
    for each in choices(problem):
        if each.words in words and isinstance(problem, Problem):
            problem = each.change(problem)
    return problem


def _is_layout(words: str) -> bool:
    return any(words == layout.words for layout in LAYOUTS)


def _fails(mark: Mark) -> bool:
    return mark.verdict in FAILS


def _counting(marks: list[Mark]) -> set[tuple[str, int, int]]:
    return {(mark.id, mark.row, mark.column) for mark in marks if mark.verdict in RIGHT}


def _equal(sheet: Sheet, key: Key | None = None, of: str | None = None) -> int:
    """How many numbers, of one matrix alone where it is named, equal the key's (or another one's) as far as written."""
    row = sheet.in_a_row
    same = close(row.values, sheet.of_key((key or sheet.key).values), tolerance(row))
    if of is not None:
        same = dict(zip(sheet.written, sheet.matrices_of(same), strict=True)).get(of, np.zeros(0))
    return int(np.count_nonzero(same))


def _throughout(marks: list[Mark], now: set[tuple[str, int, int]], before: Sheet, other: Sheet) -> bool:
    """Whether every failing cell of the matrices that another convention touches is right by it."""
    failing = [each for each in marks if _fails(each) and _touches(before, other, each.id)]
    return all((each.id, each.row, each.column) in now for each in failing)


def _touches(before: Sheet, other: Sheet, identifier: str) -> bool:
    """Whether a convention makes a matrix differently, or turns it."""
    turned = before.answers.matrices.get(identifier) != other.answers.matrices.get(identifier)
    return turned or _differs(other.key, before, identifier)


def _differs(one: Key, sheet: Sheet, identifier: str) -> bool:
    """Whether a key makes a matrix differently from the sheet's, itself or what was left out before it."""
    made_by = (one.program.assignments, sheet.key.program.assignments)
    if any(identifier not in each for each in made_by):
        return False
    made, other = (each[identifier].expression for each in made_by)
    if made is None or other is None or made != other:
        return made != other
    before = (each.name for each in traversal.symbols(made) if each.name not in sheet.written)
    return any(_differs(one, sheet, each) for each in before)


def _explains(sheet: Sheet, identifier: str) -> bool:
    """Whether most of a matrix follows by this key's rule from the cells before it, as far as they are written."""
    written, expression = sheet.written.get(identifier), sheet.key.program.assignments[identifier].expression
    if written is None or expression is None:
        return False
    bounds = bound(expression, Work(sheet).reading)
    right = inside(written.values, bounds, tolerance(written)) | ~written.present
    return bool(np.count_nonzero(right) * 2 > right.size)


def _turned(answers: Answers, key: Key, layout: LayoutWay) -> Answers | None:
    """The answers with matrices the other way round (not vectors); None where one would not fit."""
    found: dict[str, Grid] = dict(answers.matrices)
    for identifier, grid in answers.matrices.items():
        if identifier in key.values and layout.turns(key.program.quantity(identifier)):
            rows, columns = key.values[identifier].shape
            if (len(grid), max(map(len, grid), default=0)) == (columns, rows):
                found[identifier] = transposed(grid, (rows, columns))
            elif 1 not in (rows, columns):
                return None
    return replace(answers, matrices=found, raw=None)
