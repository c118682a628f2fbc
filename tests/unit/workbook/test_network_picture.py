"""The picture of the network: crisp, the same each time, and its signs told apart without colour."""

import io
from typing import Any

import numpy as np
from PIL import Image, ImageColor

from tracer.presentation.network_layout import RADIUS, lay_out_network
from tracer.presentation.palette import NEGATIVE, POSITIVE
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.training import trace
from tracer.workbook.canvas import SCALE
from tracer.workbook.network_picture import draw_network


def network(*weights: list[list[float]]) -> dict[str, Any]:
    """One sample of ones through linear layers."""
    return {
        "learning_rate": 0.1,
        "loss": "half_squared_error",
        "data": {"X": [[1.0] * len(weights[0])], "Y": [[1.0] * len(weights[-1][0])]},
        "layers": [{"activation": "linear", "weights": each} for each in weights],
    }


def drawn(document: dict[str, Any]) -> np.ndarray[Any, Any]:
    problem = problem_from_document(document, "drawn", "drawn")
    png, width, height = draw_network(problem, trace(problem).first)
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG" and image.size == (SCALE * width, SCALE * height)
    return np.asarray(image.convert("RGB")).astype(int)


def of_colour(pixels: np.ndarray[Any, Any], colour: str) -> np.ndarray[Any, Any]:
    return (abs(pixels - ImageColor.getrgb(f"#{colour}")) < 10).all(axis=-1)


def test_the_same_network_gives_the_same_bytes() -> None:
    for name in ("article", "hand"):
        problem = load_problem(name)
        assert draw_network(problem, trace(problem).first) == draw_network(problem, trace(problem).first)


def test_it_is_shown_at_the_size_of_the_layout() -> None:
    problem = load_problem("softmax-classifier")
    layout = lay_out_network(problem.sizes)
    assert draw_network(problem, trace(problem).first)[1:] == (round(layout.width), round(layout.height))


def along_the_edge(weight: float, colour: str) -> np.ndarray[Any, Any]:
    """Where the only connection of a 1→1 network, which is level, shows its colour, from circle to circle."""
    layout = lay_out_network([1, 1])
    start, end = layout.nodes
    pixels = of_colour(drawn(network([[weight]])), colour)
    first, last = (round(SCALE * x) for x in (start.x + RADIUS + 2, end.x - RADIUS - 2))
    return pixels[round(SCALE * start.y), first:last]


def test_a_negative_weight_is_dashed_and_of_another_colour() -> None:
    assert along_the_edge(0.5, POSITIVE).all() and not along_the_edge(0.5, NEGATIVE).any()
    negative = along_the_edge(-0.5, NEGATIVE)
    changes = np.count_nonzero(np.diff(negative.astype(int)))
    assert 0.3 < negative.mean() < 0.7 and changes > 10 and not along_the_edge(-0.5, POSITIVE).any()


def test_a_larger_weight_is_drawn_wider() -> None:
    layout = lay_out_network([2, 1])
    middle = round(SCALE * (layout.nodes[0].x + layout.nodes[2].x) / 2)
    column = of_colour(drawn(network([[1.0], [0.1]])), POSITIVE)[:, middle]
    half = round(SCALE * layout.nodes[2].y)
    assert column[:half].sum() > 2 * max(1, column[half : round(SCALE * layout.captions_y)].sum())


def test_a_layer_of_forty_units_is_summarised() -> None:
    small, large = (drawn(network(np.ones((3, units)).tolist(), np.ones((units, 1)).tolist())) for units in (8, 40))
    assert small.shape == large.shape
    gap = next(gap for gap in lay_out_network([3, 40, 1]).gaps)
    x, y = round(SCALE * gap.x), round(SCALE * gap.y)
    assert gap.count == 33 and (large[y, x] < 100).all(), "three dots stand for them"


def test_numbers_of_any_size_stay_beside_their_unit() -> None:
    """What is written on the right never reaches the edge of the picture."""
    pixels = drawn(network([[-1.23456789e-9, 123456.789]]) | {"data": {"X": [[-0.123456789]], "Y": [[-1e-9, 1e9]]}})
    assert (pixels[:, -8:] == 255).all() and (pixels[:, :8] == 255).all()
