"""The MathML reading: formulas in letters, and worked lines with the numbers put in.

Pure markup text without the outer <math>. Every name comes in as markup (`label_mathml` has
escaped it); everything else is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import TypeAlias, assert_never

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.digits import as_typed
from tracer.expression.notation import ENGLISH, Notation
from tracer.expression.text import FUNCTION_NAMES, SHOWN_ROWS, chosen_text, split_sign, value_text

_SUM, _PREFIX, _PRODUCT, _POWER, _ATOM = range(5)  # Σ x takes in all factors behind it
SHORT = 3  # terms of a sum that need no line of their own under a fraction bar
_OPERATIONS: dict[s.Operation, str] = {"sum": "<mo>∑</mo>", "max": "<mi>max</mi>"}
_RELATIONS = {">": "&gt;", ">=": "≥", "=": "="}

Markup: TypeAlias = tuple[str, int]


def matrix_mathml(matrix: m.Matrix, name: Callable[[str], str], notation: Notation = ENGLISH) -> str:
    """A matrix expression in letters; `name` gives the markup of an identifier."""
    return _matrix(matrix, name, notation)[0]


def cell_mathml(expression: s.Scalar, name: Callable[[s.Cell], str]) -> str:
    """A scalar expression, in letters or with numbers; `name` gives the markup of a cell."""
    return _MathMLWriter(name).read(expression)[0]


def cell_mathml_terms(expression: s.Scalar, name: Callable[[s.Cell], str], notation: Notation = ENGLISH) -> list[str]:
    """As `cell_mathml`, in pieces: a sum's terms, each but the first with its sign in front."""
    writer = _MathMLWriter(name, notation=notation)
    if not isinstance(expression, s.Sum):
        lead, inside = _around_a_sum(expression, writer)
        return [writer.write(expression)] if inside is None else _enclosed(lead, _sum_pieces(inside, writer))
    return _sum_pieces(expression, writer)


def _sum_pieces(total: s.Sum, writer: _MathMLWriter) -> list[str]:
    pieces = writer.sum_parts(total.terms)
    signs = (sign.replace("<mo>", '<mo form="infix">') for sign in pieces[1::2])  # spaced, though it comes first
    return [pieces[0], *(_row(*pair) for pair in zip(signs, pieces[2::2], strict=True))]


def _around_a_sum(expression: s.Scalar, writer: _MathMLWriter) -> tuple[str, s.Sum | None]:
    """What stands before a sum in parentheses that is the rest of the line, and the sum; None where it is no such line.

    A fraction over a long sum of more than numbers is written 1/n·(…), since no fraction can be broken.
    """
    match expression:
        case s.Round(s.Sum() as total, decimals) if len(total.terms) > 1:
            return _rounding(decimals, writer.notation), total
        case s.Product((*others, s.Sum() as total)) if len(total.terms) > 2:
            return writer.lead(others), total
        case s.Quotient(s.Sum(terms) as total, denominator) if len(terms) > SHORT and any(map(s.children, terms)):
            return writer.lead([s.Quotient(s.Number(1.0), denominator)]), total
        case _:
            return "", None


def _enclosed(lead: str, pieces: Sequence[str]) -> list[str]:
    """The lead and ( before the first of several pieces, ) behind the last."""
    opening, closing = (f'<mo stretchy="false">{bracket}</mo>' for bracket in "()")
    first, *middle, last = pieces
    return [lead + opening + first, *middle, last + closing]


def _rounding(decimals: int, notation: Notation) -> str:
    """The word with its decimals as an index."""
    return f"<msub><mi>{escape(notation.rounded)}</mi><mn>{decimals}</mn></msub>"


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def _operator(sign: str) -> str:
    return f"<mo>{sign}</mo>"


def _number(text: str) -> str:
    return _row(_operator("−"), f"<mn>{text[1:]}</mn>") if text.startswith("−") else f"<mn>{text}</mn>"


def _brackets(text: str) -> str:
    return _row(_operator("("), text, _operator(")"))


def _in(markup: Markup, least: int) -> str:
    return markup[0] if markup[1] >= least else _brackets(markup[0])


