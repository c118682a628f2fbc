"""Questions to the page's engine, and what the Python readings answer."""

import json
import re
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from tests.strategies import documents
from tracer.errors import NotFiniteError
from tracer.expression import scalar as s
from tracer.expression.lower import precedents
from tracer.expression.mathml import cell_mathml_terms
from tracer.expression.worked import Worked
from tracer.page.script_data import STYLES
from tracer.problem.problem import problem_from_document
from tracer.run.passes import Pass, Trace
from tracer.run.training import trace

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


def ask(page: Any, function: str, **what: Any) -> Any:
    """What a function of the page answers; text goes both ways, as the driver is slow with long lists."""
    return json.loads(page.evaluate(f"text => JSON.stringify(({function})(JSON.parse(text)))", json.dumps(what)))


def by_cell(pairs: list[list[Any]]) -> dict[Place, Any]:
    split = ((cell.split(","), answer) for cell, answer in pairs)
    return {(key, int(row), int(column)): answer for (key, row, column), answer in split}


def plain(structure: Any) -> Any:
    """A structure as JSON has it."""
    return [plain(part) for part in structure] if isinstance(structure, list | tuple) else structure


def turned_round(sources: dict[Place, Any]) -> dict[Place, Any]:
    """For each cell those that are computed from it, in their own order."""
    users: dict[Place, Any] = {cell: [] for cell in sources}
    for cell, used in sources.items():
        for each in used:
            users[tuple(each)].append(list(cell))
    return users


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


def text(markup: str) -> str:
    """MathML in one line, fractions with a stroke."""
    return re.sub("<[^>]*>", "", re.sub("</mrow><mrow><mo>∂", "</mrow>/<mrow><mo>∂", markup))


@st.composite
def random_documents(draw: st.DrawFn) -> Document:
    document = draw(documents(reproduced=draw(st.booleans()), carried=draw(st.booleans()), most_layers=4, most_rows=5))
    own = {"Z1": "<b>&'", "E": "err 1", "L": "Cost", "dW1": "grad 1"}
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
