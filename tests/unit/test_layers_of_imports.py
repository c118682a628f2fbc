"""Imports go down the floors only (DESIGN, "Floors"), never in a circle, and stay plain at the bottom."""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# A file, or a folder for all files in it that have no entry of their own.
FLOORS = {
    "tracer/__init__.py": 10,
    "tracer/__main__.py": 10,
    "tracer/cli.py": 10,
    "tracer/api.py": 10,
    "tracer/commands": 10,
    "tracer/audit": 8,
    "tracer/gallery": 9,
    "tracer/cluster": 9,
    "tracer/gradebook": 9,
    "tracer/journal": 9,
    "tracer/overview": 9,
    "tracer/classroom": 9,
    "tracer/variation": 8,
    "tracer/worksheet": 8,
    "tracer/judging": 7,
    "tracer/workbook": 7,
    "tracer/page": 7,
    "tracer/derivation": 7,
    "tracer/notebook": 7,
    "tracer/training_report": 7,
    "tracer/frameworks": 7,
    "tracer/answers": 7,
    "tracer/spreadsheet": 6,
    "tracer/presentation": 5,
    "tracer/terminal.py": 6,
    "tracer/invent.py": 6,
    "tracer/run": 4,
    "tracer/lesson": 3,
    "tracer/problem": 2,
    "tracer/program": 2,
    "tracer/calculus": 2,
    "tracer/formulas": 2,
    "tracer/expression": 1,
    "tracer/expression/__init__.py": 0,
    "tracer/expression/matrix.py": 0,
    "tracer/expression/notation.py": 0,
    "tracer/expression/scalar.py": 0,
    "tracer/expression/traversal.py": 0,
    "tracer/display.py": 0,
    "tracer/errors.py": 0,
    "tracer/files.py": 0,
    "tracer/limits.py": 1,
    "tracer/processes.py": 0,
    "tracer/zips.py": 0,
}
# The two languages, the bridge and the pure texts know no numpy, spreadsheet or markup library.
PURE = ("matrix", "scalar", "lower", "formula", "matrix_formula", "text", "transposed", "mathml", "latex", "label")
PLAIN = [f"tracer/expression/{name}.py" for name in PURE]
FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tracer").rglob("*.py"))


def floor(file: str) -> int:
    """The floor of a file: its own entry, or that of the nearest folder."""
    for place in (Path(file), *Path(file).parents):
        if place.as_posix() in FLOORS:
            return FLOORS[place.as_posix()]
    raise AssertionError(f"{file} is on no floor: place it in FLOORS of {Path(__file__).name} (DESIGN, “Floors”)")


def room(file: str) -> str:
    """The folder of `tracer/` that a file is in; a file directly in it is a room of its own."""
    return "/".join(Path(file).parts[:2])


def imported(source: str, file: str) -> Iterator[str]:
    """The modules that a file imports, anywhere in it, in full; of `from a import b` both a and a.b."""
    package = Path(file).parent.parts
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            yield module
            yield from (f"{module}.{name.name}" for name in node.names)


def files_imported(file: str, source: str | None = None) -> set[str]:
    """The files of ours that a file imports; the folder that only leads to one is none of them."""
    text = (ROOT / file).read_text(encoding="utf-8") if source is None else source
    modules = {module.replace(".", "/") for module in imported(text, file)}
    found = {f"{module}.py" for module in modules if f"{module}.py" in FILES}
    packages = {f"{module}/__init__.py" for module in modules if f"{module}/__init__.py" in FILES}
    used = {
        package for package in packages if not any(each.startswith(package[: -len("__init__.py")]) for each in found)
    }
    return found | used


def test_every_file_is_on_a_floor() -> None:
    assert len(FILES) > 20
    unplaced = [
        file for file in FILES if not any(place.as_posix() in FLOORS for place in (Path(file), *Path(file).parents))
    ]
    assert not unplaced, f"place these in FLOORS (DESIGN, “Floors”): {', '.join(unplaced)}"


def test_a_file_on_no_floor_is_named_with_what_to_do() -> None:
    with pytest.raises(AssertionError, match=r"tracer/new\.py is on no floor: place it in FLOORS"):
        floor("tracer/new.py")


@pytest.mark.parametrize("file", FILES)
def test_imports_go_down_the_floors(file: str) -> None:
    above = {other: floor(other) for other in files_imported(file) if floor(other) > floor(file)}
    assert not above, f"{file} (floor {floor(file)}) imports from above: {above}"


def test_imports_never_go_round_in_a_circle() -> None:
    try:
        TopologicalSorter({file: files_imported(file) for file in FILES}).prepare()
    except CycleError as wrong:
        pytest.fail(" imports ".join(reversed(wrong.args[1])))


def test_rooms_never_import_one_another_in_a_circle() -> None:
    rooms: dict[str, set[str]] = {}
    for file in FILES:
        rooms.setdefault(room(file), set()).update({room(other) for other in files_imported(file)} - {room(file)})
    try:
        TopologicalSorter(rooms).prepare()
    except CycleError as wrong:
        pytest.fail(" imports ".join(reversed(wrong.args[1])))


def test_no_room_holds_more_than_15_percent_of_the_lines_and_no_file_more_than_450() -> None:
    lines = {file: len((ROOT / file).read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert max(lines.values()) <= 450, max(lines, key=lambda file: lines[file])
    rooms: dict[str, int] = {}
    for file, count in lines.items():
        rooms[room(file)] = rooms.get(room(file), 0) + count
    largest = max(rooms, key=lambda each: rooms[each])
    assert rooms[largest] <= 0.15 * sum(lines.values()), (largest, rooms[largest], sum(lines.values()))


@pytest.mark.parametrize("file", PLAIN)
def test_the_languages_and_their_texts_import_nothing_but_the_standard_library(file: str) -> None:
    source = (ROOT / file).read_text(encoding="utf-8")
    outside = {module.partition(".")[0] for module in imported(source, file)} - {"tracer"} - sys.stdlib_module_names
    assert not outside


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import tracer.terminal", {"tracer/terminal.py"}),
        ("from tracer.expression import matrix as m", {"tracer/expression/matrix.py"}),
        ("from tracer.run.passes import Trace", {"tracer/run/passes.py"}),
        ("from tracer import files", {"tracer/files.py"}),
        ("from tracer import __version__", {"tracer/__init__.py"}),
        ("def f():\n    from tracer.errors import ShapeError", {"tracer/errors.py"}),
        ("from . import scalar", {"tracer/expression/scalar.py"}),
        ("from ..files import write_text", {"tracer/files.py"}),
        ("import numpy", set()),
    ],
)
def test_every_way_of_importing_is_seen(source: str, expected: set[str]) -> None:
    assert files_imported("tracer/expression/lower.py", source) == expected
