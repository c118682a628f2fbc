"""What a matrix is, its role says: nothing reads it off the letters of an identifier, or makes one from letters.

Counted with `ast`: literals and f-strings that are identifiers or their parts, tests of a first letter, cut-off letters
and endings, the place of the parameters among the inputs, and patterns over identifiers. Where people's own names for
matrices are kept, they may stand.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAY_FOLDERS = ("lesson", "problem", "models")
MAY_FILES = ("naming_policy.py", "identifiers.py", "aliases.py")
MOST = 0  # it may only go down

_IDENTIFIER = re.compile(r"(?:d?[WbZASDEJ]|[XYL]|d[Wb])(?:[0-9]+|\{\})?(?:_next)?|_next|\{\}_next|d\{\}")
_CELL = re.compile(r"d?[WbZASDEJXYL](?:[0-9]+|\{\})?(?:_next)?-[0-9{].*")  # a cell as pages name it: Z1-1-2
_PATTERN = re.compile(r"dW\|db|\[A-Zb\]|\([WbZASDEJ]\|")


def spelled(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every place that reads or writes meaning by spelling."""
    tree = ast.parse(source)
    words = {id(part) for node in ast.walk(tree) for part in _no_code(node)}
    for node in ast.walk(tree):
        if id(node) in words:
            continue
        text = _text(node)
        named = text is not None and (_IDENTIFIER.fullmatch(text) or _CELL.fullmatch(text))
        if named or _cut(node):
            yield node.lineno, ast.unparse(node)  # type: ignore[attr-defined]


def _no_code(node: ast.AST) -> Iterator[ast.AST]:
    """Docstrings, and the parts of f-strings, which are looked at as a whole."""
    if isinstance(node, ast.JoinedStr):
        yield from node.values
    elif isinstance(node, ast.keyword) and node.arg == "axPos":  # "b": a chart's axis at its bottom
        yield node.value
    elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
        first = node.body[0]
        assert isinstance(first, ast.Expr)
        yield first.value


def _text(node: ast.AST) -> str | None:
    """A literal's text, or an f-string's with {} for each value."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _cut(node: ast.AST) -> bool:
    """int(identifier[1:]), inputs[2:-1], a first letter in a row of letters, identifiers matched by pattern."""
    match node:
        case ast.Call(func=ast.Name(id="int"), args=[ast.Subscript(slice=ast.Slice(lower=ast.Constant(value=1)))]):
            return True
        case ast.Subscript(slice=ast.Slice(lower=ast.Constant(value=2), upper=ast.UnaryOp())):
            return True
        case ast.Compare(left=ast.Subscript(slice=ast.Constant(value=0)), ops=[ast.In() | ast.NotIn()]):
            letters = _text(node.comparators[0])
            return letters is not None and re.fullmatch("[XYLEWbZASDJd]+", letters) is not None
        case ast.Constant(value=str() as pattern):
            return _PATTERN.search(pattern) is not None
    return False


def places() -> dict[str, list[tuple[int, str]]]:
    found = {}
    for path in sorted((ROOT / "tracer").rglob("*.py")):
        parts = path.relative_to(ROOT / "tracer").parts
        if parts[0] in MAY_FOLDERS or path.name in MAY_FILES:
            continue
        here = list(spelled(path.read_text(encoding="utf-8")))
        if here:
            found["/".join(parts)] = here
    return found


def test_nothing_reads_or_writes_meaning_by_spelling() -> None:
    found = places()
    told = "\n".join(f"{file}:{line} {text}" for file, here in found.items() for line, text in here)
    assert sum(map(len, found.values())) <= MOST, told


@pytest.mark.parametrize(
    "source",
    [
        'x == "W"',
        'f"Z{layer}"',
        'f"{name}_next"',
        'f"A{layer}-1-{unit}"',
        'name.endswith("_next")',
        'f"d{name}"',
        'one["A1"]',
        "int(name[1:])",
        "program.inputs[2:-1]",
        'name[0] in "Wb"',
        're.compile(r"(dW|db|[A-Zb])(\\d*)(_next)?")',
    ],
)
def test_every_way_of_spelling_is_seen(source: str) -> None:
    assert len(list(spelled(source))) >= 1


@pytest.mark.parametrize(
    "source",
    ['"""W"""', 'x = "weights"', 'f"{a}W"', "net.weights(layer)", "rows[1:]", 'c in "abc"', 'f"{rows}×{columns}"'],
)
def test_other_texts_are_not(source: str) -> None:
    assert not list(spelled(source))
