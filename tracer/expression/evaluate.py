"""The numpy reading: expressions become the source of one straight function.

A program of assignments compiles to Python source without a loop or a branch, which numpy
runs and which keeps every result by reference. All names in the source are identifiers of
ours; no text of a problem file ever gets here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.digits import round_half_away

Array: TypeAlias = NDArray[np.float64]
Leaf: TypeAlias = s.Cell | s.Value | s.Omitted
Compiled: TypeAlias = Callable[..., tuple[Array, ...]]
Shared: TypeAlias = Mapping[m.Matrix | str, str]
"""What holds a subexpression that was computed before, and under its name what holds the number of a single cell."""

_SCOPE: dict[str, Any] = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "absolute": np.absolute,
    "maximum": np.maximum,
    "where": np.where,
    "subtract": np.subtract,
    "add_reduce": np.add.reduce,
    "max_reduce": np.maximum.reduce,
    "concatenate": np.concatenate,
    "eye": np.eye,
    "full": np.full,
    "round_half_away": round_half_away,
    "fsum": math.fsum,
    "maxima": max,
    "inf": np.inf,
    "nan": np.nan,
}
LARGE = 4_000  # numbers
MOST_NESTED = 50  # terms of one cell; a longer sum, written as a + b + c …, nests too deep for Python's parser
_CELL_SCOPE = dict(_SCOPE)
_RELATIONS = {">": ">", ">=": ">=", "=": "=="}
_AXES = {"rows": "0", "columns": "1", "all": "None"}


def compile_program(
    assignments: Iterable[tuple[str, m.Matrix]], inputs: Sequence[str], wanted: Sequence[str] | None = None
) -> Compiled:
    """One function that takes the inputs in order and returns every assigned matrix, or those `wanted`, in order.

    Each result is a new array; an update never writes into what it updates. What is not wanted is computed only
    where it is needed, and let go after its last use.
    """
    rules = list(assignments)
    results = [name for name, _ in rules] if wanted is None else list(wanted)
    kept = _needed(rules, results)
    numbers = _numbers(kept, inputs)
    lines = [f"{number} = {name}.item()" for name, number in numbers.items()]
    for k, (name, expression) in enumerate(kept):
        lines.extend(_statements(name, expression, numbers))
        if wanted is not None:
            later = {each.name for _, following in kept[k + 1 :] for each in m.symbols(following)}
            used = {each.name for each in m.symbols(expression)} & {each for each, _ in kept}
            lines.extend(f"del {each}" for each in sorted(used - later - set(results)))
    body = "\n    ".join((*lines, f"return ({', '.join(results)},)"))
    scope = dict(_SCOPE)
    exec(compile(f"def run({', '.join(inputs)}):\n    {body}\n", "<tracer program>", "exec"), scope)
    run: Compiled = scope["run"]
    return run


def _numbers(assignments: Iterable[tuple[str, m.Matrix]], inputs: Collection[str]) -> dict[str, str]:
    """The inputs of a single cell that other matrices are multiplied by or the like, and what holds their number."""
    parts = (part for _, expression in assignments for part in m.parts(expression) if isinstance(part, m.Broadcast))
    pairs = (pair for part in parts for pair in ((part.left, part.right), (part.right, part.left)))
    return {
        side.name: f"{side.name}_number"
        for side, other in pairs
        if isinstance(side, m.Symbol) and side.name in inputs and side.shape == (1, 1) != other.shape
    }


def _needed(assignments: Sequence[tuple[str, m.Matrix]], results: Sequence[str]) -> list[tuple[str, m.Matrix]]:
    """The assignments that the results depend on."""
    needed, kept = set(results), []
    for name, expression in reversed(assignments):
        if name in needed:
            needed.update(each.name for each in m.symbols(expression))
            kept.append((name, expression))
    return kept[::-1]


def evaluate(expression: m.Matrix, values: Mapping[str, Array]) -> Array:
    """The value of one matrix expression."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return compiled(expression)(values)


