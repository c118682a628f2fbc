"""Wrong rules for what flows back through a program: gradients, contributions to them, and local derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tracer.calculus.forms import Addend, addends, is_squared, mean_form, names_in, root_form, summed, sums_in
from tracer.calculus.tidy import is_number
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.judging.slips.context import Made, MatrixKind, SlipContext, WrongRule
from tracer.judging.slips.rewriting import over, products, replaced, times
from tracer.program.roles import Assignment

MOST_SAMPLES = 6  # rows that are tried alone

z = s.Variable("z")
ONE_AT_ZERO = s.Where(z, "=", s.Number(0.0), s.Number(1.0), s.Number(0.0))


# Paths: a gradient is the sum of what comes back along each

PathTold = Callable[[SlipContext, Addend], "str | None"]


def _paths_missing(context: SlipContext, rule: m.Matrix, told: PathTold) -> Made:
    """A path left out of the sum of all, for each that is told of."""
    for node in sums_in(rule):
        terms = addends(node)
        for k, term in enumerate(terms):
            name = told(context, term)
            if name is not None:
                yield WrongRule(replaced(rule, node, summed([*terms[:k], *terms[k + 1 :]])), ({"M": name},))


def _comes_from(context: SlipContext, term: Addend) -> list[Assignment]:
    """What a term has come back from: the matrices whose gradients it holds."""
    made = [context.program.assignments.get(each) for each in sorted(names_in(term.matrix))]
    whose = [each.of if each.role == "gradient" else context.source(each.id) for each in made if each is not None
             and each.role in ("gradient", "contribution")]  # fmt: skip
    return [context.program.assignments[each] for each in whose if each is not None]


def _rules(context: SlipContext, term: Addend) -> Iterator[tuple[str, m.Matrix]]:
    for each in _comes_from(context, term):
        rule = context.rule_of(each.id)
        if rule is not None:
            yield each.id, rule


def _of_shortcut(context: SlipContext, term: Addend) -> str | None:
    """A gradient that comes back as it is, past a block."""
    inner = m.unrepeated(term.matrix)
    found = context.program.assignments.get(inner.name) if isinstance(inner, m.Symbol) else None
    if found is None or found.role != "gradient" or found.of is None:
        return None
    rule = context.rule_of(found.of)
    return found.of if rule is not None and len(addends(rule)) > 1 else None


def _of_mean(context: SlipContext, term: Addend) -> str | None:
    means = ((each, mean_form(rule)) for each, rule in _rules(context, term))
    return next((each for each, mean in means if mean is not None and not is_squared(mean.total.operand)), None)


def _of_variance(context: SlipContext, term: Addend) -> str | None:
    for each, rule in _rules(context, term):
        mean = mean_form(rule)
        if root_form(rule) is not None or (mean is not None and is_squared(mean.total.operand)):
            return each
    return None


def _of_any_other(context: SlipContext, term: Addend) -> str | None:
    if any(each(context, term) for each in (_of_shortcut, _of_mean, _of_variance)):
        return None
    return next((each.id for each in _comes_from(context, term)), None)


def shortcut_path_missing(context: SlipContext, rule: m.Matrix) -> Made:
    yield from _paths_missing(context, rule, _of_shortcut)


def mean_path_missing(context: SlipContext, rule: m.Matrix) -> Made:
    yield from _paths_missing(context, rule, _of_mean)


def variance_path_missing(context: SlipContext, rule: m.Matrix) -> Made:
    yield from _paths_missing(context, rule, _of_variance)


def path_missing(context: SlipContext, rule: m.Matrix) -> Made:
    """Any other path; and all but one, where there are three and more."""
    yield from _paths_missing(context, rule, _of_any_other)
    for node in sums_in(rule):
        terms = addends(node)
        for term in terms if len(terms) > 2 and context.kind is MatrixKind.FLOWING_BACK else ():
            yield WrongRule(replaced(rule, node, summed([term])), ({"M": _name(context, terms, term)},))


def _name(context: SlipContext, terms: list[Addend], kept: Addend) -> str:
    """A path that is missing beside the one that was kept."""
    others = (each.id for term in terms if term is not kept for each in _comes_from(context, term))
    return next(others, context.id)


def one_use_alone(context: SlipContext, rule: m.Matrix) -> Made:
    """Of a parameter that is used several times the gradient of one use alone, the last and the first before others.

    Where the uses are time steps, that is the gradient through one of them.
    """
    for node in sums_in(rule):
        terms = addends(node)
        blocks = [each.block for term in terms for each in _comes_from(context, term)[:1]]
        steps = len(blocks) == len(terms) and all(blocks) and len(set(blocks)) > 1
        wanted = "one-time-step-only" if steps else "shared-gradients-not-added"
        for term in terms:
            yield WrongRule(replaced(rule, node, summed([term])), ({"idea": wanted, "M": _name(context, terms, term)},))
        if len(terms) > 2:
            for k, term in enumerate(terms):
                rest = summed([*terms[:k], *terms[k + 1 :]])
                name = next((each.id for each in _comes_from(context, term)), context.id)
                yield WrongRule(replaced(rule, node, rest), ({"idea": "shared-gradients-not-added", "M": name},))


# Local derivatives


def _local(context: SlipContext, symbol: m.Symbol) -> Assignment | None:
    found = context.program.assignments.get(symbol.name)
    return found if found is not None and found.role == "local_derivative" else None


def _without_local(context: SlipContext, rule: m.Matrix, wanted: Callable[[SlipContext], bool]) -> Made:
    """A gradient without the local derivative that it is multiplied by."""
    for node in traversal.parts(rule):
        match node:
            case m.Broadcast("*", left, m.Symbol() as local) if _local(context, local) is not None:
                if wanted(SlipContext(local.name, context.work)) and left.shape == node.shape:
                    words = {"slope": local.name, "of": _local(context, local).of or ""}  # type: ignore[union-attr]
                    yield WrongRule(replaced(rule, node, left), (words,))


def slope_missing(context: SlipContext, rule: m.Matrix) -> Made:
    yield from _without_local(context, rule, lambda each: each.kind is MatrixKind.SLOPE_OF_CELLS)


def _picks(context: SlipContext) -> bool:
    return isinstance(context.right, m.FirstMaximum)


def every_cell_of_window(context: SlipContext, rule: m.Matrix) -> Made:
    """The gradient of a largest cell given to all cells of its window."""
    if isinstance(rule, m.FirstMaximum):
        yield WrongRule(m.filled(1.0, rule.shape), ({"of": context.assignment.of or ""},))
    yield from _without_local(context, rule, _picks)


def other_cell_of_window(context: SlipContext, rule: m.Matrix) -> Made:
    """The gradient of a largest cell given to another: the smallest, or always the same corner."""
    if not isinstance(rule, m.FirstMaximum):
        return
    yield m.FirstMaximum(times(-1.0, rule.operand), rule.size)
    height, width = rule.size
    for corner in ((0, 0), (height - 1, width - 1)):
        yield m.Apply(ONE_AT_ZERO, (("z", _distance(corner, rule)),))


def _distance(corner: tuple[int, int], rule: m.FirstMaximum) -> m.Matrix:
    """0 in one corner of each window, more elsewhere."""
    (height, width), (rows, columns) = rule.size, rule.shape
    down = m.Stack(tuple(m.Constant(float(i % height != corner[0])) for i in range(rows)), "rows")
    across = m.Stack(tuple(m.Constant(float(j % width != corner[1])) for j in range(columns)), "columns")
    return m.add(down, across)


def other_outputs_missing(context: SlipContext, rule: m.Matrix) -> Made:
    """Of softmax's way back the own part alone, as if every cell were a function of its own."""
    for value, node, inner in _softmax_back(rule):
        yield replaced(rule, node, m.multiply(value, inner.left))
        own = m.subtract(m.Constant(1.0), value)
        yield WrongRule(replaced(rule, node, m.multiply(m.multiply(value, own), inner.left)))


