"""The slip behind a wrong formula: its slug of the table of slips, and what it is in words.

What a cell is (a weight, what goes into an activation and what comes out, an updated weight) is read off the graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tracer.audit import parsing as p
from tracer.audit.graph import root
from tracer.audit.judge import Judge
from tracer.audit.known import alike, ratio
from tracer.audit.labels import BookLabels
from tracer.audit.rewrites import FormulaChange
from tracer.audit.updates import Fault
from tracer.audit.writing import formula_at, nodes, tree_at
from tracer.expression import scalar as s
from tracer.spreadsheet.columns import address


@dataclass
class SlipNaming:
    """Names slips and cells of one book."""

    judge: Judge
    labels: BookLabels

    def slip(self, fault: Fault, rewrite: FormulaChange | None) -> tuple[str, str]:
        """The slug and the sentence of a fault."""
        change = self.change(fault, rewrite)
        slug = self.slug(fault, rewrite)
        return slug, f"{SAYS.get(slug, SAYS['other']).format(of=self.called(fault.of))}{change}"

    def change(self, fault: Fault, rewrite: FormulaChange | None) -> str:
        formula = formula_at(self.judge.claims.study.graph.book, fault.cell)
        return f": {formula} should be {rewrite.text}" if rewrite is not None else f": {formula}"

    def called(self, cell: s.Cell | None) -> str:
        """A cell with its heading, as in w3 (G33)."""
        if cell is None or not cell.matrix:
            return "the output"
        place = address(cell.row, cell.column)
        heads = [text.rstrip(" =:") for text in self.labels.of(cell) if len(text) <= 16]
        return f"{heads[0]} ({place})" if heads else place

    def slug(self, fault: Fault, rewrite: FormulaChange | None) -> str:
        if fault.kind == "update":
            return self._update_slug(fault, rewrite)
        if self._is_one_term(fault):
            return "bias-not-summed"
        if rewrite is None:
            return self._by_numbers(fault)
        match rewrite.kind:
            case "mask":
                return "relu-mask-missing"
            case "brackets":
                return "missing-brackets"
            case "function":
                return self._function_slug(fault, rewrite)
            case "sign":
                return self._sign_slug(fault, rewrite)
            case "number" | "operator" | "scale" | "quotient":
                return self._number_slug(fault, rewrite)
            case "factor":
                return self._factor_slug(rewrite)
            case "term":
                return self._term_slug(fault, rewrite)
            case "slope":
                return self._slope_slug(fault, rewrite)
            case "turn":
                return "no-transpose" if fault.of not in self.parameters else "transposed-operand-missing"
            case "length" | "range":
                if rewrite.detail.startswith("-"):
                    return "term-dropped-or-doubled"
                return (
                    "bias-not-summed"
                    if fault.of in self.parameters and self._is_copy(fault.cell)
                    else "term-dropped-or-doubled"
                )
            case "whole":
                return self._by_numbers(fault)
            case "line" | "name":
                return self._line_slug(fault, rewrite)
        return self._cell_slug(fault, rewrite)

    def _update_slug(self, fault: Fault, rewrite: FormulaChange | None) -> str:
        update = self.judge.claims.study.roles.updates.get(fault.cell)
        if update is None:
            return "rate-scales-weights" if rewrite is None or rewrite.kind != "cell" else "wrong-row-or-target"
        before = self.judge.row(update.before)
        times = ratio(fault.given - before, fault.right - before)
        if times is None and rewrite is not None and rewrite.kind == "slope":
            return self._slope_slug(fault, rewrite)
        if times is None:
            return (
                "rate-scales-weights" if rewrite is not None and rewrite.kind == "brackets" else "wrong-row-or-target"
            )
        if abs(times + 1) < 1e-6:
            return "wrong-direction"
        return "rate-missing-twice-divided"

    def _function_slug(self, fault: Fault, rewrite: FormulaChange) -> str:
        if rewrite.detail.endswith("LN") or rewrite.detail.startswith("LN"):
            return "loss-log-base" if fault.cell in self.judge.claims.study.roles.losses else "log-base"
        if rewrite.detail.startswith("EXP"):
            return "exponent-sign"
        if rewrite.detail in ("SUM AVERAGE", "AVERAGE SUM"):
            return "bias-mean-or-total" if fault.of in self.parameters else "sum-for-mean"
        return "wrong-activation"

    def _sign_slug(self, fault: Fault, rewrite: FormulaChange) -> str:
        if fault.kind == "forward" and rewrite.detail in ("- +", "+ -"):
            return "bias-subtracted"
        times = ratio(fault.given, fault.right)
        if times is not None and abs(times + 1) < 1e-6:
            return "error-sign" if self._is_error(fault.cell) else "copied-or-sign-dropped"
        return "half-slope" if fault.kind == "local derivative" else "copied-or-sign-dropped"

    def _number_slug(self, fault: Fault, rewrite: FormulaChange) -> str:
        times = ratio(fault.given, fault.right)
        if times is None:
            if rewrite.kind in ("operator", "quotient"):
                return "divided-for-multiplied"
            return "term-dropped-or-doubled" if rewrite.kind == "number" else "other"
        if any(abs(times - each) < 1e-6 for each in (2.0, 0.5)):
            return "half-factor"
        if any(abs(times - each) < 1e-6 for each in self._rates):
            return "rate-in-gradient"
        return "copied-or-sign-dropped" if times < 0 else "sum-for-mean"

    def _factor_slug(self, rewrite: FormulaChange) -> str:
        if rewrite.detail in ("a(1-a)", "1-a^2"):
            return "slope-missing"
        if rewrite.detail == "1-a" or (rewrite.new in self._activations and rewrite.detail == "a"):
            return "half-slope"
        if rewrite.new in self.parameters or self._root(rewrite.new) in self.parameters:
            return "stopped-at-loss"
        return "slope-missing"

    def _term_slug(self, fault: Fault, rewrite: FormulaChange) -> str:
        new = self._root(rewrite.new)
        if fault.kind == "forward" and new in self.judge.claims.study.graph.typed:
            return "bias-subtracted" if rewrite.detail.endswith("2") else "no-bias"
        return "term-dropped-or-doubled"

    def _cell_slug(self, fault: Fault, rewrite: FormulaChange) -> str:
        """One cell in the place of another: by what each of them is."""
        old, new = self._root(rewrite.old), self._root(rewrite.new)
        roles = self.judge.claims.study.roles
        if (old in roles.updates and new not in roles.updates) or (
            old in roles.updates and roles.updates[old].parameter == new
        ):
            return "updated-weights"
        if self._is_input_of(new, old) and fault.kind == "local derivative":
            return "slope-of-activation"
        if self._is_input_of(old, new):
            return (
                "slope-of-z"
                if fault.of not in self.parameters or self._stands(fault, rewrite) > 1
                else "wrong-left-factor"
            )
        if old in self.parameters and new in self.parameters:
            return "wrong-bias" if fault.kind == "forward" else "wrong-layer-weights"
        if fault.of in self.parameters and new in self.judge.claims.study.right and self._is_activation_or_data(old):
            return "wrong-left-factor" if self._layer(old) != self._layer(new) else "wrong-row-or-target"
        return "wrong-row-or-target"

    def _slope_slug(self, fault: Fault, rewrite: FormulaChange) -> str:
        """What a wrong slope is: of z, of the activation taken again, a part of it, or another function's."""
        graph, old = self.judge.claims.study.graph, rewrite.old
        if old is not None and rewrite.new is not None and old != rewrite.new and self._is_input_of(old, rewrite.new):
            return "slope-of-z"
        if any(
            isinstance(each, p.Call) and each.function in ("EXP", "TANH")
            for each in nodes(tree_at(graph.book, fault.cell))
        ):
            return "slope-of-activation"
        shown, a = fault.given, self.judge.row(rewrite.new) if rewrite.new is not None else fault.given
        if any(ratio(shown, row) is not None for row in (a, 1 - a)):
            return "half-slope"
        return "wrong-slope"

    def _line_slug(self, fault: Fault, rewrite: FormulaChange) -> str:
        """Another row or column of numbers: by what these are."""
        old, new = self._root(rewrite.old), self._root(rewrite.new)
        if fault.kind == "local derivative":
            return (
                "slope-of-z"
                if self._is_input_of(old, new)
                else "slope-of-activation"
                if self._is_input_of(new, old)
                else "wrong-slope"
            )
        roles, right = self.judge.claims.study.roles, self.judge.claims.study.right
        if old in roles.updates:
            return "updated-weights"
        if self._is_weight(old) and self._is_weight(new):
            return "no-transpose" if self._are_one_matrix(rewrite) else "wrong-layer-weights"
        if rewrite.old in roles.held and rewrite.new in roles.held:
            return "error-for-delta"
        if old in right or old in roles.targets:
            return "wrong-left-factor" if fault.of in self.parameters else "operand-used-twice"
        return "wrong-row-or-target"

    def _is_one_term(self, fault: Fault) -> bool:
        """Whether a bias's gradient is that of one sample alone."""
        study = self.judge.claims.study
        users = [each for each in study.graph.users.get(fault.of, ()) if each in study.right] if fault.of else []
        if fault.kind != "gradient" or len(users) < 2:
            return False
        slopes = [
            np.broadcast_to(study.slopes_of(each).get(fault.of, 0.0), fault.given.shape) for each in users if fault.of
        ]
        if not all(alike(each, np.ones_like(each)) for each in slopes):
            return False
        return any(ratio(fault.given, row) is not None for each in users for _, row in study.right[each])

    def _are_one_matrix(self, rewrite: FormulaChange) -> bool:
        """Whether two lines of cells cross, as a row and a column of one matrix do."""
        old, new = rewrite.old, rewrite.new
        return old is not None and new is not None and max(abs(old.row - new.row), abs(old.column - new.column)) <= 12

    def _is_weight(self, cell: s.Cell | None) -> bool:
        return cell in self.parameters or (
            cell in self.judge.claims.study.graph.typed and cell in self.judge.claims.study.right
        )

    def _is_copy(self, cell: s.Cell) -> bool:
        return isinstance(self.judge.claims.study.graph.made.get(cell), s.Cell)

    def _stands(self, fault: Fault, rewrite: FormulaChange) -> int:
        """How many times the cell that was replaced stands in the formula."""
        old, tree = rewrite.old, tree_at(self.judge.claims.study.graph.book, fault.cell)
        places = [each.first[:2] for each in nodes(tree) if isinstance(each, p.Reference)]
        return places.count((old.row, old.column)) if old is not None else 0

    def _by_numbers(self, fault: Fault) -> str:
        times = ratio(fault.given, fault.right)
        if times is not None and abs(times + 1) < 1e-6:
            return "error-sign"
        return "wrong-slope" if fault.kind == "local derivative" else "other"

    @cached_property
    def parameters(self) -> frozenset[s.Cell]:
        return frozenset(self.judge.claims.study.roles.parameters)

    @cached_property
    def _rates(self) -> list[float]:
        change = self.judge.change
        return [abs(change), 1 / abs(change)] if change else []

    @cached_property
    def _activations(self) -> frozenset[s.Cell]:
        right = self.judge.claims.study.right
        return frozenset(each for each in right if each in self.judge.claims.study.graph.made)

    def _root(self, cell: s.Cell | None) -> s.Cell | None:
        return None if cell is None else root(self.judge.claims.study.graph, cell)

    def _roots(self, cell: s.Cell) -> list[s.Cell]:
        graph = self.judge.claims.study.graph
        return [root(graph, each) for each in graph.uses[cell]]

    def _is_error(self, cell: s.Cell) -> bool:
        return any(each in self.judge.claims.study.roles.targets for each in self._roots(cell))

    def _is_input_of(self, first: s.Cell | None, second: s.Cell | None) -> bool:
        """Whether one cell is what another is the activation of."""
        graph = self.judge.claims.study.graph
        return (
            first is not None and second in graph.made and [root(graph, each) for each in graph.uses[second]] == [first]
        )

    def _is_activation_or_data(self, cell: s.Cell | None) -> bool:
        return cell is not None and cell in self.judge.claims.study.right and cell not in self.parameters

    def _layer(self, cell: s.Cell | None) -> int:
        """How many computed cells lie under a cell."""
        graph, depth = self.judge.claims.study.graph, 0
        while cell in graph.made and depth < 60:
            cell, depth = graph.uses[cell][0] if graph.uses[cell] else None, depth + 1
        return depth


