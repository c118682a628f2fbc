"""Whatever is in a problem file: a problem, or one ProblemError that names the file."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracer.errors import ProblemError
from tracer.problem.convention import MOST_TOLD
from tracer.problem.problem import Problem, problem_from_document
from tracer.problem.reading import load_problem

VALID: dict[str, Any] = {
    "title": "t",
    "learning_rate": 0.1,
    "epochs": 2,
    "batch_size": 2,
    "loss": "cross_entropy",
    "loss_shown": "sum",
    "decimals": {"Z1": 2, "J2": 4},
    "carry_rounded": False,
    "data": {"X": [[0, 1], [1, 0.5], [1, 1]], "Y": [[1, 0], [0, 1], [0.25, 0.75]]},
    "layers": [
        {
            "activation": "leaky_relu",
            "slope": 0.1,
            "weights": [[0.1, 0.2, 0.3], [1, 2, 3]],
            "bias": [1, 0, 2],
        },
        {"activation": "tanh", "units": 2, "bias": True},
        {"activation": "softmax", "weights": [[1, -1], [0.5, 2]], "bias": 0.5},
    ],
    "initial": {
        "seed": 1,
        "generator": "legacy",
        "skip": 2,
        "weights": {"distribution": "uniform", "low": -1, "high": 1},
        "bias": {"distribution": "normal", "mean": 0, "std": 1},
    },
    "convention": {
        "error": "target - output",
        "learning_rate_in": "delta",
        "reduction": "mean",
        "bias_update": False,
        "softmax_slope": "jacobian",
        "relu_slope_at_zero": 1,
    },
    "reproduce": {"softmax_slope": "diagonal", "rate_twice": True, "updated_weights_sent_back": True},
    "names": {"style": "hand", "Z1": "hidden"},
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in a document."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, entry in below for found in places(entry, (*path, key)))]


def changed(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at one place."""
    if not path:
        return value
    document = copy.deepcopy(document)
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return document


def without(document: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    document = copy.deepcopy(document)
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    del parent[path[-1]]
    return document


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**9, 10**60, -(10**400), 2**31, -1, 0, 16]),
    st.floats(),
    st.sampled_from([1e308, -1e101, 1e-320, float("nan"), float("inf")]),
    st.text(max_size=5),
    st.sampled_from(["relu", "fused", "diagonal", "article", "\ud800", "\0", "x" * 3000, "zeros", "nan", "1"]),
    st.lists(st.one_of(st.integers(), st.lists(st.floats(), max_size=3)), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
    st.sampled_from([nested(50), nested(400), {"file": "x.csv"}, {"distribution": "he"}, {"\ud800": 1}]),
)
PLACES = places(VALID)


def assert_read_or_refused(load: Any, file: str) -> None:
    try:
        problem = load()
    except ProblemError as error:
        lines = str(error).splitlines()
        assert len(lines) == 1 + len(error.others) <= MOST_TOLD + 1 and len(set(lines)) == len(lines)
        assert all(line.startswith(file) and len(line) < len(file) + 600 for line in lines)
        assert error.says
        str(error).encode()  # a lone surrogate could not be printed
    else:
        assert isinstance(problem, Problem)
        again = problem_from_document(problem.to_document(), name=problem.name, file=file)
        assert again == problem and again.sha256 == problem.sha256


def test_the_start_is_valid() -> None:
    assert problem_from_document(VALID, name="p", file="p.toml").sizes == (2, 3, 2, 2)


@settings(max_examples=800, deadline=None)
@given(st.sampled_from(PLACES), ODD)
def test_any_value_at_any_place(path: tuple[Any, ...], value: Any) -> None:
    assert_read_or_refused(
        lambda: problem_from_document(changed(VALID, path, value), name="p", file="p.toml"), "p.toml"
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES[1:]), ODD), min_size=2, max_size=3))
def test_several_mistakes_at_once(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    document = VALID
    for path, value in sorted(changes, key=lambda change: -len(change[0])):
        try:
            document = changed(document, path, value)
        except (KeyError, IndexError, TypeError):  # its parent was replaced by an earlier change
            continue
    assert_read_or_refused(lambda: problem_from_document(document, name="p", file="p.toml"), "p.toml")


@pytest.mark.parametrize("path", PLACES[1:], ids=str)
def test_anything_left_out(path: tuple[Any, ...]) -> None:
    assert_read_or_refused(lambda: problem_from_document(without(VALID, path), name="p", file="p.toml"), "p.toml")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), st.text(max_size=8), ODD)