def sums_of_other_axis(context: SlipContext, rule: m.Matrix) -> Made:
    for value, node, inner in _softmax_back(rule):
        if isinstance(inner.right, m.Reduce) and min(value.shape) > 1:
            down = m.column_sums(inner.right.operand)
            yield replaced(rule, node, m.multiply(value, m.subtract(inner.left, down)))


def _softmax_back(rule: m.Matrix) -> Iterator[tuple[m.Matrix, m.Matrix, m.Broadcast]]:
    """p ⊙ (g − Σ g ⊙ p): p, the whole, and what stands in brackets."""
    for node in traversal.parts(rule):
        match node:
            case m.Broadcast("*", value, m.Broadcast("-", gradient, m.Reduce("sum", product, "columns")) as inner):
                if product == m.multiply(gradient, value):
                    yield value, node, inner


# Operands


def error_for_delta(context: SlipContext, rule: m.Matrix) -> Made:
    """The gradient at a function's value in the place of the one at what it is taken of."""
    for symbol in dict.fromkeys(traversal.symbols(rule)):
        other = context.before_slope(symbol.name)
        if other is not None and not context.work.left_out(symbol.name) and other.shape == symbol.shape:
            yield WrongRule(replaced(rule, symbol, other), ({"error": other.name, "delta": symbol.name},))


