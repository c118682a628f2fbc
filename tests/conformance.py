"""Cases that the Python readings and the page's engine in JavaScript both have to meet: `python -m tests.conformance`.

Each case of `tests/golden/conformance.json` is data as a page carries it, of one expression R, and what is to be read
from it: the values of R, the scalar expression and precedents of each cell, and the worked lines in MathML of the first
and the last. The file is remade by this command alone, from the Python readings; that those are right is tested
elsewhere.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.evaluate import evaluate
from tracer.expression.label import Label, label_mathml
from tracer.expression.lower import lower, precedents
from tracer.expression.mathml import cell_mathml_terms
from tracer.expression.worked import work
from tracer.page.script_data import Rules, written
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.losses import LOSSES

FILE = Path(__file__).parent / "golden" / "conformance.json"
Document = dict[str, Any]
DECIMALS = 3

P = m.Symbol("P", (2, 3))
Q = m.Symbol("Q", (3, 2))
B = m.Symbol("B", (1, 2))
Y = m.Symbol("Y", (2, 2))
NUMBER = m.Symbol("K", (1, 1))
VALUES = {
    "P": [[0.5, -1.25, 2.0], [3.5, 0.0, -0.75]],
    "Q": [[0.1, -0.2], [0.35, 1.005], [-2.5, 0.125]],
    "B": [[0.46, -0.72]],
    "Y": [[1.0, 0.0], [0.0, 1.0]],
    "K": [[0.1]],
}


def cases() -> dict[str, m.Matrix]:
    """The expressions by name; every kind of matrix expression is in one of them."""
    product, half = m.MatMul(P, Q), m.Constant(0.5)
    sums = m.add(product, m.repeat(B, "rows", (2, 2)))
    found: dict[str, m.Matrix] = {
        "a layer's sums": sums,
        "one number for all": m.subtract(product, m.repeat(NUMBER, "all", (2, 2))),
        "a column repeated": m.multiply(product, m.repeat(m.row_sums(P), "columns", (2, 2))),
        "an error sent back": m.MatMul(sums, m.Transpose(Q)),
        "a gradient": m.MatMul(m.Transpose(P), sums),
        "an update": m.subtract(Q, m.multiply(NUMBER, m.MatMul(m.Transpose(P), sums))),
        "column sums": m.column_sums(product),
        "one row's column sums": m.column_sums(m.Row(product, 0)),
        "maxima": m.divide(P, m.add(m.row_maxima(P), m.Constant(1.0))),
        "a Jacobian": m.multiply(m.Transpose(m.Row(product, 0)), m.subtract(m.Identity(2), m.Row(product, 0))),
        "rows stacked": m.Stack((m.MatMul(m.Row(P, 0), Q), m.Row(Y, 1))),
        "rounded": m.Rounded(sums, 2),
        "half of a total": m.multiply(half, m.total(m.multiply(product, product))),
    }
    found |= _picked(product) | _folded()
    z = s.Variable("z")
    found["a negative number squared"] = m.Apply(s.Sum((z, s.Power(s.Number(-2.0), 2))), (("z", product),))
    for name in get_args(s.FunctionName):
        found[name] = m.Apply(s.Function(name, s.Power(z, 2)), (("z", product),))
    found["a broken power"] = m.Apply(s.Power(s.Absolute(z), 1.5), (("z", product),))
    for name, activation in ACTIVATIONS.items():
        found[f"{name}"] = activation.apply(product, 0.01)
        found[f"the slope of {name}"] = activation.slopes(product, m.Symbol("Y", (2, 2)), 0.01, 0)
    share = ACTIVATIONS["softmax"].apply(product, 0.01)
    for name, loss in LOSSES.items():
        found[f"{name}"] = m.total(m.Apply(loss.value, (("y", Y), ("a", share))))
    return found


def _folded() -> dict[str, m.Matrix]:
    """Sums of products with what is the same all along a row or a column, or is not."""
    rule = s.Product((s.Variable("u"), s.Variable("v")))
    beside: dict[str, m.Matrix] = {"row": m.row_sums(P), "column": m.column_sums(P)}
    return {
        f"sums over {over} of what a {name} has in common": m.Reduce("sum", m.Apply(rule, (("u", P), ("v", one))), over)
        for name, one in beside.items()
        for over in ("rows", "columns")
    }


def _picked(product: m.Matrix) -> dict[str, m.Matrix]:
    """Cells picked, put back, joined, and kernels and tiles."""
    part = m.Part(P, (1, 0, 1), (0, 2))
    image = m.MatMul(Q, P)
    return {
        "a part": part,
        "a part in a row": m.MatMul(Y, m.Part(P, (0, 1), (1, 2))),
        "a part with zeros": m.Part(P, (None, 0), (1, None)),
        "put back": m.Scatter(m.MatMul(part, product), (1, 0, 1), (0, 2), (2, 3)),
        "reshaped": m.Reshape(m.Transpose(P), (2, 3)),
        "side by side": m.Stack((product, P), "columns"),
        "one under the other": m.Stack((product, Y, m.Row(product, 0))),
        "a kernel": m.Correlation(P, Y, (1, 2)),
        "a kernel beyond the edge": m.Correlation(image, Y, (2, 2), step=2, padding=1),
        "back to the kernel": m.Correlation(image, Y, (2, 2), spacing=2),
        "back to the image": m.Spread(product, Y, (3, 3), step=2, padding=1),
        "back to an image lower than broad": m.Spread(P, Y, (1, 2), padding=1),
        "a kernel spread": m.Spread(P, Y, (3, 4)),
        "pooled": m.Pool("max", P, (2, 1)),
        "sums of tiles": m.Pool("sum", m.Stack((P, P)), (2, 3)),
        "the first maximum": m.FirstMaximum(m.Stack((P, P)), (4, 3)),
        "detached": m.multiply(m.Detached(P), P),
    }


def data_of(values: Mapping[str, Any], expression: m.Matrix | None = None, decimals: int | None = DECIMALS) -> Document:
    """What a page would carry of a single expression R over given matrices, each called by its letter."""
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


def readings(expression: m.Matrix) -> Document:
    """What the Python readings say of it."""
    values = {key: np.array(each) for key, each in VALUES.items()}
    cells = {f"{row},{column}": lower(expression, row, column) for row, column in np.ndindex(expression.shape)}
    return {
        "values": evaluate(expression, values).tolist(),
        "expressions": {place: written(cell) for place, cell in cells.items()},
        "precedents": {
            place: [[each.matrix, each.row, each.column] for each in precedents(cell)] for place, cell in cells.items()
        },
        "worked": {place: _worked(cells[place], values) for place in dict.fromkeys((min(cells), max(cells)))},
    }


def _worked(cell: s.Scalar, values: Mapping[str, Any]) -> Document:
    def value(of: s.Cell) -> s.Value:
        return s.Value(float(values[of.matrix][of.row, of.column]), DECIMALS)

    def name(of: s.Cell) -> str:
        return label_mathml(Label(of.matrix, f"{of.row + 1},{of.column + 1}"))

    made = work(cell, value, DECIMALS)
    stages = [("=", made.letters), *(("=", stage) for stage in made.stages), ("=" if made.exact else "≈", made.result)]
    lines = [{"sign": sign, "terms": cell_mathml_terms(stage, name)} for sign, stage in stages]
    return {"lines": lines, "exact": made.exact}


def document() -> Document:
    return {name: {"data": data_of(VALUES, made), "readings": readings(made)} for name, made in cases().items()}


def as_json(what: Document) -> Document:
    """The document as it comes back from a file: tuples are lists."""
    back: Document = json.loads(json.dumps(what))
    return back


if __name__ == "__main__":
    lines = (f"{json.dumps(name)}: {json.dumps(case, ensure_ascii=False)}" for name, case in document().items())
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
