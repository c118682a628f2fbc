"""The lines that README shows for each framework run, and say what they say."""

import os
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import require_module
from tests.unit.frameworks.test_onnx_files import small

os.environ.setdefault("KERAS_BACKEND", "torch")
README = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## Bring your own network")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)


@pytest.mark.parametrize("number", range(6))
def test_the_lines_of_the_readme_run(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(BLOCKS) == 6
    code = BLOCKS[number]
    for module in re.findall(r"\b(torch|keras|sklearn)\b", code):
        require_module(module)
    if "model.onnx" in code:
        model = small()
        model.graph.initializer[0].CopyFrom(require_module("onnx").numpy_helper.from_array(_two_rows(), "W"))
        require_module("onnx").save(model, tmp_path / "model.onnx")
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the frameworks
        exec(compile(code, "README.md", "exec"), scope)
    assert "Problem" in type(scope["problem"]).__name__
    printed = capsys.readouterr().out
    said = re.search(r"print\(.*\)  # (.*)", code)
    assert (said[1] if said else "") in printed
    assert scope["problem"].save(tmp_path / "mine.toml").stat().st_size > 200


def _two_rows() -> Any:
    import numpy as np

    return np.random.default_rng(1).normal(size=(2, 4))
