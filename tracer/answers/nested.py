"""Names inside a name: {"grads": {"W1": …}} holds the gradient of W1, {"layer2": {"W": …}} the weights W2."""

from __future__ import annotations

import re

_GRADIENTS = re.compile(r"grad|deriv", re.I)
_UPDATED = re.compile(r"new|next|updated|after", re.I)
_LAYER = re.compile(r"(?:layer|l)[ _-]?([0-9]{1,2})", re.I)
_DICTIONARY = re.compile(r"\b([A-Za-z]\w{0,30})[ \t]*=[ \t]*(?:dict\()?\{([^{}]{1,20000})\}")
_KEY = re.compile(r"(['\"])([^'\"\n]{1,60})\1(?=[ \t]*:)")


def name_within(outer: str, name: str) -> str:
    """What a name means inside another.

    >>> name_within("grads", "W1"), name_within("layer_2", "W"), name_within("forward", "A1")
    ('W1.grad', 'W2', 'A1')
    """
    if _GRADIENTS.search(outer):
        return f"{name}.grad"
    if _UPDATED.search(outer):
        return f"{name}_new"
    layer = _LAYER.fullmatch(outer)
    return name if layer is None or name[-1:].isdigit() else f"{name}{layer[1]}"


def with_names_within(text: str) -> str:
    """A text in which the keys of dictionaries have the names that they mean."""

    def told(found: re.Match[str]) -> str:
        return _KEY.sub(lambda key: f"{key[1]}{name_within(found[1], key[2])}{key[1]}", found[0])

    return _DICTIONARY.sub(told, text)
