"""The bridge between the two languages: what one cell of a matrix expression is made of.

Imports the two languages and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import assert_never

from tracer.errors import ShapeError
from tracer.expression import matrix as m
from tracer.expression import scalar as s


def lower(matrix: m.Matrix, row: int, column: int) -> s.Scalar:
    """The scalar expression of the cell at (row, column), counted from 0.

    Raises ShapeError where the matrix has no such cell.
    """
    rows, columns = matrix.shape
    if not (0 <= row < rows and 0 <= column < columns):
        raise ShapeError(f"{m.described(matrix)} has no cell ({row + 1}, {column + 1})")
    match matrix:
        case m.Symbol(name):
            return s.Cell(name, row, column)
        case m.Constant(value):
            return s.Number(value)
        case m.Identity():
            return s.Number(1.0 if row == column else 0.0)
        case m.MatMul(left, right):
            return _product(left, right, row, column)
        case m.Transpose(operand):
            return lower(operand, column, row)
        case m.Repeat(operand):
            return _broadcast(operand, row, column)
        case m.Broadcast(operator, left, right):
            return _combine(operator, _broadcast(left, row, column), _broadcast(right, row, column))
        case m.Apply(template, arguments):
            cells = {name: _broadcast(argument, row, column) for name, argument in arguments}
            return s.substitute(template, cells)
        case m.Reduce(operation, operand, over):
            return _fold(operation, operand, _region(operand, over, row, column))
        case m.Row(operand, index):
            return lower(operand, index, column)
        case m.Stack(parts, over):
            return _stacked(parts, over, row, column)
        case m.Part(operand, rows_taken, columns_taken):
            place = rows_taken[row], columns_taken[column]
            return s.Number(0.0) if place[0] is None or place[1] is None else lower(operand, place[0], place[1])
        case m.Scatter(operand, down, across):
            return _sum(*(lower(operand, i, j) for i in _places(down, row) for j in _places(across, column)))
        case m.Reshape(operand):
            return lower(operand, *divmod(row * columns + column, operand.shape[1]))
        case m.Correlation():
            return _correlated(matrix, row, column)
        case m.Spread():
            return _spread(matrix, row, column)
        case m.Pool(operation, operand, (height, width)):
            return _fold(operation, operand, (row * height, column * width, height, width))
        case m.FirstMaximum():
            return _first_maximum(matrix, row, column)
        case m.Detached(operand):
            return lower(operand, row, column)
        case m.Rounded(operand, decimals):
            return s.Round(lower(operand, row, column), decimals)
        case m.StableForm(shown, computed):
            return s.Stable(lower(shown, row, column), lower(computed, row, column))
        case _:
            assert_never(matrix)


def precedents(expression: s.Scalar) -> tuple[s.Cell, ...]:
    """The cells that the value is computed from, in reading order, each once."""
    return tuple(dict.fromkeys(_cells(expression)))


def _cells(expression: s.Scalar) -> Iterator[s.Cell]:
    match expression:
        case s.Cell():
            yield expression
        case s.Stable(_, computed):
            yield from _cells(computed)
        case s.Fold(_, template, blocks):
            yield from _cells(template)
            for _, block in blocks:
                yield from block.cells()
        case _:
            for part in s.children(expression):
                yield from _cells(part)


def _broadcast(matrix: m.Matrix, row: int, column: int) -> s.Scalar:
    rows, columns = matrix.shape
    return lower(matrix, row if rows > 1 else 0, column if columns > 1 else 0)


def _combine(operator: m.Operator, left: s.Scalar, right: s.Scalar) -> s.Scalar:
    match operator:
        case "+":
            return _sum(left, right)
        case "-":
            return _sum(left, s.negative(right))
        case "*":
            return s.Product((*_factors(left), *_factors(right)))
        case "/":
            return s.Quotient(left, right)
        case _:
            assert_never(operator)


def _factors(expression: s.Scalar) -> tuple[s.Scalar, ...]:
    return expression.factors if isinstance(expression, s.Product) else (expression,)


def _sum(*parts: s.Scalar) -> s.Scalar:
    """One sum in place of a sum within a sum, and 0 − x as −x: as one would write it."""
    terms: list[s.Scalar] = []
    for part in parts:
        terms.extend(part.terms if isinstance(part, s.Sum) else (part,))
    terms = [term for term in terms if term != s.Number(0.0)] or [s.Number(0.0)]
    return s.Sum(tuple(terms)) if len(terms) > 1 else terms[0]


def _product(left: m.Matrix, right: m.Matrix, row: int, column: int) -> s.Scalar:
    inner = left.shape[1]
    across, down = view(left), view(right)
    if across is not None and down is not None:
        blocks = (("u", across.part(row, 0, 1, inner)), ("v", _turned(down.part(0, column, inner, 1))))
        return s.Fold("sum", s.Product((s.Variable("u"), s.Variable("v"))), blocks)
    pairs = ((lower(left, row, k), lower(right, k, column)) for k in range(inner))
    return s.Sum(tuple(s.Product(pair) for pair in pairs))


def _turned(block: s.Block) -> s.Block:
    """The same cells read as a row, so that both blocks of a product have one shape."""
    return s.Block(block.matrix, block.row, block.column, block.rows, block.columns, not block.transposed)


def _stacked(parts: Sequence[m.Matrix], over: m.Axis, row: int, column: int) -> s.Scalar:
    for part in parts:
        rows, columns = part.shape
        if row < rows and column < columns:
            return lower(part, row, column)
        row, column = (row - rows, column) if over == "rows" else (row, column - columns)
    raise AssertionError("a cell of a stack is in one of its parts")


def _places(chosen: Sequence[int | None], wanted: int) -> list[int]:
    return [place for place, each in enumerate(chosen) if each == wanted]


def _correlated(node: m.Correlation, row: int, column: int) -> s.Scalar:
    """The products of a kernel and the cells under it; a single fold where it lies inside the image."""
    rows, columns = node.kernel.shape
    top, left = row * node.step - node.padding, column * node.step - node.padding
    image, kernel = view(node.image), view(node.kernel)
    high, wide = node.image.shape
    inside = top >= 0 and left >= 0 and top + rows <= high and left + columns <= wide
    if image is not None and kernel is not None and node.spacing == 1 and inside:
        blocks = (("u", image.part(top, left, rows, columns)), ("v", kernel))
        return s.Fold("sum", s.Product((s.Variable("u"), s.Variable("v"))), blocks)
    products = (
        s.Product((lower(node.image, i, j), lower(node.kernel, u, v)))
        for u, v in product(range(rows), range(columns))
        if 0 <= (i := top + u * node.spacing) < high and 0 <= (j := left + v * node.spacing) < wide
    )
    return _sum(*products)


def _spread(node: m.Spread, row: int, column: int) -> s.Scalar:
    """The products of the image's cells and the kernel's that meet in this one."""
    products = (
        s.Product((lower(node.image, i, j), lower(node.kernel, u, v)))
        for u, v in product(*map(range, node.kernel.shape))
        if (i := _laid(node, row, u, 0)) is not None and (j := _laid(node, column, v, 1)) is not None
    )
    return _sum(*products)


def _laid(node: m.Spread, place: int, of_kernel: int, axis: int) -> int | None:
    """The image's row or column for which this row or column of the kernel comes to lie here."""
    times, rest = divmod(place + node.padding - of_kernel * node.spacing, node.step)
    return times if rest == 0 and 0 <= times < node.image.shape[axis] else None


