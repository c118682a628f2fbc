"""Matrix expressions: how a step makes one matrix from those before it.

A closed union of frozen dataclasses; each knows its shape and refuses operands that do not
fit. No numpy, spreadsheet or markup in here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
    shape: Shape = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", common_shape(self.left, self.right))


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
    shape: Shape = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", common_shape(*(matrix for _, matrix in self.arguments)))


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
    """Matrices laid one under the other, or side by side: over "rows" or "columns"."""

    parts: tuple[Matrix, ...]
    over: Axis = "rows"

    def __post_init__(self) -> None:
        across = 1 if self.over == "rows" else 0
        first = self.parts[0].shape[across]
        for part in self.parts:
            if part.shape[across] != first:
                what = "columns" if across else "rows"
                raise ShapeError(f"{described(part)} must have {first} {what}, as {described(self.parts[0])} has")

    @property
    def shape(self) -> Shape:
        rows, columns = zip(*(part.shape for part in self.parts), strict=True)
        return (sum(rows), columns[0]) if self.over == "rows" else (rows[0], sum(columns))


@dataclass(frozen=True, slots=True)
class Part:
    """The cells where rows and columns of these numbers (from 0) meet, in this order; 0 where one is None."""

    operand: Matrix
    rows: tuple[int | None, ...]
    columns: tuple[int | None, ...]

    def __post_init__(self) -> None:
        for what, chosen, size in zip(("row", "column"), (self.rows, self.columns), self.operand.shape, strict=True):
            beyond = [each for each in chosen if each is not None and not 0 <= each < size]
            if beyond or not chosen:
                raise ShapeError(f"{described(self.operand)} has no {what} {beyond[0] if beyond else 'left'}")

    @property
    def shape(self) -> Shape:
        return (len(self.rows), len(self.columns))


@dataclass(frozen=True, slots=True)
class Scatter:
    """The way back of a `Part`: its cells put where they were taken from and added up, in a matrix of `shape`."""

    operand: Matrix
    rows: tuple[int | None, ...]
    columns: tuple[int | None, ...]
    shape: Shape

    def __post_init__(self) -> None:
        if self.operand.shape != (len(self.rows), len(self.columns)):
            raise ShapeError(f"{described(self.operand)} is no part of {len(self.rows)}×{len(self.columns)}")


@dataclass(frozen=True, slots=True)
class Reshape:
    """The same cells, row by row, in rows of another length."""

    operand: Matrix
    shape: Shape

    def __post_init__(self) -> None:
        (rows, columns), (height, width) = self.operand.shape, self.shape
        if rows * columns != height * width:
            raise ShapeError(f"{described(self.operand)} has {rows * columns} cells, not {height * width}")


@dataclass(frozen=True, slots=True)
class Correlation:
    """A kernel laid on an image wherever it fits, and their products added up (a convolution, as networks call it).

    Cell (i, j) is the sum over (u, v) of image[i·step + u·spacing − padding, …]·kernel[u, v]; beyond its edges the
    image is 0. With step and spacing exchanged it is the way back to the kernel.
    """

    image: Matrix
    kernel: Matrix
    shape: Shape
    step: int = 1
    spacing: int = 1
    padding: int = 0


@dataclass(frozen=True, slots=True)
class Spread:
    """The kernel laid down once for every cell of an image, times that cell: the way back of a `Correlation`.

    Cell (r, c) is the sum of image[i, j]·kernel[u, v] over all with r = i·step + u·spacing − padding, c alike.
    """

    image: Matrix
    kernel: Matrix
    shape: Shape
    step: int = 1
    spacing: int = 1
    padding: int = 0


@dataclass(frozen=True, slots=True)
class Pool:
    """The sum or the maximum of each tile of `size`, which lie side by side and fill the matrix."""

    operation: Operation
    operand: Matrix
    size: Shape

    def __post_init__(self) -> None:
        if any(whole % part for whole, part in zip(self.operand.shape, self.size, strict=True)):
            raise ShapeError(f"{described(self.operand)} is not filled by tiles of {self.size[0]}×{self.size[1]}")

    @property
    def shape(self) -> Shape:
        return (self.operand.shape[0] // self.size[0], self.operand.shape[1] // self.size[1])


@dataclass(frozen=True, slots=True)
class FirstMaximum:
    """1 at the largest cell of each tile, at the first of equal ones, row by row; 0 elsewhere."""

    operand: Matrix
    size: Shape

    def __post_init__(self) -> None:
        Pool("max", self.operand, self.size)

    @property
    def shape(self) -> Shape:
        return self.operand.shape


@dataclass(frozen=True, slots=True)
class Detached:
    """A value that no gradient goes through."""

    operand: Matrix

    @property
    def shape(self) -> Shape:
        return self.operand.shape


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
    | Part
    | Scatter
    | Reshape
    | Correlation
    | Spread
    | Pool
    | FirstMaximum
    | Detached
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
    shapes = [matrix.shape for matrix in matrices]
    shape = (max(rows for rows, _ in shapes), max(columns for _, columns in shapes))
    for own in shapes:
        if any(size not in (1, common) for size, common in zip(own, shape, strict=True)):
            raise ShapeError(f"cannot be taken together: {', '.join(map(described, matrices))}")
    return shape


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


def filled(value: float, shape: Shape) -> Matrix:
    """One number in every cell; a single cell is the number itself."""
    number = Constant(value)
    return number if shape == number.shape else repeat(number, "all", shape)


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
