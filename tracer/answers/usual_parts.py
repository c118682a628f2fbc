"""What the parts of a program are usually called, by what they are in it: logits, scores, the gain of a norm.

A part is found by its form and its role, never by the author's letters; a name is offered only where one matrix alone
is that part.
"""

from __future__ import annotations

from collections.abc import Iterator

from tracer.calculus.forms import (
    addends,
    argument_of,
    factors,
    is_squared,
    mean_form,
    names_in,
    root_form,
    softmax_form,
)
from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.program.program import Program
from tracer.program.roles import ACTIVATION, PRE_ACTIVATION

WORDS = {
    "logits": "logits logit rawscores",
    "probabilities": "probs prob probabilities softmaxout",
    "output": "output out outputs yhat haty ypred pred prediction predictions",
    "targets": "targets target labels ytrue",
    "inputs": "inputs input features",
    "loss": "loss cost totalloss",
    "scores": "scores score attnscores attentionscores attscores dots",
    "attention": "attn attention attnweights attentionweights attweights att alpha",
    "context": "context ctx contextvector contexts",
    "normalised": "xhat hatx xnorm normalized normalised bnraw",
    "mean": "mean mu samplemean bnmean bnmeani",
    "variance": "var variance samplevar bnvar",
    "deviation": "std sigma standarddeviation sd",
    "gain": "gamma gain bngain",
    "shift": "beta shift bnbias",
    "states": "hiddenstates states hstates allhidden",
    "recurrent": "whh wh uh u recurrentweights hiddentohidden",
    "from_input": "wxh wx wih win inputtohidden",
    "recurrent_bias": "bh hiddenbias",
    "to_output": "why who hiddentooutput",
    "output_bias": "by bo outputbias",
    "kernel": "kernel filter weightkernel",
    "convolved": "conv convout featuremap",
    "pooled": "pooled pool poolout",
    "table": "embeddings embeddingmatrix embeddingtable lookuptable",
    "looked_up": "emb embedded embcat",
    "pre_activation": "preact preactivation hpreact",
}


def usual_names(program: Program) -> Iterator[tuple[str, frozenset[str]]]:
    """Plain names with the identifiers that they can mean in a program: several where each block has its own."""
    parts: dict[str, set[str]] = {}
    for part, identifier in _parts(program):
        parts.setdefault(part, set()).add(identifier)
    for part, found in parts.items():
        yield from ((word, frozenset(found)) for word in WORDS[part].split())


def _parts(program: Program) -> Iterator[tuple[str, str]]:
    yield "loss", program.loss
    yield from (("targets", each) for each in program.given if program.assignments[each].kind == "target")
    yield from _at_the_end(program)
    yield from _of_recurrence(program)
    for name, rule in _forward(program):
        yield from _of_attention(program, name, rule)
        yield from _of_norm(program, name, rule)
        yield from _of_picking(program, name, rule)
        if program.quantity(name) == PRE_ACTIVATION:
            yield "pre_activation", name


def _forward(program: Program) -> Iterator[tuple[str, m.Matrix]]:
    for each in program.assignments.values():
        if each.expression is not None and each.role in ("intermediate", "loss"):
            yield each.id, _bare(each.expression)


def _bare(rule: m.Matrix) -> m.Matrix:
    return rule.operand if isinstance(rule, m.Rounded) else rule


def _rule(program: Program, identifier: str) -> m.Matrix | None:
    made = program.assignments[identifier].expression
    return None if made is None else _bare(made)


def _at_the_end(program: Program) -> Iterator[tuple[str, str]]:
    """What the loss takes: the outputs, or the logits of its softmax."""
    rule = _rule(program, program.loss)
    taken = [] if rule is None else [each for each in sorted(names_in(rule)) if _rule(program, each) is not None]
    for each in taken:
        made = _rule(program, each)
        if program.quantity(each) == PRE_ACTIVATION:
            yield "logits", each
        elif made is not None and program.quantity(each) == ACTIVATION:
            yield "probabilities", each
            yield "output", each
            argument = argument_of(made)
            if isinstance(argument, m.Symbol):
                yield "logits", argument.name
        else:
            yield "output", each


