"""The spreadsheet reading of a whole matrix: one array formula, as in MMULT(X_,W1_)+b1_.

Pure text, without "=" and without the braces that a spreadsheet shows around it. Every text gives
exactly the matrix's shape: Google Sheets fills as many cells as the result has, whatever range the
formula was entered over. A row of ones or an identity is an array constant, {1,1,1}.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import assert_never

from tracer.errors import ExportError
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.formula import ATOM, LARGEST_EXPONENT, SUM, Addresses, FormulaText, FormulaWriter
from tracer.expression.lower import view

_u, _v = s.Variable("u"), s.Variable("v")
_CELL_BY_CELL: dict[m.Operator, s.Scalar] = {
    "+": s.Sum((_u, _v)),
    "-": s.Sum((_u, s.Negative(_v))),
    "*": s.Product((_u, _v)),
    "/": s.Quotient(_u, _v),
}


def to_matrix_formula(expression: m.Matrix, addresses: Addresses) -> str:
    """The array formula of a matrix, without the leading "=".

    Raises ExportError for stacked rows, and for a maximum of every row or column, since MAX gives one number for
    them all; each row (`row_of`) may still have one.
    """
    return _MatrixWriter(addresses).read(expression)[0]


def row_of(matrix: m.Matrix, index: int) -> m.Matrix:
    """One row (from 0) of a matrix, computed on its own: a softmax has a formula for each sample."""
    if matrix.shape[0] == 1:  # also what is broadcast
        return matrix
    match matrix:
        case m.Symbol() | m.Constant() | m.Identity() | m.Transpose() | m.Row():
            return m.Row(matrix, index)
        case m.MatMul(left, right):
            return m.MatMul(row_of(left, index), right)
        case m.Repeat(operand, over, (_, columns)):
            return m.Repeat(row_of(operand, index), over, (1, columns))
        case m.Stack(parts, "rows") if all(part.shape[0] == 1 for part in parts):
            return parts[index]
        case m.Stack(parts, over="columns"):
            return m.Stack(tuple(row_of(part, index) for part in parts), "columns")
        case m.Part(operand, rows, columns):
            return m.Part(operand, rows[index : index + 1], columns)
        case m.Stack() | m.Scatter() | m.Reshape() | m.Correlation() | m.Spread() | m.Pool() | m.FirstMaximum():
            return m.Row(matrix, index)
        case _:
            return traversal.rebuild(matrix, [row_of(operand, index) for operand in traversal.operands(matrix)])


class _MatrixWriter:
    """Writes matrix expressions; `addresses.block` gives a matrix's name or range."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses

    def read(self, matrix: m.Matrix) -> FormulaText:
        """The text and how tightly it binds."""
        match matrix:
            case m.Symbol(name, (rows, columns)):
                return self.addresses.block(s.Block(name, 0, 0, rows, columns)), ATOM
            case m.Constant(value):
                return self._rule(s.Number(value), {})
            case m.Identity(size):
                return _constant(_unit(size, k) for k in range(size)), ATOM
            case m.MatMul(left, right):
                return f"MMULT({self._text(left)},{self._text(right)})", ATOM
            case m.Transpose(operand):
                return f"TRANSPOSE({self._text(operand)})", ATOM
            case m.Repeat(operand, _, shape):
                return self._repeated(operand, shape)
            case m.Broadcast(operator, left, right):
                return self._rule(_CELL_BY_CELL[operator], {"u": left, "v": right})
            case m.Apply(template, arguments):
                return self._rule(template, dict(arguments))
            case m.Reduce():
                return self._reduce(matrix)
            case m.Row():
                return self._row(matrix), ATOM
            case m.Stack((row,)) | m.Detached(row):
                return self.read(row)
            case m.Part() if (block := view(matrix)) is not None:
                text = self.addresses.block(block)
                return (f"TRANSPOSE({text})" if block.transposed else text), ATOM
            case m.Stack():
                raise ExportError(f"{m.described(matrix)} has no array formula: every row is made in its own way")
            case (
                m.Part() | m.Scatter() | m.Reshape() | m.Correlation() | m.Spread() | m.Pool() | m.FirstMaximum()
            ):  # fmt: skip
                raise ExportError(f"{m.described(matrix)} has no array formula: every cell is made in its own way")
            case m.Rounded(operand, decimals):
                return self._rule(s.Round(_u, decimals), {"u": operand})
            case m.StableForm(_, computed):
                return self.read(computed)
            case _:
                assert_never(matrix)

    def _text(self, matrix: m.Matrix) -> str:
        return self.read(matrix)[0]

    def _repeated(self, operand: m.Matrix, shape: m.Shape) -> FormulaText:
        """A row, column or number to which zeros of the whole shape are added; alone it would be written once."""
        if operand.shape == shape:
            return self.read(operand)
        zeros = _constant([[0] * shape[1]] * shape[0])
        return f"{self.read(operand)[0]}+{zeros}", SUM

    def _rule(self, template: s.Scalar, arguments: Mapping[str, m.Matrix]) -> FormulaText:
        """A scalar rule over whole matrices; those that it does not mention still give it their shape."""
        used = s.variables(template)
        arguments = _written_once(arguments)
        mentioned = [argument for name, argument in arguments.items() if name in used] or [m.Constant(0.0)]
        if arguments and m.common_shape(*mentioned) != m.common_shape(*arguments.values()):
            others = (s.Product((s.Number(0.0), s.Variable(name))) for name in arguments if name not in used)
            template = s.Sum((template, *others))
        return _RuleWriter(self.addresses, {name: self.read(each) for name, each in arguments.items()}).read(template)

    def _reduce(self, reduced: m.Reduce) -> FormulaText:
        operand, (rows, columns) = reduced.operand, reduced.operand.shape
        if operand.shape == reduced.shape:
            return self.read(operand)
        if reduced.shape == (1, 1):
            return f"{'SUM' if reduced.operation == 'sum' else 'MAX'}({self._text(operand)})", ATOM
        if reduced.operation == "max":
            raise ExportError(f"the maxima over the {reduced.over} of {m.described(operand)} have no array formula")
        if reduced.over == "rows":
            return f"MMULT({_constant([[1] * rows])},{self._text(operand)})", ATOM
        return f"MMULT({self._text(operand)},{_constant([[1]] * columns)})", ATOM

    def _row(self, row: m.Row) -> str:
        block, unit = view(row), _constant([_unit(row.operand.shape[0], row.index)])
        if block is None:
            return unit if isinstance(row.operand, m.Identity) else f"MMULT({unit},{self._text(row.operand)})"
        text = self.addresses.block(block)
        return f"TRANSPOSE({text})" if block.transposed else text