def _matrix(matrix: m.Matrix, name: Callable[[str], str], notation: Notation) -> Markup:
    def of(part: m.Matrix) -> Markup:
        return _matrix(part, name, notation)

    match matrix:
        case m.Symbol(identifier):
            return name(identifier), _ATOM
        case m.Constant(value):
            return _number(notation.number(as_typed(value))), _ATOM if value >= 0 else _SUM
        case m.Identity():
            return "<mi>I</mi>", _ATOM
        case m.MatMul(left, right):
            return _row(_in(of(left), _PRODUCT), _operator("·"), _in(of(right), _POWER)), _PRODUCT
        case m.Transpose(operand):
            return f"<msup>{_in(of(operand), _ATOM)}<mi>T</mi></msup>", _ATOM
        case m.Repeat(operand):
            return of(operand)
        case m.Broadcast():
            return _broadcast(matrix, of(matrix.left), of(matrix.right))
        case m.Apply(template, arguments):
            return _MathMLWriter(_no_cells, {key: of(argument) for key, argument in arguments}, notation).read(template)
        case m.Reduce(operation, operand, over):
            sign = _OPERATIONS[operation]
            sign = f"<munder>{sign}<mi>{escape(notation.over(over))}</mi></munder>" if over != "all" else sign
            return _row(sign, _in(of(operand), _PRODUCT)), _PREFIX
        case m.Row(operand, index):
            rows = _row(f"<mn>{index + 1}</mn>", _operator(","), _operator(":"))
            return f"<msub>{_row(_in(of(operand), _ATOM))}{rows}</msub>", _POWER
        case m.Stack(parts, over):
            return _stack([of(part)[0] for part in parts], over), _ATOM
        case m.Part(operand):
            chosen = f"<mtext>{chosen_text(matrix, operand.shape)}</mtext>"
            return f"<msub>{_row(_in(of(operand), _ATOM))}{chosen}</msub>", _POWER
        case m.Scatter(operand, _, _, shape):
            put = f"<msub><mi>put</mi><mtext>{chosen_text(matrix, shape)}</mtext></msub>"
            return _row(put, _brackets(of(operand)[0])), _ATOM
        case m.Reshape(operand, size):
            return _row(f"<msub><mi>reshape</mi>{_by(size)}</msub>", _brackets(of(operand)[0])), _ATOM
        case m.Correlation(left, right):
            return _row(_in(of(left), _PRODUCT), _operator("∗"), _in(of(right), _POWER)), _PRODUCT
        case m.Spread(left, right):
            sign = "<msup><mo>∗</mo><mi>T</mi></msup>"
            return _row(_in(of(left), _PRODUCT), sign, _in(of(right), _POWER)), _PRODUCT
        case m.Pool(operation, operand, size):
            sign = f"<munder>{_OPERATIONS[operation]}{_by(size)}</munder>"
            return _row(sign, _in(of(operand), _PRODUCT)), _PREFIX
        case m.FirstMaximum(operand, size):
            sign = f"<munder><mi>first max</mi>{_by(size)}</munder>"
            return _row(sign, _in(of(operand), _PRODUCT)), _PREFIX
        case m.Detached(operand):
            return of(operand)
        case m.Rounded(operand, decimals):
            return _row(_rounding(decimals, notation), _brackets(of(operand)[0])), _ATOM
        case m.StableForm(shown, _):
            return of(shown)
        case _:
            assert_never(matrix)


def _by(size: m.Shape) -> str:
    return _row(f"<mn>{size[0]}</mn>", _operator("×"), f"<mn>{size[1]}</mn>")


def _stack(parts: list[str], over: m.Axis) -> str:
    more = "⋮" if over == "rows" else "⋯"
    cells = [f"<mtd>{part}</mtd>" for part in (*parts[:SHOWN_ROWS], *[f"<mo>{more}</mo>"] * (len(parts) > SHOWN_ROWS))]
    table = "".join(f"<mtr>{cell}</mtr>" for cell in (cells if over == "rows" else ["".join(cells)]))
    return _row(_operator("["), f"<mtable>{table}</mtable>", _operator("]"))


def _broadcast(matrix: m.Broadcast, left: Markup, right: Markup) -> Markup:
    match matrix.operator:
        case "+":
            return _row(_in(left, _SUM), _operator("+"), _in(right, _SUM)), _SUM
        case "-":
            return _row(_in(left, _SUM), _operator("−"), _in(right, _PRODUCT)), _SUM
        case "*":
            sign = "·" if (1, 1) in (m.unrepeated(matrix.left).shape, m.unrepeated(matrix.right).shape) else "⊙"
            if right[1] == _PREFIX:  # a Σ at the end needs no parentheses, but then the whole is as open as it
                return _row(_in(left, _PRODUCT), _operator(sign), right[0]), _PREFIX
            return _row(_in(left, _PRODUCT), _operator(sign), _in(right, _POWER)), _PRODUCT
        case "/":
            return f"<mfrac>{left[0]}{right[0]}</mfrac>", _POWER
        case _:
            assert_never(matrix.operator)


def _no_cells(cell: s.Cell) -> str:
    raise TypeError(f"a template holds the cell {cell}")


