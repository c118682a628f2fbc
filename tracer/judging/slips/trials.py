"""Wrong rules tried on a learner's work: at the matrix that fails, and in those before it that a slip may hide in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tracer.errors import ShapeError
from tracer.expression import matrix as m
from tracer.expression.interval import Interval, bound
from tracer.judging.site import Site
from tracer.judging.slips.context import MatrixKind, Overlay, Rule, SlipContext, WrongRule
from tracer.judging.work import wider

MOST_THROUGH = 6  # left-out matrices that are looked into
MOST_NUMBERS = 400_000  # in all forms of one matrix


@dataclass(frozen=True, eq=False)
class Trial:
    """A wrong rule in one or more forms, with words for each and the bounds that it gives the site.

    `changed` has the matrices on the way to the site, `cells` the cell of each form that is in one alone;
    `forms` counts those of the rule here, of which these may be some.
    """

    rule: Rule
    words: Sequence[Mapping[str, str]]
    context: SlipContext
    bounds: Interval
    forms: int
    changed: Mapping[str, Interval] = field(default_factory=dict)
    cells: Sequence[tuple[int, int]] = ()

    def left_out(self, k: int) -> tuple[tuple[str, Interval], ...]:
        """The bounds of left-out matrices in the k-th form."""
        return tuple(
            (name, Interval(each.low[k], each.high[k]) if each.low.ndim > 2 else each)
            for name, each in self.changed.items()
            if self.context.work.left_out(name)
        )


def wrong_rules(rules: Sequence[Rule], context: SlipContext, right: m.Matrix) -> Iterator[tuple[Rule, list[WrongRule]]]:
    """The wrong rules for a matrix, made from its right rule or from another."""
    for rule in rules:
        if context.kind in rule.kinds:
            yield rule, list(_fitting(rule, context, right))


def _fitting(rule: Rule, context: SlipContext, right: m.Matrix) -> Iterator[WrongRule]:
    """The rewrites that fit the network's shapes; of a layer that gives on a 1 for the bias, those of its units."""
    ones, units = right.parts if isinstance(right, m.Stack) and context.gives_on else (None, right)
    try:
        for each in rule.rewrite(context, units):
            made = each if isinstance(each, WrongRule) else WrongRule(each)
            if all(size in (1, whole) for size, whole in zip(made.expression.shape, units.shape, strict=True)):
                given_on = made.expression if ones is None else m.Stack((ones, made.expression), "columns")
                yield replace(made, expression=given_on)
    except ShapeError:
        return


def trials(site: Site, rules: Sequence[Rule], single: bool) -> Iterator[Trial]:
    """The rules tried at the site, then through the matrices before it; `single` are slips of one cell."""
    context = SlipContext(site.id, site.work)
    yield from at_matrix(context, rules)
    for before in _before(site, context):
        between = _between(site, before.id)
        for trial in at_matrix(before, rules):
            alone = _cell_by_cell(trial) if single else trial
            if alone.words:
                yield _through(site, alone, between)


def at_matrix(context: SlipContext, rules: Sequence[Rule]) -> Iterator[Trial]:
    """The rules tried at a matrix itself."""
    for rule, wrongs in wrong_rules(rules, context, context.right):
        forms = sum(len(wrong.words) for wrong in wrongs)
        for wrong in wrongs:
            yield Trial(rule, wrong.words, context, context.bounds(wrong), forms)


def _before(site: Site, context: SlipContext) -> Iterator[SlipContext]:
    """The matrices before a site in which the slip may be: those left out, and the slope of a delta.

    A slope may stand on the sheet and not be what the delta was made with. Of the Jacobians a slip
    makes all alike, so that it is looked for in the delta.
    """
    work = site.work
    for each in [context, *(SlipContext(name, work) for name in work.left_out_before(site.id)[:MOST_THROUGH])]:
        if each is not context and each.kind is not MatrixKind.JACOBIAN:
            yield each
        if each.kind is MatrixKind.DELTA and (slope := each.slope.name) in work.sheet.written:
            yield SlipContext(slope, work)


def _between(site: Site, identifier: str) -> list[str]:
    """The left-out matrices on the way from one to the site, in order of time."""
    work, on_the_way, found = site.work, {identifier}, []
    before = set(work.left_out_before(site.id))
    for each in work.key.program.computed:
        if each in before and each != identifier and on_the_way & set(work.symbols(each)):
            on_the_way.add(each)
            found.append(each)
    return found


def _through(site: Site, trial: Trial, between: Sequence[str]) -> Trial:
    """What a slip in an earlier matrix makes of the site."""
    work, name = site.work, trial.context.id
    slipped = wider(trial.bounds, work.unit(name) / 2) if work.left_out(name) else trial.bounds
    changed = Overlay({name: slipped}, work.reading)
    for each in between:
        changed[each] = work.in_the_head(each, changed)
    return replace(trial, bounds=bound(site.expression, changed), changed=changed)


def _cell_by_cell(trial: Trial) -> Trial:
    """A slip of one cell, in each cell of its matrix for itself."""
    work = trial.context.work
    own = work.reading[trial.context.id]
    shape = (len(trial.words), *own.low.shape)
    low, high = np.broadcast_to(trial.bounds.low, shape), np.broadcast_to(trial.bounds.high, shape)
    moved = np.abs(low + high - own.low - own.high) > work.unit(trial.context.id)
    forms = np.argwhere(moved & np.isfinite(low + high))
    if len(forms) * own.low.size > MOST_NUMBERS:
        forms = forms[:0]
    k, i, j = forms.T
    lows, highs = (np.repeat(end[None], len(forms), axis=0) for end in (own.low, own.high))
    each = range(len(forms))
    lows[each, i, j], highs[each, i, j] = low[k, i, j], high[k, i, j]
    words = [trial.words[form] for form in k.tolist()]
    cells = list(zip(i.tolist(), j.tolist(), strict=True))
    return replace(trial, words=words, bounds=Interval(lows, highs), cells=cells, forms=len(forms))
