"""What a formula means: matrix expressions, taken apart where a person would.

Each matrix product that goes into something else, and each function, is a matrix of its own, named after the whole
(`N_part1`). What is merely added, multiplied or divided cell by cell stays together, and so does a sum of products.
"""

from __future__ import annotations

import ast
import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tracer.calculus.tidy import is_number, number_of
from tracer.errors import ShapeError
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.traversal import symbols
from tracer.formulas.functions import CALLED, KNOWN, REQUIRED, SPECIAL, WORDS, Called, Setting, variance
from tracer.formulas.parsing import FormulaError, ParsedFormula

Form: TypeAlias = Literal["matrix", "cells", "power", "products", "function"]
"""How an expression may go on: a matrix (or part of one) as it is; cells combined; a power of them; a sum of products;
a function, which is a matrix of its own wherever it goes into anything."""

_OPERATORS: dict[type[ast.operator], m.Operator] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARED: dict[type[ast.cmpop], tuple[s.Relation, bool]] = {
    ast.Gt: (">", False), ast.GtE: (">=", False), ast.Lt: (">", True), ast.LtE: (">=", True),
}  # fmt: skip
LARGEST = 1e100

NamedValue: TypeAlias = Callable[[m.Matrix, bool], m.Symbol]
"""Names a part of a formula; whether it is held, so that no gradient goes through it."""


@dataclass(frozen=True)
class Meant:
    """An expression and how it may go on."""

    matrix: m.Matrix
    form: Form

    @property
    def number(self) -> float | None:
        """What it is where no matrix is in it: 3, or √2."""
        return number_of(self.matrix) if is_number(self.matrix) else None


