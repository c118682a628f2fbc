"""The workbooks of random networks, recalculated by real engines, hold the trace's numbers."""

import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from tests.engine.recalculate import (
    Values,
    by_cellrune,
    by_file,
    by_ironcalc,
    by_libreoffice,
    cells,
    with_wrong_cached_values,
)
from tests.strategies import documents
from tracer.errors import NotFiniteError
from tracer.problem.example_groups import ELEVEN_STEPS
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import example_names, load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.workbook.workbook import write_workbook

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:Generating overly large repr")]

NEAR_TARGET = 1e-9
SMALL = ["article", "article-seed42", "hand", "mazur", "softmax-classifier", "logistic-regression", "xor"]


def assert_recalculates(recorded: Trace, path: Path, engine: Any) -> None:
    """Every formula gives the cached value, to 1e-12 of the largest number in the run."""
    found = cells(path)
    formulas = [key for key, (formula, _) in found.items() if formula]
    bare = with_wrong_cached_values(path, path.with_suffix(".bare.xlsx"))
    compare(recorded, found, engine(bare, formulas), 1e-12)


def compare(recorded: Trace, found: dict[Any, Any], values: Values, tolerance: float) -> None:
    passes = (*recorded.passes, recorded.at_start, recorded.at_end)
    sizes = [float(np.abs(one[key]).max()) for one in passes for key in one]
    largest = max(1.0, *filter(np.isfinite, sizes))
    signs = [(cached, values[key]) for key in values if (cached := found[key][1]) in ("=", "≈")]
    other = sum(cached != value for cached, value in signs)
    assert {value for _, value in signs} <= {"=", "≈"}
    wrong = [(key, *found[key]) for key in values if found[key][1] in ("=", "≈") and values[key] != found[key][1]]
    if largest < 1e6:  # beyond, the digits shown are float64's last, and every engine rounds them its own way
        assert other <= 1 + len(signs) // 50, f"{wrong[:3]}: a tie may hang on the last bit, but rarely"
    quotients = 0.5 / smallest_step(found)
    for key, value in values.items():
        formula, cached = found[key]
        if cached in ("=", "≈"):
            continue
        if not re.fullmatch(r"-?[0-9.]+(e[+-]?[0-9]+)?", cached):
            assert same_text("" if value is None else value, cached, largest), (
                f"{key}: ={formula} gives {value!r}, expected {cached}"
            )
            continue
        assert isinstance(value, int | float), f"{key}: ={formula} gives {value!r}, expected {cached}"
        off, room = abs(value - float(cached)), quotients if is_difference_quotient(key) else 1.0
        size = max(largest, abs(float(cached)))  # what a gradient may be off is a product of the run's numbers
        assert off <= tolerance * size * room, f"{key}: ={formula} gives {value!r}, expected {cached}"


def smallest_step(found: dict[Any, Any]) -> float:
    """The least h of the sheet Gradient check, in its column D."""
    steps = [value for (sheet, at), (_, value) in found.items() if sheet == "Gradient check" and re.match(r"D\d", at)]
    return min(map(float, steps), default=0.5)


def is_difference_quotient(key: tuple[str, str]) -> bool:
    """Whether a cell divides a difference of two losses by 2h, and with it their last bits: an estimate, or how far
    a gradient is off it."""
    return (key[0], key[1].rstrip("0123456789")) in {
        ("Gradient check", "G"),
        ("Gradient check", "J"),
        ("Certificate", "G"),
    }


def same_text(found: object, expected: str, largest: float = 1.0) -> bool:
    """The same words, and the same numbers but for one in the last place or 1e-12 of the largest of the run."""
    words, others = (re.split(r"-?[0-9]+(?:\.[0-9]+)?", text) for text in (expected, str(found)))
    numbers, found_numbers = (re.findall(r"-?[0-9]+(?:\.[0-9]+)?", text) for text in (expected, str(found)))
    return words == others and all(_same_number(*pair, largest) for pair in zip(numbers, found_numbers, strict=False))


def _same_number(expected: str, found: str, largest: float) -> bool:
    decimals, size = len(expected.partition(".")[2]), max(largest, abs(float(expected)))
    return abs(float(expected) - float(found)) <= 1.01 * 10.0**-decimals + 1e-12 * size


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    document = draw(documents(reproduced=draw(st.booleans()), carried=draw(st.booleans()), most_layers=4))
    if not document.get("carry_rounded"):  # which last digits float64 lost decide a tie of large numbers
        document["data"]["X"] = (np.array(document["data"]["X"]) * draw(st.sampled_from([1, 1, 30, 1000]))).tolist()
    problem = problem_from_document(document, "random", "random")
    try:
        recorded = trace(problem, draw(st.sampled_from([(1,), (1, 2), (1, 3)])))
    except NotFiniteError:
        assume(False)
        raise
    if "absolute" in problem.loss:  # whose slope jumps at the target, where the last bit decides
        passes = (*recorded.passes, recorded.at_end)
        off = [np.abs(one[one.program.output] - one[one.program.targets]).min() for one in passes]
        assume(min(off) > NEAR_TARGET)
    return recorded


