"""The derivatives of the activations and losses, derived line by line as by hand.

The first and the last expression of a derivation are those of the tables in tracer/network; the lines
between them are here. Every line equals the derivative, which a test holds at random points. A new
activation or loss is one more entry; without one, value and slope stand alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tracer.expression import scalar as s
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.losses import LOSSES
from tracer.problem.problem import Problem

LEFT = "derivative"  # the matrix of the cells that stand for a derivative that is still to be taken
LEAST_OUTPUTS, MOST_OUTPUTS = 2, 4  # of a softmax that is derived; with more the sum merely has more terms
z, a, y = s.Variable("z"), s.Variable("a"), s.Variable("y")
zero, one, two = s.Number(0.0), s.Number(1.0), s.Number(2.0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `says` stands before it, then "= right".

    The cell `left(k)` in `right` is the derivative of `of[k]`, still to be taken; those in `none` are zero.
    """

    right: s.Scalar
    of: tuple[s.Scalar, ...] = ()
    none: tuple[int, ...] = ()
    says: str = ""


@dataclass(frozen=True, slots=True)
class Derivation:
    """The derivative of `name` = `value` with respect to `by`, where `case` (of z, against 0) holds."""

    name: s.Scalar
    value: s.Scalar
    by: s.Scalar
    lines: tuple[Line, ...]
    case: str = ""
    says: str = ""


def left(number: int = 0) -> s.Cell:
    """The place of a derivative that is still to be taken."""
    return s.Cell(LEFT, number, 0)


def unit(letter: str, number: int) -> s.Cell:
    """z₁, a₂, y₁: a quantity of one of several outputs, counted from 0."""
    return s.Cell(letter, 0, number)


def minus(*terms: s.Scalar) -> s.Sum:
    """The first term with the others taken off."""
    return s.Sum((terms[0], *map(s.Negative, terms[1:])))


def times(*factors: s.Scalar) -> s.Product:
    return s.Product(factors)


def over(top: s.Scalar, bottom: s.Scalar) -> s.Quotient:
    return s.Quotient(top, bottom)


def of_activation(name: str, alpha: float, at_zero: int, outputs: int) -> tuple[Derivation, ...]:
    """The derivations of an activation; `alpha` is leaky ReLU's slope, `at_zero` (0 or 1) settles a kink."""
    made = _ACTIVATIONS.get(name)
    if made is not None:
        return made(s.Number(alpha), at_zero, min(max(outputs, LEAST_OUTPUTS), MOST_OUTPUTS))
    rule = ACTIVATIONS[name]
    assert not callable(rule.value)
    return (Derivation(a, rule.value, z, (Line(rule.slope),)),)


def of_loss(problem: Problem) -> Derivation:
    """How one output's part of the loss changes with that output."""
    rule = LOSSES[problem.loss]
    K = s.Number(float(problem.sizes[-1]))
    part = times(s.Number(rule.factor), rule.value) if rule.factor != 1.0 else rule.value
    part = over(part, K) if rule.per_output else part
    lines = _LOSSES[problem.loss](K) if problem.loss in _LOSSES else ()
    return Derivation(s.Variable("ℓ"), part, a, (*lines, Line(s.substitute(rule.gradient, {"K": K}))))


def of_both(problem: Problem) -> Derivation:
    """The loss's derivative by what goes into the output layer, for the loss and activation taken together."""
    return _FUSED[problem.loss](min(max(problem.sizes[-1], LEAST_OUTPUTS), MOST_OUTPUTS))


Make = Callable[[s.Number, int, int], tuple[Derivation, ...]]


def _shown(name: str) -> s.Scalar:
    """An activation's value as it is written by hand."""
    value = ACTIVATIONS[name].value
    assert not callable(value)
    return value.shown if isinstance(value, s.Stable) else value


