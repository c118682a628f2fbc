"""What matrices of a program are, beside their roles, as far as its formulas tell: activations, what goes into them,
and the targets of its losses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tracer.calculus.functions import FUNCTIONS
from tracer.calculus.row_functions import cross_entropy_of_logits, recognised, softmax
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.formulas.forward import Forward
from tracer.formulas.functions import LOSS_TERMS
from tracer.program import roles

ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "silu", "gelu", "gelu_erf")


def kinds(forward: Forward) -> Mapping[str, str]:
    """The kind of each matrix that has one. What is an activation is no pre-activation, whatever takes it in."""
    found: dict[str, str] = {}
    for _, name, expression in forward.assignments():
        argument = _taken_in(expression)
        if argument is not None:
            found[name] = str(roles.ACTIVATION.kind)
        losses = list(_losses(expression))
        for each in (argument, *(logits for logits, _ in losses)):
            if each is not None and each not in forward.given and each not in forward.parameters:
                found.setdefault(each, str(roles.PRE_ACTIVATION.kind))
        found |= {target: str(roles.TARGETS.kind) for _, target in losses if target and target in forward.given}
    return found


def _taken_in(expression: m.Matrix) -> str | None:
    """The matrix that an activation function is taken of, where the expression is one."""
    match expression:
        case m.Apply(template, ((_, m.Symbol(name)),)) if _is_activation(template):
            return name
        case m.StableForm():
            known = recognised(expression)
            if known is not None and known[0].make is softmax and isinstance(known[1][0], m.Symbol):
                return known[1][0].name
    return None


def _is_activation(template: s.Scalar) -> bool:
    """Whether a rule is one of them, whatever number leaky ReLU's slope is."""
    numbers = [part.value for part in _parts(template) if isinstance(part, s.Number)]
    return any(
        template == FUNCTIONS[name].filled({"alpha": number} if FUNCTIONS[name].defaults else {})
        for name in ACTIVATIONS
        for number in (numbers if FUNCTIONS[name].defaults else [0.0])
    )


def _parts(rule: s.Scalar) -> Iterator[s.Scalar]:
    yield rule
    for part in s.children(rule):
        yield from _parts(part)


def _losses(expression: m.Matrix) -> Iterator[tuple[str | None, str | None]]:
    """The logits, where it takes them, and the targets of each loss in an expression."""
    for part in traversal.parts(expression):
        match part:
            case m.Reduce("sum", m.Apply(template, (("y", m.Symbol(name)), _)), "all") if template in LOSS_TERMS:
                yield None, name
            case m.Reduce():
                known = recognised(part)
                if known is not None and known[0].make is cross_entropy_of_logits:
                    logits, targets = (each.name if isinstance(each, m.Symbol) else None for each in known[1])
                    yield logits, targets
