"""Short names for the small expressions that the tables of the unit tests are made of."""

from tracer.expression import matrix as m
from tracer.expression import scalar as s

p, q, r = (s.Cell(letter, 0, 0) for letter in "PQR")
u, v = s.Variable("u"), s.Variable("v")
zero, one, two = s.Number(0.0), s.Number(1.0), s.Number(2.0)
A, B, C = (m.Symbol(letter, (2, 2)) for letter in "ABC")
ROW, COLUMN, NUMBER = m.Symbol("row", (1, 2)), m.Symbol("column", (2, 1)), m.Symbol("number", (1, 1))


def plus(*terms: s.Scalar) -> s.Sum:
    return s.Sum(terms)


def minus(left: s.Scalar, right: s.Scalar) -> s.Sum:
    return s.Sum((left, s.Negative(right)))


def times(*factors: s.Scalar) -> s.Product:
    return s.Product(factors)


def letter(cell: s.Cell) -> str:
    """p for the first cell of P, x[2,1] for others."""
    place = "" if (cell.row, cell.column) == (0, 0) else f"[{cell.row + 1},{cell.column + 1}]"
    return cell.matrix.lower() + place


def value(number: float, decimals: int | None = 3) -> s.Value:
    return s.Value(number, decimals)
