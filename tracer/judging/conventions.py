"""Different ways of being right: answers that follow another convention of the problem throughout.

The first matrix that fails says which conventions come into question; one is recognised if with it no cell
that counts is lost and some are won. What `[reproduce]` has is no convention: those are slips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations, product

import numpy as np

from tracer.answers.key import Key, key_of
from tracer.answers.reading import Answers, Grid
from tracer.errors import TracerError
from tracer.expression.interval import bound
from tracer.judging.judging import judge
from tracer.judging.numbers import close, inside, tolerance
from tracer.judging.sheet import Sheet, lay_beside, transposed
from tracer.judging.verdicts import COUNTS, Mark
from tracer.judging.work import Work
from tracer.problem.convention import FUSED
from tracer.problem.problem import Problem
from tracer.program.roles import WEIGHTS_GRADIENT, Quantity

MOST_ROUNDS = 5  # conventions are added one after the other
MOST_AT_ONCE = 3  # that one matrix shows together
MOST_PASSES_TRIED = 4
NEARLY_ALL = 0.9  # of the cells, right as those of another pass

_LOSSES = {
    "half_squared_error": "½ of the squared error",
    "squared_error": "the squared error without ½",
    "mean_squared_error": "the mean of the squared errors over the outputs",
}
FAILS = ("slip", "wrong", "not_read")  # what another convention may explain
RIGHT = COUNTS | {"too_coarse"}
Change = Callable[[Problem], Problem]


@dataclass(frozen=True)
class Choice:
    """One way of a convention that a problem does not have, in words, and what it makes of the problem."""

    of: str
    words: str
    change: Change


@dataclass(frozen=True)
class Layout:
    """Matrices written with rows and columns exchanged."""

    words: str
    turns: Callable[[Quantity], bool]


LAYOUTS = (
    Layout("gradients transposed", lambda what: what == WEIGHTS_GRADIENT),
    Layout("samples as columns", lambda what: True),
)


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
        best, counted = OtherConventions((), sheet), _counting(marks)
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

    def of_another_pass(self, sheet: Sheet, marks: list[Mark]) -> OtherConventions | None:
        """The sheet read as answers of another of the first passes, if nearly all of it is right so."""
        counted, equal = _counting(marks), _equal(sheet)
        for number in range(1, MOST_PASSES_TRIED + 1):
            key = self._key_of_pass(number) if number != self.number else None
            try:
                other = None if key is None else lay_beside(sheet.answers, key)
            except TracerError:  # the learner's given numbers leave float64
                continue
            if other is None or _equal(other) <= equal:
                continue
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
        for layout in LAYOUTS:
            turns = layout.turns(best.sheet.key.program.quantity(failing))
            if layout.words not in chosen and turns and failing in best.sheet.written:
                turned = _turned(answers, best.sheet.key, layout)
                if turned is not None:
                    yield OtherConventions((*chosen, layout.words), lay_beside(turned, self._key_now(best)))
        for more in self._together(best, failing):
            words = tuple(each.words for each in more)
            key = self._key((*(each for each in chosen if not _is_layout(each)), *words))
            if key is None:
                continue
            try:
                sheet = lay_beside(answers, key)
            except TracerError:  # the learner's given numbers leave float64 by this convention
                continue
            if _explains(sheet, failing):
                yield OtherConventions((*chosen, *words), sheet)

    def _together(self, best: OtherConventions, failing: str) -> Iterator[tuple[Choice, ...]]:
        """One choice that changes a matrix, then two together, then three: at most one of each convention."""
        chosen = [each for each in best.words if not _is_layout(each)]
        taken = {each.of for each in choices(self.key.problem) if each.words in chosen}
        by_kind: dict[str, list[Choice]] = {}
        for each in choices(self.key.problem):
            if each.of not in taken:
                key = self._key((*chosen, each.words))
                if key is not None and _differs(key, best.sheet.key, failing):
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
            problem = self.key.problem
            for each in choices(problem):
                if each.words in words:
                    problem = each.change(problem)
            try:
                self.keys[words] = replace(key_of(problem, self.number), sha256=self.key.sha256, notes=self.key.notes)
            except TracerError:
                self.keys[words] = None
        return self.keys[words]


def choices(problem: Problem) -> Iterator[Choice]:
    """The ways of each convention that a problem does not have."""
    convention = problem.convention
    for name, ways in _WAYS.items():
        for value, words in ways.items():
            if value != getattr(convention, name):
                yield Choice(name, words, _with_convention(name, value))
    if (problem.layers[-1].activation, problem.loss) in FUSED:
        other = "jacobian" if convention.softmax_slope == "fused" else "fused"
        yield Choice("softmax_slope", _SLOPES[other], _with_convention("softmax_slope", other))
    shown = "mean" if problem.loss_shown == "sum" else "sum"
    yield Choice("loss_shown", f"the loss as a {shown}", lambda each: replace(each, loss_shown=shown))  # type: ignore[arg-type]
    if problem.loss in _LOSSES:
        for loss, words in _LOSSES.items():
            if loss != problem.loss:
                yield Choice("loss", words, lambda each, other=loss: replace(each, loss=other))  # type: ignore[misc]


_WAYS: Mapping[str, Mapping[object, str]] = {
    "error": {"output - target": "output − target", "target - output": "target − output"},
    "reduction": {"sum": "summed over the samples", "mean": "averaged over the samples"},
    "learning_rate_in": {"update": "the learning rate in the update", "delta": "the learning rate inside delta"},
    "bias_update": {True: "biases are updated", False: "biases are not updated"},
    "relu_slope_at_zero": {0: "the slope of ReLU at 0 is 0", 1: "the slope of ReLU at 0 is 1"},
}
_SLOPES = {"fused": "E taken together with the output activation", "jacobian": "E and the output's slope apart"}


def _with_convention(name: str, value: object) -> Change:
    return lambda problem: replace(problem, convention=problem.convention.model_copy(update={name: value}))


def _is_layout(words: str) -> bool:
    return any(words == layout.words for layout in LAYOUTS)


def _fails(mark: Mark) -> bool:
    return mark.verdict in FAILS


def _counting(marks: list[Mark]) -> set[tuple[str, int, int]]:
    return {(mark.id, mark.row, mark.column) for mark in marks if mark.verdict in RIGHT}


def _equal(sheet: Sheet) -> int:
    """How many numbers equal the key's to the digits written."""
    pairs = ((each, sheet.key.values[identifier]) for identifier, each in sheet.written.items())
    return sum(int(np.count_nonzero(close(each.values, value, tolerance(each)))) for each, value in pairs)


