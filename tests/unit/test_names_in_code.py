"""One name, one thing: no two modules have a class or an alias of one name, but for those that are counted here."""

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "tracer"
MOST = 0  # it may only go down


def named(source: str) -> list[str]:
    """The classes and aliases of a module; what begins with a line is the module's own."""
    found = []
    for node in ast.parse(source).body:
        match node:
            case ast.ClassDef(name=name):
                found.append(name)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias")):
                found.append(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript()) if name[:1].isupper():
                if not name.isupper():
                    found.append(name)
    return [name for name in found if not name.startswith("_")]


def test_no_two_modules_have_a_class_or_an_alias_of_one_name() -> None:
    modules = sorted(ROOT.rglob("*.py"))
    found = Counter(name for path in modules for name in named(path.read_text(encoding="utf-8")))
    twice = {name: count for name, count in found.items() if count > 1}
    assert len(found) > 300 and len(twice) <= MOST, twice


@pytest.mark.parametrize(
    "source",
    ["class Row: ...", "Row: TypeAlias = Sequence[object]", "Row = NDArray[np.float64]", "class Row(Sheet): ..."],
)
def test_every_way_of_naming_is_seen(source: str) -> None:
    assert named(source) == ["Row"]


@pytest.mark.parametrize("source", ["class _Row: ...", "ROWS = NUMBERS[1]", "rows: list[int] = []", "def Row(): ..."])
def test_other_names_are_not(source: str) -> None:
    assert not named(source)
