"""The program file as it is typed: its keys and their types (schema.py has those of layers)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from tracer.expression.arrays import Array
from tracer.problem.convention import Decimals, FieldError, FileSection, Naming, read_decimals, read_names, show
from tracer.problem.initial import LARGEST, MOST_CELLS, Initial
from tracer.problem.mark_scheme import MarkScheme, read_marks
from tracer.problem.optimizers import Optimizer
from tracer.problem.redrawn import Redrawn, read_redrawn
from tracer.problem.schema import Text, Whole, read_matrix

MOST_FORMULAS = 10_000
Word: TypeAlias = int | str


@dataclass(frozen=True)
class FromFile:
    """Columns of a table file."""

    file: str
    columns: tuple[str, ...] | None
    sheet: str | None


@dataclass(frozen=True)
class Drawn:
    """A parameter of this shape, to be drawn."""

    shape: tuple[int, int]


def _given(value: object) -> Array | FromFile:
    if isinstance(value, dict):
        return _from_file(value)
    if type(value) in (int, float):
        value = [[value]]
    elif isinstance(value, list) and value and not any(isinstance(each, list) for each in value):
        value = [value]
        try:
            return read_matrix(value)
        except FieldError as wrong:
            raise FieldError(str(wrong), wrong.within.removeprefix("[0]")) from None
    return read_matrix(value)


def _from_file(table: dict[str, Any]) -> FromFile:
    unknown = set(table) - {"file", "columns", "sheet"}
    if unknown or not isinstance(table.get("file"), str):
        found = f"unknown key {show(min(unknown))}" if unknown else "a table without file"
        raise FieldError(f'found {found}, expected a matrix, or {{ file = "data.csv", columns = ["x1", "x2"] }}')
    columns = table.get("columns")
    if columns is not None and not (isinstance(columns, list) and columns and all(isinstance(c, str) for c in columns)):
        raise FieldError(f"found {show(columns)}, expected a list of columns' names", ".columns")
    return FromFile(table["file"], None if columns is None else tuple(columns), table.get("sheet"))


def _parameter(value: object) -> Array | FromFile | Drawn:
    if not isinstance(value, dict) or "shape" not in value:
        return _given(value)
    shape = value["shape"]
    if set(value) != {"shape"}:
        raise FieldError(f"unknown key {show(min(set(value) - {'shape'}))} beside shape")
    if not (isinstance(shape, list) and len(shape) == 2 and all(type(n) is int and n > 0 for n in shape)):
        raise FieldError(f"found {show(shape)}, expected [rows, columns]", ".shape")
    if shape[0] * shape[1] > MOST_CELLS:
        raise FieldError(f"found {shape[0]}×{shape[1]}, expected at most {MOST_CELLS:.0e} cells", ".shape")
    return Drawn((shape[0], shape[1]))


Given: TypeAlias = Annotated[Array | FromFile, PlainValidator(_given)]
Parameter: TypeAlias = Annotated[Array | FromFile | Drawn, PlainValidator(_parameter)]


def _steps(value: object) -> object:
    if isinstance(value, dict):
        raise FieldError("found a single table, expected a list of steps ([[steps]], not [steps])")
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_FORMULAS:
        raise ValueError(f"a list of 1 to {MOST_FORMULAS} steps ([[steps]])")
    return value


def _variables(value: object) -> Mapping[str, tuple[Word, ...]]:
    if not isinstance(value, dict) or not value:
        raise ValueError("a table of variables, as in { t = [1, 2, 3] }")
    for name, values in value.items():
        if not re.fullmatch(r"[A-Za-z]\w*", name):
            raise FieldError(f"found the variable {show(name)}, expected a letter followed by letters and digits")
        if not isinstance(values, list) or not values:
            raise FieldError(f"found {show(values)}, expected a list of whole numbers or words", f".{name}")
        for k, each in enumerate(values):
            if type(each) is not int and not (isinstance(each, str) and re.fullmatch(r"\w{1,40}", each)):
                raise FieldError(f"found {show(each)}, expected a whole number or a word", f".{name}[{k}]")
    return {name: tuple(values) for name, values in value.items()}


class RawStep(FileSection):
    """One `[[steps]]`."""

    title: Text | None = None
    words: Text = ""
    why: Text = ""
    each: Annotated[Mapping[str, tuple[Word, ...]], PlainValidator(_variables)] | None = None
    formulas: Annotated[list[str], Field(min_length=1)]

    def values(self) -> Iterator[dict[str, Word]]:
        """The values of `each`, the first variable outermost; once where there is none."""
        names = list(self.each or {})
        for chosen in product(*(self.each or {}).values()):
            yield dict(zip(names, chosen, strict=True))


_PLACE = re.compile(r"\{([^{}]*)\}")


def filled(text: str, values: Mapping[str, Word]) -> str:
    """A text with the values of `each` in its places: {t}, {t-1}, {2*k-2}. Raises ValueError for any other place."""
    if not values:
        return text
    return _PLACE.sub(lambda found: str(_worked(found[1].strip(), values)), text)


def _worked(place: str, values: Mapping[str, Word]) -> Word:
    if place in values:
        return values[place]
    try:
        tree = ast.parse(place, mode="eval").body if len(place) <= 100 else None
        return _arithmetic(tree, values)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        known = ", ".join(values)
        raise ValueError(f"found {{{place[:40]}}}, expected {known} and whole numbers with + - *") from None


def _arithmetic(node: ast.expr | None, values: Mapping[str, Word]) -> int:
    match node:
        case ast.Constant(int(value)) if type(value) is int and abs(value) < 10**9:
            return value
        case ast.Name(name) if isinstance(values.get(name), int):
            return int(values[name])
        case ast.UnaryOp(ast.USub(), operand):
            return -_arithmetic(operand, values)
        case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult() as sign, right):
            a, b = _arithmetic(left, values), _arithmetic(right, values)
            return a + b if isinstance(sign, ast.Add) else a - b if isinstance(sign, ast.Sub) else a * b
        case _:
            raise ValueError("no arithmetic of whole numbers")


class RawProgram(FileSection):
    """A whole program file. What it may not have is told by `not_beside_steps`."""

    title: Text | None = None
    description: Text | None = None
    source: Text | None = None
    learning_rate: Annotated[float, Field(gt=0, le=LARGEST)]
    epochs: Whole = 1
    decimals: Annotated[Decimals, PlainValidator(read_decimals)] = Decimals()
    carry_rounded: bool = False
    loss: str | None = None
    with_respect_to: list[str] = Field(default_factory=list)
    given: dict[str, Given] = Field(default_factory=dict)
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    steps: Annotated[list[RawStep], BeforeValidator(_steps)]
    initial: Initial = Initial()
    optimizer: Optimizer = Optimizer()
    names: Annotated[Naming, PlainValidator(read_names)] = Naming()
    marks: Annotated[MarkScheme, PlainValidator(read_marks)] = MarkScheme()
    variants: Annotated[Redrawn, PlainValidator(read_redrawn)] = Redrawn()

    @model_validator(mode="after")
    def _any_parameter(self) -> RawProgram:
        if not self.parameters and not self.with_respect_to:
            raise FieldError("found neither [parameters] nor with_respect_to, expected something to differentiate by")
        return self


NOT_BESIDE_STEPS = {
    "layers": "a file has [[layers]] or [[steps]], not both",
    "data": "a program has its data under [given]",
    "batch_size": "a program is run over all that is given at once",
    "loss_shown": "a program's loss is what its formula says",
    "convention": "the conventions are those of [[layers]]",
    "reproduce": "the reproductions are those of [[layers]]",
}


def not_beside_steps(document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Keys of a problem with layers that stand in a program file, and what to say of each."""
    for key, says in NOT_BESIDE_STEPS.items():
        if key in document:
            yield key, f"found {key} beside steps; {says}"
