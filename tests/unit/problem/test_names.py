from collections.abc import Iterator
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracer.expression.label import Label, label_mathml, label_text
from tracer.problem.names import NetworkNames, network_names
from tracer.problem.optimizers import Optimizer

STYLES = ["matrix", "article", "hand", "mazur"]


def names(
    style: str, *sizes: int, rows: int = 1, sign: float = 1.0, shared: bool = False, **others: Any
) -> NetworkNames:
    layers = len(sizes) - 1
    return NetworkNames(style, sizes, rows, (shared,) * layers, (True,) * layers, sign, **others)


def cell_text(of: NetworkNames, identifier: str, row: int, column: int) -> str:
    """The cell's name, with row and column counted from 1 as the tables below have them."""
    return label_text(of.cell(identifier, row - 1, column - 1))


def fraction_text(of: NetworkNames, identifier: str) -> str | None:
    fraction = of.fraction(identifier)
    return label_text(fraction) if fraction else None


ARTICLE = {  # the names of the article's one hidden layer (STYLE.md, Vocabulary)
    "X": "X",
    "Y": "y",
    "W1": "wh",
    "b1": "bh",
    "W2": "wout",
    "b2": "bout",
    "Z1": "hidden_layer_input",
    "A1": "hiddenlayer_activations",
    "Z2": "output_layer_input",
    "A2": "output",
    "L": "L",
    "E": "E",
    "S2": "slope_output_layer",
    "S1": "slope_hidden_layer",
    "D2": "d_output",
    "E1": "Error_at_hidden_layer",
    "D1": "d_hiddenlayer",
    "dW2": "d_wout",
    "dW1": "d_wh",
    "db2": "d_bout",
    "db1": "d_bh",
    "W2_next": "wout_new",
    "W1_next": "wh_new",
    "b2_next": "bout_new",
    "b1_next": "bh_new",
    "J3": "slope_output_layer_sample3",
    "learning_rate": "lr",
}

ARTICLE_DEEPER = {
    "W1": "wh1",
    "W2": "wh2",
    "W3": "wout",
    "b2_next": "bh2_new",
    "Z1": "hidden_layer1_input",
    "A2": "hiddenlayer2_activations",
    "A3": "output",
    "S2": "slope_hidden_layer2",
    "E1": "Error_at_hidden_layer1",
    "D2": "d_hiddenlayer2",
    "D3": "d_output",
    "db1": "d_bh1",
}

HAND_MATRICES = {  # the pages' 3-3-3-3 network
    "X": "i",
    "Y": "y",
    "W1": "W_ij",
    "W2": "W_jk",
    "W3": "W_kl",
    "b1": "b_j",
    "Z1": "h1_in",
    "A2": "h2_out",
    "Z3": "O_in",
    "A3": "O_out",
    "L": "E_total",
    "E": "∂E/∂O_out",
    "S3": "∂O_out/∂O_in",
    "J1": "∂O_out/∂O_in",
    "D3": "∂E/∂O_in",
    "E2": "∂E/∂h2_out",
    "dW3": "∂E/∂W_kl",
    "db1": "∂E/∂b_j",
    "W3_next": "Ŵ_kl",
    "b1_next": "b̂_j",
    "learning_rate": "α",
}

