"""The page's engine in a real browser says what the Python readings of the same expressions say."""

import copy
import json
import math
import re
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.agreement import assert_agrees, sizes
from tests.reference import forward, is_worked, parameters_of
from tests.strategies import EXPRESSION_SIZES, Made, documents, expressions
from tracer.errors import NotFiniteError
from tracer.export import script_data as scripts
from tracer.export.script_data import STYLES, Rules, engine_script, script_data, written
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.digits import as_typed, fixed
from tracer.expression.evaluate import evaluate
from tracer.expression.label import Label, Name, label_mathml, label_text
from tracer.expression.lower import lower, precedents
from tracer.expression.mathml import cell_mathml_terms
from tracer.expression.worked import Worked, work
from tracer.network.names import names_of
from tracer.network.problem import problem_from_document
from tracer.network.reading import load_problem
from tracer.network.remarks import is_gradient
from tracer.shown import Shown, shown
from tracer.trace import Pass, Trace
from tracer.training import trace

pytestmark = pytest.mark.browser

Document = dict[str, Any]
Place = tuple[str, int, int]

ASK = """({data, cells, style}) => {
  const engine = TracerEngine.open(data), all = [];
  for (const [id, rows] of Object.entries(engine.values))
    rows.forEach((row, i) => row.forEach((_, k) => all.push([id, i, k])));
  const each = (read) => all.map((cell) => [String(cell), read(...cell)]);
  return {
    values: engine.run({}),
    texts: each((...cell) => engine.text(...cell)),
    expressions: each((...cell) => engine.expression(...cell)),
    precedents: each((...cell) => engine.precedents(...cell).map(Object.values)),
    dependents: each((...cell) => engine.dependents(...cell).map(Object.values)),
    worked: cells.map((cell) => engine.worked(...cell, {style})),
  };
}"""


@pytest.fixture(scope="module")
def page(chromium: Any) -> Iterator[Any]:
    """A blank page with the engine, on which nothing may be said or go wrong."""
    page = chromium.new_page()
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.add_script_tag(content=engine_script())
    yield page
    page.close()
    assert noise == []


def ask(page: Any, function: str, **what: Any) -> Any:
    """What a function of the page answers; text goes both ways, as the driver is slow with long lists."""
    return json.loads(page.evaluate(f"text => JSON.stringify(({function})(JSON.parse(text)))", json.dumps(what)))


def by_cell(pairs: list[list[Any]]) -> dict[Place, Any]:
    split = ((cell.split(","), answer) for cell, answer in pairs)
    return {(key, int(row), int(column)): answer for (key, row, column), answer in split}


def plain(structure: Any) -> Any:
    """A structure as JSON has it."""
    return [plain(part) for part in structure] if isinstance(structure, list | tuple) else structure


def cells_of(expression: s.Scalar | None) -> list[list[Any]]:
    """The precedents of a cell as the engine lists them; a given one has none."""
    found = () if expression is None else precedents(expression)
    return [[cell.matrix, cell.row, cell.column] for cell in found]


def assert_lines(found: Document, worked: Worked, name: Any, of: object, first: int = 0) -> None:
    """A worked cell of the engine is that of the Python readings, letter by letter, from the line `first`."""
    last = "=" if worked.exact else "≈"
    stages = [("=", worked.letters), *(("=", stage) for stage in worked.stages), (last, worked.result)]
    expected = [{"sign": sign, "terms": cell_mathml_terms(stage, name)} for sign, stage in stages]
    assert found["lines"][first:] == expected[first:], of
    assert found["exact"] == worked.exact, of


# One expression of any kind -----------------------------------------------------------------------


def single(values: Mapping[str, Any], expression: m.Matrix | None = None, decimals: int | None = 3) -> Document:
    """Data of a single expression R over given matrices, each called by its letter."""
    rules = Rules()
    computed = [] if expression is None else [{"id": "R", "shape": expression.shape, "rule": rules.matrix(expression)}]
    names = {key: [[key], [key, [[1, 0, 1], ",", [0, 1, 1]]]] for key in (*values, "R")}
    labels = {"loss": ["L"], "rate": ["η"], "negative": False, "names": names, "fractions": {}}
    return {
        "given": {key: np.asarray(value).tolist() for key, value in values.items()},
        "computed": computed,
        "rules": rules.written,
        "decimals": dict.fromkeys(names, decimals),
        "style": "matrix",
        "labels": {"matrix": labels},
        "derivatives": {},
    }


