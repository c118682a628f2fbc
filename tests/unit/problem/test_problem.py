"""A problem document as the rest of the product sees it."""

import copy
import hashlib
import json
from typing import Any

import numpy as np
import pytest

from tracer.errors import ProblemError, ShapeError
from tracer.problem.convention import Convention, Reproduce, identifiers
from tracer.problem.problem import Decimals, Naming, Problem, problem_from_document
from tracer.problem.remarks import departures_chosen
from tracer.problem.ways import choices

ARTICLE: dict[str, Any] = {
    "learning_rate": 0.1,
    "loss": "half_squared_error",
    "data": {"X": [[1, 0, 1, 0], [1, 0, 1, 1], [0, 1, 0, 1]], "Y": [[1], [1], [0]]},
    "layers": [
        {
            "activation": "sigmoid",
            "weights": [[0.42, 0.88, 0.55], [0.10, 0.73, 0.68], [0.60, 0.18, 0.47], [0.92, 0.11, 0.52]],
            "bias": [0.46, 0.72, 0.08],
        },
        {"activation": "sigmoid", "weights": [[0.30], [0.25], [0.23]], "bias": [0.69]},
    ],
}


def problem(**changes: Any) -> Problem:
    return problem_from_document({**copy.deepcopy(ARTICLE), **changes}, name="article", file="article.toml")


def test_defaults_are_resolved() -> None:
    p = problem()
    assert (p.name, p.title, p.description, p.source) == ("article", "article", None, None)
    assert (p.epochs, p.batch_size, p.loss_shown, p.carry_rounded) == (1, 3, "sum", False)
    assert p.decimals == Decimals(3) and p.names == Naming("matrix")
    assert p.convention == Convention() and p.reproduce == Reproduce()
    assert p.convention.sign == 1.0
    assert Convention(error="target - output").sign == -1.0


def test_sizes() -> None:
    p = problem()
    assert (p.depth, p.rows, p.sizes) == (2, 3, (4, 3, 1))
    assert [(layer.inputs, layer.units, layer.shared_bias) for layer in p.layers] == [
        (4, 3, False),
        (3, 1, False),
    ]


def test_matrices_are_float64_and_read_only() -> None:
    p = problem()
    matrices = [p.X, p.Y, *(m for layer in p.layers for m in (layer.weights, layer.bias) if m is not None)]
    assert len(matrices) == 6
    for matrix in matrices:
        assert matrix.dtype == np.float64 and matrix.ndim == 2
        with pytest.raises(ValueError, match="read-only"):
            matrix[0, 0] = 1.0


def test_zeros_have_no_sign() -> None:
    assert not np.signbit(problem(data={"X": [[-0.0] * 4], "Y": [[-0.0]]}).X).any()


@pytest.mark.parametrize(
    ("bias", "shape", "shared"),
    [([1, 2, 3], (1, 3), False), (0.35, (1, 1), True), (None, None, False), (False, None, False)],
)
def test_kinds_of_bias(bias: Any, shape: Any, shared: bool) -> None:
    first = {**ARTICLE["layers"][0], "bias": bias}
    layer = problem(layers=[first, ARTICLE["layers"][1]]).layers[0]
    assert (None if layer.bias is None else layer.bias.shape) == shape
    assert layer.shared_bias is shared


def test_a_number_as_bias_of_a_single_unit_is_the_same_problem() -> None:
    second = {**ARTICLE["layers"][1], "bias": 0.69}
    assert problem(layers=[ARTICLE["layers"][0], second]) == problem()


@pytest.mark.parametrize(("size", "ranges"), [(1, [(0, 1), (1, 2), (2, 3)]), (2, [(0, 2), (2, 3)]), (3, [(0, 3)])])
def test_batches_in_file_order(size: int, ranges: list[tuple[int, int]]) -> None:
    assert problem(batch_size=size).batches() == ranges


def test_loss_shown_follows_the_reduction_unless_given() -> None:
    mean = {"reduction": "mean"}
    assert problem(convention=mean).loss_shown == "mean"
    assert problem(convention=mean, loss_shown="sum").loss_shown == "sum"


