"""Central differences: the gradient of the loss, estimated without backpropagation.

A parameter θ is moved by a small h up and down; (L(θ + h) − L(θ − h)) / 2h estimates ∂L/∂θ. The
loss is the program's own: its assignments between the parameter and L, and no others. What is
computed besides is written as scalar rules over named numbers, so that a workbook has the same ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.arrays import Array
from tracer.expression.corners import has_corner, sides
from tracer.expression.evaluate import Compiled, compile_program, evaluate, evaluate_cell
from tracer.lesson.network_symbols import NetworkSymbols
from tracer.problem.program_problem import ProgramProblem
from tracer.program.naming_policy import RATE
from tracer.program.program import Program
from tracer.run.passes import AnyProblem, Pass

_one, _two = s.Number(1.0), s.Number(2.0)
_theta, _reach, _h = map(s.Variable, ("theta", "reach", "h"))
_plus, _minus, _middle = map(s.Variable, ("plus", "minus", "middle"))
_largest, _term, _gradient, _rate = map(s.Variable, ("largest", "term", "gradient", "rate"))

# The estimate is off by h²/6·L‴ and by the rounding of L, some 1e-16·L/h; both are small where the sums that a move
# gets to change by about 1e-5. They change by h times what the parameter meets on its way, up to `reach`. A step of
# 1e-11 of the parameter, which float64 has to 1e-16, is the smallest.
STEP = s.Product(
    (s.Maximum((_one, s.Absolute(_theta))), s.Maximum((s.Number(1e-11), s.Quotient(s.Number(1e-5), _reach))))
)
ESTIMATE = s.Quotient(s.Sum((_plus, s.Negative(_minus))), s.Product((_two, _h)))
BEND = s.Quotient(s.Absolute(s.Sum((_plus, _minus, s.Negative(s.Product((_two, _middle)))))), s.Product((_two, _h)))
# What a right gradient may be off its estimate. The first part is for h²/6·L‴, about 1e-10 of the largest gradient,
# more where units are many. The second is for rounding: 1e-16/h of the largest `term` of the loss; spreadsheets take a
# difference of less than 4e-15 of its terms for 0. In 80,000 cells of random networks, with inputs up to 200,000 or
# weights up to 100, no right gradient was off by more than a third of it.
BOUND = s.Sum((s.Product((s.Number(1e-5), _largest)), s.Product((s.Number(1e-9), _reach, _term))))
FURTHEST = 1e99  # a reach with which float64 can go on


def number(rule: s.Scalar, **values: float) -> float:
    """What a rule comes to."""
    return evaluate_cell(s.substitute(rule, {name: s.Value(value, None) for name, value in values.items()}), _no_cells)


def _no_cells(cell: s.Cell) -> float:
    raise TypeError(f"a rule holds the cell {cell}")


def compared(problem: AnyProblem, program: Program) -> list[str]:
    """The parameters whose gradient is, but for its factor, that of the loss; of a program everything that has one."""
    if problem.carry_rounded:
        return []
    if not program.by_layers:
        return list(program.gradients)
    return [each for each in program.parameters if not program.assignments[program.gradients[each]].reproduced]


def gradient_rule(problem: AnyProblem, rows: int) -> s.Scalar:
    """∂L/∂θ from the "gradient" as the problem has it and the learning "rate", in a pass over so many rows."""
    if isinstance(problem, ProgramProblem):
        return _gradient
    net = NetworkSymbols(problem, rows)
    rule: s.Scalar = _gradient if not net.rate_in_change and problem.convention.sign > 0 else s.Negative(_gradient)
    if net.rate_in_delta or net.rate_in_change:
        rule = s.Quotient(rule, _rate)
    if rows > 1 and problem.loss_shown != problem.convention.reduction:
        N = s.Number(float(rows))
        rule = s.Product((rule, N)) if problem.loss_shown == "sum" else s.Quotient(rule, N)
    return rule


def gradient(problem: AnyProblem, one: Pass, parameter: str) -> Array:
    """∂L/∂θ of a whole matrix, from its gradient as the problem has it."""
    symbols = (("gradient", one.program.gradients[parameter]), ("rate", RATE))
    arguments = tuple((name, m.Symbol(key, one[key].shape)) for name, key in symbols)
    rule = m.Apply(gradient_rule(problem, one.stop - one.start), arguments)
    return evaluate(rule, {key: one[key] for _, key in symbols})


def reach(one: Pass, path: Path) -> float:
    """How much a move may grow: by the largest number of each of its multipliers, where that is over 1."""
    grown = 1.0
    for name in path.multipliers:
        grown *= max(1.0, float(one[name].max()), -float(one[name].min()))
    return min(FURTHEST, grown)


def summed(program: Program) -> list[tuple[str, str]]:
    """What the loss is made of, each with its gradient: the output and the error, or what a program adds up."""
    made = program.assignments[program.loss].expression
    assert made is not None  # a loss is computed
    used = dict.fromkeys(symbol.name for symbol in traversal.symbols(made))
    return [(program.gradients[name], name) for name in used if name in program.gradients]


def largest_term(one: Pass) -> float:
    """What the rounding of L is measured by: its size, no less than 1, or what it is made of times its gradients.

    These are larger where ln(1 − a) has a near 1, or targets are in the thousands.
    """
    loss = max(1.0, abs(one.loss))
    products = [one[gradient] * one[of] / loss for gradient, of in summed(one.program)]
    return loss * max(1.0, float(np.sqrt(sum(float((each * each).sum()) for each in products))))


def bound(one: Pass, path: Path, largest: float) -> float:
    """How far a right gradient may be off its estimate, in a matrix of gradients up to `largest`."""
    return number(BOUND, largest=largest, reach=reach(one, path), term=largest_term(one))


@dataclass(frozen=True)
class Path:
    """The assignments between a parameter and the loss, by identifier, in order of time."""

    parameter: str
    expressions: dict[str, m.Matrix]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self.expressions)

    @cached_property
    def bends(self) -> bool:
        """Whether a rule on the way has a corner, as ReLU has at 0."""
        return any(map(has_corner, self.expressions.values()))

    @cached_property
    def multipliers(self) -> tuple[str, ...]:
        """The matrices that the move is multiplied with: a weight's input, and the weights of later layers."""
        moved = {self.parameter, *self.expressions}
        products = (part for made in self.expressions.values() for part in traversal.parts(made) if _multiplies(part))
        return tuple(name for part in products for name in _beside(part, moved))

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
    """What has to be computed again when a parameter, or a matrix on the way, is moved."""
    (path,) = paths_to_loss(program, (parameter,))
    return path


