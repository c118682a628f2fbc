"""Every number that the publications print, to its last printed digit.

`published/*.json` hold each source's network and its printed numbers: `what` it is, `value`, how many
`decimals` are printed, and `ok`, whether right arithmetic gives it (SOURCES.md). Where it does not,
`correct` is the right number: we must hold that one, and must not give the printed one.
An item that no matrix of ours can answer stands in `NOT_CHECKED` with the reason.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import ArrayLike, NDArray

from tracer.problem.problem import Problem, problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Pass
from tracer.run.training import Training, trace, train

Array = NDArray[np.float64]
Item = dict[str, Any]

CASES: dict[str, Item] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parent / "published").glob("*.json"))
}
CHECKED = {  # items checked of each case: it must not shrink unseen
    "asimba_blog": 19,
    "av_excel": 13,
    "av_moons": 1,
    "av_seed42_nobias": 6,
    "mazur": 42,
    "prakash_medium": 26,
}
OWN_OPERANDS = "arithmetic on the publication's own rounded or wrong numbers, which no matrix of ours holds"
NOT_CHECKED = {
    ("asimba_blog", 'expr:np.exp(P["z3"])'): OWN_OPERANDS,
    ("asimba_blog", 'expr:P["e"].sum()'): OWN_OPERANDS,
    ("asimba_blog", "expr:32.5371**2"): OWN_OPERANDS,
    ("asimba_blog", 'expr:P["e"]*(P["e"].sum()-P["e"])'): OWN_OPERANDS,
    ("asimba_blog", 'expr:W3*(P["dA3"]*P["s3"])'): OWN_OPERANDS,
    ("av_moons", "custom:av_moons.loss_7000_to_9000"): "chaotic: depends on the last bit of matrix products",
    ("prakash_medium", "expr:rnd(0.3-0.01*-0.554347,6)"): OWN_OPERANDS,
    ("prakash_medium", "expr:rnd(0.2-0.01*-0.5849,6)"): OWN_OPERANDS,
    ("prakash_medium", "expr:rnd(0.5-0.01*-0.577937,6)"): OWN_OPERANDS,
    ("prakash_medium", "expr:rnd(0.9-0.01*-0.6098,6)"): OWN_OPERANDS,
    ("prakash_medium", "expr:W3*A([[-3.70644*.15911,-1.4755*.2040,-1.6886*.3685]])"): OWN_OPERANDS,
}
LOSSES = {
    "half_sse": "half_squared_error",
    "sse": "squared_error",
    "bce": "binary_cross_entropy",
    "ce": "cross_entropy",
}
MATRICES = {"z": "Z", "a": "A", "slope": "S", "delta": "D", "dW": "dW", "db": "db"}
UPDATED = {"W_after": "W{}_next", "b_after": "b{}_next"}
GRADIENTS = ("dA", "delta", "dW", "db")  # carry the sign of the convention


def document_of(case: Item) -> dict[str, Any]:
    """The case as a problem file, in the sign of its source."""
    signs = {item.get("factor", 1) for item in case["printed"]}
    biases = case["biases"] or [None] * len(case["layers"])
    layers = [
        {"activation": layer["activation"], "weights": weights, **({} if bias is None else {"bias": bias})}
        for layer, weights, bias in zip(case["layers"], case["weights"], biases, strict=True)
    ]
    return {
        "learning_rate": case["learning_rate"],
        "loss": LOSSES[case["loss"]["name"]],
        "data": {"X": case["X"], "Y": case["y"]},
        "layers": layers,
        "convention": {
            "error": "target - output" if -1 in signs else "output - target",
            "bias_update": case["update_biases"],
            "reduction": case["loss"]["reduction"],
        },
    }


def problem_of(name: str, **sections: dict[str, Any]) -> Problem:
    """The problem of a case, with some keys of its sections changed."""
    document = document_of(CASES[name])
    for section, changes in sections.items():
        document[section] = document.get(section, {}) | changes
    return problem_from_document(document, name, f"{name}.json")


@cache
def first_pass(name: str) -> Pass:
    return trace(problem_of(name)).first


def of_layer(name: str, layer: int, part: str) -> Array:
    """A layer's quantity as the publication has it: gradients are ∂L/∂…, a softmax's slope its diagonal."""
    one, problem = first_pass(name), problem_of(name)
    if part in UPDATED:
        return one[UPDATED[part].format(layer)]
    if part == "slope" and problem.layers[layer - 1].activation == "softmax":
        return np.array([np.diag(one[f"J{sample + 1}"]) for sample in range(problem.rows)])
    name = f"{MATRICES.get(part)}{layer}" if part != "dA" else "E" if layer == problem.depth else f"E{layer}"
    return one[name] * problem.convention.sign if part in GRADIENTS else one[name]


def error(name: str) -> Array:
    one = first_pass(name)
    return one["Y"] - one[f"A{problem_of(name).depth}"]


def loss_terms(name: str) -> Array:
    """What each sample and output adds to the loss."""
    one, problem = first_pass(name), problem_of(name)
    y, a = one["Y"], one[f"A{problem.depth}"]
    terms = {
        "half_squared_error": lambda: (y - a) ** 2 / 2,
        "binary_cross_entropy": lambda: -(y * np.log(a) + (1 - y) * np.log(1 - a)),
    }[problem.loss]()
    assert_allclose(terms.sum(), one.loss, rtol=1e-12)
    return terms


CELLS = {  # Mazur's single numbers: identifier, row, column
    "expr:z1[0,0]": ("Z1", 0, 0),
    "expr:a1[0,0]": ("A1", 0, 0),
    "expr:a1[0,1]": ("A1", 0, 1),
    "expr:z2[0,0]": ("Z2", 0, 0),
    "expr:da2[0,0]": ("E", 0, 0),
    "expr:da2[0,1]": ("E", 0, 1),
    "expr:s2[0,0]": ("S2", 0, 0),
    "expr:s2[0,1]": ("S2", 0, 1),
    "expr:dz2[0,0]": ("D2", 0, 0),
    "expr:dz2[0,1]": ("D2", 0, 1),
    "expr:dW2[0,0]": ("dW2", 0, 0),
    "expr:da1[0,0]": ("E1", 0, 0),
    "expr:s1[0,0]": ("S1", 0, 0),
    "expr:dW1[0,0]": ("dW1", 0, 0),
}
EXPRESSIONS: dict[str, Callable[[str], ArrayLike]] = {
    "loss": lambda name: first_pass(name).loss,
    "error": error,
    "loss_terms": loss_terms,
    "expr:loss_terms[0,2]": lambda name: loss_terms(name)[0, 2],
    "expr:loss_terms[0,:2]": lambda name: loss_terms(name)[0, :2],
    "expr:W1": lambda name: first_pass(name)["W1"],
    "expr:dz2[0,0]*W2[0,0]": lambda name: first_pass(name)["D2"][0, 0] * first_pass(name)["W2"][0, 0],
    "expr:dz2[0,1]*W2[0,1]": lambda name: first_pass(name)["D2"][0, 1] * first_pass(name)["W2"][0, 1],
}

ORDERS: dict[str, dict[str, dict[str, Any]]] = {
    "simultaneous": {},
    "sequential": {"reproduce": {"updated_weights_sent_back": True}},
    "biases": {"convention": {"bias_update": True}},
}
UPDATES = (1, 4, 9, 99, 999, 9999, 10000)


@cache
def mazur_run(order: str) -> Training:
    """10,000 updates; the pass of epoch n + 1 shows the network after n of them."""
    problem = problem_of("mazur", **ORDERS[order])
    return train(problem, UPDATES[-1] + 1, record=[updates + 1 for updates in UPDATES])


def mazur_loss(order: str, updates: int) -> float:
    return float(mazur_run(order).losses[updates])


def mazur_output(order: str, updates: int) -> Array:
    recorded = mazur_run(order).trace
    assert recorded is not None
    return next(each["A2"] for each in recorded.passes if each.epoch == updates + 1)


@cache
def trained(example: str, epochs: int | None = None) -> Training:
    return train(load_problem(example), epochs)


def first_draw() -> Array:
    layers = load_problem("article-seed42").layers
    return np.concatenate([layer.weights.ravel() for layer in layers])


SEED42 = "article-seed42-training"


def last_output() -> Array:
    """The article prints the output of the last pass, before the last update, but the weights after it."""
    problem = load_problem(SEED42)
    return trace(problem, (problem.epochs,))["A2"]


RUNS: dict[str, Callable[[], ArrayLike]] = {
    "after.loss": lambda: mazur_loss("simultaneous", 1),
    "custom:av42.first_draw": first_draw,
    "custom:av42.redrawn.final_out": last_output,
    "custom:av42.redrawn.final_W1": lambda: trained(SEED42).final["W1"],
    "custom:av42.redrawn.final_W2": lambda: trained(SEED42).final["W2"],
    "custom:av_moons.loss_0_to_6000": lambda: trained("moons", 6001).losses[::1000],
}


def run_of(what: str) -> ArrayLike:
    """A number of a training run; Mazur's are called custom:mazur.(loss|out).ORDER.UPDATES."""
    if what in RUNS:
        return RUNS[what]()
    source, kind, order, updates = what.removeprefix("custom:").split(".")
    assert (source, kind) in {("mazur", "loss"), ("mazur", "out")}, f"nothing answers {what}"
    return (mazur_loss if kind == "loss" else mazur_output)(order, int(updates))


