"""Wrong rules on the way back: deltas, and errors sent back."""

from __future__ import annotations

from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.judging.slips.context import Made, SlipContext, WrongRule
from tracer.judging.slips.rewriting import RATE_MISSING, RATE_TWICE, column, inverse, rate_divides, replaced

# Deltas: D = E ⊙ S


def _elementwise(context: SlipContext, rule: m.Matrix) -> m.Broadcast | None:
    """The product of error and slope in a delta."""
    wanted = m.multiply(context.error, context.slope)
    return wanted if wanted in traversal.parts(rule) else None


def delta_divided(context: SlipContext, rule: m.Matrix) -> Made:
    if product := _elementwise(context, rule):
        yield replaced(rule, product, m.divide(product.left, product.right))


def delta_as_matrix_product(context: SlipContext, rule: m.Matrix) -> Made:
    product = _elementwise(context, rule)
    if product is None or product.shape[0] != product.shape[1]:
        return
    E, S = product.left, product.right
    for wrong in (m.MatMul(E, S), m.MatMul(E, m.Transpose(S)), m.MatMul(m.Transpose(E), S)):
        yield replaced(rule, product, wrong)


def rate_in_delta(context: SlipContext, rule: m.Matrix) -> Made:
    """No rate, its square or its inverse, where the problem has the rate in the delta."""
    if context.of_output and context.net.rate_in_delta:
        yield WrongRule(m.divide(rule, context.net.rate), (RATE_MISSING,))
        yield WrongRule(m.multiply(rule, context.net.rate), (RATE_TWICE,))
        twice = m.multiply(context.net.rate, context.net.rate)
        yield WrongRule(m.divide(rule, twice), (rate_divides("the delta; multiply by it"),))


# Errors sent back: E = D Wᵀ


def no_transpose(context: SlipContext, rule: m.Matrix) -> Made:
    W = context.net.weights(context.layer + 1)
    if W.shape[0] == W.shape[1]:
        yield replaced(rule, m.Transpose(W), W)


def updated_weights(context: SlipContext, rule: m.Matrix) -> Made:
    W = context.net.weights(context.layer + 1)
    new = m.Symbol(context.work.key.program.updated[W.name], W.shape)
    yield WrongRule(replaced(rule, W, new), ({"used": W.name},))


def raw_error(context: SlipContext, rule: m.Matrix) -> Made:
    following = context.layer + 1
    error = context.net.error(following)
    D = context.net.delta(following)
    yield WrongRule(replaced(rule, D, error), ({"error": error.name, "delta": D.name},))


def gradient_sent_back(context: SlipContext, rule: m.Matrix) -> Made:
    """The gradients of a unit's outgoing weights added up, in place of each delta times its weight.

    Taken for a sample alone, or of all samples from the gradient itself.
    """
    D, W = context.net.delta(context.layer + 1), context.net.weights(context.layer + 1)
    yield m.multiply(context.units, m.row_sums(D))
    gradient = m.Symbol(context.work.key.program.gradients[W.name], W.shape)
    yield m.Transpose(m.row_sums(gradient))


def wrong_layer(context: SlipContext, rule: m.Matrix) -> Made:
    """Another layer's weights, turned or not, where they fit."""
    used = m.Transpose(context.net.weights(context.layer + 1))
    for layer in range(1, context.net.depth + 1):
        W = context.net.weights(layer)
        if layer != context.layer + 1:
            for other in (m.Transpose(W), W):
                if other.shape == used.shape:
                    yield WrongRule(replaced(rule, used, other), ({"used": W.name},))


def one_weight(context: SlipContext, rule: m.Matrix) -> Made:
    """A single weight in place of the sum over the next layer's units."""
    D, W = context.net.delta(context.layer + 1), context.net.weights(context.layer + 1)
    units, following = W.shape
    if following == 1:
        return
    if units == following:
        yield WrongRule(
            m.multiply(D, m.column_sums(m.multiply(m.Identity(units), W))), ({"which": "one weight, w_jj,"},)
        )
    for k in range(following):
        which = f"the weight to unit {k + 1}"
        yield WrongRule(m.multiply(column(D, k), m.Row(m.Transpose(W), k)), ({"which": which},))


def error_divided(context: SlipContext, rule: m.Matrix) -> Made:
    W = context.net.weights(context.layer + 1)
    yield replaced(rule, m.Transpose(W), m.Transpose(inverse(W)))
