"""Wrong rules for convolutions: a kernel laid on an image otherwise than the formula says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.judging.slips.context import Made, SlipContext, WrongRule
from tracer.judging.slips.rewriting import over, replaced


def _laid(rule: m.Matrix) -> Iterator[m.Correlation | m.Spread]:
    return (each for each in traversal.parts(rule) if isinstance(each, m.Correlation | m.Spread))


def kernel_flipped(context: SlipContext, rule: m.Matrix) -> Made:
    """Turned by half a turn, as a convolution in the sense of mathematics has it."""
    for node in _laid(rule):
        rows, columns = node.kernel.shape
        flipped = m.Part(node.kernel, tuple(range(rows))[::-1], tuple(range(columns))[::-1])
        yield replaced(rule, node, replace(node, kernel=flipped))


def stride_ignored(context: SlipContext, rule: m.Matrix) -> Made:
    for node in _laid(rule):
        if node.step > 1:
            yield replaced(rule, node, replace(node, step=1))


def padding_ignored(context: SlipContext, rule: m.Matrix) -> Made:
    """The kernel laid on from the image's own first cell on."""
    for node in _laid(rule):
        if node.padding > 0:
            yield replaced(rule, node, replace(node, padding=0))


def other_pooling(context: SlipContext, rule: m.Matrix) -> Made:
    """The mean of each window for its largest cell, or the reverse."""
    for node in traversal.parts(rule):
        match node:
            case m.Pool("max", operand, size):
                mean = over(m.Pool("sum", operand, size), float(size[0] * size[1]))
                yield WrongRule(replaced(rule, node, mean), ({"what": "the mean"},))
            case m.Broadcast("/", m.Pool("sum", operand, size), m.Constant()):
                yield WrongRule(replaced(rule, node, m.Pool("max", operand, size)), ({"what": "the largest cell"},))
