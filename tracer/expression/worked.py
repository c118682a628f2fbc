"""One cell worked out as by hand: letters, numbers, each term's value, result.

Each stage is a scalar expression again, so that every target writes it: the letters with
numbers put in, then reduced from the inside out until one number is left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tracer.expression import scalar as s
from tracer.expression.digits import round_half_away
from tracer.expression.evaluate import evaluate_cell

ValueOf: TypeAlias = Callable[[s.Cell], s.Value]
KEPT_FIRST, KEPT_LAST = 3, 1  # terms of a long sum that are written out


@dataclass(frozen=True, slots=True)
class Worked:
    """The stages of one cell, and whether the shown digits give the shown result."""

    letters: s.Scalar
    stages: tuple[s.Scalar, ...]
    result: s.Value
    exact: bool


def work(expression: s.Scalar, value_of: ValueOf, decimals: int, most_terms: int = 12) -> Worked:
    """Work out one cell; `decimals` is what its result is shown to.

    Sums of more than `most_terms` terms are cut in the middle. Where the form that is shown
    leaves float64 with these numbers (e¹⁰⁰⁰), the form that is computed takes its place.
    """

    def number(cell: s.Cell) -> float:
        return value_of(cell).value

    value = evaluate_cell(expression, number)
    shown = _choose(expression, "shown")
    if not math.isfinite(evaluate_cell(shown, number)):
        shown = _choose(expression, "computed")
    letters = _cut(shown, most_terms, number)
    numbers = _put_in(letters, value_of)
    result = s.Value(value, decimals)
    exact = round_half_away(_by_hand(numbers), decimals) == round_half_away(value, decimals)
    return Worked(letters, (numbers, *_reductions(numbers, decimals)), result, exact)


def _choose(expression: s.Scalar, form: str) -> s.Scalar:
    """The expression with one form of every `Stable` in its place."""
    if isinstance(expression, s.Stable):
        return _choose(expression.shown if form == "shown" else expression.computed, form)
    parts = s.children(expression)
    return s.rebuild(expression, tuple(_choose(part, form) for part in parts)) if parts else expression


def _cut(expression: s.Scalar, most_terms: int, number: Callable[[s.Cell], float]) -> s.Scalar:
    """Every fold written out, the middle of a long sum or maximum left out."""
    parts = tuple(expression.terms()) if isinstance(expression, s.Fold) else s.children(expression)
    if not isinstance(expression, s.Fold | s.Sum | s.Maximum):
        kept = tuple(_cut(part, most_terms, number) for part in parts)
        return s.rebuild(expression, kept) if kept else expression
    maximum = isinstance(expression, s.Maximum) or (isinstance(expression, s.Fold) and expression.operation == "max")
    terms = parts if maximum else tuple(_flattened(parts))
    if len(terms) > max(most_terms, KEPT_FIRST + KEPT_LAST + 1):
        values = [evaluate_cell(term, number) for term in terms[KEPT_FIRST:-KEPT_LAST]]
        middle = s.Omitted(len(values), max(values) if maximum else math.fsum(values))
        terms = (*terms[:KEPT_FIRST], middle, *terms[-KEPT_LAST:])
    kept = tuple(_cut(term, most_terms, number) for term in terms)
    if len(kept) == 1:
        return kept[0]
    return s.Maximum(kept) if maximum else s.Sum(kept)


def _flattened(terms: Iterable[s.Scalar]) -> Iterator[s.Scalar]:
    """A sum within a sum becomes terms of that sum."""
    for term in terms:
        if isinstance(term, s.Sum):
            yield from _flattened(term.terms)
        elif isinstance(term, s.Fold) and term.operation == "sum":
            yield from _flattened(term.terms())
        else:
            yield term


def _put_in(expression: s.Scalar, value_of: ValueOf) -> s.Scalar:
    if isinstance(expression, s.Cell):
        return value_of(expression)
    parts = s.children(expression)
    return s.rebuild(expression, tuple(_put_in(part, value_of) for part in parts)) if parts else expression


def _by_hand(numbers: s.Scalar) -> float:
    """What comes out when only the digits that are shown are used."""
    if isinstance(numbers, s.Value) and numbers.decimals is not None:
        return round_half_away(numbers.value, numbers.decimals)
    parts = s.children(numbers)
    if not parts:
        return evaluate_cell(numbers, _no_cell)
    rounded = s.rebuild(numbers, tuple(s.Number(_by_hand(part)) for part in parts))
    return evaluate_cell(rounded, _no_cell)


def _no_cell(cell: s.Cell) -> float:
    raise TypeError(f"{cell} has no number yet")


def _reductions(numbers: s.Scalar, decimals: int) -> list[s.Scalar]:
    """The stages between the numbers and the result."""
    stages = []
    stage = _reduce(numbers, decimals)
    while not _is_number(stage):
        stages.append(stage)
        stage = _reduce(stage, decimals)
    return stages


def _is_number(expression: s.Scalar) -> bool:
    match expression:
        case s.Number() | s.Value() | s.Omitted():
            return True
        case s.Negative(operand):
            return _is_number(operand)
        case _:
            return False


def _reduce(expression: s.Scalar, decimals: int) -> s.Scalar:
    """Whatever holds only numbers becomes its value; the rest waits for the next stage."""
    if _is_number(expression):
        return expression
    if isinstance(expression, s.Where) and _is_number(expression.left) and _is_number(expression.right):
        return _branch(expression)
    parts = s.children(expression)
    if isinstance(expression, s.Round):
        decimals = expression.decimals + 2  # enough to see which way it goes
    if not all(map(_is_number, parts)):
        return s.rebuild(expression, tuple(_reduce(part, decimals) for part in parts))
    value = evaluate_cell(expression, _no_cell)
    return s.Value(value, _enough(value, decimals))


def _branch(where: s.Where) -> s.Scalar:
    """The side that counts."""
    one, zero = s.Number(1.0), s.Number(0.0)
    holds = evaluate_cell(s.Where(where.left, where.relation, where.right, one, zero), _no_cell)
    return where.then if holds else where.otherwise


def _enough(value: float, decimals: int) -> int:
    """At least three digits of a small number, so that a term does not read 0.000."""
    if value == 0 or not math.isfinite(value):
        return decimals
    return min(max(decimals, 2 - math.floor(math.log10(abs(value)))), 15)
