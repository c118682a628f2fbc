"""The spreadsheet reading: one cell's formula, in functions that every spreadsheet program has.

Pure text: no openpyxl, and no "=" in front. Precedence is the spreadsheet's own, where a sign
binds tighter than a power (=-2^2 is 4). Sums of up to `EXPANDED` products, or
`EXPANDED_RULES` terms of another rule, are written out; longer ones take SUM, SUMPRODUCT, or
MMULT where a row meets a column.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias, assert_never

from tracer.errors import ExportError
from tracer.expression import scalar as s

EXPANDED = 8
EXPANDED_RULES = 100  # not every program computes LN or ABS of a range within SUMPRODUCT
LARGEST_EXPONENT = 709  # EXP of any more is an error in a spreadsheet, not infinity
TIE_DECIMALS = 9  # as in digits.TIE: decimals beyond the last place at which a tie is a tie

SUM, PRODUCT, POWER, ATOM = range(4)  # how tightly a text binds
_FUNCTIONS: dict[s.FunctionName, str] = {
    "sqrt": "SQRT",
    "sin": "SIN",
    "cos": "COS",
    "arctan": "ATAN",
    "normal_cdf": "NORMSDIST",
}
_PRODUCT_OF_TWO = s.Product((s.Variable("u"), s.Variable("v")))  # what `lower` makes of a matrix product

FormulaText: TypeAlias = tuple[str, int]


class Addresses(Protocol):
    """Where the cells of each matrix lie."""

    def cell(self, cell: s.Cell) -> str:
        """The address of one cell, as in B5."""

    def block(self, block: s.Block) -> str:
        """The range of a block, as in B5:E5."""


def to_formula(expression: s.Scalar, addresses: Addresses) -> str:
    """The formula of one cell, without the leading "=".

    Raises ExportError for a sum that no formula of every program can express.
    """
    return FormulaWriter(addresses).write(expression, SUM)


class FormulaWriter:
    """Writes an expression for one place; `ranges` gives template variables their range.

    matrix_formula.py overrides what is written otherwise where whole matrices are computed with.
    """

    def __init__(self, addresses: Addresses, ranges: dict[str, str] | None = None) -> None:
        self.addresses = addresses
        self.ranges = ranges

    def write(self, expression: s.Scalar, least: int) -> str:
        """The text, in parentheses where it binds less than `least`."""
        text, level = self.read(expression)
        return text if level >= least else f"({text})"

    def read(self, expression: s.Scalar) -> FormulaText:
        """The text and how tightly it binds."""
        match expression:
            case s.Number(value) | s.Value(value) | s.Omitted(_, value):
                return literal(value), ATOM if value >= 0 else SUM
            case s.Variable(name):
                return self.variable(name)
            case s.Cell():
                return self.addresses.cell(expression), ATOM
            case s.Negative(operand):
                return "-" + self.write(operand, ATOM), SUM
            case s.Sum(terms):
                return self._sum(terms), SUM
            case s.Product(factors):
                return "*".join(self.write(factor, PRODUCT) for factor in factors), PRODUCT
            case s.Quotient(numerator, denominator):
                return f"{self.write(numerator, PRODUCT)}/{self.write(denominator, POWER)}", PRODUCT
            case s.Power(base, exponent):
                return f"{self.write(base, ATOM)}^{literal(float(exponent))}", POWER
            case s.Raised(base, exponent):
                return f"{literal(base)}^{self.write(exponent, ATOM)}", POWER
            case s.Where(left, relation, right, then, otherwise):
                condition = f"{self.write(left, SUM)}{relation}{self.write(right, SUM)}"
                return self.call("IF", condition, self.write(then, SUM), self.write(otherwise, SUM))
            case s.Stable(_, computed):
                return self.read(computed)
            case s.Fold():
                return self._fold(expression)
            case _:
                return self._function(expression)

    def _function(self, expression: s.OfNumbers) -> FormulaText:
        match expression:
            case s.Exp(argument, bounded):
                return self.exponential(argument, bounded)
            case s.Log(argument):
                return self.call("LN", self.write(argument, SUM))
            case s.Tanh(argument):
                return self.call("TANH", self.write(argument, SUM))
            case s.Function(name, argument):
                return self.call(_FUNCTIONS[name], self.write(argument, SUM))
            case s.Absolute(operand):
                return self.call("ABS", self.write(operand, SUM))
            case s.Maximum(operands):
                return self.maximum(operands)
            case s.Round(operand, decimals):
                # rounding first to nine places more makes a tie that float64 just misses a tie
                inner, _ = self.call("ROUND", self.write(operand, SUM), str(decimals + TIE_DECIMALS))
                return self.call("ROUND", inner, str(decimals))
            case _:
                assert_never(expression)

    def call(self, function: str, *arguments: str) -> FormulaText:
        return f"{function}({','.join(arguments)})", ATOM

    def _sum(self, terms: tuple[s.Scalar, ...]) -> str:
        text = self.write(terms[0], SUM)
        for term in terms[1:]:
            if isinstance(term, s.Negative):
                text += f"-{self.write(term.operand, PRODUCT)}"
            else:
                text += f"+{self.write(term, PRODUCT)}"
        return text

    def exponential(self, argument: s.Scalar, bounded: bool) -> FormulaText:
        power = self.write(argument, SUM)
        return self.call("EXP", power if bounded or self.ranges else f"MIN({LARGEST_EXPONENT},{power})")

    def maximum(self, operands: tuple[s.Scalar, ...]) -> FormulaText:
        if not self.ranges:
            return self.call("MAX", *(self.write(operand, SUM) for operand in operands))
        match operands:  # over ranges MAX would give one number: max(x, 0) is (x + |x|)/2, exactly
            case (s.Number(0.0), other) | (other, s.Number(0.0)):
                text = self.write(other, PRODUCT)
                return f"({text}+ABS({text}))/2", PRODUCT
            case _:
                raise ExportError("a maximum within a long sum has no formula")

    def variable(self, name: str) -> FormulaText:
        if not self.ranges or name not in self.ranges:
            raise ExportError(f"the variable {name} has no address")
        return self.ranges[name], ATOM

    def _fold(self, fold: s.Fold) -> FormulaText:
        bare = isinstance(fold.template, s.Variable)
        if bare and fold.count > 1 and (fold.operation == "max" or fold.count > EXPANDED):
            function = "SUM" if fold.operation == "sum" else "MAX"
            return self.call(function, self.addresses.block(fold.blocks[0][1]))
        products = bare or fold.template == _PRODUCT_OF_TWO
        if fold.operation == "max" or fold.count <= (EXPANDED if products else EXPANDED_RULES):
            terms = tuple(fold.terms())
            return self.read(terms[0] if len(terms) == 1 else s.expand(fold))
        return self.call("SUMPRODUCT", self._long_sum(fold))

    def _long_sum(self, fold: s.Fold) -> str:
        ranges = {name: self.addresses.block(block) for name, block in fold.blocks}
        directions = {(block.rows, block.columns) for _, block in fold.blocks}
        match fold.template, list(ranges.values()):
            case template, [left, right] if template == _PRODUCT_OF_TWO:
                if len(directions) == 1:
                    return f"{left},{right}"
                across, down = (left, right) if fold.blocks[0][1].rows == 1 else (right, left)
                return f"MMULT({across},{down})"
            case template, _ if len(directions) == 1:
                return FormulaWriter(self.addresses, ranges).write(template, SUM)
            case _:
                raise ExportError("a long sum over rows and columns at once has no formula")


def literal(value: float) -> str:
    """A constant, with every digit that float64 needs to come back the same.

    >>> literal(2.0), literal(1e-05)
    ('2', '1E-05')
    """
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value).upper()
