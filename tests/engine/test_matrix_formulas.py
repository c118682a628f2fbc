"""Workbooks with one array formula for a matrix, recalculated by real engines, hold the trace's numbers."""

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import unescape

import numpy as np
import openpyxl
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import range_boundaries
from openpyxl.worksheet.formula import ArrayFormula

from tests.agreement import assert_agrees, sizes
from tests.conftest import require
from tests.engine.recalculate import (
    WRONG,
    Values,
    by_cellrune,
    by_file,
    by_ironcalc,
    by_libreoffice,
    cells,
    with_wrong_cached_values,
)
from tests.engine.test_workbooks import compare, traces
from tests.property.test_formulas import raises_an_opposite
from tests.sheets import ENGINES, Book, Grid, is_number
from tests.strategies import EXPRESSION_SIZES, Made, expressions
from tracer.errors import ExportError
from tracer.expression import matrix as m
from tracer.expression.evaluate import evaluate
from tracer.expression.lower import lower
from tracer.expression.matrix_formula import to_matrix_formula
from tracer.expression.scalar import Cell
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.workbook.workbook import write_workbook

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:Generating overly large repr")]

EXAMPLES = ["article", "hand", "mazur", "softmax-classifier", "logistic-regression", "xor"]
# 0, where e^−z overflows (709) and underflows (745), and as far as inputs go here
EXTREME = np.array([[0.0, 1e-8, 17.25, 37.5, 699.5, 700.5, 709.5, 710.0, 746.0, 1000.0]])
EXTREME = np.concatenate((EXTREME, -EXTREME))
STEP, NUMBER = re.compile("(^| )Step "), re.compile(r"-?[0-9.]+([eE][+-]?[0-9]+)?")
ROUNDS = "ironcalc 0.9 rounds no array: #N/IMPL!"


class ArrayBook(Book):
    """Expressions with their values, each as one array formula."""

    def add(self, expression: m.Matrix, values: Mapping[str, Any]) -> None:
        grid = Grid({name: value.shape for name, value in values.items()}, self.next_row, self.SYMBOLS)
        for name, value in values.items():
            for place in np.ndindex(value.shape):
                self.sheet[grid.cell(Cell(name, *place))] = float(value[place])
        rows, columns = expression.shape
        first = f"{get_column_letter(self.FORMULAS)}{self.next_row}"
        last = f"{get_column_letter(self.FORMULAS + columns - 1)}{self.next_row + rows - 1}"
        self.sheet[first] = ArrayFormula(f"{first}:{last}", f"={to_matrix_formula(expression, grid)}")
        self.bands.append((self.next_row, expression.shape))
        self.next_row = max(grid.end, self.next_row + rows)

    def formula(self, band: int, row: int, column: int) -> str:
        return str(self.sheet.cell(self.bands[band][0], self.FORMULAS).value.text)


def assert_arrays_agree(engine: str, folder: Path, cases: list[tuple[m.Matrix, Mapping[str, Any], Any]]) -> None:
    """Every array formula of (expression, values, size of its terms) fills its cells with numpy's values."""
    require(engine)
    book = ArrayBook()
    for expression, values, _ in cases:
        book.add(expression, values)
    found = book.recalculated(engine, folder)
    for band, (numbers, (expression, values, size)) in enumerate(zip(found, cases, strict=True)):
        says = f"{engine}: {book.formula(band, 0, 0)}"
        assert is_number(numbers), f"{says}: {numbers}"
        assert_agrees(numbers, evaluate(expression, values), size, says)


def has_array_formula(engine: str, made: Made) -> bool:
    """Whether there is one, and one that the engine knows how to compute."""
    grid = Grid({name: value.shape for name, value in made.values.items()})
    try:
        formula = to_matrix_formula(made.expression, grid)
    except ExportError:
        return False
    return engine != "ironcalc" or not ("ROUND" in formula or raises_an_opposite(lower(made.expression, 0, 0)))


