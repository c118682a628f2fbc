"""One pass as data for the page's script: its numbers, the rules that make them, and what everything is called.

templates/engine/ interprets these rules, which are the program's own expressions; nothing is said a second
time. An expression is [what it is, [what is inside], what else it has …]; a text is a symbol (in the rule of a
cell a variable), a number a constant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, TypeAlias, assert_never, get_args

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.label import Label, Name, Ratio
from tracer.presentation.shown import shown
from tracer.presentation.stage import stage_document, stage_of
from tracer.presentation.templates import templates_folder
from tracer.problem.convention import NameStyle
from tracer.problem.names import LOSS, NamedPart, Names, names_of
from tracer.program.naming_policy import RATE
from tracer.run.passes import AnyProblem, Pass, Trace

ENGINE = ("digits", "numeral", "label", "matrix", "scalar", "lower", "picking", "worked", "mathml", "chain", "engine")
STYLES: tuple[NameStyle, ...] = get_args(NameStyle)
MOST_SHIPPED = 20_000  # cells; of more, the script works the values out itself and has names in fewer styles
MOST_CELLS = 200_000  # more are not for a page to recalculate

Json: TypeAlias = Any


@cache
def engine_script() -> str:
    """The script that interprets `script_data`, for a page to hold."""
    return bundled(f"engine/{name}.js" for name in ENGINE)


def bundled(names: Iterable[str]) -> str:
    """Files of templates/ as one script: one after the other, without comments, closed off from the rest."""
    folder = templates_folder()
    source = "".join((folder / name).read_text(encoding="utf-8") for name in names)
    bare = re.sub(r"\s*\n\s*", "\n", re.sub(r"/\*\*[\s\S]*?\*/|(?<!\S)//.*", "", source))
    return f'(() => {{\n"use strict";{bare}}})();\n'


def script_data(trace: Trace[AnyProblem], one: Pass, rules: Rules | None = None) -> dict[str, Json] | None:
    """What the script needs of one pass; None where the pass has more than MOST_CELLS cells.

    `rules` may have written others before, or write more afterwards.
    """
    cells = sum(one[identifier].size for identifier in one)
    if cells > MOST_CELLS:
        return None
    problem, ships = trace.problem, cells <= MOST_SHIPPED
    every = ships and one.program.by_layers
    styles = [style for style in STYLES if every or style in ("matrix", problem.names.style)]
    names = {style: names_of(replace(problem, names=replace(problem.names, style=style))) for style in styles}
    rules = rules or Rules()
    return {
        "given": {identifier: one[identifier].tolist() for identifier in one.program.inputs},
        "computed": list(_computed(one, rules, ships)),
        "rules": rules.written,
        "decimals": dict(shown(trace, one).decimals),
        "style": problem.names.style,
        "labels": {style: _labels(each, one) for style, each in names.items()},
        "derivatives": dict(_derivatives(names["matrix"], one)),
    }


def told_roles(one: Pass) -> dict[str, dict[str, Json]]:
    """What each matrix is, for a page that lights up what belongs together; what has nothing to say is left out."""
    made = one.program.assignments.values()
    told = ((each.id, {"role": each.role, "kind": each.kind, "of": each.of, "layer": each.layer}) for each in made)
    return {key: {word: what for word, what in parts.items() if what is not None} for key, parts in told}


def _computed(one: Pass, rules: Rules, ships: bool) -> Iterator[dict[str, Json]]:
    for each in one.program.assignments.values():
        if each.expression is not None:
            made = {"id": each.id, "shape": each.shape, "rule": rules.matrix(each.expression)}
            made["stage"] = stage_document(stage_of(each.expression))
            yield made | ({"value": one[each.id].tolist()} if ships else {})


class Rules:
    """Writes expressions as lists; the rules that `Apply` takes to every cell are written once, in `written`."""

    def __init__(self) -> None:
        self.written: list[Json] = []
        self._places: dict[s.Scalar, int] = {}

    def matrix(self, expression: m.Matrix) -> Json:
        """A matrix expression; of a symbol only its name."""
        inside = [self.matrix(operand) for operand in traversal.operands(expression)]
        match expression:
            case m.Symbol(name):
                return name
            case m.Constant(value):
                return value
            case m.Identity(size):
                return ["identity", inside, size]
            case m.MatMul():
                return ["matmul", inside]
            case m.Transpose():
                return ["transpose", inside]
            case m.Repeat(_, over, shape):
                return ["repeat", inside, over, *shape]
            case m.Broadcast(operator):
                return ["broadcast", inside, operator]
            case m.Apply(template, arguments):
                return ["apply", inside, [name for name, _ in arguments], self._place(template)]
            case m.Reduce(operation, _, over):
                return ["reduce", inside, operation, over]
            case m.Row(_, index):
                return ["row", inside, index]
            case m.Stack(_, over):
                return ["stack", inside, *([over] if over != "rows" else [])]
            case m.Part(_, rows, columns):
                return ["part", inside, rows, columns]
            case m.Scatter(_, rows, columns, shape):
                return ["scatter", inside, rows, columns, *shape]
            case m.Reshape(_, shape):
                return ["reshape", inside, *shape]
            case m.Correlation(_, _, shape, step, spacing, padding) | m.Spread(_, _, shape, step, spacing, padding):
                return [type(expression).__name__.lower(), inside, *shape, step, spacing, padding]
            case m.Pool(operation, _, size):
                return ["pool", inside, operation, *size]
            case m.FirstMaximum(_, size):
                return ["firstmaximum", inside, *size]
            case m.Detached():
                return ["detached", inside]
            case m.Rounded(_, decimals):
                return ["rounded", inside, decimals]
            case m.StableForm():
                return ["stable", inside]
            case _:
                assert_never(expression)

    def _place(self, template: s.Scalar) -> int:
        if template not in self._places:
            self._places[template] = len(self.written)
            self.written.append(written(template))
        return self._places[template]


def written(expression: s.Scalar) -> Json:
    """A scalar expression. That a power of e stays below 1, and what a value is of, are of no use to the script."""
    inside = [written(part) for part in s.children(expression)]
    match expression:
        case s.Number(value):
            return value
        case s.Variable(name):
            return name
        case s.Cell(matrix, row, column):
            return ["cell", inside, matrix, row, column]
        case s.Value(value, decimals):
            return ["value", inside, value, decimals]
        case s.Omitted(count, value):
            return ["omitted", inside, count, value]
        case s.Power(_, exponent):
            return ["power", inside, exponent]
        case s.Raised(base):
            return ["raised", inside, base]
        case s.Function(name):
            return ["function", inside, name]
        case s.Round(_, decimals):
            return ["round", inside, decimals]
        case s.Where(_, relation):
            return ["where", inside, relation]
        case s.Fold(operation, _, blocks):
            return ["fold", inside, operation, [[name, _block(block)] for name, block in blocks]]
        case (
            s.Negative() | s.Sum() | s.Product() | s.Quotient() | s.Exp() | s.Log() | s.Tanh() | s.Absolute()
            | s.Maximum() | s.Stable()
        ):  # fmt: skip
            return [type(expression).__name__.lower(), inside]
        case _:
            assert_never(expression)


def _block(block: s.Block) -> tuple[Json, ...]:
    return (block.matrix, block.row, block.column, block.rows, block.columns, block.transposed)


def _labels(names: Names, one: Pass) -> dict[str, Json]:
    """The names of one style.

    `names` has every matrix and its cells, but for those that are called by the derivative that they are: the
    script puts derivatives together from what they are of and by, where `fractions` does not have them whole.
    """
    known: dict[str, Json] = {}
    fractions: dict[str, Json] = {}
    error = _first_gradient(names, one)
    for identifier in (RATE, *one):
        name, fraction = names.matrix(identifier), names.fraction(identifier)
        if name != fraction:
            known[identifier] = [_name(name), _cells(names, identifier, one[identifier].shape)]
        if fraction is not None and fraction != _composed(names, identifier, error):
            fractions[identifier] = _name(fraction)
    loss, rate, negative = _name(error.top), _name(names.learning_rate()), error.negative
    return {"loss": loss, "rate": rate, "negative": negative, "names": known, "fractions": fractions}


def _first_gradient(names: Names, one: Pass) -> Ratio:
    """The first factor of every chain, with the convention's sign: the error, or a program's first gradient."""
    gradients = (each.id for each in one.program.assignments.values() if each.role == "gradient")
    error = next(map(names.fraction, gradients))
    assert error is not None  # every gradient is a fraction
    return error


def _composed(names: Names, identifier: str, error: Ratio) -> Ratio:
    """A matrix's derivative as the script puts it together: of and by whole matrices."""
    parts, fraction = names.derivative(identifier), names.fraction(identifier)
    assert parts is not None and fraction is not None
    (of, _), (by, _) = parts
    top, bottom = names.matrix(of), names.matrix(by)
    assert isinstance(top, Label) and isinstance(bottom, Label)
    return replace(fraction, top=error.top if parts[0] == LOSS else top, bottom=bottom)


