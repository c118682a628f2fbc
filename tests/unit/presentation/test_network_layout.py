"""Where the units of a network are drawn, and what the picture says in words."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tracer.presentation.network_layout import (
    CAPTION_LINES,
    LEAST_STROKE,
    LINE,
    MOST_COLUMNS,
    MOST_STROKE,
    MOST_UNITS,
    MOST_WIDTH,
    RADIUS,
    describe,
    lay_out_network,
    node_name,
)
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem

SIZES = st.lists(st.one_of(st.integers(1, 15), st.integers(1, 2000)), min_size=2, max_size=12)
HIGHEST_ROW = 409  # points, in a spreadsheet


@given(sizes=SIZES)
def test_nothing_overlaps_and_nothing_is_cut_off(sizes: list[int]) -> None:
    layout = lay_out_network(sizes)
    things = [*layout.nodes, *layout.gaps]
    for one, other in combinations(things, 2):
        assert abs(one.x - other.x) > 2 * RADIUS or abs(one.y - other.y) > 2 * RADIUS
    for each in things:
        assert RADIUS < each.x < layout.width - RADIUS and RADIUS <= each.y < layout.captions_y - RADIUS
    assert layout.captions_y + CAPTION_LINES * LINE < layout.height
    assert layout.width <= MOST_WIDTH and layout.height * 0.75 < HIGHEST_ROW


@given(sizes=SIZES)
def test_units_are_shown_or_counted(sizes: list[int]) -> None:
    layout = lay_out_network(sizes)
    for layer in layout.columns:
        shown = [node.unit for node in layout.nodes if node.layer == layer]
        left_out = sum(gap.count for gap in layout.gaps if gap.layer == layer)
        assert len(shown) + left_out == sizes[layer] and len(shown) <= MOST_UNITS
        assert shown[0] == 0 and shown[-1] == sizes[layer] - 1
        assert (left_out > 0) == (sizes[layer] > MOST_UNITS)
    layers = sum(gap.count for gap in layout.gaps if gap.layer is None)
    assert len(layout.columns) + layers == len(sizes) and len(layout.columns) <= MOST_COLUMNS
    assert {0, len(sizes) - 1} <= set(layout.columns)


@given(sizes=SIZES)
def test_edges_join_neighbouring_layers_from_left_to_right(sizes: list[int]) -> None:
    layout = lay_out_network(sizes)
    assert all(end.layer == start.layer + 1 and end.x > start.x for start, end in layout.edges)
    count = dict.fromkeys(layout.columns, 0)
    for node in layout.nodes:
        count[node.layer] += 1
    assert len(layout.edges) == sum(count[layer] * count.get(layer + 1, 0) for layer in count)


def test_a_wider_line_is_a_larger_weight_whatever_its_sign() -> None:
    layout = lay_out_network([4, 3, 1])
    assert layout.stroke(0.0, 2.0) == LEAST_STROKE == layout.stroke(0.0, 0.0)
    assert layout.stroke(-2.0, 2.0) == MOST_STROKE > layout.stroke(1.0, 2.0) > LEAST_STROKE
    assert lay_out_network([12, 12, 12]).stroke(2.0, 2.0) < MOST_STROKE


def test_units_are_named_as_learners_name_them() -> None:
    names = [node_name(2, node) for node in lay_out_network([2, 2, 1]).nodes]
    assert names == ["x1", "x2", "h1", "h2", "o1"]
    assert [node_name(3, node) for node in lay_out_network([1, 2, 1, 1]).nodes] == ["x1", "h1,1", "h1,2", "h2,1", "o1"]


def test_the_words_say_sizes_activations_and_biases() -> None:
    assert describe(load_problem("mazur")).startswith(
        "The network from left to right. 2 inputs; hidden layer: 2 units, sigmoid, one shared bias; output layer: 2 "
        "units, sigmoid, one shared bias. "
    )
    layers = [{"activation": "relu", "units": units, "bias": units > 7} for units in (40, 3, 4, 5, 6, 7, 8, 1)]
    document = {"learning_rate": 0.1, "loss": "squared_error", "data": {"X": [[1]], "Y": [[1]]}, "layers": layers}
    words = describe(problem_from_document(document, "deep", "deep"))
    assert "1 input; hidden layer 1: 40 units, relu, with bias; hidden layer 2: 3 units, relu, no bias; " in words
    assert (
        "; 4 more hidden layers; hidden layer 7: 8 units, relu, with bias; output layer: 1 unit, relu, no bias" in words
    )
