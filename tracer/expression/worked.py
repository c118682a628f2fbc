"""One cell worked out as by hand: letters, numbers, each term's value, result.

Each stage is a scalar expression again, so that every target writes it: the letters with
numbers put in, then reduced from the inside out until one number is left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from tracer.expression import scalar as s
from tracer.expression.digits import round_half_away, typed_decimals
from tracer.expression.evaluate import evaluate_cell

ValueOf: TypeAlias = Callable[[s.Cell], s.Value]
NOISE = 1e-12  # of the largest term summed
KEPT_FIRST, KEPT_LAST = 3, 1  # terms of a long sum that are written out


@dataclass(frozen=True, slots=True)
class Worked:
    """The stages of one cell, and whether the shown digits give the shown result."""

    letters: s.Scalar
    stages: tuple[s.Scalar, ...]
    result: s.Value
    exact: bool


def work(
    expression: s.Scalar, value_of: ValueOf, decimals: int, most_terms: int = 12, numbers_only: bool = False
) -> Worked:
    """Work out one cell; `decimals` is what its result is shown to, `numbers_only` leaves out all stages but the first.

    Sums of more than `most_terms` terms are cut in the middle. Where the form that is shown
    leaves float64 with these numbers (e¹⁰⁰⁰), the form that is computed takes its place.
    """

    def number(cell: s.Cell) -> float:
        return value_of(cell).value

    value = evaluate_cell(expression, number)
    shown = _choose(expression, "shown")
    if shown is not expression and not math.isfinite(evaluate_cell(shown, number)):
        shown = _choose(expression, "computed")
    letters = _cut(shown, most_terms, number)
    numbers = _put_in(letters, value_of)
    result = s.Value(value, decimals, expression)
    stages = (numbers, *(() if numbers_only else _reductions(numbers, decimals)))
    return Worked(letters, stages, result, all(holds(stage, result) for stage in stages))


def holds(stage: s.Scalar, result: s.Value) -> bool:
    """Whether the digits that a stage shows give the digits of the result."""
    decimals = result.decimals or 0
    by_hand = evaluate_cell(as_shown(stage), no_cell)
    off = round_half_away(by_hand, decimals) - round_half_away(result.value, decimals)
    return abs(off) < 0.5 * 10.0**-decimals


def _choose(expression: s.Scalar, form: str) -> s.Scalar:
    """The expression with one form of every `Stable` in its place."""
    if isinstance(expression, s.Stable):
        return _choose(expression.shown if form == "shown" else expression.computed, form)
    parts = s.children(expression)
    chosen = tuple(_choose(part, form) for part in parts)
    same = all(new is old for new, old in zip(chosen, parts, strict=True))
    return expression if same else s.rebuild(expression, chosen)


def _cut(expression: s.Scalar, most_terms: int, number: Callable[[s.Cell], float]) -> s.Scalar:
    """Every fold written out, the middle of a long sum or maximum left out."""
    if isinstance(expression, s.Fold):
        terms = _without_middle(s.children(s.expand(expression)), expression.operation, most_terms, number)
        kept = tuple(_cut(term, most_terms, number) for term in terms)
        if len(kept) == 1:
            return kept[0]
        return s.Sum(kept) if expression.operation == "sum" else s.Maximum(kept)
    kept = tuple(_cut(part, most_terms, number) for part in s.children(expression))
    if not isinstance(expression, s.Sum):
        return s.rebuild(expression, kept) if kept else expression
    flat = tuple(t for part in kept for t in (part.terms if isinstance(part, s.Sum) else (part,)))
    # a bias or two beside a sum of the most terms does not make it too long
    return s.Sum(flat if len(flat) <= most_terms + 2 else _without_middle(flat, "sum", most_terms, number))


def _without_middle(
    terms: tuple[s.Scalar, ...], operation: s.Operation, most_terms: int, number: Callable[[s.Cell], float]
) -> tuple[s.Scalar, ...]:
    if len(terms) <= max(most_terms, KEPT_FIRST + KEPT_LAST + 1):
        return terms
    middle = terms[KEPT_FIRST:-KEPT_LAST]
    count = sum(term.count if isinstance(term, s.Omitted) else 1 for term in middle)
    value = evaluate_cell(s.Sum(middle) if operation == "sum" else s.Maximum(middle), number)
    return (*terms[:KEPT_FIRST], s.Omitted(count, value), *terms[-KEPT_LAST:])


def _put_in(expression: s.Scalar, value_of: ValueOf) -> s.Scalar:
    if isinstance(expression, s.Cell):
        return replace(value_of(expression), of=expression)
    parts = s.children(expression)
    return s.rebuild(expression, tuple(_put_in(part, value_of) for part in parts)) if parts else expression


def as_shown(stage: s.Scalar) -> s.Scalar:
    """The arithmetic with every number rounded to the digits that are shown."""
    if isinstance(stage, s.Value):
        return stage if stage.decimals is None else s.Round(stage, stage.decimals)
    parts = s.children(stage)
    return s.rebuild(stage, tuple(map(as_shown, parts))) if parts else stage


def no_cell(cell: s.Cell) -> float:
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
        return branch(expression)
    parts = s.children(expression)
    if isinstance(expression, s.Round):
        decimals = expression.decimals + 2  # enough to see which way it goes
    if not all(map(_is_number, parts)):
        return s.rebuild(expression, tuple(_reduce(part, decimals) for part in parts))
    value = evaluate_cell(expression, no_cell)
    if isinstance(expression, s.Sum):  # a sum has no more decimals than its terms
        decimals = max(map(_decimals, expression.terms))
        largest = max(abs(evaluate_cell(term, no_cell)) for term in expression.terms)
        if abs(value) <= NOISE * largest:  # what float64 left where the terms cancel: it has no digits to show
            return s.Value(value, decimals, over_cells(expression))
    return s.Value(value, _enough(value, decimals), over_cells(expression))


def _decimals(term: s.Scalar) -> int:
    match term:
        case s.Negative(operand):
            return _decimals(operand)
        case s.Value(_, decimals) if decimals is not None:
            return decimals
        case s.Value(value) | s.Number(value):
            return typed_decimals(value)
        case _:
            return 0


def over_cells(expression: s.Scalar) -> s.Scalar:
    """The expression with every number that came from cells traced back to them."""
    if isinstance(expression, s.Value) and expression.of is not None:
        return expression.of
    parts = s.children(expression)
    return s.rebuild(expression, tuple(map(over_cells, parts))) if parts else expression


def branch(where: s.Where) -> s.Scalar:
    """The side that counts, once numbers are put in."""
    one, zero = s.Number(1.0), s.Number(0.0)
    condition = evaluate_cell(s.Where(where.left, where.relation, where.right, one, zero), no_cell)
    return where.then if condition else where.otherwise


def _enough(value: float, decimals: int) -> int:
    """At least three digits of a small number, so that a term does not read 0.000."""
    if value == 0 or not math.isfinite(value):
        return decimals
    return min(max(decimals, 2 - math.floor(math.log10(abs(value)))), 15)
