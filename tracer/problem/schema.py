"""The problem file as it is typed: its keys and their types.

Only what can be seen in one table of the file is checked here; what must fit together across
tables (shapes, loss and activation, identifiers) is in fit.py, and mistakes.py says what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias, TypeGuard
from unicodedata import category

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, model_validator

from tracer.expression.arrays import Array
from tracer.problem.activations import EVERY_ACTIVATION
from tracer.problem.convention import (
    Convention,
    Decimals,
    FieldError,
    FileSection,
    Naming,
    Reproduce,
    called_one_of,
    one_of,
    read_decimals,
    read_names,
    refuse_all,
    show,
)
from tracer.problem.hints import missing_keys, rows_expected
from tracer.problem.initial import LARGEST, BoundedNumber, Initial
from tracer.problem.losses import LOSSES, RULES
from tracer.problem.mark_scheme import MarkScheme, read_marks
from tracer.problem.optimizers import Optimizer
from tracer.problem.redrawn import Redrawn, read_redrawn

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


def _number_says(value: object) -> str:
    finite = "a finite number up to 1e100" if type(value) in (int, float) else "a number"
    return f"found {show(value)}, expected {finite}"


def read_matrix(value: object) -> Array:
    """A list of equally long lists of numbers as float64; zeros lose their sign. Raises FieldError."""
    if not isinstance(value, list) or not value:
        raise FieldError(f"found {show(value)}, expected a list of rows")
    refuse_all(_misfits(value))
    return np.array(value, dtype=np.float64) + 0.0


def _misfits(rows: list[object]) -> Iterator[FieldError]:
    width = len(rows[0]) if isinstance(rows[0], list) else 0
    for r, row in enumerate(rows):
        if not isinstance(row, list) or not row:
            yield FieldError(f"found {show(row)}, expected a row: a list of numbers", f"[{r}]")
            continue
        if width and len(row) != width:
            yield FieldError(f"found a row of {len(row)}, expected {width} as in the first", f"[{r}]")
        yield from (FieldError(_number_says(cell), f"[{r}][{c}]") for c, cell in enumerate(row) if not _is_number(cell))


def _row_of_numbers(value: object) -> TypeGuard[list[int | float]]:
    return isinstance(value, list) and bool(value) and all(map(_is_number, value))


def _rows(value: object) -> Array:
    if _row_of_numbers(value):
        raise FieldError(rows_expected(value, targets=False))
    return read_matrix(value)


def _targets(value: object) -> Array | tuple[int, ...]:
    """Rows of targets, or class labels, which only a softmax output can have (problem.py)."""
    if _row_of_numbers(value):
        if all(type(each) is int and 0 <= each < MOST_CLASSES for each in value):
            return tuple(int(each) for each in value)
        raise FieldError(rows_expected(value, targets=True))
    return read_matrix(value)


def _bias(value: object) -> bool | float | Array:
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
        told = [FieldError(str(each), each.within.removeprefix("[0]")) for each in wrong.all]
        raise FieldError(str(told[0]), told[0].within, told[1:], wrong.more) from None


def _loss(value: object) -> str:
    return value if isinstance(value, str) and value in RULES else called_one_of(value, LOSSES)


def _layer_list(value: object) -> object:
    """Refused before a million empty tables are looked into one by one."""
    if isinstance(value, dict):
        raise FieldError("found a single table, expected a list of layers ([[layers]], not [layers])")
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_LAYERS:
        raise ValueError(f"a list of 1 to {MOST_LAYERS} layers ([[layers]])")
    return value


Whole: TypeAlias = Annotated[int, Field(ge=1, le=10**100)]
MatrixField: TypeAlias = Annotated[Array, PlainValidator(_rows)]
TargetsField: TypeAlias = Annotated[Array | tuple[int, ...], PlainValidator(_targets)]
BiasField: TypeAlias = Annotated[bool | float | Array, PlainValidator(_bias)]
Text: TypeAlias = Annotated[str, Field(max_length=2000), AfterValidator(_text)]
Columns: TypeAlias = Annotated[list[str], Field(min_length=1)]


class RawLayer(FileSection):
    """One `[[layers]]`: typed weights and bias, or a number of units whose parameters are drawn."""

    activation: Annotated[str, PlainValidator(lambda value: called_one_of(value, EVERY_ACTIVATION))]
    slope: BoundedNumber | None = None
    form: Literal["tanh", "erf"] | None = None
    units: Whole | None = None
    weights: MatrixField | None = None
    weights_are: Literal["inputs x outputs", "outputs x inputs"] = "inputs x outputs"
    bias: BiasField | None = None

    @model_validator(mode="after")
    def _weights_or_units(self) -> RawLayer:
        refuse_all(self._clashes())
        return self

    def _clashes(self) -> Iterator[FieldError]:
        """What does not go together within the layer."""
        if (self.units is None) == (self.weights is None):
            count = "neither" if self.units is None else "both"
            yield FieldError(f"found {count} of weights and units, expected one of them")
        elif self.weights is None and self.weights_are != "inputs x outputs":
            yield FieldError("found it without weights, expected it only beside them", ".weights_are")
        elif self.weights is not None and self.bias is True:
            yield FieldError("found true, expected beside weights a list of numbers, one number, or false", ".bias")
        elif self.units is not None and not isinstance(self.bias, bool | None):
            yield FieldError("found numbers, expected true or false beside units", ".bias")
        if self.slope is not None and self.activation != "leaky_relu":
            yield FieldError(f"found a slope for {self.activation}, expected one only for leaky_relu", ".slope")
        if self.form is not None and self.activation != "gelu":
            yield FieldError(f"found a form for {self.activation}, expected one only for gelu", ".form")

    @property
    def function(self) -> str:
        """Its entry among the activations."""
        return "gelu_erf" if self.form == "erf" else self.activation

    @property
    def turned(self) -> Array | None:
        """The weights as inputs × outputs, whichever way they were given."""
        given = self.weights
        return np.ascontiguousarray(given.T) if given is not None and self.weights_are == "outputs x inputs" else given

    @property
    def by_rows(self) -> dict[str, object]:
        """What is otherwise of a layer that was typed units × inputs, whatever else it says of that."""
        given = None if self.weights is None else np.ascontiguousarray(self.weights.T)
        return {"weights": given, "weights_are": "inputs x outputs"}

    @property
    def outputs(self) -> int:
        """The number of its units."""
        turned = self.turned
        found = self.units if turned is None else turned.shape[1]
        assert found is not None  # it has one of units and weights
        return int(found)

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
        refuse_all(self._clashes())
        return self

    def _clashes(self) -> Iterator[FieldError]:
        typed = [key for key in ("X", "Y") if getattr(self, key) is not None]
        if self.file is not None:
            if typed:
                yield FieldError(f"found {' and '.join(typed)} beside file, expected one or the other")
            return
        for extra in ("sheet", "inputs", "targets"):
            if getattr(self, extra) is not None:
                yield FieldError(f"found {extra} without file, expected it only beside file")
        if len(typed) < 2:
            missing = missing_keys([key for key in ("X", "Y") if key not in typed])
            yield FieldError(f"{missing}: expected X and Y, or file")


class RawProblem(FileSection):
    """A whole problem file."""

    title: Text | None = None
    description: Text | None = None
    source: Text | None = None
    learning_rate: Annotated[float, Field(gt=0, le=LARGEST)]
    epochs: Whole = 1
    batch_size: Whole | None = None
    rule: Annotated[str, PlainValidator(lambda value: one_of(value, RULES))] | None = None
    loss: Annotated[str, PlainValidator(_loss)]
    loss_shown: Literal["sum", "mean"] | None = None
    decimals: Annotated[Decimals, PlainValidator(read_decimals)] = Decimals()
    carry_rounded: bool = False
    data: RawData
    layers: Annotated[list[RawLayer], BeforeValidator(_layer_list)]
    initial: Initial = Initial()
    convention: Convention = Convention()
    reproduce: Reproduce = Reproduce()
    optimizer: Optimizer | None = None
    names: Annotated[Naming, PlainValidator(read_names)] = Naming()
    marks: Annotated[MarkScheme, PlainValidator(read_marks)] = MarkScheme()
    variants: Annotated[Redrawn, PlainValidator(read_redrawn)] = Redrawn()

    @model_validator(mode="before")
    @classmethod
    def _rule_for_loss(cls, document: object) -> object:
        """A learning rule brings its own loss."""
        if isinstance(document, dict) and document.get("rule") in RULES and "loss" not in document:
            return {**document, "loss": document["rule"]}
        return document

    @property
    def by_rows(self) -> RawProblem:
        """The same problem as it is written with a sample in each row."""
        if not self.convention.turned:
            return self
        typed = {key: each.T for key in ("X", "Y") if isinstance(each := getattr(self.data, key), np.ndarray)}
        layers = [layer.model_copy(update=layer.by_rows) for layer in self.layers]
        return self.model_copy(update={"data": self.data.model_copy(update=typed), "layers": layers})


@dataclass(frozen=True)
class Data:
    """X and Y as read, and the table file that they came from, if any."""

    X: Array
    Y: Array
    file: str | None = None

    def target_place(self, row: int) -> str:
        """Where the targets of a row (from 0) stand; in a table file row 1 is the header."""
        return f"data.Y[{row}]" if self.file is None else f"data.file: {self.file}, row {row + 2}"
