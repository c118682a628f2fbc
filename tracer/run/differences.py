"""Central differences: the gradient of the loss, estimated without backpropagation.

A parameter θ is moved by a small h up and down; (L(θ + h) − L(θ − h)) / 2h estimates ∂L/∂θ. The
loss is the program's own: its assignments between the parameter and L, and no others. What is
computed besides is written as scalar rules over named numbers, so that a workbook has the same ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.evaluate import Compiled, compile_program, evaluate, evaluate_cell
from tracer.lesson.network_symbols import NetworkSymbols
from tracer.problem.problem import Problem
from tracer.program.naming_policy import RATE
from tracer.program.program import Program
from tracer.run.passes import Array, Pass

_one, _two = s.Number(1.0), s.Number(2.0)
_theta, _reach, _h, _plus, _minus = map(s.Variable, ("theta", "reach", "h", "plus", "minus"))
_largest, _term, _gradient, _rate = map(s.Variable, ("largest", "term", "gradient", "rate"))

# The estimate is off by h²/6·L‴ and by the rounding of L, some 1e-16·L/h; both are small where the sums that a move
# gets to change by about 1e-5. They change by h times what the parameter meets on its way, up to `reach`. A step of
# 1e-11 of the parameter, which float64 has to 1e-16, is the smallest.
STEP = s.Product(
    (s.Maximum((_one, s.Absolute(_theta))), s.Maximum((s.Number(1e-11), s.Quotient(s.Number(1e-5), _reach))))
)
ESTIMATE = s.Quotient(s.Sum((_plus, s.Negative(_minus))), s.Product((_two, _h)))
# What a right gradient may be off its estimate. The first part is for h²/6·L‴, about 1e-10 of the largest gradient,
# more where units are many. The second is for rounding: 1e-16/h of the largest `term` of the loss; spreadsheets take a
# difference of less than 4e-15 of its terms for 0. In 80,000 cells of random networks, with inputs up to 200,000 or
# weights up to 100, no right gradient was off by more than a sixth of it.
BOUND = s.Sum((s.Product((s.Number(1e-5), _largest)), s.Product((s.Number(1e-9), _reach, _term))))
FURTHEST = 1e99  # a reach with which float64 can go on


def number(rule: s.Scalar, **values: float) -> float:
    """What a rule comes to."""
    return evaluate_cell(s.substitute(rule, {name: s.Value(value, None) for name, value in values.items()}), _no_cells)


def _no_cells(cell: s.Cell) -> float:
    raise TypeError(f"a rule holds the cell {cell}")


def compared(problem: Problem, program: Program) -> list[str]:
    """The parameters whose gradient is, but for its factor, that of the loss."""
    if problem.carry_rounded:
        return []
    return [each for each in program.parameters if not program.assignments[program.gradients[each]].reproduced]


def gradient_rule(problem: Problem, rows: int) -> s.Scalar:
    """∂L/∂θ from the "gradient" as the problem has it and the learning "rate", in a pass over so many rows."""
    net = NetworkSymbols(problem, rows)
    rule: s.Scalar = _gradient if not net.rate_in_change and problem.convention.sign > 0 else s.Negative(_gradient)
    if net.rate_in_delta or net.rate_in_change:
        rule = s.Quotient(rule, _rate)
    if rows > 1 and problem.loss_shown != problem.convention.reduction:
        N = s.Number(float(rows))
        rule = s.Product((rule, N)) if problem.loss_shown == "sum" else s.Quotient(rule, N)
    return rule


def gradient(problem: Problem, one: Pass, parameter: str) -> Array:
    """∂L/∂θ of a whole matrix, from its gradient as the problem has it."""
    symbols = (("gradient", one.program.gradients[parameter]), ("rate", RATE))
    arguments = tuple((name, m.Symbol(key, one[key].shape)) for name, key in symbols)
    rule = m.Apply(gradient_rule(problem, one.stop - one.start), arguments)
    return evaluate(rule, {key: one[key] for _, key in symbols})


def multipliers(program: Program, parameter: str) -> list[str]:
    """The matrices that a parameter's move is multiplied with: a weight's input, and the weights of later layers."""
    layer = program.layer_of(parameter)
    later = [each.weights for each in program.layers[layer.number :]]
    return [layer.inputs, *later] if parameter == layer.weights else later


def reach(one: Pass, parameter: str) -> float:
    """How much a move may grow: by the largest number of each of its multipliers, where that is over 1."""
    grown = 1.0
    for name in multipliers(one.program, parameter):
        grown *= max(1.0, float(one[name].max()), -float(one[name].min()))
    return min(FURTHEST, grown)


def at_error(program: Program) -> str:
    """The matrix whose gradient the output's error is: the output, or its pre-activation where they are fused."""
    of = program.assignments[program.layers[-1].error].of
    assert of is not None  # every gradient has one
    return of


def largest_term(one: Pass) -> float:
    """What the rounding of L is measured by: its size, no less than 1, or the outputs times their errors if larger.

    These are larger where ln(1 − a) has a near 1, or targets are in the thousands.
    """
    loss = max(1.0, abs(one.loss))
    products = one[one.program.layers[-1].error] * one[at_error(one.program)] / loss
    return loss * max(1.0, float(np.sqrt((products * products).sum())))


def bound(one: Pass, parameter: str, largest: float) -> float:
    """How far a right gradient may be off its estimate, in a matrix of gradients up to `largest`."""
    return number(BOUND, largest=largest, reach=reach(one, parameter), term=largest_term(one))


