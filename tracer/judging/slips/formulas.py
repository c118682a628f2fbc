"""Wrong rules for what a program makes on the way forward: patterns on the nodes of a formula and the roles in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from tracer.calculus.forms import (
    Addend,
    addends,
    is_squared,
    mean_form,
    names_in,
    root_form,
    softmax_form,
    summed,
    sums_in,
)
from tracer.calculus.row_functions import softmax
from tracer.calculus.tidy import is_number, number_of
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.judging.slips.context import Made, SlipContext, WrongRule
from tracer.judging.slips.rewriting import products, replaced, rewritten, times

MASKED = -9.0  # and below: what a mask adds to a score, so that e to it is next to nothing
MOST_OTHERS = 8  # matrices that are tried in the place of one

z, u = s.Variable("z"), s.Variable("u")
ZERO, ONE = s.Number(0.0), s.Number(1.0)
TermTold = Callable[[SlipContext, Addend], str | None]
"""The matrix that an addend is told by; None where it is not meant."""


# Sums


def _without(rule: m.Matrix, context: SlipContext, wanted: TermTold, weight: float = 0.0) -> Made:
    """The rule with an addend left out of a sum, or weighed otherwise."""
    for node in sums_in(rule):
        terms = addends(node)
        for k, term in enumerate(terms):
            name = wanted(context, term)
            if name is not None:
                other = [*terms[:k], *terms[k + 1 :]]
                if weight:
                    other.insert(k, Addend(weight * term.sign, term.matrix))
                yield WrongRule(replaced(rule, node, summed(other)), ({"M": name},))


def _single(matrix: m.Matrix) -> str | None:
    """The identifier of an addend that is one matrix, or a part of one."""
    inner = m.unrepeated(matrix)
    while isinstance(inner, m.Row | m.Part | m.Reshape):
        inner = inner.operand
    return inner.name if isinstance(inner, m.Symbol) else None


def _bias(context: SlipContext, term: Addend) -> str | None:
    name = _single(term.matrix)
    return name if name in context.program.parameters else None


def bias_missing(context: SlipContext, rule: m.Matrix) -> Made:
    yield from _without(rule, context, _bias)


def bias_subtracted(context: SlipContext, rule: m.Matrix) -> Made:
    yield from _without(rule, context, _bias, weight=-1.0)


def _shortcut(context: SlipContext, term: Addend) -> str | None:
    """What goes past a block: added as it is to what was made of it, or of others."""
    name = _single(term.matrix)
    known = context.program.assignments.get(name or "")
    if known is None or known.role not in ("intermediate", "given") or _is_mask(context, term):
        return None
    return name


def shortcut_missing(context: SlipContext, rule: m.Matrix) -> Made:
    if all(each.sign > 0 for each in addends(rule)):
        for node in sums_in(rule)[:1]:
            yield from _without(node, context, _shortcut) if node == rule else ()


def _is_mask(context: SlipContext, term: Addend) -> bool:
    name = _single(term.matrix)
    if term.sign < 0 or name not in context.program.given:
        return False
    values = context.work.key.values[name]
    return bool(((values == 0) | (values <= MASKED)).all() and (values <= MASKED).any())


def _mask(context: SlipContext, term: Addend) -> str | None:
    return _single(term.matrix) if _is_mask(context, term) else None


def mask_missing(context: SlipContext, rule: m.Matrix) -> Made:
    yield from _without(rule, context, _mask)


def mask_after_softmax(context: SlipContext, rule: m.Matrix) -> Made:
    """Shares of all scores, and then 0 where the mask is: they do not add up to 1."""
    for node in traversal.parts(rule):
        form = softmax_form(node)
        if form is None:
            continue
        scores = form.argument
        if isinstance(scores, m.Symbol):
            scores = context.rule_of(scores.name) or scores
        for each in _without(scores, context, _mask):
            if isinstance(each, WrongRule):
                name = each.words[0]["M"]
                open_ = m.Apply(s.Where(z, ">", s.Number(MASKED), ONE, ZERO), (("z", context.symbol(name)),))
                cut = m.multiply(_softmax(each.expression, form.across), open_)
                yield WrongRule(replaced(rule, node, cut), each.words)


def _softmax(argument: m.Matrix, across: bool) -> m.Matrix:
    return softmax(argument) if across else m.Transpose(softmax(m.Transpose(argument)))


def softmax_other_axis(context: SlipContext, rule: m.Matrix) -> Made:
    """Of a softmax inside a formula, or down the columns."""
    for node in traversal.parts(rule):
        form = softmax_form(node)
        if form is not None and min(form.argument.shape) > 1:
            what = "its column" if form.across else "its row"
            yield WrongRule(replaced(rule, node, _softmax(form.argument, not form.across)), ({"what": what},))


# Products


def _toggled(context: SlipContext, rule: m.Matrix, of_turned: bool) -> Made:
    """Each product with one operand turned that was not, or not turned that was."""
    for product in dict.fromkeys(products(rule)):
        for side in (product.left, product.right):
            is_turned = isinstance(side, m.Transpose)
            name = _single(side.operand if isinstance(side, m.Transpose) else side)
            if is_turned != of_turned or name is None or side.shape[0] != side.shape[1]:
                continue
            other = side.operand if isinstance(side, m.Transpose) else m.Transpose(side)
            changed = m.MatMul(*(other if each is side else each for each in (product.left, product.right)))
            yield WrongRule(replaced(rule, product, changed), ({"M": name},))


def operand_turned(context: SlipContext, rule: m.Matrix) -> Made:
    yield from _toggled(context, rule, of_turned=False)


def turn_missing(context: SlipContext, rule: m.Matrix) -> Made:
    """A transpose left out; of two operands of a gradient both may be turned to make them fit."""
    yield from _toggled(context, rule, of_turned=True)
    for product in dict.fromkeys(products(rule)):
        if isinstance(product.left, m.Transpose) and (name := _single(product.left.operand)):
            for right in (product.right, m.Transpose(product.right)):
                left = product.left.operand
                if left.shape[1] == right.shape[0] and (left.shape[0], right.shape[1]) == product.shape:
                    yield WrongRule(replaced(rule, product, m.MatMul(left, right)), ({"M": name},))


def elementwise(context: SlipContext, rule: m.Matrix) -> Made:
    """Cell by cell in the place of a matrix product."""
    for product in dict.fromkeys(products(rule)):
        left, right = product.left, product.right
        for other in (right, right.operand if isinstance(right, m.Transpose) else right):
            if left.shape == other.shape == product.shape and product.shape != (1, 1):
                yield replaced(rule, product, m.multiply(left, other))


def matrix_product(context: SlipContext, rule: m.Matrix) -> Made:
    """A matrix product in the place of one cell by cell."""
    for node in traversal.parts(rule):
        match node:
            case m.Broadcast("*", left, right) if left.shape == right.shape and left.shape[0] == left.shape[1] > 1:
                yield replaced(rule, node, m.MatMul(left, right))


def divided(context: SlipContext, rule: m.Matrix) -> Made:
    for node in traversal.parts(rule):
        match node:
            case m.Broadcast("*", left, right) if not is_number(left) and not is_number(right):
                yield replaced(rule, node, m.divide(left, right))


# Numbers in a formula


def scaling_missing(context: SlipContext, rule: m.Matrix) -> Made:
    """A product without the number that scales it (√d), or with its square (d)."""
    for node in traversal.parts(rule):
        match node:
            case m.Broadcast("/", operand, number) if is_number(number) and mean_form(node) is None:
                if any(isinstance(part, m.Reduce | m.Pool) for part in traversal.parts(operand)):
                    continue
                yield WrongRule(replaced(rule, node, operand), ({"what": "was left out"},))
                square = m.divide(operand, m.Constant(number_of(number) ** 2))
                yield WrongRule(replaced(rule, node, square), ({"what": "was squared"},))


def other_mean(context: SlipContext, rule: m.Matrix) -> Made:
    """A sum where a mean is asked for, and in a sum over cells the reverse."""
    for node in traversal.parts(rule):
        mean = mean_form(node)
        if mean is not None:
            yield WrongRule(replaced(rule, node, mean.total), ({"what": "not divided by how many there are"},))
    for node in _sums(rule):
        rows, columns = node.operand.shape
        for count in sorted({rows, columns, rows * columns} - {1}, reverse=True):
            if not any(mean_form(each) and node in traversal.operands(each) for each in traversal.parts(rule)):
                what = {"what": f"divided by {count}"}
                yield WrongRule(replaced(rule, node, m.divide(node, m.Constant(float(count)))), (what,))


def _sums(rule: m.Matrix) -> Iterator[m.Reduce]:
    return (each for each in traversal.parts(rule) if isinstance(each, m.Reduce) and each.operation == "sum")


def one_less(context: SlipContext, rule: m.Matrix) -> Made:
    """n − 1 for n in the mean of squared deviations."""
    for node in traversal.parts(rule):
        mean = mean_form(node)
        if mean is not None and mean.among > 1 and is_squared(mean.total.operand):
            yield replaced(rule, node, m.divide(mean.total, m.Constant(mean.among - 1)))


def _rooted(rule: m.Matrix) -> Iterator[tuple[m.Apply, m.Matrix]]:
    """Square roots, and what is under each."""
    for node in traversal.parts(rule):
        root = root_form(node)
        if root is not None and len(root.arguments) == 1 and not is_number(root):
            yield root, root.arguments[0][1]


def number_outside_root(context: SlipContext, rule: m.Matrix) -> Made:
    """√v + ε for √(v + ε)."""
    for root, under in _rooted(rule):
        inside = root.template
        if isinstance(inside, s.Function) and isinstance(inside.argument, s.Sum):
            numbers = [each for each in inside.argument.terms if isinstance(each, s.Number)]
            rest = [each for each in inside.argument.terms if not isinstance(each, s.Number)]
            if len(rest) == 1 and numbers:
                outside = s.Sum((s.Function("sqrt", rest[0]), *numbers))
                yield replaced(rule, root, m.Apply(outside, root.arguments))
        match under:
            case m.Broadcast("+", left, right) if isinstance(inside, s.Function) and is_number(right):
                yield replaced(rule, root, m.add(m.Apply(inside, ((root.arguments[0][0], left),)), right))


def number_inside_root(context: SlipContext, rule: m.Matrix) -> Made:
    """√(v + ε) for √v + ε."""
    for root, _ in _rooted(rule):
        match root.template:
            case s.Sum((s.Function("sqrt", under), s.Number() as number)):
                within = s.Function("sqrt", s.Sum((under, number)))
                yield replaced(rule, root, m.Apply(within, root.arguments))


def root_missing(context: SlipContext, rule: m.Matrix) -> Made:
    def opened(part: s.Scalar) -> s.Scalar | None:
        return part.argument if isinstance(part, s.Function) and part.name == "sqrt" else None

    for root, _ in _rooted(rule):
        yield replaced(rule, root, m.Apply(rewritten(root.template, opened), root.arguments))


# Matrices in the place of others


def exchanged(rule: m.Matrix, one: m.Symbol, other: m.Symbol) -> m.Matrix:
    def change(part: m.Matrix) -> m.Matrix | None:
        return other if part == one else one if part == other else None

    return traversal.rewrite(rule, change)


def _pairs(symbols: Iterable[m.Symbol]) -> Iterator[tuple[m.Symbol, m.Symbol]]:
    found = list(dict.fromkeys(symbols))
    for k, one in enumerate(found):
        yield from ((one, other) for other in found[k + 1 :] if one.shape == other.shape)


def parameters_exchanged(context: SlipContext, rule: m.Matrix) -> Made:
    """Gain and shift, say: two parameters of a formula, each in the other's place."""
    own = (each for each in traversal.symbols(rule) if each.name in context.program.parameters)
    for one, other in _pairs(own):
        yield WrongRule(exchanged(rule, one, other), ({"M": one.name, "own": other.name},))


