"""Which slips a set of numbers can tell apart: from the right matrix, and from each other, at the decimals asked.

Two forms that give the same matrix whatever the numbers are count as one. That they do is shown on real numbers drawn
from the whole ranges, or for functions of one number by interval arithmetic over every piece of the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracer.answers.key import key_of
from tracer.errors import TracerError
from tracer.expression import matrix as m
from tracer.expression.arrays import Array
from tracer.expression.interval import Interval, bound
from tracer.judging.slips.forms import SlipForm, slip_forms
from tracer.variation.lots import Lots
from tracer.variation.many import Many, is_finite, work_many

REAL_DRAWINGS = 64  # of real numbers, on which forms that are always equal agree
AGREES = 1e-10  # of the larger of two numbers
EDGE = 1e-9  # of a unit: what is nearer to its threshold is taken for beyond it, on every machine
FARTHEST, PIECES = 12.0, 240_000  # the part of the line that a function of one number is looked at on, and its pieces


class Reason(NamedTuple):
    """Why forms count as one: equal on so many drawings of real numbers, never a unit apart on the line, less than a
    unit apart in all drawings of a search; or no drawing told these apart and all others at once."""

    key: Literal["equal", "near", "all", "at_once"]
    drawings: int = 0


@dataclass(frozen=True)
class SlipGroup:
    """Forms of slips that no numbers of a problem tell apart; the first stands for all.

    `why` says how that is known, where there are several.
    """

    forms: tuple[SlipForm, ...]
    why: tuple[Reason, ...] = ()

    @property
    def first(self) -> SlipForm:
        return self.forms[0]

    @property
    def called(self) -> str:
        return " = ".join(dict.fromkeys(each.called for each in self.forms))


class Unseen(NamedTuple):
    """A form that gives the right matrix, to its last decimal, in the drawings of a search, and in how many."""

    form: SlipForm
    why: Reason


@dataclass(frozen=True, eq=False)
class Telling:
    """The slips of a problem whose numbers are redrawn, those that are always one together.

    `groups` are of each computed matrix; `none` are forms that give the right matrix on every such problem, `unseen`
    those that gave it to its last decimal in a
    search's drawings. `decimals` are those that each matrix is asked for.
    """

    lots: Lots
    groups: Mapping[str, Sequence[SlipGroup]]
    none: Sequence[SlipForm]
    decimals: Mapping[str, int]
    unseen: Sequence[Unseen] = ()

    @property
    def all(self) -> list[SlipGroup]:
        return [group for groups in self.groups.values() for group in groups]

    @property
    def forms(self) -> int:
        """How many forms of slips there are, those that nobody sees among them."""
        return len(self.none) + len(self.unseen) + sum(len(group.forms) for group in self.all)

    @property
    def pairs(self) -> int:
        """How many pairs of groups are to be told apart."""
        return sum(len(groups) * (len(groups) - 1) // 2 for groups in self.groups.values())

    def unit(self, identifier: str) -> float:
        """One in the last place that a matrix is asked for."""
        return float(10.0 ** -self.decimals[identifier])

    def told(self, many: Many, identifier: str) -> NDArray[np.bool_]:
        """Whether each variant tells all slips in a matrix apart and from the right one, (variants,) of bool."""
        return self.gaps(many, identifier) >= self.unit(identifier) * (1 - EDGE)

    def gaps(self, many: Many, identifier: str) -> Array:
        """How far those two forms of a matrix are apart that are least so, the right one among them, (variants,)."""
        made = stacked(many, identifier, self.groups[identifier])
        flat = made.reshape(*made.shape[:2], -1)
        found = np.full(flat.shape[1], np.inf)
        for k in range(len(flat) - 1):
            found = np.minimum(found, np.abs(flat[k + 1 :] - flat[k]).max(axis=-1).min(axis=0))
        return found


def stacked(many: Many, identifier: str, groups: Sequence[SlipGroup]) -> Array:
    """The right matrix, then what each slip makes of it: (1 + slips, variants, rows, columns)."""
    right = np.broadcast_to(many.values[identifier], (many.count, *many.values[identifier].shape[-2:]))
    return np.stack([right, *(many.form(group.first) for group in groups)])


def telling_of(lots: Lots, decimals: Mapping[str, int]) -> Telling:
    """The slips of a problem, those that are one on every drawing together."""
    made = _on_real_numbers(lots)
    groups = {each: list(_grouped(forms, 10.0 ** -decimals[each])) for each, forms in made.forms.items()}
    return Telling(lots, groups, made.none, decimals)


@dataclass(frozen=True, eq=False)
class RealDrawings:
    """What each form makes of its matrix on drawings of real numbers; `none` are forms that are right on all."""

    forms: Mapping[str, Mapping[SlipForm, Array]]
    none: Sequence[SlipForm]


@lru_cache(maxsize=4)
def _on_real_numbers(lots: Lots) -> RealDrawings:
    drawn = lots.drawings("real numbers", REAL_DRAWINGS, anywhere=True)
    many = work_many(lots.program, lots.inputs(drawn), REAL_DRAWINGS)
    finite = np.flatnonzero(is_finite(many))
    if not len(finite):
        name = lots.problem.name
        raise TracerError(f"{name}: no numbers of the ranges stay within float64; give `[variants]` others")
    many = many.only(finite)
    none: list[SlipForm] = []
    forms: dict[str, dict[SlipForm, Array]] = {each: {} for each in lots.program.computed}
    for form in slip_forms(key_of(lots.variant(drawn, int(finite[0])))):
        made = many.form(form)
        right = np.broadcast_to(many.values[form.matrix], made.shape)
        if _agree(made, right):
            none.append(form)
        else:
            forms[form.matrix][form] = made
    return RealDrawings(forms, none)


def _agree(one: Array, other: Array) -> bool:
    return bool((np.abs(one - other) <= AGREES * np.maximum(1e-3, np.maximum(np.abs(one), np.abs(other)))).all())


def _grouped(made: Mapping[SlipForm, Array], unit: float) -> Iterator[SlipGroup]:
    """The forms, those together that agree on every drawing or can never be a unit apart."""
    left = list(made)
    while left:
        first = left.pop(0)
        same = [each for each in left if _agree(made[first], made[each])]
        near = [each for each in left if each not in same and _never_apart(first, each, made, unit)]
        why = (Reason("equal", len(made[first])),) * bool(same) + (Reason("near"),) * bool(near)
        left = [each for each in left if each not in same and each not in near]
        yield SlipGroup((first, *same, *near), why)


def _never_apart(one: SlipForm, other: SlipForm, made: Mapping[SlipForm, Array], unit: float) -> bool:
    """Whether two functions of the same number lie less than a unit apart on every piece of the line."""
    if float(np.abs(made[one] - made[other]).max()) >= unit:
        return False
    rules = [_of_one_number(each.expression) for each in (one, other)]
    if None in rules or rules[0][0] != rules[1][0]:  # type: ignore[index]
        return False
    ends = np.linspace(-FARTHEST, FARTHEST, PIECES + 1)
    pieces = {_PLACE.name: Interval(ends[:-1][:, None], ends[1:][:, None])}
    a, b = (bound(rule[1], pieces) for rule in rules if rule)
    return bool((np.maximum(a.high - b.low, b.high - a.low) < unit).all())


_PLACE = m.Symbol("a place on the line", (PIECES, 1))


def _of_one_number(expression: m.Matrix) -> tuple[m.Matrix, m.Matrix] | None:
    """The argument of a function of one number, and the function at every piece of the line."""
    if not isinstance(expression, m.Apply) or len(expression.arguments) != 1:
        return None
    (name, argument), *_ = expression.arguments
    return argument, m.Apply(expression.template, ((name, _PLACE),))
