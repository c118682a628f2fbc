"""The derivatives that a program's way back takes, each once: of its functions by hand, of its products and sums.

What a formula does is read off its expression; how the gradient comes back through it, off the calculus itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from tracer.calculus.by_hand import (
    QUOTIENT,
    ChosenLine,
    Derivation,
    Equality,
    left,
    of_log_softmax,
    of_softmax,
    over,
    softmax_with_its_loss,
    times,
)
from tracer.calculus.differentiate import derivative
from tracer.calculus.functions import FUNCTIONS
from tracer.calculus.reverse import Gradient, differentiable, sent_back
from tracer.calculus.row_functions import cross_entropy_of_logits, log_softmax, recognised, softmax
from tracer.calculus.tidy import is_number
from tracer.derivation.calculus import derived_outputs
from tracer.derivation.cells import Cells
from tracer.derivation.typeset import EQUALS, Chapter, Content, Contents, Formula, Passage, formula, operator, row, say
from tracer.derivation.written import written
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.label import Label, Ratio, label_mathml
from tracer.expression.mathml import matrix_mathml
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.losses import LOSSES

RESULT, MASK = "Z", "M"  # what a rule of the book calls its result, and where the largest cells are
OPERANDS = "ABCDEFGH"
ONE = s.Number(1.0)
u, v = s.Variable("u"), s.Variable("v")


class Rule(NamedTuple):
    """A derivative of the book: what it is of (equal ones are told once), its title and how it is told."""

    key: object
    title: str
    tell: Callable[[], Contents]


def functions(cells: Cells) -> Chapter:
    """Every function, product and sum that the gradient comes back through."""
    rules: dict[object, Rule] = {}
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
        passages.append(Passage("function", "", (say("<strong>{title}.</strong>".replace("{title}", each.title)), *told)))
    return Chapter("derivatives", "The derivatives that the chain rule needs", tuple(passages))


def function_name(cells: Cells, identifier: str) -> str:
    """The name of the function that makes a matrix; "" where it has none."""
    rule = cells.rule(identifier)
    node = rule.operand if isinstance(rule, m.Transpose) else rule
    known = recognised(node)
    if known is not None:
        return _ROWS[known[0].make][0]
    return _cell_function(node.template)[0] if isinstance(node, m.Apply) and len(node.arguments) == 1 else ""


def _nodes(expression: m.Matrix) -> Iterator[m.Matrix]:
    """The parts of an expression that the gradient comes back through; a function of rows is one part."""
    if isinstance(expression, m.Detached):
        return
    yield expression
    if recognised(expression) is None:
        inside = (expression.shown,) if isinstance(expression, m.StableForm) else traversal.operands(expression)
        for operand in inside:
            yield from _nodes(operand)


def rule_of(cells: Cells, node: m.Matrix) -> Rule | None:
    """How the gradient comes back through a node; None where there is nothing to tell, or it never does."""
    if not any(each in cells.program.gradients for each in differentiable(node)):
        return None
    known = recognised(node)
    if known is not None:
        function, operands = known
        title, tell = _ROWS[function.make]
        return Rule(function.make, title, lambda: tell(cells, *operands))
    if isinstance(node, m.Apply):
        return _of_cells(cells, node)
    for kind, fits, title, words in _STRUCTURES:
        if isinstance(node, kind) and fits(node):
            return Rule((kind, title), title, lambda words=words: _of_structure(node, words))
    return None


# functions of cells


def _cell_function(template: s.Scalar) -> tuple[str, float]:
    """The name of a function of one cell and the number that it takes; "" where it has no name."""
    for name, each in FUNCTIONS.items():
        if each.value == template:
            return name.replace("_", " "), 0.0
        for number in _numbers(template) if each.defaults else ():
            if each.filled(dict.fromkeys(each.defaults, number)) == template:
                return name.replace("_", " "), number
    return "", 0.0


def _numbers(expression: s.Scalar) -> Iterator[float]:
    if isinstance(expression, s.Number):
        yield expression.value
    for part in s.children(expression):
        yield from _numbers(part)


def _of_cells(cells: Cells, node: m.Apply) -> Rule | None:
    template = node.template
    name, number = _cell_function(template)
    if name:
        return Rule((name, number), f"{name[0].upper()}{name[1:]}", lambda: _of_named(name.replace(" ", "_"), template, number))
    gradients = cells.program.gradients
    active = tuple(key for key, each in node.arguments if any(used in gradients for used in differentiable(each)))
    loss = next((key for key, each in LOSSES.items() if each.value == template and each.factor == 1.0), None)
    if loss is not None and active == ("a",):
        return Rule(template, f"The {loss.replace('_', '-' if loss.startswith('cross') else ' ')} of one cell", lambda: _of_loss(loss))
    return Rule((template, active), "A function of several cells" if len(node.arguments) > 1 else "A function",
                lambda: _of_variables(template, active))  # fmt: skip


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
    others = s.variables(template)
    result = s.Variable("r" if "a" in others else "a")
    for each in active:
        line = Equality(derivative(template, each))
        yield from written((Derivation(result, template, s.Variable(each), (line,), partial=len(others) > 1),))
    held = sorted(others - set(active))
    if held:
        yield say(f"{' and '.join(f'<math><mi>{each}</mi></math>' for each in held)} {'is' if len(held) == 1 else 'are'} "
                  "held fixed: no gradient goes back there.")  # fmt: skip


# functions of rows


def _softmax_told(cells: Cells, Z: m.Matrix) -> Contents:
    yield say("Every output depends on every input of its row, so there is a derivative for each pair:")
    yield from written(of_softmax(ChosenLine(s.Number(0.0), 0, derived_outputs(Z.shape[1]))))
    yield say(
        "Each input acts on the loss through every output of its row. Add up these paths, and take the output that "
        "belongs to the input out of the sum; for all rows at once:"
    )
    yield from _back_through(softmax, Z)


def _log_softmax_told(cells: Cells, Z: m.Matrix) -> Contents:
    yield say("Every output depends on every input of its row, so there is a derivative for each pair:")
    yield from written(of_log_softmax(derived_outputs(Z.shape[1])))
    yield say("The paths through all outputs of the row add up; for all rows at once:")
    yield from _back_through(log_softmax, Z)


def _logits_told(cells: Cells, Z: m.Matrix, Y: m.Matrix) -> Contents:
    yield say("Softmax and cross-entropy taken together, for one row <math><mi>z</mi></math>:")
    found = softmax_with_its_loss(derived_outputs(Z.shape[1]))
    if not (isinstance(Y, m.Symbol) and np.allclose(cells.one[Y.name].sum(axis=1), 1.0)):
        found = replace(found, lines=found.lines[:-1])
    yield from written((found,))


def _back_through(make: Callable[..., m.Matrix], Z: m.Matrix) -> Contents:
    yield from _of_structure(make(m.Symbol(OPERANDS[0], Z.shape)), "")


_ROWS: dict[Callable[..., m.Matrix], tuple[str, Callable[..., Contents]]] = {
    softmax: ("softmax", _softmax_told),
    log_softmax: ("log softmax", _log_softmax_told),
    cross_entropy_of_logits: ("cross-entropy of logits", _logits_told),
}


# products, sums, and cells that change places


def _both_vary(node: Any) -> bool:
    return not (is_number(node.left) or is_number(node.right))


def _added(node: Any) -> bool:
    return node.operator in ("+", "-") and node.left.shape != node.right.shape and _both_vary(node)


_STRUCTURES: tuple[tuple[Any, Callable[[Any], bool], str, str], ...] = (
    (
        m.MatMul, lambda node: True, "A product of matrices",
        "A cell of <math><mi>Z</mi></math> is a row of <math><mi>A</mi></math> times a column of "
        "<math><mi>B</mi></math>, so it changes with a cell of that row by the cell of <math><mi>B</mi></math> that "
        "it is multiplied by. The sum over all cells in which it is used is a product of matrices again:",
    ),
    (
        m.Broadcast, lambda node: node.operator == "*" and _both_vary(node), "A product cell by cell",
        "The result changes with one factor by the other. A row, column or number that meets many cells has the sum "
        "over them:",
    ),
    (
        m.Broadcast, lambda node: node.operator == "/" and not is_number(node.right), "A quotient cell by cell",
        "With respect to what is above it is one over what is below; with respect to what is below, by the quotient "
        "rule, minus the quotient over what is below:",
    ),
    (
        m.Broadcast, _added, "What is added to every row, column or cell",
        "It is used once for each, with the derivative 1, so what comes back adds up:",
    ),
    (
        m.Reduce, lambda node: node.operation == "sum", "A sum",
        "Every cell counts once, with the derivative 1, so each gets what came back to its sum. The number that "
        "divides a mean divides here too:",
    ),
    (
        m.Reduce, lambda node: node.operation == "max" and node.over == "all", "The largest of all cells",
        "Only the largest cell counts; equal ones share what comes back. <math><mi>M</mi></math> has their shares:",
    ),
    (
        m.Reduce, lambda node: node.operation == "max", "The largest cell",
        "Only the largest cell counts. <math><mi>M</mi></math> is a mask: 1 at the largest cell, at the first of equal "
        "ones, and 0 elsewhere:",
    ),
    (
        m.Pool, lambda node: node.operation == "max", "Max pooling",
        "Only the largest cell of a window counts. <math><mi>M</mi></math> is a mask: 1 at that cell, at the first of "
        "equal ones, and 0 elsewhere. What comes back to a window is written to each of its cells and masked:",
    ),
    (
        m.Pool, lambda node: True, "Windows that are added up",
        "Every cell of a window counts once, so each gets what came back to its window:",
    ),
    (
        m.Correlation, lambda node: True, "A convolution",
        "Each cell of the kernel is used once at every place, with the cell of the image that lies under it; over all "
        "places this adds up to the image convolved with what came back. Each cell of the image gets back, from every "
        "place that covers it, what came back there times the cell of the kernel that lay on it:",
    ),
    (
        m.Spread, lambda node: True, "A transposed convolution",
        "The kernel is laid down once for every cell of the image, times that cell. Each cell of the image gets back "
        "the sum over its copy of the kernel, and each cell of the kernel the sum over all its copies:",
    ),
    (
        m.Part | m.Row, lambda node: True, "Cells picked out",
        "The derivative is 1 for a cell that was picked and 0 for the others. What comes back is put where the cells "
        "were; one that was picked more than once gets the sum:",
    ),
    (m.Stack, lambda node: True, "Matrices joined", "Each gets back the part that was its own:"),
    (
        m.Reshape, lambda node: True, "Cells in rows of another length",
        "The cells only change places, and so does what comes back:",
    ),
)  # fmt: skip


def _of_structure(node: m.Matrix, words: str) -> Contents:
    """A node over plain letters, and what comes back to each of its operands."""
    if words:
        yield say(words)
    made = _lettered(node)
    yield formula((f"<mi>{RESULT}</mi>",), (f"<mo>=</mo>{matrix_mathml(made, _letter)}",))
    masks: list[m.Matrix] = []

    def named(local: m.Matrix, operand: m.Matrix) -> m.Matrix:
        if isinstance(local, m.Symbol | m.Constant) or not isinstance(made, m.Pool | m.Reduce):
            return local
        masks.append(local)
        return m.Symbol(MASK, local.shape)

    back = Gradient(made.shape, m.Symbol(f"d{RESULT}", made.shape))
    letters = {each.name for each in traversal.symbols(made)}
    sent = list(sent_back(made, m.Symbol(RESULT, made.shape), back, letters, named))
    for each in masks:
        yield formula((f"<mi>{MASK}</mi>",), (f"<mo>=</mo>{matrix_mathml(each, _letter)}",))
    for to, rule in sent[: len(OPERANDS)]:
        yield _came_back(to, rule)


def _came_back(to: str, rule: m.Matrix) -> Formula:
    return formula((_gradient(to),), (row(operator(EQUALS), matrix_mathml(rule, _letter)),))


def _lettered(node: m.Matrix) -> m.Matrix:
    """The node with a letter for each operand that is no number."""
    if recognised(node) is not None:
        return node
    inside = traversal.operands(node)
    letters = iter(OPERANDS)
    return traversal.rebuild(
        node, [each if is_number(each) else m.Symbol(next(letters), each.shape) for each in inside[: len(OPERANDS)]]
    )


def _letter(name: str) -> str:
    return _gradient(RESULT) if name == f"d{RESULT}" else f"<mi>{name}</mi>"


def _gradient(of: str) -> str:
    return label_mathml(Ratio(Label("L"), Label(of)))