SAYS = {
    "relu-mask-missing": "the ReLU mask of {of} is missing",
    "missing-brackets": "brackets are missing or misplaced in the gradient in {of}",
    "log-base": "the logarithm has base 10; the natural one belongs here",
    "loss-log-base": "the loss takes a logarithm of base 10; the natural one belongs here",
    "exponent-sign": "the exponent has the wrong sign",
    "sum-for-mean": "a sum stands for a mean, or a mean for a sum, in the gradient in {of}",
    "bias-mean-or-total": "the gradient in {of} is the sum over the samples",
    "wrong-activation": "another function stands here",
    "bias-subtracted": "the bias was subtracted",
    "no-bias": "the bias is missing",
    "wrong-bias": "another parameter's number is used",
    "error-sign": "the error has the wrong sign",
    "copied-or-sign-dropped": "the gradient in {of} has the wrong sign",
    "divided-for-multiplied": "a division stands for a product in the gradient in {of}",
    "half-factor": "the gradient in {of} is off by a factor of 2",
    "rate-in-gradient": "the learning rate is in the gradient in {of}",
    "slope-missing": "the activation's slope is missing from the gradient in {of}",
    "half-slope": "only a part of the activation's slope is there, in the gradient in {of}",
    "slope-of-z": "the slope is taken of what goes into the activation, not of what comes out",
    "wrong-slope": "the slope is another activation's",
    "stopped-at-loss": "a factor of the chain rule is missing from the gradient in {of}",
    "term-dropped-or-doubled": "a term of the sum is missing or counted twice in the gradient in {of}",
    "updated-weights": "a weight that is already updated is used",
    "wrong-layer-weights": "another weight is used in the gradient in {of}",
    "wrong-left-factor": "another layer's numbers, or those before the activation, are used in the gradient in {of}",
    "wrong-row-or-target": "another unit's, sample's or epoch's number is used for {of}",
    "bias-not-summed": "the sum for the gradient in {of} is over the wrong cells",
    "wrong-direction": "{of} moves up the gradient, not down",
    "rate-missing-twice-divided": "the learning rate is missing, or there twice, in the update of {of}",
    "rate-scales-weights": "the learning rate scales the weight too, in the update of {of}",
    "slope-of-activation": "the slope takes the activation of what has come out of it already",
    "no-transpose": "the matrix is not transposed, in the gradient in {of}",
    "transposed-operand-missing": "a matrix is not transposed, in the gradient in {of}",
    "error-for-delta": "the error before the slope stands for the one behind it, in the gradient in {of}",
    "operand-used-twice": "one factor stands in the place of another, in the gradient in {of}",
    "other": "this is not the gradient in {of}",
}