def gates_exchanged(context: SlipContext, rule: m.Matrix) -> Made:
    """Two gates of a formula, each in the other's place."""
    gates = (each for each in traversal.symbols(rule) if context.is_function(each.name))
    for one, other in _pairs(gates):
        yield WrongRule(exchanged(rule, one, other), ({"M": one.name, "own": other.name},))


def other_parameter(context: SlipContext, rule: m.Matrix) -> Made:
    """Another parameter of the same shape in the place of one."""
    program, values = context.program, context.work.key.values
    for symbol in dict.fromkeys(traversal.symbols(rule)):
        if symbol.name not in program.parameters:
            continue
        others = [each for each in program.parameters if values[each].shape == symbol.shape]
        for other in [each for each in others if each not in names_in(rule)][:MOST_OTHERS]:
            words = {"used": other, "own": symbol.name}
            yield WrongRule(replaced(rule, symbol, m.Symbol(other, symbol.shape)), (words,))


def other_time_step(context: SlipContext, rule: m.Matrix) -> Made:
    """A matrix of the step before or after in the place of this one's, where it is there already."""
    order = list(context.program.assignments)
    made = set(order[: order.index(context.id)])
    for symbol in dict.fromkeys(traversal.symbols(rule)):
        for other in context.program.siblings.get(symbol.name, ()):
            if context.work.key.values[other].shape == symbol.shape and other in made:
                words = {"used": other, "own": symbol.name}
                yield WrongRule(replaced(rule, symbol, m.Symbol(other, symbol.shape)), (words,))


