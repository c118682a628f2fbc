"""A problem file with its mistakes taken out, as far as one can guess: only to look for further mistakes in it."""

from __future__ import annotations

from typing import Any, NamedTuple

PLACEHOLDERS: dict[str | int, Any] = {"learning_rate": 1.0, "loss": "half_squared_error", "activation": "linear"}


class FieldFault(NamedTuple):
    """Where a mistake is; `within` the value there; the key that an unknown one is `meant` to be, if it is unknown."""

    place: tuple[str | int, ...]
    within: tuple[str, ...] = ("",)
    unknown: bool = False
    meant: str | None = None


def mended(document: Any, faults: list[FieldFault]) -> Any | None:
    """The document without its faults; None where nobody can guess what is meant. The document itself is kept."""
    for fault in sorted(faults, key=lambda each: not each.unknown):  # a key is renamed before it is missed
        if not isinstance(document, dict):
            return None
        document = _without(document, fault)
    return document


def _without(document: dict[str, Any], fault: FieldFault) -> dict[str, Any] | None:
    match fault.place:
        case (key,) if fault.unknown:
            return _renamed(document, key, fault.meant)
        case ("layers", int(k), *rest):
            layers = document["layers"]
            layer = _mended_layer(layers[k], rest, fault) if isinstance(layers[k], dict) else None
            return document | {"layers": [*layers[:k], layer, *layers[k + 1 :]]} if layer else None
        case ("data", key) if fault.unknown:
            return document | {"data": _renamed(document["data"], key, fault.meant)}
        case ("data", ("X" | "Y") as key):
            zeros = _zeros(document["data"][key])
            return document | {"data": document["data"] | {key: zeros}} if zeros else None
        case () | ("data" | "layers", *_):
            return None
        case (key, *_):
            return _replaced(document, key)
    return None


def _renamed(table: dict[str, Any], key: str | int, meant: str | None) -> dict[str, Any]:
    rest = {each: value for each, value in table.items() if each != key}
    return {meant: table[key], **rest} if meant is not None and meant not in rest and key in table else rest


def _replaced(table: dict[str, Any], key: str | int) -> dict[str, Any]:
    """A placeholder where the file must have the key, and nothing where it need not; keys that are there stay."""
    rest = {each: value for each, value in table.items() if each != key}
    return {**rest, str(key): PLACEHOLDERS[key]} if key in PLACEHOLDERS else rest


def _mended_layer(layer: dict[str, Any], rest: list[str | int], fault: FieldFault) -> dict[str, Any] | None:
    if fault.unknown:
        return _renamed(layer, rest[0], fault.meant)
    for key in rest[:1] or [within.removeprefix(".") for within in fault.within]:
        if key == "" and "units" in layer and "weights" in layer:
            layer = _replaced(layer, "units")
        elif key == "weights" and (zeros := _zeros(layer.get("weights"))):
            layer = layer | {"weights": zeros}
        elif key == "bias":
            layer = layer | {"bias": _mended_bias(layer)}
        elif key == "activation":  # a slope is not looked at beside an activation that is not known
            layer = _replaced(_replaced(_replaced(layer, "slope"), "form"), key)
        elif key in ("slope", "form", "weights_are"):
            layer = _replaced(layer, key)
        else:
            return None
    return layer


def _mended_bias(layer: dict[str, Any]) -> object:
    """A bias of the kind and the length that the layer's was, as far as one sees it."""
    bias = layer.get("bias")
    if "units" in layer:
        return True
    if isinstance(bias, list) and len(bias) == 1 and isinstance(bias[0], list):
        bias = bias[0]
    return [0.0] * len(bias) if isinstance(bias, list) and bias else 0.0


def _zeros(rows: object) -> list[list[float]] | None:
    """A matrix of the size that some rows have; None if they have none."""
    if not isinstance(rows, list) or not all(isinstance(row, list) and row for row in rows):
        return None
    return [[0.0] * len(row) for row in rows] if len({len(row) for row in rows}) == 1 else None