class _MathMLWriter:
    """Writes a scalar expression; template variables may stand for written matrices."""

    def __init__(
        self,
        name: Callable[[s.Cell], str],
        arguments: dict[str, Markup] | None = None,
        notation: Notation = ENGLISH,
    ) -> None:
        self.name, self.arguments, self.notation = name, arguments, notation

    def write(self, expression: s.Scalar, least: int = _SUM) -> str:
        return _in(self.read(expression), least)

    def read(self, expression: s.Scalar) -> Markup:
        match expression:
            case s.Number(value):
                return self._number(as_typed(value)), _ATOM if value >= 0 else _SUM
            case s.Value(value):
                return self._number(value_text(expression)), _ATOM if value >= 0 else _SUM
            case s.Omitted(count):
                return _row(_operator("⋯"), f"<mtext>({escape(self.notation.omitted(count))})</mtext>"), _ATOM
            case s.Variable(variable):
                return (self.arguments or {}).get(variable, (f"<mi>{variable}</mi>", _ATOM))
            case s.Cell():
                return self.name(expression), _POWER
            case s.Negative(operand):
                return _row(_operator("−"), self.write(operand, _POWER)), _SUM
            case s.Sum(terms):
                return _row(*self.sum_parts(terms)), _SUM
            case s.Product(factors):
                return self._product(factors), _PRODUCT
            case s.Quotient(numerator, denominator):
                return f"<mfrac>{self.write(numerator)}{self.write(denominator)}</mfrac>", _POWER
            case s.Power(base, exponent):
                return f"<msup>{self.write(base, _ATOM)}<mn>{as_typed(exponent)}</mn></msup>", _POWER
            case s.Raised(base, exponent):
                return f"<msup>{self._number(as_typed(base))}{self.write(exponent)}</msup>", _POWER
            case s.Stable(shown, _):
                return self.read(shown)
            case s.Fold():
                return self.read(s.expand(expression))
            case s.Where():
                return self._where(expression), _ATOM
            case _:
                return self._function(expression)

    def _number(self, text: str) -> str:
        return _number(self.notation.number(text))

    def _function(self, expression: s.OfNumbers) -> Markup:
        match expression:
            case s.Exp(argument):
                return f"<msup><mi>e</mi>{self.write(argument)}</msup>", _POWER
            case s.Log(argument):
                return _row("<mi>ln</mi>", _brackets(self.write(argument))), _ATOM
            case s.Tanh(argument):
                return _row("<mi>tanh</mi>", _brackets(self.write(argument))), _ATOM
            case s.Function("sqrt", argument):
                return f"<msqrt>{self.write(argument)}</msqrt>", _ATOM
            case s.Function(name, argument):
                return _row(f"<mi>{FUNCTION_NAMES[name]}</mi>", _brackets(self.write(argument))), _ATOM
            case s.Absolute(operand):
                return _row(_operator("|"), self.write(operand), _operator("|")), _ATOM
            case s.Maximum(operands):
                separator = _operator(self.notation.separator)
                return _row("<mi>max</mi>", _brackets(separator.join(map(self.write, operands)))), _ATOM
            case s.Round(operand, decimals):
                return _row(_rounding(decimals, self.notation), _brackets(self.write(operand))), _ATOM
            case _:
                assert_never(expression)

    def _where(self, where: s.Where) -> str:
        relation = _operator(_RELATIONS[where.relation])
        condition = _row(self.write(where.left), relation, self.write(where.right))
        otherwise = f"<mtext>{escape(self.notation.otherwise)}</mtext>"
        cases = ((self.write(where.then), condition), (self.write(where.otherwise), otherwise))
        table = "".join(f"<mtr><mtd>{value}</mtd><mtd>{case}</mtd></mtr>" for value, case in cases)
        return _row(_operator("{"), f"<mtable columnalign='left'>{table}</mtable>")

    def sum_parts(self, terms: Sequence[s.Scalar]) -> list[str]:
        """Terms and the signs between them."""
        parts = [self.write(terms[0], _SUM)]
        for term in terms[1:]:
            minus, part = split_sign(term)
            parts += [_operator("−" if minus else "+"), self.write(part, _PRODUCT)]
        return parts

    def lead(self, factors: Sequence[s.Scalar]) -> str:
        """Factors before one in parentheses, side by side with it."""
        bracketed = any(isinstance(factor, s.Value) for factor in factors)
        return self._product(factors) + ("" if bracketed else _operator("·"))

    def _product(self, factors: Sequence[s.Scalar]) -> str:
        if any(isinstance(factor, s.Value) for factor in factors):
            return _row(*(_brackets(self.write(factor)) for factor in factors))
        matrices = self.arguments is not None and all(map(s.variables, factors))
        first, *others = factors
        parts = [self.write(first, _PRODUCT)]
        for factor in others:
            parts += [_operator("⊙" if matrices else "·"), self.write(factor, _POWER)]
        return _row(*parts)
