"""Conventions and reproductions, each a rewrite of the derived program and of nothing else.

Those of the backward half take its assignments, derived as gradients of the loss summed over the samples, and tell
some of them otherwise; `factor` keeps what a gradient is then times. The layout turns the whole program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias

from tracer.calculus.row_functions import jacobian
from tracer.calculus.tidy import negative
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.transposed import transposed
from tracer.lesson.network_symbols import NetworkSymbols
from tracer.problem.losses import AT_SUMS
from tracer.program import naming_policy as named
from tracer.program import roles
from tracer.program.program import Program, Step
from tracer.program.roles import Assignment

ProgramRewrite: TypeAlias = Callable[[NetworkSymbols, Assignment], Iterable[Assignment]]
"""Takes an assignment of the backward half; gives it, or what is assigned in its place."""


def rewritten(net: NetworkSymbols, made: Iterable[Assignment]) -> Iterator[Assignment]:
    """The derived backward half as the problem has it."""
    for each in made:
        told = [each]
        for rewrite in REWRITES:
            told = [other for one in told for other in rewrite(net, one)]
        yield from told


def _of_output(net: NetworkSymbols, each: Assignment) -> bool:
    return each.layer == net.depth


def _is_error(net: NetworkSymbols, each: Assignment) -> bool:
    return each.quantity == roles.ERROR and _of_output(net, each)


def _is_delta(net: NetworkSymbols, each: Assignment) -> bool:
    return each.quantity == roles.DELTA and _of_output(net, each)


def _of_parameter(each: Assignment) -> bool:
    return each.quantity in (roles.WEIGHTS_GRADIENT, roles.BIAS_GRADIENT)


def _retold(each: Assignment, change: Callable[[m.Matrix], m.Matrix], factor: float | None = None) -> Assignment:
    assert each.expression is not None  # the backward half is computed
    value = change(each.expression)
    return replace(each, expression=value, factor=each.factor if factor is None else factor)


def fused(net: NetworkSymbols, each: Assignment) -> Iterator[Assignment]:
    """Output activation and loss taken together: the error is at the sums, and is the delta; there is no slope."""
    if net.problem.convention.softmax_slope != "fused" or not _of_output(net, each):
        yield each
    elif _is_error(net, each):
        arguments = (("y", net.targets), ("a", net.activation(net.depth)))
        each = _retold(each, lambda _: m.Apply(AT_SUMS, arguments))
        yield replace(each, of=net.pre_activation(net.depth).name)
    elif each.quantity != roles.SLOPE:
        yield _retold(each, lambda _: net.error(net.depth)) if _is_delta(net, each) else each


def signed(net: NetworkSymbols, each: Assignment) -> Iterator[Assignment]:
    """The error with the sign of target − output, and with it all that is made of it."""
    sign = net.problem.convention.sign
    if each.role == "gradient" and sign < 0:
        each = replace(each, factor=each.factor * sign)
        each = _retold(each, negative) if _is_error(net, each) else each
    yield each


def averaged(net: NetworkSymbols, each: Assignment) -> Iterator[Assignment]:
    """The mean over the samples: taken in the error, or in dW and db alone."""
    if net.problem.convention.reduction == "mean" and each.role == "gradient":
        here = _of_parameter(each) if net.mean_in_gradient else _is_error(net, each)
        if here:
            each = _retold(each, lambda value: m.divide(value, m.Constant(float(net.rows))))
        if here or not net.mean_in_gradient:
            each = replace(each, factor=each.factor / net.rows)
    yield each


def rated(net: NetworkSymbols, each: Assignment) -> Iterator[Assignment]:
    """The learning rate inside the output's delta, and with it in all that is made of that."""
    if net.rate_in_delta and each.role == "gradient" and not _is_error(net, each):
        each = replace(each, factor=each.factor * net.problem.learning_rate)
        each = _retold(each, lambda value: m.multiply(value, net.rate)) if _is_delta(net, each) else each
    yield each