@settings(max_examples=6, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # shrinking a batch takes minutes
@given(made=st.lists(expressions(), min_size=30, max_size=30))
@pytest.mark.parametrize("engine", ENGINES)
def test_random_expressions_come_to_the_value_of_numpy(engine: str, made: list[Made]) -> None:
    made = [each for each in made if has_array_formula(engine, each)]
    cases = [(each.expression, each.values, sizes(each.expression, each.values, EXPRESSION_SIZES)) for each in made]
    with tempfile.TemporaryDirectory() as folder:
        assert_arrays_agree(engine, Path(folder), cases)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax", "gelu_erf"}))
@pytest.mark.parametrize("engine", ENGINES)
def test_activations_and_slopes_hold_for_pre_activations_up_to_a_thousand(
    engine: str, name: str, tmp_path: Path
) -> None:
    rule = ACTIVATIONS[name]
    Z, A = (m.Symbol(key, EXTREME.shape) for key in "ZA")
    values = {"Z": EXTREME, "A": evaluate(rule.apply(Z, 0.01), {"Z": EXTREME})}
    values["A"] = np.array([[float(f"{a:.15g}") for a in row] for row in values["A"]])  # openpyxl keeps 16
    made = [rule.apply(Z, 0.01), *(rule.slopes(Z, A, 0.01, at_zero) for at_zero in (0, 1))]
    assert_arrays_agree(engine, tmp_path, [(expression, values, 1.0) for expression in made])


def array_formulas(path: Path) -> dict[tuple[str, str], str]:
    """(sheet, range) -> the array formula that fills it."""
    found = {}
    with zipfile.ZipFile(path) as package:
        titles = re.findall(r'<sheet [^>]*name="([^"]*)"', package.read("xl/workbook.xml").decode())
        for number, title in enumerate(titles, start=1):
            text = package.read(f"xl/worksheets/sheet{number}.xml").decode()
            for reference, formula in re.findall(r'<f t="array" ref="([A-Z0-9:]+)">(.*?)</f>', text):
                found[unescape(title), reference] = unescape(formula)
    return found


def cells_of(reference: str) -> list[str]:
    """The addresses of the cells of a range, row by row."""
    left, top, right, bottom = range_boundaries(reference)
    places = ((row, column) for row in range(top, bottom + 1) for column in range(left, right + 1))
    return [f"{get_column_letter(column)}{row}" for row, column in places]


def numbers_of(path: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """(sheet, address) -> (formula, cached value) of every number of the steps that a formula of any kind gives."""
    held = cells(path)
    formulas = {key: formula for key, (formula, _) in held.items() if formula}
    for (sheet, reference), formula in array_formulas(path).items():
        formulas.update({(sheet, each): formula for each in cells_of(reference)})
    found = {key: (formula, held[key][1] or "") for key, formula in formulas.items()}
    return {key: each for key, each in found.items() if STEP.search(key[0]) and NUMBER.fullmatch(each[1])}


def with_nothing_to_believe(path: Path, target: Path) -> Path:
    """A copy in which every cached value is wrong, also of the cells that an array formula fills from elsewhere."""
    filled: dict[str, set[str]] = {}
    for (sheet, reference), _ in array_formulas(path).items():
        filled.setdefault(sheet, set()).update(cells_of(reference))
    number = {title: k for k, title in enumerate(openpyxl.load_workbook(path, read_only=True).sheetnames, start=1)}
    parts = {f"xl/worksheets/sheet{number[sheet]}.xml": addresses for sheet, addresses in filled.items()}
    half = with_wrong_cached_values(path, target.with_suffix(".half.xlsx"))
    with zipfile.ZipFile(half) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name)
            for each in parts.get(name, ()):
                pattern = rb'(<c r="%s"[^>]*>(?:<f [^>]*>[^<]*</f>)?<v>)[^<]*' % each.encode()
                text, count = re.subn(pattern, rb"\g<1>" + WRONG, text)
                assert count == 1, f"{name}: {each} holds no value"
            new.writestr(name, text)
    return target


def write(recorded: Trace, path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    write_workbook(recorded, path, matrix_formulas=True)
    return path


Engine = Callable[[Path, Iterable[tuple[str, str]]], Values]


def assert_recalculates(recorded: Trace, folder: Path, engine: Engine) -> None:
    path = write(recorded, folder / "book.xlsx")
    found = numbers_of(path)
    assert array_formulas(path)
    compare(recorded, found, engine(with_nothing_to_believe(path, folder / "bare.xlsx"), found), 1e-12)


# without shrinking: a smaller workbook says no more than the message does
@settings(max_examples=8, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(recorded=traces())
@pytest.mark.parametrize("engine", [by_ironcalc, by_cellrune])
def test_a_random_networks_array_formulas_recalculate_to_the_trace(engine: Engine, recorded: Trace) -> None:
    if engine is by_ironcalc:
        assume(not recorded.problem.carry_rounded)  # ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        assert_recalculates(recorded, Path(folder), engine)


@pytest.mark.parametrize("engine", [by_ironcalc, by_cellrune])
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_recalculate(engine: Engine, name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    problem = load_problem(name)
    if problem.carry_rounded and engine is by_ironcalc:
        request.applymarker(pytest.mark.xfail(reason=ROUNDS))
    assert_recalculates(trace(problem), tmp_path, engine)


def edited(folder: Path, name: str) -> tuple[Path, Trace]:
    """An example's book with one weight typed over and nothing recalculated, and the trace of that problem."""
    problem = load_problem(name)
    path = with_nothing_to_believe(write(trace(problem), folder / f"{name}.xlsx"), folder / f"{name}-bare.xlsx")
    document = problem.to_document()
    was = document["layers"][0]["weights"][0][0]
    document["layers"][0]["weights"][0][0] = 0.9
    sheets = openpyxl.load_workbook(path, read_only=True).sheetnames
    part = f"xl/worksheets/sheet{sheets.index('Step 1') + 1}.xml"
    target = folder / f"{name}-edited.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for each in old.namelist():
            text = old.read(each)
            if each == part:
                text, edits = re.subn(rb"<v>%s</v>" % str(was).encode(), b"<v>0.9</v>", text, count=1)
                assert edits == 1
            new.writestr(each, text)
    return target, trace(problem_from_document(document, "changed", "changed"))


def computed(path: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """The cells that array formulas give: (formula, cached value)."""
    given = {(sheet, each) for sheet, reference in array_formulas(path) for each in cells_of(reference)}
    return {key: each for key, each in numbers_of(path).items() if key in given}


@pytest.mark.parametrize(("engine", "name"), [(by_ironcalc, "article"), (by_cellrune, "softmax-classifier")])
def test_changing_one_input_changes_everything_after_it(engine: Engine, name: str, tmp_path: Path) -> None:
    path, changed = edited(tmp_path, name)
    expected = computed(write(changed, tmp_path / "expected.xlsx"))
    assert len(expected) > 50
    compare(changed, expected, engine(path, expected), 1e-12)


@settings(max_examples=1, phases=[Phase.explicit, Phase.generate])
@given(random=st.lists(traces(), min_size=6, max_size=6))
def test_libreoffice_recalculates_examples_random_networks_and_an_edited_input(random: list[Trace]) -> None:
    """LibreOffice writes 15 digits, and starts once for all the books."""
    with tempfile.TemporaryDirectory() as name:
        folder, books = Path(name), {}
        for number, recorded in enumerate([*(trace(load_problem(each)) for each in EXAMPLES), *random]):
            path = write(recorded, folder / "made" / f"{number}.xlsx")
            books[with_nothing_to_believe(path, folder / path.name)] = (recorded, numbers_of(path))
        path, changed = edited(folder / "made", "article")
        books[path] = (changed, computed(write(changed, folder / "made" / "expected.xlsx")))
        for written, (recorded, found) in zip(by_libreoffice(list(books), folder), books.values(), strict=True):
            compare(recorded, found, by_file(written, found), 1e-12)


@pytest.mark.parametrize("epochs", [(1,), (1, 2)])
@pytest.mark.parametrize("name", ["article", "hand", "softmax-classifier"])
def test_every_matrix_is_computed_by_an_array_formula(name: str, epochs: tuple[int, ...], tmp_path: Path) -> None:
    """One for the whole matrix, or one for each sample where a row has a rule of its own; with their values."""
    recorded = trace(load_problem(name), epochs)
    path = write(recorded, tmp_path / "book.xlsx")
    found = array_formulas(path)
    book = openpyxl.load_workbook(path, data_only=True)
    by_row = {"A2", "D2"} if name == "softmax-classifier" else set()
    for identifier in recorded.last.program.computed:
        defined = identifier if identifier.endswith("_next") else f"{identifier}_"
        ((title, reference),) = book.defined_names[defined].destinations
        reference = reference.replace("$", "")
        _, _, _, bottom = range_boundaries(reference)
        wanted = reference
        if identifier in by_row:
            first, last = (re.sub(r"\d", "", corner) for corner in reference.split(":"))
            wanted = f"{first}{bottom}:{last}{bottom}"  # the last sample's
        assert (title, wanted) in found, identifier
        values = [float(book[title][each].value) for each in cells_of(reference)]
        assert np.array_equal(values, recorded[identifier].ravel()), identifier


def test_the_formulas_of_one_pass_speak_of_matrices_by_name(tmp_path: Path) -> None:
    found = array_formulas(write(trace(load_problem("article")), tmp_path / "book.xlsx"))
    assert {title: formula for (title, _), formula in found.items() if title in ("Step 2", "Step 8", "Step 9")} == {
        "Step 2": "MMULT(X_,W1_)+b1_",
        "Step 8": "MMULT(D2_,TRANSPOSE(W2_))",
        "Step 9": "E1_*S1_",
    }


def test_a_fused_loss_of_several_samples_keeps_its_formula(tmp_path: Path) -> None:
    """It takes the largest z of every row, which no array formula does; the other matrices have theirs."""
    document = load_problem("softmax-classifier").to_document() | {"convention": {"softmax_slope": "fused"}}
    recorded = trace(problem_from_document(document, "fused", "fused"))
    path = write(recorded, tmp_path / "book.xlsx")
    ((title, reference),) = openpyxl.load_workbook(path).defined_names["L_"].destinations
    address = reference.replace("$", "")
    assert (title, address) not in array_formulas(path)
    assert "LN(" in (cells(path)[title, address][0] or "")
    assert_recalculates(recorded, tmp_path, by_cellrune)


@pytest.mark.parametrize("only", ["xlsx", "html"])
def test_the_command_writes_them_when_asked(only: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tracer", "walkthrough", "article", "--matrix-formulas", "--only", only]
    run = subprocess.run([*command, "-o", tmp_path], capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    others = ["article.derivation.html"] if only == "html" else []
    assert sorted(each.name for each in tmp_path.iterdir()) == [*others, f"article.{only}"]
    if only == "xlsx":
        assert "MMULT(X_,W1_)+b1_" in array_formulas(tmp_path / "article.xlsx").values()
