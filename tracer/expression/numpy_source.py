"""Expressions as numpy source.

All names in it are identifiers of ours; no text of a problem file ever gets here. A large result that is made of
products, + − · ÷, e^z, tanh and 1/x is written into its own memory, without other memory on the way, which would cost
as much as computing it; a very large one into memory asked of `new`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, assert_never

import numpy as np

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.digits import round_half_away
from tracer.expression.picking import correlate, first_maximum, normal_cdf, part, scatter, spread, tiles

Leaf: TypeAlias = s.Cell | s.Value | s.Omitted
Shared: TypeAlias = Mapping[m.Matrix | str, str]
"""What holds a subexpression that was computed before, and under its name what holds the number of a single cell."""

SCOPE: dict[str, Any] = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "absolute": np.absolute,
    "maximum": np.maximum,
    "where": np.where,
    "reciprocal": np.reciprocal,
    "add_reduce": np.add.reduce,
    "max_reduce": np.maximum.reduce,
    **{name: getattr(np, name) for name in ("add", "subtract", "multiply", "divide", "negative", "square", "empty")},
    "concatenate": np.concatenate,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "arctan": np.arctan,
    "normal_cdf": normal_cdf,
    **{each.__name__: each for each in (part, scatter, correlate, spread, tiles, first_maximum)},
    "eye": np.eye,
    "full": np.full,
    "round_half_away": round_half_away,
    "fsum": math.fsum,
    "maxima": max,
    "inf": np.inf,
    "nan": np.nan,
}
_UFUNCS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}
LARGE = 4_000  # numbers; new memory for so many costs more than a longer way to write them
VERY_LARGE = 32_000  # numbers; memory for so many may be taken for many passes at once
MOST_NESTED = 50  # terms of one cell; a longer sum, written as a + b + c …, nests too deep for Python's parser
_RELATIONS = {">": ">", ">=": ">=", "=": "=="}
_AXES = {"rows": "0", "columns": "1", "all": "None"}


def repeated(expression: m.Matrix) -> list[m.Matrix]:
    """Subexpressions that are computed more than once, inner ones first."""
    counts: Counter[m.Matrix] = Counter()
    order: list[m.Matrix] = []

    def visit(node: m.Matrix) -> None:
        counts[node] += 1
        if counts[node] > 1:
            return
        for operand in (node.computed,) if isinstance(node, m.StableForm) else traversal.operands(node):
            visit(operand)
        order.append(node)

    visit(expression)
    leaves = (m.Symbol, m.Constant, m.Identity, m.Transpose, m.Row, m.Repeat, m.Part, m.Reshape, m.Detached)
    return [node for node in order if counts[node] > 1 and not isinstance(node, leaves)]


def matrix_source(expression: m.Matrix, shared: Shared) -> str:
    if expression in shared:
        return shared[expression]
    match expression:
        case m.Symbol(name):
            return variable(name)
        case m.Constant(value):
            return f"full((1, 1), {value!r})"
        case m.Identity(size):
            return f"eye({size})"
        case m.MatMul(left, right):
            # the same as @, which takes twice the time for small ones
            return f"{matrix_source(left, shared)}.dot({matrix_source(right, shared)})"
        case m.Transpose(operand):
            return f"{matrix_source(operand, shared)}.T"
        case m.Repeat(operand, _, shape):
            return f"full({shape}, {matrix_source(operand, shared)})"
        case m.Broadcast(operator, left, right):
            return f"({_side(left, right, shared)} {operator} {_side(right, left, shared)})"
        case m.Apply(template, arguments):
            used = [(name, argument) for name, argument in arguments if name in s.variables(template)]
            source = scalar_source(_filled(template, used, shared))
            alone = bool(used) and m.common_shape(*(argument for _, argument in used)) == expression.shape
            return source if alone else f"full({expression.shape}, {source})"
        case m.Reduce(operation, operand, over):
            reduce = "add_reduce" if operation == "sum" else "max_reduce"
            return f"{reduce}({matrix_source(operand, shared)}, {_AXES[over]}, keepdims=True)"
        case m.Row(operand, index):
            return f"{matrix_source(operand, shared)}[{index}:{index + 1}]"
        case m.Stack(stacked, over):
            parts = ", ".join(matrix_source(each, shared) for each in stacked)
            return f"concatenate(({parts},){', 1' if over == 'columns' else ''})"
        case m.Part() | m.Scatter() | m.Reshape() | m.Correlation() | m.Spread() | m.Pool() | m.FirstMaximum():
            return _picked(expression, [matrix_source(each, shared) for each in traversal.operands(expression)])
        case m.Detached(operand):
            return matrix_source(operand, shared)
        case m.Rounded(operand, decimals):
            return f"round_half_away({matrix_source(operand, shared)}, {decimals})"
        case m.StableForm(_, computed):
            return matrix_source(computed, shared)
        case _:
            assert_never(expression)


def variable(identifier: str) -> str:
    """What holds a matrix in the source; no function of `SCOPE` has such a name."""
    return f"m_{identifier}"


def _picked(expression: m.Matrix, sources: Sequence[str]) -> str:
    match expression:
        case m.Part(_, rows, columns):
            down, across = _slice(rows), _slice(columns)
            if down and across:
                return f"{sources[0]}[{down}, {across}]"
            return f"part({sources[0]}, {rows}, {columns})"
        case m.Scatter(_, rows, columns, shape):
            return f"scatter({sources[0]}, {rows}, {columns}, {shape})"
        case m.Reshape(_, shape):
            return f"{sources[0]}.reshape({shape})"
        case m.Correlation(_, _, shape, step, spacing, padding):
            return f"correlate({', '.join(sources)}, {shape}, {step}, {spacing}, {padding})"
        case m.Spread(_, _, shape, step, spacing, padding):
            return f"spread({', '.join(sources)}, {shape}, {step}, {spacing}, {padding})"
        case m.Pool(operation, _, size):
            return f"tiles({sources[0]}, {size}).{operation}(-1)"
        case m.FirstMaximum(_, size):
            return f"first_maximum({sources[0]}, {size})"
        case _:
            raise TypeError(f"{m.described(expression)} picks no cells")


def _slice(chosen: Sequence[int | None]) -> str | None:
    """Numbers in a row as numpy's slice, or None."""
    first = chosen[0]
    if first is None or tuple(chosen) != tuple(range(first, first + len(chosen))):
        return None
    return f"{first}:{first + len(chosen)}"


