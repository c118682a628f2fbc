"""Looks for the wrong rules that explain what the right one does not.

A rule is tried on the whole matrix at once, so that a transposed matrix is one slip and not nine. What
explains a matrix leaves nothing to look for in its cells; slips of one cell, of the pen and pairs come after.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np

from tracer.expression import matrix as m
from tracer.expression.arrays import Array
from tracer.expression.dependents import Marked
from tracer.expression.interval import Interval
from tracer.judging.site import Explained, Site
from tracer.judging.slips.context import MatrixKind, Rule, SlipContext, WrongRule
from tracer.judging.slips.evidence import (
    COARSELY,
    IN_ONE_CELL,
    MANY_FORMS,
    OFTEN,
    PARTLY,
    SUPPOSED,
    TWICE,
    WITH_A_PEN,
    Candidate,
    gap,
    weigh,
)
from tracer.judging.slips.pen import pen_slips
from tracer.judging.slips.rewriting import replaced
from tracer.judging.slips.sentences import told_apart
from tracer.judging.slips.supposing import known_in_left_out, same_in_left_out, supposing
from tracer.judging.slips.table import SINGLE, WHOLE
from tracer.judging.slips.trials import Trial, trials, wrong_rules
from tracer.judging.verdicts import Slip, SlipExtent

BEHIND = 4.0  # a slip in a left-out matrix, which later ones show too, may fit so much worse than one here
WINDOW = 8.0  # what fits so much worse than the best is chance
PLAIN = 2  # failing cells beyond which a rule that explains them all leaves no doubt
WITH_A_PEN_SLUGS = {"digit-slip", "copied-or-sign-dropped"}
MOST_PAIRS = 60  # of rules that are no factors

Factor: TypeAlias = tuple[Rule, Mapping[str, str], float]
"""A rule that multiplies all cells by a number, its words and the number."""


def explain(site: Site) -> Iterator[Explained]:
    """The slips that explain cells of a site, the likeliest first."""
    return _Search(site).explained()


@dataclass(eq=False)
class _Search:
    site: Site

    @cached_property
    def context(self) -> SlipContext:
        return SlipContext(self.site.id, self.site.work)

    @cached_property
    def found(self) -> Sequence[Candidate]:
        """All that fits, the likeliest first."""
        with np.errstate(all="ignore"):
            return sorted(self._found(), key=lambda each: -each.score)

    def explained(self) -> Iterator[Explained]:
        best = np.full(self.site.failing.shape, -np.inf)
        for each in self.found:
            best = np.maximum(best, np.where(each.cells, each.score, -np.inf))
        seen: set[tuple[str, int, int]] = set()
        for each in self.found:
            for row, column in np.argwhere(each.cells & (each.score >= best - WINDOW)).tolist():
                if (each.slug, row, column) not in seen:
                    seen.add((each.slug, row, column))
                    yield self._explained(each, row, column)

    def _explained(self, found: Candidate, row: int, column: int) -> Explained:
        says, hint = (found.says(self.site, row, column, only) for only in (False, True))
        score = found.score / float(np.count_nonzero(found.cells))
        slip = Slip(found.slug, says, hint, self._apart(found, row, column), found.ideas, found.extent, score)
        return Explained(slip, self._one(row, column), found.left_out if found is self._leading else ())

    def _one(self, row: int, column: int) -> Marked:
        cells = np.zeros(self.site.failing.shape, dtype=bool)
        cells[row, column] = True
        return cells

    @cached_property
    def _leading(self) -> Candidate | None:
        """What is taken for the slip from here on: in a left-out matrix, where that explains as much as any.

        Of one slip the earliest matrix is taken, which has most to say of what follows.
        """
        best, order = self.found[0], list(self.site.work.key.program.assignments)
        behind = [
            each
            for each in self.found
            if each.left_out and each.score >= best.score - BEHIND and (each.cells >= best.cells).all()
        ]
        alike = [each for each in behind if each.slug == best.slug]
        return min(alike, key=lambda each: order.index(each.contexts[0].id)) if alike else next(iter(behind), None)

    def _apart(self, found: Candidate, row: int, column: int) -> str:
        """The cell that would tell this slip from the next likely one: blank here, in a left-out matrix, or finer."""
        behind = self.found[self.found.index(found) + 1 :]
        rival = next((each for each in behind if each.cells[row, column] and each.slug != found.slug), None)
        if rival is None or WITH_A_PEN_SLUGS & {found.slug, rival.slug} or (found.cells != rival.cells).any():
            return ""  # there is none, or what is written tells already
        first, second, apart = gap(found.bounds, rival.bounds, self.site.tolerance)
        blank = np.where(self.site.written.present, -np.inf, apart)
        at = np.unravel_index(int(blank.argmax()), blank.shape)
        if blank[at] > 0:
            return told_apart(self._called(self.site.id, at), float(first[at]), float(second[at]))
        return self._apart_before(found, rival) or self._finer(found, rival)

    def _apart_before(self, found: Candidate, rival: Candidate) -> str:
        """A cell of a left-out matrix that the one makes and the other does not, or makes otherwise."""
        work = self.site.work
        for each, made in (*found.left_out, *rival.left_out):
            one, other = (dict(side.left_out).get(each, work.own.bounds[each]) for side in (found, rival))
            first, second, apart = gap(one, other, 0.0)
            at = np.unravel_index(int(apart.argmax()), made.low.shape)
            if apart[at] > 0:
                return told_apart(self._called(each, at), float(first[at]), float(second[at]))
        return ""

    def _finer(self, found: Candidate, rival: Candidate) -> str:
        """A cell of which more digits would tell, where the two differ at all."""
        first, second, apart = gap(found.bounds, rival.bounds, 0.0)
        apart = np.where(found.cells, apart, -np.inf)
        at = np.unravel_index(int(apart.argmax()), apart.shape)
        if apart[at] <= 0 or abs(first[at] - second[at]) < 1e-9 * abs(first[at]):
            return ""
        return told_apart(self._called(self.site.id, at), float(first[at]), float(second[at]), more=True)

    def _called(self, identifier: str, at: tuple[np.intp, ...]) -> str:
        return self.site.work.key.called(identifier, (int(at[0]), int(at[1])))

    # What fits

    def _found(self) -> Iterator[Candidate]:
        failing = self.site.failing
        tried = list(trials(self.site, WHOLE, single=False))
        whole = [found for trial in tried for found in self._fits(trial, False)]
        unrounded = [each for each in whole if each.slug == "not-rounded" and (each.cells == failing).all()]
        if unrounded:  # what else fits does so because it is not rounded either
            yield from unrounded
            return
        yield from whole
        plain = any(each.consistent and (each.cells == failing).all() for each in whole)
        if plain and failing.sum() > PLAIN:
            return
        supposed = [] if plain else list(self._supposing())
        yield from supposed
        plain |= bool(supposed)
        others = [found for trial in trials(self.site, SINGLE, single=True) for found in self._fits(trial, True)]
        others += self._penned()
        yield from others
        explained = np.any([each.cells for each in (*whole, *others)] or [~failing], axis=0)
        throughout = 2 * failing.sum() > self.site.written.present.sum()
        if not plain and throughout and (failing.sum() > 1 or not explained.any()):
            pairs = list(self._with_factors(tried))
            yield from pairs
            if not any(each.consistent for each in pairs):
                yield from self._of_two_rules()

    def _fits(self, trial: Trial, single: bool) -> Iterator[Candidate]:
        """The forms of a wrong rule that explain a cell."""
        shape = (len(trial.words), *self.site.failing.shape)
        low, high = np.broadcast_to(trial.bounds.low, shape), np.broadcast_to(trial.bounds.high, shape)
        weighed = weigh(self.site, low, high, single)
        prior = OFTEN * trial.rule.often - (1.0 if single else MANY_FORMS) * np.log(trial.forms)
        for k in np.flatnonzero(weighed.cells.any(axis=(1, 2))).tolist():
            consistent = bool(weighed.consistent[k])
            doubt = IN_ONE_CELL if single else 0.0 if consistent else PARTLY
            if weighed.gains[k] + prior <= self._least(consistent and not single):
                continue
            yield Candidate(
                (trial.rule,), (trial.words[k],), (trial.context,), Interval(low[k], high[k]), weighed.cells[k],
                float(weighed.gains[k] + prior - doubt), consistent,
                SlipExtent.IN_A_CELL if single else self._extent(weighed.cells[k], consistent), trial.left_out(k),
                trial.cells[k] if trial.cells else None,
            )  # fmt: skip

    def _supposing(self) -> Iterator[Candidate]:
        """What explains a site where a wrong rule was at work in a left-out matrix too: a known one, or the same."""
        for left_out in known_in_left_out(self.site):
            yield from self._where(left_out, WHOLE)
        for rule, left_out in same_in_left_out(self.site):
            yield from self._where(left_out, [rule])

    def _where(self, left_out: Mapping[str, Interval], rules: Sequence[Rule]) -> Iterator[Candidate]:
        """What explains all of a site where left-out matrices are these."""
        for each in _Search(supposing(self.site, left_out)).of_one_rule(rules):
            if each.consistent and (each.cells == self.site.failing).all():
                more = tuple(left_out.items())
                yield replace(each, left_out=(*more, *each.left_out), score=each.score - SUPPOSED)

    def of_one_rule(self, rules: Sequence[Rule]) -> Sequence[Candidate]:
        """What explains a site by one wrong rule, and a factor on top of it where none does."""
        with np.errstate(all="ignore"):
            tried = list(trials(self.site, rules, single=False))
            whole = [found for trial in tried for found in self._fits(trial, False)]
            plain = any(each.extent is SlipExtent.THROUGHOUT for each in whole) or rules is not WHOLE
            return whole if plain else [*whole, *self._with_factors(tried)]

    def _least(self, of_all: bool) -> float:
        """What has to speak for a rule: of some cells more than that any number would fit as well."""
        if of_all:
            return COARSELY if self.site.last_place else -math.inf
        return 2 * COARSELY if self.site.last_place else 0.0

    def _extent(self, cells: Marked, consistent: bool) -> SlipExtent:
        """Of a wrong rule for the whole matrix."""
        all_of_it = consistent and not (self.site.failing & ~self.site.coarse & ~cells).any()
        return SlipExtent.THROUGHOUT if all_of_it else SlipExtent.PARTLY

    def _penned(self) -> Iterator[Candidate]:
        """Slips in writing down."""
        site = self.site
        for row, column in np.argwhere(site.failing & ~site.coarse).tolist():
            slack, value = float(site.tolerance[row, column]), float(site.written.values[row, column])
            for slip in pen_slips(site.written.entries[row][column], row, column, site.right, slack):
                rule = Rule(slip.slug, (), _no_rewrite, slip.says)
                slack = max(slack, site.last_place / 2)
                told = float(np.log(max(abs(value), 4 * slack) / (slip.width + 2 * slack) / slip.among))
                if told <= self._least(False):
                    continue
                score = told - WITH_A_PEN
                cell = self._one(row, column)
                yield Candidate((rule,), ({},), (self.context,), site.right, cell, score, False, SlipExtent.OF_THE_PEN)

    def _with_factors(self, tried: Sequence[Trial]) -> Iterator[Candidate]:
        """A wrong rule, and a factor on top of it."""
        factors = [
            (rule, words, float(self.context.bounds(wrong).low[0, 0]))
            for rule, wrongs in wrong_rules([each for each in WHOLE if each.factor], self.context, m.Constant(1.0))
            for wrong in wrongs
            for words in wrong.words
        ]
        for trial in tried:
            for k, words in enumerate(trial.words):
                others = _beside(trial, words, factors)
                if others:
                    by = np.array([factor for *_, factor in others])[:, None, None]
                    ends = [by * (end[k] if end.ndim > 2 else end) for end in (trial.bounds.low, trial.bounds.high)]
                    rules = [(rule, more) for rule, more, _ in others]
                    yield from self._pairs(trial, words, rules, np.minimum(*ends), np.maximum(*ends))

    def _of_two_rules(self) -> Iterator[Candidate]:
        """Wrong rules, each made in what another has made already."""
        ones = [(rule, wrong) for rule, wrong in _of_one_form(self.context, self.context.right) if not rule.factor]
        tried = {self.context.right, *(wrong.expression for _, wrong in ones)}
        for rule, one in ones:
            trial = Trial(rule, one.words, self.context, self.site.right, 1)
            for second, both in _of_one_form(self.context, one.expression):
                if second.slug != rule.slug and not second.factor and both.expression not in tried:
                    tried.add(both.expression)
                    if len(tried) - len(ones) > MOST_PAIRS:
                        return
                    bounds = self.context.bounds(both)
                    low, high = (
                        np.broadcast_to(end, self.site.failing.shape)[None] for end in (bounds.low, bounds.high)
                    )
                    yield from self._pairs(trial, one.words[0], [(second, both.words[0])], low, high)

    def _pairs(
        self,
        trial: Trial,
        words: Mapping[str, str],
        seconds: Sequence[tuple[Rule, Mapping[str, str]]],
        low: Array,
        high: Array,
    ) -> Iterator[Candidate]:
        """What a rule explains together with each second one, whose bounds these are."""
        shape = (len(seconds), *self.site.failing.shape)
        low, high = np.broadcast_to(low, shape), np.broadcast_to(high, shape)
        weighed = weigh(self.site, low, high, single=False)
        for k in np.flatnonzero(weighed.cells.any(axis=(1, 2))).tolist():
            second, more = seconds[k]
            often = OFTEN * (trial.rule.often + second.often)
            score = float(weighed.gains[k]) + often - TWICE - (0.0 if weighed.consistent[k] else PARTLY)
            if score > (COARSELY if self.site.last_place else 0.0) and second.slug != trial.rule.slug:
                yield Candidate(
                    (trial.rule, second), (words, more), (trial.context, self.context), Interval(low[k], high[k]),
                    weighed.cells[k], score, bool(weighed.consistent[k]),
                    self._extent(weighed.cells[k], bool(weighed.consistent[k])),
                )  # fmt: skip


def _beside(trial: Trial, words: Mapping[str, str], factors: Sequence[Factor]) -> Sequence[Factor]:
    """The factors that may come on top of a trial: of two factors each pair once, and none that cancel out."""
    own = next((k for k, (rule, more, _) in enumerate(factors) if rule is trial.rule and more == words), None)
    if own is None:
        return factors
    return [each for each in factors[own + 1 :] if not math.isclose(each[2] * factors[own][2], 1.0)]


def _of_one_form(context: SlipContext, right: m.Matrix) -> Iterator[tuple[Rule, WrongRule]]:
    """The wrong rules made from a rule, in a delta those of its slope too."""
    for rule, wrongs in wrong_rules(WHOLE, context, right):
        yield from ((rule, wrong) for wrong in wrongs if not wrong.extra)
    if context.kind is MatrixKind.DELTA and (symbol := context.slope).name in context.work.key.values:
        slope = SlipContext(symbol.name, context.work)
        for rule, wrongs in wrong_rules(WHOLE, slope, slope.right):
            for wrong in wrongs:
                made = replaced(right, symbol, wrong.expression)
                if made != right and not wrong.extra:
                    yield rule, replace(wrong, expression=made)


def _no_rewrite(context: SlipContext, rule: m.Matrix) -> Iterator[WrongRule | m.Matrix]:
    yield from ()
