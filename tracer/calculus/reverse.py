"""The way back through one expression: what the gradient of its value sends on to each matrix that it is made of.

Each kind of node has one entry, its adjoint; functions of cells take their slope (differentiate.py), functions of rows
their closed form (row_functions.py). A broadcast forward is a sum on the way back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from tracer.calculus.differentiate import slope
from tracer.calculus.row_functions import LOCAL, recognised
from tracer.calculus.tidy import Scale, as_number, is_number, negative, part, scaled, turned
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal

Sent: TypeAlias = tuple[str, m.Matrix]
"""A matrix by its identifier, and a contribution to its gradient, of its shape."""
NamedGradient: TypeAlias = Callable[[m.Matrix, m.Matrix], m.Matrix]
"""Takes a local derivative and the operand that it is with respect to; gives what stands for it, itself or a symbol."""


@dataclass(frozen=True)
class Gradient:
    """What comes back to a node: `matrix` (None: ones of `shape`), multiplied and divided by the numbers of `scale`."""

    shape: m.Shape
    matrix: m.Matrix | None = None
    scale: Scale = ()

    @property
    def written(self) -> m.Matrix:
        """As an expression."""
        if self.matrix is not None:
            return scaled(self.matrix, self.scale)
        return m.filled(as_number(self.scale), self.shape)

    def of(self, matrix: m.Matrix) -> Gradient:
        """Another matrix, with the same numbers."""
        return replace(self, shape=matrix.shape, matrix=matrix)

    def times(self, operator: m.Operator, number: m.Matrix | float) -> Gradient:
        factor = m.Constant(number) if isinstance(number, float) else number
        return replace(self, scale=(*self.scale, (operator, factor)))

    @property
    def whole(self) -> m.Matrix:
        """The matrix alone, without its numbers."""
        return self.matrix or m.filled(1.0, self.shape)


def sent_back(
    expression: m.Matrix,
    value: m.Matrix,
    gradient: Gradient,
    active: Collection[str],
    named: NamedGradient,
    every_slope: bool = False,
) -> Iterator[Sent]:
    """The contributions of an expression to the gradients of the matrices in `active` that it is made of.

    `value` is what holds the expression's value, `gradient` that of the loss with respect to it. With `every_slope` a
    slope that is the same number everywhere is a local derivative to be named too.
    """
    return _Back(active, named, expression, value, every_slope).through(expression, gradient)


def differentiable(expression: m.Matrix) -> Iterator[str]:
    """The matrices that a gradient goes back to: not through what is detached, nor through a condition."""
    match expression:
        case m.Symbol(name):
            yield name
        case m.Detached():
            return
        case m.Apply(template, arguments):
            for name, operand in arguments:
                if slope(template, name)[0] != s.Number(0.0):
                    yield from differentiable(operand)
        case m.StableForm(shown, _):
            yield from differentiable(shown)
        case _:
            for operand in traversal.operands(expression):
                yield from differentiable(operand)


@dataclass(frozen=True)
class _Back:
    active: Collection[str]
    named: NamedGradient
    expression: m.Matrix
    value: m.Matrix
    every_slope: bool = False

    def through(self, node: m.Matrix, back: Gradient) -> Iterator[Sent]:
        if not any(each.name in self.active for each in traversal.symbols(node)):
            return
        known = recognised(node)
        if known is not None:
            function, operands = known
            yield from self._of_rows(function.ways(self._valued(node), back.whole, *operands), back)
            return
        match node:
            case m.Symbol(name):
                yield name, back.written
            case m.MatMul(left, right):
                yield from self.through(left, back.of(m.MatMul(back.whole, turned(right))))
                yield from self.through(right, back.of(m.MatMul(turned(left), back.whole)))
            case m.Transpose(operand):
                yield from self.through(operand, _turned(back))
            case m.Broadcast():
                yield from self._broadcast(node, back)
            case m.Apply():
                yield from self._apply(node, back)
            case m.Repeat(operand, over):
                yield from self.through(operand, _summed(back, over))
            case m.Reduce("sum", operand, over):
                yield from self.through(operand, _repeated(back, over, operand.shape))
            case m.Reduce(_, operand, over):
                yield from self._largest(node, operand, over, back)
            case m.Detached():
                return
            case m.Rounded(operand):
                yield from self.through(operand, back)
            case m.StableForm(shown):
                yield from self.through(shown, back)
            case _:
                yield from self._picked(node, back)

    def _valued(self, node: m.Matrix) -> m.Matrix:
        """What holds the value of a node: the symbol, where it is the whole expression."""
        return self.value if node is self.expression else node

    def _of_rows(self, ways: list[tuple[m.Matrix, m.Matrix | None, m.Matrix]], back: Gradient) -> Iterator[Sent]:
        for operand, local, way in ways:
            if not any(each.name in self.active for each in traversal.symbols(operand)):
                continue
            made = way if local is None else _with_local(way, self.named(local, operand))
            yield from self.through(operand, back.of(_without_ones(made)))

    def _broadcast(self, node: m.Broadcast, back: Gradient) -> Iterator[Sent]:
        left, right = node.left, node.right
        match node.operator:
            case "+":
                yield from self._to(left, back)
                yield from self._to(right, back)
            case "-":
                yield from self._to(left, back)
                yield from self._to(right, back.times("*", -1.0))
            case "*":
                yield from self._to(left, _times(back, right, node.shape))
                yield from self._to(right, _times(back, left, node.shape))
            case "/":
                over = back.times("/", right) if is_number(right) else back.of(m.divide(back.whole, right))
                yield from self._to(left, over)
                if self._matters(right):
                    ratio = negative(m.divide(self._valued(node), right))
                    yield from self._to(right, _times(back, self.named(ratio, right), node.shape))

    def _apply(self, node: m.Apply, back: Gradient) -> Iterator[Sent]:
        for name, operand in node.arguments:
            if not self._matters(operand):
                continue
            rule, of_value = slope(node.template, name)
            if rule == s.Number(0.0):
                continue
            if isinstance(rule, s.Number) and not self.every_slope:
                yield from self._to(operand, back.times("*", rule.value))
                continue
            known = (*node.arguments, *([("a", self._valued(node))] if of_value else []))
            used = tuple((key, each) for key, each in known if key in s.variables(rule)) or node.arguments
            local: m.Matrix = m.Apply(rule, used)
            if local.shape != node.shape:  # every argument that it is written in is broadcast
                local = m.Apply(rule, (*used, *((f"{key}_", each) for key, each in node.arguments)))
            if back.matrix is None:
                yield from self._to(operand, back.of(local))
            else:
                yield from self._to(operand, back.of(m.multiply(back.matrix, self.named(local, operand))))

    def _largest(self, node: m.Reduce, operand: m.Matrix, over: m.Axis, back: Gradient) -> Iterator[Sent]:
        """Along an axis the first of equal cells takes all, over all cells they share."""
        largest, (rows, columns) = self._valued(node), operand.shape
        if over == "all":
            u, t = s.Variable("u"), s.Variable("t")
            equal = s.Where(u, "=", t, s.Number(1.0), s.Number(0.0))
            ties = m.Apply(equal, (("u", operand), ("t", m.repeat(largest, "all", operand.shape))))
            local: m.Matrix = m.divide(ties, m.total(ties))
        else:
            local = m.FirstMaximum(operand, (rows, 1) if over == "rows" else (1, columns))
        wide = _repeated(back, over, operand.shape)
        yield from self._to(operand, _times(wide, self.named(local, operand), operand.shape))

    def _picked(self, node: m.Matrix, back: Gradient) -> Iterator[Sent]:
        G = back.whole
        match node:
            case m.Row(operand, index):
                rows, columns = (index,), tuple(range(operand.shape[1]))
                yield from self.through(operand, back.of(m.Scatter(G, rows, columns, operand.shape)))
            case m.Part(operand, rows, columns):
                yield from self.through(operand, back.of(m.Scatter(G, rows, columns, operand.shape)))
            case m.Scatter(operand, rows, columns):
                yield from self.through(operand, back.of(m.Part(G, rows, columns)))
            case m.Reshape(operand):
                yield from self.through(operand, back.of(m.Reshape(G, operand.shape)))
            case m.Stack(parts, over):
                start = 0
                for part in parts:
                    yield from self.through(part, back.of(_piece(G, part.shape, over, start)))
                    start += part.shape[0 if over == "rows" else 1]
            case m.Correlation(image, kernel, _, step, spacing, padding):
                yield from self.through(image, back.of(m.Spread(G, kernel, image.shape, step, spacing, padding)))
                to_kernel = m.Correlation(image, G, kernel.shape, spacing, step, padding)
                yield from self.through(kernel, back.of(to_kernel))
            case m.Spread(image, kernel, _, step, spacing, padding):
                yield from self.through(image, back.of(m.Correlation(G, kernel, image.shape, step, spacing, padding)))
                to_kernel = m.Correlation(G, image, kernel.shape, spacing, step, padding)
                yield from self.through(kernel, back.of(to_kernel))
            case m.Pool(operation, operand, (height, width)):
                down = tuple(row // height for row in range(operand.shape[0]))
                across = tuple(column // width for column in range(operand.shape[1]))
                wide: m.Matrix = m.Part(G, down, across)
                if operation == "max":
                    wide = m.multiply(wide, self.named(m.FirstMaximum(operand, (height, width)), operand))
                yield from self.through(operand, back.of(wide))
            case _:
                raise TypeError(f"{m.described(node)} has no way back")

    def _matters(self, operand: m.Matrix) -> bool:
        return any(each.name in self.active for each in traversal.symbols(operand))

    def _to(self, operand: m.Matrix, back: Gradient) -> Iterator[Sent]:
        """On to an operand that may have been broadcast: what comes back over it is added up."""
        if not self._matters(operand):
            return
        for axis, over in ((0, "rows"), (1, "columns")):
            if operand.shape[axis] == 1 and back.shape[axis] > 1:
                both = operand.shape == (1, 1) and min(back.shape) > 1
                back = _summed(back, "all" if both else "rows" if over == "rows" else "columns")
        yield from self.through(operand, back)


def _with_local(way: m.Matrix, local: m.Matrix) -> m.Matrix:
    """What stands for the local derivative, put in its place."""
    return traversal.rewrite(way, lambda part: local if isinstance(part, m.Symbol) and part.name == LOCAL else None)


def _without_ones(matrix: m.Matrix) -> m.Matrix:
    """A product with 1 is the other factor."""

    def change(part: m.Matrix) -> m.Matrix | None:
        match part:
            case m.Broadcast("*", m.Constant(1.0), other):
                return _without_ones(other)
            case _:
                return None

    return traversal.rewrite(matrix, change)


def _turned(back: Gradient) -> Gradient:
    if back.matrix is None:
        return replace(back, shape=back.shape[::-1])
    return back.of(turned(back.matrix))


def _summed(back: Gradient, over: m.Axis) -> Gradient:
    rows, columns = back.shape
    if back.matrix is None:
        count = {"rows": rows, "columns": columns, "all": rows * columns}[over]
        shape = (1 if over != "columns" else rows, 1 if over != "rows" else columns)
        return replace(back.times("*", float(count)), shape=shape)
    return back.of(m.Reduce("sum", back.matrix, over))


def _repeated(back: Gradient, over: m.Axis, shape: m.Shape) -> Gradient:
    if back.matrix is None:
        return replace(back, shape=shape)
    return back.of(m.repeat(back.matrix, over, shape))


def _expanded(matrix: m.Matrix, shape: m.Shape) -> m.Matrix:
    if matrix.shape == shape:
        return matrix
    rows, columns = matrix.shape
    if (rows, columns) == (1, 1):
        return m.repeat(matrix, "all", shape)
    return m.repeat(matrix, "rows" if rows == 1 else "columns", shape)


def _times(back: Gradient, factor: m.Matrix, shape: m.Shape) -> Gradient:
    if is_number(factor):
        return back.times("*", factor)
    if back.matrix is None:
        return back.of(_expanded(factor, shape))
    return back.of(m.multiply(back.matrix, factor))


def _piece(matrix: m.Matrix, shape: m.Shape, over: m.Axis, start: int) -> m.Matrix:
    """The rows or columns of a stack that one of its parts had."""
    rows, columns = shape
    down = range(start, start + rows) if over == "rows" else range(rows)
    across = range(columns) if over == "rows" else range(start, start + columns)
    return part(matrix, down, across)
