"""What a problem means, as facts that can be written down: steps, expressions, names, values, formulas.

A fact has a key (a step, a matrix, a name) and a text or a matrix. An example's ways are all combinations of
conventions and `[reproduce]` settings that it admits; tests/golden/test_meaning.py holds the facts of each.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

# The product's functions: nothing below this block says where one of them is.
from tracer.errors import ProblemError
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.evaluate import evaluate
from tracer.expression.formula import to_formula
from tracer.expression.label import label_text
from tracer.expression.lower import lower
from tracer.expression.text import matrix_text
from tracer.lesson.build import build, by_hand
from tracer.problem.convention import NameStyle
from tracer.problem.names import names_of
from tracer.problem.problem import Problem, problem_from_document
from tracer.problem.reading import example_text
from tracer.problem.remarks import conventions, departures
from tracer.program.naming_policy import RATE
from tracer.program.program import Assignment
from tracer.run.passes import Pass
from tracer.run.training import trace
from tracer.workbook.array_formulas import array_formulas

Array: TypeAlias = NDArray[np.float64]
Way: TypeAlias = Mapping[str, Any]
Facts: TypeAlias = dict[str, str]

MOST_ROWS = 4  # of an example's data: more rows mean the same
OF_CONVENTION: dict[str, tuple[Any, ...]] = {
    "error": ("output - target", "target - output"),
    "learning_rate_in": ("update", "delta"),
    "reduction": ("sum", "mean"),
    "bias_update": (True, False),
    "softmax_slope": ("jacobian", "fused"),
    "relu_slope_at_zero": (0, 1),
}
OF_REPRODUCE: dict[str, tuple[Any, ...]] = {
    "diagonal": (None, "diagonal"),  # the file's key is softmax_slope, which a convention has too
    "rate_twice": (False, True),
    "updated_weights_sent_back": (False, True),
}
CARRIED = "carry_rounded"  # neither of them, but in the expressions too: tried with the example's own settings
STYLES = get_args(NameStyle)


@cache
def document_of(example: str) -> dict[str, Any]:
    """An example's problem file with its data written in it, of which a few rows are left."""
    document = tomllib.loads(example_text(example))
    document["data"] = {key: rows[:MOST_ROWS] for key, rows in document["data"].items()}
    return document


def ways(example: str) -> Iterator[tuple[Way, Problem | None]]:
    """Every combination of settings, with the problem that it makes; None where the reader refuses it."""
    document = document_of(example)
    kinked = any(layer["activation"] in ("relu", "leaky_relu") for layer in document["layers"])
    settings = OF_CONVENTION | OF_REPRODUCE
    choices = [options if kinked or key != "relu_slope_at_zero" else options[:1] for key, options in settings.items()]
    for combination in product(*choices):
        way = {**dict(zip(settings, combination, strict=True)), CARRIED: False}
        yield way, _problem(example, way)
    own = {**own_way(example), CARRIED: True}
    yield own, _problem(example, own)


def own_way(example: str) -> Way:
    """The settings that an example has."""
    problem = problem_from_document(document_of(example), example, example)
    return {
        **{key: getattr(problem.convention, key) for key in OF_CONVENTION},
        **{key: getattr(problem.reproduce, _key_of(key)) for key in OF_REPRODUCE},
        CARRIED: problem.carry_rounded,
    }


def _key_of(setting: str) -> str:
    return "softmax_slope" if setting == "diagonal" else setting


def _problem(example: str, way: Way) -> Problem | None:
    changed = document_of(example) | {
        "convention": {key: way[key] for key in OF_CONVENTION},
        "reproduce": {_key_of(key): way[key] for key in OF_REPRODUCE if way[key]},
        CARRIED: way[CARRIED],
    }
    try:
        return problem_from_document(changed, example, example)
    except ProblemError:
        return None