def test_an_unknown_key_anywhere(path: tuple[Any, ...], key: str, value: Any) -> None:
    table = VALID
    for part in path:
        table = table[part]
    if isinstance(table, dict):
        document = changed(VALID, (*path, key), value)
        assert_read_or_refused(lambda: problem_from_document(document, name="p", file="p.toml"), "p.toml")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["p.toml", "p.json"]),
    junk=st.binary(max_size=60),
    at=st.integers(0, 2000),
    removed=st.integers(0, 20),
)
def test_damaged_bytes(name: str, junk: bytes, at: int, removed: int, tmp_path: Path) -> None:
    content = json.dumps(VALID).encode() if name == "p.json" else TOML
    at = min(at, len(content))
    path = tmp_path / name
    path.write_bytes(content[:at] + junk + content[at + removed :])
    assert_read_or_refused(lambda: load_problem(path), str(path))


TOML = b"""learning_rate = 0.1
loss = "squared_error"
data.X = [[0, 1], [1, 0.5]]
data.Y = [[1], [0]]
[[layers]]
activation = "tanh"
weights = [[0.5], [-1]]
bias = 1.0
"""
W = ("layers", 0, "weights")
BIG = 10**9

HAND_MADE: list[tuple[tuple[Any, ...], Any, str, str]] = [
    (("lr",), 1, "", "unknown key 'lr'; 'learning_rate' is there already"),
    (("layers", 1, "unit"), 2, "layers[1]", "unknown key 'unit'; 'units' is there already"),
    (("layers", 1, "slop"), 2, "layers[1]", "unknown key 'slop'; did you mean 'slope'?"),
    (
        ("layers", 1, "q"),
        2,
        "layers[1]",
        "unknown key 'q', expected one of activation, slope, form, units, weights, weights_are, bias",
    ),
    (("initial", "weights", "lo"), 2, "initial.weights", "unknown key 'lo'; 'low' is there already"),
    (("initial", "he"), 2, "initial", "unknown key 'he'"),
    (("convention", "Error"), 2, "convention", "unknown key 'Error'; 'error' is there already"),
    (("learning_rate",), 0, "learning_rate", "found 0, expected a number above 0"),
    (("learning_rate",), True, "learning_rate", "found true, expected a number"),
    (("learning_rate",), "0.1", "learning_rate", "found '0.1', expected a number"),
    (("learning_rate",), float("nan"), "learning_rate", "found nan, expected a finite number"),
    (("epochs",), 0, "epochs", "found 0, expected a number that is at least 1"),
    (("epochs",), 1.5, "epochs", "found 1.5, expected a whole number"),
    (("batch_size",), 4, "batch_size", "found 4, expected at most 3, the rows of X"),
    (("carry_rounded",), 1, "carry_rounded", "found 1, expected true or false"),
    (("decimals",), 16, "decimals", "found 16, expected a whole number from 0 to 15"),
    (("decimals",), 3.0, "decimals", "found 3.0, expected a whole number from 0 to 15"),
    (("decimals", "Z1"), -1, "decimals.Z1", "found -1"),
    (
        ("decimals", "Z4"),
        1,
        "decimals",
        "unknown key 'Z4', expected an identifier of this network; did you mean 'Z3'?",
    ),
    (("decimals", "z2"), 1, "decimals", "did you mean 'Z2'?"),
    (("title",), "a\x07b", "title", "control characters"),
    (("title",), "x" * 2001, "title", "expected text of at most 2000 characters"),
    (("loss",), "crossentropy", "loss", "did you mean 'cross_entropy'?"),
    (("loss_shown",), "total", "loss_shown", "found 'total', expected one of 'sum', 'mean'"),
    (("layers",), {"units": 2}, "layers", "found a single table, expected a list of layers ([[layers]], not [layers])"),
    (("layers",), [], "layers", "found a list of 0, expected a list of 1 to 1000 layers"),
    (("layers", 1), 5, "layers[1]", "found 5, expected a table"),
    (("layers", 0, "activation"), "sigmoyd", "layers[0].activation", "did you mean 'sigmoid'?"),
    (("layers", 0, "activation"), "softmax", "layers[0].slope", "expected one only for leaky_relu"),
    (("layers", 1, "activation"), "softmax", "layers[1].activation", "softmax in a hidden layer"),
    (("layers", 0, "slope"), float("inf"), "layers[0].slope", "expected a finite number"),
    ((*W, 0, 2), "x", "layers[0].weights[0][2]", "found 'x', expected a number"),
    ((*W, 1, 0), float("nan"), "layers[0].weights[1][0]", "found nan, expected a finite number"),
    ((*W, 1, 0), 1e101, "layers[0].weights[1][0]", "found 1e+101, expected a finite number up to 1e100"),
    ((*W, 1, 0), 10**400, "layers[0].weights[1][0]", "found a whole number of about 401 digits"),
    ((*W, 1), [1, 2], "layers[0].weights[1]", "found a row of 2, expected 3 as in the first"),
    ((*W, 0), [], "layers[0].weights[0]", "expected a row: a list of numbers"),
    (W, [], "layers[0].weights", "found a list of 0, expected a list of rows"),
    (W, [1, 2], "layers[0].weights", "found a list of numbers, expected rows, as in [[1, 2]] or [[1], [2]]"),
    (W, [[1, 2, 3]], "layers[0].weights", "found 1×3, expected 2 rows: the columns of X, which is 3×2"),
    (
        ("layers", 2, "weights"),
        [[1, 2]],
        "layers[2].weights",
        "found 1×2, expected 2 rows: the units of layers[1], whose weights are 3×2",
    ),
    (("layers", 0, "bias"), [1, 2], "layers[0].bias", "found 2 numbers, expected 3"),
    (("layers", 0, "bias"), [1], "layers[0].bias", "found 1 number, expected 3"),
    (("layers", 0, "bias"), [1, 2, None], "layers[0].bias[2]", "found null, expected a number"),
    (("layers", 0, "bias"), True, "layers[0].bias", "found true, expected beside weights"),
    (("layers", 0, "bias"), "no", "layers[0].bias", "found 'no'"),
    (("layers", 1, "bias"), [1, 2], "layers[1].bias", "expected true or false beside units"),
    (("layers", 0, "units"), 3, "layers[0]", "found both of weights and units"),
    (("layers", 1, "units"), None, "layers[1]", "found neither of weights and units"),
    (("layers", 1, "units"), 3, "layers[2].weights", "found 2×2, expected 3 rows"),
    (("layers", 1, "units"), True, "layers[1].units", "found true, expected a whole number"),
    (
        ("layers", 2, "weights"),
        [[1], [1]],
        "layers[2].weights",
        "found 1 as the units of the output layer, expected 2",
    ),
    (("data",), {"X": [[1, 2]]}, "data", "missing key 'Y': expected X and Y, or file"),
    (("data",), {}, "data", "missing keys 'X' and 'Y': expected X and Y, or file"),
    (("data", "Y"), [0.5, 1, 1], "data.Y", "found a list of numbers, expected rows, as in [[0.5], [1], [1]]"),
    (
        ("data", "Y"),
        [0, 1, 2],
        "data.Y[2]",
        "found class 2, expected 0 to 1: the output layer has 2 units",
    ),
    (("data", "Y"), [[0], [1], [1]], "layers[2].weights", "which is 3×1; for classes: one column of Y per class"),
    (("data", "file"), "x.csv", "data", "found X and Y beside file"),
    (("data", "sheet"), "s", "data", "found sheet without file"),
    (("data", "X"), [[1, 2]], "data", "X is 1×2 and Y 3×2, expected as many rows in both"),
    (("data", "X", 1), 3, "data.X[1]", "found 3, expected a row: a list of numbers"),
    (("data", "X", 1, 1), True, "data.X[1][1]", "found true, expected a number"),
    (("data", "Y", 2), [0.5, 0.6], "data.Y[2]", "found targets whose sum is 1.1"),
    (("data", "Y", 2), [-0.5, 1.5], "data.Y[2]", "found -0.5, expected targets from 0 to 1"),
    (
        ("layers", 2, "activation"),
        "relu",
        "loss",
        "cross_entropy needs a sigmoid or softmax output layer, found relu",
    ),
    (
        ("layers", 2, "activation"),
        "sigmoid",
        "reproduce.softmax_slope",
        "'diagonal' needs a softmax output layer",
    ),
    (("convention", "softmax_slope"), "fused", "reproduce.softmax_slope", "does not go with"),
    (("convention", "softmax_slope"), "fuse", "convention.softmax_slope", "did you mean 'fused'?"),
    (
        ("convention", "relu_slope_at_zero"),
        True,
        "convention.relu_slope_at_zero",
        "found true, expected 0 or 1",
    ),
    (("reproduce", "rate_twice"), "yes", "reproduce.rate_twice", "found 'yes', expected true or false"),
    (("names", "style"), "mazurs", "names.style", "did you mean 'mazur'?"),
    (("names", "Z1"), "a\nb", "names.Z1", "expected 1 to 60 printable characters"),
    (("names", "Z1"), " ", "names.Z1", "expected 1 to 60 printable characters"),
    (("names", "Z1"), "x" * 61, "names.Z1", "expected 1 to 60 printable characters"),
    (("names",), {"Z1": "h", "A1": "h "}, "names", "found the name 'h ' for both 'Z1' and 'A1', expected different"),
    (("names",), {"Z1": "y", "style": "article"}, "names.Z1", "found 'y', expected a name that Y does not have"),
    (("names",), {"Z1": "A1", "style": "hand"}, "names.Z1", "found 'A1', expected a name that A1 does not have"),
    (("names",), {"W1": "η"}, "names.W1", "found 'η', expected a name that the learning rate does not have"),
    (("names", "Z7"), "z", "names", "unknown key 'Z7'"),
    (("names",), 3, "names", "found 3, expected a table"),
    (("initial", "seed"), -1, "initial.seed", "found -1, expected a number that is at least 0"),
    (("initial", "seed"), 2**32, "initial.seed", "as the legacy generator takes"),
    (("initial", "skip"), 10**15, "initial.skip", "expected a number that is at most 2e+08"),
    (("initial", "weights"), 3, "initial.weights", "found 3, expected a table"),
    (("initial", "weights"), "xaver", "initial.weights", "did you mean 'xavier'?"),
    (
        ("initial", "weights"),
        "uniform",
        "initial.weights",
        'expected a table such as { distribution = "uniform", low = 0.0, high = 1.0 }',
    ),
    (
        ("initial", "bias"),
        "normal",
        "initial.bias",
        'expected a table such as { distribution = "normal", mean = 0.0, std = 1.0 }',
    ),
    (("initial", "weights", "high"), -2, "initial.weights.high", "expected a number not below low (-1.0)"),
    (("initial", "bias", "std"), -1, "initial.bias.std", "expected a number that is at least 0"),
    (("initial", "bias", "distribution"), "norm", "initial.bias.distribution", "did you mean 'normal'?"),
    (("initial", "bias"), {"distribution": "normal", "mean": 0}, "initial.bias", "missing key 'std'"),
    (("initial", "bias"), {}, "initial.bias", "missing key 'distribution'"),
]


