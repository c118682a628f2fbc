"""What holds for every book of a derivation: its numbers are the trace's, its equal signs and its letters hold."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.books import Book, Line, Table, plain, read_book, worth
from tracer.derivation.book import render_derivation
from tracer.derivation.network_cells import NetworkCells
from tracer.expression import scalar as s
from tracer.expression.digits import round_half_away
from tracer.expression.label import Label, Ratio, label_mathml
from tracer.presentation.shown import shown
from tracer.run.passes import Trace


def assert_every_number_is_the_traces(made: Trace[Any], book: Book) -> None:
    digits = shown(made, made.first)
    for line in book.lines:
        for table in line.tables:
            if table.kind in ("values", "given"):
                for mark, cell in table.cells():
                    identifier, row, column = re.fullmatch(r"(\w+),(\d+),(\d+)", mark).groups()
                    value = float(made.first[identifier][int(row) - 1, int(column) - 1])
                    assert plain(cell) == digits.text(identifier, value), mark


def shows(value: float, text: str) -> bool:
    """Whether a number has these digits; one far out is compared as it is written."""
    text = text.replace("−", "-")
    if "e" in text:
        return value == pytest.approx(float(text), rel=1e-3)
    decimals = len(text.partition(".")[2])
    return abs(round_half_away(value, decimals) - float(text)) < 0.5 * 10.0**-decimals


def assert_equal_signs_hold(book: Book) -> None:
    """Where "=" stands before values the digits on the line give them; where "≈", one of them is off."""
    for line in book.lines:
        made = list(claims(line))
        off = [(line.block, text, value) for _, text, value in made if value is not None and not shows(value, text)]
        assert not off or all(sign == "≈" for sign, _, _ in made), off[:3]
        assert off or is_cut(line) or all(sign == "=" for sign, _, _ in made), (line.block, line.of)


def is_cut(line: Line) -> bool:
    return any(not table.whole for table in line.tables) or "more)" in "".join(plain(p) for p, _ in pieces(line))


def pieces(line: Line) -> Iterator[tuple[Any, Table | None]]:
    return ((piece, table) for stage, table in line.stages for piece in stage)


def claims(line: Line) -> Iterator[tuple[str, str, float | None]]:
    """The sign before each value of a line, its digits, and what another stage of the line comes to."""
    tables = line.tables
    if not tables:
        yield from example_claims(line)
        return
    if tables[-1].kind != "values":
        return
    values = dict(tables[-1].cells())
    for table in tables[:-1]:
        if table.kind == "numbers":
            for mark, cell in table.cells():
                yield tables[-1].sign, plain(values[mark]), worth(cell)
    if is_formula(line):
        yield from formula_claims(line)


def example_claims(line: Line) -> Iterator[tuple[str, str, float | None]]:
    last = plain(line.stages[-1][0][0])
    found = re.fullmatch(r"([=≈])(−?[\d.]+(?:e[+−]\d+)?)", last)
    for stage, _ in line.stages[2:-1] if found and line.block != "parameters" else ():
        if not any("∂" in plain(piece) for piece in stage):  # a path of a chain is still in letters
            yield found[1], found[2], worth(stage)


def formula_claims(line: Line) -> Iterator[tuple[str, str, float | None]]:
    """[…] × […] + […] = […] with all its numbers, as numpy works it out."""
    made = formula_result(line, {})
    for row, cells in zip(made, line.tables[-1].rows, strict=True) if made is not None else ():
        yield from ((line.tables[-1].sign, plain(cell), value) for value, cell in zip(row, cells, strict=True))


def formula_result(line: Line, known: dict[str, float]) -> np.ndarray | None:
    """What the matrices before the last one come to; None where something is left out."""
    if is_cut(line):
        return None
    total: np.ndarray | None = None
    product: np.ndarray | None = None
    for stage, table in line.stages:
        (piece,) = stage
        sign = table.sign if table is not None else plain(piece)[:1]
        if table is line.tables[-1]:
            break
        if table is None and sign != "·":
            continue  # the name in front
        factor: Any = worth(piece[0][1], known) if table is None else values_of(table, known)
        if sign == "×":
            product = product @ factor
        elif sign in ("·", "⊙"):
            product = product * factor
        else:
            total = product if total is None else total + product
            product = factor
    return product if total is None else total + product


def values_of(table: Table, known: dict[str, float]) -> np.ndarray:
    return np.array([[worth(cell, known) for cell in row] for row in table.rows])


def is_formula(line: Line) -> bool:
    return any(table.sign in ("×", "⊙", "+") for table in line.tables)


def symbols_of(made: Trace) -> dict[str, float]:
    """Every symbol of a pass with its value, by markup: cells, and ∂Z/∂W and ∂Z/∂A, which are cells again."""
    cells, one = NetworkCells(made, made.first), made.first
    known = {}
    for identifier in (*one, "learning_rate"):
        for place, value in np.ndenumerate(one[identifier]):
            known[cells.symbol(s.Cell(identifier, *place))] = float(value)

    def ratio(top: tuple[str, int, int], bottom: tuple[str, int, int], value: float) -> None:
        names = (cells.names.cell(*each) for each in (top, bottom))
        over, under = (name for name in names if isinstance(name, Label))
        known[label_mathml(Ratio(over, under))] = float(value)

    for layer in range(1, made.problem.depth + 1):
        before = one[f"A{layer - 1}"] if layer > 1 else one["X"]
        for n, i, j in np.ndindex(*before.shape, made.problem.sizes[layer]):
            ratio((f"Z{layer}", n, j), (f"W{layer}", i, j), before[n, i])
            if layer > 1:
                ratio((f"Z{layer}", n, j), (f"A{layer - 1}", n, i), one[f"W{layer}"][i, j])
    return known


def assert_letters_give_the_value(made: Trace, book: Book) -> None:
    """A formula in letters, with every letter's value, comes to the cell that it is the formula of."""
    known = symbols_of(made)
    for line in book.lines:
        lettered = [table for table in line.tables if table.kind in ("symbols", "letters")]
        if is_formula(line) and lettered:
            result = formula_result(line, known)
            assert result is None or np.allclose(result, values_of(line.tables[-1], known), rtol=1e-7, atol=1e-9)
        elif lettered:
            for table in lettered[1:]:
                assert_same_table(table, lettered[0], known)
        elif not line.tables and line.block in LETTERED:
            assert_same_stages(line, known)


