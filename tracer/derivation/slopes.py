"""The book's middle part: the derivatives of the activations and of the loss, from derivation_calculus."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from tracer.derivation.blocks import EQUALS, Block, Line, Part, Section, line, operator, row, say, spoken
from tracer.derivation.calculus import LEFT, Derivation, of_activation, of_both, of_loss
from tracer.derivation.cells import crossed
from tracer.expression import scalar as s
from tracer.expression.mathml import cell_mathml
from tracer.problem.problem import Problem


def derivatives(problem: Problem) -> Section:
    """Every activation used, each once, and the loss."""
    blocks = []
    at_zero, outputs = problem.convention.relu_slope_at_zero, problem.sizes[-1]
    for name, slope in dict.fromkeys((layer.activation, layer.slope) for layer in problem.layers):
        found = of_activation(name, slope, at_zero, outputs)
        parts = [say(_OF_ACTIVATION, name=spoken(name)), *_written(found)]
        blocks.append(Block("activation", name, tuple(parts)))
    blocks.append(Block("loss-derivative", problem.loss, tuple(_of_loss(problem))))
    return Section("derivatives", "The derivatives that the chain rule needs", tuple(blocks))


_OF_ACTIVATION = "{name}, with <math><mi>z</mi></math> for what goes in and <math><mi>a</mi></math> for what comes out:"


def _of_loss(problem: Problem) -> Iterator[Part]:
    yield say(
        "The loss, {name}. One output <math><mi>a</mi></math> with its target <math><mi>y</mi></math> adds this much:",
        name=spoken(problem.loss),
    )
    yield from _written((of_loss(problem),))
    if problem.convention.softmax_slope == "fused":
        yield say("Loss and output activation taken together, by what goes into the output layer:")
        yield from _written((of_both(problem),))
    if problem.convention.reduction == "mean":
        yield say("The loss is the mean over the samples, so every sample's derivative is divided by their number.")
    if problem.convention.sign < 0:
        yield say("The error is target − output here, so it is minus this derivative, and so is all that follows.")


def _written(found: tuple[Derivation, ...]) -> Iterator[Part]:
    for each in found:
        if each.says and not each.case:
            yield say(each.says)
        yield _opening(each)
        yield from _lines(each)
        if each.says and each.case:
            yield say(each.says)


def _opening(derivation: Derivation) -> Line:
    """a = …, where z > 0."""
    first = f"{_letter(derivation.name)}<mo>=</mo>{cell_mathml(derivation.value, _name)}"
    if not derivation.case:
        return line((first,))
    return line((first,), (f"<mtext>&#160;where&#160;</mtext><mi>z</mi><mo>{escape(derivation.case)}</mo><mn>0</mn>",))


def _lines(derivation: Derivation) -> Iterator[Part]:
    """Each line; those that need a word have it before them."""
    several = isinstance(derivation.by, s.Cell)
    sign = "<mo>∂</mo>" if several else "<mi>d</mi>"
    by = row(sign, _letter(derivation.by))
    start = f"<mfrac>{row(sign, _letter(derivation.name))}{by}</mfrac>"
    stages: list[tuple[str, ...]] = [(start,)]
    for each in derivation.lines:
        if each.says and len(stages) > 1:
            yield line(*stages)
            stages = []
        if each.says:
            yield say(each.says)

        def name(cell: s.Cell, of: tuple[s.Scalar, ...] = each.of, none: tuple[int, ...] = each.none) -> str:
            if cell.matrix != LEFT:
                return _name(cell)
            inside = cell_mathml(of[cell.row], _name)
            taken = f"<mfrac>{sign}{by}</mfrac>{row(operator('('), inside, operator(')'))}"
            return crossed(taken) if cell.row in none else row(taken)

        stages.append((row(operator(EQUALS), cell_mathml(each.right, name)),))
    yield line(*stages)


def _letter(letter: s.Scalar) -> str:
    return cell_mathml(letter, _name)


def _name(cell: s.Cell) -> str:
    return f"<msub><mi>{cell.matrix}</mi><mn>{cell.column + 1}</mn></msub>"
