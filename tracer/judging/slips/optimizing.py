"""Wrong rules for an optimizer's states and for the update that follows them, of layers and of programs alike."""

from __future__ import annotations

from tracer.calculus.forms import addends, summed
from tracer.calculus.tidy import is_number
from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.judging.slips.context import Made, SlipContext, WrongRule
from tracer.judging.slips.rewriting import RATE_MISSING, RATE_TWICE, rate_divides, replaced, times


def _is_state(context: SlipContext) -> bool:
    """Whether this is the new value of what an optimizer keeps."""
    return context.assignment.role == "updated" and context.assignment.of not in context.program.parameters


def _is_parameter(context: SlipContext) -> bool:
    return context.assignment.role == "updated" and context.assignment.of in context.program.parameters


def correction_missing(context: SlipContext, rule: m.Matrix) -> Made:
    """A mean of gradients as it stands, not divided by 1 − β to the power of the passes."""
    if context.assignment.role == "state" and isinstance(rule, m.Broadcast) and rule.operator == "/":
        yield rule.left
    for symbol in dict.fromkeys(traversal.symbols(rule)):
        made = context.program.assignments.get(symbol.name)
        corrected = None if made is None or made.role != "state" else context.rule_of(symbol.name)
        match corrected:
            case m.Broadcast("/", m.Symbol() as raw, _) if not context.work.left_out(symbol.name):
                yield replaced(rule, symbol, raw)


def sign_of_kept(context: SlipContext, rule: m.Matrix) -> Made:
    """What is kept of earlier passes subtracted, or the gradient."""
    terms = addends(rule)
    if _is_state(context) and len(terms) == 2:
        for k, other in ((0, terms[1]), (1, terms[0])):
            turned = terms[k]._replace(sign=-terms[k].sign)
            yield summed([turned, other] if k == 0 else [other, turned])


def kept_forgotten(context: SlipContext, rule: m.Matrix) -> Made:
    """The gradient of this pass alone, as if nothing were kept."""
    terms = addends(rule)
    if _is_state(context) and len(terms) == 2:
        yield summed(terms[1:])


def shares_exchanged(context: SlipContext, rule: m.Matrix) -> Made:
    """β and 1 − β each in the other's place, or 1 − β left out."""
    match rule:
        case m.Broadcast("+", m.Broadcast("*", first, old), m.Broadcast("*", second, new)):
            if is_number(first) and is_number(second) and _is_state(context):
                yield m.add(m.multiply(second, old), m.multiply(first, new))
                yield m.add(m.multiply(first, old), new)


def not_squared(context: SlipContext, rule: m.Matrix) -> Made:
    for node in traversal.parts(rule):
        match node:
            case m.Broadcast("*", left, right) if left == right and _is_state(context):
                yield replaced(rule, node, left)


def _decay(context: SlipContext) -> float:
    return float(context.work.key.problem.optimizer.value("weight_decay"))


def decay_coupled(context: SlipContext, rule: m.Matrix) -> Made:
    """The weight's decay added to the gradient where it belongs to the update alone."""
    optimizer, name = context.work.key.problem.optimizer, context.program.follows(context.id)
    if optimizer.name != "adamw" or not _decay(context) or name is None or not _is_state(context):
        return
    for symbol in dict.fromkeys(traversal.symbols(rule)):
        if context.program.assignments[symbol.name].role == "gradient":
            yield replaced(rule, symbol, m.add(symbol, times(_decay(context), context.symbol(name))))


def decay_missing(context: SlipContext, rule: m.Matrix) -> Made:
    """An update, or a gradient, without the decay of the weights."""
    of = context.assignment.of
    if not _decay(context) or of is None:
        return
    for node in traversal.parts(rule):
        match node:
            case m.Broadcast("*", m.Apply(), m.Symbol(name) as parameter) if name == of and _is_parameter(context):
                yield replaced(rule, node, parameter)
            case m.Broadcast("+", gradient, m.Broadcast("*", number, m.Symbol(name))) if is_number(number):
                if name in context.program.parameters:
                    yield replaced(rule, node, gradient)


def rate_changed(context: SlipContext, rule: m.Matrix) -> Made:
    """The learning rate left out, applied twice, or as a divisor."""
    if not _is_parameter(context):
        return
    for node in traversal.parts(rule):
        match node:
            case m.Broadcast("*", m.Symbol() as rate, step) if rate == context.rate:
                yield WrongRule(replaced(rule, node, step), (RATE_MISSING,))
                yield WrongRule(replaced(rule, node, m.multiply(rate, node)), (RATE_TWICE,))
                yield WrongRule(replaced(rule, node, m.divide(step, rate)), (rate_divides("the step"),))


def wrong_direction(context: SlipContext, rule: m.Matrix) -> Made:
    if _is_parameter(context) and isinstance(rule, m.Broadcast) and rule.operator in "+-":
        yield m.Broadcast("-" if rule.operator == "+" else "+", rule.left, rule.right)


def not_updated(context: SlipContext, rule: m.Matrix) -> Made:
    if _is_parameter(context) and context.assignment.of is not None:
        yield context.symbol(context.assignment.of)


def gradient_itself(context: SlipContext, rule: m.Matrix) -> Made:
    """Plain gradient descent: the gradient in the place of what the optimizer makes of it."""
    of = context.assignment.of
    if _is_parameter(context) and of is not None and isinstance(rule, m.Broadcast) and rule.operator in "+-":
        step = m.multiply(context.rate, context.symbol(context.program.gradients[of]))
        yield m.Broadcast(rule.operator, rule.left, step)
