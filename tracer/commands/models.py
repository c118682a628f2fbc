"""Models of frameworks on the command line: ONNX, which is data and not code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracer.errors import TracerError

if TYPE_CHECKING:
    from tracer.run.passes import AnyProblem

MODEL_FILES = (".onnx", ".pt", ".pth", ".pkl", ".pickle", ".joblib", ".h5", ".keras")
"""Endings that are a model's; all but the first are refused with the reason."""

DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="FILE", help="Of a model: the samples, a .csv or .xlsx file.")
]
TargetsOption = Annotated[
    str | None, typer.Option("--targets", metavar="COLUMNS", help="Of a model: the targets' columns, as in y1,y2.")
]
LossOption = Annotated[
    str | None, typer.Option("--loss", metavar="NAME", help="Of a model: the loss, as in cross_entropy or mse_loss.")
]


def is_model(source: str) -> bool:
    """Whether a name is that of a model and not of a problem."""
    return Path(source).suffix.lower() in MODEL_FILES


def load_model(source: str, data: Path | None, targets: str | None, loss: str | None, rate: float = 0.1) -> AnyProblem:
    """The problem of a model's file with the samples of a table. Raises TracerError."""
    from tracer.frameworks.models import from_onnx
    from tracer.frameworks.onnx_files import read_onnx
    from tracer.problem.reading import read_samples

    model = read_onnx(source, source)
    missing = [name for name, value in (("--data", data), ("--targets", targets), ("--loss", loss)) if value is None]
    if data is None or targets is None or loss is None:
        raise TracerError(f"{source}: a model needs {', '.join(missing)}: its samples, their targets, and its loss")
    samples = read_samples(data, [each.strip() for each in targets.split(",") if each.strip()])
    title = Path(source).stem
    return from_onnx(model, samples.X, samples.Y, loss=loss, learning_rate=rate, title=title, name=title)


def import_model(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="An ONNX file.")],
    data: DataOption = None,
    targets: TargetsOption = None,
    loss: LossOption = None,
    learning_rate: Annotated[float, typer.Option(min=0, metavar="RATE", help="The learning rate.")] = 0.1,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="The problem file to write.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write the problem of a model: ONNX is read, and nothing of it executed."""
    from tracer.problem.saving import toml_of

    problem = load_model(model, data, targets, loss, learning_rate)
    if output is None:
        typer.echo(toml_of(problem.to_document()), nl=False)
        return
    if output.exists() and not force:
        raise TracerError(f"{output}: is there already; --force replaces it")
    typer.echo(problem.save(output))
