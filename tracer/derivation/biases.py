"""The book's end: the biases, or why they stay, and whether it helped."""

from __future__ import annotations

from collections.abc import Iterator

from tracer.derivation.backward import update
from tracer.derivation.blocks import Block, Part, Section, equation, say
from tracer.derivation.cells import Cells
from tracer.derivation.chain import Chain
from tracer.expression import scalar as s
from tracer.run.passes import Trace


def biases(cells: Cells) -> Section:
    """Each layer's biases, from back to front."""
    return Section("biases", "The biases", tuple(_blocks(cells)))


def _blocks(cells: Cells) -> Iterator[Block]:
    problem = cells.problem
    layers = [layer for layer in range(problem.depth, 0, -1) if problem.layers[layer - 1].bias is not None]
    if not layers:
        yield Block("no-biases", "", (say("This network has no biases."),))
    elif not problem.convention.bias_update:
        yield Block("biases-stay", "", (say("The biases are not updated in this problem: each keeps its value."),))
    else:
        for number, layer in enumerate(layers):
            yield Block("biases", cells.layer(layer).bias, tuple(_layer(cells, layer, first=not number)))


def _layer(cells: Cells, layer: int, first: bool) -> Iterator[Part]:
    chain, target = Chain(cells), s.Cell(cells.layer(layer).bias_gradient, 0, 0)
    shared = cells.problem.layers[layer - 1].shared_bias
    bias = s.Cell(cells.layer(layer).bias, 0, 0)
    if first:
        yield say(
            "A bias stands alone in its sum, as a weight whose input is always 1: {ratio} = 1. What is left of the "
            "chain rule is how the loss changes with that sum.",
            ratio=cells.ratio(s.Cell(cells.layer(layer).pre_activation, 0, 0), bias),
        )
    else:
        yield say("In the same way for the layer before it.")
    rule = chain.rule(layer, not chain.apart(layer))
    if shared and cells.problem.sizes[layer] > 1:
        yield say("All units of the layer share one bias, so their parts add up:")
    elif cells.program.rows > 1:
        yield say("The samples add up:")
    block = cells.block(target.matrix)
    if cells.program.rows > 1 or shared:
        yield cells.example(target, rule(target))
    column = s.Block(block.matrix, 0, 0, 1, block.columns, transposed=True)
    yield equation(column, cells.stages(column, rule))
    yield say("The new biases:")
    yield from update(cells, cells.layer(layer).new_bias)


def outcome(trace: Trace) -> Section:
    """The loss before and after."""
    parts = say(
        "Forward once more with the new numbers, the loss is {after}; it was {before}.",
        before=f"<mn>{trace.before:#.6g}</mn>",
        after=f"<mn>{trace.after:#.6g}</mn>",
    )
    return Section("outcome", "Did it help?", (Block("outcome", trace.last.program.loss, (parts,)),))
