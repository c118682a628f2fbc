"""The gradient check recalculated by real engines: the same losses, estimates and words, and after an edit those of the
changed problem."""

import re
import tempfile
from collections.abc import Callable, Iterable
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
from tests.engine.test_workbooks import edit, is_difference_quotient, smallest_step
from tests.strategies import documents
from tests.traces import example_document, passes
from tracer.problem.problem import problem_from_document
from tracer.run.passes import Epoch, Trace
from tracer.run.training import trace
from tracer.workbook import gradient_check
from tracer.workbook.workbook import write_workbook

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:Generating overly large repr")]

SHEETS = ("Gradient check", "Moved parameters")
DOCUMENTS: dict[str, tuple[str, dict[str, Any]]] = {  # a built-in example, and what is changed of it
    "article": ("article", {}),
    "delta, batches": (
        "article",
        {
            "batch_size": 2,
            "loss_shown": "mean",
            "convention": {"error": "target - output", "learning_rate_in": "delta"},
        },
    ),
    "softmax, mean": ("softmax-classifier", {"convention": {"reduction": "mean"}, "loss_shown": "sum"}),
    "fused": ("softmax-classifier", {"convention": {"softmax_slope": "fused"}}),
    "shared biases": ("mazur", {}),
    "sent back": ("article", {"reproduce": {"updated_weights_sent_back": True}}),
    "kinked": ("article", {"convention": {}}),
}
Engine = Callable[[Path, Iterable[tuple[str, str]]], Values]
ENGINES = [by_ironcalc, by_cellrune]


def made(name: str) -> dict[str, Any]:
    example, changes = DOCUMENTS[name]
    document = example_document(example) | changes
    if name == "kinked":  # the first unit's sum is 0 for the first sample, and moves with the weight of its only input
        document["data"]["X"] = [[1, 0, 0, 0], [1, -0.5, 1, 0], [0, 0, 0, 1]]
        layer = document["layers"][0]
        document["layers"][0] = {"activation": "relu", "weights": [[0.0, 0.88, 0.55], *layer["weights"][1:]]}
    return document


def traced(document: dict[str, Any]) -> Trace:
    return trace(problem_from_document(document, "drawn", "drawn.toml"))


def written(document: dict[str, Any], path: Path) -> Path:
    write_workbook(traced(document), path)
    return path


def of_the_check(found: dict[tuple[str, str], Any]) -> list[tuple[str, str]]:
    """The formulas of the check, and what the certificate says by it."""
    on_certificate = re.compile(r"B3|[GH]\d+")
    return [
        (sheet, at)
        for (sheet, at), (formula, _) in found.items()
        if formula and (sheet in SHEETS or (sheet == "Certificate" and on_certificate.fullmatch(at)))
    ]


def assert_same(found: dict[tuple[str, str], Any], values: Values) -> None:
    """Losses to 1e-12 of the largest number of the check, what is divided by 2h to that over 2h, words exactly."""
    numbers = {key: float(cached) for key in values if re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", cached := found[key][1])}
    largest = max(1.0, *map(abs, numbers.values()))
    for key, value in values.items():
        if key not in numbers:
            assert ("" if value is None else value) == found[key][1], key
            continue
        room = 1e-12 * largest / (2 * smallest_step(found) if is_difference_quotient(key) else 1.0)
        assert isinstance(value, int | float), (key, found[key], value)
        assert abs(value - numbers[key]) <= room, (key, found[key], value)


def assert_recalculates(path: Path, engine: Engine) -> None:
    found = cells(path)
    keys = of_the_check(found)
    assert_same(found, engine(with_wrong_cached_values(path, path.with_suffix(".bare.xlsx")), keys))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_check_recalculates(engine: Engine, name: str, tmp_path: Path) -> None:
    path = written(made(name), tmp_path / "book.xlsx")
    assert any(sheet == "Moved parameters" for sheet, _ in of_the_check(cells(path)))
    assert_recalculates(path, engine)


# without shrinking: a smaller workbook says no more than the message does
@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=6, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(document=documents(most_layers=3, most_rows=5), room=st.sampled_from([gradient_check.MOST_LIVE, 0]))
def test_the_check_of_a_random_network_recalculates(engine: Engine, document: dict[str, Any], room: int) -> None:
    assume(all(layer["activation"] != "gelu_erf" for layer in document["layers"]))  # ironcalc's NORMSDIST: ten digits
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(gradient_check, "MOST_LIVE", room)
        path = Path(folder) / "book.xlsx"
        problem = problem_from_document(document, "drawn", "drawn.toml")
        write_workbook(Trace(problem, (Epoch(1, tuple(passes(document))),)), path)
        assert_recalculates(path, engine)


def test_libreoffice_recalculates_the_check(tmp_path: Path) -> None:
    """It takes a difference of less than 4e-15 of its terms for 0, and writes 15 digits."""
    books = {}
    for number, document in enumerate(map(made, DOCUMENTS)):
        path = written(document, tmp_path / f"made-{number}.xlsx")
        books[with_wrong_cached_values(path, tmp_path / f"{number}.xlsx")] = cells(path)
    for path, found in zip(by_libreoffice(list(books), tmp_path), books.values(), strict=True):
        assert_same(found, by_file(path, of_the_check(found)))


def place_of(path: Path, sheet: str, value: str) -> tuple[str, str]:
    """The first typed cell of a sheet with this number."""
    return next(key for key, found in cells(path).items() if key[0] == sheet and found == (None, value))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "number"), [("article", 30.0), ("softmax, mean", 0.9)])