def indexed(cell: s.Cell) -> str:
    return label_mathml(Label(cell.matrix, f"{cell.row + 1},{cell.column + 1}"))


def assert_read_alike(page: Any, expression: m.Matrix, values: Mapping[str, Any], decimals: int | None) -> Document:
    """Structure, precedents and worked lines of every cell are Python's; the values are handed back."""
    cells = {("R", *place): lower(expression, *place) for place in np.ndindex(expression.shape)}
    found = ask(page, ASK, data=single(values, expression, decimals), cells=list(cells), style="matrix")
    structures, sources = by_cell(found["expressions"]), by_cell(found["precedents"])

    def value(cell: s.Cell) -> s.Value:
        return s.Value(float(values[cell.matrix][cell.row, cell.column]), decimals)

    for (cell, lowered), worked in zip(cells.items(), found["worked"], strict=True):
        assert structures[cell] == plain(written(lowered))
        assert sources[cell] == cells_of(lowered)
        assert_lines(worked, work(lowered, value, 3 if decimals is None else decimals), indexed, expression)
    return found["values"]


@settings(max_examples=100)
@given(made=expressions(), decimals=st.sampled_from([None, 0, 2, 3, 6]))
def test_a_random_expression_reads_as_in_python(page: Any, made: Made, decimals: int | None) -> None:
    found = assert_read_alike(page, made.expression, made.values, decimals)["R"]
    expected = evaluate(made.expression, made.values)
    assert_agrees(found, expected, sizes(made.expression, made.values, EXPRESSION_SIZES))


@pytest.mark.parametrize("terms", [12, 13, 50, 51, 300])
def test_long_sums_are_cut_where_python_cuts_them(page: Any, terms: int) -> None:
    random = np.random.default_rng(terms)
    values = {"P": random.normal(size=(2, terms)), "Q": random.normal(size=(terms, 2)), "B": np.ones((1, 2))}
    P, Q, B = (m.Symbol(key, value.shape) for key, value in values.items())
    squares = m.row_sums(m.Apply(s.Power(s.Variable("u"), 2), (("u", P),)))
    both = m.add(m.MatMul(P, Q), B)
    scaled = m.MatMul(m.multiply(m.Constant(0.5), P), Q)  # no block: its terms are written out one by one
    for expression in (both, m.divide(both, squares), m.row_maxima(P), m.row_maxima(m.multiply(P, P)), scaled):
        found = assert_read_alike(page, expression, values, 3)["R"]
        assert_agrees(found, evaluate(expression, values), terms * 4.0)


NUMBERS = st.one_of(
    st.floats(),
    st.floats(-1e4, 1e4),
    st.integers(-(10**6), 10**6).map(lambda k: k / 1000),
    st.builds(lambda k, off: (k + 0.5 + off) / 1000, st.integers(0, 9999), st.sampled_from([-2e-9, -9e-10, 1e-10])),
    st.builds(lambda k, towards: math.nextafter(10.0**k, towards), st.integers(-17, 17), st.sampled_from([0.0, 1e99])),
    st.sampled_from([0.35 * 3, 1.005, 2.5, -0.5, 1e16, 9999999999999998.0, 2.0**52, 1e-7, 5e-324, 1.7e308, -0.0]),
)


@settings(max_examples=100)
@given(numbers=st.lists(NUMBERS, min_size=1, max_size=40), decimals=st.integers(0, 15))
def test_numbers_are_shown_with_the_digits_of_python(page: Any, numbers: list[float], decimals: int) -> None:
    # an exact tie of a number too large to be scaled goes to the even digit in Python, upwards in JavaScript
    numbers = [x for x in numbers if not abs(x) * 10.0**decimals >= 2.0**52 or abs(x) >= 1e16 or x == round(x)]
    texts = "data => { const e = TracerEngine.open(data); return e.values.M[0].map((_, k) => e.text('M', 0, k)); }"
    if numbers:
        assert page.evaluate(texts, single({"M": [numbers]}, decimals=None)) == list(map(as_typed, numbers))
        rounded = page.evaluate(texts, single({"M": [numbers]}, decimals=decimals))
        assert rounded == [fixed(number, decimals) for number in numbers]


