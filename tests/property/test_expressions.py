"""Every reading of a random matrix expression says the same thing."""

import re
import xml.etree.ElementTree as ElementTree
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agreement import assert_agrees, sizes, within
from tests.strategies import EXPRESSION_SIZES, Made, expressions
from tracer.expression import matrix as m
from tracer.expression import numpy_source, traversal
from tracer.expression import scalar as s
from tracer.expression.evaluate import compile_program, evaluate, evaluate_cell
from tracer.expression.interval import Interval, bound
from tracer.expression.lower import lower, precedents
from tracer.expression.mathml import cell_mathml, matrix_mathml
from tracer.expression.scalar import Cell
from tracer.expression.text import cell_text, matrix_text
from tracer.expression.transposed import transposed
from tracer.problem.activations import ACTIVATIONS

NUMBER_OF_CHILDREN = {"mfrac": 2, "msup": 2, "msub": 2, "munder": 2, "msubsup": 3}
SOFTPLUS = ACTIVATIONS["softplus"].value


def places(expression: m.Matrix) -> list[tuple[int, int]]:
    return list(np.ndindex(expression.shape))


def symbol_cells(made: Made) -> set[Cell]:
    shapes = {symbol.name: symbol.shape for symbol in traversal.symbols(made.expression)}
    return {Cell(name, *place) for name, shape in shapes.items() for place in np.ndindex(shape)}


def cell_name(cell: Cell) -> str:
    return f"{cell.matrix}[{cell.row + 1},{cell.column + 1}]"


def cell_markup(cell: Cell) -> str:
    return f"<msub><mi>{cell.matrix}</mi><mn>{cell.row}</mn></msub>"


@settings(max_examples=400)
@given(expressions())
def test_a_declared_shape_is_the_shape_that_numpy_gives(made: Made) -> None:
    value = evaluate(made.expression, made.values)
    assert value.shape == made.expression.shape
    assert value.dtype == np.float64


@settings(max_examples=250)
@given(expressions())
def test_a_cell_on_its_own_is_worth_what_it_is_worth_in_the_matrix(made: Made) -> None:
    value = evaluate(made.expression, made.values)
    cells = np.array(
        [
            evaluate_cell(lower(made.expression, *place), lambda c: made.values[c.matrix][c.row, c.column])
            for place in places(made.expression)
        ]
    ).reshape(value.shape)
    assert_agrees(cells, value, sizes(made.expression, made.values, EXPRESSION_SIZES))


@settings(max_examples=250)
@given(expressions(), st.data())
def test_a_cell_that_is_no_precedent_changes_no_bit_of_the_value(made: Made, data: st.DataObject) -> None:
    row, column = data.draw(st.sampled_from(places(made.expression)))
    used = precedents(lower(made.expression, row, column))
    known = symbol_cells(made)
    assert len(set(used)) == len(used)
    assert set(used) <= known
    changed = {name: value.copy() for name, value in made.values.items()}
    for cell in known.difference(used):
        changed[cell.matrix][cell.row, cell.column] += data.draw(st.sampled_from([-2.5, 0.75, 3.0]))
    before, after = (evaluate(made.expression, values)[row, column] for values in (made.values, changed))
    assert before.tobytes() == after.tobytes()


@settings(max_examples=300)
@given(expressions(), st.data())
def test_bounds_contain_the_value_of_every_point_of_the_box(made: Made, data: st.DataObject) -> None:
    width = data.draw(st.sampled_from([0.0, 0.0005, 0.05, 1.0]))
    box = {name: Interval.around(value, width) for name, value in made.values.items()}
    bounds = bound(made.expression, box)
    seed = data.draw(st.integers(0, 2**32 - 1))
    # Two forms bound the true value; the value of one, off by its roundings, may lie just beside both.
    two_forms = any(map(has_two_forms, parts_of(made.expression)))
    for point in points(box, np.random.default_rng(seed)):
        value = evaluate(made.expression, point)
        slack = 1e-12 * sizes(made.expression, point, EXPRESSION_SIZES) if two_forms else 0.0
        assert within(Interval(bounds.low - slack, bounds.high + slack), value).all(), (value, bounds)


def parts_of(expression: m.Matrix) -> list[m.Matrix]:
    return [expression, *(part for operand in traversal.operands(expression) for part in parts_of(operand))]


