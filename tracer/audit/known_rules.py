"""The known optimizers held against what stands in a sheet: which rule an update is, with its settings.

The rules are those that Tracer traces (`tracer.problem.optimizers`), evaluated at the sheet's own numbers; the settings
are looked for among the numbers of the sheet's own formulas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

from tracer.audit.known import alike
from tracer.audit.numbers import PointRow
from tracer.expression import matrix as m
from tracer.expression.evaluate import evaluate
from tracer.problem.optimizers import Optimizer
from tracer.program import naming_policy as named

MOST_FITTED = 1_500  # settings that are tried for one update
LEAST_RATE = 1e-6  # smaller numbers are epsilons
LARGEST_EPS = 1e-3
NAME = "w"


@dataclass(frozen=True)
class SheetStep:
    """What an update takes: its parameter, the gradient, states before it, the share of itself that each keeps, and
    single numbers (rates, what stands in formulas)."""

    parameter: PointRow
    gradient: PointRow
    states: Sequence[PointRow]
    kept: Sequence[float]
    numbers: tuple[float, ...]


def fits_a_rule(step: SheetStep, shown: PointRow) -> bool:
    """Whether the new value that an update shows is what a known optimizer makes of the same numbers."""
    rates = [each for each in step.numbers if each >= LEAST_RATE]
    passes = [each - 1 for each in step.numbers if each == int(each) and each >= 1] or [0.0]
    tried = 0
    for order in permutations(range(len(step.states))):
        for chosen in _optimizers(step, [step.kept[k] for k in order]):
            states = dict(zip(chosen.names, (step.states[k] for k in order), strict=True))
            for rate, count, sign in product(rates, passes if chosen.counts else passes[:1], (1.0, -1.0)):
                tried += 1
                made = _new_value(chosen, step, states, rate, count, sign)
                if alike(made, shown) and not alike(
                    made, step.parameter
                ):  # with an epsilon for its rate anything would
                    return True
                if tried >= MOST_FITTED:
                    return False
    return False


def _new_value(
    chosen: Optimizer, step: SheetStep, states: Mapping[str, PointRow], rate: float, count: float, sign: float
) -> PointRow:
    """The parameter after a step of a rule, at all points."""
    symbol = m.Symbol(NAME, (1, len(step.parameter)))
    known = {
        NAME: step.parameter[None], named.gradient(NAME): step.gradient[None],
        named.RATE: np.full((1, 1), rate), named.PASSES: np.full((1, 1), count),
        named.updated(named.PASSES): np.full((1, 1), count + 1),
        **{named.state(NAME, kind): row[None] for kind, row in states.items()},
    }  # fmt: skip
    for each in chosen.of_parameter(NAME, symbol, sign):
        if each.expression is not None:
            known[each.id] = evaluate(each.expression, known)
    found: PointRow = known[named.updated(NAME)][0]
    return found


def _optimizers(step: SheetStep, kept: Sequence[float]) -> Iterator[Optimizer]:
    """Every optimizer with as many states as a step has, which keep the shares `kept` of themselves; none keeps less
    than nothing, or more than all."""
    eps = list(dict.fromkeys([*(each for each in step.numbers if 0 < each < LARGEST_EPS), 0.0]))
    for decay in dict.fromkeys([0.0, *(each for each in step.numbers if 0 < each < 1)]):
        match tuple(kept):
            case (1.0,):
                yield from (Optimizer(name="adagrad", eps=small, weight_decay=decay) for small in eps)
            case (share,) if 0 < share < 1:
                for nesterov in (False, True):
                    yield Optimizer(name="sgd", momentum=share, nesterov=nesterov, weight_decay=decay)
                yield from (Optimizer(name="rmsprop", alpha=share, eps=small, weight_decay=decay) for small in eps)
            case (first, second) if 0 <= first < 1 and 0 <= second < 1:
                for small in eps:
                    if first == second:
                        yield Optimizer(name="rmsprop", alpha=first, eps=small, centered=True, weight_decay=decay)
                    yield Optimizer(name="rmsprop", alpha=first, eps=small, momentum=second, weight_decay=decay)
                    yield Optimizer(name="adam", betas=(first, second), eps=small, weight_decay=decay)
                    yield Optimizer(name="adamw", betas=(first, second), eps=small, weight_decay=decay)