# Random networks ----------------------------------------------------------------------------------


@st.composite
def random_documents(draw: st.DrawFn) -> Document:
    document = draw(documents(reproduced=draw(st.booleans()), carried=draw(st.booleans()), most_layers=4, most_rows=5))
    own = {"Z1": "<b>&'", "E": "err 1", "L": "Cost"}
    chosen = draw(st.sampled_from([{}, {}, own]))
    return document | {"names": {"style": draw(st.sampled_from(STYLES)), **chosen}}


def recorded(document: Document) -> Trace:
    try:
        return trace(problem_from_document(document, "random", "random"))
    except NotFiniteError:
        assume(False)
        raise


def largest(one: Pass) -> float:
    return max(1.0, *(float(np.abs(one[key]).max()) for key in one))


@settings(max_examples=60)
@given(document=random_documents(), seed=st.integers(0, 2**32 - 1))
def test_every_cell_of_a_random_network_is_read_as_in_python(page: Any, document: Document, seed: int) -> None:
    run = recorded(document)
    one, decimals, style = run.last, shown(run, run.last), run.problem.names.style
    made = {key: each.expression for key, each in one.program.assignments.items() if each.expression is not None}
    lowered = {(key, *at): lower(rule, *at) for key, rule in made.items() for at in np.ndindex(rule.shape)}
    random = np.random.default_rng(seed)
    asked = [cell for cell in lowered if random.random() < max(0.1, 25 / len(lowered))]
    found = ask(page, ASK, data=script_data(run, one), cells=asked, style=style)

    for (key, row, column), text in by_cell(found["texts"]).items():
        assert text == decimals.text(key, float(one[key][row, column]))
    sources = by_cell(found["precedents"])
    assert sources == {cell: cells_of(lowered.get(cell)) for cell in sources}
    structures = by_cell(found["expressions"])
    assert {cell: structures[cell] for cell in lowered} == {k: plain(written(x)) for k, x in lowered.items()}
    users = defaultdict(list)
    for cell, used in sources.items():
        for each in used:
            users[tuple(each)].append(list(cell))
    dependents = by_cell(found["dependents"])
    assert {cell: sorted(used) for cell, used in dependents.items()} == {k: sorted(users[k]) for k in dependents}

    for cell, worked in zip(asked, found["worked"], strict=True):
        names = names_of(run.problem)
        expected = decimals.work(one, cell[0], lowered[cell])
        assert worked["name"] == label_mathml(names.cell(*cell))
        assert_lines(worked, expected, lambda c: label_mathml(names.cell(c.matrix, c.row, c.column)), cell)  # noqa: B023


TIES = """({data}) => {
  const engine = TracerEngine.open(data), found = [];
  for (const [id, rows] of Object.entries(engine.values)) rows.forEach((row, i) => row.forEach((_, k) => {
    const [tied, bare] = [{ties: true}, {}].map((how) => engine.worked(id, i, k, {style: "matrix", ...how}));
    if (tied) found.push([tied, bare, engine.precedents(id, i, k)]);
  }));
  return found;
}"""


@pytest.mark.parametrize("name", ["article", "hand", "mazur", "linear-regression"])
def test_letters_and_numbers_can_be_tied_to_their_cells(page: Any, name: str) -> None:
    run = trace(load_problem(name))
    found = ask(page, TIES, data=script_data(run, run.last))
    assert found
    tie = re.compile(r'<mrow data-matrix="(\w+)" data-row="(\d+)" data-column="(\d+)">')
    for tied, bare, used in found:
        cells = {(cell["matrix"], cell["row"], cell["column"]) for cell in used}
        for line, same in zip(tied["lines"], bare["lines"], strict=True):
            assert list(map(text, line["terms"])) == list(map(text, same["terms"]))
        for line in tied["lines"][:2]:
            assert {(key, int(i), int(k)) for term in line["terms"] for key, i, k in tie.findall(term)} == cells


