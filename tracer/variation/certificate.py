"""The certificate of variants: what was tried, what is told apart by which cells, in JSON and on one printed page.

Each variant is looked at once more in another way than the search did: every slip's matrix is computed by numpy from
the variant's own trace, rounded and written down, and the texts are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations
from typing import Any

import numpy as np

from tracer.expression import matrix as m
from tracer.expression.arrays import Array
from tracer.expression.digits import fixed_texts
from tracer.expression.evaluate import compiled
from tracer.expression.label import label_text
from tracer.presentation.theme import Theme, theme_of
from tracer.problem.names import names_of
from tracer.run.passes import AnyProblem
from tracer.run.training import of_pass
from tracer.variation.asking import LOOKED_AT, AskedCell, Sheets, sheets_of
from tracer.variation.lots import Lots, numbers
from tracer.variation.many import work_many
from tracer.variation.search import FoundVariants, efforts_of
from tracer.variation.telling import Telling
from tracer.variation.wording import SlipWords

EFFORT = ("products", "exponentials", "digits")


@dataclass(frozen=True)
class Proof:
    """What one variant hides: slips that look right, and pairs that look alike, by their names; and its effort."""

    variant: AnyProblem
    invisible: Sequence[str]
    alike: Sequence[tuple[str, str]]
    effort: Mapping[str, int]

    @property
    def holds(self) -> bool:
        return not self.invisible and not self.alike


def prove(variant: AnyProblem, telling: Telling) -> Proof:
    """Look at a variant once more: the matrices that slips give, written down."""
    values = dict(of_pass(variant, 1).first.matrices)
    inputs = telling.lots.program.inputs
    values[inputs[-1]] = np.full((1, 1), variant.learning_rate)
    turned = {each: value.T for each, value in values.items()} if telling.lots.program.turned else values
    invisible, alike = [], []
    with np.errstate(all="ignore"):  # what is no number is written as such
        for identifier, groups in telling.groups.items():
            right = turned[identifier]
            written = {"": _written(right, telling.decimals[identifier])}
            for group in groups:
                made = np.broadcast_to(_rule(group.first.expression)(turned), right.shape)
                written[f"{identifier}: {group.called}"] = _written(np.asarray(made), telling.decimals[identifier])
            for one, other in combinations(written, 2):
                if written[one] == written[other]:
                    if one:
                        alike.append((one, other))
                    else:
                        invisible.append(other)
    many = work_many(telling.lots.program, {each: values[each] for each in inputs}, 1)
    effort = dict(zip(EFFORT, (int(each[0]) for each in efforts_of(many, telling.decimals)), strict=True))
    return Proof(variant, invisible, alike, effort)


@lru_cache(maxsize=10_000)
def _rule(expression: m.Matrix) -> Callable[[Mapping[str, Array]], Array]:
    """A slip's rule for numpy, compiled once for all variants."""
    return compiled(expression)


def _written(values: Array, decimals: int) -> list[str]:
    finite = np.where(np.isfinite(values), values, 0.0)
    texts = fixed_texts(finite, decimals)
    return [text if ok else "–" for text, ok in zip(texts, np.isfinite(values).ravel().tolist(), strict=True)]