def unactivated(context: SlipContext, rule: m.Matrix) -> Made:
    """What goes into a function in the place of what comes out of it."""
    for symbol in dict.fromkeys(traversal.symbols(rule)):
        before = context.taken_in(symbol.name)
        if before is not None and not context.work.left_out(symbol.name) and before.name != context.id:
            words = {"activation": symbol.name, "pre_activation": before.name, "other": before.name}
            yield WrongRule(replaced(rule, symbol, before), (words,))


# Losses


def loss_log_base(context: SlipContext, rule: m.Matrix) -> Made:
    if any(_has_log(part) for part in traversal.parts(rule)):
        for base in (10, 2):
            yield WrongRule(times(1 / float(np.log(base)), rule), ({"base": str(base)},))


def _has_log(part: m.Matrix) -> bool:
    return isinstance(part, m.Apply) and rewritten(part.template, _no_log) != part.template


def _no_log(part: s.Scalar) -> s.Scalar | None:
    return ZERO if isinstance(part, s.Log) else None


def without_square(context: SlipContext, rule: m.Matrix) -> Made:
    def base(part: s.Scalar) -> s.Scalar | None:
        return part.base if isinstance(part, s.Power) and part.exponent == 2 else None

    def size(part: s.Scalar) -> s.Scalar | None:
        return s.Absolute(part.base) if isinstance(part, s.Power) and part.exponent == 2 else None

    for node in traversal.parts(rule):
        for change in (base, size):
            if isinstance(node, m.Apply) and rewritten(node.template, change) != node.template:
                yield replaced(rule, node, m.Apply(rewritten(node.template, change), node.arguments))


def every_class(context: SlipContext, rule: m.Matrix) -> Made:
    """−Σ ln p over every class, whatever the target is."""
    for node in traversal.parts(rule):
        match node:
            case m.Apply(s.Negative(s.Product((s.Variable("y"), logarithm))), arguments):
                rest = tuple((name, each) for name, each in arguments if name != "y")
                yield replaced(rule, node, m.Apply(s.Negative(logarithm), rest))