HAND_CELLS = [
    ("X", 1, 2, "i2"),  # page 2
    ("Y", 1, 3, "y3"),  # page 6
    ("W1", 1, 1, "W_i1j1"),  # page 1
    ("W2", 3, 2, "W_j3k2"),
    ("W3", 1, 3, "W_k1l3"),
    ("b1", 1, 2, "b_j2"),  # page 2
    ("b3", 1, 1, "b_l1"),  # page 4
    ("Z1", 1, 1, "h1_in1"),
    ("A1", 1, 3, "h1_out3"),
    ("Z2", 1, 2, "h2_in2"),  # page 3
    ("Z3", 1, 1, "O_in1"),
    ("A3", 1, 3, "O_out3"),
    ("L", 1, 1, "E_total"),
    ("E", 1, 2, "∂E/∂O_out2"),  # page 6
    ("S3", 1, 1, "∂O_out1/∂O_in1"),  # page 7
    ("S2", 1, 3, "∂h2_out3/∂h2_in3"),  # page 9
    ("J1", 2, 3, "∂O_out2/∂O_in3"),
    ("D3", 1, 2, "∂E/∂O_in2"),
    ("E2", 1, 1, "∂E/∂h2_out1"),  # page 11
    ("E1", 1, 3, "∂E/∂h1_out3"),  # page 14
    ("D1", 1, 1, "∂E/∂h1_in1"),
    ("dW3", 1, 1, "∂E/∂W_k1l1"),  # page 8
    ("dW2", 3, 1, "∂E/∂W_j3k1"),  # page 10
    ("db1", 1, 3, "∂E/∂b_j3"),
    ("W3_next", 1, 1, "Ŵ_k1l1"),  # page 8
    ("b2_next", 1, 3, "b̂_k3"),
]

MAZUR_MATRICES = {
    "X": "i",
    "Y": "target_o",
    "W1": "w1…4",
    "W2": "w5…8",
    "b2": "b2",
    "Z1": "net_h",
    "A2": "out_o",
    "L": "E_total",
    "E": "∂E_total/∂out_o",
    "dW2": "∂E_total/∂w5…8",
    "W2_next": "w5…8⁺",
    "learning_rate": "η",
}

MAZUR_CELLS = [
    ("X", 1, 1, "i1"),
    ("Y", 1, 2, "target_o2"),
    ("W1", 1, 1, "w1"),
    ("W1", 2, 1, "w2"),
    ("W1", 1, 2, "w3"),
    ("W1", 2, 2, "w4"),
    ("W2", 1, 1, "w5"),
    ("W2", 2, 1, "w6"),
    ("W2", 1, 2, "w7"),
    ("W2", 2, 2, "w8"),
    ("b1", 1, 1, "b1"),
    ("b2", 1, 1, "b2"),
    ("Z1", 1, 1, "net_h1"),
    ("A1", 1, 2, "out_h2"),
    ("Z2", 1, 1, "net_o1"),
    ("A2", 1, 2, "out_o2"),
    ("L", 1, 1, "E_total"),
    ("E", 1, 1, "∂E_total/∂out_o1"),
    ("S2", 1, 1, "∂out_o1/∂net_o1"),
    ("D2", 1, 1, "∂E_total/∂net_o1"),
    ("E1", 1, 1, "∂E_total/∂out_h1"),
    ("dW2", 1, 1, "∂E_total/∂w5"),
    ("db2", 1, 1, "∂E_total/∂b2"),
    ("W2_next", 1, 1, "w5⁺"),
    ("W1_next", 2, 2, "w4⁺"),
    ("b1_next", 1, 1, "b1⁺"),
]

MATRIX_CELLS = [
    ("X", 3, 4, "X[3,4]"),
    ("Z1", 1, 2, "Z1[1,2]"),
    ("b1", 1, 2, "b1[2]"),
    ("db1", 1, 2, "db1[2]"),
    ("W1_next", 4, 3, "W1_next[4,3]"),
    ("b1_next", 1, 2, "b1_next[2]"),
    ("L", 1, 1, "L"),
    ("E1", 2, 3, "E1[2,3]"),
    ("J2", 1, 1, "J2[1,1]"),
]


@pytest.mark.parametrize(("identifier", "text"), ARTICLE.items())
def test_article(identifier: str, text: str) -> None:
    assert label_text(names("article", 4, 3, 1, rows=3).matrix(identifier)) == text


@pytest.mark.parametrize(("identifier", "text"), ARTICLE_DEEPER.items())
def test_article_numbers_several_hidden_layers(identifier: str, text: str) -> None:
    assert label_text(names("article", 4, 3, 2, 1).matrix(identifier)) == text


@pytest.mark.parametrize(
    ("identifier", "text"), [("W1", "wout"), ("b1", "bout"), ("Z1", "output_layer_input"), ("A1", "output")]
)
def test_article_without_hidden_layer_has_only_the_output_names(identifier: str, text: str) -> None:
    assert label_text(names("article", 4, 1).matrix(identifier)) == text


