"""What the docstrings show at a prompt is what comes out."""

import doctest
import importlib
from pathlib import Path

import pytest

import tracer

ROOT = Path(tracer.__file__).parent
SHOWING = [
    ".".join(file.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
    for file in sorted(ROOT.rglob("*.py"))
    if ">>> " in file.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", SHOWING)
def test_what_a_docstring_shows_comes_out(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(importlib.import_module(module))
    assert found.attempted and not found.failed
