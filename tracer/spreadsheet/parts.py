"""Formulas longer than a spreadsheet takes, split over cells of their own.

Only a sum can grow that long (the loss of many samples, a convolution): its terms are shared out over helper
cells, and the formula adds those up.
"""

from __future__ import annotations

from collections.abc import Callable

from tracer.expression import scalar as s

PARTS = "parts"  # what the helper cells are called as a matrix; no identifier of ours
COMFORTABLE = 4_000  # characters of one part

Write = Callable[[s.Scalar], str]


def in_parts(expression: s.Scalar, write: Write, most: int, first: int = 0) -> tuple[s.Scalar, list[s.Scalar]]:
    """An expression whose formula has at most `most` characters, and the parts that it needs.

    The parts are its cells (PARTS, first, 0), (PARTS, first + 1, 0), …; there are none where it is short enough.
    """
    if len(write(expression)) <= most:
        return expression, []
    longest = max(_sums(expression), key=lambda each: len(each.terms), default=None)
    if longest is None:
        return expression, []
    parts = _shared_out(longest.terms, write)
    cells = s.Sum(tuple(s.Cell(PARTS, first + k, 0) for k in range(len(parts))))
    return _replaced(expression, longest, cells), parts


def _sums(expression: s.Scalar) -> list[s.Sum]:
    if isinstance(expression, s.Stable):
        return _sums(expression.computed)
    found = [expression] if isinstance(expression, s.Sum) else []
    return found + [each for part in s.children(expression) for each in _sums(part)]


def _shared_out(terms: tuple[s.Scalar, ...], write: Write) -> list[s.Scalar]:
    groups: list[list[s.Scalar]] = [[]]
    length = 0
    for term in terms:
        more = len(write(term)) + 3
        if groups[-1] and length + more > COMFORTABLE:
            groups.append([])
            length = 0
        groups[-1].append(term)
        length += more
    return [s.Sum(tuple(group)) if len(group) > 1 else group[0] for group in groups]


def _replaced(expression: s.Scalar, old: s.Sum, new: s.Sum) -> s.Scalar:
    if expression is old:
        return new
    parts = s.children(expression)
    return s.rebuild(expression, tuple(_replaced(part, old, new) for part in parts)) if parts else expression
