"""What speaks for a wrong rule: how sharply it meets the cells that fail, and that no other contradicts it.

Scores are in natural logarithms: how much likelier a rule makes what was written than any number of its
size would be, less what speaks against the rule to begin with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tracer.expression.arrays import Array
from tracer.expression.dependents import Marked
from tracer.expression.interval import Interval
from tracer.judging.numbers import MOST_SHARE, MOST_UNITS
from tracer.judging.site import Site
from tracer.judging.slips.context import Rule, SlipContext
from tracer.judging.slips.sentences import Sentence
from tracer.judging.verdicts import Idea, SlipExtent
from tracer.judging.work import is_step, middle

PARTLY = 4.0  # against a rule that other cells contradict: the learner was of two minds
IN_ONE_CELL = 0.5  # against a slip of one cell, besides the number of ways in which it can be made
TWICE = 5.0  # against two slips at once
SUPPOSED = 2.0  # against a known wrong rule at work in a left-out matrix as well
COARSELY = 4.0  # against a rule of some cells where digits are missing: of fifty rules one fits by chance
WITH_A_PEN = 3.0  # against a slip in writing down
OFTEN = 0.3  # for each student solution that shows a slip
FORMS = ("what", "name", "half", "base")  # words that tell the misconceptions of one slug apart
MANY_FORMS = 0.3  # against a rule that comes in many forms, for the logarithm of their number


@dataclass(frozen=True, eq=False)
class Candidate:
    """A wrong rule, or two, that explains some cells of a site; `score` is how much speaks for it.

    `consistent` says that no other cell contradicts it, `extent` how much of the matrix it is of. `left_out` has the
    bounds of left-out matrices as it makes them, `at` the one cell of such that it is in.
    """

    rules: tuple[Rule, ...]
    words: tuple[Mapping[str, str], ...]
    contexts: tuple[SlipContext, ...]
    bounds: Interval
    cells: Marked
    score: float
    consistent: bool
    extent: SlipExtent
    left_out: tuple[tuple[str, Interval], ...] = ()
    at: tuple[int, int] | None = None

    @property
    def slug(self) -> str:
        return " + ".join(rule.slug for rule in self.rules)

    @property
    def ideas(self) -> tuple[Idea, ...]:
        """The wrong rules in it."""
        parts = zip(self.rules, self.words, self.contexts, strict=True)
        return tuple(idea_of(rule, words, context, self.extent) for rule, words, context in parts)

    def says(self, site: Site, row: int, column: int, hint: bool = False) -> str:
        """The sentence at a cell of the site; a hint holds no right number."""
        parts = zip(self.rules, self.words, self.contexts, strict=True)
        at = self.at or (row, column)
        return "; and ".join(
            Sentence(site, context, (row, column), at, words, hint).of(rule.says) for rule, words, context in parts
        )


def idea_of(rule: Rule, words: Mapping[str, str], context: SlipContext, extent: SlipExtent) -> Idea:
    """A rule as the learner holds it: in a cell whatever it was there, elsewhere in this form."""
    says = words.get("idea", rule.idea or rule.slug)
    form = (
        [] if extent >= SlipExtent.IN_A_CELL else [words[each] for each in FORMS if each in words and says == rule.slug]
    )
    return Idea(rule.slug, " ".join((says, *form)), says, context.id, words)


@dataclass(frozen=True, eq=False)
class Weighed:
    """What several rules explain of a site, one behind the other in the first axis."""

    cells: Marked
    gains: Array
    consistent: Marked


def weigh(site: Site, low: Array, high: Array, single: bool) -> Weighed:
    """Which cells bounds (rules, rows, columns) explain, what that says, and which no cell contradicts.

    A rule is claimed only where its value lies outside the right rule's bounds; of cells that are right at
    the few digits written only one that explains others, and is not of a `single` cell.
    """
    values, slack = site.written.values, site.tolerance
    fits = (values >= low - slack) & (values <= high + slack)
    mid = (low + high) / 2
    told = (mid < site.right.low) | (mid > site.right.high)
    told &= (high - low) / 2 <= _farthest(site, mid)
    cells = site.failing & fits & told
    others = site.written.present & ~site.failing
    consistent = np.asarray(~(others & ~fits).any(axis=(1, 2)))
    if site.coarse.any():
        firm = (cells & ~site.coarse).any(axis=(1, 2)) & consistent & (not single)
        cells = cells & (~site.coarse | firm[:, None, None])
    gains = np.where(cells, _gain(site, low, high, mid), 0.0).sum(axis=(1, 2))
    return Weighed(np.asarray(cells), np.asarray(gains), consistent)


def _farthest(site: Site, mid: Array) -> Array | float:
    """The widest bounds of a wrong rule that say something, where matrices before it were left out."""
    if is_step(site.expression) or not site.work.left_out_before(site.id):
        return np.inf
    largest = np.maximum(np.abs(mid), np.abs(site.work.key.values[site.id])).max(axis=(1, 2), keepdims=True)
    return np.asarray(np.maximum(MOST_UNITS * site.written.units, MOST_SHARE * largest))


def _gain(site: Site, low: Array, high: Array, mid: Array) -> Array:
    """For each cell: half of the learners go on with the numbers they wrote, half with what they remember."""
    values, slack = site.written.values, np.maximum(site.tolerance, site.last_place / 2)
    own = np.nan_to_num(site.on_own, nan=0.0, posinf=0.0, neginf=0.0)
    size = np.maximum.reduce((np.abs(values - _changed(site)), np.abs(values - own), 4 * slack))
    sharp = np.abs(values - mid) <= 1.05 * slack
    return np.asarray(np.log(size * (0.5 * sharp / (2 * slack) + 0.5 / (high - low + 2 * slack))))


def _changed(site: Site) -> Array | float:
    """What an update starts from: of an updated number the change is what was worked out."""
    assignment = site.work.key.program.assignments[site.id]
    return site.work.own.values[assignment.of] if assignment.role == "updated" and assignment.of else 0.0


def gap(first: Interval, second: Interval, tolerance: Array | float) -> tuple[Array, Array, Array]:
    """The middles of two bounds, and how far apart what they allow is."""
    one, other = middle(first), middle(second)
    with np.errstate(invalid="ignore"):
        wide = (first.high - first.low + second.high - second.low) / 2 + 2 * tolerance
        apart = np.abs(one - other) - wide
    return one, other, np.where(np.isfinite(apart), apart, -np.inf)
