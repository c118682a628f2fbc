"""What the wrong rules are written over: the place of a matrix in its network, and ways to rewrite its rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.interval import Interval
from tracer.judging.work import Work
from tracer.lesson.network_symbols import NetworkSymbols
from tracer.problem.losses import LOSSES

Kind: TypeAlias = Literal["Z", "A", "softmax", "L", "E", "S", "J", "D", "back", "dW", "db", "next"]
"""What a matrix is: "back" is an error sent back (E1), "softmax" an A of whole rows, "next" a new parameter."""

_IDENTIFIER = re.compile(r"(dW|db|[A-Zb])(\d*)(_next)?")


@dataclass(frozen=True)
class Wrong:
    """A wrong rule: an expression in place of the right one.

    `words` fill its sentence. Several of one form come as one, with words for each and `extra` symbols
    whose bounds have an axis in front for them.
    """

    expression: m.Matrix
    words: Sequence[Mapping[str, str]] = ({},)
    extra: Mapping[str, Interval] = field(default_factory=dict)


Rewrite: TypeAlias = Callable[["Place", m.Matrix], Iterator[Wrong | m.Matrix]]
"""Makes wrong rules for a place from its right rule (or from one that is wrong already)."""


@dataclass(frozen=True)
class Rule:
    """A line of the table: a slip, the matrices that it happens in, its rewrites and its sentence.

    `often` is how many of fifteen public student solutions show it; a `factor` multiplies all cells by one number.
    """

    slug: str
    kinds: tuple[Kind, ...]
    rewrite: Rewrite
    says: str
    often: int = 0
    factor: bool = False


@dataclass(frozen=True)
class Place:
    """A matrix in its network; `layer` is 0 for the loss, and the sample (from 1) for a Jacobian."""

    id: str
    work: Work

    @cached_property
    def net(self) -> NetworkSymbols:
        return self.work.key.net

    @cached_property
    def _parts(self) -> tuple[str, int, bool]:
        found = _IDENTIFIER.fullmatch(self.id)
        assert found is not None  # identifiers are ours
        return found[1], int(found[2] or 0), bool(found[3])

    @cached_property
    def layer(self) -> int:
        letter, number, _ = self._parts
        return self.net.depth if letter == "E" and not number else number

    @cached_property
    def kind(self) -> Kind:
        letter, number, following = self._parts
        if following:
            return "next"
        if letter == "A":
            return "softmax" if self.net.activation(number).whole_row else "A"
        if letter == "E":
            return "back" if number else "E"
        kinds: dict[str, Kind] = {"Z": "Z", "L": "L", "S": "S", "J": "J", "D": "D", "dW": "dW", "db": "db"}
        return kinds[letter]

    @cached_property
    def right(self) -> m.Matrix:
        """The right rule, without the rounding that `carry_rounded` puts around it."""
        expression = self.work.rule(self.id)
        assert expression is not None  # places are of computed matrices
        return expression.operand if isinstance(expression, m.Rounded) else expression

    @property
    def rounded_to(self) -> int | None:
        """The decimals that the right rule rounds to; None where it does not."""
        expression = self.work.rule(self.id)
        return expression.decimals if isinstance(expression, m.Rounded) else None

    @property
    def of_output(self) -> bool:
        return self.layer == self.net.depth

    @property
    def of_loss(self) -> str:
        return self.net.problem.loss

    def units(self, kind: str, layer: int | None = None) -> m.Symbol:
        """Z, A, S or D of this layer, or of another."""
        return self.net.of_units(kind, self.layer if layer is None else layer)

    @cached_property
    def error(self) -> m.Symbol:
        """The error that this layer's delta is made of."""
        return self.net.E if self.of_output else self.units("E")

    @cached_property
    def samples(self) -> float:
        return float(self.net.rows)

    @cached_property
    def outputs(self) -> float:
        return float(self.net.outputs)

    def with_conventions(self, gradient: m.Matrix) -> m.Matrix:
        """A gradient at the output with the sign and the mean that the problem asks for."""
        convention = self.net.problem.convention
        signed = gradient if convention.sign > 0 else times(-1.0, gradient)
        return m.divide(signed, m.Constant(self.samples)) if convention.reduction == "mean" else signed

    def with_rate(self, delta: m.Matrix) -> m.Matrix:
        """A delta with the learning rate where the problem has it there."""
        return m.multiply(delta, self.net.rate) if self.net.rate_in_delta else delta

    def loss_gradient(self, loss: str) -> m.Matrix:
        """∂/∂a of a loss, as E has it."""
        rule = s.substitute(LOSSES[loss].gradient, {"K": s.Number(self.outputs)})
        return self.with_conventions(self.of_outputs(rule))

    def of_outputs(self, rule: s.Scalar) -> m.Apply:
        """A rule of target y and output a, at every output."""
        sources = (("y", self.net.Y), ("a", self.units("A", self.net.depth)))
        return m.Apply(rule, tuple(pair for pair in sources if pair[0] in s.variables(rule)))


def times(factor: float, matrix: m.Matrix) -> m.Matrix:
    return m.multiply(m.Constant(factor), matrix)


def over(matrix: m.Matrix, divisor: float) -> m.Matrix:
    return m.divide(matrix, m.Constant(divisor))


def inverse(matrix: m.Matrix) -> m.Matrix:
    """1 over every cell."""
    return m.divide(m.Constant(1.0), matrix)


def column(matrix: m.Matrix, index: int) -> m.Matrix:
    return m.Transpose(m.Row(m.Transpose(matrix), index))


def mapped(matrix: m.Matrix, change: Callable[[m.Matrix], m.Matrix | None]) -> m.Matrix:
    """An expression with every part for which `change` has another one replaced, outermost first."""
    other = change(matrix)
    if other is not None:
        return other

    def inner(part: m.Matrix) -> m.Matrix:
        return mapped(part, change)

    match matrix:
        case m.MatMul(left, right):
            return m.MatMul(inner(left), inner(right))
        case m.Broadcast(operator, left, right):
            return m.Broadcast(operator, inner(left), inner(right))
        case m.StableForm(shown, computed):
            return m.StableForm(inner(shown), inner(computed))
        case m.Apply(template, arguments):
            return m.Apply(template, tuple((name, inner(argument)) for name, argument in arguments))
        case m.Stack(rows):
            return m.Stack(tuple(map(inner, rows)))
        case m.Transpose(operand):
            return m.Transpose(inner(operand))
        case m.Reduce(operation, operand, axis):
            return m.Reduce(operation, inner(operand), axis)
        case m.Row(operand, index):
            return m.Row(inner(operand), index)
        case m.Rounded(operand, decimals):
            return m.Rounded(inner(operand), decimals)
        case m.Symbol() | m.Constant() | m.Identity():
            return matrix


def replaced(matrix: m.Matrix, old: m.Matrix, new: m.Matrix) -> m.Matrix:
    """The same expression with another in the place of `old`, wherever it stands."""
    return mapped(matrix, lambda part: new if part == old else None)


def products(matrix: m.Matrix) -> Iterator[m.MatMul]:
    """The matrix products in an expression."""
    return (part for part in m.parts(matrix) if isinstance(part, m.MatMul))


def rewritten(rule: s.Scalar, change: Callable[[s.Scalar], s.Scalar | None]) -> s.Scalar:
    """A scalar rule with every part for which `change` has another one replaced, outermost first."""
    other = change(rule)
    if other is not None:
        return other
    parts = s.children(rule)
    return s.rebuild(rule, tuple(rewritten(part, change) for part in parts)) if parts else rule
