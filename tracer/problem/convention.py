"""The choices under which a network is worked: different ways of being right, and reproductions.

`Convention` and `Reproduce` are the sections of the same names in the problem file; `Decimals`
and `Names` say how its matrices are written. Nothing here knows a number of the network. A
validator raises ValueError with what it *expected*, or `FieldError` with the whole sentence.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, field_validator

NameStyle: TypeAlias = Literal["matrix", "article", "hand", "mazur"]
CROSS_ENTROPIES = ("cross_entropy", "binary_cross_entropy")
FUSED = {("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")}
ALSO_CALLED = {  # by other programs and books, and taken as they are
    **dict.fromkeys(("logistic", "logsig"), "sigmoid"),
    "tansig": "tanh",
    "swish": "silu",
    "heaviside": "step",
    **dict.fromkeys(("identity", "purelin"), "linear"),
    "mae": "mean_absolute_error",
    "mse": "mean_squared_error",
    "bce": "binary_cross_entropy",
    "categorical_crossentropy": "cross_entropy",
}
ALIASES = {  # what is probably meant, as `_squashed`: a hint says it
    **{re.sub("_", "", name): ours for name, ours in ALSO_CALLED.items()},
    **dict.fromkeys(("lr", "rate", "eta", "alpha"), "learning_rate"),
    "meansquared": "mean_squared_error",
    **dict.fromkeys(("sae", "l1"), "absolute_error"),
    **dict.fromkeys(("hingeloss", "svm"), "hinge"),
    "meanabsolute": "mean_absolute_error",
    "sse": "squared_error",
    "logloss": "binary_cross_entropy",
    "none": "linear",
    "lrelu": "leaky_relu",
    **dict.fromkeys(("atan", "arctangent"), "arctan"),
    **dict.fromkeys(("gelutanh", "gelunew", "gelupytorchtanh"), "gelu"),
    "sigmoidlinearunit": "silu",
    **dict.fromkeys(("hardlim", "threshold", "unitstep"), "step"),
    **dict.fromkeys(("hardlims", "signum", "sgn"), "sign"),
}
UNLIKE = frozenset({"selu", "celu", "mish", "relu6", "prelu", "hardsigmoid", "hardtanh", "huber"})
"""Functions that are none of ours, as `_squashed`: what is spelt like them is not meant."""


MOST_TOLD = 50  # mistakes, a line each


class FieldError(ValueError):
    """A mistake `within` a value ("[0][2]"); `others` in the same value, and how many `more` are not listed."""

    def __init__(self, says: str, within: str = "", others: Sequence[FieldError] = (), more: int = 0) -> None:
        self.within, self.others, self.more = within, tuple(others), more
        super().__init__(says)

    @property
    def all(self) -> tuple[FieldError, ...]:
        """This mistake and the others."""
        return self, *self.others


def refuse_all(faults: Iterable[FieldError]) -> None:
    """Raise what is found as one FieldError, the first at its head; nothing where there is none."""
    found = iter(faults)
    told = list(islice(found, MOST_TOLD))
    if told:
        raise FieldError(str(told[0]), told[0].within, told[1:], sum(1 for _ in found))


def show(value: object) -> str:
    """A value as found in a file, in at most about 40 characters, for a message."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple | dict):
        return f"a table of {len(value)}" if isinstance(value, dict) else f"a list of {len(value)}"
    if isinstance(value, int) and value.bit_length() > 100:  # repr refuses ints of thousands of digits
        return f"a whole number of about {int(value.bit_length() * 0.30103) + 1} digits"
    text = repr(value) if isinstance(value, str | int | float) else f"{type(value).__name__} {value}"
    return text if len(text) <= 40 else text[:36] + "…" + text[-1]


def counted(number: int, what: str) -> str:
    """ "1 row", "2 rows"."""
    return f"{show(number)} {what}{'s' if number != 1 else ''}"


def _squashed(word: str) -> str:
    return re.sub(r"[-_ ]", "", word[:100].casefold())


def nearest(word: str, options: Iterable[str]) -> str | None:
    """The option that is meant: the same but for case and hyphens, by another name, or spelt alike."""
    names = list(options)
    same = [name for name in names if _squashed(name) == _squashed(word)]
    same += [name for name in names if name == ALIASES.get(_squashed(word))]
    if not same and _squashed(word) in UNLIKE:
        return None
    near = same or difflib.get_close_matches(word[:100], names, 1, cutoff=0.5)  # 0.5: Z3 is near Z2
    return near[0] if near else None


