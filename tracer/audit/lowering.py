"""From a formula's tree to scalar expressions over cells: what every cell that it fills is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tracer.audit import grids as g
from tracer.audit import parsing as p
from tracer.audit.functions import FUNCTIONS
from tracer.audit.grids import Item, ItemGrid
from tracer.audit.package import AuditedPlace, AuditedSheet, BookCells, WrittenFormula
from tracer.audit.parsing import UnreadFormulaError
from tracer.expression import scalar as s

DEEPEST_CALLS = 60
ARITHMETIC = {"+": lambda x, y: g.add((x, y)), "-": g.subtract, "*": g.multiply, "/": g.divide, "^": g.power}


@dataclass(frozen=True)
class LambdaFunction:
    """A LAMBDA with the names that it was made under."""

    parameters: tuple[str, ...]
    body: p.FormulaNode
    names: Mapping[str, ItemGrid | LambdaFunction]


@dataclass
class Lowering:
    """Reads the formulas of one book; grids of arrays are made once."""

    book: BookCells
    arrays: dict[tuple[str, AuditedPlace], ItemGrid] = field(default_factory=dict)

    def expression(self, sheet: str, place: AuditedPlace) -> Item:
        """What one cell is made of. Raises UnreadFormulaError for a formula that is not read."""
        formula = self.book.sheets[sheet].formulas[place]
        if formula.spread is None:
            grid = _Tree(self, sheet, place[0] - formula.origin[0], place[1] - formula.origin[1]).grid(
                p.parse(formula.text)
            )
            if g.shape(grid) != (1, 1):
                raise UnreadFormulaError("gives several numbers for one cell")
            return grid[0][0]
        return self.part(self.array(sheet, formula), formula, place)

    def array(self, sheet: str, formula: WrittenFormula) -> ItemGrid:
        key = sheet, formula.origin
        if key not in self.arrays:
            self.arrays[key] = _Tree(self, sheet, 0, 0).grid(p.parse(formula.text))
        return self.arrays[key]

    def part(self, grid: ItemGrid, formula: WrittenFormula, place: AuditedPlace) -> Item:
        """The item of an array that a cell shows; a row or column alone is repeated."""
        row, column = place[0] - formula.origin[0], place[1] - formula.origin[1]
        rows, columns = g.shape(grid)
        row, column = (0 if rows == 1 else row), (0 if columns == 1 else column)
        if row >= rows or column >= columns:
            raise UnreadFormulaError("an array that ends before this cell")
        return grid[row][column]

    def tree(self, sheet: str, node: p.FormulaNode) -> Item:
        """What a tree of one cell's formula is made of, on its own sheet and in its place."""
        return _Tree(self, sheet, 0, 0).grid(node)[0][0]


