"""How a derivation by hand is written: what a function is, then its derivative line by line."""

from __future__ import annotations

from html import escape

from tracer.calculus.by_hand import LEFT, Derivation
from tracer.derivation.typeset import EQUALS, Contents, Formula, crossed, formula, operator, row, say
from tracer.expression import scalar as s
from tracer.expression.mathml import cell_mathml


def written(found: tuple[Derivation, ...]) -> Contents:
    """Each derivation with its opening and its lines."""
    for each in found:
        if each.says and not each.case:
            yield say(each.says)
        yield _opening(each)
        yield from _equalities(each)
        if each.says and each.case:
            yield say(each.says)


def _opening(derivation: Derivation) -> Formula:
    """a = …, where z > 0."""
    first = f"{_letter(derivation.name)}<mo>=</mo>{cell_mathml(derivation.value, _name)}"
    if not derivation.case:
        return formula((first,))
    return formula(
        (first,), (f"<mtext>&#160;where&#160;</mtext><mi>z</mi><mo>{escape(derivation.case)}</mo><mn>0</mn>",)
    )


def _equalities(derivation: Derivation) -> Contents:
    """Each line; those that need a word have it before them."""
    several = derivation.partial or isinstance(derivation.by, s.Cell)
    sign = "<mo>∂</mo>" if several else "<mi>d</mi>"
    by = row(sign, _letter(derivation.by))
    start = f"<mfrac>{row(sign, _letter(derivation.name))}{by}</mfrac>"
    stages: list[tuple[str, ...]] = [(start,)]
    for each in derivation.lines:
        if each.says and len(stages) > 1:
            yield formula(*stages)
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
    yield formula(*stages)


def _letter(letter: s.Scalar) -> str:
    return cell_mathml(letter, _name)


def _name(cell: s.Cell) -> str:
    return f"<msub><mi>{cell.matrix}</mi><mn>{cell.column + 1}</mn></msub>"
