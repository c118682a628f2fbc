"""Wrong rules for slopes: of an activation, and of softmax (a Jacobian for each sample)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.interval import Interval, bound
from tracer.judging.slips.context import Made, MatrixKind, SlipContext, WrongRule
from tracer.judging.slips.forward import formula_mistyped
from tracer.judging.work import wider
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.problem import LEAKY_SLOPE

MASKED = ("relu", "leaky_relu")
MOST_NEIGHBOURS = 400  # units times pairs of them that are tried

z, a = s.Variable("z"), s.Variable("a")
ONE = s.Number(1.0)


def slope_of_activation(context: SlipContext, rule: m.Matrix) -> Made:
    """φ′(a): the activation put through the function again, which may be mistyped as it was before.

    What comes of it may have been rounded on the way.
    """
    A, leaky = context.activation, context.leaky_slope
    if context.function_name in (*MASKED, "linear"):  # there a has the sign of z
        return
    act, at_zero = context.function, context.slope_at_zero
    again = act.apply(A, leaky)
    half, between = context.work.unit(context.activation.name) / 2, m.Symbol(f"{A.name} again", again.shape)
    for applied in (again, *formula_mistyped(context, again)):
        expression = applied.expression if isinstance(applied, WrongRule) else applied
        bounds = wider(bound(expression, context.reading), half)
        plain = act.slopes(A, expression, leaky, at_zero)
        made = act.slopes(A, between, leaky, at_zero)
        yield WrongRule(made, extra={between.name: bounds}, spelled_out=(plain,))


def neighbour_in_slope(context: SlipContext, rule: m.Matrix) -> Made:
    """The slope of one unit worked with the activation of another."""
    A, units = context.units, rule.shape[1]
    pairs = [(unit, other) for unit in range(units) for other in range(units) if other != unit]
    if len(pairs) < 1 or len(pairs) * units > MOST_NEIGHBOURS or not isinstance(A, m.Symbol):
        return
    own, taken = context.reading[A.name], m.Symbol(f"{A.name} with a neighbour's", A.shape)
    index = np.tile(np.arange(units), (len(pairs), 1))
    index[range(len(pairs)), [unit for unit, _ in pairs]] = [other for _, other in pairs]
    bounds = Interval(own.low[:, index].swapaxes(0, 1), own.high[:, index].swapaxes(0, 1))
    rows = tuple(range(A.shape[0]))
    for changed in _with_a(rule, A, taken):
        assert isinstance(changed, m.Apply)
        plain = [each for columns in index.tolist() for each in _with_a(rule, A, m.Part(A, rows, tuple(columns)))]
        spelled_out = [each for each in plain if isinstance(each, m.Apply)]
        yield WrongRule(changed, [dict[str, str]() for _ in pairs], {taken.name: bounds}, spelled_out)


def slope_of_z(context: SlipContext, rule: m.Matrix) -> Made:
    yield from _with_a(rule, context.units, context.pre_activation)


def slope_of_error(context: SlipContext, rule: m.Matrix) -> Made:
    yield from _with_a(rule, context.units, context.error)


def _with_a(rule: m.Matrix, A: m.Matrix, other: m.Matrix) -> Made:
    """The rule with another matrix in the place of the activation."""
    if isinstance(rule, m.Apply) and any(argument == A for _, argument in rule.arguments):
        yield m.Apply(rule.template, tuple((name, other if each == A else each) for name, each in rule.arguments))


def half_slope(context: SlipContext, rule: m.Matrix) -> Made:
    """One factor of a(1 − a) or of (1 − a)(1 + a) alone; a² for 1 − a²."""
    if not isinstance(rule, m.Apply):
        return
    match rule.template:
        case s.Product((first, second)):
            halves: tuple[tuple[s.Scalar, str], ...] = ((first, "a"), (second, "1 − a"))
        case s.Sum((s.Number(), s.Negative(s.Power(base, 2)))):
            halves = ((s.Power(base, 2), "a²"), (s.Sum((ONE, s.Negative(base))), "1 − a"))
        case _:
            return
    for half, name in halves:
        yield WrongRule(m.Apply(half, rule.arguments), ({"half": name},))


def wrong_slope(context: SlipContext, rule: m.Matrix) -> Made:
    """Another activation's."""
    Z, A, own = context.pre_activation, context.units, context.function_name
    tried = {rule}
    for name, act in ACTIVATIONS.items():
        other = act.slopes(Z, A, LEAKY_SLOPE, 0)
        if name not in (own, "linear") and other not in tried:
            tried.add(other)
            yield WrongRule(other, ({"name": name.replace("_", " ")},))


