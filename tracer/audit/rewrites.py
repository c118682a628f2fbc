"""The formula that belongs in a cell: the smallest change of the one that stands there whose numbers are right.

Each change is tried at all points at once; numbers that agree at eleven points are no accident.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tracer.audit import parsing as p
from tracer.audit.brackets import bracketed, bracketings
from tracer.audit.chain_rule import chain_rule
from tracer.audit.grids import number
from tracer.audit.known import Study, alike
from tracer.audit.lowering import Lowering
from tracer.audit.numbers import PointRow, value
from tracer.audit.parsing import UnreadFormulaError
from tracer.audit.references import grown, moved_ranges, replaced, size_of, started, styled
from tracer.audit.shapes import (
    factors_of_one,
    longer,
    other_lines,
    parts_of_one,
    regrouped,
    slopes_of,
    terms_of,
    turned,
)
from tracer.audit.writing import moved, nodes, reference_to, text_of, tree_at
from tracer.expression import scalar as s

SWAPPED = {
    "LOG": "LN", "LOG10": "LN", "LN": "LOG", "SUM": "AVERAGE", "AVERAGE": "SUM", "MAX": "MIN", "MIN": "MAX",
    "SUMPRODUCT": "SUM", "TANH": "SIN",
}  # fmt: skip
MOST_TRIED, MOST_MORE, MOST_POOL = 9_000, 1_500, 260
FARTHEST = 4  # rows and columns that a range may be off


@dataclass(frozen=True)
class FormulaChange:
    """A formula in place of another. `kind` says what was changed: cell, range, brackets, function, number, sign,
    factor, mask, term, whole; `old` and `new` are the cells concerned, where there are some."""

    tree: p.FormulaNode
    kind: str
    old: s.Cell | None = None
    new: s.Cell | None = None
    detail: str = ""

    @property
    def text(self) -> str:
        return "=" + text_of(self.tree)


class Rewriting:
    """Looks for the rewrite of one cell's formula. `values` are the rows with everything before it put right."""

    def __init__(
        self, study: Study, values: Mapping[s.Cell, PointRow], cell: s.Cell, right: PointRow, of: s.Cell | None = None
    ) -> None:
        self.of = of
        self.study, self.values, self.cell, self.right = study, values, cell, right
        self.book = study.graph.book
        self.lowering = Lowering(self.book)
        self.formula = self.book.sheets[cell.matrix].formulas[cell.row, cell.column]
        self.tree = tree_at(self.book, cell)
        self.tried = 0
        self.alike: list[tuple[s.Cell, PointRow]] = []  # cells that the formula was copied to, and what belongs there
        self.way = ""  # by which the change was found

    def find(self, first: str = "") -> FormulaChange | None:
        """The first change whose numbers are right, or None. `first`: the kind of change to begin with."""
        ways = sorted(WAYS, key=lambda each: each.__name__ != first)
        here_alone: tuple[FormulaChange, str] | None = None
        most = MOST_TRIED
        with np.errstate(all="ignore"):
            for way in ways:
                for rewrite in way(self):
                    if self.tried > most and way is not Rewriting.chain:
                        break
                    if not self.is_right(rewrite.tree):
                        continue
                    if self.is_right_when_copied(rewrite.tree):
                        self.way = way.__name__
                        return rewrite
                    if here_alone is None:
                        here_alone, most = (rewrite, way.__name__), min(most, self.tried + MOST_MORE)
        if here_alone is None:
            return None
        self.way = here_alone[1]
        return here_alone[0]

    def is_right(self, tree: p.FormulaNode) -> bool:
        self.tried += 1
        return self._gives(tree, self.cell, self.right)

    def is_right_when_copied(self, tree: p.FormulaNode) -> bool:
        """Whether a formula is right in the other cells too that the one in its place was copied to."""
        return all(
            self._gives(moved(tree, cell.row - self.cell.row, cell.column - self.cell.column), cell, right)
            for cell, right in self.alike
        )

    def _gives(self, tree: p.FormulaNode, cell: s.Cell, right: PointRow) -> bool:
        try:
            if self.formula.spread is None:
                item = self.lowering.tree(cell.matrix, tree)
            else:
                grid = _grid(self.lowering, cell.matrix, tree)
                item = self.lowering.part(grid, self.formula, (cell.row, cell.column))
            found = value(number(item), self.values)
        except (UnreadFormulaError, KeyError, RecursionError, IndexError):
            return False
        return alike(np.broadcast_to(found, right.shape), right)

    def pool(self) -> list[s.Cell]:
        """Cells that could stand in a formula: those of its pass, the nearest first."""
        if not hasattr(self, "_pool"):
            used = self.study.graph.uses[self.cell]
            near = {self.cell, *used, *(each for cell in used for each in self.study.graph.uses.get(cell, ()))}
            known = {
                *self.study.right,
                *self.study.roles.targets,
                *self.study.roles.backward(),
                *self.study.graph.typed,
            }
            there = {each.matrix for each in (self.cell, *self._behind())}
            same = [each for each in known if each.matrix in there and each != self.cell and each in self.values]
            order = self.study.places
            place = order.get(self.cell, 0)
            before = [each for each in same if order.get(each, -1) < place or each in near]
            before.sort(
                key=lambda each: (
                    self._distance(each),
                    each.row,
                    each.column,
                )
            )
            if self.of in before[MOST_POOL:] or self.of in before:
                before.remove(self.of)
                before.insert(0, self.of)
            self._pool = before[:MOST_POOL]
        return self._pool

    def _behind(self) -> list[s.Cell]:
        """What the cell is made of, and what that is made of."""
        uses = self.study.graph.uses
        return [*uses[self.cell], *(each for cell in uses[self.cell] for each in uses.get(cell, ()))]

    def _distance(self, cell: s.Cell) -> float:
        """How far a cell is, on another sheet from the cells that the formula takes from there."""
        behind = [each for each in self._behind() if each.matrix == cell.matrix]
        near = [self.cell] if cell.matrix == self.cell.matrix else behind
        return min(abs(cell.row - each.row) + abs(cell.column - each.column) * 0.5 for each in near)

    def cells(self) -> Iterator[FormulaChange]:
        """One cell in the place of another, wherever that stands, or in one place alone."""
        if not np.any(self.right):
            return  # many cells are 0
        references = [each for each in nodes(self.tree) if isinstance(each, p.Reference) and each.last is None]
        for reference in dict.fromkeys(references):
            old = s.Cell(reference.sheet or self.cell.matrix, reference.first.row, reference.first.column)
            for new in self.pool():
                if new != old and not self._same_numbers(new, old):
                    target = styled(reference, new, self.cell.matrix)
                    yield FormulaChange(replaced(self.tree, reference, target), "cell", old, new)
        for reference in dict.fromkeys(references):
            if references.count(reference) > 1:
                old = s.Cell(reference.sheet or self.cell.matrix, reference.first.row, reference.first.column)
                for at in range(references.count(reference)):
                    for new in self.pool()[:80]:
                        target = styled(reference, new, self.cell.matrix)
                        yield FormulaChange(replaced(self.tree, reference, target, at), "cell", old, new)

    def _same_numbers(self, one: s.Cell, other: s.Cell) -> bool:
        a, b = self.values.get(one), self.values.get(other)
        return a is not None and b is not None and np.shape(a) == np.shape(b) and bool(np.all(a == b))

    def ranges(self) -> Iterator[FormulaChange]:
        """A range moved, made longer or shorter."""
        references = dict.fromkeys(each for each in nodes(self.tree) if isinstance(each, p.Reference) and each.last)
        for reference in references:
            for target in moved_ranges(reference):
                kind = "name" if size_of(reference) == size_of(target) else "range"
                yield FormulaChange(
                    replaced(self.tree, reference, target),
                    kind,
                    self._start(reference),
                    self._start(target),
                    grown(reference, target),
                )

    def brackets(self) -> Iterator[FormulaChange]:
        """Brackets put around a part, or left out."""
        text = text_of(self.tree)
        for changed_text in bracketings(text):
            try:
                yield FormulaChange(p.parse(changed_text), "brackets")
            except UnreadFormulaError:
                continue

    def functions(self) -> Iterator[FormulaChange]:
        """Another function, or another sign of its argument."""
        for node in dict.fromkeys(nodes(self.tree)):
            if isinstance(node, p.Call):
                if name := SWAPPED.get(node.function):
                    yield FormulaChange(
                        replaced(self.tree, node, p.Call(name, node.arguments)),
                        "function",
                        detail=f"{node.function} {name}",
                    )
                if node.function == "EXP" and node.arguments[0] is not None:
                    inner = node.arguments[0]
                    opposite = (
                        inner.operand
                        if isinstance(inner, p.Unary) and inner.sign == "-"
                        else p.Unary("-", bracketed(inner))
                    )
                    yield FormulaChange(
                        replaced(self.tree, node, p.Call("EXP", (opposite,))), "function", detail="EXP EXP-"
                    )

    def signs(self) -> Iterator[FormulaChange]:
        """Another sign, another operator, the operands of a difference the other way round, another number."""
        for node in dict.fromkeys(nodes(self.tree)):
            match node:
                case p.Binary("-", left, right):
                    turned = p.Binary("-", bracketed(right), bracketed(left))
                    yield FormulaChange(replaced(self.tree, node, turned), "sign", detail="turned")
                    yield FormulaChange(replaced(self.tree, node, p.Binary("+", left, right)), "sign", detail="- +")
                case p.Binary("+", left, right):
                    yield FormulaChange(replaced(self.tree, node, p.Binary("-", left, right)), "sign", detail="+ -")
                case p.Binary("*", left, right):
                    yield FormulaChange(replaced(self.tree, node, p.Binary("/", left, right)), "operator", detail="* /")
                    for kept in (left, right):
                        yield FormulaChange(
                            replaced(self.tree, node, kept), "number", detail=text_of(right if kept is left else left)
                        )
                case p.Binary("/", left, right):
                    yield FormulaChange(replaced(self.tree, node, p.Binary("*", left, right)), "operator", detail="/ *")
                    yield FormulaChange(replaced(self.tree, node, left), "number", detail=text_of(right))
                case p.Unary("-", operand):
                    yield FormulaChange(replaced(self.tree, node, operand), "sign", detail="-")
                case p.Literal(float() as known) if not self._is_choice(node):
                    for other in (0.5, 1.0, 2.0, 3.0):
                        if other != known:
                            yield FormulaChange(
                                replaced(self.tree, node, p.Literal(other)), "number", detail=f"{known:g} {other:g}"
                            )
                case p.Binary("^", base, p.Literal(2.0)):
                    yield FormulaChange(replaced(self.tree, node, base), "number", detail="^2")

    def _is_choice(self, number: p.FormulaNode) -> bool:
        """Whether a number is what an IF gives: of another label it would be wrong again."""
        calls = [each for each in nodes(self.tree) if isinstance(each, p.Call) and each.function == "IF"]
        return any(number in call.arguments[1:] for call in calls)

    def factors(self) -> Iterator[FormulaChange]:
        """The whole times or divided by something: −1, a number, a cell a, 1 − a, a·(1 − a), 1 − a², a mask."""
        shown = self.shown()
        factor = self.right / shown
        both = np.isfinite(factor) & (np.abs(shown) > 0)
        if np.count_nonzero(both) >= 3 and np.ptp(factor[both]) <= 1e-7 * abs(factor[both][0]):
            yield from self._by_number(float(factor[both][0]))
        for cell in self.pool():
            for made, form in factors_of_one(reference_to(cell, self.cell.matrix)):
                row = np.broadcast_to(self.values[cell], shown.shape)
                known = {"a": row, "1-a": 1 - row, "a(1-a)": row * (1 - row), "1-a^2": 1 - row**2}[form]
                if alike(shown * known, self.right):
                    yield FormulaChange(p.Binary("*", bracketed(self.tree, 4), made), "factor", new=cell, detail=form)
                if form in ("a", "1-a") and alike(shown / known, self.right):
                    yield FormulaChange(p.Binary("/", bracketed(self.tree, 4), made), "quotient", new=cell, detail=form)

    def _by_number(self, factor: float) -> Iterator[FormulaChange]:
        if abs(factor + 1) < 1e-6:
            yield FormulaChange(p.Unary("-", bracketed(self.tree, 5)), "sign", detail="whole")
        for count in (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0):
            if abs(factor - count) < 1e-6:
                yield FormulaChange(
                    p.Binary("*", p.Literal(count), bracketed(self.tree, 4)), "scale", detail=f"{count:g}"
                )
            if abs(factor - 1 / count) < 1e-6:
                yield FormulaChange(
                    p.Binary("/", bracketed(self.tree, 4), p.Literal(count)), "scale", detail=f"1/{count:g}"
                )

    def masks(self) -> Iterator[FormulaChange]:
        """The whole where a cell is positive, else 0; also where an IF has another condition."""
        for cell in self.pool():
            row = np.broadcast_to(self.values[cell], self.right.shape)
            if not alike(np.where(row > 0, self.shown(), 0.0), self.right) or not self._is_masked(cell):
                continue
            condition = p.Binary(">", reference_to(cell, self.cell.matrix), p.Literal(0.0))
            yield FormulaChange(p.Call("IF", (condition, self.tree, p.Literal(0.0))), "mask", new=cell)

    def _is_masked(self, cell: s.Cell) -> bool:
        """Whether a forward cell goes through a ReLU: some cell of it alone has the slopes 0 and 1."""
        for user in self.study.graph.users.get(cell, ()):
            if user in self.study.right and isinstance(self.study.graph.made[user], s.Where | s.Maximum | s.Product):
                slope = np.broadcast_to(self.study.slopes_of(user).get(cell, 0.0), self.right.shape)
                if np.all(np.isin(slope, (0.0, 1.0))):
                    return True
        return False

    def terms(self) -> Iterator[FormulaChange]:
        """The whole with a cell or a product of two cells added, or taken off."""
        missing = self.right - self.shown()
        pool = self.pool()[:120]
        for cell in pool:
            row = np.broadcast_to(self.values[cell], missing.shape)
            for sign, operator in ((1.0, "+"), (-1.0, "-")):
                for times in (1.0, 2.0):
                    if alike(sign * times * row, missing):
                        added: p.FormulaNode = reference_to(cell, self.cell.matrix)
                        added = added if times == 1 else p.Binary("*", p.Literal(times), added)
                        yield FormulaChange(
                            p.Binary(operator, self.tree, added), "term", new=cell, detail=f"{operator}{times:g}"
                        )
        missing = np.nan_to_num(missing)
        rows = np.nan_to_num([np.broadcast_to(self.values[cell], missing.shape) for cell in pool]).reshape(
            len(pool), -1
        )
        for k, cell in enumerate(pool):
            near = np.max(np.abs(rows * rows[k] - missing), axis=1) <= 1e-9 * np.max(np.abs(missing))
            for other in np.flatnonzero(near):
                product = p.Binary(
                    "*", reference_to(cell, self.cell.matrix), reference_to(pool[int(other)], self.cell.matrix)
                )
                yield FormulaChange(p.Binary("+", self.tree, product), "term", new=cell, detail="product")

    def lines(self) -> Iterator[FormulaChange]:
        """Another row or column of numbers in a sum of products."""
        for tree, old, new in other_lines(self.tree, self.pool(), self.cell.matrix):
            yield FormulaChange(tree, "line", old, new)

    def lengths(self) -> Iterator[FormulaChange]:
        """A sum over more cells in line, or one fewer."""
        for tree in longer(self.tree, self.cell.matrix):
            yield FormulaChange(tree, "length", detail=str(len(terms_of(tree)) - len(terms_of(self.tree))))

    def turns(self) -> Iterator[FormulaChange]:
        """A matrix turned, or not; another defined name."""
        for tree in turned(self.tree):
            yield FormulaChange(tree, "turn")
        names = self._names()
        for node in dict.fromkeys(nodes(self.tree)):
            if isinstance(node, p.NameNode):
                for name in names:
                    if name.lower() != node.name.lower():
                        yield FormulaChange(
                            replaced(self.tree, node, p.NameNode(name)),
                            "name",
                            self._first(node.name),
                            self._first(name),
                        )
            elif isinstance(node, p.Reference) and node.last is not None:
                for start in self.pool():
                    target = started(node, start)
                    old = s.Cell(node.sheet or self.cell.matrix, node.first.row, node.first.column)
                    yield FormulaChange(replaced(self.tree, node, target), "name", old, start)

    def _first(self, name: str) -> s.Cell | None:
        """The first cell of a defined name."""
        try:
            tree = p.parse(self.book.names.get(name.lower(), ""))
        except UnreadFormulaError:
            return None
        if not isinstance(tree, p.Reference):
            return None
        return s.Cell(tree.sheet or self.cell.matrix, tree.first.row, tree.first.column)

    def slopes(self) -> Iterator[FormulaChange]:
        """A part that is made of one cell (or matrix), as another function of it, or of one that is near it."""
        for tree in dict.fromkeys((self.tree, *regrouped(self.tree))):
            for part, reference in parts_of_one(tree):
                own = self._start(reference)
                if own is None:
                    continue
                for cell in dict.fromkeys([own, *self._kin(own)]):
                    for made, form in slopes_of(reference if cell == own else self._instead(reference, cell)):
                        yield FormulaChange(replaced(tree, part, made), "slope", own, cell, form)

    def scaled(self) -> Iterator[FormulaChange]:
        """A cell or matrix times a typed number that does not move: a rate."""
        rates = [each for each in self._rates() if each in self.values]
        for node in dict.fromkeys(nodes(self.tree)):
            if isinstance(node, p.Reference | p.NameNode):
                for rate in rates:
                    times = p.Binary("*", reference_to(rate, self.cell.matrix), node)
                    yield FormulaChange(replaced(self.tree, node, times), "scaled", self._start(node), rate)

    def _rates(self) -> list[s.Cell]:
        """Typed cells that other updates take their gradients times."""
        graph, roles = self.study.graph, self.study.roles
        used = [each for update in roles.updates for each in graph.uses[update]]
        known = [each for each in dict.fromkeys(used) if each in graph.typed and each not in self.study.right]
        return sorted(known, key=lambda each: -used.count(each))[:5]

    def _start(self, node: p.Reference | p.NameNode) -> s.Cell | None:
        """The first cell of a reference or a defined name."""
        if isinstance(node, p.NameNode):
            return self._first(node.name)
        return s.Cell(node.sheet or self.cell.matrix, node.first.row, node.first.column)

    def _instead(self, node: p.Reference | p.NameNode, start: s.Cell) -> p.FormulaNode:
        """The range or name that starts in another cell, in the place of one."""
        if isinstance(node, p.NameNode):
            for name in self._names():
                if self._first(name) == start:
                    return p.NameNode(name)
            return reference_to(start, self.cell.matrix)
        return started(node, start) if node.last is not None else styled(node, start, self.cell.matrix)

    def _names(self) -> list[str]:
        return [self.book.spelled.get(each, each) for each in self.book.names if isinstance(each, str)]

    def _kin(self, cell: s.Cell) -> list[s.Cell]:
        """What a cell is made of, and what is made of it alone."""
        graph = self.study.graph
        alone = [user for user in graph.users.get(cell, ()) if graph.uses[user] == (cell,) and user in self.study.right]
        return [*graph.uses.get(cell, ())[:3], *alone]

    def chain(self) -> Iterator[FormulaChange]:
        """The chain rule written out, where no small change is right."""
        text = chain_rule(self.study, self.values, self.cell, self.of) if self.of is not None else None
        if text is not None:
            yield FormulaChange(p.parse(text), "whole")

    def shown(self) -> PointRow:
        return np.broadcast_to(value(self.study.graph.made[self.cell], self.values), self.right.shape)


def _grid(lowering: Lowering, sheet: str, tree: p.FormulaNode) -> list[list]:  # type: ignore[type-arg]
    from tracer.audit.lowering import _Tree

    return _Tree(lowering, sheet, 0, 0).grid(tree)


WAYS = (
    Rewriting.functions, Rewriting.signs, Rewriting.masks, Rewriting.cells, Rewriting.brackets, Rewriting.factors,
    Rewriting.slopes, Rewriting.turns, Rewriting.ranges, Rewriting.lengths, Rewriting.lines, Rewriting.scaled,
    Rewriting.terms, Rewriting.chain,
)  # fmt: skip
