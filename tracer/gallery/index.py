"""The gallery's first page: one slider and one loss, a mistake to find, and a card for every built-in example.

One file without a request to anywhere, beside the files that its cards link to. The numbers of its first two parts
are recalculated by the script that the pages of examples have (engine/).
"""

from __future__ import annotations

import base64
import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from markupsafe import Markup

from tracer.expression import scalar as s
from tracer.expression.digits import fixed
from tracer.expression.evaluate import evaluate_cell
from tracer.expression.label import label_mathml
from tracer.expression.lower import lower, precedents
from tracer.expression.mathml import cell_mathml
from tracer.expression.scalar import Cell
from tracer.files import write_text
from tracer.page.script import to_json
from tracer.page.script_data import engine_script, script_data
from tracer.page.views import math
from tracer.presentation.stage_svg import stage_svg
from tracer.presentation.templates import read_template, render
from tracer.problem.example_groups import EXAMPLE_GROUPS
from tracer.problem.names import Names, names_of
from tracer.problem.reading import load_any, load_problem
from tracer.run.passes import Pass
from tracer.run.training import trace

TURNED = "mlp-paper"  # the network of the slider, whose last layer's first weight is turned
COPIED = "mazur"  # the network of the mistake: two hidden units, two outputs, one sample
COPIED_DIGITS = 8  # as in the sheets: the mistake shows in the sixth of them
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Card:
    """An example: its question, what to look at first, a picture of one formula, and the files there are of it."""

    name: str
    title: str
    question: str
    look: str
    picture: Markup
    files: Mapping[str, str]


@dataclass(frozen=True)
class Line:
    """A gradient that stands in the copied sheet: what it is called, how it was worked, and whether that is right."""

    name: Markup
    working: Markup
    claimed: str
    right: str


@dataclass(frozen=True)
class Turned:
    """The slider: of which weight, from where to where, and of which network the loss is."""

    name: Markup
    matrix: str
    start: float
    least: float
    most: float
    loss: str
    gradient: str
    data: Markup


def write_index(folder: Path) -> None:
    """Write index.html, which links to the files that are in the folder.

    Raises ExportError where it cannot be written.
    """
    write_text(folder / "index.html", render_index(folder))


def render_index(folder: Path) -> str:
    """The page as HTML."""
    text = engine_script() + read_template("gallery.js")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    cards = tomllib.loads((_FOLDER / "cards.toml").read_text(encoding="utf-8"))
    groups = {group: [_card(name, cards[name], folder) for name in names] for group, names in EXAMPLE_GROUPS.items()}
    return render(
        "gallery.html.j2",
        None,
        groups=_paper_first(groups),
        turned=_turned(),
        lines=list(_copied()),
        network=COPIED,
        first=TURNED,
        script=Markup(text),
        hash=f"sha256-{digest}",
    )


def _paper_first(groups: Mapping[str, Sequence[Card]]) -> dict[str, Sequence[Card]]:
    (eleven, first), (paper, second), *others = groups.items()
    return {paper: second, eleven: first, **dict(others)}


FILES = {  # by what a link says
    "Open": "{}.html",
    "Practise": "{}.worksheet.html",
    "Derivation": "{}.derivation.html",
    "Excel": "{}.xlsx",
    "Training": "{}.training.html",
}


def _card(name: str, card: Mapping[str, str], folder: Path) -> Card:
    problem = load_any(name)
    there = {word: file.format(name) for word, file in FILES.items() if (folder / file.format(name)).exists()}
    picture = stage_svg(trace(problem), card["matrix"])
    return Card(name, problem.title, card["question"], card["look"], picture, there)


# ---- One slider and one loss ----


def _turned() -> Turned:
    problem = load_problem(TURNED)
    run = trace(problem)
    program = run.first.program
    matrix = program.layers[-1].weights
    gradient = next(each.id for each in program.assignments.values() if each.role == "gradient" and each.of == matrix)
    start = float(run.first[matrix][0, 0])
    return Turned(
        name=math(label_mathml(names_of(problem).cell(matrix, 0, 0))),
        matrix=matrix,
        start=start,
        least=start - 3,
        most=start + 3,
        loss=program.loss,
        gradient=gradient,
        data=Markup(to_json(script_data(run, run.first))),
    )


# ---- The mistake that was copied ----


def _copied() -> Iterator[Line]:
    """The gradients of the first layer's weights, unit by unit, each worked with the first unit's slope."""
    run = trace(load_problem(COPIED))
    names, layer = names_of(run.problem), run.first.program.layer(1)
    for unit in range(run.first[layer.activation].shape[1]):
        for source in range(run.first[layer.inputs].shape[1]):
            cell = Cell(layer.weights_gradient, source, unit)
            right = _written_out(run.first, cell, (layer.delta, layer.slope))
            worked = _replaced(right, {Cell(layer.activation, 0, unit): Cell(layer.activation, 0, 0)})
            yield Line(
                name=math(_cell_name(names, cell)),
                working=math(cell_mathml(worked, partial(_cell_name, names))),
                claimed=fixed(_value(run.first, worked), COPIED_DIGITS),
                right=fixed(_value(run.first, right), COPIED_DIGITS),
            )


def _cell_name(names: Names, cell: Cell) -> str:
    return label_mathml(names.cell(cell.matrix, cell.row, cell.column))


def _written_out(one: Pass, cell: Cell, within: tuple[str, ...]) -> s.Scalar:
    """The rule of a cell, with the rules of the matrices `within` it in their place."""
    made = one.program.assignments[cell.matrix].expression
    assert made is not None
    rule = lower(made, cell.row, cell.column)
    rule = next(iter(rule.terms())) if isinstance(rule, s.Fold) and rule.count == 1 else rule
    return _replaced(
        rule, {each: _written_out(one, each, within) for each in precedents(rule) if each.matrix in within}
    )


def _replaced(expression: s.Scalar, cells: Mapping[Cell, s.Scalar]) -> s.Scalar:
    """An expression with others in the place of cells; a product in a product is one."""
    if isinstance(expression, Cell):
        return cells.get(expression, expression)
    parts = s.children(expression)
    made = s.rebuild(expression, tuple(_replaced(part, cells) for part in parts)) if parts else expression
    if not isinstance(made, s.Product):
        return made
    return s.Product(
        tuple(f for each in made.factors for f in (each.factors if isinstance(each, s.Product) else (each,)))
    )


def _value(one: Pass, expression: s.Scalar) -> float:
    return evaluate_cell(expression, lambda cell: float(one[cell.matrix][cell.row, cell.column]))