def has_two_forms(part: m.Matrix) -> bool:
    return isinstance(part, m.StableForm) or (isinstance(part, m.Apply) and part.template == SOFTPLUS)


def points(box: dict[str, Interval], random: np.random.Generator) -> list[dict[str, np.ndarray]]:
    """Corners and inner points of a box."""
    made = []
    for sharp in (True, True, False, False):
        share = {name: random.random(each.low.shape) for name, each in box.items()}
        share = {name: np.round(part) if sharp else part for name, part in share.items()}
        inside = {name: each.low + share[name] * (each.high - each.low) for name, each in box.items()}
        made.append({name: np.clip(value, box[name].low, box[name].high) for name, value in inside.items()})
    return made


@settings(max_examples=250)
@given(expressions())
def test_every_expression_reads_as_text_and_as_mathml(made: Made) -> None:
    assert matrix_text(made.expression).strip()
    assert_mathml(matrix_mathml(made.expression, lambda name: f"<mi>{name}</mi>"))
    for place in places(made.expression)[:2]:
        cell = lower(made.expression, *place)
        assert cell_text(cell, cell_name).strip()
        assert_mathml(cell_mathml(cell, cell_markup))


def assert_mathml(markup: str) -> None:
    """One element whose scripts and fractions have the children that MathML asks for."""
    root = ElementTree.fromstring(markup)
    for element in root.iter():
        expected = NUMBER_OF_CHILDREN.get(element.tag)
        assert expected in (None, len(element)), ElementTree.tostring(element, encoding="unicode")


@settings(max_examples=250)
@given(expressions())
def test_written_with_samples_as_columns_it_is_worth_the_transpose(made: Made) -> None:
    turned = transposed(made.expression)
    assert turned is not None  # none of these places cells anew
    value = evaluate(turned, {name: array.T for name, array in made.values.items()})
    expected = evaluate(made.expression, made.values)
    assert value.shape == turned.shape == expected.T.shape
    assert_agrees(value.T, expected, sizes(made.expression, made.values, EXPRESSION_SIZES))


@settings(max_examples=250)
@given(expressions(), st.booleans(), st.booleans())
def test_large_matrices_are_written_into_memory_that_is_asked_for(made: Made, by_columns: bool, turned: bool) -> None:
    """Row by row or by columns, from operands of either order; nothing of them is written over."""
    values = {name: np.asarray(array, order="F" if turned else "C") for name, array in made.values.items()}
    before = {name: array.copy() for name, array in values.items()}
    asked: list[np.ndarray] = []

    def new(shape: tuple[int, int]) -> np.ndarray:
        asked.append(np.full(shape, np.nan))
        return asked[-1]

    with patch.multiple(numpy_source, LARGE=1, VERY_LARGE=1), np.errstate(all="ignore"):
        rules = [("out", made.expression)]
        run = compile_program(rules, list(values), by_columns=["out"] if by_columns else [])
        result = run(*values.values(), new)[0]
    assert_agrees(result, evaluate(made.expression, made.values), sizes(made.expression, made.values, EXPRESSION_SIZES))
    assert all(np.array_equal(values[name], before[name], equal_nan=True) for name in values)
    assert len(asked) <= 1 and all(np.shares_memory(result, memory) for memory in asked)
    if isinstance(made.expression, m.MatMul | m.Broadcast):
        assert asked and (result.T if by_columns else result).flags.c_contiguous


@settings(max_examples=100)
@given(st.lists(expressions(depth=2), min_size=2, max_size=4))
def test_a_program_that_keeps_less_gives_the_same(made: list[Made]) -> None:
    """Only what is wanted comes out, bit for bit what the whole program gives."""
    values = {f"{k}{name}": value for k, each in enumerate(made) for name, value in each.values.items()}

    def renamed(expression: m.Matrix, k: int) -> m.Matrix:
        return eval(re.sub(r"Symbol\(name='", f"Symbol(name='in{k}", repr(expression)), vars(m) | vars(s))

    rules = [(f"out{k}", renamed(each.expression, k)) for k, each in enumerate(made)]
    inputs = [f"in{name}" for name in values]
    whole = compile_program(rules, inputs)(*values.values())
    less = compile_program(rules, inputs, [rules[-1][0]])(*values.values())
    assert len(less) == 1 and np.array_equal(less[0], whole[-1], equal_nan=True)