def compiled(expression: m.Matrix) -> Callable[[Mapping[str, Array]], Array]:
    """A function that takes the values of symbols and returns the value of one matrix expression."""
    names = sorted({symbol.name for symbol in m.symbols(expression)})
    run = compile_program([("result_", expression)], names)
    return lambda values: run(*[values[name] for name in names])[0]


def evaluate_cell(expression: s.Scalar, value_of: Callable[[s.Cell], float]) -> float:
    """The value of one scalar expression, given its cells; not a number where it divides by zero.

    Numbers go in by position, so that all cells of a matrix share one compiled rule.
    """
    values: dict[str, np.float64] = {}

    def name(leaf: Leaf) -> str:
        number = value_of(leaf) if isinstance(leaf, s.Cell) else leaf.value
        values[key := f"v{len(values)}"] = np.float64(number)
        return key

    rule = _rule(_scalar(expression, name))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        try:
            return float(eval(rule, _CELL_SCOPE, values))
        except (ZeroDivisionError, OverflowError):  # Python's own floats, where no cell is in sight
            return np.nan


@lru_cache(maxsize=2048)
def _rule(source: str) -> CodeType:
    return compile(source, "<tracer cell>", "eval")


def _statements(name: str, expression: m.Matrix, numbers: Mapping[str, str]) -> list[str]:
    """`name = …`, with every subexpression that occurs twice computed once before it."""
    shared: dict[m.Matrix | str, str] = dict(numbers.items())
    lines: list[str] = []
    for part in _repeated(expression):
        temporary = f"{name}_part{len(lines) + 1}"
        lines.append(f"{temporary} = {_matrix(part, shared)}")
        shared[part] = temporary
    source = _matrix(expression, shared)
    # a bare name would make two identifiers one array; + 0.0 keeps one name, one matrix
    lines.append(f"{name} = {source} + 0.0" if source.isidentifier() else f"{name} = {source}")
    return lines


def _repeated(expression: m.Matrix) -> list[m.Matrix]:
    """Subexpressions that are computed more than once, inner ones first."""
    counts: Counter[m.Matrix] = Counter()
    order: list[m.Matrix] = []

    def visit(node: m.Matrix) -> None:
        counts[node] += 1
        if counts[node] > 1:
            return
        for operand in (node.computed,) if isinstance(node, m.StableForm) else m.operands(node):
            visit(operand)
        order.append(node)

    visit(expression)
    leaves = (m.Symbol, m.Constant, m.Identity, m.Transpose, m.Row)
    return [node for node in order if counts[node] > 1 and not isinstance(node, leaves)]


def _matrix(expression: m.Matrix, shared: Shared) -> str:
    if expression in shared:
        return shared[expression]
    match expression:
        case m.Symbol(name):
            return name
        case m.Constant(value):
            return f"full((1, 1), {value!r})"
        case m.Identity(size):
            return f"eye({size})"
        case m.MatMul(left, right):
            return f"({_matrix(left, shared)} @ {_matrix(right, shared)})"
        case m.Transpose(operand):
            return f"{_matrix(operand, shared)}.T"
        case m.Broadcast("-", left, m.Broadcast() as right) if _large(right) and right.shape == expression.shape:
            if right not in shared:  # new, and nobody else's: the difference may be written over it
                return f"subtract({_matrix(left, shared)}, new := {_matrix(right, shared)}, new)"
            return f"({_matrix(left, shared)} - {shared[right]})"
        case m.Broadcast(operator, left, right):
            return f"({_side(left, right, shared)} {operator} {_side(right, left, shared)})"
        case m.Apply(template, arguments):
            used = [(name, argument) for name, argument in arguments if name in s.variables(template)]
            source = _apply(template, {name: _matrix(argument, shared) for name, argument in used})
            alone = bool(used) and m.common_shape(*(argument for _, argument in used)) == expression.shape
            return source if alone else f"full({expression.shape}, {source})"
        case m.Reduce(operation, operand, over):
            reduce = "add_reduce" if operation == "sum" else "max_reduce"
            return f"{reduce}({_matrix(operand, shared)}, {_AXES[over]}, keepdims=True)"
        case m.Row(operand, index):
            return f"{_matrix(operand, shared)}[{index}:{index + 1}]"
        case m.Stack(rows):
            return f"concatenate(({', '.join(_matrix(row, shared) for row in rows)},))"
        case m.Rounded(operand, decimals):
            return f"round_half_away({_matrix(operand, shared)}, {decimals})"
        case m.StableForm(_, computed):
            return _matrix(computed, shared)
        case _:
            assert_never(expression)


