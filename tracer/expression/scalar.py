"""Scalar expressions: what one cell is made of.

A closed union of frozen dataclasses. No numpy, spreadsheet or markup in here: each
target (formula.py, text.py, mathml.py, evaluate.py, interval.py) visits these nodes with one
`match`. Rows and columns count from 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Literal, TypeAlias

Relation: TypeAlias = Literal[">", ">=", "="]
Operation: TypeAlias = Literal["sum", "max"]
FunctionName: TypeAlias = Literal["sqrt", "sin", "cos", "arctan", "normal_cdf"]


@dataclass(frozen=True, slots=True)
class Number:
    """A constant of the rule itself, such as the 1 in 1 − a."""

    value: float


@dataclass(frozen=True, slots=True)
class Value:
    """A number that was put in or worked out, shown to so many decimals (None: as typed).

    `of` is the expression over cells that it is the value of.
    """

    value: float
    decimals: int | None
    of: Scalar | None = None


@dataclass(frozen=True, slots=True)
class Omitted:
    """The middle terms of a long sum or maximum, left out: how many, and what they come to."""

    count: int
    value: float


@dataclass(frozen=True, slots=True)
class Variable:
    """A place to be filled: the z of an activation, the y and a of a loss."""

    name: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a matrix."""

    matrix: str
    row: int
    column: int


@dataclass(frozen=True, slots=True)
class Negative:
    operand: Scalar


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms added up; a difference is a sum with a `Negative` term."""

    terms: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Product:
    factors: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Quotient:
    numerator: Scalar
    denominator: Scalar


@dataclass(frozen=True, slots=True)
class Power:
    """A positive power; a broken one is of a base that is not negative."""

    base: Scalar
    exponent: float


@dataclass(frozen=True, slots=True)
class Raised:
    """A fixed positive number to a power that varies: 0.9 to the number of the pass."""

    base: float
    exponent: Scalar


@dataclass(frozen=True, slots=True)
class Exp:
    """e to the argument. `bounded`: the rule keeps the argument at or below 0."""

    argument: Scalar
    bounded: bool = False


@dataclass(frozen=True, slots=True)
class Log:
    """The natural logarithm."""

    argument: Scalar


@dataclass(frozen=True, slots=True)
class Tanh:
    argument: Scalar


@dataclass(frozen=True, slots=True)
class Function:
    """A function of one number: a square root, sine, cosine, arctangent, or the normal distribution's Φ."""

    name: FunctionName
    argument: Scalar


@dataclass(frozen=True, slots=True)
class Absolute:
    operand: Scalar


@dataclass(frozen=True, slots=True)
class Maximum:
    operands: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Where:
    """`then` where `left relation right` holds, else `otherwise`; only that branch counts."""

    left: Scalar
    relation: Relation
    right: Scalar
    then: Scalar
    otherwise: Scalar


@dataclass(frozen=True, slots=True)
class Round:
    """Rounded half away from zero to so many decimals."""

    operand: Scalar
    decimals: int


@dataclass(frozen=True, slots=True)
class Stable:
    """One quantity written twice: as it is shown, and as it is computed without overflow."""

    shown: Scalar
    computed: Scalar


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle of a matrix, `rows` × `columns` from (`row`, `column`), read transposed or not.

    `rows` and `columns` count in the matrix, before the transposition.
    """

    matrix: str
    row: int
    column: int
    rows: int
    columns: int
    transposed: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns as read."""
        return (self.columns, self.rows) if self.transposed else (self.rows, self.columns)

    def at(self, row: int, column: int) -> Cell:
        """The cell that is read at (row, column)."""
        down, right = (column, row) if self.transposed else (row, column)
        return Cell(self.matrix, self.row + down, self.column + right)

    def part(self, row: int, column: int, rows: int, columns: int) -> Block:
        """The block of `rows` × `columns` read from (row, column)."""
        corner = self.at(row, column)
        down, right = (columns, rows) if self.transposed else (rows, columns)
        return Block(self.matrix, corner.row, corner.column, down, right, self.transposed)

    def cells(self) -> Iterator[Cell]:
        """All cells, row by row as read."""
        return (self.at(*place) for place in product(*map(range, self.shape)))