def _name(name: Name) -> Json:
    match name:
        case Label(base, sub, sup, hat):
            return _shortened([base, sub, sup, hat])
        case Ratio(top, bottom, negative, factor):
            made = {"top": _name(top), "bottom": _name(bottom), "negative": negative}
            return made | ({"factor": _name(factor)} if factor else {})
        case _:
            assert_never(name)


def _shortened(label: list[Json]) -> list[Json]:
    """A label without the empty parts at its end."""
    return label if label[-1] else _shortened(label[:-1])


def _cells(names: Names, identifier: str, shape: m.Shape) -> list[Json]:
    """The label of every cell at once, each part a pattern over the first cell, those below and beside it, the last."""
    rows, columns = shape
    places = ((0, 0), (min(1, rows - 1), 0), (0, min(1, columns - 1)), (rows - 1, columns - 1))
    labels = [names.cell(identifier, *place) for place in places]
    texts = zip(*((each.base, each.sub, each.sup) for each in labels if isinstance(each, Label)), strict=True)
    first = labels[0]
    assert isinstance(first, Label)
    return _shortened([*(_pattern(each, shape) for each in texts), first.hat])


def _pattern(corners: Sequence[str], shape: m.Shape) -> Json:
    """A text of every cell: pieces, in which [a, b, c] is the number a·row + b·column + c; one piece alone as it is.

    The last cell shows whether the first three were enough to find the pattern.
    """
    if len(set(corners)) == 1:
        return corners[0]
    rows, columns = shape
    pieces: list[Json] = [""]
    for first, below, beside, last in zip(*(re.split("([0-9]+)", each) for each in corners), strict=True):
        if first == below == beside == last:
            pieces[-1] += first
        else:
            a, b, c = line = _line(int(first), int(below), int(beside))
            assert int(last) == a * (rows - 1) + b * (columns - 1) + c, corners[0]
            pieces += [line, ""]
    return [piece for piece in pieces if piece] if len(pieces) > 1 else pieces[0]