class Reader:
    """Reads one formula; `known` has the matrices so far, `part` gives a part of the formula a name."""

    def __init__(self, formula: ParsedFormula, known: Mapping[str, m.Shape], part: NamedValue) -> None:
        self.formula, self.known, self._part = formula, known, part

    def read(self) -> m.Matrix:
        """The expression of the formula. Raises FormulaError."""
        return self.of(self.formula.expression).matrix

    def wrong(self, node: ast.AST, says: str) -> FormulaError:
        return FormulaError(says, self.formula.column(node))

    def of(self, node: ast.expr) -> Meant:
        try:
            return self._of(node)
        except ShapeError as wrong:
            raise self.wrong(node, str(wrong)) from None

    def _of(self, node: ast.expr) -> Meant:
        match node:
            case ast.Constant(value):
                return self._number(node, value)
            case ast.Name("pi"):
                return Meant(m.Constant(math.pi), "matrix")
            case ast.Name(name):
                return self._symbol(node, name)
            case ast.UnaryOp(ast.USub(), operand):
                return self._opposite(self.of(operand))
            case ast.BinOp(left, ast.MatMult(), right):
                return self._product(node, left, right)
            case ast.BinOp(base, ast.Pow(), exponent):
                return self._power(node, base, exponent)
            case ast.BinOp(left, operator, right) if type(operator) in _OPERATORS:
                return self._combined(node, _OPERATORS[type(operator)], left, right)
            case ast.Attribute(operand, "T"):
                return Meant(m.Transpose(self.matrix(operand)), "matrix")
            case ast.Subscript(operand, place):
                return self._picked(node, operand, place)
            case ast.Call(ast.Name(name), arguments, settings):
                return self._call(node, name, arguments, settings)
            case _:
                raise self.wrong(
                    node, f"found {_kind_of(node)}, which no formula has; see `+ - * / @ **`, `.T` and the functions"
                )

    def matrix(self, node: ast.expr) -> m.Matrix:
        """A matrix that stands for itself; anything else becomes a part."""
        return self._alone(self.of(node))

    def _alone(self, made: Meant) -> m.Matrix:
        return made.matrix if made.form == "matrix" else self._part(made.matrix, False)

    def _cells(self, made: Meant, also: tuple[Form, ...] = ()) -> m.Matrix:
        """What may be combined cell by cell; products and functions become parts."""
        return made.matrix if made.form in ("matrix", "cells", *also) else self._part(made.matrix, False)

    def _number(self, node: ast.AST, value: object) -> Meant:
        if type(value) not in (int, float):
            raise self.wrong(node, f"found {str(value)[:40]!r}, expected a number or a matrix")
        try:
            number = float(value)  # type: ignore[arg-type]
        except OverflowError:
            number = math.inf
        if not abs(number) <= LARGEST:
            raise self.wrong(node, "found a number beyond 1e100")
        return Meant(m.Constant(number), "matrix")

    def _symbol(self, node: ast.AST, name: str) -> Meant:
        if name not in self.known:
            if name in WORDS:
                raise self.wrong(node, f"{name} is a function: it needs parentheses and what it is of")
            raise self.wrong(node, f"there is no matrix {name[:40]!r} up to here{near(name, self.known)}")
        return Meant(m.Symbol(name, self.known[name]), "matrix")

    def _opposite(self, made: Meant) -> Meant:
        if made.number is not None:
            return Meant(m.Constant(-made.number + 0.0), "matrix")
        if made.form in ("products", "function"):
            return Meant(m.multiply(m.Constant(-1.0), made.matrix), made.form)
        if isinstance(made.matrix, m.Apply):
            return Meant(m.Apply(s.negative(made.matrix.template), made.matrix.arguments), made.form)
        rule = m.Apply(s.Negative(s.Variable("u")), (("u", made.matrix),))
        return Meant(rule, "cells" if made.form == "matrix" else made.form)

    def _product(self, node: ast.BinOp, left: ast.expr, right: ast.expr) -> Meant:
        a, b = self.matrix(left), self.matrix(right)
        if a.shape[1] != b.shape[0]:
            says = f"{self._told(left, a)} @ {self._told(right, b)}: the {a.shape[1]} columns on the left "
            says += f"need as many rows on the right, which has {b.shape[0]}"
            raise FormulaError(says + _transposed_would(a, b), self._operator_column(node, "@"))
        return Meant(m.MatMul(a, b), "products")

    def _told(self, node: ast.expr, matrix: m.Matrix) -> str:
        source = ast.get_source_segment(self.formula.text, node) or "the matrix"
        return f"{source if len(source) <= 40 else source[:36] + ' …'} ({matrix.shape[0]}×{matrix.shape[1]})"

    def _operator_column(self, node: ast.BinOp, sign: str) -> int:
        """Where the sign between the operands stands."""
        ends = self.formula.column(node.left)
        source = ast.get_source_segment(self.formula.text, node.left) or ""
        found = self.formula.text.find(sign, ends + len(source))
        return found if found >= 0 else self.formula.column(node)

    def _combined(self, node: ast.BinOp, operator: m.Operator, left: ast.expr, right: ast.expr) -> Meant:
        a, b = self.of(left), self.of(right)
        if a.number is not None and b.number is not None:
            return self._of_numbers(node, operator, a.number, b.number)
        scales = operator in "*/" and (b.number is not None or (operator == "*" and a.number is not None))
        form: Form
        if scales:
            kept = a if b.number is not None else b
            form = "cells" if kept.form == "matrix" else kept.form
            A, B = a.matrix, b.matrix
        elif operator in "+-":
            form = "products" if "products" in (a.form, b.form) else "cells"
            A, B = (self._cells(each, ("products",)) for each in (a, b))
        else:
            form, A, B = "cells", self._cells(a), self._cells(b)
        try:
            return Meant(m.Broadcast(operator, A, B), form)
        except ShapeError:
            says = f"{self._told(left, A)} {operator} {self._told(right, B)}: the shapes differ where neither is 1"
            raise FormulaError(says, self._operator_column(node, operator)) from None

    def _of_numbers(self, node: ast.AST, operator: m.Operator, a: float, b: float) -> Meant:
        try:
            value = {"+": a + b, "-": a - b, "*": a * b}.get(operator)
            return self._number(node, a / b if value is None else value)
        except ZeroDivisionError:
            raise self.wrong(node, "found a division by 0") from None

    def _power(self, node: ast.AST, base: ast.expr, exponent: ast.expr) -> Meant:
        power, made = self.of(exponent).number, self.of(base)
        if power is None:
            raise self.wrong(exponent, "found a matrix as exponent, expected a number")
        if made.number is not None:
            try:
                value = made.number**power
            except (OverflowError, ZeroDivisionError):
                value = math.inf
            if isinstance(value, complex):
                raise self.wrong(node, "found a root of a negative number")
            return self._number(node, value)
        u = s.Variable("u")
        rule = _powered(u, power)
        if rule == u:
            return made
        return Meant(m.Apply(rule, (("u", self._cells(made)),)), "power")

    def _picked(self, node: ast.AST, operand: ast.expr, place: ast.expr) -> Meant:
        whole = self.matrix(operand)
        down, across = place.elts if isinstance(place, ast.Tuple) and len(place.elts) == 2 else (place, None)
        rows = self._chosen(down, whole, 0)
        columns = tuple(range(whole.shape[1])) if across is None else self._chosen(across, whole, 1)
        part = m.Part(whole, rows, columns)
        together = all(each == tuple(range(each[0], each[0] + len(each))) for each in (rows, columns))
        return Meant(part, "matrix" if together else "function")

    def _chosen(self, node: ast.expr, whole: m.Matrix, axis: int) -> tuple[int, ...]:
        """The rows or columns that an index takes, from 0."""
        size, what = whole.shape[axis], "row" if axis == 0 else "column"
        match node:
            case ast.Slice(lower, upper, None):
                first = 0 if lower is None else self._index(lower, size, what, size)
                last = size if upper is None else self._index(upper, size, what, size)
                chosen = tuple(range(first, last))
            case ast.Slice():
                raise self.wrong(node, "found a step in a slice, expected from:to")
            case ast.List(elements):
                chosen = tuple(self._index(each, size, what, size - 1) for each in elements)
            case _:
                chosen = (self._index(node, size, what, size - 1),)
        if not chosen:
            raise self.wrong(node, f"takes no {what} of {m.described(whole)}")
        return chosen

    def _index(self, node: ast.expr, size: int, what: str, largest: int) -> int:
        number = self.of(node).number
        if number is None or number != int(number):
            raise self.wrong(node, f"expected the number of a {what}, counted from 0")
        index = int(number) + (size if number < 0 else 0)
        if not 0 <= index <= largest:
            raise self.wrong(node, f"found {what} {int(number)}, expected 0 to {size - 1}: there are {size}")
        return index

    def _call(self, node: ast.Call, name: str, arguments: list[ast.expr], settings: list[ast.keyword]) -> Meant:
        if name in SPECIAL:
            return self._where(node, arguments, settings)
        if name not in CALLED:
            known = near(name, KNOWN) or f"; there are {', '.join(sorted(KNOWN))}"
            raise self.wrong(node, f"there is no function {name[:40]!r}{known}")
        called = CALLED[name]
        count = len(arguments) if called.matrices is None else called.matrices
        if len(arguments) < max(count, 1) or any(isinstance(each, ast.Starred) for each in arguments):
            raise self.wrong(node, f"{name} takes {_counted(called)}, found {len(arguments)}")
        chosen = self._settings(node, name, called, arguments[count:], settings)
        try:
            return self._called(name, called, [self.of(each) for each in arguments[:count]], chosen)
        except ShapeError as wrong:
            raise self.wrong(node, str(wrong)) from None
        except ValueError as wrong:
            if isinstance(wrong, FormulaError):
                raise
            raise self.wrong(node, str(wrong)) from None

    def _called(self, name: str, called: Called, given: list[Meant], settings: dict[str, Setting]) -> Meant:
        if name == "var":
            A = self._alone(given[0])
            return Meant(variance(A, self._part(called.make(A, **settings), True), settings["axis"]), "function")
        if name == "detach":
            return Meant(m.Detached(self._alone(given[0])), "matrix")
        if called.kind == "cells":
            return self._of_cells(called, given[0], settings)
        if called.kind == "sum":
            A = self._cells(given[0], ("power",))
            return Meant(called.make(A, **settings), "function")
        whole = called.make(*map(self._alone, given), **settings)
        return Meant(whole, "products" if called.kind == "kernel" else "function")

    def _of_cells(self, called: Called, given: Meant, settings: dict[str, Setting]) -> Meant:
        """A function of a number is one; of cells it may take in a rule over one matrix and numbers."""
        A = self._cells(given)
        if len({each.name for each in symbols(A)}) > 1:
            A = self._part(A, False)
        made = called.make(A, **settings)
        if given.number is None:
            return Meant(made, "function")
        if not math.isfinite(number_of(made)):
            raise ValueError(f"found {number_of(made)}, which is no finite number")
        return Meant(made, "matrix")

    def _settings(
        self, node: ast.AST, name: str, called: Called, placed: list[ast.expr], settings: list[ast.keyword]
    ) -> dict[str, Setting]:
        keys = list(called.settings)
        if len(placed) > len(keys):
            raise self.wrong(placed[len(keys)], f"{name} takes {_counted(called)}, found more")
        found = dict(called.settings)
        given = [*zip(keys, placed, strict=False), *((each.arg, each.value) for each in settings)]
        for key, value in given:
            if key is None or key not in called.settings:
                expected = f", expected {' or '.join(keys)}" if keys else ""
                raise self.wrong(value, f"{name} has no setting {key}{expected}")
            found[key] = self._setting(value)
        missing = [key for key, value in found.items() if value is REQUIRED]
        if missing:
            raise self.wrong(node, f"{name} needs {' and '.join(missing)}")
        return found

    def _setting(self, node: ast.expr) -> Setting:
        if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, str)):
            return node.value
        number = self.of(node).number
        if number is None:
            raise self.wrong(node, "expected a number")
        return int(number) if number == int(number) else number

    def _where(self, node: ast.Call, arguments: list[ast.expr], settings: list[ast.keyword]) -> Meant:
        if len(arguments) != 3 or settings:
            raise self.wrong(node, "where takes a comparison and two matrices: where(A > B, C, D)")
        match arguments[0]:
            case ast.Compare(left, [compared], [right]) if type(compared) in _COMPARED:
                relation, other_way = _COMPARED[type(compared)]
            case _:
                raise self.wrong(arguments[0], "expected a comparison: A > B, A >= B, A < B or A <= B")
        sides = [self.matrix(each) for each in (left, right, arguments[1], arguments[2])]
        if other_way:
            sides[:2] = sides[1::-1]
        names = ("left", "right", "then", "otherwise")
        made = s.Where(s.Variable("left"), relation, *map(s.Variable, names[1:]))
        return Meant(m.Apply(made, tuple(zip(names, sides, strict=True))), "function")


