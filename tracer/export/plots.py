"""The plots of a training: the loss curve and, for two inputs and one output, the decision boundary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tracer.errors import ExportError
from tracer.files import replace_file
from tracer.network.program import build
from tracer.network.remarks import departures
from tracer.training import Training

GRID = 200  # points along each side of the boundary's picture
MARGIN = 0.08


def write_plots(training: Training, folder: Path) -> list[Path]:
    """Write the plots as SVG; returns their paths. Raises ExportError where matplotlib is missing."""
    try:
        import matplotlib
    except ImportError:
        raise ExportError("plots need matplotlib: pip install matplotlib (or leave out -o)") from None
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "tracer"  # the same problem, the same bytes
    name = training.problem.name
    paths = [_save(_loss(training), folder / f"{name}.loss.svg")]
    if training.problem.sizes[0] == 2 and training.problem.sizes[-1] == 1:
        paths.append(_save(_boundary(training), folder / f"{name}.boundary.svg"))
    return paths


def _figure() -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(7, 4.5), layout="constrained")


def _save(figure: Any, path: Path) -> Path:
    replace_file(path, lambda file: figure.savefig(file, format="svg", metadata={"Date": None}))
    return path


def _loss(training: Training) -> Any:
    figure = _figure()
    axes = figure.subplots()
    axes.plot(np.arange(1, len(training.losses) + 1), training.losses, color="#37474f")
    axes.set(title=_title(training), xlabel="epoch", ylabel=f"loss ({training.problem.loss_shown})")
    axes.grid(alpha=0.3)
    return figure


def _boundary(training: Training) -> Any:
    """The output over the plane of the two inputs, its 0.5 line, and the samples."""
    X, Y = training.problem.X, training.problem.Y[:, 0]
    span = np.ptp(X, axis=0) * MARGIN
    sides = [np.linspace(X[:, k].min() - span[k], X[:, k].max() + span[k], GRID) for k in (0, 1)]
    plane = np.stack([side.ravel() for side in np.meshgrid(*sides)], axis=1)
    outputs = _outputs(training, plane).reshape(GRID, GRID)
    figure = _figure()
    axes = figure.subplots()
    shades = axes.contourf(*sides, outputs, levels=20, cmap="coolwarm", alpha=0.7)
    figure.colorbar(shades, ax=axes, label="output")
    if outputs.min() < 0.5 < outputs.max():
        axes.contour(*sides, outputs, levels=[0.5], colors="k", linewidths=1.5)
    axes.scatter(X[:, 0], X[:, 1], c=Y, cmap="coolwarm", edgecolors="white", linewidths=0.6, s=28)
    axes.set(title=_title(training), xlabel="input 1", ylabel="input 2")
    return figure


def _title(training: Training) -> str:
    """The problem's title, the epochs, and where it departs from the gradient."""
    epochs = f"{len(training.losses):,} epoch{'s' if len(training.losses) > 1 else ''}"
    return "\n".join((f"{training.problem.title} ({epochs})", *departures(training.problem)))


def _outputs(training: Training, plane: np.ndarray[Any, np.dtype[np.float64]]) -> Any:
    """The network's output for other inputs: the same program over other rows."""
    final = training.final
    program = build(training.problem, len(plane))
    given = (plane, np.zeros((len(plane), 1)), *final.given[2:])
    with np.errstate(all="ignore"):
        results = dict(zip(program.computed, program.run(*given), strict=True))
    return results[f"A{training.problem.depth}"]