def _line(first: int, below: int, beside: int) -> list[int]:
    return [below - first, beside - first, first]


def _derivatives(names: Names, one: Pass) -> Iterator[tuple[str, dict[str, Json]]]:
    """Of every backward matrix which cell it is the derivative of (the loss: nothing said) and by which.

    `rate`: it carries the learning rate. `minus`: it is negative where the error is not. `departs`: it is not the
    gradient that it is called.
    """
    error = _first_gradient(names, one)
    for identifier in one:
        fraction = names.fraction(identifier)
        if fraction is None:
            continue
        parts = [names.derivative(identifier, place) for place in ((0, 0), (1, 0), (0, 1))]
        of, by = (_part([each[side] for each in parts if each is not None]) for side in (0, 1))
        minus = fraction.negative and not error.negative
        flags = {
            "rate": fraction.factor is not None,
            "minus": minus,
            "departs": one.program.assignments[identifier].reproduced,
        }
        yield identifier, {key: said for key, said in {"of": of, "by": by, **flags}.items() if said}


def _part(at: Sequence[NamedPart]) -> Json:
    """A matrix and the patterns of row and column, or the matrix alone where they are the cell's own."""
    matrix, first = at[0]
    if first is None:
        return None
    places = [place for _, place in at if place is not None]
    row, column = (_line(*(place[side] for place in places)) for side in (0, 1))
    return matrix if (row, column) == ([1, 0, 0], [0, 1, 0]) else [matrix, row, column]
