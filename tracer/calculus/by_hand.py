"""The derivatives of activations and losses, line by line as by hand; each stands beside its function's entry.

The first and the last expression of a derivation are those of the function itself; the lines between them are here.
Every line equals the derivative, which a test holds at random points. A function without an entry here has its value
and its slope alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from tracer.calculus.differentiate import slope
from tracer.calculus.functions import FUNCTIONS
from tracer.expression import scalar as s

LEFT = "derivative"  # the matrix of the cells that stand for a derivative that is still to be taken
z, a, y = s.Variable("z"), s.Variable("a"), s.Variable("y")
zero, one, two, half = s.Number(0.0), s.Number(1.0), s.Number(2.0), s.Number(0.5)
minus = s.Number(-1.0)
QUOTIENT, PRODUCT = "By the quotient rule:", "By the product rule:"
SHARE_SLOPE = s.Product((a, s.difference(one, a)))  # of a softmax output with respect to its own input


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
    """The derivative of `name` = `value` with respect to `by`, where `case` (of z, against 0) holds.

    It is `partial` where there is another variable that the value changes with.
    """

    name: s.Scalar
    value: s.Scalar
    by: s.Scalar
    lines: tuple[Equality, ...]
    case: str = ""
    says: str = ""
    partial: bool = False


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


class ChosenLine(NamedTuple):
    """What an activation's derivation depends on."""

    alpha: s.Number
    at_zero: int
    outputs: int


def _shown(name: str) -> s.Scalar:
    """An activation's value as it is written by hand."""
    value = FUNCTIONS[name].value
    return value.shown if isinstance(value, s.Stable) else value


def _slope(name: str) -> s.Scalar:
    """Its slope, as it stands beside it."""
    found = FUNCTIONS[name].slope
    assert found is not None  # asked for those that have one
    return found


def of_sigmoid(chosen: ChosenLine) -> tuple[Derivation, ...]:
    value = _shown("sigmoid")
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
        Equality(_slope("sigmoid"), says="Both fractions are the activation itself:"),
    )
    return (Derivation(a, value, z, lines),)


def of_tanh(chosen: ChosenLine) -> tuple[Derivation, ...]:
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
        Equality(_slope("tanh"), says="The fraction is tanh again, which is the activation itself:"),
    )
    return (Derivation(a, over(top, bottom), z, lines),)


