"""The derivatives that a program's way back takes, each once: of its functions by hand, of its products and sums.

What a formula does is read off its expression; how the gradient comes back through it, off the calculus itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from tracer.calculus.by_hand import (
    POWER_RULE,
    ChosenLine,
    Derivation,
    Equality,
    left,
    of_log_softmax,
    of_softmax,
    softmax_with_its_loss,
    times,
)
from tracer.calculus.differentiate import derivative
from tracer.calculus.functions import FUNCTIONS
from tracer.calculus.reverse import differentiable
from tracer.calculus.row_functions import cross_entropy_of_logits, log_softmax, recognised, softmax
from tracer.derivation.calculus import derived_outputs
from tracer.derivation.cells import Cells
from tracer.derivation.structures import OPERANDS, STRUCTURES, way_back_through
from tracer.derivation.typeset import (
    BookSentence,
    Chapter,
    Content,
    Contents,
    Passage,
    say,
)
from tracer.derivation.written import written
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.formulas.functions import LOSS_TERMS
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.losses import LOSSES

ONE = s.Number(1.0)


class ToldRule(NamedTuple):
    """A derivative of the book: what it is of (equal ones are told once), its title and how it is told."""

    key: object
    title: str
    tell: Callable[[], Contents]


def functions(cells: Cells) -> Chapter:
    """Every function, product and sum that the gradient comes back through."""
    rules: dict[object, ToldRule] = {}
    for identifier in cells.program.computed:
        made = cells.program.assignments[identifier]
        if made.role == "loss" or (made.role == "intermediate" and identifier in cells.program.gradients):
            for node in _nodes(cells.rule(identifier)):
                rule = rule_of(cells, node)
                if rule is not None:
                    rules.setdefault(rule.key, rule)
    passages = []
    for each in rules.values():
        told: tuple[Content, ...] = tuple(each.tell())
        passages.append(Passage("function", "", (_titled(each.title), *told)))
    return Chapter("derivatives", "The derivatives that the chain rule needs", tuple(passages))


def _titled(title: str) -> BookSentence:
    return BookSentence(Markup("<strong>{}.</strong>").format(f"{title[0].upper()}{title[1:]}"))


def function_name(cells: Cells, identifier: str) -> str:
    """The name of the function that makes a matrix; "" where it has none."""
    rule = cells.rule(identifier)
    node = rule.operand if isinstance(rule, m.Transpose) else rule
    known = recognised(node)
    if known is not None:
        return _ROWS[known[0].make][0]
    return _spoken(_cell_function(node.template)[0]) if isinstance(node, m.Apply) and len(node.arguments) == 1 else ""


def _nodes(expression: m.Matrix) -> Iterator[m.Matrix]:
    """The parts of an expression that the gradient comes back through; a function of rows is one part."""
    if isinstance(expression, m.Detached):
        return
    yield expression
    if recognised(expression) is None:
        inside = (expression.shown,) if isinstance(expression, m.StableForm) else traversal.operands(expression)
        for operand in inside:
            yield from _nodes(operand)


def rule_of(cells: Cells, node: m.Matrix) -> ToldRule | None:
    """How the gradient comes back through a node; None where there is nothing to tell, or it never does."""
    if not any(each in cells.program.gradients for each in differentiable(node)):
        return None
    known = recognised(node)
    if known is not None:
        function, operands = known
        title, tell = _ROWS[function.make]
        return ToldRule(function.make, title, lambda: tell(cells, *operands))
    if isinstance(node, m.Apply):
        return _of_cells(cells, node)
    for kind, fits, title, words in STRUCTURES:
        if isinstance(node, kind) and fits(node):
            return ToldRule((kind, title), title, partial(way_back_through, cells, node, words))
    return None


# functions of cells


def _cell_function(template: s.Scalar) -> tuple[str, float]:
    """The key of a function of one cell and the number that it takes; "" where it has none."""
    for name, each in FUNCTIONS.items():
        if each.value == template:
            return name, 0.0
        for number in _numbers(template) if each.defaults else ():
            if each.filled(dict.fromkeys(each.defaults, number)) == template:
                return name, number
    return "", 0.0


_SPOKEN = {
    "sqrt": "square root", "exp": "exponential function", "log": "natural logarithm", "abs": "absolute value",
    "sin": "sine", "cos": "cosine", "relu": "ReLU", "leaky_relu": "leaky ReLU", "elu": "ELU", "silu": "SiLU",
    "gelu": "GELU", "gelu_erf": "GELU",
}  # fmt: skip


def _spoken(name: str) -> str:
    """A function's name within a sentence."""
    return _SPOKEN.get(name, name.replace("_", " "))


def _numbers(expression: s.Scalar) -> Iterator[float]:
    if isinstance(expression, s.Number):
        yield expression.value
    for part in s.children(expression):
        yield from _numbers(part)


