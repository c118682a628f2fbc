"""Looks for the wrong rules that explain what the right one does not.

A rule is tried on the whole matrix at once: on the learner's own earlier cells, and in matrices that they
left out. What speaks for it is how sharply it meets the cells that fail, and that it contradicts none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

import numpy as np

from tracer.check.judging import Explained, Site
from tracer.check.slips.pen import pen_slips
from tracer.check.slips.place import Place, Rule, Wrong
from tracer.check.slips.sentences import Sentence, told_apart
from tracer.check.slips.table import SINGLE, WHOLE
from tracer.check.verdicts import Slip
from tracer.check.work import Array, middle, wider
from tracer.expression import matrix as m
from tracer.expression.interval import Interval, bound
from tracer.expression.reach import Marked

PARTLY = 3.0  # a rule that other cells contradict: the learner was of two minds
IN_ONE_CELL, WITH_A_PEN, TWICE = 0.5, 3.0, 5.0
OFTEN = 0.3
BEHIND = 4.0  # a slip in a left-out matrix, which later ones show too, may fit so much worse than one here
WINDOW = 8.0  # what fits so much worse than the best is chance
MOST_THROUGH = 6  # left-out matrices that are looked into
MOST_PAIRS = 300
MOST_NUMBERS = 400_000  # in all forms of one matrix


class Over(dict[str, Interval]):
    """Bounds of a few symbols laid over those of all."""

    def __init__(self, extra: Mapping[str, Interval], below: Mapping[str, Interval]) -> None:
        super().__init__(extra)
        self._below = below

    def __missing__(self, identifier: str) -> Interval:
        return self._below[identifier]


@dataclass(frozen=True, eq=False)
class Found:
    """A wrong rule that explains some cells; `score` is how much speaks for it, in natural logarithms.

    `left_out` has the bounds of left-out matrices as it makes them, `at` the one cell of such that it is in.
    """

    rules: tuple[Rule, ...]
    words: tuple[Mapping[str, str], ...]
    places: tuple[Place, ...]
    bounds: Interval
    cells: Marked
    score: float
    consistent: bool
    left_out: tuple[tuple[str, Interval], ...] = ()
    at: tuple[int, int] | None = None

    @property
    def slug(self) -> str:
        return " + ".join(rule.slug for rule in self.rules)

    def says(self, site: Site, row: int, column: int) -> str:
        parts = zip(self.rules, self.words, self.places, strict=True)
        at = self.at or (row, column)
        return "; and ".join(
            Sentence(site, place, (row, column), at, words).of(rule.says) for rule, words, place in parts
        )


@dataclass(frozen=True, eq=False)
class Trial:
    """A wrong rule in one or more forms, as words and bounds of the site (to begin with, of its own matrix).

    `changed` has the matrices on the way to the site, `cells` the cell of each form that is in one.
    """

    rule: Rule
    words: Sequence[Mapping[str, str]]
    place: Place
    bounds: Interval
    changed: Mapping[str, Interval] = field(default_factory=dict)
    cells: Sequence[tuple[int, int]] = ()


def explain(site: Site) -> Iterator[Explained]:
    """The slips that explain cells of a site, the likeliest first."""
    return _Search(site).explained()


@dataclass(eq=False)
class _Search:
    site: Site

    @cached_property
    def place(self) -> Place:
        return Place(self.site.id, self.site.work)

    def explained(self) -> Iterator[Explained]:
        with np.errstate(all="ignore"):
            found = sorted(self._found(), key=lambda each: -each.score)
        best = np.full(self.site.failing.shape, -np.inf)
        for each in found:
            best = np.maximum(best, np.where(each.cells, each.score, -np.inf))
        seen: set[tuple[str, int, int]] = set()
        for each in found:
            for row, column in np.argwhere(each.cells & (each.score >= best - WINDOW)).tolist():
                if (each.slug, row, column) not in seen:
                    seen.add((each.slug, row, column))
                    yield self._explained(each, row, column, found)

    def _explained(self, found: Found, row: int, column: int, all_found: Sequence[Found]) -> Explained:
        cells = np.zeros(self.site.failing.shape, dtype=bool)
        cells[row, column] = True
        slip = Slip(found.slug, found.says(self.site, row, column), self._apart(found, row, column, all_found))
        return Explained(slip, cells, found.left_out if found is self._leading(all_found) else ())

    def _leading(self, found: Sequence[Found]) -> Found | None:
        """The likeliest that lies in a left-out matrix, where it explains no less than the likeliest of all."""
        for each in found:
            if each.score < found[0].score - BEHIND:
                return None
            if each.left_out and (each.cells >= found[0].cells).all():
                return each
        return None

    def _apart(self, found: Found, row: int, column: int, all_found: Sequence[Found]) -> str:
        """What would tell this slip from the next likely one with another name."""
        behind = all_found[all_found.index(found) + 1 :]
        rival = next((each for each in behind if each.cells[row, column] and each.slug != found.slug), None)
        if rival is None:
            return ""
        first, second = middle(found.bounds), middle(rival.bounds)
        gap = np.abs(first - second) - self._width(found.bounds) / 2 - self._width(rival.bounds) / 2
        gap = np.where(np.isfinite(gap), gap, -np.inf)
        blank = ~self.site.written.present
        at = np.unravel_index(int(np.where(blank, gap, -np.inf).argmax()), gap.shape)
        if blank[at] and gap[at] > 0:
            return told_apart(self.site.id, int(at[0]), int(at[1]), float(first[at]), float(second[at]))
        return ""

    # What fits

    def _found(self) -> Iterator[Found]:
        whole = list(self._by_rules(WHOLE, single=False))
        yield from whole
        failing = self.site.failing
        if any(each.consistent and (each.cells == failing).all() and failing.sum() > 2 for each in whole):
            return
        single = list(self._by_rules(SINGLE, single=True))
        yield from single
        penned = list(self._penned())
        yield from penned
        open_cells = failing.copy()
        for each in (*whole, *single, *penned):
            open_cells &= ~each.cells
        if open_cells.sum() > 1 or (open_cells.any() and failing.all()):
            yield from self._pairs(open_cells)

    def _by_rules(self, rules: Sequence[Rule], single: bool) -> Iterator[Found]:
        """The rules tried here, and in the matrices before this one that a slip may be in unseen."""
        reading = self.site.work.reading
        for rule, wrong in self._wrongs(rules, self.place):
            trial = Trial(rule, wrong.words, self.place, bound(wrong.expression, Over(wrong.extra, reading)))
            yield from self._fits(trial, single)
        for place in self._behind():
            between = self._between(place.id)
            for rule, wrong in self._wrongs(rules, place):
                trial = Trial(rule, wrong.words, place, bound(wrong.expression, Over(wrong.extra, reading)))
                if single:
                    trial = self._cell_by_cell(trial)
                if trial.words:
                    yield from self._fits(self._through(trial, between), single)

    def _behind(self) -> Iterator[Place]:
        """The matrices before this one in which the slip may be: those left out, and the slope of a delta.

        A slope may stand on the sheet and not be what the delta was made with. Of the Jacobians a slip
        makes all alike, so that it is looked for in the delta.
        """
        work = self.site.work
        for identifier in [self.site.id, *work.left_out_before(self.site.id)[:MOST_THROUGH]]:
            place = Place(identifier, work)
            if identifier != self.site.id and place.kind != "J":
                yield place
            if place.kind == "D" and (slope := f"S{place.layer}") in work.sheet.written:
                yield Place(slope, work)

    def _wrongs(self, rules: Iterable[Rule], place: Place) -> Iterator[tuple[Rule, Wrong]]:
        for rule in rules:
            if place.kind in rule.kinds:
                for made in rule.rewrite(place, place.right):
                    yield rule, made if isinstance(made, Wrong) else Wrong(made)

    def _cell_by_cell(self, trial: Trial) -> Trial:
        """A slip of one cell, in each cell of its matrix for itself."""
        own = self.site.work.reading[trial.place.id]
        count, shape = len(trial.words), own.low.shape
        low, high = (np.broadcast_to(end, (count, *shape)) for end in (trial.bounds.low, trial.bounds.high))
        moved = np.abs(low + high - own.low - own.high) > self.site.work.coarsest
        forms = np.argwhere(moved & np.isfinite(low + high))
        if len(forms) * own.low.size > MOST_NUMBERS:
            forms = forms[:0]
        k, i, j = forms.T
        each = range(len(forms))
        lows, highs = (np.repeat(end[None], len(forms), axis=0) for end in (own.low, own.high))
        lows[each, i, j], highs[each, i, j] = low[k, i, j], high[k, i, j]
        words = [trial.words[form] for form in k.tolist()]
        cells = list(zip(i.tolist(), j.tolist(), strict=True))
        return replace(trial, words=words, bounds=Interval(lows, highs), cells=cells)

    def _through(self, trial: Trial, between: Sequence[str]) -> Trial:
        """What a slip in an earlier matrix makes of this one."""
        work, place = self.site.work, trial.place
        slipped = wider(trial.bounds, work.coarsest / 2) if work.left_out(place.id) else trial.bounds
        changed = Over({place.id: slipped}, work.reading)
        for identifier in between:
            expression = work.rule(identifier)
            assert expression is not None  # left out, so computed
            changed[identifier] = work.made(expression, changed)
        return replace(trial, bounds=bound(self.site.expression, changed), changed=changed)

    def _between(self, identifier: str) -> list[str]:
        """The left-out matrices on the way from one to the site, in order of time."""
        work = self.site.work
        before, on_the_way = set(work.left_out_before(self.site.id)), {identifier}
        for each in work.key.program.computed:
            expression = work.rule(each)
            if each in before and expression is not None:
                if any(symbol.name in on_the_way for symbol in m.symbols(expression)):
                    on_the_way.add(each)
        return [each for each in work.key.program.computed if each in on_the_way and each != identifier]

    def _fits(self, trial: Trial, single: bool) -> Iterator[Found]:
        """The forms of a wrong rule that explain a cell."""
        shape = (len(trial.words), *self.site.failing.shape)
        low, high = np.broadcast_to(trial.bounds.low, shape), np.broadcast_to(trial.bounds.high, shape)
        explained, score, consistent = self._weigh(low, high, single)
        for k in np.flatnonzero(explained.any(axis=(1, 2))).tolist():
            yield Found(
                (trial.rule,), (trial.words[k],), (trial.place,), Interval(low[k], high[k]), explained[k],
                float(score[k]) + OFTEN * trial.rule.often, bool(consistent[k]), self._left_out(trial, k),
                trial.cells[k] if trial.cells else None,
            )  # fmt: skip

    def _left_out(self, trial: Trial, k: int) -> tuple[tuple[str, Interval], ...]:
        """The bounds of left-out matrices in the k-th form of a slip in one of them."""
        return tuple(
            (name, Interval(each.low[k], each.high[k]) if each.low.ndim > 2 else each)
            for name, each in trial.changed.items()
            if self.site.work.left_out(name)
        )

    def _weigh(self, low: Array, high: Array, single: bool) -> tuple[Marked, Array, Marked]:
        """Which cells bounds explain, how much that says, and whether no other cell contradicts them."""
        site = self.site
        values, slack = site.written.values, site.tolerance
        fits = (values >= low - slack) & (values <= high + slack)
        mid = (low + high) / 2
        told = np.isfinite(mid) & ((mid < site.right.low) | (mid > site.right.high))
        explained = site.failing & fits & told
        others = site.written.present & ~site.failing
        consistent = ~(others & ~fits).any(axis=(1, 2))
        firm = (explained & ~site.coarse).any(axis=(1, 2)) & consistent & (not single)
        explained = explained & (~site.coarse | firm[:, None, None])
        gains = np.where(explained, self._gain(low, high, mid), 0.0).sum(axis=(1, 2))
        doubt = np.log(len(low)) + IN_ONE_CELL if single else np.where(consistent, 0.0, PARTLY)
        return np.asarray(explained), np.asarray(gains - doubt), np.asarray(consistent)

    def _gain(self, low: Array, high: Array, mid: Array) -> Array:
        """How much more likely a rule makes the cells than any number of their size would be."""
        site = self.site
        values, slack = site.written.values, site.tolerance
        own = np.nan_to_num(site.on_own, nan=0.0, posinf=0.0, neginf=0.0)
        size = np.maximum.reduce((np.abs(values), np.abs(values - own), 4 * slack))
        sharp = np.abs(values - mid) <= 1.05 * slack
        return np.asarray(np.log(size * (0.5 * sharp / (2 * slack) + 0.5 / (high - low + 2 * slack))))

    def _width(self, bounds: Interval) -> Array:
        return np.asarray(bounds.high - bounds.low + 2 * self.site.tolerance)

    def _penned(self) -> Iterator[Found]:
        site = self.site
        for row, column in np.argwhere(site.failing & ~site.coarse).tolist():
            slack = float(site.tolerance[row, column])
            for slip in pen_slips(site.written.entries[row][column], row, column, site.right, slack):
                rule = Rule(slip.slug, (), _no_rewrite, slip.says)
                cells = np.zeros(site.failing.shape, dtype=bool)
                cells[row, column] = True
                value = site.written.values[row, column]
                score = float(np.log(max(abs(value), 4 * slack) / (2 * slack)) - np.log(slip.among) - WITH_A_PEN)
                yield Found((rule,), ({},), (self.place,), site.right, cells, score, False)

    def _pairs(self, open_cells: Marked) -> Iterator[Found]:
        """Two slips at once: one made in what the other has made already."""
        tried = {self.place.right}
        for first, second, wrong, words in islice(self._two_rules(tried), MOST_PAIRS):
            bounds = bound(wrong.expression, self.site.work.reading)
            shape = (1, *self.site.failing.shape)
            if bounds.low.ndim > 2:
                continue
            low, high = np.broadcast_to(bounds.low, shape), np.broadcast_to(bounds.high, shape)
            explained, score, consistent = self._weigh(low, high, single=False)
            worth = float(score[0]) - TWICE
            if (explained[0] & open_cells).any() and worth > 0:
                yield Found(
                    (first, second), words, (self.place, self.place), Interval(low[0], high[0]), explained[0], worth,
                    bool(consistent[0]),
                )  # fmt: skip

    def _two_rules(
        self, tried: set[m.Matrix]
    ) -> Iterator[tuple[Rule, Rule, Wrong, tuple[Mapping[str, str], Mapping[str, str]]]]:
        ones = [(rule, wrong) for rule, wrong in self._wrongs(WHOLE, self.place) if not wrong.extra]
        tried |= {wrong.expression for _, wrong in ones}
        for first, wrong in ones:
            for second in WHOLE:
                if self.place.kind not in second.kinds or second.slug == first.slug:
                    continue
                for made in second.rewrite(self.place, wrong.expression):
                    again = made if isinstance(made, Wrong) else Wrong(made)
                    if not again.extra and again.expression not in tried:
                        tried.add(again.expression)
                        yield first, second, again, (wrong.words[0], again.words[0])


def _no_rewrite(place: Place, rule: m.Matrix) -> Iterator[Wrong | m.Matrix]:
    yield from ()