def _sigmoid(alpha: s.Number, at_zero: int, outputs: int) -> tuple[Derivation, ...]:
    value, slope = _shown("sigmoid"), ACTIVATIONS["sigmoid"].slope
    power = s.Exp(s.Negative(z))
    bottom = s.Sum((one, power))
    once, square = over(one, bottom), s.Power(bottom, 2)
    outer = over(s.Number(-1.0), square)
    lines = (
        Line(times(outer, left()), (bottom,), says="The quotient rule, with 1 on top:"),
        Line(times(outer, power, left()), (s.Negative(z),), says="The chain rule for the power of e:"),
        Line(times(outer, power, s.Number(-1.0))),
        Line(over(power, square)),
        Line(over(minus(s.Sum((one, power)), one), square), says="Above the line, 1 is added and taken off again:"),
        Line(times(once, minus(over(bottom, bottom), once))),
        Line(times(once, minus(one, once))),
        Line(slope, says="Both fractions are the activation itself:"),
    )
    return (Derivation(a, value, z, lines),)


def _tanh(alpha: s.Number, at_zero: int, outputs: int) -> tuple[Derivation, ...]:
    up, down = s.Exp(z), s.Exp(s.Negative(z))
    top, bottom = minus(up, down), s.Sum((up, down))
    square = s.Power(bottom, 2)
    lines = (
        Line(
            over(minus(times(left(0), bottom), times(top, left(1))), square),
            (top, bottom),
            says="The quotient rule, with tanh written in powers of e:",
        ),
        Line(
            over(minus(times(bottom, bottom), times(top, top)), square),
            says="The derivative of the top is the bottom, and that of the bottom is the top:",
        ),
        Line(minus(one, s.Power(over(top, bottom), 2))),
        Line(ACTIVATIONS["tanh"].slope, says="The fraction is tanh again, which is the activation itself:"),
    )
    return (Derivation(a, over(top, bottom), z, lines),)


def _softplus(alpha: s.Number, at_zero: int, outputs: int) -> tuple[Derivation, ...]:
    up = s.Exp(z)
    inside = s.Sum((one, up))
    lines = (
        Line(times(over(one, inside), left()), (inside,), says="The derivative of the logarithm, by the chain rule:"),
        Line(over(up, inside)),
        Line(ACTIVATIONS["softplus"].slope, says="Above and below divided by the power of e:"),
    )
    return (Derivation(a, _shown("softplus"), z, lines),)


def _by_cases(above: tuple[s.Scalar, s.Scalar], below: tuple[s.Scalar, s.Scalar], kink: str) -> tuple[Derivation, ...]:
    """A function of two branches, each given with its derivative."""
    return (
        Derivation(a, above[0], z, (Line(above[1]),), ">"),
        Derivation(a, below[0], z, (Line(below[1]),), "<", kink),
    )


def _kink(slope: float) -> str:
    return f"At z = 0 the two sides differ and there is no derivative; here it is taken to be {slope:g}."


def _relu(alpha: s.Number, at_zero: int, outputs: int) -> tuple[Derivation, ...]:
    return _by_cases((z, one), (zero, zero), _kink(at_zero))


def _leaky_relu(alpha: s.Number, at_zero: int, outputs: int) -> tuple[Derivation, ...]:
    return _by_cases((z, one), (times(alpha, z), alpha), _kink(1.0 if at_zero else alpha.value))


def _elu(alpha: s.Number, at_zero: int, outputs: int) -> tuple[Derivation, ...]:
    return _by_cases((z, one), (minus(s.Exp(z), one), s.Exp(z)), "At z = 0 both sides give 1.")


def _linear(alpha: s.Number, at_zero: int, outputs: int) -> tuple[Derivation, ...]:
    return (Derivation(a, z, z, (Line(ACTIVATIONS["linear"].slope),)),)


def _softmax(alpha: s.Number, at_zero: int, outputs: int) -> tuple[Derivation, ...]:
    powers = tuple(s.Exp(unit("z", k)) for k in range(outputs))
    bottom, own, other = s.Sum(powers), powers[0], powers[1]
    square, rule = s.Power(bottom, 2), "The quotient rule:"

    def quotient_rule(top: s.Scalar) -> s.Scalar:
        return over(minus(times(left(0), bottom), times(top, left(1))), square)

    share, slope = over(own, bottom), ACTIVATIONS["softmax"].slope
    of_own = (
        Line(quotient_rule(own), (own, bottom), says=rule),
        Line(over(minus(times(own, bottom), times(own, own)), square)),
        Line(times(share, over(minus(bottom, own), bottom)), says="The output itself is a factor of both terms:"),
        Line(times(share, minus(one, share))),
        Line(s.substitute(slope, {"a": unit("a", 0)})),
    )
    of_other = (
        Line(quotient_rule(other), (other, bottom), (0,), rule),
        Line(over(s.Negative(times(other, own)), square), says="The power on top does not hold this input:"),
        Line(s.Negative(times(over(other, bottom), share))),
        Line(s.Negative(times(unit("a", 1), unit("a", 0)))),
    )
    by = unit("z", 0)
    return (
        Derivation(unit("a", 0), share, by, of_own, says="An output with respect to its own input:"),
        Derivation(unit("a", 1), over(other, bottom), by, of_other, says="And with respect to another output's input:"),
    )