def ours(name: str, item: Item) -> Array:
    """Our number for a printed item, with its sign and the way round in which it is printed."""
    what: str = item["what"]
    value: ArrayLike
    if what.startswith("layer"):
        layer, part = what.removeprefix("layer").split(".")
        value = of_layer(name, int(layer), part)
    elif what in CELLS:
        identifier, row, column = CELLS[what]
        value = first_pass(name)[identifier][row, column]
    elif what in EXPRESSIONS:
        value = EXPRESSIONS[what](name)
    else:
        value = run_of(what)
    printed: Array = np.asarray(value, dtype=np.float64) * item.get("factor", 1)
    return printed.T if item.get("transpose") else printed


def numbers(value: object) -> Array:
    """A printed number or table; what was not printed is NaN."""
    return np.array(value, dtype=np.float64)


def agrees(value: Array, printed: Array, decimals: ArrayLike) -> NDArray[np.bool_]:
    """Cell by cell, whether the value rounds to the printed number."""
    return np.abs(value - printed) <= (0.5 + 1e-6) * 10.0 ** -np.asarray(decimals, dtype=np.float64)


def given_decimals(value: object) -> Any:
    """How many decimals each number of `correct` is given to, which is more than was printed."""
    if isinstance(value, list):
        return [given_decimals(each) for each in value]
    return 0 if value is None else -int(Decimal(repr(value)).as_tuple().exponent)


