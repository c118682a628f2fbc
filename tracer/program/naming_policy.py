"""The identifiers of matrices, made in one place.

They are keys: in JSON, saved traces, pages, and, with an underscore behind them, as defined names of workbooks. What a
matrix is, its role says (roles.py); nobody reads it off an identifier.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

RATE = "learning_rate"
INPUTS, TARGETS, LOSS, OUTPUT_ERROR = "X", "Y", "L", "E"
PASSES, GRADIENT_NORM, CLIP_FACTOR = "step", "gradient_norm", "clip_factor"  # of an optimizer
_KEPT = "velocity|(?:squares|mean)(?:_hat)?|clipped"  # by an optimizer, of a parameter or a gradient
PATTERN = (  # of the identifiers that a workbook may hold
    rf"(?:[A-Za-z]{{1,2}}[0-9]{{0,3}}(?:_(?:{_KEPT}))?|{PASSES}|{GRADIENT_NORM}|{CLIP_FACTOR})(?:_next)?"
)


def weights(layer: int) -> str:
    return f"W{layer}"


def bias(layer: int) -> str:
    return f"b{layer}"


def pre_activation(layer: int) -> str:
    return f"Z{layer}"


def activation(layer: int) -> str:
    """The inputs are the activation of layer 0."""
    return f"A{layer}" if layer else INPUTS


def error(layer: int, depth: int) -> str:
    """The gradient at a layer's activation; at the output it is not numbered."""
    return OUTPUT_ERROR if layer == depth else f"E{layer}"


def slope(layer: int) -> str:
    return f"S{layer}"


def jacobian(sample: int) -> str:
    return f"J{sample}"


def delta(layer: int) -> str:
    return f"D{layer}"


def gradient(of: str) -> str:
    return f"d{of}"


def updated(parameter: str) -> str:
    return f"{parameter}_next"


def state(parameter: str, kind: str) -> str:
    """What an optimizer keeps of a parameter: its velocity, its mean, …"""
    return f"{parameter}_{kind}"


def clipped(parameter: str) -> str:
    return f"{gradient(parameter)}_clipped"


def defined_name(identifier: str) -> str:
    """What a matrix is called in a workbook's formulas: Z1_, since Z1 alone is a cell."""
    return identifier if identifier.endswith("_next") or identifier == RATE else f"{identifier}_"


def defined_names(identifiers: Iterable[str]) -> dict[str, str]:
    """The defined names of a workbook's matrices, in order of time.

    Defined names ignore case: an identifier that differs from an earlier one in case alone takes the smallest free
    number.

    >>> defined_names(["V", "v", "V_next", "v_next"])
    {'V': 'V_', 'v': 'v_2_', 'V_next': 'V_next', 'v_next': 'v_next_2'}
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for each in identifiers:
        name, number = defined_name(each), 2
        while name.casefold() in taken:
            name = f"{each}_{number}" if defined_name(each) == each else f"{each}_{number}_"
            number += 1
        taken.add(name.casefold())
        found[each] = name
    return found


def of_defined_name(name: str) -> str | None:
    """The identifier that a defined name stands for; None where it is no matrix's.

    >>> of_defined_name("Z1_"), of_defined_name("W1_mean_next"), of_defined_name("student_name")
    ('Z1', 'W1_mean_next', None)
    """
    identifier = name.removesuffix("_")
    return identifier if re.fullmatch(PATTERN, identifier) and defined_name(identifier) == name else None
