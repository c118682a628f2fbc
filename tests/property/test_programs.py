"""Programs made from the whole grammar at random: values and gradients against PyTorch, cells against matrices."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.torch_formulas import gradients
from tracer.api import load, trace
from tracer.errors import NotFiniteError
from tracer.expression.evaluate import evaluate_cell
from tracer.expression.lower import lower
from tracer.problem.program_problem import ProgramProblem
from tracer.run.storage import load_trace, save_trace

Shape = tuple[int, int]
CELLS = (
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "softplus",
    "silu",
    "gelu",
    "abs",
    "sin",
    "cos",
    "arctan",
    "erf",
)
ROWS = ("softmax", "log_softmax")
REDUCED = ("sum", "mean", "max", "var")


@dataclass
class Writer:
    """Writes formulas over matrices whose shapes it knows."""

    draw: Callable[..., Any]
    shapes: dict[str, Shape] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)
    formulas: list[str] = field(default_factory=list)

    def start(self) -> None:
        for name in ("X", "W", "V"):
            shape = self.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
            # few values, so that ties and kinks are met
            value = st.one_of(st.sampled_from([-1.0, 0.0, 1.0]), st.floats(-2, 2).map(lambda x: round(x, 2)))
            rows = st.lists(st.lists(value, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0])
            self.shapes[name], self.numbers[name] = shape, self.draw(rows)

    def any(self, shape: Shape | None = None) -> tuple[str, Shape]:
        found = [name for name, own in self.shapes.items() if shape is None or own == shape]
        name = self.draw(st.sampled_from(found))
        return name, self.shapes[name]

    def write(self) -> None:
        kinds = (
            self.cells, self.cells, self.rows, self.reduced, self.product, self.product, self.combined, self.combined,
            self.part, self.joined, self.reshaped, self.chosen, self.image, self.pooled, self.powered,
        )  # fmt: skip
        text, shape = self.draw(st.sampled_from(kinds))()
        if self.draw(st.booleans()):
            text = f"{self.draw(st.sampled_from(['-', '2 * ', '0.5 * ', '']))}({text})"
        name = f"m{len(self.formulas)}"
        self.formulas.append(f"{name} = {text}")
        self.shapes[name] = shape

    def cells(self) -> tuple[str, Shape]:
        name, shape = self.any()
        return f"{self.draw(st.sampled_from(CELLS))}({name}{self.draw(st.sampled_from(['', ' + 0.5', ' / 3']))})", shape

    def rows(self) -> tuple[str, Shape]:
        name, shape = self.any()
        return f"{self.draw(st.sampled_from(ROWS))}({name}, axis={self.draw(st.integers(0, 1))})", shape

    def reduced(self) -> tuple[str, Shape]:
        name, (rows, columns) = self.any()
        axis = self.draw(st.sampled_from([None, 0, 1]))
        text = f"{self.draw(st.sampled_from(REDUCED))}({name}{'' if axis is None else f', axis={axis}'})"
        return text, {None: (1, 1), 0: (1, columns), 1: (rows, 1)}[axis]

    def product(self) -> tuple[str, Shape]:
        (left, (rows, inner)), (right, (height, width)) = self.any(), self.any()
        if inner == height:
            return f"{left} @ {right}", (rows, width)
        if inner == width:
            return f"{left} @ {right}.T + 1", (rows, height)
        return f"{left} @ {left}.T", (rows, rows)

    def combined(self) -> tuple[str, Shape]:
        (left, one), (right, two) = self.any(), self.any()
        sign = self.draw(st.sampled_from(["+", "-", "*", "/"]))
        if any(a != b and 1 not in (a, b) for a, b in zip(one, two, strict=True)):
            right, two = left, one
        divided = f"({right} ** 2 + 1)" if sign == "/" else right
        return f"{left} {sign} {divided}", (max(one[0], two[0]), max(one[1], two[1]))

    def part(self) -> tuple[str, Shape]:
        name, (rows, columns) = self.any()
        row, column = self.draw(st.integers(0, rows - 1)), self.draw(st.integers(0, columns - 1))
        return self.draw(
            st.sampled_from([
                (f"{name}[{row}]", (1, columns)),
                (f"{name}[{row}:, :{column + 1}]", (rows - row, column + 1)),
                (f"{name}[-1, {column}]", (1, 1)),
                (f"{name}[[{row}, 0, {row}]]", (3, columns)),
                (f"{name}[:, [{column}, 0]]", (rows, 2)),
            ])
        )  # fmt: skip

    def joined(self) -> tuple[str, Shape]:
        name, (rows, columns) = self.any()
        other, two = self.any()
        if two[0] == rows:
            return f"hstack({name}, {other}, {name})", (rows, 2 * columns + two[1])
        return f"vstack({name}, 2 * {name})", (2 * rows, columns)

    def reshaped(self) -> tuple[str, Shape]:
        name, (rows, columns) = self.any()
        return f"reshape({name}, {columns}, {rows})", (columns, rows)

    def chosen(self) -> tuple[str, Shape]:
        name, shape = self.any()
        other, _ = self.any(shape)
        sign = self.draw(st.sampled_from([">", ">=", "<", "<="]))
        return self.draw(
            st.sampled_from([
                (f"where({name} {sign} {other}, {name}, {other} * 2)", shape),
                (f"maximum({name}, {other})", shape),
                (f"minimum({name}, 0)", shape),
                (f"detach({name}) * {other}", shape),
            ])
        )  # fmt: skip

    def image(self) -> tuple[str, Shape]:
        (X, (rows, columns)), (K, (high, wide)) = self.any(), self.any()
        stride, padding = self.draw(st.integers(1, 2)), self.draw(st.integers(0, 1))
        down, across = rows + 2 * padding - high, columns + 2 * padding - wide
        if min(down, across) < 0:
            shape = ((rows - 1) * stride + high, (columns - 1) * stride + wide)
            return f"conv_transpose2d({X}, {K}, stride={stride})", shape
        return f"conv2d({X}, {K}, {stride}, padding={padding})", (down // stride + 1, across // stride + 1)

    def pooled(self) -> tuple[str, Shape]:
        X, (rows, columns) = self.any()
        size = self.draw(st.integers(1, min(rows, columns)))
        stride = self.draw(st.integers(1, 2))
        kind = self.draw(st.sampled_from(["max_pool", "mean_pool"]))
        return f"{kind}({X}, {size}, stride={stride})", ((rows - size) // stride + 1, (columns - size) // stride + 1)

    def powered(self) -> tuple[str, Shape]:
        name, shape = self.any()
        base, power = self.draw(st.sampled_from([
            (name, "2"), (name, "3"), (f"(1 + {name} ** 2)", "-1"), (f"(1 + {name} ** 2)", "0.5"),
            (f"(1 + abs({name}))", "1.5"), (f"sqrt(1 + {name} ** 2)", "-2"),
        ]))  # fmt: skip
        return f"{base} ** {power}", shape


@st.composite
def programs(draw: Callable[..., Any]) -> Writer:
    writer = Writer(draw)
    writer.start()
    for _ in range(draw(st.integers(1, 7))):
        writer.write()
        if writer.shapes[f"m{len(writer.formulas) - 1}"][0] * writer.shapes[f"m{len(writer.formulas) - 1}"][1] > 60:
            break
    used = [f"sum(m{k} * m{k})" if k % 2 else f"mean(m{k})" for k in range(len(writer.formulas))]
    writer.formulas.append("L = " + " + ".join(used[-3:]))
    return writer


def document(made: Writer) -> dict[str, Any]:
    numbers = made.numbers
    parameters = {name: numbers[name] for name in ("W", "V")}
    steps = [{"formulas": [each]} for each in made.formulas]
    return {"learning_rate": 0.1, "given": {"X": numbers["X"]}, "parameters": parameters, "steps": steps}


def test_a_matrix_is_not_used_for_another_formula_that_happens_to_be_equal() -> None:
    formulas = ["a = V ** 2", "b = a / (V ** 2 + 1)", "L = sum(b * W)"]
    numbers = {"W": [[2.0]], "V": [[-1.0]]}
    run = trace({"learning_rate": 0.1, "parameters": numbers, "steps": [{"formulas": formulas}]})
    assert np.allclose(run["da"], gradients(formulas, {}, numbers)["da"])


@given(programs())
@settings(max_examples=150)
def test_values_and_gradients_are_pytorchs(made: Writer) -> None:
    numbers = made.numbers
    expected = gradients(made.formulas, {"X": numbers["X"]}, {name: numbers[name] for name in ("W", "V")})
    sizes = max(float(np.abs(each).max()) for each in expected.values())
    assume(sizes < 1e8)
    try:
        run = trace(document(made))
    except NotFiniteError:
        assert not all(np.isfinite(each).all() for each in expected.values()), made.formulas
        return
    for name, want in expected.items():
        if name != "dL":
            assert np.allclose(run[name], want, rtol=1e-9, atol=1e-11 * max(1.0, sizes)), (name, made.formulas)


@given(programs())
@settings(max_examples=60)
def test_each_cell_is_what_the_matrix_has(made: Writer) -> None:
    try:
        run = trace(document(made))
    except NotFiniteError:
        return
    one = run.last
    for each in one.program.assignments.values():
        if each.expression is None:
            continue
        for row, column in np.ndindex(each.shape):
            worked = evaluate_cell(
                lower(each.expression, row, column), lambda cell: one[cell.matrix][cell.row, cell.column]
            )
            assert np.isclose(worked, one[each.id][row, column], rtol=1e-9, atol=1e-12), (each.id, made.formulas)


@given(programs())
@settings(max_examples=15)
def test_a_saved_trace_comes_back(tmp_path_factory: Any, made: Writer) -> None:
    problem = load(document(made))
    assert isinstance(problem, ProgramProblem)
    try:
        run = trace(problem, (1, 2))
    except NotFiniteError:
        return
    file = tmp_path_factory.mktemp("saved") / "trace.npz"
    save_trace(run, file)
    again = load_trace(file)
    assert again.problem == problem and again.problem.sha256 == problem.sha256
    for key in run.last:
        assert np.array_equal(again[key], run[key]), key
