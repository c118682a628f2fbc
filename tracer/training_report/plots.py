"""The plots of a training: the loss curve and, for two inputs, what the network makes of their plane.

matplotlib draws them; it is an extra, imported when something is drawn. Whatever the user's own settings of it are, the
same training gives the same picture.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from textwrap import fill
from typing import Any

import numpy as np

from tracer.errors import ExportError
from tracer.expression.arrays import Array
from tracer.lesson.build import build
from tracer.presentation.svg import tidied
from tracer.problem.problem import Problem
from tracer.problem.remarks import departures
from tracer.run.training import Training

GRID = 100  # points along each side of the plane's picture
MARGIN = 0.08
LEVELS = 10
TITLE_WIDTH = 52  # characters of a line
FEW = 50  # samples whose marks have room
SIZE = (5.6, 3.8)  # inches
INK = "#37474f"
CLASS_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # after Okabe and Ito
END_COLOURS = ("#2b4cb8", "#a3122b")  # of the shades between 0 and 1
CLASS_MARKS = "o^sDvP"
MOST_CLASSES = len(CLASS_MARKS)  # that are told apart


@dataclass(frozen=True)
class Plot:
    """A plot: what its file is called after, the SVG, and what it shows in words."""

    kind: str
    svg: str
    words: str


def require_matplotlib() -> None:
    """Raises ExportError where matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ExportError("plots need matplotlib: pip install matplotlib (or leave out -o)") from None


def draw(training: Training, titled: bool) -> list[Plot]:
    """The plots, with or without a title of their own. Raises ExportError where matplotlib is missing."""
    require_matplotlib()
    title = _title(training) if titled else ""
    with _own_settings():
        pictures = [_picture("loss", _loss(training, title), loss_words(training))]
        problem = training.problem
        if problem.sizes[0] == 2 and problem.sizes[-1] <= MOST_CLASSES:
            pictures.append(_picture("boundary", _boundary(training, title), boundary_words(training)))
    return pictures


def loss_words(training: Training) -> str:
    """What the loss curve shows."""
    first, last = training.before, training.final.loss
    epochs = _epochs(training)
    if f"{first:.4g}" == f"{last:.4g}":
        return f"The loss stays at {first:.4g} for {epochs}."
    return f"The loss {'falls' if last < first else 'rises'} from {first:.4g} to {last:.4g} in {epochs}."


def boundary_words(training: Training) -> str:
    """What the picture of the plane shows: how many samples lie where they belong."""
    problem = training.problem
    outputs = problem.laid_out(training.final[training.final.program.output])
    if problem.sizes[-1] > 1:
        right = int((outputs.argmax(axis=1) == problem.Y.argmax(axis=1)).sum())
        words = "The plane of the two inputs, divided by which output is the largest"
        return f"{words}; {right} of {problem.rows} samples lie where that is their largest target."
    words = "The output over the plane of the two inputs"
    if not _has_classes(problem):
        return f"{words}, with the samples in the colours of their targets."
    right = int(((outputs > 0.5) == (problem.Y > 0.5)).sum())
    return f"{words}; {right} of {problem.rows} samples lie on their target's side of the line where it is 0.5."