def _written_once(arguments: Mapping[str, m.Matrix]) -> Mapping[str, m.Matrix]:
    """The arguments without what is repeated, where the others have the whole shape: an array formula does that."""
    bare = {name: m.unrepeated(each) for name, each in arguments.items()}
    whole = not arguments or m.common_shape(*bare.values()) == m.common_shape(*arguments.values())
    return bare if whole else arguments


class _RuleWriter(FormulaWriter):
    """Writes a scalar rule over matrices; MIN and MAX of those would give one number for all cells."""

    def __init__(self, addresses: Addresses, matrices: Mapping[str, FormulaText]) -> None:
        super().__init__(addresses)
        self.matrices = matrices

    def variable(self, name: str) -> FormulaText:
        return self.matrices[name]

    def exponential(self, argument: s.Scalar, bounded: bool) -> FormulaText:
        power = self.write(argument, SUM)
        return self.call("EXP", power if bounded else f"IF({power}>{LARGEST_EXPONENT},{LARGEST_EXPONENT},{power})")

    def call(self, function: str, *arguments: str) -> FormulaText:
        if function == "NORMSDIST":
            raise ExportError("Φ has no array formula: ironcalc takes single numbers only")
        return super().call(function, *arguments)

    def maximum(self, operands: tuple[s.Scalar, ...]) -> FormulaText:
        numbers_last = sorted(operands, key=lambda each: isinstance(each, s.Number))
        largest, *others = (self.write(operand, SUM) for operand in numbers_last)
        for other in others:
            largest = f"IF({largest}>{other},{largest},{other})"
        return largest, ATOM


def _unit(size: int, place: int) -> list[int]:
    """A row of zeros with a 1 in one place."""
    return [int(k == place) for k in range(size)]


def _constant(rows: Iterable[Iterable[int]]) -> str:
    """An array constant, as in {1,0;0,1}."""
    return f"{{{';'.join(','.join(map(str, row)) for row in rows)}}}"
