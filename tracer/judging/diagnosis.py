"""The diagnosis of a whole sheet: the fewest wrong rules that together explain every slip on it.

A cell's slips are the explanations that fit it. Here they are weighed over all cells at once: what is needed for one
matrix explains another with nothing added, so that a misconception of the student's is found once, however often it
shows, and a rule that fits one matrix by chance loses to one that is at work in several.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from tracer.judging.verdicts import Idea, Mark, Slip, SlipExtent

ANOTHER = 10.0  # against one more wrong rule: more than the likeliest explanation of a matrix is ahead of any other
MOST_TRIED = 4_000  # ways of putting an explanation together; on a sheet of chance hits the best so far is taken
AS_LIKELY = 3.0  # a rule that fits the same cells and is no less likely than this can be meant as well

Keys: TypeAlias = frozenset[str]
"""The misconceptions that an explanation needs: one, or two that were used at once."""


@dataclass(frozen=True)
class Misconception:
    """A wrong rule and the cells that it explains, in order of time.

    `idea` is it in the first of them, `made_in` has the matrix in which the wrong rule was used, for each of them.
    `rival` is another that explains the same cells just as well, where there is one.
    """

    idea: Idea
    marks: tuple[Mark, ...]
    made_in: tuple[str, ...]
    rival: Idea | None = None

    @property
    def first(self) -> Mark:
        return self.marks[0]

    @property
    def matrices(self) -> tuple[str, ...]:
        """Where it shows, in order of time."""
        return tuple(dict.fromkeys(mark.id for mark in self.marks))


@dataclass(frozen=True)
class Diagnosis:
    """The misconceptions in the order in which they first show, and the marks with what was found first among their
    slips."""

    found: tuple[Misconception, ...]
    marks: tuple[Mark, ...]


def diagnose(marks: Sequence[Mark]) -> Diagnosis:
    """The fewest wrong rules that explain every cell with the verdict slip; marks are in order of time."""
    slips = [mark for mark in marks if mark.verdict == "slip"]
    groups: dict[tuple[object, ...], list[Mark]] = defaultdict(list)
    for mark in slips:
        groups[mark.id, *(slip.ideas for slip in mark.slips)].append(mark)
    cover = _Cover([_Group(tuple(each)) for each in groups.values()])
    chosen = {id(mark): slip for group, keys in cover.best for mark, slip in group.with_slips(keys)}
    told = tuple(_first_among(mark, chosen[id(mark)]) if id(mark) in chosen else mark for mark in marks)
    return Diagnosis(tuple(_misconceptions(told)), told)


def _first_among(mark: Mark, slip: Slip) -> Mark:
    """A mark with one of its slips before the others."""
    return replace(mark, slips=(slip, *(each for each in mark.slips if each is not slip)))


def _misconceptions(marks: Sequence[Mark]) -> Iterator[Misconception]:
    """What the first slips of the marks come to."""
    shown: dict[str, list[tuple[Idea, Mark]]] = defaultdict(list)
    for mark in marks:
        for idea in mark.slips[0].ideas if mark.verdict == "slip" else ():
            shown[idea.key].append((idea, mark))
    for key, found in shown.items():
        ideas, told = zip(*found, strict=True)
        yield Misconception(ideas[0], told, tuple(each.at for each in ideas), _rival(key, told))


def _rival(key: str, marks: Sequence[Mark]) -> Idea | None:
    """The likeliest other rule that fits all of the cells, is of as much of the matrix and no less likely."""
    total: dict[str, float] = defaultdict(float)
    for mark in marks:
        for slip in _plainest(mark.slips):
            if len(slip.ideas) == 1:
                total[slip.ideas[0].key] += slip.score
    fits = [idea for slip in marks[0].slips for idea in slip.ideas if idea.key != key and len(slip.ideas) == 1]
    everywhere = [idea for idea in fits if all(_has(mark, idea.key) for mark in marks)]
    likely = [idea for idea in everywhere if total[idea.key] >= total[key] - AS_LIKELY]
    return max(likely, key=lambda idea: total[idea.key], default=None)


def _has(mark: Mark, key: str) -> bool:
    return any([idea.key for idea in slip.ideas] == [key] for slip in _plainest(mark.slips))


def _plainest(slips: Sequence[Slip]) -> list[Slip]:
    """Explanations of the whole matrix before any of single cells, and slips of the pen where nothing else fits."""
    if any(slip.extent is SlipExtent.THROUGHOUT for slip in slips):
        return [slip for slip in slips if slip.extent < SlipExtent.IN_A_CELL]
    rules = [slip for slip in slips if slip.extent is not SlipExtent.OF_THE_PEN]
    return rules or list(slips)


@dataclass(frozen=True)
class _Group:
    """Cells of one matrix that the same slips explain."""

    marks: tuple[Mark, ...]

    @cached_property
    def slips(self) -> Mapping[Keys, Slip]:
        """What explains them, the likeliest for each set of misconceptions."""
        found: dict[Keys, Slip] = {}
        for slip in _plainest(self.marks[0].slips):
            keys = frozenset(idea.key for idea in slip.ideas)
            if keys not in found or slip.score > found[keys].score:
                found[keys] = slip
        return found

    def score(self, keys: Keys) -> float:
        return self.slips[keys].score * len(self.marks)

    @cached_property
    def most(self) -> float:
        return max(map(self.score, self.slips))

    def with_slips(self, keys: Keys) -> Iterator[tuple[Mark, Slip]]:
        """Each cell with its own slip of these misconceptions."""
        ideas = self.slips[keys].ideas
        for mark in self.marks:
            yield mark, next(slip for slip in mark.slips if slip.ideas == ideas)


class _Cover:
    """One explanation for each group, such that the whole takes few misconceptions and likely ones."""

    def __init__(self, groups: Sequence[_Group]) -> None:
        self.groups = sorted(groups, key=lambda each: len(each.slips))  # those with the least choice decide first
        self.rest = [0.0]  # what the groups from here on can bring at most
        for group in reversed(self.groups):
            self.rest.insert(0, self.rest[0] + group.most)
        self.cost, self.choice = float("inf"), tuple[Keys, ...]()
        self._search()

    @property
    def best(self) -> Iterator[tuple[_Group, Keys]]:
        """Every group with the explanation that was chosen for it."""
        return zip(self.groups, self.choice, strict=True)

    def _search(self) -> None:
        """Depth first, the cheapest explanation of a group first: on a stack, since a sheet may have many groups."""
        tried, waiting = 0, [_Chosen(0, frozenset(), 0.0, None)]
        while waiting:
            one = waiting.pop()
            if one.cost - self.rest[one.at] >= self.cost or (self.choice and tried > MOST_TRIED):
                continue
            tried += 1
            if one.at == len(self.groups):
                self.cost, self.choice = one.cost, one.keys()
                continue
            group = self.groups[one.at]
            costs = {keys: ANOTHER * len(keys - one.known) - group.score(keys) for keys in group.slips}
            for keys in sorted(costs, key=costs.__getitem__)[::-1]:
                waiting.append(_Chosen(one.at + 1, one.known | keys, one.cost + costs[keys], (one, keys)))


@dataclass(frozen=True)
class _Chosen:
    """Explanations of the groups before `at`: what they need, what that costs, and the last with those before it."""

    at: int
    known: Keys
    cost: float
    last: tuple[_Chosen, Keys] | None

    def keys(self) -> tuple[Keys, ...]:
        """The explanation of each group."""
        found, here = [], self
        while here.last is not None:
            here, keys = here.last
            found.append(keys)
        return tuple(reversed(found))
