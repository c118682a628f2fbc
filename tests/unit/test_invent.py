"""Problems made up for practice: what may be asked for, and what is refused before anything is made."""

import re
from itertools import product
from pathlib import Path

import pytest

from tracer import invent as module
from tracer.errors import TracerError
from tracer.invent import invent
from tracer.problem.reading import load_problem

CHOICES = {"layers": "3-4-2", "rows": 4, "seed": 1, "hidden": "sigmoid", "output": "sigmoid", "loss": "squared_error"}
SIZES = "expected at most 8 layers of 1 to 30 units"


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("loss", "mse", "--loss: found 'mse', expected one of 'half_squared_error', "),
        ("loss", "mse", "; did you mean 'mean_squared_error'?"),
        ("loss", "cross_entropy", "--loss: cross_entropy needs a sigmoid or softmax output layer, found tanh"),
        ("hidden", "logistic", "--hidden: found 'logistic', expected one of 'sigmoid', "),
        ("hidden", "softmax", "--hidden: found 'softmax', expected one of 'sigmoid', "),
        ("output", "soft", "--output-activation: found 'soft', expected one of 'sigmoid', "),
        ("layers", "3-4-2000", f"--layers: found '3-4-2000', {SIZES}"),
        ("layers", "30-40-20", f"--layers: found '30-40-20', {SIZES}"),
        ("layers", "3-" + "9" * 5000, SIZES),
        ("layers", "3-0-2", SIZES),
        ("layers", "1-1-1-1-1-1-1-1-1-1", SIZES),
        ("layers", "3", "--layers: found '3', expected sizes from inputs to outputs, as in 3-4-2"),
        ("layers", "3-²", "expected sizes from inputs to outputs, as in 3-4-2"),
    ],
)
def test_a_wrong_option_is_named_before_anything_is_made(
    option: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_document", None)  # not called
    output = {"output": "tanh"} if value == "cross_entropy" else {}
    with pytest.raises(TracerError, match=re.escape(says)) as caught:
        invent(**{**CHOICES, **output, option: value})  # type: ignore[arg-type]
    assert str(caught.value).startswith("--") and len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("output", "loss"),
    [
        *product(["softmax", "sigmoid"], ["cross_entropy", "binary_cross_entropy"]),
        ("elu", "squared_error"),
        ("tanh", "hinge"),
    ],
)
def test_what_is_made_can_be_read(output: str, loss: str, tmp_path: Path) -> None:
    text = invent("2-3-2", 4, 7, "tanh", output, loss)
    assert text == invent("2-3-2", 4, 7, "tanh", output, loss)
    (tmp_path / "new.toml").write_text(text, encoding="utf-8")
    problem = load_problem(tmp_path / "new.toml")
    assert (problem.sizes, problem.rows, problem.loss) == ((2, 3, 2), 4, loss)
    assert [layer.activation for layer in problem.layers] == ["tanh", output]