def _throughout(marks: list[Mark], now: set[tuple[str, int, int]], before: Sheet, other: Sheet) -> bool:
    """Whether every failing cell of the matrices that another convention touches is right by it."""
    failing = [each for each in marks if _fails(each) and _touches(before, other, each.id)]
    return all((each.id, each.row, each.column) in now for each in failing)


def _touches(before: Sheet, other: Sheet, identifier: str) -> bool:
    """Whether a convention makes a matrix differently, or turns it."""
    turned = before.answers.matrices.get(identifier) != other.answers.matrices.get(identifier)
    return turned or _differs(other.key, before.key, identifier)


def _differs(one: Key, other: Key, identifier: str) -> bool:
    """Whether two keys make a matrix differently; not where the first does not have it."""
    if identifier not in one.values:
        return False
    return one.program.assignments[identifier].expression != other.program.assignments[identifier].expression


def _explains(sheet: Sheet, identifier: str) -> bool:
    """Whether most of a matrix follows by this key's rule from the cells before it, as far as they are written."""
    written, expression = sheet.written.get(identifier), sheet.key.program.assignments[identifier].expression
    if written is None or expression is None:
        return False
    bounds = bound(expression, Work(sheet).reading)
    right = inside(written.values, bounds, tolerance(written)) | ~written.present
    return bool(np.count_nonzero(right) * 2 > right.size)


def _turned(answers: Answers, key: Key, layout: Layout) -> Answers | None:
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