@contextmanager
def _own_settings() -> Iterator[None]:
    """matplotlib's defaults in place of the user's; text stays text, ids go by content."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({"svg.hashsalt": "tracer", "svg.fonttype": "none", "text.parse_math": False})
        yield


def _picture(kind: str, figure: Any, words: str) -> Plot:
    file = BytesIO()
    with warnings.catch_warnings():  # text stays text, so that a letter which matplotlib's font lacks is no loss
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(file, format="svg", metadata={"Date": None})
    return Plot(kind, tidied(file.getvalue(), kind, words), words)


def _figure(title: str, x: str, y: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def _loss(training: Training, title: str) -> Any:
    figure, axes = _figure(title, "epoch", f"loss ({training.problem.loss_shown})")
    marker = "o" if len(training.losses) == 1 else None
    axes.plot(np.arange(1, len(training.losses) + 1), training.losses, color=INK, marker=marker)
    axes.grid(alpha=0.3)
    return figure


def _boundary(training: Training, title: str) -> Any:
    """The outputs over the plane of the two inputs, and the samples."""
    figure, axes = _figure(title, "input 1", "input 2")
    X = training.problem.X
    span = np.where(np.ptp(X, axis=0) > 0, np.ptp(X, axis=0) * MARGIN, 0.5)
    sides = [np.linspace(X[:, k].min() - span[k], X[:, k].max() + span[k], GRID) for k in (0, 1)]
    plane = np.stack([side.ravel() for side in np.meshgrid(*sides)], axis=1)
    outputs = _outputs(training, plane)
    if training.problem.sizes[-1] > 1:
        _regions(axes, sides, outputs)
    else:
        _shades(figure, axes, sides, outputs.reshape(GRID, GRID), training.problem)
    if _has_classes(training.problem):
        _classes(figure, axes, training.problem)
    return figure


def _shades(figure: Any, axes: Any, sides: list[Array], outputs: Array, problem: Problem) -> None:
    """One output: with the line where it is 0.5, or with the samples where the targets are no classes."""
    shades = axes.contourf(*sides, outputs, levels=LEVELS, cmap="coolwarm", alpha=0.7)
    figure.colorbar(shades, ax=axes, label="output")
    if not _has_classes(problem):
        size = _mark_size(problem) ** 2
        axes.scatter(*problem.X.T, c=problem.Y[:, 0], norm=shades.norm, cmap="coolwarm", edgecolors="k", s=size)
    elif outputs.min() < 0.5 < outputs.max():
        axes.contour(*sides, outputs, levels=[0.5], colors="k", linewidths=1.5)


def _regions(axes: Any, sides: list[Array], outputs: Array) -> None:
    """Several outputs: where each is the largest."""
    classes = outputs.shape[1]
    largest = outputs.argmax(axis=1).reshape(GRID, GRID)
    axes.contourf(*sides, largest, levels=np.arange(classes + 1) - 0.5, colors=CLASS_COLOURS[:classes], alpha=0.35)


def _classes(figure: Any, axes: Any, problem: Problem) -> None:
    """The samples of each class, told apart by their marks too."""
    X, Y = problem.X, problem.Y
    several = Y.shape[1] > 1
    classes = Y.argmax(axis=1) if several else (Y[:, 0] > 0.5).astype(int)
    colours = CLASS_COLOURS if several else END_COLOURS
    for k in range(Y.shape[1] if several else 2):
        name = f"largest target: {k + 1}" if several else f"target {k}"
        style = {"marker": CLASS_MARKS[k], "color": colours[k], "markeredgecolor": "white", "markeredgewidth": 0.5}
        axes.plot(*X[classes == k].T, linestyle="none", markersize=_mark_size(problem), label=name, **style)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)


def _mark_size(problem: Problem) -> int:
    return 5 if problem.rows > FEW else 8


def _has_classes(problem: Problem) -> bool:
    """Whether the targets name classes: one of several outputs, or 0 and 1 of one."""
    return problem.sizes[-1] > 1 or bool(np.isin(problem.Y, (0.0, 1.0)).all())


def _epochs(training: Training) -> str:
    return f"{len(training.losses):,} epoch{'s' if len(training.losses) > 1 else ''}"


def _title(training: Training) -> str:
    """The problem's title, the epochs, and where it departs from the gradient."""
    sentences = (f"{training.problem.title} ({_epochs(training)})", *departures(training.problem))
    return "\n".join(fill(sentence, TITLE_WIDTH) for sentence in sentences)


def _outputs(training: Training, plane: Array) -> Array:
    """The network's outputs for other inputs: the same program over other rows."""
    problem, final = training.problem, training.final
    program = build(problem, len(plane))
    targets = problem.laid_out(np.zeros((len(plane), problem.sizes[-1])))
    data = {program.layer(1).inputs: problem.taken_in(plane), program.targets: targets}
    given = [data[each] if each in data else final[each] for each in program.inputs]
    with np.errstate(all="ignore"):
        results = dict(zip(program.computed, program.numpy.run(*given), strict=True))
    return problem.laid_out(results[program.output])
