"""Problems made up for practice: numbers that are easy by hand and do not hide slips.

Data that hides slips, avoided here: one sample; a rate of 1, 0.5 or 0.1; zero or equal biases;
every Z positive or every W non-negative; saturated or silent units.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tracer.errors import TracerError
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.convention import Convention, FieldError, Reproduce, one_of, show, unsuitable
from tracer.problem.losses import LOSSES
from tracer.problem.problem import Problem, problem_from_document
from tracer.program.naming_policy import INPUTS, TARGETS, bias, weights
from tracer.run.training import trace

RATE = 0.3
PRACTICE = "Practice: "
TRIES = 500
MOST_UNITS, MOST_LAYERS = 30, 8


def invent(layers: str, rows: int, seed: int, hidden: str, output: str, loss: str) -> str:
    """The TOML of a new problem. Raises TracerError where the choices do not go together."""
    sizes = _sizes(layers)
    _check_choices(hidden, output, loss)
    rng = np.random.default_rng(seed)
    best: tuple[int, dict[str, Any]] | None = None
    for _ in range(TRIES):
        document = _document(rng, sizes, rows, hidden, output, loss)
        hides = _hidden_slips(problem_from_document(document, "new", "tracer new"))
        if best is None or hides < best[0]:
            best = (hides, document)
        if hides == 0:
            break
    assert best is not None
    return _toml(best[1], f"{layers}, {rows} samples, seed {seed}")


def practice_base(layers: str, rows: int, seed: int, hidden: str, output: str, loss: str) -> Problem:
    """A problem whose data, weights and biases are there to be redrawn. Raises TracerError as `invent` does."""
    sizes = _sizes(layers)
    _check_choices(hidden, output, loss)
    document = _document(np.random.default_rng(seed), sizes, rows, hidden, output, loss)
    numbered = [name(layer) for layer in range(1, len(sizes)) for name in (weights, bias)]
    redrawn = {"matrices": [INPUTS, TARGETS, *numbered]}
    title = _title(layers, rows)
    return problem_from_document({"title": title, **document, "variants": redrawn}, "practice", "tracer new")


def practice_text(base: Problem, variant: Problem, seed: int) -> str:
    """The TOML of a variant of a practice problem."""
    document = variant.to_document()
    if base.convention.softmax_slope != "fused":
        document.pop("convention")
    return _toml(document, f"{base.title.removeprefix(PRACTICE)}, seed {seed}")


def _title(layers: str, rows: int) -> str:
    return f"{PRACTICE}{layers}, {rows} samples"


def _sizes(layers: str) -> list[int]:
    found = f"--layers: found {show(layers)}"
    if not re.fullmatch(r"[0-9]+(-[0-9]+)+", layers):
        raise TracerError(f"{found}, expected sizes from inputs to outputs, as in 3-4-2")
    sizes = [int(size[:9]) for size in layers.split("-")]
    if not all(1 <= size <= MOST_UNITS for size in sizes) or len(sizes) > MOST_LAYERS + 1:
        raise TracerError(f"{found}, expected at most {MOST_LAYERS} layers of 1 to {MOST_UNITS} units")
    return sizes


def _check_choices(hidden: str, output: str, loss: str) -> None:
    """Raises TracerError, naming the option, for a name that there is not and for those that do not go together."""
    in_the_middle = [name for name, activation in ACTIVATIONS.items() if not activation.whole_row]
    for option, value, names in (
        ("--hidden", hidden, in_the_middle),
        ("--output-activation", output, ACTIVATIONS),
        ("--loss", loss, LOSSES),
    ):
        try:
            one_of(value, names)
        except FieldError as wrong:
            raise TracerError(f"{option}: {wrong}") from None
    wrong_together = unsuitable(Convention(), Reproduce(), loss, output)
    if wrong_together:
        raise TracerError(f"--loss: {wrong_together[1]}")


def _document(
    rng: np.random.Generator, sizes: list[int], rows: int, hidden: str, output: str, loss: str
) -> dict[str, Any]:
    def numbers(*shape: int, low: int, high: int) -> Any:
        """Hundredths without zeros, as lists."""
        drawn = rng.integers(low, high, shape)
        return ((drawn + (drawn >= 0)) / 100).tolist()

    depth = len(sizes) - 1
    layers = [
        {
            "activation": output if k == depth else hidden,
            "weights": numbers(sizes[k - 1], sizes[k], low=-90, high=90),
            "bias": numbers(sizes[k], low=-50, high=50),
        }
        for k in range(1, depth + 1)
    ]
    X = (rng.integers(-10, 21, (rows, sizes[0])) / 10).tolist()
    fused = (output, loss) in (("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy"))
    convention = {"convention": {"softmax_slope": "fused"}} if fused else {}
    data = {INPUTS: X, TARGETS: _targets(rng, rows, sizes[-1], output, loss)}
    return {"learning_rate": RATE, "loss": loss, "data": data, "layers": layers, **convention}


def _targets(rng: np.random.Generator, rows: int, outputs: int, output: str, loss: str) -> Any:
    """What the loss takes, where that is said; one-hot rows for softmax, 0 and 1 for sigmoid, tenths otherwise."""
    if LOSSES[loss].targets:
        return rng.permutation(np.resize(LOSSES[loss].targets, rows * outputs)).reshape(rows, outputs).tolist()
    if output == "softmax" or loss == "cross_entropy":
        classes = rng.permutation(np.arange(rows) % outputs)
        return np.eye(outputs)[classes].astype(int).tolist()
    if output == "sigmoid":
        classes = rng.permutation(np.arange(rows * outputs) % 2).reshape(rows, outputs)
        return classes.tolist()
    return (rng.integers(-10, 21, (rows, outputs)) / 10).tolist()


def _hidden_slips(problem: Problem) -> int:
    """How many things in the numbers would let a wrong rule pass unseen."""
    one = trace(problem).last
    hides = 0
    for layer, made in zip(problem.layers, one.program.layers, strict=True):
        Z, A, bias = one[made.pre_activation], one[made.activation], layer.bias
        hides += int((Z > 0).all() or (Z < 0).all())
        hides += int((layer.weights > 0).all() and layer.weights.size > 1)
        hides += int(bias is not None and len(np.unique(bias)) < bias.size)
        hides += int((np.abs(Z) > 4).sum())
        hides += int((np.ptp(A, axis=0) < 1e-3).sum())
        if ACTIVATIONS[layer.activation].slope_at_kink is not None:
            hides += int((Z <= 0).all(axis=0).sum() + (np.abs(Z) < 1e-9).sum())
    return hides


def _toml(document: dict[str, Any], facts: str) -> str:
    def rows(matrix: list[list[float]]) -> str:
        return "[\n" + "".join(f"  {row},\n" for row in matrix) + "]"

    lines = [
        f'title = "{PRACTICE}{facts}"',
        f"learning_rate = {document['learning_rate']}  # 1, 0.5 and 0.1 hide a forgotten or doubled rate",
        f'loss = "{document["loss"]}"',
        f"decimals = {_decimals(document.get('decimals', 3))}  # how many to write down",
        "",
        "[data]  # a row is a sample",
        f"{INPUTS} = {rows(document['data'][INPUTS])}",
        f"{TARGETS} = {rows(document['data'][TARGETS])}",
    ]
    for layer in document["layers"]:
        lines += [
            "",
            "[[layers]]",
            f'activation = "{layer["activation"]}"',
            f"weights = {rows(layer['weights'])}  # a row is an input, a column a unit",
            f"bias = {layer['bias']}",
        ]
    if "convention" in document:
        lines += ["", "[convention]", 'softmax_slope = "fused"  # output activation and loss taken together']
    return "\n".join(lines) + "\n"


def _decimals(asked: int | dict[str, int]) -> str:
    if isinstance(asked, int):
        return str(asked)
    return f"{{ {', '.join(f'{name} = {count}' for name, count in asked.items())} }}"