def suggest(word: str, options: Iterable[str]) -> str:
    """ "; did you mean 'x'?" for the nearest option, "" where none is near."""
    near = nearest(word, options)
    return f"; did you mean {near!r}?" if near else ""


def one_of(value: object, options: Iterable[str]) -> str:
    """`value` if it is one of the options; else a FieldError that lists them."""
    names = list(options)
    if isinstance(value, str) and value in names:
        return value
    hint = suggest(value, names) if isinstance(value, str) else ""
    expected = ("one of " if len(names) > 1 else "") + ", ".join(map(repr, names))
    raise FieldError(f"found {show(value)}, expected {expected}{hint}")


def called_one_of(value: object, options: Iterable[str]) -> str:
    """The option that `value` is, or is another name of; else a FieldError that lists them."""
    return one_of(ALSO_CALLED.get(value, value) if isinstance(value, str) else value, options)


def place_of(location: Iterable[str | int], inside: bool = False) -> str:
    """A path in the file as `layers[1].weights[0]`; `inside` a value it keeps its leading dot."""
    text = ""
    for part in location:
        plain = isinstance(part, str) and re.fullmatch(r"[A-Za-z_][A-Za-z_0-9]{0,40}", part)
        text += f"[{part}]" if isinstance(part, int) else f".{part if plain else show(part)}"
    return text if inside else text.removeprefix(".")


class FileSection(BaseModel):
    """A table of the problem file: no key but its own, no text or true/false for a number."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True
    )


class Convention(FileSection):
    """Different ways of being right; only `reduction` and `bias_update` change what is learned."""

    error: Literal["output - target", "target - output"] = "output - target"
    learning_rate_in: Literal["update", "delta", "change"] = "update"
    reduction: Literal["sum", "mean"] = "sum"
    reduction_in: Literal["error", "gradient"] = "error"
    bias_update: bool = True
    softmax_slope: Literal["jacobian", "fused"] = "jacobian"
    relu_slope_at_zero: Literal[0, 1] = 0
    samples: Literal["rows", "columns"] = "rows"
    bias_in: Literal["bias", "weights"] = "bias"
    bias_input: Literal[1, -1] = 1

    @field_validator("relu_slope_at_zero", mode="before")
    @classmethod
    def _a_whole_number(cls, value: object) -> object:
        """Literal alone would take true for 1."""
        if type(value) is not int or value not in (0, 1):
            raise ValueError("0 or 1")
        return value

    @field_validator("bias_input", mode="before")
    @classmethod
    def _one_or_minus_one(cls, value: object) -> object:
        if type(value) is not int or value not in (1, -1):
            raise ValueError("1 or -1")
        return value

    def to_document(self) -> dict[str, Any]:
        """Every choice; later ones only where they say something, so that older problems keep their hash."""
        later = {key: _LATER[key] for key in _LATER if getattr(self, key) == _LATER[key]}
        return self.model_dump(exclude=set(later))

    @property
    def turned(self) -> bool:
        """Whether every matrix is written with a sample in each column."""
        return self.samples == "columns"

    @property
    def leading(self) -> int:
        """How many cells stand before those of the units in what a layer takes in: the bias's 1, or none."""
        return 1 if self.bias_in == "weights" else 0

    @property
    def sign(self) -> float:
        """+1.0 where E, D, dW, db are the gradients, −1.0 where they are minus the gradients."""
        return 1.0 if self.error == "output - target" else -1.0


_LATER: Mapping[str, object] = {"reduction_in": "error", "samples": "rows", "bias_in": "bias", "bias_input": 1}
"""Choices that came in later, and what older files mean."""


class Reproduce(FileSection):
    """What a publication did though it is not the gradient of its loss."""

    softmax_slope: Literal["diagonal"] | None = None
    rate_twice: bool = False
    updated_weights_sent_back: bool = False


@dataclass(frozen=True)
class Decimals:
    """Decimals (0 … 15) to which each matrix is shown, and rounded where `carry_rounded` asks."""

    default: int = 3
    table: Mapping[str, int] = field(default_factory=dict)

    def of(self, identifier: str) -> int:
        """The decimals of a matrix: its own entry, or the default."""
        return self.table.get(identifier, self.default)

    def given(self, identifier: str) -> int | None:
        """The matrix's own entry, or None where it has none."""
        return self.table.get(identifier)


@dataclass(frozen=True)
class Naming:
    """How matrices are called: a style, and `own` names for single identifiers."""

    style: NameStyle = "matrix"
    own: Mapping[str, str] = field(default_factory=dict)