def updated_parameter(context: SlipContext, rule: m.Matrix) -> Made:
    for symbol in dict.fromkeys(traversal.symbols(rule)):
        new = context.program.updated.get(symbol.name)
        if new is not None:
            yield WrongRule(replaced(rule, symbol, m.Symbol(new, symbol.shape)), ({"used": symbol.name},))


def times_parameter(context: SlipContext, rule: m.Matrix) -> Made:
    of = context.assignment.of
    if of is not None:
        yield WrongRule(m.multiply(rule, context.symbol(of)), ({"P": of},))


def transposed(context: SlipContext, rule: m.Matrix) -> Made:
    if rule.shape[0] == rule.shape[1] > 1:
        yield WrongRule(m.Transpose(rule), ({"weights": context.assignment.of or ""},))


def one_row_only(context: SlipContext, rule: m.Matrix) -> Made:
    """The share of one sample (row) in a product or a sum over all of them."""
    for product in dict.fromkeys(products(rule)):
        match product:
            case m.MatMul(m.Transpose(left), right) if 1 < right.shape[0] <= MOST_SAMPLES:
                for row in range(right.shape[0]):
                    alone = m.MatMul(m.Transpose(m.Row(left, row)), m.Row(right, row))
                    yield WrongRule(replaced(rule, product, alone), ({"sample": str(row + 1)},))
    for total in traversal.parts(rule):
        match total:
            case m.Reduce("sum", operand, "rows") if 1 < operand.shape[0] <= MOST_SAMPLES:
                for row in range(operand.shape[0]):
                    yield WrongRule(replaced(rule, total, m.Row(operand, row)), ({"sample": str(row + 1)},))


def outer_of_sums(context: SlipContext, rule: m.Matrix) -> Made:
    for product in dict.fromkeys(products(rule)):
        match product:
            case m.MatMul(m.Transpose(left), right) if right.shape[0] > 1:
                sums = m.MatMul(m.Transpose(m.column_sums(left)), m.column_sums(right))
                yield WrongRule(replaced(rule, product, sums), ({"what": "sums"},))
                means = over(sums, float(right.shape[0] ** 2))
                yield WrongRule(replaced(rule, product, means), ({"what": "means"},))


def mean_for_sum(context: SlipContext, rule: m.Matrix) -> Made:
    """A mean over the samples where they are added up."""
    for node in traversal.parts(rule):
        match node:
            case m.MatMul(m.Transpose(), right) if right.shape[0] > 1:
                count = right.shape[0]
            case m.Reduce("sum", operand, "rows") if operand.shape[0] > 1:
                count = operand.shape[0]
            case _:
                continue
        yield WrongRule(replaced(rule, node, over(node, float(count))), ({"what": f"divided by {count}"},))


def number_missing(context: SlipContext, rule: m.Matrix) -> Made:
    """The number that the way forward divided by, lost on the way back."""
    for node in traversal.parts(rule):
        match node:
            case m.Broadcast("/", operand, number) if is_number(number):
                yield WrongRule(replaced(rule, node, operand), ({"what": "was left out"},))
            case m.Broadcast("*", number, operand) if is_number(number) and not isinstance(operand, m.Constant):
                yield WrongRule(replaced(rule, node, operand), ({"what": "was left out"},))


def at_loss(context: SlipContext) -> bool:
    """Whether this is the gradient at something that the loss is made of directly."""
    loss = context.rule_of(context.program.loss)
    return loss is not None and context.assignment.role == "gradient" and context.assignment.of in names_in(loss)


def half_factor(context: SlipContext, rule: m.Matrix) -> Made:
    if at_loss(context):
        yield WrongRule(times(2.0, rule), ({"what": "twice"},))
        yield WrongRule(times(0.5, rule), ({"what": "half"},))


def mean_of_loss(context: SlipContext, rule: m.Matrix) -> Made:
    """1/N where the loss is a sum, or none where it is a mean."""
    if at_loss(context):
        for count in sorted(set(rule.shape) | {int(np.prod(rule.shape))} - {1}):
            if count > 1:
                yield WrongRule(over(rule, float(count)), ({"what": f"divided by {count}"},))
                yield WrongRule(times(float(count), rule), ({"what": f"multiplied by {count}"},))


def extra_slope(context: SlipContext, rule: m.Matrix) -> Made:
    """The slope of the outputs once more, where the loss took them from the logits."""
    if not at_loss(context):
        return
    for symbol in dict.fromkeys(traversal.symbols(rule)):
        local = _local(context, symbol)
        if local is not None and local.of == context.program.loss and symbol.shape == rule.shape:
            slope = m.multiply(symbol, m.subtract(m.Constant(1.0), symbol))
            yield WrongRule(m.multiply(rule, slope), ({"M": context.assignment.of or ""},))