def _of_attention(program: Program, name: str, rule: m.Matrix) -> Iterator[tuple[str, str]]:
    """Softmax of scores that are themselves products with a transpose, used as weights of values."""
    for part in traversal.parts(rule):
        match part:
            case m.MatMul(m.Symbol(weights), _):
                made = _rule(program, weights)
                form = None if made is None else softmax_form(made)
                if form is not None and isinstance(form.argument, m.Symbol):
                    yield "attention", weights
                    yield "context", name
                    yield "scores", form.argument.name


def _of_norm(program: Program, name: str, rule: m.Matrix) -> Iterator[tuple[str, str]]:
    """(x − mean)/deviation, and the gain and the shift of what becomes of it."""
    mean = mean_form(rule)
    if mean is not None and program.quantity(name) != ACTIVATION:
        squares = is_squared(mean.total.operand)
        if squares and any(isinstance(each, m.Symbol) for each in traversal.parts(mean.total.operand)):
            yield "variance", name
        elif isinstance(mean.total.operand, m.Symbol):
            yield "mean", name
    if root_form(rule) is not None:
        yield "deviation", name
    match rule:
        case m.Broadcast("/", m.Broadcast("-", m.Symbol(), _), divisor) if _deviates(program, divisor):
            yield "normalised", name
    terms = addends(rule)
    scaled = [factors(each.matrix) for each in terms]
    for some in scaled:
        gains = [each.name for each in some if isinstance(each, m.Symbol) and each.name in program.parameters]
        if len(some) == 2 and len(gains) == 1 and len(terms) == 2:
            yield "gain", gains[0]
            shifts = [m.unrepeated(each.matrix) for each in terms]
            yield from (("shift", each.name) for each in shifts if isinstance(each, m.Symbol))


def _deviates(program: Program, divisor: m.Matrix) -> bool:
    inner = m.unrepeated(divisor)
    rule = _rule(program, inner.name) if isinstance(inner, m.Symbol) else inner
    return rule is not None and root_form(rule) is not None


def _of_picking(program: Program, name: str, rule: m.Matrix) -> Iterator[tuple[str, str]]:
    """Look-ups in a table, convolutions and what is pooled."""
    match rule:
        case m.Part(m.Symbol(table)) if table in program.parameters:
            yield "table", table
            yield "looked_up", name
    for part in traversal.parts(rule):
        match part:
            case m.Correlation(_, m.Symbol(kernel)) if kernel in program.parameters:
                yield "kernel", kernel
                yield "convolved", name
            case m.Pool():
                yield "pooled", name


def _of_recurrence(program: Program) -> Iterator[tuple[str, str]]:
    """In time steps the weights of what an earlier step made, and those of what is given."""
    taken: dict[str, set[str]] = {}
    recurrent, biases, states = set[str](), set[str](), set[str]()
    for name, rule in _forward(program):
        here = program.assignments[name].block
        if not here:
            yield from _behind_recurrence(program, rule)
        for inside in (names_in(each.matrix) for each in addends(rule) if here):
            if len(inside) == 1 and inside <= set(program.parameters):
                biases |= inside
            weights = inside & set(program.parameters)
            if len(weights) == 1 and len(inside) == 2:
                (weight,), (other,) = weights, inside - weights
                taken.setdefault(weight, set()).add(other)
                block = program.assignments[other].block
                if block and block != here:
                    recurrent |= weights
                    states.add(other)
    yield from (("recurrent", each) for each in recurrent)
    yield from (("states", each) for each in states)
    yield from (("recurrent_bias", each) for each in biases if recurrent)
    for weight, others in taken.items():
        if weight not in recurrent and all(program.assignments[each].role == "given" for each in others):
            yield "from_input", weight


def _behind_recurrence(program: Program, rule: m.Matrix) -> Iterator[tuple[str, str]]:
    """The weights and the bias of what is made of the last time step."""
    terms = [names_in(each.matrix) for each in addends(rule)]
    parameters = set(program.parameters)
    weights = [each & parameters for each in terms if any(program.assignments[one].block for one in each - parameters)]
    if any(len(each) == 1 for each in weights):
        yield from (("to_output", one) for each in weights for one in each if len(each) == 1)
        yield from (("output_bias", one) for each in terms for one in each if len(each) == 1 and each <= parameters)
