"""The chain of a weight on the page: fractions that link up, and numbers that are what they say."""

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

from tests.agreement import assert_agrees
from tests.browser.asking import Document, Place, ask, assert_lines, random_documents, recorded, text
from tests.reference import forward, is_worked, parameters_of
from tracer.expression import scalar as s
from tracer.expression.evaluate import evaluate
from tracer.expression.label import label_mathml
from tracer.expression.worked import Worked
from tracer.page.script_data import script_data
from tracer.presentation.shown import Shown, shown
from tracer.problem.names import names_of
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Pass
from tracer.run.training import trace

pytestmark = pytest.mark.browser

CHAINS = """({data, cells, style}) => {
  const engine = TracerEngine.open(data);
  return cells.map((cell) => engine.chain(...cell, {style}));
}"""


def fractions(markup: str) -> list[tuple[str, str]]:
    """What each fraction of a product is of and by, as markup."""
    found = ElementTree.fromstring(markup).iter("mfrac")
    parts = ([ElementTree.tostring(side[1], encoding="unicode") for side in each] for each in found)
    return [(of, by) for of, by in parts]


def slope(one: Pass, of: Place, by: Place, step: float = 1e-6) -> float:
    """How a cell changes with one that its own rule takes, by central differences."""
    rule = one.program.assignments[of[0]].expression
    assert rule is not None
    sides = []
    for sign in (1, -1):
        values = {key: one[key].copy() for key in (*one, "learning_rate")}
        values[by[0]][by[1:]] += sign * step
        sides.append(evaluate(rule, values)[of[1:]])
    return float(sides[0] - sides[1]) / (2 * step)


@settings(max_examples=25)
@given(document=random_documents())
def test_a_chain_is_made_of_the_derivatives_that_it_names(page: Any, document: Document) -> None:
    document = {key: value for key, value in document.items() if key not in ("carry_rounded", "decimals")}
    document |= {"names": {"style": "matrix"}}
    assume(is_worked(document, forward(document, np.array(document["data"]["X"]), parameters_of(document)), 1e-4))
    run = recorded(document)
    one, names, decimals = run.first, names_of(run.problem), shown(run, run.first)
    called = {label_mathml(names.cell(key, *at)): (key, *at) for key in one for at in np.ndindex(one[key].shape)}
    weights = [(key, *at) for key in one.program.inputs if key[0] in "Wb" for at in np.ndindex(one[key].shape)]
    found = ask(page, CHAINS, data=script_data(run, one), cells=weights, style="matrix")
    for weight, chain in zip(weights, found, strict=True):
        gradient = f"d{weight[0]}"
        if run.first.program.assignments[gradient].reproduced:
            assert chain is None
            continue
        assert chain is not None, weight
        assert (chain["of"], chain["name"]) == (gradient, label_mathml(names.fraction(gradient, weight[1:])))
        products = assert_linked(one, chain, called, weight)
        if len(products) == len(chain["paths"]):  # none is left out
            value = float(one[gradient][weight[1:]])
            assert_agrees(sum(products), value, sum(map(abs, products)), weight, to=1e-11)
            assert_lines(chain, reckoned(one, decimals, chain, gradient), str, weight, 1)


def assert_linked(one: Pass, chain: Document, called: Mapping[str, Place], weight: Place) -> list[float]:
    """Each path leads from the loss to the weight, each factor being worth the slope that it is called.

    Gives the products of the factors, but for paths that are left out.
    """
    products = []
    for path, piece in zip(chain["paths"], chain["lines"][0]["terms"], strict=True):
        if not path["cells"]:
            assert "more)" in piece
            continue
        cells = [cell and (cell["matrix"], cell["row"], cell["column"]) for cell in path["cells"]]
        values = [float(one[cell[0]][cell[1:]]) if cell else 1.0 for cell in cells]
        products.append(math.prod(values) * math.prod(map(number, path["numbers"])))
        links = fractions(piece)
        assert links[0][0] == "<mi>L</mi>" and called[links[-1][1]] == weight
        factors = [value for cell, value in zip(cells, values, strict=True) if not cell or cell[0] != "learning_rate"]
        for (_, before), (of, by), value in zip(links[:-1], links[1:], factors[1:], strict=True):
            assert of == before
            assert slope(one, called[of], called[by]) == pytest.approx(value, rel=1e-4, abs=1e-4), (of, by)
    return products


def scale(node: Any) -> Any:
    """A number that scales a path, or 1 over one."""
    return s.Quotient(s.Number(node[1][0]), s.Number(node[1][1])) if isinstance(node, list) else node