def test_article_cells_are_indexed() -> None:
    article = names("article", 4, 3, 1, rows=3)
    assert cell_text(article, "Z1", 1, 2) == "hidden_layer_input[1,2]"
    assert cell_text(article, "b1", 1, 2) == "bh[2]"
    assert cell_text(article, "W2_next", 3, 1) == "wout_new[3,1]"


@pytest.mark.parametrize("identifier", ["X", "W1", "A2", "E", "D1", "dW1", "b1_next", "J1"])
def test_matrix_style_has_the_identifiers(identifier: str) -> None:
    assert names("matrix", 4, 3, 1).matrix(identifier) == Label(identifier)


@pytest.mark.parametrize(("identifier", "row", "column", "text"), MATRIX_CELLS)
def test_matrix_cells(identifier: str, row: int, column: int, text: str) -> None:
    assert cell_text(names("matrix", 4, 3, 1, rows=3), identifier, row, column) == text


@pytest.mark.parametrize(("identifier", "text"), HAND_MATRICES.items())
def test_hand_matrices(identifier: str, text: str) -> None:
    assert label_text(names("hand", 3, 3, 3, 3).matrix(identifier)) == text


@pytest.mark.parametrize(("identifier", "row", "column", "text"), HAND_CELLS)
def test_hand_cells(identifier: str, row: int, column: int, text: str) -> None:
    assert cell_text(names("hand", 3, 3, 3, 3), identifier, row, column) == text


@pytest.mark.parametrize(("identifier", "text"), MAZUR_MATRICES.items())
def test_mazur_matrices(identifier: str, text: str) -> None:
    assert label_text(names("mazur", 2, 2, 2, shared=True).matrix(identifier)) == text


@pytest.mark.parametrize(("identifier", "row", "column", "text"), MAZUR_CELLS)
def test_mazur_cells(identifier: str, row: int, column: int, text: str) -> None:
    assert cell_text(names("mazur", 2, 2, 2, shared=True), identifier, row, column) == text


def test_mazur_numbers_on_through_the_layers() -> None:
    deep = NetworkNames("mazur", (2, 3, 2, 1), 1, (False, True, False), (True, True, True), 1.0)
    assert label_text(deep.matrix("Z2")) == "net_h4…5"
    assert cell_text(deep, "A2", 1, 1) == "out_h4"
    assert [cell_text(deep, "b1", 1, unit) for unit in (1, 2, 3)] == ["b1", "b2", "b3"]
    assert (cell_text(deep, "b2", 1, 1), cell_text(deep, "b3", 1, 1)) == ("b4", "b5")
    assert cell_text(deep, "W2", 1, 2) == "w10"


@pytest.mark.parametrize("style", ["hand", "mazur"])
def test_several_samples_are_marked_where_the_cell_depends_on_the_sample(style: str) -> None:
    several = names(style, 2, 2, 2, rows=3)
    for identifier in ("X", "Y", "Z1", "A2", "E", "D1"):
        assert label_text(several.cell(identifier, 1, 0)).endswith("⁽²⁾")
    for identifier in ("W1", "b1", "dW1", "db1", "W1_next", "b1_next", "L"):
        assert "⁽" not in label_text(several.cell(identifier, 0, 0))
    assert label_text(names("hand", 2, 2, rows=3).cell("J2", 0, 1)) == "∂O_out1⁽²⁾/∂O_in2⁽²⁾"


FRACTIONS = {
    "E": "∂L/∂A2",
    "S1": "∂A1/∂Z1",
    "D1": "∂L/∂Z1",
    "E1": "∂L/∂A1",
    "dW1": "∂L/∂W1",
    "db2": "∂L/∂b2",
    "J1": "∂A2/∂Z2",
    "X": None,
    "A2": None,
    "L": None,
    "W1_next": None,
    "learning_rate": None,
}