def _first_maximum(node: m.FirstMaximum, row: int, column: int) -> s.Scalar:
    """1 where the cell is larger than those before it in its tile, and not smaller than those behind."""
    height, width = node.size
    top, left = row - row % height, column - column % width
    places = list(product(range(top, top + height), range(left, left + width)))
    here, own = places.index((row, column)), lower(node.operand, row, column)
    relations: tuple[s.Relation, s.Relation] = (">", ">=")
    answer: s.Scalar = s.Number(1.0)
    for relation, others in zip(relations, (places[:here], places[here + 1 :]), strict=True):
        cells = tuple(lower(node.operand, *each) for each in others)
        if cells:
            largest = cells[0] if len(cells) == 1 else s.Maximum(cells)
            answer = s.Where(own, relation, largest, answer, s.Number(0.0))
    return answer


Region = tuple[int, int, int, int]


def _region(operand: m.Matrix, over: m.Axis, row: int, column: int) -> Region:
    """The part that is reduced to one cell: its corner, rows and columns."""
    rows, columns = operand.shape
    match over:
        case "rows":
            return (0, column, rows, 1)
        case "columns":
            return (row, 0, 1, columns)
        case "all":
            return (0, 0, rows, columns)
        case _:
            assert_never(over)


def _fold(operation: s.Operation, operand: m.Matrix, region: Region) -> s.Scalar:
    row, column, rows, columns = region
    block = view(operand)
    if block is not None:
        return s.Fold(operation, s.Variable("u"), (("u", block.part(*region)),))
    if isinstance(operand, m.Apply):
        folded = _fold_template(operation, operand, region)
        if folded is not None:
            return folded
    cells = tuple(lower(operand, row + i, column + j) for i in range(rows) for j in range(columns))
    return s.Sum(cells) if operation == "sum" else s.Maximum(cells)


def _fold_template(operation: s.Operation, rule: m.Apply, region: Region) -> s.Fold | None:
    """A fold whose template is the rule; arguments that do not vary over the region are put in."""
    row, column, rows, columns = region
    blocks: list[tuple[str, s.Block]] = []
    fixed: dict[str, s.Scalar] = {}
    for name, argument in rule.arguments:
        seen = view(argument)
        if seen is not None and argument.shape == rule.shape:
            blocks.append((name, seen.part(*region)))
        elif _constant_over(argument.shape, rows, columns):
            fixed[name] = _broadcast(argument, row, column)
        else:
            return None
    return s.Fold(operation, s.substitute(rule.template, fixed), tuple(blocks)) if blocks else None


def _constant_over(shape: m.Shape, rows: int, columns: int) -> bool:
    return (shape[0] == 1 or rows == 1) and (shape[1] == 1 or columns == 1)


def _in_a_row(chosen: Sequence[int | None]) -> bool:
    first = chosen[0]
    return first is not None and tuple(chosen) == tuple(range(first, first + len(chosen)))


def view(matrix: m.Matrix) -> s.Block | None:
    """The block of cells that an expression merely looks at, or None where it computes."""
    match matrix:
        case m.Symbol(name, (rows, columns)):
            return s.Block(name, 0, 0, rows, columns)
        case m.Transpose(operand):
            block = view(operand)
            return None if block is None else _turned(block)
        case m.Row(operand, index):
            block = view(operand)
            return None if block is None else block.part(index, 0, 1, operand.shape[1])
        case m.Part(operand, (int() as top, *_) as rows, (int() as left, *_) as columns):
            block = view(operand)
            if block is None or not (_in_a_row(rows) and _in_a_row(columns)):
                return None
            return block.part(top, left, len(rows), len(columns))
        case m.Detached(operand):
            return view(operand)
        case _:
            return None
