"""A wrong rule that a sheet has shown is likely at work in the matrices that it leaves out, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tracer.expression.interval import Interval
from tracer.judging.site import Site
from tracer.judging.slips.context import Rule, SlipContext
from tracer.judging.slips.evidence import idea_of
from tracer.judging.slips.table import WHOLE
from tracer.judging.slips.trials import at_matrix
from tracer.judging.verdicts import Idea, SlipExtent
from tracer.judging.work import Work, wider


def supposing(site: Site, left_out: Mapping[str, Interval]) -> Site:
    """The site as it is where these left-out matrices were made by wrong rules."""
    work = site.work.supposing(left_out)
    value, reach = work.own.by_right_rule(site.id)
    return replace(site, work=work, right=Interval.around(value, reach), on_own=value)


def known_in_left_out(site: Site) -> Iterator[Mapping[str, Interval]]:
    """What the wrong rules that are known by now make of left-out matrices before a site: all together, then each."""
    ideas = {idea: names for idea in site.work.known if (names := _as_well(site, idea))}
    if ideas:
        yield _made(site.work, ideas)
    for idea, names in ideas.items() if len(ideas) > 1 else ():
        yield _made(site.work, {idea: names})


def same_in_left_out(site: Site) -> Iterator[tuple[Rule, Mapping[str, Interval]]]:
    """Wrong rules that may have been at work in a site and in left-out matrices of its kind, with what these become."""
    context = SlipContext(site.id, site.work)
    before = [each for each in site.work.left_out_before(site.id) if SlipContext(each, site.work).kind is context.kind]
    for trial in at_matrix(context, WHOLE) if before else ():
        for words in trial.words:
            idea = idea_of(trial.rule, words, context, SlipExtent.THROUGHOUT)
            if left_out := _made(site.work, {idea: _as_well(site, idea)}):
                yield trial.rule, left_out


def _as_well(site: Site, idea: Idea) -> list[str]:
    """The left-out matrices of the kind that a wrong rule was met in, in order of time."""
    work = site.work
    kind, before = SlipContext(idea.at, work).kind, set(work.left_out_before(site.id)) - set(work.replaced)
    return [each for each in work.key.program.computed if each in before and SlipContext(each, work).kind is kind]


def _made(work: Work, ideas: Mapping[Idea, list[str]]) -> Mapping[str, Interval]:
    """The bounds of left-out matrices that are made by these wrong rules."""
    found: dict[str, Interval] = {}
    for name in work.key.program.computed:
        for idea in (each for each, names in ideas.items() if name in names):
            made = _by(idea, SlipContext(name, work.supposing(found)))
            if made is not None:
                found[name] = wider(made, work.unit(name) / 2)
    return found


def _by(idea: Idea, context: SlipContext) -> Interval | None:
    """What a wrong rule makes of a matrix, in the form in which it is known."""
    for trial in at_matrix(context, [rule for rule in WHOLE if rule.slug == idea.slug]):
        for k, words in enumerate(trial.words):
            if idea_of(trial.rule, words, context, SlipExtent.THROUGHOUT) == idea:
                low, high = trial.bounds.low, trial.bounds.high
                return Interval(low[k], high[k]) if low.ndim > 2 else trial.bounds
    return None
