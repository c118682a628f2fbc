"""The book of a derivation, read back from its markup and worked out anew."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.book_checks import (
    assert_equal_signs_hold,
    assert_every_number_is_the_traces,
    assert_letters_give_the_value,
    check_book,
)
from tests.books import Book, plain, read_book
from tests.documents import documents
from tracer.derivation.book import MOST_LAYERS, render_derivation, too_large, write_derivation
from tracer.errors import NotFiniteError
from tracer.page.page import render_page, write_page
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace

EXAMPLES = ["article", "hand", "mazur", "softmax-classifier", "xor", "linear-regression"]
STYLES = ["matrix", "article", "hand", "mazur"]


def recorded(document: dict[str, Any]) -> Trace:
    return trace(problem_from_document(document, "drawn", "drawn.toml"))


@pytest.fixture(scope="module", params=EXAMPLES)
def pair(request: Any) -> tuple[Trace, Book]:
    made = trace(load_problem(request.param))
    return made, read_book(render_derivation(made))


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
    assert all(
        word in book.text for word in ("Now we need", "Recall", "Likewise", "The same again", "The others likewise")
    )


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
    assert (
        line_of(article, "chain-rule", "dW1").count("∂hidden_layer_input") == 6
    )  # three samples, each above and below


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
    assert "∂∂z1(ez2)" in map(plain, crossed)  # softmax by another output's input


def test_new_weights_have_a_hat_where_their_style_has_no_word_for_them() -> None:
    for name in ("hand", "xor"):
        book = read_book(render_derivation(trace(load_problem(name))))
        updates = [line.tables[0] for line in book.lines if line.block == "update"]
        assert all(cell.find(".//mover") is not None for table in updates for row in table.rows for cell in row)


@pytest.mark.parametrize(
    ("style", "units", "weights"),
    [
        ("hand", ["i1", "i2", "j1", "j2", "k1"], ["Wi1j1", "Wi1j2", "Wi2j1", "Wi2j2", "Wj1k1", "Wj2k1"]),
        ("mazur", ["i1", "i2", "h1", "h2", "o1"], ["w1", "w3", "w2", "w4", "w5", "w6"]),
        ("matrix", ["x1", "x2", "h1", "h2", "o1"], ["W11,1", "W11,2", "W12,1", "W12,2", "W21,1", "W22,1"]),
    ],
)
def test_the_picture_names_every_unit_and_every_connection(style: str, units: list[str], weights: list[str]) -> None:
    book = read_book(render_derivation(recorded(layered([2, 2, 1], 1, style))))
    picture = next(svg for svg in book.document.iter("svg") if svg.get("role") == "img")
    found = [(text.get("class"), plain(text)) for text in picture.iter("text")]
    assert [text for kind, text in found if kind == "unit"] == units
    assert [text for kind, text in found if kind == "over"] == weights
    assert len(list(picture.iter("line"))) == len(weights)
    columns = sorted({float(circle.get("cx", "")) for circle in picture.iter("circle")})
    places = [float(text.get("x", "")) for text in picture.iter("text") if text.get("class") == "over"]
    gaps = [sum(column < x for column in columns) for x in places]
    assert gaps == [1] * 4 + [2] * (len(weights) - 4), "a connection's name stands between the units that it joins"


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
    check_book(made)


@pytest.mark.parametrize("updated", [True, False])
def test_biases_are_updated_or_said_to_stay(updated: bool) -> None:
    document = load_problem("article").to_document()
    document["convention"] = {**document.get("convention", {}), "bias_update": updated}
    book = check_book(recorded(document))
    assert ("The biases are not updated in this problem" in book.text) != updated
    assert (("biases", "b1") in book.blocks) == updated


@pytest.mark.parametrize("name", ["article", "softmax-classifier"])
@pytest.mark.parametrize("rate_in", ["update", "delta"])
def test_a_delta_is_said_to_carry_the_rate_where_it_does(name: str, rate_in: str) -> None:
    document = load_problem(name).to_document()
    document["convention"] = {**document.get("convention", {}), "learning_rate_in": rate_in, "softmax_slope": "fused"}
    if name == "article":
        del document["convention"]["softmax_slope"]
    book = check_book(recorded(document))
    assert ("is already a factor here; everything that follows carries it" in book.text) is (rate_in == "delta")
    if name == "softmax-classifier":
        assert ("Times the learning rate it is the delta" in book.text) is (rate_in == "delta")
        assert ("It is the delta" in book.text) is (rate_in == "update")


def test_departures_stand_at_the_top() -> None:
    document = load_problem("hand").to_document()
    document["reproduce"] = {"softmax_slope": "diagonal", "updated_weights_sent_back": True, "rate_twice": True}
    made = recorded(document)
    book = check_book(made)
    head = book.document.find(".//header").text_content()
    assert head.count("Not the gradient of this loss") == 3
    assert "Only each output's own input is kept" in book.text and "The updated weights are used here" in book.text


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
    assert too_large(recorded(layered([2] * (MOST_LAYERS + 1), 1)).problem) == ""
    deep = recorded(layered([2] * (MOST_LAYERS + 2), 1)).problem
    assert (
        too_large(deep)
        == f"no derivation: {MOST_LAYERS + 1} layers are too many to work by hand (at most {MOST_LAYERS})"
    )


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
    assert set(re.findall(r"url\(([^)]*)\)", html)) == {"#arrow"}
    assert not re.findall(r'(?:src|href)="(?!#)', html)


def test_the_same_problem_gives_the_same_bytes() -> None:
    first, second = (render_derivation(trace(load_problem("article"))) for _ in range(2))
    assert first == second


def test_page_and_derivation_link_to_each_other_where_both_are_written(tmp_path: Path) -> None:
    made = trace(load_problem("article"))
    write_page(made, tmp_path / "a b.html", "a b.derivation.html")
    write_derivation(made, tmp_path / "a b.derivation.html", "a b.html")
    assert 'href="a%20b.derivation.html"' in (tmp_path / "a b.html").read_text(encoding="utf-8")
    assert 'href="a%20b.html"' in (tmp_path / "a b.derivation.html").read_text(encoding="utf-8")
    assert 'class="beside"' not in render_page(made) + render_derivation(made)


def test_the_hand_example_says_why_its_numbers_are_not_those_of_the_pages() -> None:
    made = trace(load_problem("hand"))
    for html in (render_derivation(made), render_page(made)):
        assert "multiply by the diagonal of the softmax" in html


def test_a_long_sum_is_derived_term_by_term_and_not_set_in_small_type() -> None:
    book = read_book(render_derivation(trace(load_problem("article"))))
    line = line_of(book, "error-sent-back", "E1")
    assert line.split("=")[1].startswith("∂∂hiddenlayer_activations1,1(hiddenlayer_activations1,1·wout1,1")