def test_decimals_number_and_table() -> None:
    number, table = problem(decimals=5).decimals, problem(decimals={"Z1": 2, "W1_next": 6}).decimals
    assert (number.of("Z1"), number.given("Z1"), number.default) == (5, None, 5)
    assert (table.of("Z1"), table.given("Z1"), table.of("A1"), table.given("A1")) == (2, 2, 3, None)


def test_names() -> None:
    names = problem(names={"style": "article", "Z1": "hidden_layer_input"}).names
    assert names.style == "article" and names.own == {"Z1": "hidden_layer_input"}


def test_leaky_slope() -> None:
    layers = [{**ARTICLE["layers"][0], "activation": "leaky_relu"}, ARTICLE["layers"][1]]
    assert problem(layers=layers).layers[0].slope == 0.01
    layers[0]["slope"] = 0.2
    assert problem(layers=layers).layers[0].slope == 0.2


def test_json_null_is_left_out() -> None:
    assert problem(title=None, batch_size=None, reproduce={"softmax_slope": None}) == problem()


def test_jacobians_are_identifiers_of_a_softmax_network_only() -> None:
    softmax = [ARTICLE["layers"][0], {**ARTICLE["layers"][1], "activation": "softmax"}]
    assert problem(layers=softmax, decimals={"J3": 2}).decimals.of("J3") == 2
    for layers, key in ((softmax, "J4"), (softmax, "J0"), (ARTICLE["layers"], "J1")):
        with pytest.raises(ProblemError, match=f"decimals: unknown key '{key}'"):
            problem(layers=layers, decimals={key: 2})


def test_identifiers_of_two_layers_the_second_without_bias() -> None:
    expected = "X Y L E W1 Z1 A1 S1 D1 dW1 W1_next b1 db1 b1_next E1 W2 Z2 A2 S2 D2 dW2 W2_next"
    assert identifiers([True, False]) == tuple(expected.split())


def full_document() -> dict[str, Any]:
    leaky = {"activation": "leaky_relu", "units": 2, "bias": False}
    shared = {"activation": "sigmoid", "weights": [[0.1, 0.2], [1 / 3, 4]], "bias": 0.5}
    return {
        "title": "A title",
        "description": "two\nlines",
        "source": "a book",
        "learning_rate": 1,
        "epochs": 7,
        "batch_size": 2,
        "loss": "binary_cross_entropy",
        "loss_shown": "mean",
        "decimals": {"Z1": 2},
        "carry_rounded": True,
        "data": {"X": [[1, 0.1], [0, 3], [1e-17, 1]], "Y": [[1, 0], [0, 0], [0.5, 1]]},
        "layers": [leaky, {**shared, "activation": "elu"}, shared],
        "initial": {"seed": 5},
        "convention": {"error": "target - output", "softmax_slope": "fused", "relu_slope_at_zero": 1},
        "reproduce": {"rate_twice": True},
        "names": {"style": "mazur", "Z1": "net"},
    }


def test_a_document_gives_an_equal_problem_back_through_json() -> None:
    p = problem_from_document(full_document(), name="n", file="f.toml")
    again = problem_from_document(json.loads(json.dumps(p.to_document())), name="n", file="g.json")
    assert again == p and hash(again) == hash(p)
    assert again.sha256 == p.sha256
    assert again.to_document() == p.to_document()


def test_equality_sees_every_number_and_the_name() -> None:
    assert problem() != problem(learning_rate=0.2)
    assert problem() != problem_from_document(ARTICLE, name="other", file="f")
    assert problem() != "article"


def test_hash_ignores_texts_and_names_and_nothing_else() -> None:
    texts = {"title": "t", "description": "d", "source": "s", "names": {"style": "hand", "Z1": "z"}}
    assert problem(**texts).sha256 == problem().sha256
    for change in (
        {"epochs": 2},
        {"decimals": 4},
        {"carry_rounded": True},
        {"convention": {"reduction": "mean"}},
    ):
        assert problem(**change).sha256 != problem().sha256


