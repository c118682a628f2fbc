"""Drawn parameters: the numbers of old articles, the order of drawing, the rounding."""

import math
from typing import Any

import numpy as np
import pytest

from tracer.problem.initial import MOST_CELLS, beyond_memory
from tracer.problem.problem import Problem, problem_from_document

UNIT = {"distribution": "uniform", "low": 0.0, "high": 1.0}


def network(layers: list[dict[str, Any]], initial: dict[str, Any] | None, **more: Any) -> Problem:
    data = {"X": [[1, 0, 0, 0], [1, 0, 1, 1]], "Y": [[1], [0]]}
    layers = [{"activation": "sigmoid", **layer} for layer in layers]
    document = {"learning_rate": 0.1, "loss": "squared_error", "data": data, "layers": layers, **more}
    if initial is not None:
        document["initial"] = initial
    return problem_from_document(document, name="n", file="n.toml")


def test_legacy_seed_42_gives_the_numbers_of_the_article() -> None:
    initial = {"seed": 42, "generator": "legacy", "weights": UNIT}
    p = network([{"units": 3, "bias": False}, {"units": 1, "bias": False}], initial)
    assert p.layers[0].weights[0].tolist() == [0.3745401188473625, 0.9507143064099162, 0.7319939418114051]
    assert p.layers[0].weights[3, 2] == 0.9699098521619943
    assert p.layers[1].weights[:, 0].tolist() == [
        0.8324426408004217,
        0.21233911067827616,
        0.18182496720710062,
    ]
    assert p.layers[0].bias is None


def test_order_is_weights_then_bias_layer_by_layer_after_what_is_skipped() -> None:
    p = network([{"units": 3}, {"units": 1}], {"seed": 7, "skip": 5, "weights": UNIT, "bias": UNIT})
    stream = np.random.default_rng(7).uniform(size=5 + 12 + 3 + 3 + 1)[5:]
    drawn = [p.layers[0].weights, p.layers[0].bias, p.layers[1].weights, p.layers[1].bias]
    assert np.concatenate([m.ravel() for m in drawn if m is not None]).tolist() == stream.tolist()


def test_a_skip_longer_than_a_chunk_is_the_same_stream() -> None:
    initial = {"seed": 1, "generator": "legacy", "skip": 1_000_003, "weights": UNIT}
    expected = np.random.RandomState(1).uniform(size=1_000_004)[-1]
    assert network([{"units": 1}], initial).layers[0].weights[0, 0] == expected


def test_typed_layers_and_left_out_biases_take_nothing_from_the_stream() -> None:
    typed = {"weights": [[1, 2]] * 4, "bias": 0.5}
    p = network([typed, {"units": 3, "bias": False}, {"units": 1}], {"weights": UNIT, "bias": UNIT})
    stream = np.random.default_rng(0).uniform(size=10)
    assert p.layers[1].weights.ravel().tolist() == stream[:6].tolist()
    assert p.layers[1].bias is None
    assert p.layers[2].weights.ravel().tolist() == stream[6:9].tolist()
    assert p.layers[2].bias is not None and p.layers[2].bias[0, 0] == stream[9]


def test_defaults_are_xavier_zeros_and_seed_0() -> None:
    p = network([{"units": 3, "bias": True}, {"units": 1}], None)
    limit = math.sqrt(6 / 7)
    expected = np.random.default_rng(0).uniform(-limit, limit, (4, 3))
    assert (p.layers[0].weights == expected).all()
    assert p.layers[0].bias is not None and p.layers[0].bias.tolist() == [[0.0, 0.0, 0.0]]
    assert p == network([{"units": 3}, {"units": 1}], {})


@pytest.mark.parametrize("generator", ["default", "legacy"])
def test_normal_and_he(generator: str) -> None:
    normal = {"distribution": "normal", "mean": 2, "std": 0.5}
    initial = {"seed": 3, "generator": generator, "weights": {"distribution": "he"}, "bias": normal}
    layer = network([{"units": 3}, {"units": 1}], initial).layers[0]
    source = np.random.RandomState(3) if generator == "legacy" else np.random.default_rng(3)
    assert (layer.weights == source.normal(0.0, math.sqrt(2 / 4), (4, 3))).all()
    assert layer.bias is not None and (layer.bias == source.normal(2.0, 0.5, (1, 3))).all()


def test_the_bias_of_a_layer_may_be_drawn_as_its_weights_are() -> None:
    xavier = {"distribution": "xavier"}
    layer = network([{"units": 1}], {"weights": {"distribution": "zeros"}, "bias": xavier}).layers[0]
    limit = math.sqrt(6 / 5)
    assert layer.bias is not None and layer.bias[0, 0] == np.random.default_rng(0).uniform(-limit, limit)


@pytest.mark.parametrize("word", ["xavier", "he", "zeros"])
def test_a_bare_word_for_a_distribution_without_parameters(word: str) -> None:
    tables = {"weights": {"distribution": word}, "bias": {"distribution": word}}
    assert network([{"units": 1}], {"weights": word, "bias": word}) == network([{"units": 1}], tables)


def test_carried_rounding_rounds_what_is_drawn_and_nothing_typed() -> None:
    layers: list[dict[str, Any]] = [{"units": 3}, {"weights": [[0.12345]] * 3, "bias": [0.98765]}]
    initial = {"weights": UNIT, "bias": UNIT}
    exact = network(layers, initial).layers[0]
    p = network(layers, initial, carry_rounded=True, decimals={"b1": 1})
    assert p.layers[0].weights.tolist() == np.round(exact.weights, 3).tolist()
    assert p.layers[0].bias is not None and exact.bias is not None
    assert p.layers[0].bias.tolist() == np.round(exact.bias, 1).tolist()
    assert p.layers[1].weights[0, 0] == 0.12345


def test_carried_rounding_goes_half_away_from_zero() -> None:
    half = {"distribution": "normal", "mean": -0.0125, "std": 0}
    p = network([{"units": 1}], {"weights": half}, carry_rounded=True)
    assert p.layers[0].weights[0, 0] == -0.013


def test_a_drawn_problem_is_the_problem_with_its_numbers_typed() -> None:
    p = network([{"units": 3}, {"units": 1}], {"seed": 9})
    typed = problem_from_document(p.to_document(), name="n", file="n.json")
    assert typed == p and typed.sha256 == p.sha256


def test_seeds_of_many_digits_are_for_the_default_generator() -> None:
    assert network([{"units": 1}], {"seed": 2**64}).layers[0].weights.shape == (4, 1)


def test_one_row_with_huge_weights_is_refused_before_they_are_drawn() -> None:
    """Each weight stands there three times: itself, its gradient and its next value."""
    says = beyond_memory(1, [(10**6, 10**5), (10**5, 2)])
    assert says == (
        "found 100000: a 1000000-100000-2 network with 1 row takes about 3.0e+11 cells, expected at most 2e+08"
    )
    side = MOST_CELLS // 3 // 100
    assert beyond_memory(1, [(side - 10, 100)]) is None and beyond_memory(1, [(side + 10, 100)])
    assert beyond_memory(10**6, [(1, 33)]) is None and beyond_memory(10**6, [(1, 34)])


def test_of_a_network_too_deep_to_be_listed_the_first_sizes_are() -> None:
    for layers, listed in ((11, "-1000000 network"), (12, "-1000000-… network")):
        says = beyond_memory(1, [(10**6, 10**6)] * layers)
        assert says is not None and listed in says and says.count("1000000") == 13
    says = beyond_memory(1, [(10**12, 3)])
    assert says is not None and "found 3: a 1.0e+12-3 network" in says