ITEMS = [
    pytest.param(name, item, id=f"{name}-{place}-{item['what']}")
    for name, case in CASES.items()
    for place, item in enumerate(case["printed"])
    if (name, item["what"]) not in NOT_CHECKED
]


@pytest.mark.parametrize(("name", "item"), ITEMS)
def test_printed(name: str, item: Item) -> None:
    printed, decimals = numbers(item["value"]), item["decimals"]
    value = ours(name, item)
    if value.size == printed.size:  # a bias is printed as a list, a row of ours is a matrix
        value = value.reshape(printed.shape)
    assert value.shape == printed.shape
    shown = ~np.isnan(printed)
    if item["ok"]:
        assert agrees(value, printed, decimals)[shown].all(), f"{value} is not {printed}"
        return
    right = numbers(item["correct"])
    assert agrees(value, right, given_decimals(item["correct"]))[shown].all(), f"{value} is not {right}"
    assert not agrees(value, printed, decimals)[shown].any(), f"{value} is the wrong {printed}"


def test_nothing_printed_is_passed_over() -> None:
    counts = {
        name: sum((name, item["what"]) not in NOT_CHECKED for item in case["printed"]) for name, case in CASES.items()
    }
    assert counts == CHECKED
    there = {(name, item["what"]) for name, case in CASES.items() for item in case["printed"]}
    assert set(NOT_CHECKED) <= there


