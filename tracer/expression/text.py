"""The plain-text reading: for the terminal, notes, errors and goldens.

Matrices read `X·W1 + b1` and `E ⊙ S2`; cells read as their names, or, once numbers are put in,
with every factor in parentheses as by hand: `(1.000)(0.420) + (0.000)(0.100) + 0.460`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, assert_never

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.digits import as_typed, fixed
from tracer.expression.notation import ENGLISH, Notation

_SUM, _PREFIX, _PRODUCT, _POWER, _ATOM = range(5)  # Σ x takes in all factors behind it
_SIGNS = {">": ">", ">=": "≥", "=": "="}
FUNCTION_NAMES: dict[s.FunctionName, str] = {
    "sqrt": "√",
    "sin": "sin",
    "cos": "cos",
    "arctan": "arctan",
    "normal_cdf": "Φ",
}
_OPERATIONS: dict[s.Operation, str] = {"sum": "Σ", "max": "max"}
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
MOST_PICKED = 8  # rows or columns that are listed
SHOWN_ROWS = 2  # rows of a stack that are written before the rest is cut

PlainText: TypeAlias = tuple[str, int]


def matrix_text(matrix: m.Matrix, name: Callable[[str], str] = str, notation: Notation = ENGLISH) -> str:
    """A matrix expression in letters; `name` gives the display name of an identifier."""
    return _matrix(matrix, name, notation)[0]


def cell_text(expression: s.Scalar, name: Callable[[s.Cell], str], notation: Notation = ENGLISH) -> str:
    """A scalar expression; `name` gives the display name of a cell."""
    return CellWriter(name, notation=notation).read(expression)[0]


def value_text(value: s.Value) -> str:
    """A number that was put in: as typed, or to its decimals."""
    return as_typed(value.value) if value.decimals is None else fixed(value.value, value.decimals)


def split_sign(term: s.Scalar) -> tuple[bool, s.Scalar]:
    """Whether a term is taken off, and what is: + (−0.107) reads − 0.107."""
    match term:
        case s.Negative(operand):
            return True, operand
        case s.Value(value, decimals) if value < 0:
            return True, s.Value(-value, decimals)
        case _:
            return False, term


def _in(text: PlainText, least: int) -> str:
    return text[0] if text[1] >= least else f"({text[0]})"


def _matrix(matrix: m.Matrix, name: Callable[[str], str], notation: Notation) -> PlainText:
    def of(part: m.Matrix) -> PlainText:
        return _matrix(part, name, notation)

    match matrix:
        case m.Symbol(identifier):
            return name(identifier), _ATOM
        case m.Constant(value):
            return notation.number(as_typed(value)), _ATOM if value >= 0 else _SUM
        case m.Identity():
            return "I", _ATOM
        case m.MatMul(left, right):
            return f"{_in(of(left), _PRODUCT)}·{_in(of(right), _POWER)}", _PRODUCT
        case m.Transpose(operand):
            return f"{_in(of(operand), _ATOM)}ᵀ", _ATOM
        case m.Repeat(operand):
            return of(operand)
        case m.Broadcast():
            return _broadcast(matrix, of(matrix.left), of(matrix.right))
        case m.Apply(template, arguments):
            return CellWriter(_no_cells, {key: of(argument) for key, argument in arguments}, notation).read(template)
        case m.Reduce(operation, operand, over):
            sign = _OPERATIONS[operation]
            runs = f"_{notation.over(over)}" if over != "all" else ""
            return f"{sign}{runs} {_in(of(operand), _PRODUCT)}", _PREFIX
        case m.Row(operand, index):
            return f"{_in(of(operand), _ATOM)}[{index + 1}]", _ATOM
        case m.Stack(parts, over):
            shown = [of(part)[0] for part in parts[:SHOWN_ROWS]] + ["…"] * (len(parts) > SHOWN_ROWS)
            return f"[{('; ' if over == 'rows' else ' | ').join(shown)}]", _ATOM
        case m.Part(operand):
            return f"{_in(of(operand), _ATOM)}[{chosen_text(matrix, operand.shape)}]", _ATOM
        case m.Scatter(operand, _, _, shape):
            return f"put({of(operand)[0]}, [{chosen_text(matrix, shape)}])", _ATOM
        case m.Reshape(operand, (rows, columns)):
            return f"reshape({of(operand)[0]}, {rows}×{columns})", _ATOM
        case m.Correlation(left, right) | m.Spread(left, right):
            sign = "∗" if isinstance(matrix, m.Correlation) else "∗ᵀ"
            return f"{_in(of(left), _PRODUCT)} {sign} {_in(of(right), _POWER)}", _PRODUCT
        case m.Pool(operation, operand, (high, wide)):
            return f"{_OPERATIONS[operation]}_{high}×{wide} {_in(of(operand), _PRODUCT)}", _PREFIX
        case m.FirstMaximum(operand, (high, wide)):
            return f"first max_{high}×{wide} {_in(of(operand), _PRODUCT)}", _PREFIX
        case m.Detached(operand):
            return of(operand)
        case m.Rounded(operand, decimals):
            return f"{notation.rounded}({of(operand)[0]}{notation.separator} {decimals})", _ATOM
        case m.StableForm(shown, _):
            return of(shown)
        case _:
            assert_never(matrix)


def chosen_text(picked: m.Part | m.Scatter, shape: m.Shape) -> str:
    """Which rows and columns of a matrix of `shape` are picked, counted from 1 as cells are: `rows 1–2, column 3`."""
    sides = zip(("row", "column"), (picked.rows, picked.columns), shape, strict=True)
    return ", ".join(filter(None, (_chosen(*side) for side in sides))) or "all"


def _chosen(one: str, numbers: Sequence[int | None], size: int) -> str:
    """Nothing where all are taken, in their order; – stands for what is filled up with 0."""
    first, several = numbers[0], f"{one}s" if len(numbers) > 1 else one
    if first is None or tuple(numbers) != tuple(range(first, first + len(numbers))):
        shown = ["–" if each is None else str(each + 1) for each in numbers]
        shown = shown if len(shown) <= MOST_PICKED else [*shown[: MOST_PICKED - 2], "…", shown[-1]]
        return f"{several} {', '.join(shown)}"
    if len(numbers) == size:
        return ""
    return f"{several} {first + 1}" if len(numbers) == 1 else f"{several} {first + 1}–{first + len(numbers)}"


def _broadcast(matrix: m.Broadcast, left: PlainText, right: PlainText) -> PlainText:
    match matrix.operator:
        case "+":
            return f"{_in(left, _SUM)} + {_in(right, _PREFIX)}", _SUM
        case "-":
            return f"{_in(left, _SUM)} − {_in(right, _PRODUCT)}", _SUM
        case "*":
            sign = "·" if (1, 1) in (m.unrepeated(matrix.left).shape, m.unrepeated(matrix.right).shape) else " ⊙ "
            return _joined(left, sign, right)
        case "/":
            return _joined(left, "/", right)
        case _:
            assert_never(matrix.operator)


def _joined(left: PlainText, sign: str, right: PlainText) -> PlainText:
    """A product or quotient; a Σ at its end needs no parentheses, but then the whole is as open as it."""
    if right[1] == _PREFIX:
        return f"{_in(left, _PRODUCT)}{sign}{right[0]}", _PREFIX
    return f"{_in(left, _PRODUCT)}{sign}{_in(right, _POWER)}", _PRODUCT


def _no_cells(cell: s.Cell) -> str:
    raise TypeError(f"a template holds the cell {cell}")


def _raised(exponent: float) -> str:
    return as_typed(exponent).translate(_SUPERSCRIPTS) if exponent == int(exponent) else f"^{as_typed(exponent)}"


class CellWriter:
    """Writes a scalar expression; template variables may stand for written matrices.

    live.py overrides how numbers that were put in are written.
    """

    def __init__(
        self,
        name: Callable[[s.Cell], str],
        arguments: dict[str, PlainText] | None = None,
        notation: Notation = ENGLISH,
    ) -> None:
        self.name, self.arguments, self.notation = name, arguments, notation

    def write(self, expression: s.Scalar, least: int = _SUM) -> str:
        return _in(self.read(expression), least)

    def read(self, expression: s.Scalar) -> PlainText:
        match expression:
            case s.Number(value):
                return self.notation.number(as_typed(value)), _ATOM if value >= 0 else _SUM
            case s.Value():
                return self.value(expression)
            case s.Omitted(count):
                return f"… ({self.notation.omitted(count)})", _ATOM
            case s.Variable(variable):
                return (self.arguments or {}).get(variable, (variable, _ATOM))
            case s.Cell():
                return self.name(expression), _ATOM
            case s.Negative(operand):
                return "−" + self.write(operand, _POWER), _SUM
            case s.Sum(terms):
                return self._sum(terms), _SUM
            case s.Product(factors):
                return self._product(factors), _PRODUCT
            case s.Quotient(numerator, denominator):
                return f"{self.write(numerator, _PRODUCT)}/{self.write(denominator, _POWER)}", _PRODUCT
            case s.Power(base, exponent):
                return f"{self.write(base, _ATOM)}{_raised(exponent)}", _POWER
            case s.Raised(base, exponent):
                return f"{self.notation.number(as_typed(base))}^{self.write(exponent, _ATOM)}", _POWER
            case s.Where(left, relation, right, then, otherwise):
                condition = f"{self.write(left)} {_SIGNS[relation]} {self.write(right)}"
                word, other = self.notation.where, self.notation.otherwise
                return f"({self.write(then)} {word} {condition}, {other} {self.write(otherwise)})", _ATOM
            case s.Stable(shown, _):
                return self.read(shown)
            case s.Fold():
                return self.read(s.expand(expression))
            case _:
                return self._function(expression)

    def value(self, value: s.Value) -> PlainText:
        """A number that was put in."""
        return self.notation.number(value_text(value)), _ATOM if value.value >= 0 else _SUM

    def factor(self, factor: s.Scalar) -> str:
        """A factor within its own parentheses."""
        return f"({self.write(factor)})"

    def split_sign(self, term: s.Scalar) -> tuple[bool, s.Scalar]:
        """Whether a term is taken off, and what is."""
        return split_sign(term)

    def _function(self, expression: s.OfNumbers) -> PlainText:
        match expression:
            case s.Exp(argument):
                return f"exp({self.write(argument)})", _ATOM
            case s.Log(argument):
                return f"ln({self.write(argument)})", _ATOM
            case s.Tanh(argument):
                return f"tanh({self.write(argument)})", _ATOM
            case s.Function("sqrt", argument):
                return f"√{self.write(argument, _ATOM)}", _POWER
            case s.Function(function, argument):
                return f"{FUNCTION_NAMES[function]}({self.write(argument)})", _ATOM
            case s.Absolute(operand):
                return f"|{self.write(operand)}|", _ATOM
            case s.Maximum(operands):
                return f"max({f'{self.notation.separator} '.join(map(self.write, operands))})", _ATOM
            case s.Round(operand, decimals):
                separator = self.notation.separator
                return f"{self.notation.rounded}({self.write(operand)}{separator} {decimals})", _ATOM
            case _:
                assert_never(expression)

    def _sum(self, terms: Sequence[s.Scalar]) -> str:
        text = self.write(terms[0], _SUM)
        for term in terms[1:]:
            minus, part = self.split_sign(term)
            text += (" − " if minus else " + ") + self.write(part, _PRODUCT)
        return text

    def _product(self, factors: Sequence[s.Scalar]) -> str:
        if any(isinstance(factor, s.Value) for factor in factors):
            return "".join(map(self.factor, factors))
        matrices = self.arguments is not None and all(map(s.variables, factors))
        first, *others = factors
        sign = " ⊙ " if matrices else "·"
        return sign.join([self.write(first, _PRODUCT), *(self.write(factor, _POWER) for factor in others)])