def of_softplus(chosen: ChosenLine) -> tuple[Derivation, ...]:
    up = s.Exp(z)
    inside = s.Sum((one, up))
    lines = (
        Equality(
            times(over(one, inside), left()),
            (inside,),
            says="The derivative of the logarithm, by the chain rule:",
        ),
        Equality(over(up, inside)),
        Equality(_slope("softplus"), says="Divide numerator and denominator by the power of e:"),
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


def of_relu(chosen: ChosenLine) -> tuple[Derivation, ...]:
    return _by_cases((z, one), (zero, zero), _kink(chosen.at_zero))


def of_leaky_relu(chosen: ChosenLine) -> tuple[Derivation, ...]:
    return _by_cases(
        (z, one), (times(chosen.alpha, z), chosen.alpha), _kink(1.0 if chosen.at_zero else chosen.alpha.value)
    )


def of_elu(chosen: ChosenLine) -> tuple[Derivation, ...]:
    return _by_cases((z, one), (s.difference(s.Exp(z), one), s.Exp(z)), "At z = 0 both sides give 1.")


def of_softsign(chosen: ChosenLine) -> tuple[Derivation, ...]:
    def side(bottom: s.Scalar, sum_or_difference: Callable[[s.Scalar], s.Scalar]) -> tuple[Equality, ...]:
        square = s.Power(bottom, 2)
        return (
            Equality(over(s.difference(times(left(0), bottom), times(z, left(1))), square), (z, bottom), says=QUOTIENT),
            Equality(over(one, square)),
            Equality(s.Power(sum_or_difference(over(z, bottom)), 2)),
            Equality(s.Power(sum_or_difference(a), 2), says="The fraction is the activation itself:"),
        )

    above, below = s.Sum((one, z)), s.difference(one, z)
    return (
        Derivation(a, over(z, above), z, side(above, lambda share: s.difference(one, share)), ">"),
        Derivation(
            a, over(z, below), z, side(below, lambda share: s.Sum((one, share))), "<", "At z = 0 both sides give 1."
        ),
    )


def of_arctan(chosen: ChosenLine) -> tuple[Derivation, ...]:
    value = _shown("arctan")
    lines = (
        Equality(
            s.Power(s.Function("cos", a), 2),
            says="z is the tangent of a, and changes with a by one over the squared cosine of a. Turned over:",
        ),
        Equality(slope(value, "z")[0], says="A squared cosine is one over one plus the squared tangent, which is z:"),
    )
    return (Derivation(a, value, z, lines),)


def of_silu(chosen: ChosenLine) -> tuple[Derivation, ...]:
    power = s.Exp(s.Negative(z))
    bottom = s.Sum((one, power))
    once = over(one, bottom)
    lines = (
        Equality(
            over(s.difference(times(left(0), bottom), times(z, left(1))), s.Power(bottom, 2)),
            (z, bottom),
            says=QUOTIENT,
        ),
        Equality(s.Sum((once, times(over(z, bottom), over(power, bottom))))),
        Equality(_slope("silu"), says="The first factor is the activation itself, the second one minus the sigmoid:"),
    )
    return (Derivation(a, _shown("silu"), z, lines),)


def of_gelu(chosen: ChosenLine) -> tuple[Derivation, ...]:
    """Its tanh form, ½z(1 + tanh u)."""
    value = _shown("gelu")
    assert isinstance(value, s.Product) and isinstance(value.factors[-1], s.Sum)
    bend = value.factors[-1].terms[-1]
    assert isinstance(bend, s.Tanh)
    outside = times(half, value.factors[-1])
    slope_of_bend = s.difference(one, s.Power(bend, 2))
    lines = (
        Equality(s.Sum((outside, times(half, z, left()))), (bend,), says=PRODUCT),
        Equality(
            s.Sum((outside, times(half, z, slope_of_bend, left()))),
            (bend.argument,),
            says="The derivative of tanh is one minus its square, by the chain rule:",
        ),
        Equality(slope(value, "z")[0]),
    )
    return (Derivation(a, value, z, lines),)


def of_gelu_erf(chosen: ChosenLine) -> tuple[Derivation, ...]:
    """z·Φ(z)."""
    value, share = _shown("gelu_erf"), s.Function("normal_cdf", z)
    lines = (
        Equality(s.Sum((share, times(z, left()))), (share,), says=PRODUCT),
        Equality(slope(value, "z")[0], says="Φ grows by the height of the bell curve of the normal distribution:"),
    )
    return (Derivation(a, value, z, lines),)


def _of_jump(below: s.Scalar) -> tuple[Derivation, ...]:
    return _by_cases((one, zero), (below, zero), "At z = 0 it jumps. A slope of 0 teaches nothing: the rule uses none.")


def of_step(chosen: ChosenLine) -> tuple[Derivation, ...]:
    return _of_jump(zero)


def of_sign(chosen: ChosenLine) -> tuple[Derivation, ...]:
    return _of_jump(minus)


def of_linear(chosen: ChosenLine) -> tuple[Derivation, ...]:
    return (Derivation(a, z, z, (Equality(one),)),)


def of_softmax(chosen: ChosenLine) -> tuple[Derivation, ...]:
    powers = tuple(s.Exp(unit("z", k)) for k in range(chosen.outputs))
    bottom, own, other = s.Sum(powers), powers[0], powers[1]
    square, rule = s.Power(bottom, 2), "The quotient rule:"

    def quotient_rule(top: s.Scalar) -> s.Scalar:
        return over(s.difference(times(left(0), bottom), times(top, left(1))), square)

    share = over(own, bottom)
    of_own = (
        Equality(quotient_rule(own), (own, bottom), says=rule),
        Equality(over(s.difference(times(own, bottom), times(own, own)), square)),
        Equality(
            times(share, over(s.difference(bottom, own), bottom)),
            says="The output itself is a factor of both terms:",
        ),
        Equality(times(share, s.difference(one, share))),
        Equality(s.substitute(SHARE_SLOPE, {"a": unit("a", 0)})),
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


def of_log_softmax(outputs: int) -> tuple[Derivation, ...]:
    """The logarithm of softmax, with p for the softmax of the same row."""
    powers = tuple(s.Exp(unit("z", k)) for k in range(outputs))
    bottom = s.Sum(powers)

    def lines(start: tuple[s.Scalar, ...]) -> tuple[Equality, ...]:
        def taken(share: s.Scalar) -> s.Scalar:
            return s.Sum((*start, s.Negative(share))) if start else s.Negative(share)

        return (
            Equality(taken(times(over(one, bottom), left())), (bottom,), says=_LOGARITHM),
            Equality(taken(over(powers[0], bottom))),
            Equality(taken(unit("p", 0)), says="The fraction is the softmax of the row:"),
        )

    own, other = (s.difference(unit("z", k), s.Log(bottom)) for k in (0, 1))
    by = unit("z", 0)
    return (
        Derivation(unit("a", 0), own, by, lines((one,)), says="An output with respect to its own input:"),
        Derivation(unit("a", 1), other, by, lines(()), says="And with respect to another output's input:"),
    )


POWER_RULE = "The power rule, then the derivative of what is inside:"
_DISTANCE_RULE = (
    "The derivative of a distance is the sign of what is inside (0 where both are equal), by the chain rule:"
)
_HINGE_RULE = (
    "Where 1 − y·a is above 0 it is what counts; elsewhere the loss stays 0 (at 0 its slope is taken to be 0):"
)
_LOGARITHM = "The derivative of ln is one over what is inside:"


def of_squares(factor: s.Scalar | None = None, divisor: s.Scalar | None = None) -> tuple[Equality, ...]:
    """factor·(y − a)² / divisor."""
    inside = s.difference(y, a)
    before = (factor, two, inside) if factor is not None else (two, inside)
    lines = []
    for last, of, says in ((left(), (inside,), POWER_RULE), (s.Number(-1.0), (), "")):
        whole: s.Scalar = times(*before, last)
        lines.append(Equality(whole if divisor is None else over(whole, divisor), of, says=says))
    return tuple(lines)


def of_distance(divisor: s.Scalar | None = None) -> tuple[Equality, ...]:
    """|y − a| / divisor."""
    side = s.Where(y, ">", a, one, s.Where(a, ">", y, s.Number(-1.0), zero))
    lines = []
    for last, of, says in ((left(), (s.difference(y, a),), _DISTANCE_RULE), (s.Number(-1.0), (), "")):
        whole: s.Scalar = times(side, last)
        lines.append(Equality(whole if divisor is None else over(whole, divisor), of, says=says))
    return tuple(lines)


def of_hinge() -> tuple[Equality, ...]:
    """max(0, 1 − y·a)."""
    inside = s.difference(one, times(y, a))
    return (Equality(s.Where(inside, ">", zero, left(), zero), (inside,), says=_HINGE_RULE),)


def of_cross_entropy(K: s.Number) -> tuple[Equality, ...]:
    return (Equality(s.Negative(times(y, over(one, a))), says=_LOGARITHM),)


def of_binary_cross_entropy(K: s.Number) -> tuple[Equality, ...]:
    rest, other = s.difference(one, a), s.difference(one, y)
    first = times(y, over(one, a))
    return (
        Equality(s.Negative(s.Sum((first, times(other, over(one, rest), left())))), (rest,), says=_LOGARITHM),
        Equality(s.Negative(s.Sum((first, times(other, over(one, rest), s.Number(-1.0)))))),
    )


def sigmoid_with_its_loss(value: s.Scalar, gradient: s.Scalar, outputs: int) -> Derivation:
    """Of binary cross-entropy, given its value and its gradient, with the sigmoid before it."""
    rest, other = s.difference(one, a), s.difference(one, y)
    lines = (
        Equality(
            times(gradient, _slope("sigmoid")),
            says="The chain rule, the derivative of the loss times that of the activation:",
        ),
        Equality(s.difference(times(other, a), times(y, rest))),
        Equality(s.difference(a, y)),
    )
    return Derivation(s.Variable("ℓ"), value, z, lines)


def perceptron() -> Derivation:
    """(a − y)·z, with the output held fixed."""
    wrong = s.difference(a, y)
    says = "The output a jumps and has no slope to use: it is held fixed, and the factor of z is left:"
    return Derivation(s.Variable("ℓ"), times(wrong, z), z, (Equality(wrong, says=says),))


def softmax_with_its_loss(outputs: int) -> Derivation:
    """Of cross-entropy with the softmax before it."""
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