def test_the_check_follows_an_edit(engine: Engine, name: str, number: float, tmp_path: Path) -> None:
    """All of it is that of the changed problem; with the larger weight a larger step, too."""
    document = made(name)
    path = written(document, tmp_path / "book.xlsx")
    weights = np.array(document["layers"][0]["weights"])
    typed, weights[1, 0] = weights[1, 0], number
    layers = [document["layers"][0] | {"weights": weights.tolist()}, *document["layers"][1:]]
    expected = cells(written(document | {"layers": layers}, tmp_path / "expected.xlsx"))
    place = place_of(path, "Step 1", repr(float(typed)))
    edit(path, tmp_path / "edited.xlsx", place, f"<v>{typed}", f"<v>{number}")
    assert_same(expected, engine(tmp_path / "edited.xlsx", of_the_check(expected)))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_formula_that_was_overwritten_makes_its_gradient_differ(engine: Engine, tmp_path: Path) -> None:
    path = written(made("article"), tmp_path / "book.xlsx")
    products = [
        key for key, (formula, _) in cells(path).items() if re.fullmatch(r"[A-Z]+\d+\*[A-Z]+\d+", formula or "")
    ]
    place = next(key for key in products if key[0] == "Step 9")
    edit(path, tmp_path / "edited.xlsx", place, "<f>.*?</f><v>[^<]*", "<v>0.5")
    says = certificate(engine, tmp_path / "edited.xlsx")
    assert says["B2"] == "a formula was overwritten in D1"
    assert says["B3"] == "dW1 differs from its central-difference estimate"
    assert says["dW1"] == says["db1"] == "differs" and says["dW2"] == says["db2"] == "agrees"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_unit_at_its_kink_is_found_by_the_formulas(engine: Engine, tmp_path: Path) -> None:
    path = written(made("kinked"), tmp_path / "book.xlsx")
    assert certificate(engine, path)["dW1"] == "agrees, but in 1 of 12 cells a function sits at its kink"
    edit(path, tmp_path / "edited.xlsx", place_of(path, "Step 1", "0.0"), "<v>0.0", "<v>0.3")
    assert certificate(engine, tmp_path / "edited.xlsx")["dW1"] == "agrees"


@pytest.mark.parametrize("engine", ENGINES)
def test_so_is_an_output_at_the_kink_of_the_loss(engine: Engine, tmp_path: Path) -> None:
    """Where 1 − ya = 0 the hinge changes."""
    data, layer = {"X": [[1, 2], [1, 0]], "Y": [[1], [-1]]}, {"activation": "linear", "weights": [[0.25], [0.375]]}
    path = written({"learning_rate": 0.1, "loss": "hinge", "data": data, "layers": [layer]}, tmp_path / "book.xlsx")
    assert certificate(engine, path)["dW1"] == "in 2 of 2 cells a function sits at its kink"
    edit(path, tmp_path / "edited.xlsx", place_of(path, "Step 1", "0.375"), "<v>0.375", "<v>0.3")
    assert certificate(engine, tmp_path / "edited.xlsx")["dW1"] == "agrees"


@pytest.mark.parametrize("engine", ENGINES)
def test_so_are_two_corners_passed_at_once_in_opposite_directions(engine: Engine, tmp_path: Path) -> None:
    """Each of the samples gives the loss another slope to its own side, and the two make no bend together."""
    data, output = {"X": [[1], [-1]], "Y": [[1], [-1]]}, {"activation": "linear", "weights": [[1.0]]}
    layers = [{"activation": "relu", "weights": [[0.0]]}, output]
    path = written(
        {"learning_rate": 0.1, "loss": "half_squared_error", "data": data, "layers": layers}, tmp_path / "b.xlsx"
    )
    assert certificate(engine, path)["dW1"] == "in 1 of 1 cells a function sits at its kink"


@pytest.mark.parametrize("engine", ENGINES)
def test_recorded_losses_say_that_an_input_was_changed(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradient_check, "MOST_LIVE", 0)
    path = written(made("article"), tmp_path / "book.xlsx")
    assert certificate(engine, path)["dW1"] == "agrees"
    edit(path, tmp_path / "edited.xlsx", place_of(path, "Step 1", "0.42"), "<v>0.42", "<v>0.9")
    says = certificate(engine, tmp_path / "edited.xlsx")
    assert {says[name] for name in ("dW1", "db1", "dW2", "db2")} == {"an input has been changed"}
    assert says["B3"] == "the central differences are those of the recorded run"


@pytest.mark.parametrize("engine", ENGINES)
def test_gradients_that_carry_a_rate_of_0_tell_nothing(engine: Engine, tmp_path: Path) -> None:
    path = written(example_document("article") | {"convention": {"learning_rate_in": "delta"}}, tmp_path / "book.xlsx")
    edit(path, tmp_path / "edited.xlsx", place_of(path, "Step 0", "0.1"), "<v>0.1", "<v>0")
    says = certificate(engine, tmp_path / "edited.xlsx")
    assert {says[name] for name in ("dW1", "db1", "dW2", "db2")} == {"nothing to compare at rate 0"}
    compared = [key for key in of_the_check(cells(path)) if key[0] == "Gradient check" and key[1][0] == "I"]
    assert set(engine(tmp_path / "edited.xlsx", compared).values()) == {0}, "and no error value"


def certificate(engine: Engine, path: Path) -> dict[str, object]:
    """What the certificate says, by cell, and of each gradient by its name."""
    book = openpyxl.load_workbook(path, read_only=True)
    names = [str(row[0]) for row in book["Certificate"].iter_rows(min_col=2, max_col=2, values_only=True)]
    wanted = {name: f"H{row}" for row, name in enumerate(names, start=1) if re.fullmatch(r"d[Wb]\d", name)}
    wanted |= {"B2": "B2", "B3": "B3"}
    values = engine(path, [("Certificate", at) for at in wanted.values()])
    return {name: values["Certificate", at] for name, at in wanted.items()}
