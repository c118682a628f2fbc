"""References of a formula in the place of others."""

from __future__ import annotations

from collections.abc import Iterator

from tracer.audit import parsing as p
from tracer.audit.writing import changed
from tracer.expression import scalar as s

FARTHEST = 4  # rows and columns that a range may be off


def replaced(tree: p.FormulaNode, old: p.FormulaNode, new: p.FormulaNode, at: int | None = None) -> p.FormulaNode:
    """A tree with one node for another: everywhere, or where it stands for the `at`th time."""
    seen = 0

    def rule(node: p.FormulaNode) -> p.FormulaNode:
        nonlocal seen
        if node == old:
            seen += 1
            if at is None or seen == at + 1:
                return new
        return node

    return changed(tree, rule)


def styled(reference: p.Reference, cell: s.Cell, sheet: str) -> p.Reference:
    """A reference to a cell with the $ of the one whose place it takes."""
    corner = p.ReferenceCorner(cell.row, cell.column, reference.first.fixed_row, reference.first.fixed_column)
    return p.Reference(None if cell.matrix == sheet else cell.matrix, corner)


def moved_ranges(reference: p.Reference) -> Iterator[p.Reference]:
    first, last = reference.first, reference.last
    assert last is not None

    def made(top: int, left: int, bottom: int, right: int) -> p.Reference | None:
        if min(top, left) < 1 or bottom < top or right < left:
            return None
        return p.Reference(
            reference.sheet, first._replace(row=top, column=left), last._replace(row=bottom, column=right)
        )

    edges = (first.row, first.column, last.row, last.column)
    for down in range(-FARTHEST, FARTHEST + 1):
        for across in range(-FARTHEST, FARTHEST + 1):
            if (down or across) and (
                found := made(first.row + down, first.column + across, last.row + down, last.column + across)
            ):
                yield found
    for edge in range(4):
        for step in (-1, 1):
            moved = [each + step if k == edge else each for k, each in enumerate(edges)]
            if (found := made(*moved)) is not None:
                yield found


def started(reference: p.Reference, start: s.Cell) -> p.Reference:
    """A range of the same shape that starts in another cell."""
    first, last = reference.first, reference.last
    assert last is not None
    bottom, right = start.row + last.row - first.row, start.column + last.column - first.column
    return p.Reference(
        reference.sheet, first._replace(row=start.row, column=start.column), last._replace(row=bottom, column=right)
    )


def size_of(reference: p.Reference) -> tuple[int, int]:
    last = reference.last or reference.first
    return last.row - reference.first.row, last.column - reference.first.column


def grown(reference: p.Reference, target: p.Reference) -> str:
    """By how many cells a range has to grow."""
    return str(sum(size_of(target)) - sum(size_of(reference)))