EXAMPLES = {
    "article": "av_excel",
    "article-seed42": "av_seed42_nobias",
    "hand": "asimba_blog",
    "mazur": "mazur",
}


@pytest.mark.parametrize(("example", "name"), list(EXAMPLES.items()))
def test_the_example_is_the_published_network(example: str, name: str) -> None:
    built_in, published = load_problem(example), problem_of(name)
    assert built_in.loss == published.loss
    assert built_in.convention.bias_update is published.convention.bias_update or name == "av_seed42_nobias"
    for identifier in trace(built_in).first:
        if identifier[0] in "XYWbZA" and not identifier.endswith("_next"):
            theirs = first_pass(name)[identifier]
            assert_allclose(np.broadcast_to(trace(built_in)[identifier], theirs.shape), theirs, rtol=1e-14)


def test_seed_42_step_by_step() -> None:
    """One step at rate 0.01: not printed, computed by an independent numpy run."""
    one = trace(load_problem("article-seed42")).first
    computed = CASES["av_seed42_nobias"]["computed"]
    for key, identifier in {
        "layer1.z": "Z1",
        "layer1.a": "A1",
        "layer2.z": "Z2",
        "layer2.delta (dLoss/dz)": "D2",
        "layer1.delta (dLoss/dz)": "D1",
        "layer2.dW": "dW2",
        "layer1.dW": "dW1",
        "layer2.W_after (lr 0.01)": "W2_next",
        "layer1.W_after (lr 0.01)": "W1_next",
    }.items():
        assert agrees(one[identifier], numbers(computed[key]), 8).all(), key


def test_seed_42_training_every_hundredth_epoch() -> None:
    computed = CASES["av_seed42_nobias"]["computed"]
    key = "mean error before epochs 0,100..900 (re-drawn weights, lr 0.1: what the article runs)"
    assert agrees(trained(SEED42).losses[::100], numbers(computed[key]), 8).all()


def test_seed_42_going_on_at_the_small_rate() -> None:
    """The same error list, had the run gone on from the first step's weights."""
    computed = CASES["av_seed42_nobias"]["computed"]
    key = "mean error before epochs 0,100..900 (first weights after the single step, lr 0.01)"
    losses = trained("article-seed42", 902).losses[1::100]
    assert agrees(losses, numbers(computed[key]), 8).all()


def test_the_article_after_thousands_of_iterations() -> None:
    """About (0.980, 0.968, 0.045), the article says of 5000 iterations from weights drawn without a seed."""
    output = trained("article").final["A2"].ravel()
    assert load_problem("article").epochs == 5000
    assert_allclose(output, [0.980, 0.968, 0.045], atol=0.005)


# What publications did though it is not the gradient: section [reproduce]


