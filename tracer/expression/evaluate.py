"""The numpy reading: expressions become the source of one straight function.

A program of assignments compiles to Python source without a loop or a branch, which numpy
runs and which keeps every result by reference. All names in the source are identifiers of
ours; no text of a problem file ever gets here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from types import CodeType
from typing import TypeAlias

import numpy as np

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.arrays import Array
from tracer.expression.numpy_source import (
    SCOPE,
    Leaf,
    is_view,
    matrix_source,
    repeated,
    scalar_source,
    variable,
    written,
)

Compiled: TypeAlias = Callable[..., tuple[Array, ...]]

_CELL_SCOPE = dict(SCOPE)


def compile_program(
    assignments: Iterable[tuple[str, m.Matrix]],
    inputs: Sequence[str],
    wanted: Sequence[str] | None = None,
    by_columns: Collection[str] = (),
) -> Compiled:
    """One function that takes the inputs in order and returns every assigned matrix, or those `wanted`, in order.

    Each result is a new array; an update never writes into what it updates. Very large ones are written into what the
    function's last parameter, `new`, gives for their shape (numpy's `empty` unless told otherwise), those named in
    `by_columns` column by column. What is not wanted is computed only where it is needed, and let go after its last
    use.
    """
    rules = list(assignments)
    results = [name for name, _ in rules] if wanted is None else list(wanted)
    kept = _needed(rules, results)
    numbers = _numbers(kept, inputs)
    lines = [f"{number} = {variable(name)}.item()" for name, number in numbers.items()]
    let_go = {} if wanted is None else _last_uses(kept, results)
    for name, expression in kept:
        lines.extend(_statements(name, expression, numbers, name in by_columns))
        lines.extend(f"del {variable(each)}" for each in let_go.get(name, ()))
    body = "\n    ".join((*lines, f"return ({', '.join(map(variable, results))},)"))
    scope = dict(SCOPE)
    parameters = ", ".join((*map(variable, inputs), "new=empty"))
    exec(compile(f"def run({parameters}):\n    {body}\n", "<tracer program>", "exec"), scope)
    run: Compiled = scope["run"]
    return run


def _numbers(assignments: Iterable[tuple[str, m.Matrix]], inputs: Collection[str]) -> dict[str, str]:
    """The inputs of a single cell that other matrices are multiplied by or the like, and what holds their number."""
    parts = (
        part for _, expression in assignments for part in traversal.parts(expression) if isinstance(part, m.Broadcast)
    )
    sides = ((m.unrepeated(part.left), m.unrepeated(part.right)) for part in parts)
    pairs = (pair for left, right in sides for pair in ((left, right), (right, left)))
    return {
        side.name: f"number_{side.name}"
        for side, other in pairs
        if isinstance(side, m.Symbol) and side.name in inputs and side.shape == (1, 1) != other.shape
    }


def _needed(assignments: Sequence[tuple[str, m.Matrix]], results: Sequence[str]) -> list[tuple[str, m.Matrix]]:
    """The assignments that the results depend on."""
    needed, kept = set(results), []
    for name, expression in reversed(assignments):
        if name in needed:
            needed.update(each.name for each in traversal.symbols(expression))
            kept.append((name, expression))
    return kept[::-1]


def _last_uses(rules: Sequence[tuple[str, m.Matrix]], results: Collection[str]) -> dict[str, list[str]]:
    """What is not needed any more after each assignment, of what others computed."""
    computed, seen = {name for name, _ in rules}, set(results)
    last: dict[str, list[str]] = {}
    for name, expression in reversed(rules):
        last[name] = sorted({each.name for each in traversal.symbols(expression)} & computed - seen)
        seen.update(last[name])
    return last


def evaluate(expression: m.Matrix, values: Mapping[str, Array]) -> Array:
    """The value of one matrix expression."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return compiled(expression)(values)


def compiled(expression: m.Matrix) -> Callable[[Mapping[str, Array]], Array]:
    """A function that takes the values of symbols and returns the value of one matrix expression."""
    names = sorted({symbol.name for symbol in traversal.symbols(expression)})
    run = compile_program([("", expression)], names)
    return lambda values: run(*[values[name] for name in names])[0]


def evaluate_cell(expression: s.Scalar, value_of: Callable[[s.Cell], float]) -> float:
    """The value of one scalar expression, given its cells; not a number where it divides by zero.

    Numbers go in by position, so that all cells of a matrix share one compiled rule.
    """
    if isinstance(expression, s.Cell):
        return float(value_of(expression))
    if isinstance(expression, s.Value | s.Omitted | s.Number):
        return float(expression.value)
    if isinstance(expression, s.Negative):
        return -evaluate_cell(expression.operand, value_of)
    values: dict[str, np.float64] = {}

    def name(leaf: Leaf) -> str:
        number = value_of(leaf) if isinstance(leaf, s.Cell) else leaf.value
        values[key := f"v{len(values)}"] = np.float64(number)
        return key

    rule = _rule(scalar_source(expression, name))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        try:
            return float(eval(rule, _CELL_SCOPE, values))
        except (ZeroDivisionError, OverflowError):  # Python's own floats, where no cell is in sight
            return np.nan


@lru_cache(maxsize=2048)
def _rule(source: str) -> CodeType:
    return compile(source, "<tracer cell>", "eval")


def _statements(name: str, expression: m.Matrix, numbers: Mapping[str, str], by_columns: bool) -> list[str]:
    """`name = …`, with every subexpression that occurs twice computed once before it."""
    shared: dict[m.Matrix | str, str] = dict(numbers.items())
    lines: list[str] = []
    for part in repeated(expression):
        temporary = f"part_{len(lines) + 1}_{name}"
        lines.append(f"{temporary} = {matrix_source(part, shared)}")
        shared[part] = temporary
    source = written(expression, shared, by_columns) or matrix_source(expression, shared)
    # a bare name or a view would make two identifiers one array; + 0.0 keeps one name, one matrix
    lines.append(f"{variable(name)} = {source}{' + 0.0' if is_view(expression) else ''}")
    return lines