def changed(net: NetworkSymbols, each: Assignment) -> Iterator[Assignment]:
    """dW and db as the changes that are added: −rate times the gradient."""
    if net.rate_in_change and _of_parameter(each):
        towards = -net.problem.convention.sign
        each = _retold(each, lambda value: m.multiply(net.rate, value), each.factor * net.problem.learning_rate)
        if towards < 0:
            each = _retold(each, lambda value: m.multiply(m.Constant(-1.0), value))
        each = replace(each, factor=each.factor * towards)
    yield each


def kinked(net: NetworkSymbols, each: Assignment) -> Iterator[Assignment]:
    """The other slope where a function has a kink at 0."""
    if each.quantity == roles.SLOPE and each.layer and net.problem.convention.relu_slope_at_zero:
        other = net.function(each.layer).slope_at_kink
        if other is not None:
            rule = s.substitute(other, {"alpha": s.Number(net.layer(each.layer).slope)})
            each = _retold(each, lambda _: m.Apply(rule, (("z", net.pre_activation(each.layer or 0)),)))
    yield each


def by_jacobians(net: NetworkSymbols, each: Assignment) -> Iterator[Assignment]:
    """The output's delta sample by sample, as its error times a Jacobian that is a matrix of its own."""
    if not (_is_delta(net, each) and net.jacobians):
        yield each
        return
    A, E = net.activation(net.depth), net.error(net.depth)
    for n in range(net.rows):
        block = (("layer", net.depth), ("sample", n + 1))
        value = jacobian(m.Row(A, n))
        yield Assignment(net.jacobian(n + 1).name, value.shape, value, *roles.JACOBIAN, of=A.name, block=block)
    stacked = m.Stack(tuple(m.MatMul(m.Row(E, n), net.jacobian(n + 1)) for n in range(net.rows)))
    yield _retold(each, lambda _: stacked)


def diagonal(net: NetworkSymbols, each: Assignment) -> Iterator[Assignment]:
    """Of a softmax's Jacobian the diagonal alone, as publications have it: the slope of a sigmoid."""
    if _is_delta(net, each) and net.diagonal:
        A, S = net.activation(net.depth), net.slope(net.depth)
        value = m.Apply(net.function(net.depth).slope, (("a", A),))
        block = (("layer", net.depth),)
        yield Assignment(S.name, S.shape, value, *roles.SLOPE, of=A.name, block=block, reproduced=True)
        each = _retold(each, lambda _: m.multiply(net.error(net.depth), S))
    yield each


def through_updated(net: NetworkSymbols, each: Assignment) -> Iterator[Assignment]:
    """The error sent back through weights that are already updated."""
    reproduced = net.problem.reproduce.updated_weights_sent_back
    if reproduced and each.quantity == roles.ERROR and each.layer and not _of_output(net, each):
        W = net.weights(each.layer + 1)
        new = m.Symbol(named.updated(W.name), W.shape)
        each = _retold(each, lambda value: traversal.rewrite(value, lambda part: new if part == W else None))
        each = replace(each, reproduced=True)
    yield each


REWRITES: tuple[ProgramRewrite, ...] = (
    fused, kinked, by_jacobians, diagonal, signed, averaged, rated, changed, through_updated,
)  # fmt: skip


def samples_as_columns(program: Program) -> Program:
    """The same program with every matrix turned over its diagonal: X features × samples, Z = W·X + b."""
    return replace(program, steps=tuple(map(_turned_step, program.steps)), turned=True)


def _turned_step(step: Step) -> Step:
    return replace(step, assignments=tuple(map(_turned, step.assignments)))


def _turned(each: Assignment) -> Assignment:
    rows, columns = each.shape
    if each.expression is None:
        return replace(each, shape=(columns, rows))
    made = transposed(each.expression)
    assert made is not None  # no rule of the eleven steps places cells anew
    return replace(each, shape=(columns, rows), expression=made)