@pytest.mark.parametrize(("identifier", "text"), FRACTIONS.items())
def test_fractions(identifier: str, text: str | None) -> None:
    assert fraction_text(names("matrix", 4, 3, 1), identifier) == text


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        ("E", "−∂L/∂A2"),
        ("S2", "∂A2/∂Z2"),
        ("J1", "∂A2/∂Z2"),
        *((i, f"−η·{FRACTIONS[i]}") for i in ("D1", "E1", "dW1", "db2")),
    ],
)
def test_fractions_show_the_convention(identifier: str, text: str) -> None:
    """The minus sign of target − output, and the rate where delta and all that follows carries it."""
    assert fraction_text(names("matrix", 4, 3, 1, sign=-1.0, rate_in_delta=True), identifier) == text


def test_fractions_are_in_the_letters_of_the_style() -> None:
    assert fraction_text(names("article", 4, 3, 1, rate_in_delta=True), "dW1") == "lr·∂L/∂wh"
    assert fraction_text(names("hand", 3, 3, 3, 3), "dW3") == "∂E/∂W_kl"
    assert fraction_text(names("matrix", 2, 2, own={"W1": "wh", "L": "loss"}), "dW1") == "∂loss/∂wh"
    assert label_text(names("matrix", 4, 3, 1).fraction("D1", (0, 1)) or Label("")) == "∂L/∂Z1[1,2]"
    assert fraction_text(names("matrix", 2, 3, rows=4), "J2") == "∂A1⁽²⁾/∂Z1⁽²⁾"


def test_fused_error_is_the_derivative_by_the_sum() -> None:
    assert fraction_text(names("matrix", 4, 3, 1, fused=True), "E") == "∂L/∂Z2"
    assert cell_text(names("hand", 3, 3, 3, 3, fused=True), "E", 1, 2) == "∂E/∂O_in2"


@pytest.mark.parametrize("style", STYLES)
def test_own_names_win(style: str) -> None:
    own = {"Z1": "sums", "b1": "bias", "D1": "delta", "L": "loss", "learning_rate": "rate"}
    mine = names(style, 4, 3, 1, rows=2, own=own)
    assert label_text(mine.matrix("Z1")) == "sums"
    assert cell_text(mine, "Z1", 2, 3) == "sums[2,3]"
    assert cell_text(mine, "b1", 1, 3) == "bias[3]"
    assert cell_text(mine, "D1", 2, 3) == "delta[2,3]"
    assert cell_text(mine, "L", 1, 1) == "loss"
    assert mine.learning_rate() == Label("rate")
    assert mine.matrix("Z2") == names(style, 4, 3, 1, rows=2).matrix("Z2")


def test_a_shared_bias_has_no_index() -> None:
    assert cell_text(names("matrix", 2, 3, shared=True), "b1", 1, 1) == "b1"
    assert cell_text(names("hand", 2, 3, shared=True), "db1", 1, 1) == "∂E/∂b_j"
    assert cell_text(names("matrix", 2, 3, shared=True, own={"b1": "bias"}), "b1", 1, 1) == "bias"


@pytest.mark.parametrize("identifier", ["", "Q", "Z", "X1", "L2", "Z1_next", "dW", "W0", "W01", "dW1_next", "dZ1"])
def test_what_is_no_identifier_is_refused(identifier: str) -> None:
    with pytest.raises(KeyError):
        names("matrix", 2, 2).matrix(identifier)


def test_names_of_a_problem() -> None:
    problem: Any = SimpleNamespace(
        names=SimpleNamespace(style="matrix", own={"A1": "guess"}),
        sizes=(2, 3),
        rows=1,
        layers=[SimpleNamespace(bias=None, shared_bias=False)],
        convention=SimpleNamespace(sign=-1.0, learning_rate_in="update", leading=0, turned=False),
        fused=False,
        reproduce=SimpleNamespace(rate_twice=True),
        optimizer=Optimizer(),
        trained=(),
    )
    assert fraction_text(network_names(problem), "E") == "−∂L/∂guess"
    assert fraction_text(network_names(problem), "D1") == "−η·∂L/∂Z1"
    problem.fused = True
    problem.reproduce.rate_twice = False
    assert fraction_text(network_names(problem), "E") == "−∂L/∂Z1"
    assert fraction_text(network_names(problem), "D1") == "−∂L/∂Z1"


