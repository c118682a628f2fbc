"""The derivatives of the activations and losses, derived line by line as by hand.

The first and the last expression of a derivation are those of the tables in tracer/problem; the lines
between them are here. Every line equals the derivative, which a test holds at random points. A new
activation or loss is one more entry; without one, value and slope stand alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from tracer.expression import scalar as s
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.losses import LOSSES
from tracer.problem.problem import Problem

LEFT = "derivative"  # the matrix of the cells that stand for a derivative that is still to be taken
LEAST_OUTPUTS, MOST_OUTPUTS = 2, 4  # of a softmax that is derived; with more the sum merely has more terms
z, a, y = s.Variable("z"), s.Variable("a"), s.Variable("y")
zero, one, two = s.Number(0.0), s.Number(1.0), s.Number(2.0)


@dataclass(frozen=True, slots=True)
class Equality:
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
    lines: tuple[Equality, ...]
    case: str = ""
    says: str = ""


def left(number: int = 0) -> s.Cell:
    """The place of a derivative that is still to be taken."""
    return s.Cell(LEFT, number, 0)


def unit(letter: str, number: int) -> s.Cell:
    """z₁, a₂, y₁: a quantity of one of several outputs, counted from 0."""
    return s.Cell(letter, 0, number)


def times(*factors: s.Scalar) -> s.Product:
    return s.Product(factors)


def over(top: s.Scalar, bottom: s.Scalar) -> s.Quotient:
    return s.Quotient(top, bottom)


def of_activation(name: str, alpha: float, at_zero: int, outputs: int) -> tuple[Derivation, ...]:
    """The derivations of an activation; `alpha` is leaky ReLU's slope, `at_zero` (0 or 1) settles a kink."""
    derive = _ACTIVATIONS.get(name)
    if derive is not None:
        return derive(_Chosen(s.Number(alpha), at_zero, _derived(outputs)))
    rule = ACTIVATIONS[name]
    assert not callable(rule.value)
    return (Derivation(a, rule.value, z, (Equality(rule.slope),)),)


def of_loss(problem: Problem) -> Derivation:
    """How one output's part of the loss changes with that output."""
    rule = LOSSES[problem.loss]
    K = s.Number(float(problem.sizes[-1]))
    part = times(s.Number(rule.factor), rule.value) if rule.factor != 1.0 else rule.value
    part = over(part, K) if rule.per_output else part
    lines = _LOSSES[problem.loss](K) if problem.loss in _LOSSES else ()
    return Derivation(s.Variable("ℓ"), part, a, (*lines, Equality(s.substitute(rule.gradient, {"K": K}))))


def of_both(problem: Problem) -> Derivation:
    """The loss's derivative by what goes into the output layer, for the loss and activation taken together."""
    return _FUSED[problem.loss](_derived(problem.sizes[-1]))


def _derived(outputs: int) -> int:
    """How many outputs a derivation has in place of a network's."""
    return min(max(outputs, LEAST_OUTPUTS), MOST_OUTPUTS)


# the activations


class _Chosen(NamedTuple):
    """What an activation's derivation depends on."""

    alpha: s.Number
    at_zero: int
    outputs: int


def _shown(name: str) -> s.Scalar:
    """An activation's value as it is written by hand."""
    value = ACTIVATIONS[name].value
    assert not callable(value)
    return value.shown if isinstance(value, s.Stable) else value


def _sigmoid(chosen: _Chosen) -> tuple[Derivation, ...]:
    value, slope = _shown("sigmoid"), ACTIVATIONS["sigmoid"].slope
    power = s.Exp(s.Negative(z))
    bottom = s.Sum((one, power))
    once, square = over(one, bottom), s.Power(bottom, 2)
    outer = over(s.Number(-1.0), square)
    lines = (
        Equality(times(outer, left()), (bottom,), says="By the quotient rule, with 1 in the numerator:"),
        Equality(times(outer, power, left()), (s.Negative(z),), says="By the chain rule for the power of e:"),
        Equality(times(outer, power, s.Number(-1.0))),
        Equality(over(power, square)),
        Equality(
            over(s.difference(s.Sum((one, power)), one), square),
            says="Add and subtract 1 in the numerator:",
        ),
        Equality(times(once, s.difference(over(bottom, bottom), once))),
        Equality(times(once, s.difference(one, once))),
        Equality(slope, says="Both fractions are the activation itself:"),
    )
    return (Derivation(a, value, z, lines),)


