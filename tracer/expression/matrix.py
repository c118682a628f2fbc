"""Matrix expressions: how a step makes one matrix from those before it.

A closed union of frozen dataclasses; each knows its shape and refuses operands that do not
fit. No numpy, spreadsheet or markup in here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tracer.errors import ShapeError
from tracer.expression.scalar import Operation, Scalar

Shape: TypeAlias = tuple[int, int]
Operator: TypeAlias = Literal["+", "-", "*", "/"]
Axis: TypeAlias = Literal["rows", "columns", "all"]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A matrix by its identifier."""

    name: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Constant:
    """One number, 1×1, broadcast to whatever it meets."""

    value: float

    @property
    def shape(self) -> Shape:
        return (1, 1)


@dataclass(frozen=True, slots=True)
class Identity:
    """Ones on the diagonal."""

    size: int

    @property
    def shape(self) -> Shape:
        return (self.size, self.size)


@dataclass(frozen=True, slots=True)
class MatMul:
    """The matrix product: (n, k)·(k, m) -> (n, m)."""

    left: Matrix
    right: Matrix

    def __post_init__(self) -> None:
        if self.left.shape[1] != self.right.shape[0]:
            raise ShapeError(f"{described(self.left)}·{described(self.right)}: the inner sizes differ")

    @property
    def shape(self) -> Shape:
        return (self.left.shape[0], self.right.shape[1])