CONSEQUENCES = {  # what is wrong too then
    "unknown key 'slop'; did you mean 'slope'?": ["layers[1].slope"],
    "expected one only for leaky_relu": ["layers[0].activation"],
    "cross_entropy needs a sigmoid or softmax output layer, found relu": ["decimals"],
    "'diagonal' needs a softmax output layer": ["decimals"],
}


@pytest.mark.parametrize(("path", "value", "place", "says"), HAND_MADE, ids=[str(row[0]) for row in HAND_MADE])
def test_the_place_and_the_words(path: tuple[Any, ...], value: Any, place: str, says: str) -> None:
    with pytest.raises(ProblemError) as caught:
        problem_from_document(changed(VALID, path, value), name="p", file="p.toml")
    assert (caught.value.file, caught.value.place) == ("p.toml", place)
    assert says in caught.value.says
    assert [error.place for error in caught.value.others] == CONSEQUENCES.get(says, [])


IN_OTHER_WORDS = [
    ("learning_rate", ["lr", "LR", "rate", "eta", "alpha", "learningrate", "learning-rate", "learningRate"]),
    ("mean_squared_error", ["MSE", "mean_squared"]),
    ("squared_error", ["sse"]),
    ("cross_entropy", ["categorical_cross_entropy", "crossentropy", "cross-entropy"]),
    ("binary_cross_entropy", ["log_loss", "BCE", "binary_crossentropy"]),
    ("sigmoid", ["Logistic", "log-sig"]),
    ("linear", ["Identity", "none"]),
    ("leaky_relu", ["lrelu", "LeakyReLU"]),
    ("gelu", ["GELU", "gelu_new"]),
    ("silu", ["SiLU", "Swish"]),
    ("arctan", ["atan"]),
]
TAKEN = {
    "sigmoid": ("logistic", "logsig"),
    "tanh": ("tansig",),
    "silu": ("swish",),
    "linear": ("identity", "purelin"),
    "mean_squared_error": ("mse",),
    "binary_cross_entropy": ("bce",),
    "cross_entropy": ("categorical_crossentropy",),
}