def test_decimals_can_be_chosen(page: Any) -> None:
    run = trace(load_problem("article"))
    choose = """({data}) => {
      const engine = TracerEngine.open(data);
      for (const id of Object.keys(engine.decimals)) engine.decimals[id] = 1;
      return [engine.text("Z1", 0, 1), engine.was("W1", 3, 0), engine.worked("Z1", 0, 1, {style: "matrix"})];
    }"""
    shown_as, was, worked = ask(page, choose, data=script_data(run, run.last))
    assert (shown_as, was) == ("1.8", "0.9")
    assert [" ".join(map(text, line["terms"])) for line in worked["lines"][1:]] == [
        "(1.0)(0.9) +(0.0)(0.7) +(1.0)(0.2) +(0.0)(0.1) +0.7",
        "0.9 +0.0 +0.2 +0.0 +0.7",
        "1.8",
    ]


WHOLE = """({data, styles}) => {
  const engine = TracerEngine.open(data), ids = Object.keys(engine.values);
  const each = (id, read) => engine.values[id].map((row, i) => row.map((_, k) => read(id, i, k)));
  return styles.map((style) => ids.map((id) => ({
    id,
    matrix: [engine.matrixName(id, style), engine.matrixWords(id, style), engine.fraction(id, style)],
    cells: each(id, (...cell) => [engine.cellName(...cell, style), engine.cellWords(...cell, style)]),
    fractions: each(id, (_, i, k) => engine.fraction(id, style, i, k)),
  })));
}"""


@settings(max_examples=60)
@given(document=random_documents())
def test_every_name_in_every_style_is_that_of_names(page: Any, document: Document) -> None:
    run = recorded(document)
    found = ask(page, WHOLE, data=script_data(run, run.last), styles=STYLES)
    for style, named in zip(STYLES, found, strict=True):
        names = names_of(replace(run.problem, names=replace(run.problem.names, style=style)))
        for each in named:
            key = each["id"]
            assert each["matrix"] == [*spelled(names.matrix(key)), markup(names.fraction(key))]
            for place in np.ndindex(run.last[key].shape):
                row, column = place
                assert each["cells"][row][column] == spelled(names.cell(key, *place))
                assert each["fractions"][row][column] == markup(names.fraction(key, place))


def spelled(name: Name) -> list[str]:
    return [label_mathml(name), label_text(name)]


def markup(name: Name | None) -> str | None:
    return None if name is None else label_mathml(name)


# What if ------------------------------------------------------------------------------------------

CHANGE = """({data, changes, undo}) => {
  const engine = TracerEngine.open(data), was = JSON.stringify(engine.values);
  const change = (all) => { for (const each of all) engine.set(...each); engine.recalculate(); };
  change(changes);
  const changed = engine.values;
  const differs = Object.entries(changed).flatMap(([id, rows]) =>
    rows.flatMap((row, i) => row.flatMap((_, k) => engine.differs(id, i, k) ? [[id, i, k]] : [])));
  change(undo);
  const undone = JSON.stringify(engine.values) === was;
  change(changes);
  engine.reset();
  return {changed, differs, undone, restored: JSON.stringify(engine.values) === was};
}"""


def put(document: Document, key: str, row: int, column: int, number: float) -> None:
    """Write a number into a problem document; a shared bias stands there alone."""
    if key in ("X", "Y"):
        document["data"][key][row][column] = number
    elif key == "learning_rate":
        document[key] = number
    else:
        layer = document["layers"][int(key[1:]) - 1]
        if key[0] == "W":
            layer["weights"][row][column] = number
        elif isinstance(layer["bias"], list):
            layer["bias"][column] = number
        else:
            layer["bias"] = number


def followers(one: Pass, changed: set[Place]) -> set[Place]:
    """The cells that depend on changed ones, directly or not, and these."""
    found = set(changed)
    for key, each in one.program.assignments.items():
        for place in np.ndindex(each.shape):
            used = () if each.expression is None else precedents(lower(each.expression, *place))
            if any((c.matrix, c.row, c.column) in found for c in used):
                found.add((key, *place))
    return found