def number(node: Any) -> float:
    return float(node[1][0] / node[1][1]) if isinstance(node, list) else float(node)


def reckoned(one: Pass, decimals: Shown, chain: Document, gradient: str) -> Worked:
    """The products of a chain worked out by the Python reading."""
    products = [
        s.Product(
            (
                *(s.Cell(**cell) if cell else s.Number(1.0) for cell in path["cells"]),
                *(each if isinstance(each, s.Quotient) else s.Number(each) for each in map(scale, path["numbers"])),
            )
        )
        for path in chain["paths"]
    ]
    return decimals.work(one, gradient, s.Sum(tuple(products)) if len(products) > 1 else products[0])


def test_the_chain_of_an_articles_weight_as_one_writes_it(page: Any) -> None:
    run = trace(load_problem("article"))
    (chain,) = ask(page, CHAINS, data=script_data(run, run.last), cells=[("W2", 0, 0)], style="hand")
    lines = [" ".join(map(text, line["terms"])) for line in chain["lines"]]
    factors = "(−∂E/∂Oout1(#))·∂Oout1(#)/∂Oin1(#)·∂Oin1(#)/∂Wj1k1"
    assert lines == [
        " +".join(factors.replace("#", str(sample)) for sample in (1, 2, 3)),
        "(0.211)(0.166)(0.815) +(0.202)(0.161)(0.917) +(−0.789)(0.166)(0.815)",
        "0.0285 +0.0298 −0.1069",
        "−0.0485",
    ]
    assert not chain["exact"]
    assert [path["group"] for path in chain["paths"]] == [0, 1, 2]


@pytest.mark.parametrize(
    ("convention", "ends"),
    [
        ({"learning_rate_in": "change"}, "·η"),
        ({"learning_rate_in": "change", "error": "output - target"}, "·η·(−1)"),
        ({"reduction": "mean", "reduction_in": "gradient"}, "·13"),  # a third: a fraction has no bar as text
    ],
)
def test_a_mean_or_a_change_scales_every_path(page: Any, convention: dict[str, str], ends: str) -> None:
    document = load_problem("article").to_document()
    document["convention"] |= convention
    run = trace(problem_from_document(document, "scaled", "scaled"))
    (chain,) = ask(page, CHAINS, data=script_data(run, run.last), cells=[("W2", 0, 0)], style="matrix")
    terms = [text(each) for each in chain["lines"][0]["terms"]]
    assert len(terms) == 3 and all(each.endswith(ends) for each in terms), terms


def test_a_chain_over_many_samples_is_cut_in_the_middle(page: Any) -> None:
    document = load_problem("article").to_document()
    document |= {"data": {key: rows * 7 for key, rows in document["data"].items()}, "batch_size": 21}
    run = trace(problem_from_document(document, "long", "long"))
    (chain,) = ask(page, CHAINS, data=script_data(run, run.last), cells=[("W1", 0, 0)], style="matrix")
    kinds = [len(path["cells"]) for path in chain["paths"]]
    assert kinds == [5, 5, 5, 0, 5]
    for line in chain["lines"][:3]:
        assert len(line["terms"]) == 5 and "(17 more)" in line["terms"][3]


@pytest.mark.parametrize("weight, factors, paths", [("W1", 5, 2), ("b1", 5, 4), ("W2", 3, 1)])
def test_a_chain_goes_back_to_the_loss_over_every_path(page: Any, weight: str, factors: int, paths: int) -> None:
    run = trace(load_problem("mazur"))
    (chain,) = ask(page, CHAINS, data=script_data(run, run.last), cells=[(weight, 0, 0)], style="mazur")
    assert [len(path["cells"]) for path in chain["paths"]] == [factors] * paths


@pytest.mark.parametrize("samples, outputs, lengths", [(3, 4, [5] * 12), (4, 4, [3] * 4), (1, 5, [3])])
def test_a_chain_that_would_be_too_long_keeps_the_error_sent_back_as_one_factor(
    page: Any, samples: int, outputs: int, lengths: list[int]
) -> None:
    layers = [{"activation": "tanh", "units": 2}, {"activation": "sigmoid", "units": outputs}]
    data = {"X": [[0.5, -1.0]] * samples, "Y": [[1.0] * outputs] * samples}
    document = {"learning_rate": 0.1, "loss": "squared_error", "layers": layers, "data": data}
    run = trace(problem_from_document(document, "wide", "wide"))
    (chain,) = ask(page, CHAINS, data=script_data(run, run.last), cells=[("W1", 1, 0)], style="matrix")
    assert [len(path["cells"]) for path in chain["paths"]] == lengths
    assert len({path["group"] for path in chain["paths"]}) == samples