def _of_cells(cells: Cells, node: m.Apply) -> ToldRule | None:
    template = node.template
    name, number = _cell_function(template)
    if name:
        return ToldRule((name, number), _spoken(name), lambda: _of_named(name, template, number))
    gradients = cells.program.gradients
    active = tuple(key for key, each in node.arguments if any(used in gradients for used in differentiable(each)))
    loss = next((key for key, each in LOSSES.items() if each.value == template and each.factor == 1.0), None)
    if loss is not None and active == ("a",):
        return ToldRule(template, f"{loss.replace('_', ' ')}, cell by cell", lambda: _of_loss(loss))
    title = "the loss, cell by cell" if template in LOSS_TERMS else "cell by cell"
    return ToldRule((template, active), title, lambda: _of_variables(template, active))


def _of_named(name: str, template: s.Scalar, number: float) -> Contents:
    yield say("With <math><mi>z</mi></math> for what goes in and <math><mi>a</mi></math> for what comes out:")
    known = ACTIVATIONS.get(name)
    if known is not None and known.derivation is not None:
        yield from written(known.derivation(ChosenLine(s.Number(number), 0, 2)))
        return
    function = FUNCTIONS[name]
    rule = function.slope if function.slope is not None else derivative(template, "z")
    yield from written((Derivation(s.Variable("a"), template, s.Variable("z"), (Equality(rule),)),))


def _of_loss(name: str) -> Contents:
    known = LOSSES[name]
    yield say(
        "One output <math><mi>a</mi></math> with its target <math><mi>y</mi></math> contributes this much to the loss:"
    )
    lines = known.derivation(ONE) if known.derivation is not None else ()
    yield from written((Derivation(s.Variable("ℓ"), known.value, s.Variable("a"), (*lines, Equality(known.gradient))),))


def _of_variables(template: s.Scalar, active: tuple[str, ...]) -> Contents:
    yield from written(by_variables(template, active))
    held = sorted(s.variables(template) - set(active))
    if held:
        letters = " and ".join(f"<math><mi>{each}</mi></math>" for each in held)
        yield say(f"{letters} {'is' if len(held) == 1 else 'are'} held fixed: no gradient goes back there.")


def by_variables(template: s.Scalar, active: tuple[str, ...]) -> tuple[Derivation, ...]:
    """The derivative of a rule for cells with respect to each of these variables."""
    names = s.variables(template)
    result, partial_ones = s.Variable("r" if "a" in names else "a"), len(names) > 1
    return tuple(
        Derivation(
            result,
            template,
            s.Variable(each),
            (*_power_rule(template, each), Equality(derivative(template, each))),
            partial=partial_ones,
        )
        for each in active
    )


def _power_rule(template: s.Scalar, variable: str) -> Iterator[Equality]:
    """The line before the last of a power: the derivative of what is inside is still to be taken."""
    if isinstance(template, s.Power) and template.exponent > 1 and isinstance(template.base, s.Sum):
        factor: s.Scalar = template.base if template.exponent == 2 else s.Power(template.base, template.exponent - 1)
        yield Equality(times(s.Number(template.exponent), factor, left()), (template.base,), says=POWER_RULE)


# functions of rows


def _softmax_told(cells: Cells, Z: m.Matrix) -> Contents:
    yield say("Every output depends on every input of its row, so there is a derivative for each pair:")
    yield from written(of_softmax(ChosenLine(s.Number(0.0), 0, derived_outputs(Z.shape[1]))))
    yield say(
        "Each input acts on the loss through every output of its row. Add up these paths, and take the output that "
        "belongs to the input out of the sum; for all rows at once:"
    )
    yield from _back_through(cells, softmax, Z)


def _log_softmax_told(cells: Cells, Z: m.Matrix) -> Contents:
    yield say("Every output depends on every input of its row, so there is a derivative for each pair:")
    yield from written(of_log_softmax(derived_outputs(Z.shape[1])))
    yield say("The paths through all outputs of the row add up; for all rows at once:")
    yield from _back_through(cells, log_softmax, Z)


def _logits_told(cells: Cells, Z: m.Matrix, Y: m.Matrix) -> Contents:
    yield say(
        "Softmax and cross-entropy taken together, for one row of inputs <math><mi>z</mi></math>, with "
        "<math><mi>a</mi></math> for their softmax:"
    )
    found = softmax_with_its_loss(derived_outputs(Z.shape[1]))
    if not (isinstance(Y, m.Symbol) and np.allclose(cells.one[Y.name].sum(axis=1), 1.0)):
        found = replace(found, lines=found.lines[:-1])
    yield from written((found,))


def _back_through(cells: Cells, make: Callable[..., m.Matrix], Z: m.Matrix) -> Contents:
    yield from way_back_through(cells, make(m.Symbol(OPERANDS[0], Z.shape)), "")


_ROWS: dict[Callable[..., m.Matrix], tuple[str, Callable[..., Contents]]] = {
    softmax: ("softmax", _softmax_told),
    log_softmax: ("log softmax", _log_softmax_told),
    cross_entropy_of_logits: ("cross-entropy of logits", _logits_told),
}
