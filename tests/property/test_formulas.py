"""The formulas of random expressions, recalculated by spreadsheet engines, give numpy's values."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.agreement import AGREES, NORMSDIST_AGREES, assert_agrees, sizes
from tests.conftest import require
from tests.sheets import ENGINES, Book, is_number
from tests.strategies import EXPRESSION_SIZES, Made, expressions
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.evaluate import evaluate
from tracer.expression.lower import lower
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.losses import LOSSES

pytestmark = [pytest.mark.engine, pytest.mark.parametrize("engine", ENGINES)]
# Around 0, where EXP overflows (709), where e^−z underflows (745), and as far as inputs go here.
EXTREME = [
    0.0,
    1e-8,
    0.5,
    1.0,
    17.25,
    36.5,
    37.5,
    50.0,
    699.5,
    700.5,
    709.5,
    710.0,
    745.0,
    746.0,
    999.5,
    1000.0,
]
EXTREME = np.array([[-z for z in EXTREME], EXTREME])


def assert_engine_agrees(engine: str, folder: Path, cases: list[tuple[m.Matrix, Mapping[str, Any], Any]]) -> None:
    """Every formula of (expression, values, size of its terms) comes to numpy's value."""
    require(engine)
    book = Book()
    for expression, values, _ in cases:
        book.add(expression, values)
    for band, (cells, (expression, values, size)) in enumerate(
        zip(book.recalculated(engine, folder), cases, strict=True)
    ):
        says = f"{engine}: {book.formula(band, 0, 0)}"
        assert is_number(cells), f"{says}: {cells}"
        to = NORMSDIST_AGREES if "NORMSDIST" in says else AGREES
        assert_agrees(cells, evaluate(expression, values), size, says, to)