def _tanh(chosen: _Chosen) -> tuple[Derivation, ...]:
    up, down = s.Exp(z), s.Exp(s.Negative(z))
    top, bottom = s.difference(up, down), s.Sum((up, down))
    square = s.Power(bottom, 2)
    lines = (
        Equality(
            over(s.difference(times(left(0), bottom), times(top, left(1))), square),
            (top, bottom),
            says="By the quotient rule, with tanh written in powers of e:",
        ),
        Equality(
            over(s.difference(times(bottom, bottom), times(top, top)), square),
            says="The numerator's derivative is the denominator, and the denominator's is the numerator:",
        ),
        Equality(s.difference(one, s.Power(over(top, bottom), 2))),
        Equality(ACTIVATIONS["tanh"].slope, says="The fraction is tanh again, which is the activation itself:"),
    )
    return (Derivation(a, over(top, bottom), z, lines),)


def _softplus(chosen: _Chosen) -> tuple[Derivation, ...]:
    up = s.Exp(z)
    inside = s.Sum((one, up))
    lines = (
        Equality(
            times(over(one, inside), left()),
            (inside,),
            says="The derivative of the logarithm, by the chain rule:",
        ),
        Equality(over(up, inside)),
        Equality(ACTIVATIONS["softplus"].slope, says="Divide numerator and denominator by the power of e:"),
    )
    return (Derivation(a, _shown("softplus"), z, lines),)


def _by_cases(above: tuple[s.Scalar, s.Scalar], below: tuple[s.Scalar, s.Scalar], kink: str) -> tuple[Derivation, ...]:
    """A function of two branches, each given with its derivative."""
    return (
        Derivation(a, above[0], z, (Equality(above[1]),), ">"),
        Derivation(a, below[0], z, (Equality(below[1]),), "<", kink),
    )


def _kink(slope: float) -> str:
    return f"At z = 0 the two sides differ and there is no derivative; here it is taken to be {slope:g}."


def _relu(chosen: _Chosen) -> tuple[Derivation, ...]:
    return _by_cases((z, one), (zero, zero), _kink(chosen.at_zero))


def _leaky_relu(chosen: _Chosen) -> tuple[Derivation, ...]:
    return _by_cases(
        (z, one), (times(chosen.alpha, z), chosen.alpha), _kink(1.0 if chosen.at_zero else chosen.alpha.value)
    )


def _elu(chosen: _Chosen) -> tuple[Derivation, ...]:
    return _by_cases((z, one), (s.difference(s.Exp(z), one), s.Exp(z)), "At z = 0 both sides give 1.")


def _linear(chosen: _Chosen) -> tuple[Derivation, ...]:
    return (Derivation(a, z, z, (Equality(ACTIVATIONS["linear"].slope),)),)


def _softmax(chosen: _Chosen) -> tuple[Derivation, ...]:
    powers = tuple(s.Exp(unit("z", k)) for k in range(chosen.outputs))
    bottom, own, other = s.Sum(powers), powers[0], powers[1]
    square, rule = s.Power(bottom, 2), "The quotient rule:"

    def quotient_rule(top: s.Scalar) -> s.Scalar:
        return over(s.difference(times(left(0), bottom), times(top, left(1))), square)

    share, slope = over(own, bottom), ACTIVATIONS["softmax"].slope
    of_own = (
        Equality(quotient_rule(own), (own, bottom), says=rule),
        Equality(over(s.difference(times(own, bottom), times(own, own)), square)),
        Equality(
            times(share, over(s.difference(bottom, own), bottom)),
            says="The output itself is a factor of both terms:",
        ),
        Equality(times(share, s.difference(one, share))),
        Equality(s.substitute(slope, {"a": unit("a", 0)})),
    )
    of_other = (
        Equality(quotient_rule(other), (other, bottom), (0,), rule),
        Equality(
            over(s.Negative(times(other, own)), square),
            says="The power in the numerator does not depend on this input:",
        ),
        Equality(s.Negative(times(over(other, bottom), share))),
        Equality(s.Negative(times(unit("a", 1), unit("a", 0)))),
    )
    by = unit("z", 0)
    return (
        Derivation(unit("a", 0), share, by, of_own, says="An output with respect to its own input:"),
        Derivation(unit("a", 1), over(other, bottom), by, of_other, says="And with respect to another output's input:"),
    )


