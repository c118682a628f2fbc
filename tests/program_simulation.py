"""Sheets of programs in numbers: slips that are found and named, which of them nobody can tell apart, honest habits.

`python -m benchmarks.program_slips` prints the figures; tests/property/test_program_sheets.py looks at a few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from tests.habits import HANDED_IN, HonestHabit
from tests.program_slips import Program, Slipped
from tracer.answers.handed_in import Answers
from tracer.answers.numbers import read_number
from tracer.expression.arrays import Array
from tracer.expression.evaluate import evaluate
from tracer.judging.verdicts import Mark
from tracer.problem.example_groups import EXAMPLE_GROUPS
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.reading import load_any

DRAWS, MOST_TRIED = 10, 200
SAME = 1e-9  # of a matrix's largest number: two rules that never differ by more are one
Random = np.random.Generator


@cache
def programs() -> tuple[Program, ...]:
    """The built-in examples that are programs."""
    found = (load_any(name) for names in EXAMPLE_GROUPS.values() for name in names)
    return tuple(Program(each) for each in found if isinstance(each, ProgramProblem))


def draws(program: Program) -> list[Mapping[str, Array]]:
    """Ten runs of the program from other numbers: parameters and what is given with broken numbers are drawn anew."""
    random, found = np.random.default_rng(7), list[Mapping[str, Array]]()
    problem, made = program.problem, program.key.program
    for _ in range(MOST_TRIED):
        given = {each: _drawn(value, random) for each, value in program.key.values.items() if each in made.inputs}
        given |= {each: program.key.values[each] for each in made.inputs if made.quantity(each).kind == "target"}
        with np.errstate(all="ignore"):
            run = dict(zip(made.computed, made.numpy.run(*(given[each] for each in made.inputs)), strict=True))
        if all(np.isfinite(each).all() for each in run.values()):
            found.append(given | run)
            if len(found) == DRAWS:
                return found
    raise AssertionError(f"{problem.name}: its numbers leave float64 too often")


def _drawn(value: Array, random: Random) -> Array:
    """Numbers of the same size; masks, one-hot rows and the like stay."""
    if np.isin(value, (0.0, 1.0, -30.0)).all():
        return value
    return np.asarray(value * random.uniform(0.6, 1.4, value.shape) + random.uniform(-0.05, 0.05, value.shape))


@dataclass(frozen=True, eq=False)
class Alike:
    """The wrong rules of a program, and which of one matrix are one rule: on all ten draws, or to the digits."""

    program: Program

    def groups(self) -> Iterator[tuple[Slipped, frozenset[str]]]:
        """Each wrong rule that is no right one, with the slugs of all rules that give the same on ten draws."""
        runs = draws(self.program)
        by_matrix: dict[str, list[Slipped]] = {}
        for each in self.program.slips():
            by_matrix.setdefault(each.at, []).append(each)
        for at, slips in by_matrix.items():
            made = [[_value(each, run) for run in runs] for each in slips]
            for each, values in zip(slips, made, strict=True):
                if not all(_same(one, run[at]) for one, run in zip(values, runs, strict=True)):
                    alike = (k for k, others in enumerate(made) if all(map(_same, values, others)))
                    yield each, frozenset(slips[k].slug for k in alike)


def _value(slip: Slipped, run: Mapping[str, Array]) -> Array:
    with np.errstate(all="ignore"):
        return np.broadcast_to(evaluate(slip.rule, run), run[slip.at].shape)


def _same(one: Array, other: Array) -> bool:
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return bool(np.array_equal(one, other, equal_nan=True))
    return bool(np.abs(one - other).max(initial=0.0) <= SAME * max(1.0, float(np.abs(other).max(initial=0.0))))


@dataclass
class Naming:
    """How slips of programs were named. `equal` has the pairs of slugs that ten draws did not tell apart, by program,
    `equal_here` those that the digits of the program's own numbers do not."""

    shown: int = 0
    hidden: int = 0
    found: int = 0
    named: int = 0
    first: int = 0
    elsewhere: int = 0
    equal: dict[str, set[frozenset[str]]] = field(default_factory=dict)
    equal_here: Counter[frozenset[str]] = field(default_factory=Counter)
    missed: Counter[tuple[str, str]] = field(default_factory=Counter)
    later: Counter[tuple[str, str]] = field(default_factory=Counter)
    slugs: Counter[str] = field(default_factory=Counter)

    def add(self, program: Program, most: int, random: Random) -> None:
        """So many wrong rules of a program, chosen by lot; 0: all of them."""
        slips = list(Alike(program).groups())
        self.equal[program.problem.name] = {alike for _, alike in slips if len(alike) > 1}
        left = most or len(slips)
        for k in random.permutation(len(slips)):
            slip, alike = slips[k]
            worked = program.worked(slip)
            if not program.shows(slip, worked):
                self.hidden += 1
                continue
            values = {**program.key.values, **worked}
            here = frozenset(other.slug for other, _ in slips if other.at == slip.at
                             and np.array_equal(program.alone(other, values), worked[slip.at]))  # fmt: skip
            self._mark(program, slip, alike | here, worked)
            self.equal_here[here] += len(here) > 1
            left -= 1
            if not left:
                return

    def _mark(self, program: Program, slip: Slipped, alike: frozenset[str], worked: Mapping[str, Array]) -> None:
        marked = program.mark(worked)
        accused = [mark for mark in marked.marks if mark.verdict in ("slip", "wrong")]
        at = [mark for mark in accused if mark.id == slip.at]
        told = {one.slug for mark in at for one in mark.slips}
        first = marked.diagnosis[0].idea.slug if marked.diagnosis else ""
        self.shown += 1
        self.slugs[slip.slug] += 1
        self.found += bool(at)
        self.elsewhere += len(accused) > len(at)
        self.named += bool(told & alike)
        self.first += first in alike
        if not told & alike:
            self.missed[slip.slug, program.problem.name] += 1
        elif first not in alike:
            self.later[slip.slug, first] += 1