def slope_missing(context: SlipContext, rule: m.Matrix) -> Made:
    if context.function_name not in (*MASKED, "linear"):
        yield m.Apply(ONE, (("z", context.pre_activation),))


def mask_missing(context: SlipContext, rule: m.Matrix) -> Made:
    if context.function_name in MASKED:
        yield m.Apply(ONE, (("z", context.pre_activation),))


def mask_misplaced(context: SlipContext, rule: m.Matrix) -> Made:
    """The slope of ReLU the wrong way round, or by the sign of the error."""
    if context.function_name not in MASKED or not isinstance(rule, m.Apply):
        return
    if isinstance(rule.template, s.Where):
        left, relation, right = rule.template.left, rule.template.relation, rule.template.right
        turned = s.Where(left, relation, right, rule.template.otherwise, rule.template.then)
        yield WrongRule(m.Apply(turned, rule.arguments), ({"what": "is 1 where z is not positive"},))
        yield WrongRule(m.Apply(rule.template, (("z", context.error),)), ({"what": "follows the sign of the error"},))


def slope_as_matrix_product(context: SlipContext, rule: m.Matrix) -> Made:
    """A·(1 − A) as a product of matrices."""
    A = context.units
    if A.shape[0] == A.shape[1] and isinstance(rule, m.Apply) and isinstance(rule.template, s.Product):
        rest = m.subtract(m.Constant(1.0), A)
        for right in (rest, m.Transpose(rest)):
            yield m.MatMul(A, right)


# Softmax


def wrong_index(context: SlipContext, rule: m.Matrix) -> Made:
    """a(1 − a′) with another output's a′: a wrong pair in the numerator of the derivative."""
    outputs, A = context.net.outputs, context.net.activation(context.net.depth)
    if outputs == 1:
        return
    own, name = context.reading[A.name], f"{A.name} of other outputs"
    shifts = np.array([[(k + by) % outputs for k in range(outputs)] for by in range(1, outputs)])
    extra = {name: Interval(own.low[:, shifts].swapaxes(0, 1), own.high[:, shifts].swapaxes(0, 1))}
    words, rows = [dict[str, str]() for _ in shifts], tuple(range(A.shape[0]))
    others: list[m.Matrix] = [m.Symbol(name, A.shape), *(m.Part(A, rows, tuple(each)) for each in shifts.tolist())]
    for made in _with_other_index(context, others):
        yield WrongRule(made[0], words, extra, made[1:])


def _with_other_index(context: SlipContext, others: Sequence[m.Matrix]) -> Iterator[list[m.Matrix]]:
    """Each wrong formula, written with each of these for a′."""
    A = context.net.activation(context.net.depth)
    if context.kind is MatrixKind.JACOBIAN:
        sample, identity = (context.assignment.sample or 1) - 1, m.Identity(context.net.outputs)
        column = m.Transpose(m.Row(A, sample))
        yield [m.multiply(column, m.subtract(identity, m.Row(other, sample))) for other in others]
    elif _by_jacobian(context):
        slopes = [m.multiply(A, m.subtract(m.Constant(1.0), other)) for other in others]
        yield [context.with_rate(m.multiply(context.error, slope)) for slope in slopes]
        weighed = m.multiply(context.error, A)
        wholes = [m.subtract(weighed, m.multiply(m.row_sums(weighed), other)) for other in others]
        yield [context.with_rate(whole) for whole in wholes]


def diagonal_alone(context: SlipContext, rule: m.Matrix) -> Made:
    """Only the diagonal of the Jacobian: in delta E ⊙ A(1 − A), as if softmax worked cell by cell."""
    if context.kind is MatrixKind.JACOBIAN:
        yield m.multiply(m.Identity(context.net.outputs), rule)
    elif _by_jacobian(context):
        A = context.units
        yield context.with_rate(m.multiply(context.error, ACTIVATIONS["softmax"].slopes(A, A, LEAKY_SLOPE, 0)))


def row_summed(context: SlipContext, rule: m.Matrix) -> Made:
    """E times the sum of a row of the Jacobian, which is 0."""
    if _by_jacobian(context):
        A = context.units
        summed = m.multiply(A, m.subtract(m.Constant(1.0), m.row_sums(A)))
        yield context.with_rate(m.multiply(context.error, summed))


def _by_jacobian(context: SlipContext) -> bool:
    """Whether this is the delta that takes the softmax Jacobians."""
    return context.kind is MatrixKind.DELTA and context.of_output and context.net.jacobians