@dataclass(frozen=True)
class Kink:
    """A rule over matrices at whose zeros another rule on the way changes."""

    rule: s.Scalar
    arguments: tuple[tuple[str, m.Symbol], ...]

    def lies_between(self, up: Mapping[str, Array], down: Mapping[str, Array]) -> bool:
        """Whether the rule has another sign in some cell once a parameter was moved up than down."""
        one, other = (evaluate(m.Apply(self.rule, self.arguments), values) for values in (up, down))
        return bool(((one < 0) & (other > 0) | (one > 0) & (other < 0)).any())


@dataclass(frozen=True)
class Path:
    """The assignments between a parameter and the loss, by identifier, in order of time."""

    parameter: str
    expressions: dict[str, m.Matrix]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self.expressions)

    @cached_property
    def kinks(self) -> tuple[Kink, ...]:
        """Where a rule on the way changes, as ReLU does at Z = 0 and the absolute error where A = Y."""
        parts = (part for each in self.expressions.values() for part in traversal.parts(each))
        rules = (each for each in parts if isinstance(each, m.Apply))
        found = (Kink(at, _symbols_in(at, each)) for each in rules for at in _turns(each.template))
        return tuple(dict.fromkeys(found))

    @cached_property
    def held(self) -> tuple[str, ...]:
        """The other matrices that go in; they stay as they are."""
        used = (symbol.name for each in self.expressions.values() for symbol in traversal.symbols(each))
        return tuple(dict.fromkeys(name for name in used if name not in (self.parameter, *self.expressions)))

    @cached_property
    def _compiled(self) -> Compiled:
        return compile_program(self.expressions.items(), (self.parameter, *self.held))

    def run(self, one: Pass, row: int, column: int, by: float) -> dict[str, Array]:
        """The parameter with one cell moved, and every matrix from it to L."""
        theta = one[self.parameter].copy()
        theta[row, column] += by
        with np.errstate(all="ignore"):
            computed = self._compiled(theta, *(one[name] for name in self.held))
        return {self.parameter: theta, **dict(zip(self.ids, computed, strict=True))}


def path_to_loss(program: Program, parameter: str) -> Path:
    """What has to be computed again when a parameter is moved."""
    made = {each.id: each.expression for each in program.assignments.values() if each.expression is not None}
    needed, moved = {program.loss}, {parameter}
    for name, expression in reversed(made.items()):
        needed |= _names(expression) if name in needed else set()
    for name, expression in made.items():
        moved |= {name} if _names(expression) & moved else set()
    return Path(parameter, {name: expression for name, expression in made.items() if name in needed & moved})


def _names(expression: m.Matrix) -> set[str]:
    """The matrices that a gradient goes through; what is held fixed stays as it is when a parameter moves."""
    held = (each.name for part in traversal.parts(expression) if isinstance(part, m.Detached)
            for each in traversal.symbols(part))  # fmt: skip
    every = Counter(symbol.name for symbol in traversal.symbols(expression))
    return set((every - Counter(held)).keys())


def _turns(rule: s.Scalar) -> Iterator[s.Scalar]:
    """What is 0 where a rule becomes another; softplus does nowhere, whatever its stable form."""
    match rule:
        case s.Absolute(inside) | s.Where(inside, _, s.Number(0.0)) | s.Maximum((s.Number(0.0), inside)):
            yield inside
        case s.Where(left, _, right) | s.Maximum((left, right)):
            yield s.difference(left, right)
    for part in (rule.shown,) if isinstance(rule, s.Stable) else s.children(rule):
        yield from _turns(part)


def _symbols_in(rule: s.Scalar, applied: m.Apply) -> tuple[tuple[str, m.Symbol], ...]:
    """The letters of a rule, and the matrices that they stand for where it is applied."""
    used = s.variables(rule)
    return tuple((name, one) for name, one in applied.arguments if name in used and isinstance(one, m.Symbol))


@dataclass(frozen=True)
class Estimate:
    """What came of moving the cell (row, column) of a parameter by h: `plus` and `minus` are L.

    `at_kink`: on the way some unit's sum went through 0, where its rule changes.
    """

    row: int
    column: int
    h: float
    plus: float
    minus: float
    at_kink: bool

    @property
    def value(self) -> float:
        return number(ESTIMATE, plus=self.plus, minus=self.minus, h=self.h)


def estimate(one: Pass, path: Path, row: int, column: int) -> Estimate:
    """The central difference for one cell; not a number where the loss leaves float64 on the way."""
    theta = float(one[path.parameter][row, column])
    h = number(STEP, theta=theta, reach=reach(one, path.parameter))
    up, down = (path.run(one, row, column, by) for by in (h, -h))
    at_kink = any(kink.lies_between({**one.matrices, **up}, {**one.matrices, **down}) for kink in path.kinks)
    loss = path.ids[-1]
    return Estimate(row, column, h, up[loss].item(), down[loss].item(), at_kink)


def chosen(gradients: Array, most: int) -> Iterator[tuple[int, int]]:
    """The cells of a matrix that are estimated: all, or of more than `most` the largest and others spread evenly."""
    order = np.argsort(-np.abs(gradients), axis=None, kind="stable")
    if order.size > most:
        largest, others = order[: most // 2], np.sort(order[most // 2 :])
        spread = np.linspace(0, others.size - 1, most - most // 2).astype(int)
        order = np.concatenate((largest, others[spread]))
    return (divmod(int(cell), gradients.shape[1]) for cell in np.sort(order))