@pytest.mark.parametrize(("meant", "word"), [(meant, word) for meant, words in IN_OTHER_WORDS for word in words])
def test_what_other_programs_call_it(meant: str, word: str) -> None:
    if meant == "learning_rate":
        document = changed(without(VALID, ("learning_rate",)), (word,), 0.1)
    else:
        document = changed(VALID, ("loss",) if "error" in meant or "entropy" in meant else (*W[:2], "activation"), word)
    with pytest.raises(ProblemError, match=rf"'{word}'.*; did you mean '{meant}'\?$"):
        problem_from_document(document, name="p", file="p.toml")


@pytest.mark.parametrize(("ours", "word"), [(ours, word) for ours, words in TAKEN.items() for word in words])
def test_another_name_of_the_very_same_function_is_taken(ours: str, word: str) -> None:
    layers = [{key: value for key, value in layer.items() if key != "slope"} for layer in VALID["layers"]]
    place = ("loss",) if ours.endswith(("error", "entropy")) else (*W[:2], "activation")
    fits = {"layers": [layers[0] | {"activation": "tanh"}, *VALID["layers"][1:]]}
    one, other = (
        problem_from_document(changed({**VALID, **fits}, place, each), "p", "p.toml") for each in (ours, word)
    )
    assert one == other and one.sha256 == other.sha256