def paths_to_loss(program: Program, parameters: Iterable[str]) -> Iterator[Path]:
    """The path of each."""
    made = {each.id: each.expression for each in program.assignments.values() if each.expression is not None}
    names = {name: _names(expression) for name, expression in made.items()}
    needed = {program.loss}
    for name in reversed(made):
        needed |= names[name] if name in needed else set()
    for parameter in parameters:
        moved = {parameter}
        for name in made:
            moved |= {name} if names[name] & moved else set()
        between = (needed & moved) - {parameter} or {program.loss}  # the loss alone, where it does not depend on it
        yield Path(parameter, {name: expression for name, expression in made.items() if name in between})


def _names(expression: m.Matrix) -> set[str]:
    """The matrices that a gradient goes through; what is held fixed stays as it is when a parameter moves."""
    held = (each.name for part in traversal.parts(expression) if isinstance(part, m.Detached)
            for each in traversal.symbols(part))  # fmt: skip
    every = Counter(symbol.name for symbol in traversal.symbols(expression))
    return set((every - Counter(held)).keys())


def _multiplies(part: m.Matrix) -> bool:
    return isinstance(part, m.MatMul | m.Correlation | m.Spread) or (
        isinstance(part, m.Broadcast) and part.operator == "*"
    )


def _beside(product: m.Matrix, moved: set[str]) -> Iterator[str]:
    """What a moved operand of a product meets; where both are moved, each meets the other."""
    sides = [_names(operand) for operand in traversal.operands(product)]
    for k, side in enumerate(sides):
        if any(other & moved for n, other in enumerate(sides) if n != k):
            yield from sorted(side)


@dataclass(frozen=True)
class Estimate:
    """What came of moving the cell (row, column) of a parameter by h: `plus` and `minus` are L, `middle` L unmoved."""

    row: int
    column: int
    h: float
    plus: float
    minus: float
    middle: float

    @property
    def value(self) -> float:
        return number(ESTIMATE, plus=self.plus, minus=self.minus, h=self.h)

    @property
    def bend(self) -> float:
        """How far the slopes to both sides are from the estimate: where a rule has a corner, either is right."""
        return number(BEND, plus=self.plus, minus=self.minus, middle=self.middle, h=self.h)


def estimate(one: Pass, path: Path, row: int, column: int) -> Estimate:
    """The central difference for one cell; not a number where the loss leaves float64 on the way."""
    theta = float(one[path.parameter][row, column])
    h = number(STEP, theta=theta, reach=reach(one, path))
    up, down = (path.run(one, row, column, by) for by in (h, -h))
    loss = path.ids[-1]
    return Estimate(row, column, h, up[loss].item(), down[loss].item(), one.loss)


def passes_corner(one: Pass, path: Path, moved: Estimate) -> bool:
    """Whether a rule of the path is on another side of a corner at θ, θ + h or θ − h.

    Then the estimate is a mixture of the slopes to both sides, of several samples perhaps, and tells nothing of either.
    """
    if not path.bends:
        return False
    here = {name: one[name] for name in (path.parameter, *path.ids, *path.held)}
    for by in (moved.h, -moved.h):
        there = here | path.run(one, moved.row, moved.column, by)
        for made in path.expressions.values():
            if any(not np.array_equal(*each) for each in zip(sides(made, here), sides(made, there), strict=True)):
                return True
    return False


def chosen(gradients: Array, most: int) -> Iterator[tuple[int, int]]:
    """The cells of a matrix that are estimated: all, or of more than `most` the largest and others spread evenly."""
    order = np.argsort(-np.abs(gradients), axis=None, kind="stable")
    if order.size > most:
        largest, others = order[: most // 2], np.sort(order[most // 2 :])
        spread = np.linspace(0, others.size - 1, most - most // 2).astype(int)
        order = np.concatenate((largest, others[spread]))
    return (divmod(int(cell), gradients.shape[1]) for cell in np.sort(order))