def read_decimals(value: object) -> Decimals:
    """`decimals`: a number for all matrices, or a table for some of them. Raises FieldError."""
    table: dict[str, Any] = dict(value) if isinstance(value, dict) else {"": value}
    refuse_all(
        FieldError(
            f"found {show(entry)}, expected a whole number from 0 to 15", place_of((key,), inside=True) if key else ""
        )
        for key, entry in table.items()
        if type(entry) is not int or not 0 <= entry <= 15
    )
    return Decimals(table=table) if isinstance(value, dict) else Decimals(default=table[""])


def read_names(value: object) -> Naming:
    """`[names]`: a style, and names for single identifiers. Raises FieldError or ValueError."""
    if not isinstance(value, dict):
        raise ValueError("a table")
    refuse_all(_misnamings(value))
    return Naming(style=value.get("style", "matrix"), own={key: name for key, name in value.items() if key != "style"})


def _misnamings(table: Mapping[str, Any]) -> Iterator[FieldError]:
    first: dict[str, str] = {}
    for key, entry in table.items():
        if key == "style":
            continue
        if not isinstance(entry, str) or not entry.strip() or not entry.isprintable() or len(entry) > 60:
            says = f"found {show(entry)}, expected 1 to 60 printable characters"
            yield FieldError(says, place_of((key,), inside=True))
            continue
        other = first.setdefault(entry.strip(), key)
        if other != key:
            both = f"{show(other)} and {show(key)}"
            yield FieldError(f"found the name {show(entry)} for both {both}, expected different ones")
    try:
        one_of(table.get("style", "matrix"), get_args(NameStyle))
    except FieldError as wrong:
        yield FieldError(str(wrong), ".style")


def identifiers(biased: Sequence[bool]) -> tuple[str, ...]:
    """Identifiers of a network's matrices but J1, J2, …; `biased` says for each layer if it has a bias.

    >>> identifiers([False])
    ('X', 'Y', 'L', 'E', 'W1', 'Z1', 'A1', 'S1', 'D1', 'dW1', 'W1_next')
    """
    found = ["X", "Y", "L", "E"]
    for layer, has_bias in enumerate(biased, start=1):
        found += [f"{letter}{layer}" for letter in ("W", "Z", "A", "S", "D", "dW")] + [f"W{layer}_next"]
        found += [f"b{layer}", f"db{layer}", f"b{layer}_next"] if has_bias else []
        found += [f"E{layer}"] if layer < len(biased) else []
    return tuple(found)


def misnamed(table: Iterable[str], known: Sequence[str], jacobians: int) -> Iterator[str]:
    """What to say of each key that is neither a known identifier nor one of J1 … J`jacobians`."""
    for key in table:
        is_jacobian = re.fullmatch(r"J[1-9][0-9]{0,9}", key) and int(key[1:]) <= jacobians
        if key not in known and not is_jacobian:
            yield f"unknown key {show(key)}, expected an identifier of this network{suggest(key, known)}"


def unsuitable(convention: Convention, reproduce: Reproduce, loss: str, output: str) -> tuple[str, str] | None:
    """The first choice that does not go with the others, as (place, what is wrong); None if all do.

    `output` is the output layer's activation.
    """
    if loss in CROSS_ENTROPIES and output not in ("sigmoid", "softmax"):
        return "loss", f"{loss} needs a sigmoid or softmax output layer, found {output}"
    if convention.softmax_slope == "fused" and (output, loss) not in FUSED:
        pairs = "softmax with cross_entropy or sigmoid with binary_cross_entropy"
        return "convention.softmax_slope", f"'fused' is for {pairs}, found {output} with {loss}"
    if convention.bias_input != 1 and convention.bias_in != "weights":
        return "convention.bias_input", "found it without bias_in = 'weights', expected it only beside that"
    if not convention.bias_update and convention.bias_in == "weights":
        return "convention.bias_update", "found false with bias_in = 'weights', where biases are weights too"
    if reproduce.rate_twice and convention.learning_rate_in == "change":
        return "reproduce.rate_twice", "it does not go with convention.learning_rate_in 'change'"
    if reproduce.softmax_slope == "diagonal" and output != "softmax":
        return "reproduce.softmax_slope", f"'diagonal' needs a softmax output layer, found {output}"
    if reproduce.softmax_slope == "diagonal" and convention.softmax_slope == "fused":
        return "reproduce.softmax_slope", "'diagonal' does not go with convention.softmax_slope 'fused'"
    return None