# without shrinking: a smaller workbook says no more than the message does
@settings(max_examples=14, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(recorded=traces())
def test_every_formula_of_a_random_network_recalculates_to_the_trace(recorded: Trace) -> None:
    """ironcalc has ten digits of NORMSDIST, which large inputs blow up: test_formulas.py holds it to those."""
    exact = all(layer.activation != "gelu_erf" for layer in recorded.problem.layers)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        write_workbook(recorded, path)
        for engine in (by_cellrune, by_ironcalc)[: 2 if exact else 1]:
            assert_recalculates(recorded, path, engine)


@pytest.mark.parametrize("name", SMALL)
def test_the_examples_recalculate(name: str, tmp_path: Path) -> None:
    recorded = trace(load_problem(name), (1, 2))
    write_workbook(recorded, tmp_path / "book.xlsx")
    for engine in (by_ironcalc, by_cellrune):
        assert_recalculates(recorded, tmp_path / "book.xlsx", engine)


def assert_libreoffice_recalculates(recorded: list[Trace], folder: Path) -> None:
    """LibreOffice writes 15 digits, and starts once for all the books."""
    books = {}
    for number, each in enumerate(recorded):
        path = folder / "made" / f"{number}.xlsx"
        write_workbook(each, path)
        books[with_wrong_cached_values(path, folder / path.name)] = (each, cells(path))
    for written, (each, found) in zip(by_libreoffice(list(books), folder), books.values(), strict=True):
        formulas = [key for key, (formula, _) in found.items() if formula]
        compare(each, found, by_file(written, formulas), 1e-12)


def test_libreoffice_recalculates_the_examples(tmp_path: Path) -> None:
    assert_libreoffice_recalculates([trace(load_problem(name)) for name in SMALL], tmp_path)


@settings(max_examples=2, phases=[Phase.explicit, Phase.generate])
@given(recorded=st.lists(traces(), min_size=4, max_size=4))
def test_libreoffice_recalculates_random_networks(recorded: list[Trace]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert_libreoffice_recalculates(recorded, Path(folder))


@pytest.mark.parametrize("name", SMALL)
def test_each_defined_name_holds_its_matrix(name: str, tmp_path: Path) -> None:
    recorded = trace(load_problem(name))
    write_workbook(recorded, tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx", data_only=True)
    for identifier in recorded.last:
        defined = identifier if identifier.endswith("_next") else f"{identifier}_"
        ((title, reference),) = book.defined_names[defined].destinations
        block = book[title][reference.replace("$", "")]
        rows = block if isinstance(block, tuple) else ((block,),)
        values = [[cell.value for cell in row] for row in rows]
        assert np.array_equal(np.array(values, dtype=float), recorded[identifier]), identifier
        step = recorded.last.program.step_of(identifier)
        assert title == f"Step {step.label}", identifier


def test_changing_one_input_changes_everything_after_it(tmp_path: Path) -> None:
    """The recalculated book of a changed cell is the trace of the changed problem."""
    problem = load_problem("article")
    write_workbook(trace(problem), tmp_path / "book.xlsx")
    document = problem.to_document()
    document["layers"][0]["weights"][0][0] = 0.9
    changed = trace(problem_from_document(document, "changed", "changed"))
    write_workbook(changed, tmp_path / "expected.xlsx")
    expected = cells(tmp_path / "expected.xlsx")
    edited = tmp_path / "edited.xlsx"
    typed = {key: value for key, (formula, value) in cells(tmp_path / "book.xlsx").items() if not formula}
    place = next(key for key, value in typed.items() if value == "0.42")
    edit(tmp_path / "book.xlsx", edited, place, "<v>0.42", "<v>0.9")
    formulas = [
        key
        for key, (formula, _) in expected.items()
        if formula and key[0] not in ("Record", "Certificate") and "'Certificate'" not in formula
    ]
    compare(changed, expected, by_ironcalc(edited, formulas), 1e-12)
    said = by_cellrune(edited, [("Certificate", "B2")])["Certificate", "B2"]
    assert said == "you changed 1 input: the recorded run no longer applies"


def test_the_certificate_names_a_formula_that_was_overwritten(tmp_path: Path) -> None:
    write_workbook(trace(load_problem("article")), tmp_path / "book.xlsx")
    products = {key: value for key, value in cells(tmp_path / "book.xlsx").items() if key[0] == "Step 9"}
    place = next(key for key, (formula, _) in products.items() if re.fullmatch(r"[A-Z]+\d+\*[A-Z]+\d+", formula or ""))
    edit(tmp_path / "book.xlsx", tmp_path / "edited.xlsx", place, "<f>.*?</f><v>[^<]*", "<v>0.5")
    for engine in (by_ironcalc, by_cellrune):
        said = engine(tmp_path / "edited.xlsx", [("Certificate", "B2")])["Certificate", "B2"]
        assert said == "a formula was overwritten in D1"


def edit(path: Path, target: Path, cell: tuple[str, str], old: str, new: str) -> None:
    """A copy with one cell's content put in place of what it was (a regular expression)."""
    number = openpyxl.load_workbook(path, read_only=True).sheetnames.index(cell[0]) + 1
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as out:
        for name in source.namelist():
            content = source.read(name)
            if name == f"xl/worksheets/sheet{number}.xml":
                text, edits = re.subn(f'(<c r="{cell[1]}"[^>]*>){old}', rf"\g<1>{new}", content.decode())
                content = text.encode()
                assert edits == 1
            out.writestr(name, content)


def test_only_data_parameters_and_the_rate_are_typed_in(tmp_path: Path) -> None:
    recorded = trace(load_problem("article"))
    write_workbook(recorded, tmp_path / "book.xlsx")
    found = cells(tmp_path / "book.xlsx")
    typed = [key for key, (formula, _) in found.items() if not formula and key[0] not in ("Record", "Certificate")]
    typed.remove(("Presenter", "C1"))  # the step that it shows
    given = sum(array.size for array in recorded.last.given)
    assert len(typed) == given
    assert {sheet for sheet, _ in typed} == {"Step 0", "Step 1"}


def test_every_example_has_a_list_of_its_own_or_is_too_large() -> None:
    """A new example is put into SMALL, or named here with its reason."""
    large = {"moons", "blobs"}  # a thousand rows; two hundred rows
    others = {"article-seed42-training", "linear-regression"}  # one differs by its numbers; the other is one layer
    assert set(example_names(ELEVEN_STEPS)) == set(SMALL) | large | others


@pytest.mark.parametrize("engine", [by_ironcalc, by_cellrune])
def test_a_loss_of_many_samples_is_shared_out_over_cells(engine: Any, tmp_path: Path) -> None:
    """150 samples of three classes make a formula longer than the 8,192 characters that a cell takes."""
    random = np.random.default_rng(3)
    document = load_problem("softmax-classifier").to_document()
    document |= {"batch_size": 150, "convention": {"softmax_slope": "fused", "reduction": "mean"}}
    document["data"] = {
        "X": random.uniform(-1, 1, (150, 3)).round(2).tolist(),
        "Y": np.eye(3)[random.integers(0, 3, 150)].tolist(),
    }
    recorded = trace(problem_from_document(document, "many", "many"))
    write_workbook(recorded, tmp_path / "book.xlsx")
    found = cells(tmp_path / "book.xlsx")
    assert max(len(formula) for formula, _ in found.values() if formula) <= 8192
    assert_recalculates(recorded, tmp_path / "book.xlsx", engine)


def test_the_names_are_those_of_the_last_pass(tmp_path: Path) -> None:
    """A last batch of one sample has no second Jacobian, so no name may point to the one before."""
    document = load_problem("softmax-classifier").to_document() | {"batch_size": 4}
    recorded = trace(problem_from_document(document, "short", "short"))
    write_workbook(recorded, tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    assert "J1_" in book.defined_names and "J2_" not in book.defined_names
    for name in book.defined_names.values():
        ((title, _),) = name.destinations
        assert title.startswith("Epoch 1.2 ") or name.name == "learning_rate", name.name


def test_a_later_pass_does_not_say_that_it_begins(tmp_path: Path) -> None:
    document = load_problem("article").to_document() | {"batch_size": 2}
    recorded = trace(problem_from_document(document, "batches", "batches"))
    write_workbook(recorded, tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    assert book["Epoch 1.1 Step 1"]["B1"].value == "Step 1 · Epoch 1, rows 1–2 · Initialise weights and biases"
    assert book["Epoch 1.2 Step 1"]["B1"].value == "Step 1 · Epoch 1, row 3 · Current weights and biases"
    assert "typed" not in book["Epoch 1.2 Step 1"]["B3"].value
    texts = [cell.value for row in book["Epoch 1.2 Step 0"] for cell in row if isinstance(cell.value, str)]
    assert "Data · row 3 of 3" in texts
