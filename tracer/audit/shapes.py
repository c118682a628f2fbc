"""Changes of a formula with more than one reference: products over another line, arrays turned, slopes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tracer.audit import parsing as p
from tracer.audit.writing import changed, nodes, reference_to
from tracer.expression import scalar as s

STEPS = ((1, 0), (0, 1))
MOST_TERMS = 24


def terms_of(node: p.FormulaNode) -> list[p.FormulaNode]:
    """The terms of a sum, in order; one for what is no sum."""
    match node:
        case p.Binary("+", left, right):
            return [*terms_of(left), right]
        case p.Bracketed(inner):
            return terms_of(inner)
    return [node]


def factors_of(node: p.FormulaNode) -> list[p.Reference] | None:
    """The cells of a product of cells; None for anything else."""
    match node:
        case p.Reference(last=None):
            return [node]
        case p.Binary("*", left, right):
            one, two = factors_of(left), factors_of(right)
            return None if one is None or two is None else one + two
    return None


def summed(rows: Sequence[Sequence[p.FormulaNode]]) -> p.FormulaNode:
    """Σ of products."""
    total: p.FormulaNode | None = None
    for factors in rows:
        term = factors[0]
        for factor in factors[1:]:
            term = p.Binary("*", term, factor)
        total = term if total is None else p.Binary("+", total, term)
    assert total is not None
    return total


def line(start: s.Cell, step: tuple[int, int], count: int, sheet: str) -> list[p.Reference]:
    """Cells one after the other, down or to the right."""
    down, right = step
    return [
        reference_to(s.Cell(start.matrix, start.row + k * down, start.column + k * right), sheet) for k in range(count)
    ]


def other_lines(
    tree: p.FormulaNode, starts: Sequence[s.Cell], sheet: str
) -> Iterator[tuple[p.FormulaNode, s.Cell, s.Cell]]:
    """A sum of products of cells with one factor taken from another line: the tree, the old and the new start."""
    rows = [factors_of(each) for each in terms_of(tree)]
    if len(rows) < 2 or any(row is None or len(row) != len(rows[0] or ()) for row in rows):
        return
    known = [row for row in rows if row is not None]
    for place in range(len(known[0])):
        first = known[0][place].first
        old = s.Cell(known[0][place].sheet or sheet, first.row, first.column)
        for start in starts:
            for step in STEPS:
                new = line(start, step, len(known), sheet)
                made = [[*row[:place], new[k], *row[place + 1 :]] for k, row in enumerate(known)]
                yield summed(made), old, start


def longer(tree: p.FormulaNode, sheet: str) -> Iterator[p.FormulaNode]:
    """A cell, or a sum of products of cells, with terms added that go on in line, or the last one left out."""
    terms = terms_of(tree)
    rows = [factors_of(each) for each in terms]
    if not rows or any(row is None or len(row) != len(rows[0] or ()) for row in rows):
        return
    known = [list(row) for row in rows if row is not None]
    steps = _steps(known)
    for choice in steps:
        for count in range(1, MOST_TERMS):
            more = [
                [_onward(each, step, k, sheet) for each, step in zip(known[-1], choice, strict=True)]
                for k in range(1, count + 1)
            ]
            yield summed([*known, *more])
        before = [[_onward(each, step, -1, sheet) for each, step in zip(known[0], choice, strict=True)]]
        yield summed([*before, *known])
    if len(known) > 1:
        for left_out in range(len(known)):
            yield summed([row for k, row in enumerate(known) if k != left_out])


def _steps(rows: Sequence[Sequence[p.Reference]]) -> list[tuple[tuple[int, int], ...]]:
    """The steps from term to term of each factor: as they are, or every way where there is one term alone."""
    if len(rows) > 1:
        pairs = zip(rows[0], rows[1], strict=True)
        return [tuple((b.first.row - a.first.row, b.first.column - a.first.column) for a, b in pairs)]
    ways: list[tuple[tuple[int, int], ...]] = [()]
    for _ in rows[0]:
        ways = [(*way, step) for way in ways for step in STEPS]
    return ways


def _onward(reference: p.Reference, step: tuple[int, int], count: int, sheet: str) -> p.Reference:
    row, column = reference.first.row + step[0] * count, reference.first.column + step[1] * count
    return p.Reference(reference.sheet, reference.first._replace(row=max(row, 1), column=max(column, 1)))


def turned(tree: p.FormulaNode) -> Iterator[p.FormulaNode]:
    """A range or name in TRANSPOSE, or out of it."""
    for node in dict.fromkeys(nodes(tree)):
        match node:
            case p.Call("TRANSPOSE", (p.Reference() | p.NameNode() as inner,)):
                yield _with(tree, node, inner)
            case p.Reference(last=p.ReferenceCorner()) | p.NameNode():
                yield _with(tree, node, p.Call("TRANSPOSE", (node,)))


def _with(tree: p.FormulaNode, old: p.FormulaNode, new: p.FormulaNode) -> p.FormulaNode:
    return changed(tree, lambda node: new if node == old else node)


def factors_of_one(a: p.FormulaNode) -> Iterator[tuple[p.FormulaNode, str]]:
    """What is left out of products: a cell, 1 less it, and the slopes that are written in it."""
    rest = p.Bracketed(p.Binary("-", p.Literal(1.0), a))
    yield a, "a"
    yield rest, "1-a"
    yield p.Binary("*", a, rest), "a(1-a)"
    yield p.Bracketed(p.Binary("-", p.Literal(1.0), p.Binary("^", a, p.Literal(2.0)))), "1-a^2"


def slopes_of(a: p.FormulaNode) -> Iterator[tuple[p.FormulaNode, str]]:
    """The slopes that are written in what comes out of an activation, or goes in; and their parts."""
    one, two = p.Literal(1.0), p.Literal(2.0)
    rest = p.Bracketed(p.Binary("-", one, a))
    yield p.Binary("*", a, rest), "a(1-a)"
    yield p.Bracketed(p.Binary("-", one, p.Binary("^", a, two))), "1-a^2"
    yield p.Call("IF", (p.Binary(">", a, p.Literal(0.0)), one, p.Literal(0.0))), "mask"
    yield a, "a"
    yield rest, "1-a"


def regrouped(tree: p.FormulaNode) -> Iterator[p.FormulaNode]:
    """A product with the factors that are made of one cell alone put together: d·a·(1 − a) as d·(a·(1 − a))."""
    factors = _factors(tree)
    own = [{each for each in nodes(factor) if isinstance(each, p.Reference | p.NameNode)} for factor in factors]
    for reference in dict.fromkeys(next(iter(each)) for each in own if len(each) == 1):
        together = [factor for factor, used in zip(factors, own, strict=True) if used == {reference}]
        others = [factor for factor, used in zip(factors, own, strict=True) if used != {reference}]
        if len(together) > 1 and others:
            yield p.Binary("*", _product(others), _product(together))


def _factors(node: p.FormulaNode) -> list[p.FormulaNode]:
    if isinstance(node, p.Binary) and node.operator == "*":
        return [*_factors(node.left), node.right]
    return [node]


def _product(factors: Sequence[p.FormulaNode]) -> p.FormulaNode:
    found = factors[0]
    for factor in factors[1:]:
        found = p.Binary("*", found, factor)
    return found


def parts_of_one(tree: p.FormulaNode) -> Iterator[tuple[p.FormulaNode, p.Reference | p.NameNode]]:
    """The parts of a formula that are made of one cell, range or name alone, and larger than it."""
    for node in dict.fromkeys(nodes(tree)):
        if isinstance(node, p.Reference | p.Literal | p.NameNode):
            continue
        used = {each for each in nodes(node) if isinstance(each, p.Reference | p.NameNode)}
        if len(used) == 1:
            yield node, used.pop()