@pytest.mark.parametrize("word", ["selu", "mish", "Hard-Sigmoid"])
def test_a_function_of_another_kind_is_no_misspelling_of_ours(word: str) -> None:
    with pytest.raises(ProblemError, match=rf"found '{word}', expected one of .*'softmax', 'step', 'sign'$"):
        problem_from_document(changed(VALID, (*W[:2], "activation"), word), name="p", file="p.toml")


def test_gelu_has_two_forms() -> None:
    def with_layer(**keys: str) -> Any:
        first = {key: value for key, value in VALID["layers"][0].items() if key != "slope"}
        return problem_from_document({**VALID, "layers": [first | keys, *VALID["layers"][1:]]}, "p", "p.toml")

    assert with_layer(activation="gelu") == with_layer(activation="gelu", form="tanh")
    assert with_layer(activation="gelu", form="erf") == with_layer(activation="gelu_erf")
    assert with_layer(activation="gelu", form="erf") != with_layer(activation="gelu")
    with pytest.raises(ProblemError, match="found a form for tanh, expected one only for gelu"):
        with_layer(activation="tanh", form="erf")


@pytest.mark.parametrize(
    ("path", "value", "start"),
    [
        ((*W, 1, 2), "x", "p.toml: layers[0].weights[1][2] (W1, row 2, column 3): found"),
        (("layers", 2, "weights"), [[1, 2]], "p.toml: layers[2].weights (W3): found 1×2"),
        (("layers", 0, "bias", 1), "x", "p.toml: layers[0].bias[1] (b1, unit 2): found"),
        (("layers", 1, "activation"), "x", "p.toml: layers[1].activation (layer 2): found"),
        (("data", "Y", 1), [0.5, 0.6], "p.toml: data.Y[1] (row 2): found"),
        (("data", "X", 1, 0), "x", "p.toml: data.X[1][0] (row 2, column 1): found"),
        (("data", "X"), "x", "p.toml: data.X: found"),
    ],
)
def test_the_place_in_the_words_of_the_page(path: tuple[Any, ...], value: Any, start: str) -> None:
    with pytest.raises(ProblemError) as caught:
        problem_from_document(changed(VALID, path, value), name="p", file="p.toml")
    assert str(caught.value).startswith(start)