_ACTIVATIONS: dict[str, Callable[[_Chosen], tuple[Derivation, ...]]] = {
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "softplus": _softplus,
    "linear": _linear,
    "softmax": _softmax,
}

# the losses

_POWER_RULE = "The power rule, then the derivative of what is inside:"
_LOGARITHM = "The derivative of ln is one over what is inside:"


def _squared(factor: s.Scalar | None = None, divisor: s.Scalar | None = None) -> tuple[Equality, ...]:
    """factor·(y − a)² / divisor."""
    inside = s.difference(y, a)
    before = (factor, two, inside) if factor is not None else (two, inside)
    lines = []
    for last, of, says in ((left(), (inside,), _POWER_RULE), (s.Number(-1.0), (), "")):
        whole: s.Scalar = times(*before, last)
        lines.append(Equality(whole if divisor is None else over(whole, divisor), of, says=says))
    return tuple(lines)


def _cross_entropy(K: s.Number) -> tuple[Equality, ...]:
    return (Equality(s.Negative(times(y, over(one, a))), says=_LOGARITHM),)


def _binary_cross_entropy(K: s.Number) -> tuple[Equality, ...]:
    rest, other = s.difference(one, a), s.difference(one, y)
    first = times(y, over(one, a))
    return (
        Equality(s.Negative(s.Sum((first, times(other, over(one, rest), left())))), (rest,), says=_LOGARITHM),
        Equality(s.Negative(s.Sum((first, times(other, over(one, rest), s.Number(-1.0)))))),
    )


_LOSSES: dict[str, Callable[[s.Number], tuple[Equality, ...]]] = {
    "half_squared_error": lambda K: _squared(s.Number(LOSSES["half_squared_error"].factor)),
    "squared_error": lambda K: _squared(),
    "mean_squared_error": lambda K: _squared(divisor=K),
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
}


def _sigmoid_with_its_loss(outputs: int) -> Derivation:
    rest, other = s.difference(one, a), s.difference(one, y)
    lines = (
        Equality(
            times(LOSSES["binary_cross_entropy"].gradient, ACTIVATIONS["sigmoid"].slope),
            says="The chain rule, the derivative of the loss times that of the activation:",
        ),
        Equality(s.difference(times(other, a), times(y, rest))),
        Equality(s.difference(a, y)),
    )
    return Derivation(s.Variable("ℓ"), LOSSES["binary_cross_entropy"].value, z, lines)


def _softmax_with_its_loss(outputs: int) -> Derivation:
    targets, results = ([unit(letter, k) for k in range(outputs)] for letter in "ya")
    own, target = results[0], targets[0]
    parts = [s.Negative(times(over(target, own), own, s.difference(one, own)))]
    short: list[s.Scalar] = [s.Negative(times(target, s.difference(one, own)))]
    for result, wanted in zip(results[1:], targets[1:], strict=True):
        parts.append(s.Negative(times(over(wanted, result), s.Negative(times(result, own)))))
        short.append(times(wanted, own))
    logs = tuple(times(wanted, s.Log(result)) for result, wanted in zip(results, targets, strict=True))
    lines = (
        Equality(
            s.Sum(tuple(parts)), says="Every output depends on this input, and the paths through all of them add up:"
        ),
        Equality(s.Sum(tuple(short))),
        Equality(s.difference(times(own, s.Sum(tuple(targets))), target)),
        Equality(s.difference(own, target), says="The targets of a sample sum to 1:"),
    )
    return Derivation(s.Variable("ℓ"), s.Negative(s.Sum(logs)), unit("z", 0), lines)


_FUSED: dict[str, Callable[[int], Derivation]] = {
    "binary_cross_entropy": _sigmoid_with_its_loss,
    "cross_entropy": _softmax_with_its_loss,
}