def steps_of(problem: Problem) -> Facts:
    """The order of the steps, each step with what it assigns, and what is said of the settings."""
    steps = build(problem).steps
    facts = {
        f"step {step.label}": f"{step.number}, layer {step.layer or '–'}, {step.title}: "
        + ", ".join(each.id for each in step.assignments)
        for step in steps
    }
    said = {f"“{sentence}”": "is said" for sentence in (*conventions(problem), *departures(problem))}
    return {"order": " ".join(step.label for step in steps), **facts, **said}


def expressions_of(problem: Problem) -> Facts:
    """Every matrix: its shape and how it is made; where it is told otherwise by hand, that too."""
    program = build(problem)
    told = by_hand(problem, program).assignments
    facts = {}
    for key, each in program.assignments.items():
        facts[key] = _made(each)
        if told[key] != each:
            facts[f"{key} by hand"] = _made(told[key])
    return facts


def _made(each: Assignment) -> str:
    text = "given" if each.expression is None else matrix_text(each.expression)
    return f"{each.shape[0]}×{each.shape[1]} | {text}"


def names_of_styles(problem: Problem) -> Facts:
    """In every style: what a matrix, its last cell, and the derivatives that the two are, are called."""
    facts = {}
    for style in STYLES:
        names = names_of(replace(problem, names=replace(problem.names, style=style)))
        for key, each in build(problem).assignments.items():
            last = (each.shape[0] - 1, each.shape[1] - 1)
            fractions = (names.fraction(key), names.fraction(key, last))
            called = (names.matrix(key), names.cell(key, *last), *filter(None, fractions))
            facts[f"{style} {key}"] = " ; ".join(map(label_text, called))
        facts[f"{style} {RATE}"] = label_text(names.matrix(RATE))
    return facts


def pass_of(problem: Problem) -> Pass:
    """The first pass, as it is recorded."""
    return trace(problem).first


def largest_term(one: Pass, key: str) -> float:
    """A bound of everything that is added up, or taken off, in the cells of a matrix."""
    made = one.program.assignments[key].expression
    values = {**one.matrices, RATE: one[RATE]}
    sizes = [float(np.abs(one[key]).max())]
    for part in traversal.parts(made) if made is not None else ():
        sizes.append(float(np.abs(evaluate(part, values)).max()))
        if isinstance(part, m.MatMul):
            sizes.append(float((np.abs(evaluate(part.left, values)) @ np.abs(evaluate(part.right, values))).max()))
    return max(sizes)


class CellNames:
    """Where cells lie, said in matrices: Z1[2,3]; in array formulas the whole of one is Z1."""

    def __init__(self, shapes: Mapping[str, m.Shape] | None = None) -> None:
        self.shapes = shapes  # None where formulas are of single cells

    def cell(self, cell: s.Cell) -> str:
        return f"{cell.matrix}[{cell.row + 1},{cell.column + 1}]"

    def block(self, block: s.Block) -> str:
        first = self.cell(s.Cell(block.matrix, block.row, block.column))
        last = self.cell(s.Cell(block.matrix, block.row + block.rows - 1, block.column + block.columns - 1))
        if self.shapes is None or (first != last and (block.rows, block.columns) != self.shapes[block.matrix]):
            return f"{first}:{last}"
        return block.matrix if (block.rows, block.columns) == self.shapes[block.matrix] else first


@cache
def _formulas(made: m.Matrix) -> tuple[str, str]:
    cells = CellNames()
    whole: Any = CellNames({each.name: each.shape for each in traversal.symbols(made)})
    formulas = (to_formula(lower(made, *place), cells) for place in np.ndindex(made.shape))
    return "; ".join(formulas), "; ".join(array_formulas(made, whole)) or "none"


def formulas_of(problem: Problem) -> Facts:
    """Every computed matrix: the formulas of its cells, row by row, and its array formula or those of its rows."""
    facts = {}
    for key, each in build(problem).assignments.items():
        if each.expression is not None:
            facts[key], facts[f"{key} as a matrix"] = _formulas(each.expression)
    return facts