def test_all_that_is_missing_is_one_message() -> None:
    for document, says in (
        ({"title": "t"}, "p.toml: missing keys 'learning_rate', 'loss', 'data' and 'layers'"),
        (without(without(VALID, ("loss",)), ("data",)), "p.toml: missing keys 'loss' and 'data'"),
    ):
        with pytest.raises(ProblemError) as caught:
            problem_from_document(document, name="p", file="p.toml")
        assert str(caught.value) == says


def lines_of(document: Any) -> list[str]:
    with pytest.raises(ProblemError) as caught:
        problem_from_document(document, name="p", file="p.toml")
    return str(caught.value).splitlines()


def test_every_mistake_has_a_line() -> None:
    document = changed(changed(VALID, (*W, 0), ["a", 1, None]), ("epochs",), -1)
    assert lines_of(document) == [
        "p.toml: epochs: found -1, expected a number that is at least 1",
        "p.toml: layers[0].weights[0][0] (W1, row 1, column 1): found 'a', expected a number",
        "p.toml: layers[0].weights[0][2] (W1, row 1, column 3): found null, expected a number",
    ]


def test_mistakes_of_all_stages_are_told_at_once() -> None:
    """Keys, values, shapes, choices and identifiers: what is mended to look on is not told itself."""
    document = without(VALID, ("learning_rate",)) | {"lr": 0.1, "loss": "mes", "batch_size": 9, "names": {"Q1": "q"}}
    document = changed(changed(document, (*W, 0, 1), "x"), ("layers", 0, "bias"), [1, 2])
    document = changed(document, ("layers", 1, "activation"), "tann")
    document = changed(document, ("layers", 2, "weights"), [[1, 2]] * 3)
    starts = [line.removeprefix("p.toml: ").split(": found")[0] for line in lines_of(document)]
    assert starts == [
        "unknown key 'lr'; did you mean 'learning_rate'?",
        "loss",
        "layers[0].weights[0][1] (W1, row 1, column 2)",
        "layers[1].activation (layer 2)",
        "batch_size",
        "layers[0].bias (b1)",
        "layers[2].weights (W3)",
        "names: unknown key 'Q1', expected an identifier of this network; did you mean 'b1'?",
    ]


def test_of_many_mistakes_the_first_are_told_and_the_rest_counted() -> None:
    wide = {"activation": "tanh", "weights": [["x"] * 450] * 2}
    lines = lines_of(changed(VALID, ("layers",), [wide, {"activation": "softmax", "units": 2}]))
    assert len(lines) == MOST_TOLD + 1 and lines[-1] == f"p.toml: and {900 - MOST_TOLD} more mistakes"


def test_what_is_meant_is_not_missing() -> None:
    with pytest.raises(ProblemError, match=r"unknown key 'los'; did you mean 'loss'\?$"):
        problem_from_document(changed(without(VALID, ("loss",)), ("los",), "x"), name="p", file="p.toml")


@pytest.mark.parametrize("units", [BIG, 10**90])
def test_networks_beyond_memory_are_refused_before_they_are_made(units: int) -> None:
    document = changed(VALID, ("layers", 1, "units"), units)
    with pytest.raises(ProblemError, match=r"layers\[2\].weights \(W3\): found 2×2, expected"):
        problem_from_document(document, name="p", file="p.toml")
    layers = [{"activation": "tanh", "units": units}, {"activation": "softmax", "units": 2}]
    document = changed(changed(VALID, ("layers",), layers), ("decimals",), 3)
    with pytest.raises(ProblemError, match=r"layers\[0\].units \(layer 1\): found 1\S*0: a 2-1\S*0-2 network with"):
        problem_from_document(document, name="p", file="p.toml")
