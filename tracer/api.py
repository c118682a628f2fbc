"""The functions that `import tracer` offers. Whatever cannot be used raises TracerError with file and place."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from tracer.classroom.checked import Checked
from tracer.errors import ProblemError
from tracer.problem.arrays import plain
from tracer.problem.problem import Problem
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.reading import load_any, problem_of_table
from tracer.program.naming_policy import INPUTS, TARGETS
from tracer.run import training
from tracer.run.passes import AnyProblem, Trace
from tracer.run.training import Training

Source: TypeAlias = AnyProblem | str | Path | Mapping[str, Any]
"""A problem, or what `load` makes one of."""


def load(source: Source) -> AnyProblem:
    """The problem of a file (.toml, .json), of a built-in example by name, or of a dict with a problem file's keys.

    A file with `[[layers]]` is a network (Problem), one with `[[steps]]` a program (ProgramProblem).

    In a dict, matrices may be numpy arrays or any nested sequences. Raises TracerError (ProblemError), naming the
    place, what was found and what was expected.

    >>> load("mazur").sizes
    (2, 2, 2)
    >>> layer = {"activation": "linear", "weights": [[1.0], [2.0]]}
    >>> data = {"X": [[1, 2], [3, 4], [5, 6]], "Y": [[0], [1], [0]]}
    >>> load({"learning_rate": 0.1, "loss": "squared_error", "data": data, "layers": [layer]}).rows
    3
    """
    if isinstance(source, Problem | ProgramProblem):
        return source
    return problem_of_table(plain(source)) if isinstance(source, Mapping) else load_any(source)


def _network(source: Source) -> Problem:
    """A problem for what takes networks alone. Raises ProblemError for a program."""
    found = load(source)
    if not isinstance(found, Problem):
        raise ProblemError(found.name, "steps", "found a program; this takes networks of [[layers]]")
    return found


def from_arrays(
    X: ArrayLike,
    Y: ArrayLike,
    weights: Sequence[ArrayLike | tuple[ArrayLike, ArrayLike | None]],
    biases: Sequence[ArrayLike | None] | None = None,
    *,
    activations: str | Sequence[str] = "sigmoid",
    loss: str = "half_squared_error",
    learning_rate: float = 0.1,
    weights_are: str | None = None,
    layout: str | None = None,
    **settings: Any,
) -> Problem:
    """A problem from arrays.

    Shapes: X (samples, inputs); Y (samples, outputs), or class labels from 0 on (samples,) for a softmax output;
    `weights` one (inputs, units) for each layer, or a pair (W, b) of it and its bias; with `layout="torch"`, or
    `weights_are="outputs x inputs"`, (units, inputs) as PyTorch has them, never told from the shape. `biases` are
    (units,) or (1, units) each, one number that the units share, or None. `activations` is
    one name for all layers or one for each; `loss` is a problem file's, or one of PyTorch's (mse_loss, l1_loss, and
    cross_entropy of a linear last layer), averaged as there; `settings` are further keys of a problem file
    (`convention`, `decimals`).
    Raises TracerError (ProblemError) where they do not fit.

    >>> problem = from_arrays([[1, 0], [0, 1]], [1, 0], [[[0.1, 0.2], [0.3, 0.4]]], activations="softmax",
    ...                       loss="cross_entropy")
    >>> problem.Y.tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    names = [activations] * len(weights) if isinstance(activations, str) else list(activations)
    loss, settings = _as_in_pytorch(names, loss, settings)
    matrices, given = _paired(weights, biases)
    layers = []
    for name, each, bias in zip(names, matrices, given, strict=True):
        layer = {"activation": name, "weights": each, "weights_are": _weights_are(weights_are, layout)}
        layers.append(layer | ({} if bias is None else {"bias": bias}))
    data = {INPUTS: X, TARGETS: Y}
    return _network({"learning_rate": learning_rate, "loss": loss, "data": data, "layers": layers, **settings})


LAYOUTS = {"torch": "outputs x inputs", "numpy": "inputs x outputs", "keras": "inputs x outputs"}


def _weights_are(weights_are: str | None, layout: str | None) -> str:
    """Which way weights stand. Raises ProblemError for a layout that is not known, or that says otherwise."""
    if layout is not None and layout not in LAYOUTS:
        raise ProblemError("problem", "layout", f"found {layout!r}, expected one of {', '.join(map(repr, LAYOUTS))}")
    told = weights_are or LAYOUTS[layout or "numpy"]
    if layout is not None and told != LAYOUTS[layout]:
        raise ProblemError("problem", "layout", f"found {layout!r} beside weights_are={told!r}, expected one of them")
    return told


MEANS = {"mse_loss": "mean_squared_error", "l1_loss": "mean_absolute_error"}
OF_LOGITS = {"cross_entropy": ("cross_entropy", "softmax"),
             "binary_cross_entropy_with_logits": ("binary_cross_entropy", "sigmoid")}  # fmt: skip


