"""Which convention is mine? What the other ways of a problem's conventions make of its numbers, with one of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from tracer.expression.arrays import Array
from tracer.lesson.build import build
from tracer.presentation.shown import Shown, shown
from tracer.problem.problem import Problem
from tracer.problem.ways import choices
from tracer.run.passes import Pass, Trace

TITLE = "Which convention is mine?"
HEADINGS = ("where the problem says otherwise", "differ", "for example", "here", "there")
UNLIKE = ("loss",)  # another loss is another problem, and no convention


@dataclass(frozen=True)
class OtherWay:
    """One way that a problem does not have: which matrices differ by it, and one number here and there."""

    words: str
    matrices: tuple[str, ...]
    cell: str
    here: str
    there: str

    def to_document(self) -> dict[str, object]:
        return asdict(self) | {"matrices": list(self.matrices)}

    @property
    def row(self) -> tuple[str, str, str, str, str]:
        """The cells of its line in a table."""
        return self.words, ", ".join(self.matrices), self.cell, self.here, self.there


def other_ways(trace: Trace) -> list[OtherWay]:
    """The ways that make a difference to the first pass of a trace: sign, rate, mean and the like, then the layout."""
    one, digits = trace.first, shown(trace, trace.first)
    found = []
    for each in choices(trace.problem):
        if each.of not in UNLIKE:
            told = _told(each.words, one, _computed(each.change(trace.problem), one), digits)
            found += [] if told is None else [told]
    return [*found, *_layouts(trace, digits)]


def _computed(problem: Problem, one: Pass) -> Mapping[str, Array]:
    """The matrices of the same pass by another way."""
    program = build(problem, one.program.rows)
    start = dict(zip(program.carried, problem.parameters, strict=True))  # states that only the other way has
    given = (start[each] if each in start and each not in one else one[each] for each in program.inputs)
    with np.errstate(all="ignore"):
        return dict(zip(program.computed, program.numpy.run(*given), strict=True))


def _told(words: str, one: Pass, there: Mapping[str, Array], digits: Shown) -> OtherWay | None:
    """What differs; None where nothing does, or where the numbers leave float64."""
    both = [name for name in one.program.computed if name in there]
    differ = [name for name in both if not np.allclose(one[name], there[name], rtol=1e-9, atol=0)]
    if not differ or not all(np.isfinite(there[name]).all() for name in differ):
        return None
    name = differ[0]
    row, column = np.unravel_index(int(np.abs(one[name] - there[name]).argmax()), one[name].shape)
    numbers = (digits.text(name, float(values[row, column])) for values in (one[name], there[name]))
    return OtherWay(words, tuple(differ), f"{name}[{row + 1},{column + 1}]", *numbers)


def _layouts(trace: Trace, digits: Shown) -> Iterator[OtherWay]:
    """A sample a column; the bias inside W, or apart from it."""
    one, problem = trace.first, trace.problem
    first = one.program.layer(1)
    W = one[first.weights]
    row, column = (W.shape[0] - 1, 0) if W.shape[0] > 1 else (0, W.shape[1] - 1)
    if W.size > 1:
        here = f"{digits.text(first.weights, float(W[row, column]))}"
        turned = tuple(name for name in one if 1 not in one[name].shape or one[name].size > 1)
        cell = f"{first.weights}[{row + 1},{column + 1}]"
        words = "a sample a row, Z = X·W + b" if one.program.turned else "a sample a column, Z = W·X + b"
        yield OtherWay(words, turned, cell, here, f"at {first.weights}[{column + 1},{row + 1}]")
    if problem.convention.leading:
        bias = digits.text(first.weights, float(W[0, 0]))
        yield OtherWay("the bias apart from the weights", _weights(one), f"{first.weights}[1,1]", bias, "at b1[1,1]")
    elif problem.layers[0].bias is not None:
        bias = digits.text(first.bias, float(one[first.bias][0, 0]))
        yield OtherWay(
            "the bias as first row of W", _weights(one), f"{first.bias}[1,1]", bias, f"at {first.weights}[1,1]"
        )


def _weights(one: Pass) -> tuple[str, ...]:
    return tuple(name for name in one if one.program.assignments[name].kind in ("weights", "bias"))