@settings(max_examples=60)
@given(document=random_documents(), data=st.data())
def test_what_if_gives_the_numbers_of_a_fresh_trace(page: Any, document: Document, data: st.DataObject) -> None:
    run = recorded(document)
    one, changed = run.first, copy.deepcopy(document)
    changes: dict[Place, float] = {}
    for key in data.draw(st.lists(st.sampled_from(one.program.inputs), min_size=1, max_size=3, unique=True)):
        if key == "Y" and document["loss"] == "cross_entropy":  # whose rows sum to 1
            continue
        place = data.draw(st.sampled_from(list(np.ndindex(one[key].shape))))
        changes[key, *place] = data.draw(st.sampled_from([0.3, 0.75, 0.05]))
        put(changed, key, *place, changes[key, *place])
    assume(is_worked(changed, forward(changed, np.array(changed["data"]["X"]), parameters_of(changed))))
    expected = recorded(changed).first
    undo = [(key, *place, float(one[key][tuple(place)])) for key, *place in changes]
    what = {"changes": [(*cell, number) for cell, number in changes.items()], "undo": undo}
    found = ask(page, CHANGE, data=script_data(run, one), **what)
    assert found["undone"] and found["restored"]
    most = largest(expected)
    for key in one:
        assert_agrees(found["changed"][key], expected[key], most, key)
    differs = {tuple(cell) for cell in found["differs"]}
    moved = {(key, *at) for key in one for at in np.ndindex(one[key].shape)
             if abs(one[key][at] - expected[key][at]) > 1e-9 * most}  # fmt: skip
    assert moved <= differs <= followers(one, set(changes))


def test_a_run_that_is_not_shipped_is_worked_out(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trace(load_problem("softmax-classifier"))
    monkeypatch.setattr(scripts, "MOST_SHIPPED", 10)
    data = script_data(run, run.last)
    assert data and not any("value" in each for each in data["computed"])
    found = ask(page, "({data}) => TracerEngine.open(data).original", data=data)
    for key in run.last:
        assert_agrees(found[key], run.last[key], largest(run.last), key)


def test_only_given_numbers_can_be_changed(page: Any) -> None:
    run = trace(load_problem("article"))
    says = "({data}) => { try { TracerEngine.open(data).set('Z1', 0, 0, 1); } catch (wrong) { return wrong.message; } }"
    assert ask(page, says, data=script_data(run, run.last)) == "Z1 is computed"


def test_the_pass_after_is_the_same_rules_over_the_updated_parameters(page: Any) -> None:
    run = trace(load_problem("article"))
    after = """({data}) => {
      const engine = TracerEngine.open(data), next = {};
      for (const id of ["W1", "b1", "W2", "b2"]) next[id] = engine.values[`${id}_next`];
      return [engine.run(next).L[0][0], engine.values === engine.original];
    }"""
    loss, untouched = ask(page, after, data=script_data(run, run.last))
    assert loss == pytest.approx(run.after, rel=1e-12) and untouched


# The chain of a weight ----------------------------------------------------------------------------

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
        if not is_gradient(run.problem, gradient):
            assert chain is None
            continue
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
        products.append(math.prod(values))
        links = fractions(piece)
        assert links[0][0] == "<mi>L</mi>" and called[links[-1][1]] == weight
        factors = [value for cell, value in zip(cells, values, strict=True) if not cell or cell[0] != "learning_rate"]
        for (_, before), (of, by), value in zip(links[:-1], links[1:], factors[1:], strict=True):
            assert of == before
            assert slope(one, called[of], called[by]) == pytest.approx(value, rel=1e-4, abs=1e-4), (of, by)
    return products


def reckoned(one: Pass, decimals: Shown, chain: Document, gradient: str) -> Worked:
    """The products of a chain worked out by the Python reading."""
    paths = [[cell and s.Cell(**cell) for cell in path["cells"]] for path in chain["paths"]]
    products = [s.Product(tuple(cell or s.Number(1.0) for cell in path)) for path in paths]
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


def text(markup: str) -> str:
    """MathML in one line, fractions with a stroke."""
    return re.sub("<[^>]*>", "", re.sub("</mrow><mrow><mo>∂", "</mrow>/<mrow><mo>∂", markup))