@dataclass(frozen=True, slots=True)
class Fold:
    """The sum or the maximum of `template` over aligned blocks of one shape.

    Holds what `expand` would write out, in the size of one term: Σ_k x_k·w_k is
    Fold("sum", u·v, (("u", row of X), ("v", column of W))).
    """

    operation: Operation
    template: Scalar
    blocks: tuple[tuple[str, Block], ...]

    @property
    def count(self) -> int:
        """How many terms there are."""
        rows, columns = self.blocks[0][1].shape
        return rows * columns

    def terms(self) -> Iterator[Scalar]:
        """The terms, one after the other."""
        names = [name for name, _ in self.blocks]
        for cells in zip(*(block.cells() for _, block in self.blocks), strict=True):
            yield substitute(self.template, dict(zip(names, cells, strict=True)))


Scalar: TypeAlias = (
    Number
    | Value
    | Omitted
    | Variable
    | Cell
    | Negative
    | Sum
    | Product
    | Quotient
    | Power
    | Raised
    | Exp
    | Log
    | Tanh
    | Function
    | Absolute
    | Maximum
    | Where
    | Round
    | Stable
    | Fold
)


OfNumbers: TypeAlias = Exp | Log | Tanh | Function | Absolute | Maximum | Round
"""What is written as a function of what is in its parentheses."""


def children(expression: Scalar) -> tuple[Scalar, ...]:
    """The expressions directly inside; a fold has its template, a leaf none."""
    match expression:
        case Sum(parts) | Product(parts) | Maximum(parts):
            return parts
        case Quotient(first, second) | Stable(first, second):
            return (first, second)
        case Where(left, _, right, then, otherwise):
            return (left, right, then, otherwise)
        case Negative(part) | Exp(part) | Log(part) | Tanh(part) | Absolute(part):
            return (part,)
        case Power(part) | Round(part) | Function(_, part) | Raised(_, part):
            return (part,)
        case Fold():
            return (expression.template,)
        case Number() | Value() | Omitted() | Variable() | Cell():
            return ()


def rebuild(expression: Scalar, parts: tuple[Scalar, ...]) -> Scalar:
    """The same node over other children, in the order of `children`."""
    match expression:
        case Sum() | Product() | Maximum():
            return type(expression)(parts)
        case Quotient() | Stable():
            return type(expression)(*parts)
        case Where(_, relation):
            return Where(parts[0], relation, *parts[1:])
        case Negative() | Log() | Tanh() | Absolute():
            return type(expression)(parts[0])
        case Exp(_, bounded):
            return Exp(parts[0], bounded)
        case Power(_, exponent):
            return Power(parts[0], exponent)
        case Raised(base):
            return Raised(base, parts[0])
        case Function(name):
            return Function(name, parts[0])
        case Round(_, decimals):
            return Round(parts[0], decimals)
        case Fold(operation, _, blocks):
            return Fold(operation, parts[0], blocks)
        case Number() | Value() | Omitted() | Variable() | Cell():
            return expression


def substitute(expression: Scalar, values: Mapping[str, Scalar]) -> Scalar:
    """Fill the variables that `values` names; the others, and those a fold binds, stay."""
    if isinstance(expression, Variable):
        return values.get(expression.name, expression)
    if isinstance(expression, Fold):
        values = {name: value for name, value in values.items() if name not in dict(expression.blocks)}
    parts = children(expression)
    if not parts:
        return expression
    return rebuild(expression, tuple(substitute(part, values) for part in parts))


@lru_cache(maxsize=64)  # a cell that is worked out is written out several times, one after the other
def expand(fold: Fold) -> Sum | Maximum:
    """A fold, written out term by term."""
    terms = tuple(fold.terms())
    return Sum(terms) if fold.operation == "sum" else Maximum(terms)


def variables(expression: Scalar) -> frozenset[str]:
    """The names still to be filled."""
    if isinstance(expression, Variable):
        return frozenset((expression.name,))
    bound = dict(expression.blocks).keys() if isinstance(expression, Fold) else ()
    return frozenset().union(*map(variables, children(expression))).difference(bound)


def difference(first: Scalar, *others: Scalar) -> Sum:
    """The first term with the others taken off."""
    return Sum((first, *map(Negative, others)))


def negative(expression: Scalar) -> Scalar:
    """The opposite, written as one would by hand: −(a − y) is y − a."""
    match expression:
        case Number(value):
            return Number(-value)
        case Negative(operand):
            return operand
        case Sum(terms):
            return Sum(tuple(negative(term) for term in reversed(terms)))
        case Product((*factors, Sum() as difference)):
            return Product((*factors, negative(difference)))
        case _:
            return Negative(expression)