_ACTIVATIONS: dict[str, Make] = {
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "softplus": _softplus,
    "linear": _linear,
    "softmax": _softmax,
}

_POWER_RULE = "The power rule, then the derivative of what is inside:"
_LOGARITHM = "The derivative of ln is one over what is inside:"


def _squared(factor: s.Scalar | None = None, divisor: s.Scalar | None = None) -> tuple[Line, ...]:
    """factor·(y − a)² / divisor."""
    inside = minus(y, a)
    before = (factor, two, inside) if factor is not None else (two, inside)
    lines = []
    for last, of, says in ((left(), (inside,), _POWER_RULE), (s.Number(-1.0), (), "")):
        whole: s.Scalar = times(*before, last)
        lines.append(Line(whole if divisor is None else over(whole, divisor), of, says=says))
    return tuple(lines)


def _cross_entropy(K: s.Number) -> tuple[Line, ...]:
    return (Line(s.Negative(times(y, over(one, a))), says=_LOGARITHM),)


def _binary_cross_entropy(K: s.Number) -> tuple[Line, ...]:
    rest, other = minus(one, a), minus(one, y)
    first = times(y, over(one, a))
    return (
        Line(s.Negative(s.Sum((first, times(other, over(one, rest), left())))), (rest,), says=_LOGARITHM),
        Line(s.Negative(s.Sum((first, times(other, over(one, rest), s.Number(-1.0)))))),
    )


_LOSSES: dict[str, Callable[[s.Number], tuple[Line, ...]]] = {
    "half_squared_error": lambda K: _squared(s.Number(LOSSES["half_squared_error"].factor)),
    "squared_error": lambda K: _squared(),
    "mean_squared_error": lambda K: _squared(divisor=K),
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
}


def _sigmoid_with_its_loss(outputs: int) -> Derivation:
    rest, other = minus(one, a), minus(one, y)
    lines = (
        Line(
            times(LOSSES["binary_cross_entropy"].gradient, ACTIVATIONS["sigmoid"].slope),
            says="The chain rule, the derivative of the loss times that of the activation:",
        ),
        Line(minus(times(other, a), times(y, rest))),
        Line(minus(a, y)),
    )
    return Derivation(s.Variable("ℓ"), LOSSES["binary_cross_entropy"].value, z, lines)


def _softmax_with_its_loss(outputs: int) -> Derivation:
    targets, results = ([unit(letter, k) for k in range(outputs)] for letter in "ya")
    own, target = results[0], targets[0]
    parts = [s.Negative(times(over(target, own), own, minus(one, own)))]
    short: list[s.Scalar] = [s.Negative(times(target, minus(one, own)))]
    for result, wanted in zip(results[1:], targets[1:], strict=True):
        parts.append(s.Negative(times(over(wanted, result), s.Negative(times(result, own)))))
        short.append(times(wanted, own))
    logs = tuple(times(wanted, s.Log(result)) for result, wanted in zip(results, targets, strict=True))
    lines = (
        Line(s.Sum(tuple(parts)), says="Every output depends on this input, and the paths through all of them add up:"),
        Line(s.Sum(tuple(short))),
        Line(minus(times(own, s.Sum(tuple(targets))), target)),
        Line(minus(own, target), says="The targets of a sample sum to 1:"),
    )
    return Derivation(s.Variable("ℓ"), s.Negative(s.Sum(logs)), unit("z", 0), lines)


_FUSED: dict[str, Callable[[int], Derivation]] = {
    "binary_cross_entropy": _sigmoid_with_its_loss,
    "cross_entropy": _softmax_with_its_loss,
}