@settings(max_examples=10, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # shrinking a batch takes minutes
@given(made=st.lists(expressions(), min_size=25, max_size=25))
def test_random_expressions_come_to_the_value_of_numpy(
    engine: str, made: list[Made], tmp_path_factory: pytest.TempPathFactory
) -> None:
    if engine == "ironcalc":
        made = [x for x in made if not raises_an_opposite(lower(x.expression, 0, 0))]
    cases = [(x.expression, x.values, sizes(x.expression, x.values, EXPRESSION_SIZES)) for x in made]
    assert_engine_agrees(engine, tmp_path_factory.mktemp("book"), cases)


def raises_an_opposite(expression: s.Scalar) -> bool:
    """Whether (−x)² or the like is in it: ironcalc 0.9 reads (-(A1*2))^2 from a file as -A1*2^2.

    Excel's grammar is with us, and so are cellrune and LibreOffice.
    """
    if isinstance(expression, s.Power) and isinstance(expression.base, s.Negative | s.Stable | s.Fold):
        return True
    parts = expression.terms() if isinstance(expression, s.Fold) else s.children(expression)
    return any(map(raises_an_opposite, parts))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_slopes_hold_for_pre_activations_up_to_a_thousand(
    engine: str, name: str, tmp_path: Path
) -> None:
    """To 1e-12 of the larger of 1 and the value: e^−709 and 0 are the same sigmoid."""
    rule = ACTIVATIONS[name]
    Z, A = (m.Symbol(key, EXTREME.shape) for key in "ZA")
    values = {"Z": EXTREME, "A": evaluate(rule.apply(Z, 0.01), {"Z": EXTREME})}
    values["A"] = np.array([[float(f"{a:.15g}") for a in row] for row in values["A"]])  # openpyxl keeps 16
    slopes = [rule.slopes(Z, A, 0.01, at_zero) for at_zero in (0, 1)]
    cases = [(expression, values, 1.0) for expression in (rule.apply(Z, 0.01), *slopes)]
    assert_engine_agrees(engine, tmp_path, cases)


@pytest.mark.parametrize("rows", [1, 2, 8, 9, 30])
def test_a_softmax_of_any_width_holds_where_e_to_the_z_would_overflow(engine: str, rows: int, tmp_path: Path) -> None:
    numbers = np.random.default_rng(rows).uniform(-1000, 1000, (3, rows)).round(3)
    Z = m.Symbol("Z", numbers.shape)
    assert_engine_agrees(engine, tmp_path, [(ACTIVATIONS["softmax"].apply(Z, 0.0), {"Z": numbers}, 1.0)])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("rows", [1, 4, 24])
def test_losses_gradients_and_fused_losses_come_to_the_value_of_numpy(
    engine: str, loss: str, rows: int, tmp_path: Path
) -> None:
    """With 24 rows of 3 outputs most sums are too long to be written out term by term."""
    random = np.random.default_rng(rows)
    rule = LOSSES[loss]
    A = random.uniform(0.05, 0.95, (rows, 3)).round(3)
    Y = random.integers(0, 2, (rows, 3)).astype(float)
    of = {key: m.Symbol(key, A.shape) for key in "YAZ"}
    pairs = (("y", of["Y"]), ("a", of["A"]))
    gradient = s.substitute(rule.gradient, {"K": s.Number(3.0)})
    cases: list[Any] = [
        (m.total(m.Apply(rule.value, pairs)), {"Y": Y, "A": A}, 3.0 * A.size),
        (m.Apply(gradient, pairs), {"Y": Y, "A": A}, 1.0),
        (m.Apply(s.negative(gradient), pairs), {"Y": Y, "A": A}, 1.0),
    ]
    if rule.fused_total:
        for largest in (5.0, 1000.0):
            Z = random.uniform(-largest, largest, A.shape).round(3)
            cases.append((rule.fused_total(of["Y"], of["A"], of["Z"]), {"Y": Y, "Z": Z}, largest * A.size))
    assert_engine_agrees(engine, tmp_path, cases)


def _turned(name: str, turn: bool, shape: m.Shape) -> m.Matrix:
    symbol = m.Symbol(name, shape[::-1] if turn else shape)
    return m.Transpose(symbol) if turn else symbol


LONG = [(inner, turns) for inner in (1, 8, 9, 40) for turns in np.ndindex(2, 2) if inner < 9 or turns != (1, 1)]


@pytest.mark.parametrize(("inner", "turns"), LONG)
def test_a_long_matrix_product_holds_however_its_operands_lie(
    engine: str, inner: int, turns: tuple[bool, bool], tmp_path: Path
) -> None:
    assert_product_holds(engine, inner, turns, tmp_path)


@pytest.mark.parametrize("inner", [9, 40])
def test_a_long_product_of_two_transposes_holds(engine: str, inner: int, tmp_path: Path) -> None:
    assert_product_holds(engine, inner, (True, True), tmp_path)


def assert_product_holds(engine: str, inner: int, turns: tuple[bool, bool], tmp_path: Path) -> None:
    random = np.random.default_rng(inner)
    left, right = _turned("P", turns[0], (2, inner)), _turned("Q", turns[1], (inner, 3))
    values = {
        each.name: random.uniform(-2, 2, each.shape).round(2)
        for side in (left, right)
        for each in traversal.symbols(side)
    }
    assert_engine_agrees(engine, tmp_path, [(m.MatMul(left, right), values, 4.0 * inner)])


@pytest.mark.parametrize("count", [1, 9, 100, 101, 240])
def test_a_long_sum_of_a_rule_holds(engine: str, count: int, tmp_path: Path) -> None:
    """Above 100 terms the rule is worked on whole ranges within SUMPRODUCT."""
    random = np.random.default_rng(count)
    values = {key: random.uniform(-2, 2, (count, 1)).round(2) for key in "YA"}
    y, a = s.Variable("y"), s.Variable("a")
    pairs = tuple((key.lower(), m.Symbol(key, (count, 1))) for key in "YA")
    rules = [
        LOSSES["squared_error"].value,
        s.Product((y, a, s.Number(-0.5))),
        s.Quotient(a, s.Sum((s.Number(3.0), y))),
        s.Negative(s.Product((y, s.Power(s.Sum((y, s.Negative(a))), 2)))),
    ]
    cases = [(m.total(m.Apply(rule, pairs)), values, 50.0 * count) for rule in rules]
    assert_engine_agrees(engine, tmp_path, cases)


TIES = [
    0.35 * 3,
    -0.35 * 3,
    1.005,
    2.675,
    -2.675,
    0.5,
    -0.5,
    1.4999,
    0.5 - 4e-10,
    -0.05 + 4e-11,
    -0.0004,
    0.045,
    123.45,
    0.0,
]


@pytest.mark.parametrize("decimals", [0, 1, 2, 3, 15])
def test_rounding_is_half_away_from_zero_as_by_hand(engine: str, decimals: int, tmp_path: Path) -> None:
    Z = m.Symbol("Z", (1, len(TIES)))
    assert_engine_agrees(engine, tmp_path, [(m.Rounded(Z, decimals), {"Z": np.array([TIES])}, None)])


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_of_more_than_a_hundred_outputs_holds(
    engine: str, loss: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if engine == "ironcalc" and "cross_entropy" in loss:
        reason = "ironcalc computes no LN or ABS of a range within SUMPRODUCT: #VALUE!"
        request.applymarker(pytest.mark.xfail(reason=reason))
    random = np.random.default_rng(7)
    rule = LOSSES[loss]
    A = random.uniform(0.05, 0.95, (40, 3)).round(3)
    Z = random.uniform(-5, 5, A.shape).round(3)
    Y = np.eye(3)[random.integers(0, 3, 40)]
    of = {key: m.Symbol(key, A.shape) for key in "YAZ"}
    cases: list[Any] = [(m.total(m.Apply(rule.value, (("y", of["Y"]), ("a", of["A"])))), {"Y": Y, "A": A}, 400.0)]
    if rule.fused_total:
        cases.append((rule.fused_total(of["Y"], of["A"], of["Z"]), {"Y": Y, "Z": Z}, 1000.0))
    assert_engine_agrees(engine, tmp_path, cases)
