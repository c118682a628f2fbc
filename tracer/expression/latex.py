"""The LaTeX reading: formulas in letters, and worked lines with the numbers put in, for notebooks.

Pure text without the dollar signs, in commands that LaTeX, MathJax and KaTeX share. Every name comes in as
LaTeX (`label_latex` has escaped it); everything else is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, assert_never

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.digits import as_typed
from tracer.expression.text import SHOWN_ROWS, chosen_text, split_sign, value_text

_SUM, _PREFIX, _PRODUCT, _POWER, _ATOM = range(5)  # Σ x takes in all factors behind it
_RELATIONS = {">": ">", ">=": r"\geq", "=": "="}
_OPERATIONS: dict[s.Operation, str] = {"sum": r"\sum", "max": r"\max"}
_FUNCTIONS: dict[s.FunctionName, str] = {
    "sqrt": r"\sqrt",
    "sin": r"\sin",
    "cos": r"\cos",
    "arctan": r"\arctan",
    "normal_cdf": r"\Phi",
}

Latex: TypeAlias = tuple[str, int]


def matrix_latex(matrix: m.Matrix, name: Callable[[str], str]) -> str:
    """A matrix expression in letters; `name` gives the LaTeX of an identifier."""
    return _matrix(matrix, name)[0]


def cell_latex(expression: s.Scalar, name: Callable[[s.Cell], str]) -> str:
    """A scalar expression, in letters or with numbers; `name` gives the LaTeX of a cell."""
    return _LatexWriter(name).read(expression)[0]


def _number(value: float, text: str) -> Latex:
    """A number as it is shown: −0.42, 1.014e+304 or ∞."""
    digits, _, exponent = text.replace("−", "-").replace("∞", r"\infty").partition("e")
    latex = rf"{digits} \times 10^{{{int(exponent)}}}" if exponent else digits
    return latex, _SUM if value < 0 else _PRODUCT if exponent else _ATOM


def _brackets(text: str) -> str:
    return rf"\left({text}\right)"


def _in(latex: Latex, least: int) -> str:
    return latex[0] if latex[1] >= least else _brackets(latex[0])


def _raised(base: Latex, exponent: str) -> Latex:
    """A power; the braces keep a name that has an index or a mark of its own apart from it."""
    return f"{{{_in(base, _ATOM)}}}^{{{exponent}}}", _POWER


def _matrix(matrix: m.Matrix, name: Callable[[str], str]) -> Latex:
    def of(part: m.Matrix) -> Latex:
        return _matrix(part, name)

    match matrix:
        case m.Symbol(identifier):
            return name(identifier), _ATOM
        case m.Constant(value):
            return _number(value, as_typed(value))
        case m.Identity():
            return "I", _ATOM
        case m.MatMul(left, right):
            return rf"{_in(of(left), _PRODUCT)} \cdot {_in(of(right), _POWER)}", _PRODUCT
        case m.Transpose(operand):
            return _raised(of(operand), r"\mathsf{T}")[0], _ATOM
        case m.Repeat(operand):
            return of(operand)
        case m.Broadcast():
            return _broadcast(matrix, name)
        case m.Apply(template, arguments):
            return _LatexWriter(_no_cells, {key: of(argument) for key, argument in arguments}).read(template)
        case m.Reduce(operation, operand, over):
            sign = _OPERATIONS[operation]
            below = "" if over == "all" else rf"_{{\mathrm{{{over}}}}}"
            return f"{sign}{below} {_in(of(operand), _PRODUCT)}", _PREFIX
        case m.Row(operand, index):
            return f"{{{_in(of(operand), _ATOM)}}}_{{{index + 1},:}}", _POWER
        case m.Stack(parts, over):
            down, more = (r" \\ ", r"\vdots") if over == "rows" else (" & ", r"\cdots")
            shown = [of(part)[0] for part in parts[:SHOWN_ROWS]] + [more] * (len(parts) > SHOWN_ROWS)
            return r"\begin{bmatrix} " + down.join(shown) + r" \end{bmatrix}", _ATOM
        case m.Part(operand):
            return f"{{{_in(of(operand), _ATOM)}}}_{{\\text{{{chosen_text(matrix, operand.shape)}}}}}", _POWER
        case m.Scatter(operand, _, _, shape):
            return rf"\operatorname{{put}}_{{\text{{{chosen_text(matrix, shape)}}}}}{_brackets(of(operand)[0])}", _ATOM
        case m.Reshape(operand, (rows, columns)):
            return rf"\operatorname{{reshape}}_{{{rows} \times {columns}}}{_brackets(of(operand)[0])}", _ATOM
        case m.Correlation(left, right) | m.Spread(left, right):
            sign = r"\ast" if isinstance(matrix, m.Correlation) else r"\ast^{\mathsf{T}}"
            return rf"{_in(of(left), _PRODUCT)} {sign} {_in(of(right), _POWER)}", _PRODUCT
        case m.Pool(operation, operand, size):
            return f"{_OPERATIONS[operation]}_{{{_by(size)}}} {_in(of(operand), _PRODUCT)}", _PREFIX
        case m.FirstMaximum(operand, size):
            return rf"\operatorname{{first}}\max_{{{_by(size)}}} {_in(of(operand), _PRODUCT)}", _PREFIX
        case m.Detached(operand):
            return of(operand)
        case m.Rounded(operand, decimals):
            return rf"\operatorname{{round}}_{{{decimals}}}{_brackets(of(operand)[0])}", _ATOM
        case m.StableForm(shown, _):
            return of(shown)
        case _:
            assert_never(matrix)


def _by(size: m.Shape) -> str:
    return rf"{size[0]} \times {size[1]}"


def _broadcast(matrix: m.Broadcast, name: Callable[[str], str]) -> Latex:
    left, right = _matrix(matrix.left, name), _matrix(matrix.right, name)
    match matrix.operator:
        case "+":
            return f"{_in(left, _SUM)} + {_in(right, _SUM)}", _SUM
        case "-":
            return f"{_in(left, _SUM)} - {_in(right, _PRODUCT)}", _SUM
        case "*":
            sign = (
                r"\cdot" if (1, 1) in (m.unrepeated(matrix.left).shape, m.unrepeated(matrix.right).shape) else r"\odot"
            )
            if right[1] == _PREFIX:  # a Σ at the end needs no parentheses, but then the whole is as open as it
                return f"{_in(left, _PRODUCT)} {sign} {right[0]}", _PREFIX
            return f"{_in(left, _PRODUCT)} {sign} {_in(right, _POWER)}", _PRODUCT
        case "/":
            return rf"\frac{{{left[0]}}}{{{right[0]}}}", _POWER
        case _:
            assert_never(matrix.operator)


def _no_cells(cell: s.Cell) -> str:
    raise TypeError(f"a template holds the cell {cell}")


class _LatexWriter:
    """Writes a scalar expression; template variables may stand for written matrices."""

    def __init__(self, name: Callable[[s.Cell], str], arguments: dict[str, Latex] | None = None) -> None:
        self.name = name
        self.arguments = arguments

    def write(self, expression: s.Scalar, least: int = _SUM) -> str:
        return _in(self.read(expression), least)

    def read(self, expression: s.Scalar) -> Latex:
        match expression:
            case s.Number(value):
                return _number(value, as_typed(value))
            case s.Value(value):
                return _number(value, value_text(expression))
            case s.Omitted(count):
                return rf"\cdots\ \text{{({count} more)}}", _ATOM
            case s.Variable(variable):
                return (self.arguments or {}).get(variable, (variable, _ATOM))
            case s.Cell():
                return self.name(expression), _POWER
            case s.Negative(operand):
                return f"-{self.write(operand, _POWER)}", _SUM
            case s.Sum(terms):
                return self._sum(terms), _SUM
            case s.Product(factors):
                return self._product(factors), _PRODUCT
            case s.Quotient(numerator, denominator):
                return rf"\frac{{{self.write(numerator)}}}{{{self.write(denominator)}}}", _POWER
            case s.Power(base, exponent):
                return _raised(self.read(base), as_typed(exponent))
            case s.Raised(base, exponent):
                return f"{as_typed(base)}^{{{self.write(exponent)}}}", _POWER
            case s.Stable(shown, _):
                return self.read(shown)
            case s.Fold():
                return self.read(s.expand(expression))
            case s.Where():
                return self._where(expression), _ATOM
            case _:
                return self._function(expression)

    def _function(self, expression: s.OfNumbers) -> Latex:
        match expression:
            case s.Exp(argument):
                return f"e^{{{self.write(argument)}}}", _POWER
            case s.Log(argument):
                return rf"\ln{_brackets(self.write(argument))}", _ATOM
            case s.Tanh(argument):
                return rf"\tanh{_brackets(self.write(argument))}", _ATOM
            case s.Function("sqrt", argument):
                return rf"\sqrt{{{self.write(argument)}}}", _ATOM
            case s.Function(name, argument):
                return rf"{_FUNCTIONS[name]}{_brackets(self.write(argument))}", _ATOM
            case s.Absolute(operand):
                return rf"\left|{self.write(operand)}\right|", _ATOM
            case s.Maximum(operands):
                return rf"\max{_brackets(', '.join(map(self.write, operands)))}", _ATOM
            case s.Round(operand, decimals):
                return rf"\operatorname{{round}}_{{{decimals}}}{_brackets(self.write(operand))}", _ATOM
            case _:
                assert_never(expression)

    def _where(self, where: s.Where) -> str:
        condition = f"{self.write(where.left)} {_RELATIONS[where.relation]} {self.write(where.right)}"
        then, otherwise = self.write(where.then), self.write(where.otherwise)
        return rf"\begin{{cases}} {then} & {condition} \\ {otherwise} & \text{{else}} \end{{cases}}"

    def _sum(self, terms: Sequence[s.Scalar]) -> str:
        text = self.write(terms[0], _SUM)
        for term in terms[1:]:
            minus, part = split_sign(term)
            text += (" - " if minus else " + ") + self.write(part, _PRODUCT)
        return text

    def _product(self, factors: Sequence[s.Scalar]) -> str:
        if any(isinstance(factor, s.Value) for factor in factors):
            return "".join(_brackets(self.write(factor)) for factor in factors)
        matrices = self.arguments is not None and all(map(s.variables, factors))
        first, *others = factors
        parts = [self.write(first, _PRODUCT), *(self.write(factor, _POWER) for factor in others)]
        return (r" \odot " if matrices else r" \cdot ").join(parts)