Shape = tuple[int, int]
Network = dict[str, Any]


@st.composite
def networks(draw: st.DrawFn) -> Network:
    sizes = tuple(draw(st.lists(st.integers(1, 12), min_size=2, max_size=5)))
    flags = st.tuples(*[st.booleans()] * (len(sizes) - 1))
    return {
        "sizes": sizes,
        "rows": draw(st.integers(1, 3)),
        "shared_bias": draw(flags),
        "has_bias": draw(flags),
        "sign": draw(st.sampled_from([1.0, -1.0])),
        "rate_in_delta": draw(st.booleans()),
        "fused": draw(st.booleans()),
    }


def shapes(network: Network, jacobian: bool) -> Iterator[tuple[str, Shape]]:
    """Every matrix of a network. A delta that is E itself is left out: it rightly has E's name."""
    sizes, rows = network["sizes"], network["rows"]
    output = len(sizes) - 1
    yield from [("X", (rows, sizes[0])), ("Y", (rows, sizes[-1])), ("L", (1, 1)), ("E", (rows, sizes[-1]))]
    for layer in range(1, output + 1):
        for kind in ("Z", "A"):
            yield f"{kind}{layer}", (rows, sizes[layer])
        for weights in (f"W{layer}", f"dW{layer}", f"W{layer}_next"):
            yield weights, (sizes[layer - 1], sizes[layer])
        if network["has_bias"][layer - 1]:
            for bias in (f"b{layer}", f"db{layer}", f"b{layer}_next"):
                yield bias, (1, 1 if network["shared_bias"][layer - 1] else sizes[layer])
        if layer < output:
            yield f"E{layer}", (rows, sizes[layer])
        if layer < output or network["rate_in_delta"] or not network["fused"]:
            yield f"D{layer}", (rows, sizes[layer])
        if layer < output or not (network["fused"] or jacobian):
            yield f"S{layer}", (rows, sizes[layer])
    if jacobian and not network["fused"]:
        yield from ((f"J{sample}", (sizes[-1], sizes[-1])) for sample in range(1, rows + 1))


def assert_all_differ(style: str, network: Network, jacobian: bool) -> None:
    of = NetworkNames(style, **network)
    matrices = list(shapes(network, jacobian))
    cells = [
        of.cell(id, row, column)
        for id, (rows, columns) in matrices
        for row, column in product(range(rows), range(columns))
    ]
    for found in (cells, [of.matrix(id) for id, _ in matrices]):
        assert len(set(found)) == len(found)
        assert len({label_text(name) for name in found}) == len(found)
        assert len({label_mathml(name) for name in found}) == len(found)


@pytest.mark.parametrize("style", STYLES)
@given(network=networks(), jacobian=st.booleans())
def test_no_two_cells_and_no_two_matrices_share_a_name(style: str, network: Network, jacobian: bool) -> None:
    assert_all_differ(style, network, jacobian)


@pytest.mark.parametrize("style", STYLES)
def test_letters_do_not_run_out(style: str) -> None:
    layers = 60
    network = {
        "sizes": (2,) * (layers + 1),
        "rows": 2,
        "shared_bias": (False,) * layers,
        "has_bias": (True,) * layers,
        "sign": 1.0,
        "rate_in_delta": False,
        "fused": False,
    }
    assert_all_differ(style, network, jacobian=False)


@pytest.mark.parametrize("identifier", ["W1", "W2", "W2_next"])
def test_a_bias_in_the_weights_moves_their_rows_and_not_the_units_that_they_are_called_after(identifier: str) -> None:
    apart, within = names("hand", 2, 3, 2), names("hand", 2, 3, 2, leading=1)
    for row, column in product((1, 2), repeat=2):
        assert cell_text(within, identifier, row + 1, column) == cell_text(apart, identifier, row, column)
