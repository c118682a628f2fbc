"""Formulas as a spreadsheet shows them: trees written back as text, in the place of the cell that they stand in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tracer.audit import parsing as p
from tracer.audit.package import BookCells
from tracer.audit.parsing import UnreadFormulaError
from tracer.expression import scalar as s
from tracer.spreadsheet.columns import column_letters


def formula_at(book: BookCells, cell: s.Cell) -> str:
    """A cell's formula with its "=", or "" where it has none; a shared one as it reads in this place."""
    formula = book.sheets[cell.matrix].formulas.get((cell.row, cell.column))
    if formula is None:
        return ""
    if formula.spread is not None or formula.origin == (cell.row, cell.column):
        return "=" + _plain(formula.text)
    try:
        return "=" + text_of(tree_at(book, cell))
    except UnreadFormulaError:
        return "=" + formula.text


def _plain(text: str) -> str:
    """Without the marks that a file puts before newer functions and parameters."""
    for mark in ("_xlfn._xlws.", "_xlfn.", "_xlws.", "_xlpm."):
        text = text.replace(mark, "")
    return text.strip()


def tree_at(book: BookCells, cell: s.Cell) -> p.FormulaNode:
    """The tree of a cell's formula, its references as they read in this cell. Raises UnreadFormulaError."""
    formula = book.sheets[cell.matrix].formulas[cell.row, cell.column]
    tree = p.parse(formula.text)
    if formula.spread is not None:
        return tree
    down, right = cell.row - formula.origin[0], cell.column - formula.origin[1]
    return moved(tree, down, right) if down or right else tree


def moved(node: p.FormulaNode, down: int, right: int) -> p.FormulaNode:
    """A tree as it reads elsewhere: references without $ go along."""

    def corner(each: p.ReferenceCorner) -> p.ReferenceCorner:
        row = each.row if each.fixed_row else each.row + down
        column = each.column if each.fixed_column else each.column + right
        return p.ReferenceCorner(row, column, each.fixed_row, each.fixed_column)

    def rule(each: p.FormulaNode) -> p.FormulaNode:
        if isinstance(each, p.Reference):
            return p.Reference(each.sheet, corner(each.first), corner(each.last) if each.last else None)
        return each

    return changed(node, rule)


def changed(node: p.FormulaNode, rule: Callable[[p.FormulaNode], p.FormulaNode]) -> p.FormulaNode:
    """A tree with a rule applied to every node, from the inside out."""

    def of(each: p.FormulaNode) -> p.FormulaNode:
        return changed(each, rule)

    def maybe(each: p.FormulaNode | None) -> p.FormulaNode | None:
        return None if each is None else of(each)

    match node:
        case p.Bracketed(inner):
            return rule(p.Bracketed(of(inner)))
        case p.Unary(sign, operand):
            return rule(p.Unary(sign, of(operand)))
        case p.Binary(operator, left, right):
            return rule(p.Binary(operator, of(left), of(right)))
        case p.Call(name, arguments):
            return rule(p.Call(name, tuple(map(maybe, arguments))))
        case p.Applied(function, arguments):
            return rule(p.Applied(of(function), tuple(map(maybe, arguments))))
        case p.Spill(inner):
            return rule(p.Spill(of(inner)))
        case p.ArrayConstant(rows):
            return rule(p.ArrayConstant(tuple(tuple(map(of, row)) for row in rows)))
        case _:
            return rule(node)


def nodes(node: p.FormulaNode) -> list[p.FormulaNode]:
    """Every node of a tree, the innermost first."""
    found: list[p.FormulaNode] = []

    def keep(each: p.FormulaNode) -> p.FormulaNode:
        found.append(each)
        return each

    changed(node, keep)
    return found


def cells_named(book: BookCells, cell: s.Cell) -> Iterator[s.Cell]:
    """The single cells that a formula names, empty ones too; none of a formula that is not read."""
    try:
        tree = tree_at(book, cell)
    except UnreadFormulaError:
        return
    for each in nodes(tree):
        if isinstance(each, p.Reference) and each.last is None:
            yield s.Cell(each.sheet or cell.matrix, each.first.row, each.first.column)


def text_of(node: p.FormulaNode) -> str:
    """A tree as a formula without its "="."""
    match node:
        case p.Literal(value):
            return _literal(value)
        case p.Reference():
            return reference_text(node)
        case p.NameNode(name):
            return name
        case p.Spill(inner):
            return text_of(inner) + "#"
        case p.Bracketed(inner):
            return f"({text_of(inner)})"
        case p.Unary("%", operand):
            return text_of(operand) + "%"
        case p.Unary(sign, operand):
            return sign + text_of(operand)
        case p.Binary(operator, left, right):
            return f"{text_of(left)}{operator}{text_of(right)}"
        case p.Call(name, arguments):
            return f"{name}({_listed(arguments)})"
        case p.Applied(function, arguments):
            return f"{text_of(function)}({_listed(arguments)})"
        case p.ArrayConstant(rows):
            return "{" + ";".join(",".join(map(text_of, row)) for row in rows) + "}"


def _listed(arguments: tuple[p.FormulaNode | None, ...]) -> str:
    return ",".join("" if each is None else text_of(each) for each in arguments)


def _literal(value: float | str | bool) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value).upper()


def reference_text(reference: p.Reference) -> str:
    sheet = "" if reference.sheet is None else sheet_text(reference.sheet) + "!"
    last = "" if reference.last is None else ":" + corner_text(reference.last)
    return sheet + corner_text(reference.first) + last


def sheet_text(title: str) -> str:
    plain = title.isidentifier() and title.isascii()
    return title if plain else "'" + title.replace("'", "''") + "'"


def corner_text(corner: p.ReferenceCorner) -> str:
    row, column = ("$" if corner.fixed_row else ""), ("$" if corner.fixed_column else "")
    return f"{column}{column_letters(corner.column)}{row}{corner.row}"


def reference_to(cell: s.Cell, sheet: str) -> p.Reference:
    """A reference to a cell as one writes it on a sheet."""
    return p.Reference(
        None if cell.matrix == sheet else cell.matrix, p.ReferenceCorner(cell.row, cell.column, False, False)
    )


FAR_ROW, FAR_COLUMN = 50_000, 5_000


def relative_formula(book: BookCells, cell: s.Cell) -> str:
    """A formula as it would read far down and right: the same for all cells that it was copied to, or that it fills."""
    formula = book.sheets[cell.matrix].formulas[cell.row, cell.column]
    if formula.spread is not None and formula.spread[:2] != formula.spread[2:]:
        return f"{formula.origin} {formula.text}"
    try:
        return text_of(moved(tree_at(book, cell), FAR_ROW - cell.row, FAR_COLUMN - cell.column))
    except UnreadFormulaError:
        return formula_at(book, cell)