@dataclass(frozen=True, slots=True)
class Transpose:
    operand: Matrix

    @property
    def shape(self) -> Shape:
        rows, columns = self.operand.shape
        return (columns, rows)


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Cell by cell +, −, × or ÷; a single row, column or number meets every row, column or cell."""

    operator: Operator
    left: Matrix
    right: Matrix

    def __post_init__(self) -> None:
        common_shape(self.left, self.right)

    @property
    def shape(self) -> Shape:
        return common_shape(self.left, self.right)


@dataclass(frozen=True, slots=True)
class Repeat:
    """A single row, column or number written out to `shape`: every row, column or cell of it is the same.

    `over` says which, also where there is only one: what is repeated on the way forward is added up on the way back.
    """

    operand: Matrix
    over: Axis
    shape: Shape

    def __post_init__(self) -> None:
        rows, columns = self.operand.shape
        expected = (1 if self.over != "columns" else self.shape[0], 1 if self.over != "rows" else self.shape[1])
        if (rows, columns) != expected:
            raise ShapeError(f"{described(self.operand)} cannot be repeated to {self.shape[0]}×{self.shape[1]}")


@dataclass(frozen=True, slots=True)
class Apply:
    """A scalar rule at every cell; its variables take the cells of `arguments`, broadcast."""

    template: Scalar
    arguments: tuple[tuple[str, Matrix], ...]

    def __post_init__(self) -> None:
        common_shape(*(matrix for _, matrix in self.arguments))

    @property
    def shape(self) -> Shape:
        return common_shape(*(matrix for _, matrix in self.arguments))


@dataclass(frozen=True, slots=True)
class Reduce:
    """The sum or the maximum over the rows (leaving one row), the columns (one column) or all cells."""

    operation: Operation
    operand: Matrix
    over: Axis

    @property
    def shape(self) -> Shape:
        rows, columns = self.operand.shape
        return (1 if self.over != "columns" else rows, 1 if self.over != "rows" else columns)


@dataclass(frozen=True, slots=True)
class Row:
    """One row, counted from 0."""

    operand: Matrix
    index: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.operand.shape[0]:
            raise ShapeError(f"{described(self.operand)} has no row {self.index + 1}")

    @property
    def shape(self) -> Shape:
        return (1, self.operand.shape[1])


@dataclass(frozen=True, slots=True)
class Stack:
    """Rows (each 1×n) laid one under the other."""

    rows: tuple[Matrix, ...]

    def __post_init__(self) -> None:
        first = self.rows[0].shape
        for row in self.rows:
            if row.shape != first or first[0] != 1:
                raise ShapeError(f"stacked rows must be single rows of one width, not {described(row)}")

    @property
    def shape(self) -> Shape:
        return (len(self.rows), self.rows[0].shape[1])


@dataclass(frozen=True, slots=True)
class Rounded:
    """Every cell rounded half away from zero to so many decimals."""

    operand: Matrix
    decimals: int

    @property
    def shape(self) -> Shape:
        return self.operand.shape


@dataclass(frozen=True, slots=True)
class StableForm:
    """One matrix written twice: as it is shown, and as it is computed without overflow."""

    shown: Matrix
    computed: Matrix

    def __post_init__(self) -> None:
        if self.shown.shape != self.computed.shape:
            raise ShapeError(f"{described(self.shown)} is not of the shape of {described(self.computed)}")

    @property
    def shape(self) -> Shape:
        return self.shown.shape


Matrix: TypeAlias = (
    Symbol
    | Constant
    | Identity
    | MatMul
    | Transpose
    | Broadcast
    | Repeat
    | Apply
    | Reduce
    | Row
    | Stack
    | Rounded
    | StableForm
)


def described(matrix: Matrix) -> str:
    """A matrix for an error message: what it is and its shape."""
    name = matrix.name if isinstance(matrix, Symbol) else type(matrix).__name__
    rows, columns = matrix.shape
    return f"{name} ({rows}×{columns})"


def common_shape(*matrices: Matrix) -> Shape:
    """The shape that the matrices broadcast to.

    Raises ShapeError, naming all operands, unless every size is the common one or 1.
    """
    shape = (max(m.shape[0] for m in matrices), max(m.shape[1] for m in matrices))
    for matrix in matrices:
        if any(size not in (1, common) for size, common in zip(matrix.shape, shape, strict=True)):
            raise ShapeError(f"cannot be taken together: {', '.join(map(described, matrices))}")
    return shape


def operands(matrix: Matrix) -> tuple[Matrix, ...]:
    """The matrices directly inside."""
    match matrix:
        case MatMul(left, right) | Broadcast(_, left, right) | StableForm(left, right):
            return (left, right)
        case Apply(_, arguments):
            return tuple(argument for _, argument in arguments)
        case Stack(rows):
            return rows
        case Transpose(operand) | Repeat(operand) | Reduce(_, operand) | Row(operand) | Rounded(operand):
            return (operand,)
        case Symbol() | Constant() | Identity():
            return ()


def rebuild(matrix: Matrix, inside: Sequence[Matrix]) -> Matrix:
    """The same node over other operands, in the order of `operands`. Raises ShapeError where they do not fit."""
    match matrix:
        case MatMul() | StableForm():
            return type(matrix)(inside[0], inside[1])
        case Broadcast(operator):
            return Broadcast(operator, inside[0], inside[1])
        case Apply(template, arguments):
            return Apply(template, tuple((name, part) for (name, _), part in zip(arguments, inside, strict=True)))
        case Stack():
            return Stack(tuple(inside))
        case Transpose():
            return Transpose(inside[0])
        case Repeat(_, over, shape):
            return Repeat(inside[0], over, shape)
        case Reduce(operation, _, over):
            return Reduce(operation, inside[0], over)
        case Row(_, index):
            return Row(inside[0], index)
        case Rounded(_, decimals):
            return Rounded(inside[0], decimals)
        case Symbol() | Constant() | Identity():
            return matrix


def rewrite(matrix: Matrix, change: Callable[[Matrix], Matrix | None]) -> Matrix:
    """An expression with every part for which `change` has another one replaced, outermost first."""
    other = change(matrix)
    if other is not None:
        return other
    inside = operands(matrix)
    return rebuild(matrix, [rewrite(part, change) for part in inside]) if inside else matrix


def parts(matrix: Matrix) -> Iterator[Matrix]:
    """The matrix and everything that is computed inside it, in reading order, repeats included."""
    yield matrix
    for operand in (matrix.computed,) if isinstance(matrix, StableForm) else operands(matrix):
        yield from parts(operand)


def symbols(matrix: Matrix) -> Iterator[Symbol]:
    """Every symbol that is computed with, in reading order, repeats included."""
    return (part for part in parts(matrix) if isinstance(part, Symbol))


def add(left: Matrix, right: Matrix) -> Broadcast:
    """Cell by cell left + right, broadcast."""
    return Broadcast("+", left, right)


def subtract(left: Matrix, right: Matrix) -> Broadcast:
    """Cell by cell left − right, broadcast."""
    return Broadcast("-", left, right)


def multiply(left: Matrix, right: Matrix) -> Broadcast:
    """Cell by cell left × right, broadcast."""
    return Broadcast("*", left, right)


def divide(left: Matrix, right: Matrix) -> Broadcast:
    """Cell by cell left ÷ right, broadcast."""
    return Broadcast("/", left, right)


def repeat(matrix: Matrix, over: Axis, shape: Shape) -> Repeat:
    """A row (over "rows"), a column (over "columns") or a number (over "all") written out to `shape`."""
    return Repeat(matrix, over, shape)


def unrepeated(matrix: Matrix) -> Matrix:
    """What is written for a matrix, where the reader sees by itself that it meets every row or column."""
    return matrix.operand if isinstance(matrix, Repeat) else matrix


def column_sums(matrix: Matrix) -> Reduce:
    """(n, m) -> (1, m)."""
    return Reduce("sum", matrix, "rows")


def row_sums(matrix: Matrix) -> Reduce:
    """(n, m) -> (n, 1)."""
    return Reduce("sum", matrix, "columns")


def row_maxima(matrix: Matrix) -> Reduce:
    """(n, m) -> (n, 1)."""
    return Reduce("max", matrix, "columns")


def total(matrix: Matrix) -> Reduce:
    """(n, m) -> (1, 1)."""
    return Reduce("sum", matrix, "all")