def _large(matrix: m.Matrix) -> bool:
    """Whether new memory for it costs more than a longer way to write it."""
    return matrix.shape[0] * matrix.shape[1] >= LARGE


def _side(side: m.Matrix, other: m.Matrix, shared: Shared) -> str:
    """One side of a broadcast: a bare number where the other is a matrix, since numpy broadcasts that faster."""
    match side:
        case m.Constant(value) if not isinstance(other, m.Constant):
            return f"({value!r})"
        case m.Symbol(name) if name in shared and other.shape != (1, 1):
            return shared[name]
        case _:
            return _matrix(side, shared)


def _apply(template: s.Scalar, arguments: Mapping[str, str]) -> str:
    return _scalar(s.substitute(template, {name: s.Variable(source) for name, source in arguments.items()}))


def _no_cells(leaf: Leaf) -> str:
    raise TypeError(f"a template holds {leaf}")


def _scalar(expression: s.Scalar, name: Callable[[Leaf], str] = _no_cells) -> str:
    """A scalar expression in Python; variables stand for the source they are named after."""

    def of(part: s.Scalar) -> str:
        return _scalar(part, name)

    match expression:
        case s.Number(value):
            return f"({value!r})" if value < 0 else repr(value)  # -2.0 ** 2 is −4
        case s.Variable(source):
            return source
        case s.Cell() | s.Value() | s.Omitted():
            return name(expression)
        case s.Negative(operand):
            return f"(-{of(operand)})"
        case s.Sum(terms) if len(terms) > MOST_NESTED:
            return f"fsum(({', '.join(map(of, terms))},))"
        case s.Sum(terms):
            return f"({_signed(terms, of)})"
        case s.Product(factors):
            return f"({' * '.join(map(of, factors))})"
        case s.Quotient(numerator, denominator):
            return f"({of(numerator)} / {of(denominator)})"
        case s.Power(base, exponent):
            return f"({of(base)} ** {exponent})"
        case s.Exp(argument):
            return f"exp({of(argument)})"
        case s.Log(argument):
            return f"log({of(argument)})"
        case s.Tanh(argument):
            return f"tanh({of(argument)})"
        case s.Absolute(operand):
            return f"absolute({of(operand)})"
        case s.Maximum(operands):
            return f"maxima({', '.join(map(of, operands))})" if len(operands) > MOST_NESTED else _maximum(operands, of)
        case s.Where(left, relation, right, then, otherwise):
            return f"where({of(left)} {_RELATIONS[relation]} {of(right)}, {of(then)}, {of(otherwise)})"
        case s.Round(operand, decimals):
            return f"round_half_away({of(operand)}, {decimals})"
        case s.Stable(_, computed):
            return of(computed)
        case s.Fold():
            return of(s.expand(expression))
        case _:
            assert_never(expression)


def _maximum(operands: Sequence[s.Scalar], of: Callable[[s.Scalar], str]) -> str:
    first, *others = map(of, operands)
    for other in others:
        first = f"maximum({first}, {other})"
    return first


def _signed(terms: Sequence[s.Scalar], of: Callable[[s.Scalar], str]) -> str:
    """a + b − c, without a temporary for the opposite of c."""
    text = of(terms[0])
    for term in terms[1:]:
        text += f" - {of(term.operand)}" if isinstance(term, s.Negative) else f" + {of(term)}"
    return text