def is_view(expression: m.Matrix) -> bool:
    """Whether numpy would show the cells of another matrix in place of new ones."""
    match expression:
        case m.Symbol():
            return True
        case m.Transpose(operand) | m.Row(operand) | m.Part(operand) | m.Reshape(operand) | m.Detached(operand):
            return is_view(operand)
        case m.StableForm(_, computed):
            return is_view(computed)
        case m.Apply(s.Variable(name), arguments):
            return is_view(dict(arguments)[name])
        case _:
            return False


def asks_for_memory(expression: m.Matrix) -> bool:
    """Whether a matrix is written into memory asked of `new`."""
    return math.prod(expression.shape) >= VERY_LARGE and written(expression, {}, by_columns=False) is not None


def faster_by_columns(shape: m.Shape) -> bool:
    """Whether a gradient of this shape is computed faster column by column, as one of 784×128 is by a sixth."""
    return math.prod(shape) >= LARGE and shape[0] > shape[1]


def written(expression: m.Matrix, shared: Shared, by_columns: bool) -> str | None:
    """The source of a large matrix written into memory, row by row or `by_columns`; None for any other.

    Row by row is numpy's own order; a product by columns is (A·B)ᵀ = Bᵀ·Aᵀ row by row.
    """
    rows, columns = expression.shape
    new = "new" if rows * columns >= VERY_LARGE else "empty"
    memory = f"{new}(({columns}, {rows})).T" if by_columns else f"{new}(({rows}, {columns}))"
    return _written(expression, shared, memory)


def _written(expression: m.Matrix, shared: Shared, memory: str) -> str | None:
    if expression in shared or math.prod(expression.shape) < LARGE:
        return None
    match expression:
        case m.MatMul(left, right) if memory.endswith(".T"):
            return f"{_turned(right, shared)}.dot({_turned(left, shared)}, {memory.removesuffix('.T')}).T"
        case m.MatMul(left, right):
            return f"{matrix_source(left, shared)}.dot({matrix_source(right, shared)}, {memory})"
        case m.Broadcast(operator, left, right):
            sides = _side(left, right, shared), _side(right, left, shared)
            whole = (
                None if isinstance(each, m.Repeat) or each.shape != expression.shape else each for each in (left, right)
            )
            inner = [None if each is None else _written(each, shared, memory) for each in whole]
            return _called(_UFUNCS[operator], sides, inner, memory)
        case m.Apply(template, arguments) if all(operand.shape == expression.shape for _, operand in arguments):
            return _written_cells(_filled(template, arguments, shared), memory)
        case _:
            return None


def _written_cells(template: s.Scalar, memory: str) -> str | None:
    call = _as_call(template) if s.variables(template) else None
    if call is None:
        return None
    ufunc, *operands = call
    return _called(ufunc, [*map(scalar_source, operands)], [_written_cells(each, memory) for each in operands], memory)