class _Tree:
    """Reads one tree, `down` and `right` of where its references were written."""

    def __init__(self, lowering: Lowering, sheet: str, down: int, right: int) -> None:
        self.lowering, self.sheet, self.down, self.right = lowering, sheet, down, right
        self.names: Mapping[str, ItemGrid | LambdaFunction] = {}
        self.depth = 0

    def grid(self, node: p.FormulaNode) -> ItemGrid:
        found = self.value(node)
        if isinstance(found, LambdaFunction):
            raise UnreadFormulaError("a LAMBDA that is not called")
        return found

    def value(self, node: p.FormulaNode) -> ItemGrid | LambdaFunction:
        match node:
            case p.Literal(value):
                return g.one(s.Number(value) if isinstance(value, float) else value)
            case p.Bracketed(inner):
                return self.value(inner)
            case p.Reference():
                return self.cells(node)
            case p.Unary(sign, operand):
                return self.signed(sign, self.grid(operand))
            case p.Binary(operator, left, right):
                return self.binary(operator, self.grid(left), self.grid(right))
            case p.NameNode(name):
                return self.named(name)
            case p.Call(name, arguments):
                return self.call(name, arguments)
            case p.Applied(function, arguments):
                return self.apply(self.value(function), [self.argument(each) for each in arguments])
            case p.ArrayConstant(rows):
                return [[self.grid(each)[0][0] for each in row] for row in rows]
            case p.Spill(inner):
                return self.spilled(inner)

    def signed(self, sign: str, grid: ItemGrid) -> ItemGrid:
        if sign == "-":
            return g.mapped(g.negate, grid)
        return g.mapped(lambda x: g.divide(x, s.Number(100.0)), grid) if sign == "%" else grid

    def binary(self, operator: str, left: ItemGrid, right: ItemGrid) -> ItemGrid:
        if operator == "&":
            return g.spread(g.join, left, right)
        if operator in ARITHMETIC:
            rule = ARITHMETIC[operator]
            left = g.mapped(self.as_e, left) if operator == "^" else left
            return g.spread(lambda x, y: rule(g.number(x), g.number(y)), left, right)
        return g.spread(lambda x, y: g.compare(operator, x, y), left, right)

    def as_e(self, base: s.Scalar) -> s.Scalar:
        """The number of a typed cell that holds e, so that it stays that; anything else as it is."""
        if isinstance(base, s.Cell):
            sheet = self.lowering.book.sheets[base.matrix]
            typed = sheet.values.get((base.row, base.column))
            if isinstance(typed, float) and (base.row, base.column) not in sheet.formulas and g.is_e(typed):
                return s.Number(typed)
        return base

    def corner(self, corner: p.ReferenceCorner) -> AuditedPlace:
        row = corner.row + (0 if corner.fixed_row else self.down)
        column = corner.column + (0 if corner.fixed_column else self.right)
        if not (0 < row <= p.LAST_ROW and 0 < column <= p.LAST_COLUMN):
            raise UnreadFormulaError("refers beyond the sheet")
        return row, column

    def place(self, reference: p.Reference) -> tuple[AuditedSheet, int, int, int, int]:
        title = self.sheet if reference.sheet is None else reference.sheet
        sheets = self.lowering.book.sheets
        sheet = sheets.get(title) or next(
            (each for name, each in sheets.items() if name.lower() == title.lower()), None
        )
        if sheet is None:
            raise UnreadFormulaError(f"there is no sheet {title[:40]}")
        top, left = self.corner(reference.first)
        bottom, right = self.corner(reference.last or reference.first)
        return sheet, min(top, bottom), min(left, right), max(top, bottom), max(left, right)

    def cells(self, reference: p.Reference) -> ItemGrid:
        sheet, top, left, bottom, right = self.place(reference)
        if (bottom - top + 1) * (right - left + 1) > g.MOST_ITEMS:
            raise UnreadFormulaError("a range of too many cells")
        return [[_cell(sheet, (row, column)) for column in range(left, right + 1)] for row in range(top, bottom + 1)]

    def spilled(self, node: p.FormulaNode) -> ItemGrid:
        if not isinstance(node, p.Reference) or node.last is not None:
            raise UnreadFormulaError("# of what is no cell")
        sheet, row, column, _, _ = self.place(node)
        formula = sheet.formulas.get((row, column))
        if formula is None or formula.spread is None:
            return self.cells(node)
        top, left, bottom, right = formula.spread
        return [[_cell(sheet, (r, c)) for c in range(left, right + 1)] for r in range(top, bottom + 1)]

    def named(self, name: str) -> ItemGrid | LambdaFunction:
        key = name.lower()
        if key in self.names:
            return self.names[key]
        names = self.lowering.book.names
        text = names.get((self.sheet, key), names.get(key))
        if text is None or self.depth > DEEPEST_CALLS:
            raise UnreadFormulaError(f"the name {name[:40]} is not known")
        inner = _Tree(self.lowering, self.sheet, 0, 0)
        inner.depth = self.depth + 1
        return inner.value(p.parse(text))

    def call(self, name: str, arguments: tuple[p.FormulaNode | None, ...]) -> ItemGrid | LambdaFunction:
        if name in SPECIAL:
            return SPECIAL[name](self, arguments)
        if name in FUNCTIONS:
            try:
                return FUNCTIONS[name]([self.grid(each) if each is not None else g.one(None) for each in arguments])
            except (IndexError, ValueError, ZeroDivisionError, OverflowError) as wrong:
                raise UnreadFormulaError(f"{name} of arguments that are not read") from wrong
        try:
            function = self.named(name)
        except UnreadFormulaError:
            raise UnreadFormulaError(f"the function {name[:40]} is not known") from None
        return self.apply(function, [self.argument(each) for each in arguments])

    def argument(self, node: p.FormulaNode | None) -> ItemGrid | LambdaFunction:
        return self.value(node) if node is not None else g.one(None)

    def apply(
        self, function: ItemGrid | LambdaFunction, arguments: list[ItemGrid | LambdaFunction]
    ) -> ItemGrid | LambdaFunction:
        if not isinstance(function, LambdaFunction) or len(arguments) > len(function.parameters):
            raise UnreadFormulaError("a call of what is no function")
        inner = _Tree(self.lowering, self.sheet, self.down, self.right)
        inner.depth = self.depth + 1
        if inner.depth > DEEPEST_CALLS:
            raise UnreadFormulaError("a LAMBDA that goes too deep")
        inner.names = {**function.names, **dict(zip(function.parameters, arguments, strict=False))}
        return inner.value(function.body)

    def let(self, arguments: tuple[p.FormulaNode | None, ...]) -> ItemGrid | LambdaFunction:
        before = self.names
        try:
            for name, node in zip(arguments[:-1:2], arguments[1::2], strict=True):
                if not isinstance(name, p.NameNode):
                    raise UnreadFormulaError("a LET that is not read")
                self.names = {**self.names, name.name.lower(): self.argument(node)}
            return self.argument(arguments[-1])
        finally:
            self.names = before

    def made_lambda(self, arguments: tuple[p.FormulaNode | None, ...]) -> LambdaFunction:
        *parameters, body = arguments
        if body is None or not all(isinstance(each, p.NameNode) for each in parameters):
            raise UnreadFormulaError("a LAMBDA that is not read")
        return LambdaFunction(
            tuple(each.name.lower() for each in parameters if isinstance(each, p.NameNode)), body, self.names
        )

    def each(self, arguments: tuple[p.FormulaNode | None, ...]) -> ItemGrid:
        """MAP."""
        *grids, function = [self.argument(each) for each in arguments]
        over = [each for each in grids if not isinstance(each, LambdaFunction)]
        return g.spread(lambda *cells: self.single(function, [g.one(each) for each in cells]), *over)

    def single(self, function: ItemGrid | LambdaFunction, arguments: list[ItemGrid]) -> Item:
        found = self.apply(function, list(arguments))
        if isinstance(found, LambdaFunction) or g.shape(found) != (1, 1):
            raise UnreadFormulaError("a LAMBDA that gives no number")
        return found[0][0]

    def by_lines(self, arguments: tuple[p.FormulaNode | None, ...], columns: bool) -> ItemGrid:
        grid, function = self.argument(arguments[0]), self.argument(arguments[1])
        if isinstance(grid, LambdaFunction):
            raise UnreadFormulaError("a range is missing")
        if columns:
            return [[self.single(function, [[[item] for item in line]]) for line in zip(*grid, strict=True)]]
        return [[self.single(function, [[list(line)]])] for line in grid]

    def reduced(self, arguments: tuple[p.FormulaNode | None, ...]) -> ItemGrid:
        total, grid, function = (self.argument(each) for each in arguments)
        if isinstance(grid, LambdaFunction) or isinstance(total, LambdaFunction):
            raise UnreadFormulaError("a range is missing")
        for item in g.items([grid]):
            total = g.one(self.single(function, [total, g.one(item)]))
        return total

    def made_array(self, arguments: tuple[p.FormulaNode | None, ...]) -> ItemGrid:
        rows, columns, function = (self.argument(each) for each in arguments)
        if isinstance(rows, LambdaFunction) or isinstance(columns, LambdaFunction):
            raise UnreadFormulaError("a size is missing")
        down, across = int(g.constant(rows[0][0])), int(g.constant(columns[0][0]))
        if not 0 < down * across <= g.MOST_ITEMS:
            raise UnreadFormulaError("too many cells at once")
        places = [[(float(r + 1), float(c + 1)) for c in range(across)] for r in range(down)]
        return [[self.single(function, [g.one(s.Number(r)), g.one(s.Number(c))]) for r, c in row] for row in places]

    def counted(self, arguments: tuple[p.FormulaNode | None, ...], column: bool) -> ItemGrid:
        """ROW and COLUMN of a reference."""
        if len(arguments) != 1 or not isinstance(arguments[0], p.Reference):
            raise UnreadFormulaError("ROW of what is no range")
        _, top, left, bottom, right = self.place(arguments[0])
        if column:
            return [[s.Number(float(each)) for each in range(left, right + 1)]]
        return [[s.Number(float(each))] for each in range(top, bottom + 1)]

    def chosen(self, arguments: tuple[p.FormulaNode | None, ...]) -> ItemGrid | LambdaFunction:
        """CHOOSE, with a known number or a cell's."""
        place = self.grid_of(arguments[0])[0][0]
        if isinstance(place, s.Cell):
            return g.one(g.chosen(place, [g.number(self.grid_of(each)[0][0]) for each in arguments[1:]]))
        number = int(g.constant(place))
        if not 0 < number < len(arguments):
            raise UnreadFormulaError("a choice that is not there")
        return self.argument(arguments[number])

    def grid_of(self, node: p.FormulaNode | None) -> ItemGrid:
        found = self.argument(node)
        if isinstance(found, LambdaFunction):
            raise UnreadFormulaError("a LAMBDA that is not called")
        return found

    def is_blank(self, arguments: tuple[p.FormulaNode | None, ...]) -> ItemGrid:
        return g.spread(lambda item: item is None, self.grid_of(arguments[0]))


SPECIAL: dict[str, Callable[[_Tree, tuple[p.FormulaNode | None, ...]], ItemGrid | LambdaFunction]] = {
    "ANCHORARRAY": lambda tree, a: tree.spilled(a[0] or p.Literal("")),
    "BYCOL": lambda tree, a: tree.by_lines(a, columns=True),
    "BYROW": lambda tree, a: tree.by_lines(a, columns=False),
    "CHOOSE": _Tree.chosen,
    "COLUMN": lambda tree, a: tree.counted(a, column=True),
    "ISBLANK": _Tree.is_blank,
    "LAMBDA": _Tree.made_lambda,
    "LET": _Tree.let,
    "MAKEARRAY": _Tree.made_array,
    "MAP": _Tree.each,
    "REDUCE": _Tree.reduced,
    "ROW": lambda tree, a: tree.counted(a, column=False),
}


def _cell(sheet: AuditedSheet, place: AuditedPlace) -> Item:
    """A cell as an operand: a number by its address, a text or a truth value as it is."""
    value = sheet.values.get(place)
    if isinstance(value, str | bool):
        return value
    if place in sheet.formulas or value is not None:
        return s.Cell(sheet.name, *place)
    return None
