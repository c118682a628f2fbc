"""Problems: the built-in examples and new ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracer.commands.shape import example_completions
from tracer.errors import TracerError

if TYPE_CHECKING:
    from tracer.variation.certificate import Certificate


def examples(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", autocompletion=example_completions, help="Print this one's TOML."),
    ] = None,
) -> None:
    """List the built-in examples by group, or print one as a problem file to start from."""
    from tracer.problem.example_groups import EXAMPLE_GROUPS
    from tracer.problem.reading import example_names, example_text, load_any

    if name is not None:
        typer.echo(example_text(name), nl=False)
        return
    width = max(map(len, example_names()))
    for group, names in EXAMPLE_GROUPS.items():
        typer.echo(group)
        for each in names:
            typer.echo(f"  {each:<{width}}  {load_any(each).title}")


def new(
    layers: Annotated[str, typer.Option(metavar="SIZES", help="Sizes from inputs to outputs, as in 3-4-2.")] = "3-4-2",
    rows: Annotated[int, typer.Option(min=2, max=50, metavar="N", help="How many samples.")] = 4,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="The same seed gives the same problem.")] = 1,
    hidden: Annotated[str, typer.Option(metavar="NAME", help="Activation of the hidden layers.")] = "sigmoid",
    output_activation: Annotated[
        str, typer.Option("--output-activation", metavar="NAME", help="Activation of the output layer.")
    ] = "sigmoid",
    loss: Annotated[str, typer.Option(metavar="NAME", help="The loss.")] = "half_squared_error",
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    diagnostic: Annotated[
        bool, typer.Option("--diagnostic", help="Numbers that tell every slip apart, with a certificate beside them.")
    ] = False,
) -> None:
    """Make up a problem with hand-friendly numbers that do not hide slips."""
    from tracer.files import write_text
    from tracer.invent import invent
    from tracer.presentation.theme import theme_of

    choices = (layers, rows, seed, hidden, output_activation, loss)
    if output is None:
        typer.echo(_diagnostic(*choices)[0] if diagnostic else invent(*choices), nl=False)
        return
    if output.exists() and not force:
        raise TracerError(f"{output}: is there already; --force replaces it")
    if not diagnostic:
        write_text(output, invent(*choices))
        typer.echo(output)
        return
    text, certificate = _diagnostic(*choices)
    start = output.with_suffix("")
    page, proof = (start.with_name(f"{start.name}.certificate{end}") for end in (".html", ".json"))
    document = json.dumps(certificate.to_document(), ensure_ascii=False, indent=1) + "\n"
    for path, content in ((output, text), (page, certificate.render(theme_of())), (proof, document)):
        write_text(path, content)
        typer.echo(path)


def _diagnostic(layers: str, rows: int, seed: int, hidden: str, output: str, loss: str) -> tuple[str, Certificate]:
    """A problem that tells every slip apart, as TOML, and its certificate."""
    from tracer.invent import practice_base, practice_text
    from tracer.problem.problem import Problem
    from tracer.variation.certificate import certify
    from tracer.variation.search import find

    base = practice_base(layers, rows, seed, hidden, output, loss)
    found = find(base, 1, str(seed))
    (variant,) = found.variants
    assert isinstance(variant, Problem)  # as its base is
    return practice_text(base, variant, seed), certify(found)
