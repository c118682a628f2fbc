"""What the gradient comes back through besides functions: products, sums, and cells that change places.

The words stand here; the formulas are the calculus's own, over plain letters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracer.calculus.reverse import Gradient, sent_back
from tracer.calculus.row_functions import recognised
from tracer.calculus.tidy import is_number
from tracer.derivation.cells import Cells
from tracer.derivation.typeset import EQUALS, Contents, formula, operator, row, say
from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.expression.label import Label, Ratio, label_mathml
from tracer.expression.mathml import matrix_mathml

RESULT, MASK = "R", "M"  # what a rule of the book calls its result, and where the largest cells are
BACK = "what came back"  # stands for the gradient of the result
OPERANDS = "ABCDEFGH"


def _both_vary(node: Any) -> bool:
    return not (is_number(node.left) or is_number(node.right))


def _added(node: Any) -> bool:
    return node.operator in ("+", "-") and node.left.shape != node.right.shape and _both_vary(node)


STRUCTURES: tuple[tuple[Any, Callable[[Any], bool], str, str], ...] = (
    (
        m.MatMul, lambda node: True, "A product of matrices",
        "A cell of <math><mi>R</mi></math> is a row of <math><mi>A</mi></math> times a column of "
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


def way_back_through(cells: Cells, node: m.Matrix, words: str) -> Contents:
    """A node over plain letters, and what comes back to each of its operands."""
    if words:
        yield say(words)
    made = _lettered(node)
    loss = cells.names.matrix(cells.program.loss)
    assert isinstance(loss, Label)

    def gradient(of: str) -> str:
        return label_mathml(Ratio(loss, Label(of)))

    def letter(name: str) -> str:
        return gradient(RESULT) if name == BACK else f"<mi>{name}</mi>"

    yield formula((f"<mi>{RESULT}</mi>",), (f"<mo>=</mo>{matrix_mathml(made, letter)}",))
    masks: list[m.Matrix] = []

    def named(local: m.Matrix, operand: m.Matrix) -> m.Matrix:
        if isinstance(local, m.Symbol | m.Constant) or not isinstance(made, m.Pool | m.Reduce):
            return local
        masks.append(local)
        return m.Symbol(MASK, local.shape)

    back = Gradient(made.shape, m.Symbol(BACK, made.shape))
    letters = {each.name for each in traversal.symbols(made)}
    sent = list(sent_back(made, m.Symbol(RESULT, made.shape), back, letters, named))
    for each in masks:
        yield formula((f"<mi>{MASK}</mi>",), (f"<mo>=</mo>{matrix_mathml(each, letter)}",))
    for to, rule in sent[: len(OPERANDS)]:
        yield formula((gradient(to),), (row(operator(EQUALS), matrix_mathml(rule, letter)),))


def _lettered(node: m.Matrix) -> m.Matrix:
    """The node with a letter for each operand that is no number."""
    if recognised(node) is not None:
        return node
    inside = traversal.operands(node)
    letters = iter(OPERANDS)
    return traversal.rebuild(
        node, [each if is_number(each) else m.Symbol(next(letters), each.shape) for each in inside[: len(OPERANDS)]]
    )
