"""Forward formulas held against the functions that their labels name; and whether a book looks like a network at all.

Only shapes that are never meant are accused: log₁₀(1 + e^z) under “softplus”, 1/(1 + e^z) under “sigmoid”.
"""

from __future__ import annotations

import re
from math import isclose, log

import numpy as np

from tracer.audit.graph import BookGraph
from tracer.audit.labels import BookLabels
from tracer.audit.numbers import cells_of
from tracer.audit.report import AuditFinding
from tracer.audit.writing import formula_at
from tracer.expression import scalar as s
from tracer.spreadsheet.columns import address

SOFTPLUS = re.compile(r"soft\s*plus", re.IGNORECASE)
SIGMOID = re.compile(r"sigmoid|logistic|σ", re.IGNORECASE)
SOFTMAX = re.compile(r"soft\s*max", re.IGNORECASE)
_PARTS = (
    re.compile(r"w|weights?|w\d|w{?\w?}?", re.IGNORECASE),
    re.compile(r"b|bias(es)?|b\d", re.IGNORECASE),
    re.compile(r"x|inputs?|x\d", re.IGNORECASE),
)


def forward_findings(graph: BookGraph, labels: BookLabels) -> list[AuditFinding]:
    """Cells whose formula is a near miss of the function that a label beside them names."""
    groups: dict[tuple[str, str], AuditFinding] = {}
    named = {title: _texts(graph, title) for title in graph.book.sheets}
    for cell in graph.order:
        made = graph.made[cell]
        found = None
        if _is_softplus_of_base_ten(made) and any(map(SOFTPLUS.search, named[cell.matrix])):
            found = (
                "log-base",
                "a softplus takes the natural logarithm, not that of base 10",
                _natural(formula_at(graph.book, cell)),
            )
        elif (slip := _sigmoid_slip(graph, made)) is not None and any(map(SIGMOID.search, labels.of(cell))):
            found = slip
        if found is not None:
            _add(groups, graph, cell, *found)
    return list(groups.values())


def _add(
    groups: dict[tuple[str, str], AuditFinding], graph: BookGraph, cell: s.Cell, slug: str, says: str, should_be: str
) -> None:
    formula = formula_at(graph.book, cell)
    key = cell.matrix, slug
    if key not in groups:
        shown = graph.shown(cell)
        right = _value_of(graph, cell, slug)
        words = f"{says}: {formula} should be {should_be}"
        groups[key] = AuditFinding(cell, formula, should_be, slug, words, shown if shown is not None else np.nan, right)
    groups[key].cells.append(cell)


def _value_of(graph: BookGraph, cell: s.Cell, slug: str) -> float:
    own = float(graph.values({})[cell])
    if slug == "log-base":
        return own * log(10)
    return 1 - own if slug == "exponent-sign" else 1 / own if own else np.nan


def _is_softplus_of_base_ten(node: s.Scalar) -> bool:
    match node:
        case s.Quotient(s.Log(s.Sum(terms)), s.Number(base)) if isclose(base, log(10)):
            return s.Number(1.0) in terms and any(isinstance(each, s.Exp) for each in terms)
    return False


def _natural(formula: str) -> str:
    return re.sub(r"\bLOG(10)?\(", "LN(", formula)


def _sigmoid_slip(graph: BookGraph, node: s.Scalar) -> tuple[str, str, str] | None:
    match node:
        case s.Quotient(s.Number(1.0), s.Sum((s.Exp(s.Cell() as z), s.Number(1.0)))) if not _is_negative(graph, z):
            return "exponent-sign", "a sigmoid has −z in its exponent", f"=1/(1+EXP(-{address(z.row, z.column)}))"
        case s.Sum((s.Exp(s.Negative(s.Cell() as z)), s.Number(1.0))):
            return (
                "missing-brackets",
                "a sigmoid divides 1 by the whole sum",
                f"=1/(1+EXP(-{address(z.row, z.column)}))",
            )
    return None


def _is_negative(graph: BookGraph, cell: s.Cell) -> bool:
    """Whether a cell is the opposite of another one: 1/(1 + e^z) of it is a sigmoid."""
    match graph.made.get(cell):
        case s.Negative() | s.Product((s.Number(-1.0), _)) | s.Product((_, s.Number(-1.0))):
            return True
        case s.Sum(terms):
            return all(isinstance(each, s.Negative) for each in terms)
    return False


def _texts(graph: BookGraph, title: str) -> list[str]:
    return [each for each in graph.book.sheets[title].values.values() if isinstance(each, str) and len(each) < 200]


def looks_like_a_network(graph: BookGraph, labels: BookLabels) -> bool:
    """Whether a book without gradients holds a forward pass: weighted sums with activations, or W, b and X."""
    weighted = {cell for cell in graph.order if _is_weighted_sum(graph, graph.made[cell])}
    if any(_is_activation(graph.made[cell], weighted, graph) for cell in graph.order):
        return True
    for title in graph.book.sheets:
        texts = [each.strip() for each in _texts(graph, title)]
        if any(cell.matrix == title for cell in weighted) and all(any(map(part.fullmatch, texts)) for part in _PARTS):
            return True
        if any(map(SOFTMAX.search, texts)) and any(
            _is_share(graph.made[c], graph) for c in graph.order if c.matrix == title
        ):
            return True
    return False


def _is_weighted_sum(graph: BookGraph, node: s.Scalar) -> bool:
    """A sum in which a product of two cells stands."""
    if not isinstance(node, s.Sum):
        return False
    return any(
        isinstance(each, s.Product) and sum(isinstance(f, s.Cell) for f in each.factors) >= 2 for each in node.terms
    )


def _is_activation(node: s.Scalar, weighted: set[s.Cell], graph: BookGraph) -> bool:
    """tanh, a sigmoid, a softmax or a ReLU of a weighted sum."""
    used = cells_of(node)
    if not any(each in weighted for each in used):
        return False
    match node:
        case s.Tanh():
            return True
        case s.Quotient(s.Number(1.0), s.Sum(terms)):
            return any(isinstance(each, s.Exp) for each in terms)
        case s.Quotient(s.Exp(), s.Sum(terms)):
            return all(isinstance(each, s.Exp) for each in terms)
        case s.Maximum((s.Number(0.0), s.Cell())) | s.Maximum((s.Cell(), s.Number(0.0))):
            return True
        case s.Where(s.Cell() as z, _, s.Number(0.0), then, _):
            return then == z
        case s.Exp():
            return True
    return False


def _is_share(node: s.Scalar, graph: BookGraph) -> bool:
    match node:
        case s.Quotient(s.Cell() as above, s.Cell() as below):
            return isinstance(graph.made.get(above), s.Exp | s.Raised) and isinstance(graph.made.get(below), s.Sum)
        case s.Quotient(s.Exp(), _):
            return True
    return False