def _powered(u: s.Scalar, power: float) -> s.Scalar:
    """No power 0 or 1 is written, and none below 0: those stand under a fraction bar."""
    if power == 0:
        return s.Number(1.0)
    if power < 0:
        return s.Quotient(s.Number(1.0), _powered(u, -power))
    if power == 1:
        return u
    if power == 0.5:
        return s.Function("sqrt", u)
    return s.Power(u, int(power) if power == int(power) else power)


def near(word: str, options: Iterable[str]) -> str:
    """ "; did you mean 'x'?" for the name that is spelt most alike, "" where none is."""
    names = list(options)
    found = [each for each in names if each.casefold() == word.casefold()]
    found = found or difflib.get_close_matches(word[:100], names, 1)
    return f"; did you mean {found[0]!r}?" if found else ""


def _counted(called: Called) -> str:
    if called.matrices is None:
        return "one matrix or more"
    return f"{called.matrices} {'matrix' if called.matrices == 1 else 'matrices'}"


def _transposed_would(a: m.Matrix, b: m.Matrix) -> str:
    """What would fit, where a transpose does."""
    if a.shape[1] == b.shape[1]:
        return "; with .T on the right it would fit"
    return "; with .T on the left it would fit" if a.shape[0] == b.shape[0] else ""


def _kind_of(node: ast.AST) -> str:
    words = {
        "BoolOp": "and/or", "Compare": "a comparison outside where", "IfExp": "if/else", "Lambda": "a lambda",
        "Dict": "a dict", "List": "a list", "Tuple": "a comma", "Attribute": "an attribute other than .T",
        "Call": "a call of something without a name", "JoinedStr": "an f-string", "Starred": "a star",
    }  # fmt: skip
    return words.get(type(node).__name__, f"Python's {type(node).__name__}")