LETTERED = ("sums", "chain-rule", "inputs", "error-sent-back", "gradient", "biases", "loss")


def assert_same_table(table: Table, other: Table, known: dict[str, float]) -> None:
    for row, others in zip(table.rows, other.rows, strict=True):
        for cell, first in zip(row, others, strict=True):
            if cell is not None:
                assert_same(worth(cell, known), worth(first, known), plain(cell))


def assert_same_stages(line: Line, known: dict[str, float]) -> None:
    """Symbol = letters; or ∂top/∂by = ∂(the whole sum)/∂by, also ∂/∂by (the whole sum), = what is left of it."""
    if len(line.stages) == 1:
        return  # the rule of the whole matrix
    symbol, letters, *others = (stage for stage, _ in line.stages)
    words = "".join(map(plain, letters))
    assert_same(worth(others[0] if "∂(" in words or "=∂∂" in words else letters, known), worth(symbol, known), words)


def assert_same(found: float | None, expected: float | None, what: str) -> None:
    if found is not None:
        assert found == pytest.approx(expected, rel=1e-7, abs=1e-9), what


def check_book(made: Trace) -> Book:
    book = read_book(render_derivation(made))
    assert_every_number_is_the_traces(made, book)
    assert_equal_signs_hold(book)
    if not made.problem.carry_rounded:  # the letters then come to the number before it is rounded
        assert_letters_give_the_value(made, book)
    return book
