"""The book of a derivation, read back from its markup and worked out anew."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.books import Book, Line, Table, plain, read_book, worth
from tests.documents import documents
from tracer.errors import NotFiniteError
from tracer.export.derivation import MOST_LAYERS, render_derivation, too_deep
from tracer.export.derivation_cells import Cells
from tracer.expression import scalar as s
from tracer.expression.digits import round_half_away
from tracer.expression.label import Label, Ratio, label_mathml
from tracer.network.problem import problem_from_document
from tracer.network.reading import load_problem
from tracer.shown import shown
from tracer.trace import Trace
from tracer.training import trace

EXAMPLES = ["article", "hand", "mazur", "softmax-classifier", "xor", "linear-regression"]
STYLES = ["matrix", "article", "hand", "mazur"]


def recorded(document: dict[str, Any]) -> Trace:
    return trace(problem_from_document(document, "drawn", "drawn.toml"))


@pytest.fixture(scope="module", params=EXAMPLES)
def pair(request: Any) -> tuple[Trace, Book]:
    made = trace(load_problem(request.param))
    return made, read_book(render_derivation(made))


# what is checked of every book


def assert_every_number_is_the_traces(made: Trace, book: Book) -> None:
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
    cells, one = Cells(made, made.first), made.first
    known = {}
    for identifier in (*one, "learning_rate"):
        for place, value in np.ndenumerate(one[identifier]):
            known[cells.symbol(s.Cell(identifier, *place))] = float(value)

    def ratio(top: tuple[str, int, int], bottom: tuple[str, int, int], value: float) -> None:
        names = (cells.symbols.cell(*each) for each in (top, bottom))
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
    """Symbol = letters; or ∂top/∂by = ∂(the whole sum)/∂by = what is left of it."""
    if len(line.stages) == 1:
        return  # the rule of the whole matrix
    symbol, letters, *others = (stage for stage, _ in line.stages)
    words = "".join(map(plain, letters))
    assert_same(worth(others[0] if "∂(" in words else letters, known), worth(symbol, known), words)


def assert_same(found: float | None, expected: float | None, what: str) -> None:
    if found is not None:
        assert found == pytest.approx(expected, rel=1e-7, abs=1e-9), what


def check(made: Trace) -> Book:
    book = read_book(render_derivation(made))
    assert_every_number_is_the_traces(made, book)
    assert_equal_signs_hold(book)
    if not made.problem.carry_rounded:  # the letters then come to the number before it is rounded
        assert_letters_give_the_value(made, book)
    return book


# examples


def test_every_number_is_the_traces(pair: tuple[Trace, Book]) -> None:
    assert_every_number_is_the_traces(*pair)


def test_every_equal_sign_holds(pair: tuple[Trace, Book]) -> None:
    assert_equal_signs_hold(pair[1])


def test_letters_give_the_value(pair: tuple[Trace, Book]) -> None:
    assert_letters_give_the_value(*pair)


def test_every_matrix_is_there(pair: tuple[Trace, Book]) -> None:
    """All but the deltas of a single sample, which the chain rule goes through in one line."""
    made, book = pair
    there = {mark.partition(",")[0] for line in book.lines for table in line.tables for mark, _ in table.cells()}
    needed = set(made.first) - {"L"}
    if made.problem.rows == 1:
        needed = {each for each in needed if each[0] != "D"}
    if not made.problem.convention.bias_update:
        needed = {each for each in needed if not each.startswith("db") and not re.fullmatch(r"b\d+_next", each)}
    assert {each for each in needed if not (each[0] == "J" and int(each[1:]) > 3)} <= there


def test_the_hand_example_goes_in_the_order_of_the_pages() -> None:
    book = read_book(render_derivation(trace(load_problem("hand"))))
    assert list(book.blocks) == [
        ("picture", ""), ("data", "X"), ("parameters", "W1"),  # pages 1
        ("sums", "Z1"), ("activations", "A1"),  # 2
        ("sums", "Z2"), ("activations", "A2"),  # 3
        ("sums", "Z3"), ("activations", "A3"), ("loss", "L"),  # 4
        ("activation", "relu"), ("activation", "sigmoid"), ("activation", "softmax"),  # 5
        ("loss-derivative", "binary_cross_entropy"),
        ("chain-rule", "dW3"), ("error", "E"),  # 6
        ("slopes", "J1"), ("delta", "D3"), ("inputs", "Z3"),  # 7
        ("gradient", "dW3"), ("update", "W3_next"),  # 8
        ("chain-rule", "dW2"), ("slopes", "S2"), ("inputs", "Z2"),  # 9
        ("gradient-in-fractions", "dW2"),  # 10
        ("error-sent-back", "E2"), ("gradient", "dW2"), ("update", "W2_next"),  # 11, 12
        ("chain-rule", "dW1"), ("slopes", "S1"), ("inputs", "Z1"),  # 13
        ("gradient-in-fractions", "dW1"), ("error-sent-back", "E1"),  # 14
        ("gradient", "dW1"), ("update", "W1_next"),  # 15
        ("biases-stay", ""), ("outcome", "L"),
    ]  # fmt: skip
    assert all(word in book.text for word in ("Now we need", "Recall", "In the same way", "The others likewise"))


def line_of(book: Book, block: str, of: str, number: int = 0) -> str:
    lines = [line for line in book.lines if (line.block, line.of) == (block, of)]
    return " ".join(" ".join(map(plain, stage)) for stage, _ in lines[number].stages)


def test_the_chain_rule_is_a_product_of_fractions() -> None:
    book = read_book(render_derivation(trace(load_problem("hand"))))
    assert line_of(book, "chain-rule", "dW2") == "∂E∂Wj1k1 =∂E∂h2out1·∂h2out1∂h2in1·∂h2in1∂Wj1k1"
    paths = "∂E∂Oout1·∂Oout1∂Oin1+∂E∂Oout2·∂Oout2∂Oin1+∂E∂Oout3·∂Oout3∂Oin1"
    assert line_of(book, "chain-rule", "dW3") == f"∂E∂Wk1l1 =({paths})·∂Oin1∂Wk1l1"
    assert line_of(book, "inputs", "Z1").endswith("=i1")
    article = read_book(render_derivation(trace(load_problem("article"))))
    assert line_of(article, "chain-rule", "dW1").count("∂Z1") == 6  # three samples, each above and below


def test_zero_terms_are_struck_out_with_a_small_nought() -> None:
    book = read_book(render_derivation(trace(load_problem("hand"))))
    (error,) = (line for line in book.lines if line.block == "error")
    struck = [
        [plain(m) for m in cell.iter("mrow") if m.get("class") == "struck"] for _, cell in error.tables[2].cells()
    ]
    assert struck == [["1−11−0.1984"], ["00.2854"], ["00.5162"]]
    assert all(plain(cell).count("0") for _, cell in error.tables[2].cells())
    crossed = [row for row in book.document.iter("mrow") if row.get("class") == "struck"]
    assert all(plain(row.getnext()) == "0" for row in crossed)


def test_new_weights_have_a_hat() -> None:
    for name in ("hand", "article"):
        book = read_book(render_derivation(trace(load_problem(name))))
        updates = [line.tables[0] for line in book.lines if line.block == "update"]
        assert all(cell.find(".//mover") is not None for table in updates for row in table.rows for cell in row)


# conventions


@settings(max_examples=25)
@given(
    st.one_of(
        documents(most_layers=3, most_rows=4),
        documents(reproduced=True, most_layers=3, most_rows=3),
        documents(carried=True, most_layers=3, most_rows=3),
    ),
    st.sampled_from(STYLES),
)
def test_any_network_under_any_convention(document: dict[str, Any], style: str) -> None:
    try:
        made = recorded({**document, "names": {"style": style}})
    except NotFiniteError:
        assume(False)
        raise
    check(made)


@pytest.mark.parametrize("updated", [True, False])
def test_biases_are_updated_or_said_to_stay(updated: bool) -> None:
    document = load_problem("article").to_document()
    document["convention"] = {**document.get("convention", {}), "bias_update": updated}
    book = check(recorded(document))
    assert ("biases are not updated" in book.text) != updated
    assert (("biases", "b1") in book.blocks) == updated


def test_departures_stand_at_the_top() -> None:
    document = load_problem("hand").to_document()
    document["reproduce"] = {"softmax_slope": "diagonal", "updated_weights_sent_back": True, "rate_twice": True}
    made = recorded(document)
    book = check(made)
    head = book.document.find(".//header").text_content()
    assert head.count("Not the gradient of this loss") == 3
    assert "Only the own inputs are kept" in book.text and "the updated weights are taken" in book.text


# size, safety


def layered(sizes: list[int], rows: int, style: str = "hand") -> dict[str, Any]:
    digits = np.random.default_rng(0)
    layers = [{"activation": "tanh", "units": units} for units in sizes[1:]]
    layers[-1]["activation"] = "softmax"
    targets = np.eye(sizes[-1])[np.arange(rows) % sizes[-1]]
    X = digits.uniform(-1, 1, (rows, sizes[0])).round(2)
    return {
        "learning_rate": 0.1,
        "loss": "cross_entropy",
        "data": {"X": X.tolist(), "Y": targets.tolist()},
        "layers": layers,
        "names": {"style": style},
    }


@pytest.mark.parametrize(("sizes", "rows"), [([6] * (MOST_LAYERS + 1), 6), ([300, 40, 10], 100)])
def test_the_file_stays_small(sizes: list[int], rows: int) -> None:
    made = recorded(layered(sizes, rows))
    html = render_derivation(made)
    assert len(html.encode()) < 1_000_000
    book = read_book(html)
    assert all(len(table.rows) <= 6 and len(table.rows[0]) <= 6 for line in book.lines for table in line.tables)
    assert_every_number_is_the_traces(made, book)
    assert_equal_signs_hold(book)


def test_a_deep_network_has_no_book_and_it_is_said() -> None:
    assert too_deep(recorded(layered([2] * (MOST_LAYERS + 1), 1)).problem) == ""
    deep = recorded(layered([2] * (MOST_LAYERS + 2), 1)).problem
    assert too_deep(deep) == f"no derivation: {MOST_LAYERS + 1} layers are more than the {MOST_LAYERS} worked by hand"


def test_names_from_a_problem_file_stay_text() -> None:
    evil = "</math><script>alert(1)</script><img src=x>"
    document = layered([2, 2, 2], 2, "matrix")
    document |= {"title": evil, "description": evil, "source": evil}
    document["names"] = {"style": "matrix", "Z1": evil, "W1": "<b>w"}
    html = render_derivation(recorded(document))
    document_read = read_book(html).document
    assert not list(document_read.iter("script", "img"))
    assert evil in document_read.find(".//h1").text_content()
    assert "<b>w1,1" in "".join(map(plain, document_read.iter("svg")))
    assert sum(evil in plain(formula) for formula in document_read.iter("math")) > 10


def test_the_file_asks_for_nothing() -> None:
    html = render_derivation(trace(load_problem("hand")))
    assert "default-src 'none'; style-src 'unsafe-inline'" in html
    assert "<script" not in html and "@import" not in html
    assert re.findall(r"url\(([^)]*)\)", html) == ["#arrow"]
    assert not re.findall(r'(?:src|href)="(?!#)', html)


def test_the_same_problem_gives_the_same_bytes() -> None:
    first, second = (render_derivation(trace(load_problem("article"))) for _ in range(2))
    assert first == second
