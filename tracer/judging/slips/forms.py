"""The slips of a whole network written out: every form of every wrong rule that can happen in it, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from tracer.answers.handed_in import Answers
from tracer.answers.key import Key
from tracer.expression import matrix as m
from tracer.judging.sheet import Sheet, WrittenMatrix
from tracer.judging.slips.context import SlipContext
from tracer.judging.slips.table import WHOLE
from tracer.judging.slips.trials import wrong_rules
from tracer.judging.work import Work


@dataclass(frozen=True)
class SlipForm:
    """A slip in one matrix: its expression, with a sample in each row, over the network's matrices.

    `often` is how many of fifteen public student solutions show it.
    """

    matrix: str
    slug: str
    words: Mapping[str, str] = field(hash=False)
    expression: m.Matrix
    often: int = 0

    @property
    def called(self) -> str:
        """The slip and what tells its form from its others.

        >>> SlipForm("", "log-base", {"base": "10", "idea": "log-base-10"}, m.Constant(1.0)).called
        'log-base (10)'
        """
        told = ", ".join(text for key, text in self.words.items() if key != "idea")
        return f"{self.slug} ({told})" if told else self.slug


def filled_in(key: Key) -> Work:
    """The work of somebody who wrote every matrix, all of it right."""
    written = {
        each: WrittenMatrix((), key.values[each], key.units(each), 0 * key.units(each)) for each in key.program.computed
    }
    return Work(Sheet(Answers("", {}), key, written, ()))


def slip_forms(key: Key) -> Iterator[SlipForm]:
    """Every form of every wrong rule for a whole matrix, the matrices in order of time; no expression twice in one."""
    work = filled_in(key)
    for identifier in key.program.computed:
        context = SlipContext(identifier, work)
        tried = {context.right}
        with np.errstate(all="ignore"):  # of bounds that nobody reads here
            for rule, wrongs in wrong_rules(WHOLE, context, context.right):
                for wrong in wrongs:
                    for words, form in zip(wrong.words, wrong.forms, strict=False):
                        if form not in tried:
                            tried.add(form)
                            yield SlipForm(identifier, rule.slug, words, form, rule.often)