@dataclass(frozen=True, eq=False)
class Certificate:
    """What is known of some variants; `drawn` has the numbers of the first few."""

    found: FoundVariants
    proofs: Sequence[Proof]

    @property
    def telling(self) -> Telling:
        return self.found.search.telling

    @property
    def problem(self) -> AnyProblem:
        return self.telling.lots.problem

    @property
    def holds(self) -> bool:
        return all(each.holds for each in self.proofs)

    @cached_property
    def sheets(self) -> Sheets:
        """What is written after each slip, in the first few variants."""
        few, lots = [each.variant for each in self.proofs[:LOOKED_AT]], self.telling.lots
        return sheets_of(self.telling, lots, numbers_of(few, lots), len(few))

    def asked(self, count: int) -> list[AskedCell]:
        """The cells to ask for, so many at most, in order of time."""
        order = list(self.telling.lots.program.computed)
        return sorted(self.sheets.order[:count], key=lambda place: (order.index(place[0]), *place[1:]))

    def efforts(self) -> dict[str, tuple[int, int]]:
        """The least and the most effort of all variants."""
        return {
            kind: (min(each.effort[kind] for each in self.proofs), max(each.effort[kind] for each in self.proofs))
            for kind in EFFORT
        }

    def to_document(self) -> dict[str, Any]:
        """As JSON; rows and columns count from 1."""
        telling, tried, sheets = self.telling, self.found.tried, self.sheets
        plain = SlipWords(self.problem, telling.lots.program, theme_of())
        return {
            "problem": self.problem.name,
            "holds": self.holds,
            "variants": len(self.proofs),
            "tried": dict(vars(tried)),
            "redrawn": {
                lot.id: "its rows in another order" if lot.permuted else
                {"from": lot.low / 10**lot.digits, "to": lot.high / 10**lot.digits, "decimals": lot.digits}
                for lot in telling.lots.lots
            },
            "decimals": dict(telling.decimals),
            "slips": {
                "forms": telling.forms,
                "told_apart": len(telling.all),
                "pairs": telling.pairs,
                "invisible": sum(len(each.invisible) for each in self.proofs),
                "alike": sum(len(each.alike) for each in self.proofs),
                "one": [
                    {"id": group.first.matrix, "forms": [each.called for each in group.forms],
                     "why": plain.reasons(group.why)}
                    for group in telling.all
                    if len(group.forms) > 1
                ],
                "none": [{"id": form.matrix, "form": form.called} for form in telling.none],
                "unseen": [{"id": each.form.matrix, "form": each.form.called} for each in telling.unseen],
            },
            "effort": {kind: list(ends) for kind, ends in self.efforts().items()},
            "cells": {
                "all": len(sheets.cells),
                "fewest": [_place(each) for each in sheets.fewest],
                "left_together": sheets.left_together(sheets.fewest),
                "order": [_place(each) for each in sheets.order],
            },
            "each": [
                {"number": k, "problem_sha256": each.variant.sha256, "effort": dict(each.effort),
                 "invisible": list(each.invisible), "alike": [list(pair) for pair in each.alike]}
                for k, each in enumerate(self.proofs, 1)
            ],
        }  # fmt: skip

    def render(self, theme: Theme) -> str:
        """The printed page, in the theme's language."""
        telling, names = self.telling, names_of(self.problem)
        words = SlipWords(self.problem, telling.lots.program, theme)

        def called(place: AskedCell) -> str:
            return label_text(names.cell(*place))

        matrices = [
            {
                "name": words.matrix(each),
                "decimals": telling.decimals[each],
                "slips": len(groups),
                "pairs": len(groups) * (len(groups) + 1) // 2,
                "best": called(self.sheets.best_of(each)),
            }
            for each, groups in telling.groups.items()
        ]
        together = [
            *(words.together(each) for each in telling.all if len(each.forms) > 1),
            *(words.alone("right_rule", form) for form in telling.none),
            *(words.alone(f"unseen_{each.why.key}", each.form, each.why.drawings) for each in telling.unseen),
        ]
        return theme.render(
            "certificate.html.j2", certificate=self, problem=self.problem, telling=telling, tried=self.found.tried,
            matrices=matrices, fewest=list(map(called, self.sheets.fewest)), together=list(dict.fromkeys(together)),
            efforts=self.efforts(), whole=theme.whole,
        )  # fmt: skip


def numbers_of(variants: Sequence[AnyProblem], lots: Lots) -> dict[str, Array]:
    """The numbers of some variants that are redrawn, with a sample in each row."""
    own = [numbers(each, lots.program) for each in variants]
    return {lot.id: np.stack([each[lot.id] for each in own]) for lot in lots.lots}


def certify(found: FoundVariants) -> Certificate:
    """Look at every variant once more."""
    return Certificate(found, [prove(each, found.search.telling) for each in found.variants])


def _place(place: AskedCell) -> list[str | int]:
    return [place[0], place[1] + 1, place[2] + 1]