def test_rate_twice_prints_the_updates_of_the_article() -> None:
    """The printed updates are those of rate 0.01 once, which is rate 0.1, the article's, twice."""
    document = load_problem("article").to_document() | {"reproduce": {"rate_twice": True}}
    one = trace(problem_from_document(document, "article", "article")).first
    once, rate = trace(load_problem("article")).first, 0.1
    printed = {item["what"]: item for item in CASES["av_excel"]["printed"]}
    for layer in (1, 2):
        for part, identifier in (("W_after", f"W{layer}_next"), ("b_after", f"b{layer}_next")):
            item = printed[f"layer{layer}.{part}"]
            value = one[identifier].reshape(np.shape(item["value"]))
            assert agrees(value, numbers(item["value"]), item["decimals"]).all()
            assert not agrees(once[identifier].reshape(value.shape), numbers(item["value"]), 6).any()

    X, y, hidden, E = one["X"], one["Y"], one["A1"], one["Y"] - one["A2"]
    d_output = E * one["A2"] * (1 - one["A2"]) * rate
    d_hidden = (d_output @ one["W2"].T) * hidden * (1 - hidden)
    wanted = {
        "E": y - one["A2"],
        "D2": d_output,
        "D1": d_hidden,
        "W2_next": one["W2"] + hidden.T @ d_output * rate,
        "W1_next": one["W1"] + X.T @ d_hidden * rate,
        "b2_next": one["b2"] + d_output.sum(axis=0, keepdims=True) * rate,
        "b1_next": one["b1"] + d_hidden.sum(axis=0, keepdims=True) * rate,
    }
    for identifier, value in wanted.items():
        assert_allclose(one[identifier], value, rtol=1e-12, err_msg=identifier)


def test_the_sequential_order_prints_what_mazur_prints() -> None:
    """0.291027924 after one update, and the outputs after 10,000; the text's own order gives neither."""
    printed = {item["what"]: item for item in CASES["mazur"]["printed"]}
    for what, value in (
        ("after.loss", mazur_loss("sequential", 1)),
        ("custom:mazur.out.simultaneous.10000", mazur_output("sequential", 10000)),
    ):
        item = printed[what]
        assert agrees(np.asarray(value), numbers(item["value"]), item["decimals"]).all()
    item = printed["custom:mazur.loss.simultaneous.10000"]  # one iteration less than the article counts
    assert agrees(np.asarray(mazur_loss("simultaneous", 9999)), numbers(item["value"]), item["decimals"])


def test_the_sequential_order_sends_back_the_new_weights() -> None:
    one = trace(problem_of("mazur", **ORDERS["sequential"])).first
    assert_allclose(one["E1"], one["D2"] @ one["W2_next"].T, rtol=1e-12)
    assert_allclose(one["W2_next"], first_pass("mazur")["W2_next"], rtol=1e-12)


@pytest.mark.parametrize("name", ["asimba_blog", "prakash_medium"])
def test_the_diagonal_alone_prints_the_slopes_and_the_target_column(name: str) -> None:
    """Both take S3 = a(1 − a) for the Jacobian; what goes by the target's output alone then agrees."""
    problem = problem_of(name, reproduce={"softmax_slope": "diagonal"})
    one = trace(problem).first
    assert_allclose(one["S3"], np.diag(first_pass(name)["J1"])[None], rtol=1e-12)
    assert_allclose(one["D3"], one["E"] * one["S3"], rtol=1e-12)
    slopes = [item for item in CASES[name]["printed"] if item["what"] == "layer3.slope"]
    for item in slopes:
        wanted = numbers(item["value"] if item["ok"] else item["correct"])
        decimals = item["decimals"] if item["ok"] else given_decimals(item["correct"])
        assert agrees(one["S3"], wanted, decimals)[~np.isnan(wanted)].all()
    assert np.abs(one["D3"] - first_pass(name)["D3"]).min() > 0.01  # no cell of it is the gradient


def test_the_diagonal_alone_updates_the_first_column_as_the_pages_do() -> None:
    """Page 8: 0.10752, 0.30753, 0.50785, from rounded activations; the right ones end in 0.11026 …"""
    one = trace(problem_of("asimba_blog", reproduce={"softmax_slope": "diagonal"})).first
    (item,) = (each for each in CASES["asimba_blog"]["printed"] if each["what"] == "layer3.W_after")
    assert agrees(one["W3_next"], numbers(item["value"]), 4)[:, 0].all()
    assert not agrees(first_pass("asimba_blog")["W3_next"], numbers(item["value"]), 4).any()