def _as_in_pytorch(names: list[str], loss: str, settings: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A loss by PyTorch's name, averaged over the samples; one of logits gives the last layer its activation."""
    convention: dict[str, Any] = {"reduction": "mean"}
    if loss in MEANS:
        loss = MEANS[loss]
    elif loss in OF_LOGITS and names and names[-1] == "linear":
        loss, names[-1] = OF_LOGITS[loss]
        convention["softmax_slope"] = "fused"
    else:
        return loss, settings
    return loss, {**settings, "convention": {**convention, **settings.get("convention", {})}}


def _paired(
    weights: Sequence[Any], biases: Sequence[ArrayLike | None] | None
) -> tuple[list[Any], Sequence[ArrayLike | None]]:
    """Weights and biases, which may come as pairs (W, b)."""
    pairs = [isinstance(each, tuple) and len(each) == 2 and np.ndim(plain(each[0])) == 2 for each in weights]
    if biases is None and any(pairs):
        if not all(pairs):
            raise ProblemError(
                "problem", "weights", "found pairs (W, b) and single matrices, expected one or the other"
            )
        return [W for W, _ in weights], [b for _, b in weights]
    return list(weights), [None] * len(weights) if biases is None else list(biases)


def trace(source: Source, epochs: Collection[int] = (1,)) -> Trace[AnyProblem]:
    """Run a problem and record every matrix of the chosen epochs (counted from 1).

    `result["Z1"]` is a float64 array of the last pass; `to_document()` is what `tracer trace --json` prints. Raises
    TracerError where the problem cannot be used or its numbers leave float64 (NotFiniteError).

    >>> trace("mazur")["Z1"].tolist()
    [[0.3775, 0.39249999999999996]]
    """
    return training.trace(load(source), epochs)


def train(source: Source, epochs: int | None = None) -> Training[AnyProblem]:
    """Run many epochs (default: the problem's own), keeping the loss of each and the last parameters and outputs.

    Raises TracerError as `trace` does.

    >>> losses = train("xor", epochs=20).losses
    >>> losses.shape, bool(losses[-1] < losses[0])
    ((20,), True)
    """
    return training.train(load(source), epochs)


def check(
    source: Source,
    answers: Mapping[str, Any] | str | Path,
    *,
    any_convention: bool = False,
    number: int = 1,
    by_given: bool = False,
) -> Checked:
    """Hand calculations marked cell by cell, as `tracer check` marks them.

    `answers` is a file, or a dict from identifiers to arrays or to nested lists of numbers or text (None: blank).
    `number` says which pass of the problem they are of, `by_given` that they are judged by numbers that they give
    themselves. The result prints as a report and shows itself in a notebook;
    iterate over it for the verdicts. Raises TracerError where the answers cannot be read.

    >>> right = trace("mazur")
    >>> found = check("mazur", {"Z1": right["Z1"], "A1": right["A1"]})
    >>> found.score, found.of, found.all_right
    (4, 4, True)
    """
    from tracer.answers.key import key_of
    from tracer.answers.reading import read_answers, read_content
    from tracer.judging.conventions import Conventions
    from tracer.judging.marking import mark_answers

    if isinstance(answers, Mapping):
        read = read_content("answers.json", json.dumps(plain(answers)).encode())
    else:
        read = read_answers(Path(answers))
    return Checked(mark_answers(read, Conventions(key_of(load(source), number)), any_convention, by_given))


def write_workbook(run: Trace[AnyProblem] | Source, path: str | Path, *, matrix_formulas: bool = False) -> Path:
    """Write the workbook with live formulas of a trace, or of a problem's first epoch; returns its path.

    Raises TracerError (ExportError) where it cannot be written; what stood there is then untouched.
    """
    from tracer.workbook.workbook import write_workbook as write

    write(_run(run), Path(path), matrix_formulas=matrix_formulas)
    return Path(path)


def write_page(run: Trace[AnyProblem] | Source, path: str | Path) -> Path:
    """Write the page that steps through the epoch; returns its path. Raises TracerError as `write_workbook` does."""
    from tracer.page.page import write_page as write

    write(_run(run), Path(path))
    return Path(path)


def write_derivation(run: Trace[AnyProblem] | Source, path: str | Path) -> Path:
    """Write the derivation worked by hand; returns its path. Raises TracerError as `write_workbook` does."""
    from tracer.derivation.book import write_derivation as write

    write(_run(run), Path(path))
    return Path(path)


def write_worksheet(
    run: Trace[AnyProblem] | Source,
    folder: str | Path,
    *,
    mode: str = "practice",
    blank: str | None = None,
    language: str = "en",
) -> list[Path]:
    """Write a blank worksheet, as page and workbook, and its key; returns their paths.

    `mode` is "practice", "exam" or "print"; `blank` names steps ("2,3") or matrices ("Z1,D2") to fill in, by default
    all that are computed. Raises TracerError as `write_workbook` does.
    """
    from tracer.presentation.theme import theme_of
    from tracer.worksheet.files import write_worksheets
    from tracer.worksheet.plan import make_plan

    recorded = _run(run)
    plan = make_plan(recorded.problem, recorded.first.program, mode, blank, None, "step", False)  # type: ignore[arg-type]
    return write_worksheets(recorded, [plan], Path(folder), theme_of(language, None))


def _run(run: Trace[AnyProblem] | Source) -> Trace[AnyProblem]:
    """The trace, or that of a problem's first epoch."""
    return run if isinstance(run, Trace) else trace(run)