def test_hash_is_of_what_it_says() -> None:
    document = {key: value for key, value in problem().to_document().items() if key not in ("title", "names")}
    assert document["data"]["X"][0] == [1.0, 0.0, 1.0, 0.0]
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    assert '"learning_rate":0.1' in canonical
    assert problem().sha256 == hashlib.sha256(canonical.encode()).hexdigest()


def test_with_parameters() -> None:
    p = problem()
    other = p.with_parameters([(layer.weights * 2, layer.bias) for layer in p.layers])
    assert (other.layers[0].weights == p.layers[0].weights * 2).all()
    assert not other.layers[0].weights.flags.writeable
    assert other.sha256 != p.sha256 and other.X is p.X
    with pytest.raises(ShapeError, match=r"W1: found shape \(3, 4\), expected \(4, 3\)"):
        p.with_parameters([(p.layers[0].weights.T, p.layers[0].bias), (p.layers[1].weights, None)])
    with pytest.raises(ShapeError, match="b2: found shape none"):
        p.with_parameters([(p.layers[0].weights, p.layers[0].bias), (p.layers[1].weights, None)])


def test_a_document_with_a_data_file_is_not_for_here() -> None:
    with pytest.raises(ProblemError, match="data: found a data file"):
        problem(data={"file": "x.csv"})


@pytest.mark.parametrize(("targets", "place"), [([[1.0], [0.0]], "data.Y[1]"), ([[0.5], [-1.0]], "data.Y[0]")])
def test_hinge_takes_targets_of_minus_one_and_one(targets: list[list[float]], place: str) -> None:
    document = {
        "learning_rate": 0.1,
        "loss": "hinge",
        "data": {"X": [[1.0], [2.0]], "Y": targets},
        "layers": [{"activation": "tanh", "weights": [[0.5]]}],
    }
    with pytest.raises(ProblemError, match="expected targets -1 or 1 for hinge") as caught:
        problem_from_document(document, "p", "p.toml")
    assert caught.value.place == place
    assert problem_from_document({**document, "data": {"X": [[1.0], [2.0]], "Y": [[1], [-1]]}}, "p", "p").rows == 2


def test_a_class_without_an_output_is_told_beside_other_mistakes() -> None:
    layer = {"activation": "softmax", "weights": [[1, 2], [3, "4"]]}
    with pytest.raises(ProblemError) as wrong:
        problem(loss="cross_entropy", data={"X": [[1, 0], [0, 1]], "Y": [0, 5]}, layers=[layer])
    assert "layers[0].weights[1][1]" in str(wrong.value)


def test_weights_sent_back_after_the_update_are_a_departure_where_something_is_sent_back() -> None:
    late = {"updated_weights_sent_back": True}
    assert departures_chosen(problem(reproduce=late)) == ["updated_weights"]
    alone = [{"activation": "sigmoid", "weights": [[0.3], [0.25], [0.23], [0.1]], "bias": [0.69]}]
    assert departures_chosen(problem(reproduce=late, layers=alone)) == []


@pytest.mark.parametrize(
    ("initial", "says"),
    [
        (3, "initial: found 3, expected a table"),
        ({"weights": 3}, "initial.weights: found 3, expected a table"),
        ({"weights": "unifrm"}, "'zeros'; did you mean 'uniform'?"),
    ],
)
def test_how_parameters_are_drawn_is_told_by_its_place(initial: Any, says: str) -> None:
    with pytest.raises(ProblemError) as wrong:
        problem(initial=initial, layers=[{"activation": "sigmoid", "units": 1}])
    assert str(wrong.value).endswith(says)


def test_an_optimizer_takes_the_choice_of_where_the_rate_stands_and_no_other() -> None:
    plain, adam = ([each.of for each in choices(problem(**more))] for more in ({}, {"optimizer": {"name": "adam"}}))
    assert "learning_rate_in" in plain and len(set(plain)) > 3
    assert adam == [name for name in plain if name != "learning_rate_in"]