def _as_call(template: s.Scalar) -> tuple[str, s.Scalar] | tuple[str, s.Scalar, s.Scalar] | None:
    """The ufunc that makes these cells of others, and the others; None where it takes more than one."""
    match template:
        case s.Negative(x):
            return "negative", x
        case s.Exp(x):
            return "exp", x
        case s.Tanh(x):
            return "tanh", x
        case s.Power(x, 2):
            return "square", x
        case s.Quotient(s.Number(1.0), x):
            return "reciprocal", x
        case s.Sum((x, s.Negative(y))):
            return "subtract", x, y
        case s.Sum((x, y)):
            return "add", x, y
        case s.Product((x, y)):
            return "multiply", x, y
        case _:
            return None


def _called(ufunc: str, operands: Sequence[str], in_place: Sequence[str | None], memory: str) -> str:
    """The call of a ufunc; one operand is written into the memory before, where one can be (`in_place`)."""
    sources = list(operands)
    for k, inner in enumerate(in_place):
        if inner is not None:
            sources[k], memory = f"into := {inner}", "into"
            break
    return f"{ufunc}({', '.join(sources)}, {memory})"


def _turned(matrix: m.Matrix, shared: Shared) -> str:
    if isinstance(matrix, m.Transpose):
        return matrix_source(matrix.operand, shared)
    return f"{matrix_source(matrix, shared)}.T"


def _side(side: m.Matrix, other: m.Matrix, shared: Shared) -> str:
    """One side of a broadcast: a bare number where the other is a matrix, since numpy broadcasts that faster."""
    if isinstance(side, m.Repeat) and other.shape == side.shape and not isinstance(other, m.Repeat):
        return _side(side.operand, other, shared)  # numpy repeats it by itself
    match side:
        case m.Constant(value) if not isinstance(other, m.Constant):
            return f"({value!r})"
        case m.Symbol(name) if name in shared and other.shape != (1, 1):
            return shared[name]
        case _:
            return matrix_source(side, shared)


def _filled(template: s.Scalar, arguments: Iterable[tuple[str, m.Matrix]], shared: Shared) -> s.Scalar:
    return s.substitute(template, {name: s.Variable(matrix_source(each, shared)) for name, each in arguments})


def _no_cells(leaf: Leaf) -> str:
    raise TypeError(f"a template holds {leaf}")


def scalar_source(expression: s.Scalar, name: Callable[[Leaf], str] = _no_cells) -> str:
    """A scalar expression in Python; variables stand for the source they are named after."""

    def of(part: s.Scalar) -> str:
        match part:
            case s.Number(value):
                return f"({value!r})" if value < 0 else repr(value)  # -2.0 ** 2 is −4
            case s.Variable(source):
                return source
            case s.Cell() | s.Value() | s.Omitted():
                return name(part)
            case s.Negative(operand):
                return f"(-{of(operand)})"
            case s.Sum(terms) if len(terms) > MOST_NESTED:
                return f"fsum(({', '.join(map(of, terms))},))"
            case s.Sum(terms):
                return f"({_signed(terms, of)})"
            case s.Product(factors):
                return f"({' * '.join(map(of, factors))})"
            case s.Quotient(s.Number(1.0), denominator) if name is _no_cells and s.variables(denominator):
                return f"reciprocal({of(denominator)})"
            case s.Quotient(numerator, denominator):
                return f"({of(numerator)} / {of(denominator)})"
            case s.Power(base, exponent):
                return f"({of(base)} ** {exponent})"
            case s.Raised(base, exponent):
                return f"({base!r} ** {of(exponent)})"
            case s.Exp(argument):
                return f"exp({of(argument)})"
            case s.Log(argument):
                return f"log({of(argument)})"
            case s.Tanh(argument):
                return f"tanh({of(argument)})"
            case s.Function(function, argument):
                return f"{function}({of(argument)})"
            case s.Absolute(operand):
                return f"absolute({of(operand)})"
            case s.Maximum(operands):
                return _maximum(operands, of)
            case s.Where(left, relation, right, then, otherwise):
                return f"where({of(left)} {_RELATIONS[relation]} {of(right)}, {of(then)}, {of(otherwise)})"
            case s.Round(operand, decimals):
                return f"round_half_away({of(operand)}, {decimals})"
            case s.Stable(_, computed):
                return of(computed)
            case s.Fold():
                return of(s.expand(part))
            case _:
                assert_never(part)

    return of(expression)


def _maximum(operands: Sequence[s.Scalar], of: Callable[[s.Scalar], str]) -> str:
    first, *others = map(of, operands)
    if len(operands) > MOST_NESTED:
        return f"maxima({', '.join((first, *others))})"
    for other in others:
        first = f"maximum({first}, {other})"
    return first


def _signed(terms: Sequence[s.Scalar], of: Callable[[s.Scalar], str]) -> str:
    """a + b − c, without a temporary for the opposite of c."""
    text = of(terms[0])
    for term in terms[1:]:
        text += f" - {of(term.operand)}" if isinstance(term, s.Negative) else f" + {of(term)}"
    return text
