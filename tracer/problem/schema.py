"""The problem file as it is typed: its keys and their types, and one plain message for what is wrong.

Only what can be seen in one table of the file is checked here; what must fit together across
tables (shapes, loss and activation, identifiers) is in problem.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, TypeGuard
from unicodedata import category

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationError, model_validator
from pydantic_core import ErrorDetails

from tracer.errors import ProblemError
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.convention import (
    Convention,
    Decimals,
    FieldError,
    FileSection,
    Names,
    Reproduce,
    counted,
    nearest,
    one_of,
    place_of,
    read_decimals,
    read_names,
    show,
)
from tracer.problem.hints import EXPECTED, missing_keys, problem_error, rows_expected
from tracer.problem.initial import DISTRIBUTIONS, LARGEST, Initial, Matrix, Number
from tracer.problem.losses import LOSSES
from tracer.problem.mark_scheme import MarkScheme, read_marks

MOST_LAYERS = 1000
MOST_CLASSES = 10_000


def _text(value: str) -> str:
    """Text that a page, a workbook and a terminal can all show."""
    bad = next((c for c in value if c not in "\n\t" and (category(c) in ("Cc", "Cs") or c in "\ufffe\uffff")), None)
    if bad is not None:
        raise ValueError(f"text without control characters (there is a {bad!r} in it)")
    return value


def _is_number(value: object) -> TypeGuard[int | float]:
    # type() and not isinstance, which takes true for 1; NaN fails the comparison
    return type(value) in (int, float) and abs(value) <= LARGEST  # type: ignore[arg-type]


def _bad_cells(rows: list[list[object]]) -> Iterator[tuple[str, object]]:
    for r, row in enumerate(rows):
        yield from ((f"[{r}][{c}]", value) for c, value in enumerate(row) if not _is_number(value))


def _number_says(value: object) -> str:
    finite = "a finite number up to 1e100" if type(value) in (int, float) else "a number"
    return f"found {show(value)}, expected {finite}"


def read_matrix(value: object) -> Matrix:
    """A list of equally long lists of numbers as float64; zeros lose their sign. Raises FieldError."""
    if not isinstance(value, list) or not value:
        raise FieldError(f"found {show(value)}, expected a list of rows")
    for r, row in enumerate(value):
        if not isinstance(row, list) or not row:
            raise FieldError(f"found {show(row)}, expected a row: a list of numbers", f"[{r}]")
        if len(row) != len(value[0]):
            raise FieldError(f"found a row of {len(row)}, expected {len(value[0])} as in the first", f"[{r}]")
    bad = _bad_cells(value)
    for within, cell in bad:
        raise FieldError(_number_says(cell), within, sum(1 for _ in bad))
    return np.array(value, dtype=np.float64) + 0.0


def _row_of_numbers(value: object) -> TypeGuard[list[int | float]]:
    return isinstance(value, list) and bool(value) and all(map(_is_number, value))


def _rows(value: object) -> Matrix:
    if _row_of_numbers(value):
        raise FieldError(rows_expected(value, targets=False))
    return read_matrix(value)


def _targets(value: object) -> Matrix | tuple[int, ...]:
    """Rows of targets, or class labels, which only a softmax output can have (problem.py)."""
    if _row_of_numbers(value):
        if all(type(each) is int and 0 <= each < MOST_CLASSES for each in value):
            return tuple(int(each) for each in value)
        raise FieldError(rows_expected(value, targets=True))
    return read_matrix(value)


def _bias(value: object) -> bool | float | Matrix:
    """True or false, one shared number, or one number per unit as a 1×units matrix."""
    if isinstance(value, bool):
        return value
    if _is_number(value):
        return float(value) + 0.0
    if not isinstance(value, list) or not value:
        raise FieldError(f"found {show(value)}, expected a list of numbers, one number, or false")
    if len(value) == 1 and isinstance(value[0], list):  # 1×units, as frameworks have it
        value = value[0]
    try:
        return read_matrix([value])
    except FieldError as wrong:
        raise FieldError(str(wrong), wrong.within.removeprefix("[0]"), wrong.more) from None


def _layer_list(value: object) -> object:
    """Refused before a million empty tables are looked into one by one."""
    if isinstance(value, dict):
        raise FieldError("found a single table, expected a list of layers ([[layers]], not [layers])")
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_LAYERS:
        raise ValueError(f"a list of 1 to {MOST_LAYERS} layers ([[layers]])")
    return value


Whole: TypeAlias = Annotated[int, Field(ge=1, le=10**100)]
MatrixField: TypeAlias = Annotated[Matrix, PlainValidator(_rows)]
TargetsField: TypeAlias = Annotated[Matrix | tuple[int, ...], PlainValidator(_targets)]
BiasField: TypeAlias = Annotated[bool | float | Matrix, PlainValidator(_bias)]
Text: TypeAlias = Annotated[str, Field(max_length=2000), AfterValidator(_text)]
Columns: TypeAlias = Annotated[list[str], Field(min_length=1)]


class RawLayer(FileSection):
    """One `[[layers]]`: typed weights and bias, or a number of units whose parameters are drawn."""

    activation: Annotated[str, PlainValidator(lambda value: one_of(value, ACTIVATIONS))]
    slope: Number | None = None
    units: Whole | None = None
    weights: MatrixField | None = None
    weights_are: Literal["inputs x outputs", "outputs x inputs"] = "inputs x outputs"
    bias: BiasField | None = None

    @model_validator(mode="after")
    def _weights_or_units(self) -> RawLayer:
        if (self.units is None) == (self.weights is None):
            count = "neither" if self.units is None else "both"
            raise FieldError(f"found {count} of weights and units, expected one of them")
        if self.weights is None and self.weights_are != "inputs x outputs":
            raise FieldError("found it without weights, expected it only beside them", ".weights_are")
        if self.weights is not None and self.bias is True:
            raise FieldError("found true, expected beside weights a list of numbers, one number, or false", ".bias")
        if self.units is not None and not isinstance(self.bias, bool | None):
            raise FieldError("found numbers, expected true or false beside units", ".bias")
        if self.slope is not None and self.activation != "leaky_relu":
            raise FieldError(f"found a slope for {self.activation}, expected one only for leaky_relu", ".slope")
        return self

    @property
    def turned(self) -> Matrix | None:
        """The weights as inputs × outputs, whichever way they were given."""
        given = self.weights
        return np.ascontiguousarray(given.T) if given is not None and self.weights_are == "outputs x inputs" else given

    @property
    def has_bias(self) -> bool:
        """Left out, a bias is drawn beside units, and there is none beside weights."""
        return self.bias is not False and (self.bias is not None or self.units is not None)


class RawData(FileSection):
    """The section `[data]`: X and Y typed in, or the columns of a file."""

    X: MatrixField | None = None
    Y: TargetsField | None = None
    file: Annotated[str, Field(min_length=1)] | None = None
    sheet: str | None = None
    inputs: Columns | None = None
    targets: Columns | None = None

    @model_validator(mode="after")
    def _typed_or_file(self) -> RawData:
        typed = [key for key in ("X", "Y") if getattr(self, key) is not None]
        if self.file is not None and typed:
            raise FieldError(f"found {' and '.join(typed)} beside file, expected one or the other")
        if self.file is None:
            extra = next((key for key in ("sheet", "inputs", "targets") if getattr(self, key) is not None), None)
            if extra:
                raise FieldError(f"found {extra} without file, expected it only beside file")
            if len(typed) < 2:
                missing = missing_keys([key for key in ("X", "Y") if key not in typed])
                raise FieldError(f"{missing}: expected X and Y, or file")
        return self


class RawProblem(FileSection):
    """A whole problem file."""

    title: Text | None = None
    description: Text | None = None
    source: Text | None = None
    learning_rate: Annotated[float, Field(gt=0, le=LARGEST)]
    epochs: Whole = 1
    batch_size: Whole | None = None
    loss: Annotated[str, PlainValidator(lambda value: one_of(value, LOSSES))]
    loss_shown: Literal["sum", "mean"] | None = None
    decimals: Annotated[Decimals, PlainValidator(read_decimals)] = Decimals()
    carry_rounded: bool = False
    data: RawData
    layers: Annotated[list[RawLayer], BeforeValidator(_layer_list)]
    initial: Initial = Initial()
    convention: Convention = Convention()
    reproduce: Reproduce = Reproduce()
    names: Annotated[Names, PlainValidator(read_names)] = Names()
    marks: Annotated[MarkScheme, PlainValidator(read_marks)] = MarkScheme()


@dataclass(frozen=True)
class Data:
    """X and Y as read, and the table file that they came from, if any."""

    X: Matrix
    Y: Matrix
    file: str | None = None

    def target_place(self, row: int) -> str:
        """Where the targets of a row (from 0) stand; in a table file row 1 is the header."""
        return f"data.Y[{row}]" if self.file is None else f"data.file: {self.file}, row {row + 2}"


SECTIONS: dict[str, type[FileSection]] = {
    "layers": RawLayer,
    "data": RawData,
    "initial": Initial,
    "convention": Convention,
    "reproduce": Reproduce,
    **DISTRIBUTIONS,
}


def read_document(document: object, file: str) -> RawProblem:
    """The document of a TOML or JSON file, checked table by table. Raises ProblemError."""
    try:
        return RawProblem.model_validate(document)
    except ValidationError as wrong:
        raise _problem_error(file, document, wrong.errors(include_url=False)) from None


def _problem_error(file: str, document: object, errors: list[ErrorDetails]) -> ProblemError:
    """The first mistake, and how many more. An unknown key comes before what is missing for it."""
    unknown = [error for error in errors if error["type"] == "extra_forbidden"]
    first = (unknown or errors)[0]
    place, says = _sentence(first, document)
    told, meant = [first], re.findall(r"did you mean '(.*)'", says)
    if first["type"] == "missing":
        told = [error for error in errors if error["type"] == "missing" and error["loc"][:-1] == first["loc"][:-1]]
        says = missing_keys([str(error["loc"][-1]) for error in told])
    mended = [error for error in errors if error["type"] == "missing" and error["loc"][-1] in meant]
    more = len(errors) - len(told) - len(mended) + sum(getattr(_cause(error), "more", 0) for error in errors)
    return problem_error(file, place, says + (f" (and {counted(more, 'more mistake')})" if more else ""))


def _cause(error: ErrorDetails) -> object:
    return error.get("ctx", {}).get("error")


def _sentence(error: ErrorDetails, document: object) -> tuple[str, str]:
    """The place of a mistake, and what was found and expected there."""
    kind, found, cause = error["type"], error["input"], _cause(error)
    # pydantic puts the chosen distribution into the path, the file does not
    location = list(error["loc"])
    if location[:1] == ["initial"] and location[2:] and location[2] in DISTRIBUTIONS:
        del location[2]
    if isinstance(cause, FieldError):
        return place_of(location) + cause.within, str(cause)
    if kind == "missing":
        return place_of(location[:-1]), missing_keys([str(location[-1])])
    if kind in ("extra_forbidden", "invalid_key"):
        return place_of(location[:-1]), _unknown_key(error["loc"], _keys_at(document, location[:-1]))
    if kind == "union_tag_not_found":
        return place_of(location), "missing key 'distribution'"
    if kind == "union_tag_invalid":
        return place_of([*location, "distribution"]), _choice(found["distribution"], DISTRIBUTIONS)
    if kind == "literal_error":
        return place_of(location), _choice(found, re.findall("'([^']*)'", error["ctx"]["expected"]))
    expected = str(cause) if cause else EXPECTED.get(kind, error["msg"]).format(**error.get("ctx", {}))
    return place_of(location), f"found {show(found)}, expected {expected}"


def _keys_at(document: Any, location: list[str | int]) -> set[str]:
    """The keys of the table at a place of the document."""
    for part in location:
        document = document[part]
    return set(document)


def _unknown_key(location: tuple[str | int, ...], there: set[str]) -> str:
    section = next((SECTIONS[part] for part in reversed(location[:-1]) if part in SECTIONS), RawProblem)
    key = str(location[-1])
    near = nearest(key, section.model_fields)
    if near is None:
        return f"unknown key {show(key)}, expected one of {', '.join(section.model_fields)}"
    return (
        f"unknown key {show(key)}; {near!r} is there already"
        if near in there
        else f"unknown key {show(key)}; did you mean {near!r}?"
    )


def _choice(found: object, options: Iterable[str]) -> str:
    try:
        return one_of(found, options)
    except FieldError as fault:
        return str(fault)
