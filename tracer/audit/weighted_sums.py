"""Weighted sums of a book, however they are laid out: each as parameters times signals, read off the graph of cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from tracer.audit.graph import BookGraph, root
from tracer.expression import scalar as s

WeightedTerm: TypeAlias = tuple[s.Cell | None, s.Cell | None]
"""A parameter times a signal; None stands for 1."""
WeightedForm: TypeAlias = Mapping[WeightedTerm, float]
Z_SHEET = "z"  # the sheet of the cells that stand for weighted sums in an unfolded expression


def weights_in(form: WeightedForm | None) -> bool:
    """Whether a form has parameters."""
    return form is not None and any(parameter is not None for parameter, _ in form)


@dataclass
class WeightedSums:
    """Reads cells as weighted sums. `parameters` are typed cells."""

    graph: BookGraph
    parameters: frozenset[s.Cell]
    _known: dict[s.Cell, WeightedForm | None] = field(default_factory=dict)

    def of_cell(self, cell: s.Cell) -> WeightedForm | None:
        """What a computed cell is a weighted sum of; None where it is anything else."""
        if cell not in self._known:
            self._known[cell] = None
            self._known[cell] = self.of(self.graph.made[cell])
        return self._known[cell]

    def of(self, node: s.Scalar) -> WeightedForm | None:
        match node:
            case s.Cell():
                return self._of_operand(node)
            case s.Number(value):
                return {(None, None): value}
            case s.Sum(terms):
                return _added(self.of(each) for each in terms)
            case s.Negative(inner):
                return _scaled(self.of(inner), -1.0)
            case s.Quotient(above, s.Number(value)):
                return _scaled(self.of(above), 1.0 / value)
            case s.Product(factors):
                return self._of_product(factors)
        return None

    def _of_operand(self, cell: s.Cell) -> WeightedForm:
        origin = root(self.graph, cell)
        if origin in self.parameters:
            return {(origin, None): 1.0}
        if origin in self.graph.made:
            inner = self.of_cell(origin)
            if inner is not None and weights_in(inner):
                return inner
        return {(None, origin): 1.0}

    def _of_product(self, factors: tuple[s.Scalar, ...]) -> WeightedForm | None:
        found: WeightedForm = {(None, None): 1.0}
        for factor in factors:
            form = self.of(factor)
            if form is None:
                return None
            if weights_in(form) and weights_in(found) and isinstance(factor, s.Cell):
                form = {(None, root(self.graph, factor)): 1.0}  # the sum of a layer without an activation
            product = _multiplied(found, form)
            if product is None:
                return None
            found = product
        return found

    def unfolded(self, node: s.Scalar, sums: dict[frozenset[tuple[WeightedTerm, float]], s.Cell]) -> s.Scalar:
        """An expression over weighted sums and typed cells; each sum is a cell of Z_SHEET, entered in `sums`."""
        if isinstance(node, s.Cell):
            origin = root(self.graph, node)
            if origin not in self.graph.made or origin in self.parameters:
                return origin
            form = self.of_cell(origin)
            if form is not None and weights_in(form):
                return _entered(form, sums)
            return self.unfolded(self.graph.made[origin], sums)
        if isinstance(node, s.Sum | s.Product):
            form = self.of(node)
            if form is not None and weights_in(form):
                if all(factor == -1.0 for factor in form.values()):
                    return s.Negative(_entered({term: 1.0 for term in form}, sums))
                return _entered(form, sums)
        parts = s.children(node)
        return s.rebuild(node, tuple(self.unfolded(part, sums) for part in parts)) if parts else node


def _entered(form: WeightedForm, sums: dict[frozenset[tuple[WeightedTerm, float]], s.Cell]) -> s.Cell:
    return sums.setdefault(frozenset(form.items()), s.Cell(Z_SHEET, len(sums), 0))


def _added(forms: Iterable[WeightedForm | None]) -> WeightedForm | None:
    found: dict[WeightedTerm, float] = {}
    for form in forms:
        if form is None:
            return None
        for term, factor in form.items():
            found[term] = found.get(term, 0.0) + factor
    return found


def _scaled(form: WeightedForm | None, factor: float) -> WeightedForm | None:
    return None if form is None else {term: factor * value for term, value in form.items()}


def _multiplied(left: WeightedForm, right: WeightedForm) -> WeightedForm | None:
    found: dict[WeightedTerm, float] = {}
    for (parameter, signal), factor in left.items():
        for (other, signals), times in right.items():
            if (parameter and other) or (signal and signals):
                return None
            term = parameter or other, signal or signals
            found[term] = found.get(term, 0.0) + factor * times
    return found


def signals_of(form: Iterable[tuple[WeightedTerm, float]]) -> Iterator[s.Cell]:
    """The signals of a form, as they come."""
    return (signal for (_, signal), _ in form if signal is not None)