# Honest people


def _as_letters(program: Program, identifier: str) -> str:
    """What the habits call a matrix of this role: Z, A, S, D, …; updated ones end in _next."""
    made = program.key.program.assignments[identifier]
    letters = {"loss": "L", "local_derivative": "S1", "gradient": "D1", "contribution": "E1", "updated": "W1_next"}
    forward = "A1" if made.kind == "activation" else "Z1"
    return letters.get(made.role, forward)


@dataclass
class HonestSheets:
    """Verdicts on sheets of people who work by the right rules, by habit; `accused` are called wrong or a slip."""

    verdicts: dict[str, Counter[str]] = field(default_factory=dict)
    accused: list[tuple[str, str, str, Mark]] = field(default_factory=list)

    def add(self, program: Program, habits: Mapping[str, HonestHabit], ways: Iterable[str], random: Random) -> None:
        for name, habit in habits.items():
            for way in ways:
                answers = _handed_in(program, habit, way, random)
                for mark in program.mark_answers(answers).marks if answers.matrices else ():
                    self.verdicts.setdefault(name, Counter())[mark.verdict] += 1
                    if mark.verdict in ("slip", "wrong"):
                        self.accused.append((program.problem.name, name, way, mark))

    @property
    def cells(self) -> int:
        return sum(map(Counter.total, self.verdicts.values()))


def _handed_in(program: Program, habit: HonestHabit, way: str, random: Random) -> Answers:
    """What somebody of a habit hands in: each matrix by the right rule on what is remembered of those before it."""
    key, grids = program.key, {}
    memory = dict(key.values)
    for each in key.program.computed:
        letters = _as_letters(program, each)
        decimals = key.asked[each] if habit.as_asked else key.problem.decimals.of(each)
        remembered = habit.remembers(letters, random)
        cells = [[habit.on_paper(value, decimals, remembered) for value in row]
                 for row in key.compute(each, memory).tolist()]  # fmt: skip
        memory[each] = np.array([[kept for _, kept in row] for row in cells])
        if not np.isfinite(memory[each]).all():
            break
        if HANDED_IN[way](letters, random):
            grids[each] = tuple(tuple(read_number(text) for text, _ in row) for row in cells)
    return Answers("honest", grids)


__all__ = ["HonestSheets", "Naming", "draws", "programs"]
