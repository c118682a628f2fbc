"""The way from a weight to the loss and back: what is named on it, and an arc for every factor of the chain rule."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest

from tests.unit.derivation.test_book import layered
from tracer.derivation.network_cells import NetworkCells
from tracer.derivation.path_picture import draw_paths
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace


def drawn(made: Trace, layer: int) -> ET.Element:
    return ET.fromstring(str(draw_paths(NetworkCells(made, made.first), layer)))


def named(svg: ET.Element, kind: str) -> list[str]:
    return ["".join(each.itertext()) for each in svg.iter("text") if each.get("class") == kind]


def arcs(svg: ET.Element) -> list[ET.Element]:
    return [each for each in svg.iter("path") if each.get("class") == "back"]


def test_the_way_back_to_the_first_layer_is_named_as_on_the_hand_written_page() -> None:
    svg = drawn(trace(load_problem("hand")), 1)
    assert named(svg, "unit") == ["i1", "j1", "k1", "l1", "l2", "l3"]
    assert named(svg, "over") == ["Wi1j1", "Wj1k1", "Wk1l1", "Wk1l2", "Wk1l3"]
    assert named(svg, "in over") == ["h1in1", "h2in1", "Oin1", "Oin2", "Oin3"]
    assert named(svg, "out over") == ["i1", "h1out1", "h2out1", "Oout1", "Oout2", "Oout3"]
    assert named(svg, "out") == ["E1", "E2", "E3"]
    assert named(svg, "caption") == ["⋮ 2 more", "⋮ 2 more"]


@pytest.mark.parametrize(("layer", "count"), [(3, 3 + 3 + 1), (2, 2 * 3 + 3 + 1 + 1), (1, 2 * 3 + 3 + 1 + 1 + 1 + 1)])
def test_an_arc_goes_back_for_every_factor(layer: int, count: int) -> None:
    """From the loss to an output, from it to its sum (of softmax to every sum), from there to the unit before, …"""
    assert len(arcs(drawn(trace(load_problem("hand")), layer))) == count


def test_an_output_that_stands_alone_is_drawn_alone() -> None:
    svg = drawn(trace(load_problem("mazur")), 2)
    assert (named(svg, "unit"), named(svg, "out"), len(arcs(svg))) == (["h1", "o1"], ["E1"], 3)
    assert named(drawn(trace(load_problem("article")), 2), "out") == ["L"]


def test_many_outputs_are_cut() -> None:
    document = layered([2, 2, 9], 1, "matrix")
    svg = drawn(trace(problem_from_document(document, "wide", "wide.toml")), 1)
    assert named(svg, "unit")[2:] == ["o1", "o2", "o3", "o9"] and "⋮ 5 more" in named(svg, "caption")


def positions(svg: ET.Element) -> Iterator[tuple[float, float]]:
    yield from ((float(each.get("x", 0)), float(each.get("y", 0))) for each in svg.iter("text"))


@pytest.mark.parametrize("name", ["article", "hand", "mazur", "xor", "softmax-classifier"])
def test_everything_is_within_the_picture(name: str) -> None:
    made = trace(load_problem(name))
    for layer in range(1, made.problem.depth + 1):
        svg = drawn(made, layer)
        width, height = float(svg.get("width", 0)), float(svg.get("height", 0))
        assert all(0 < x < width and 0 < y < height for x, y in positions(svg))
