"""Names that a program may have, of the names that frameworks give."""

from __future__ import annotations

import re

from tracer.formulas.functions import WORDS
from tracer.formulas.parsing import misnamed
from tracer.program import naming_policy as named

MOST_LETTERS = 60
_DERIVED = re.compile(
    rf"(?:{named.updated('.*')}|.*_slope|.*_part[0-9]+|.*_at_.*"
    r"|.*_(?:velocity|squares|mean|clipped)(?:_hat)?)(?:_?[0-9]+)?"
)


def valid(name: str) -> str:
    """A framework's name as a matrix may have it.

    >>> valid("encoder.layer.0.q"), valid("0.weight"), valid("lambda")
    ('encoder_layer_0_q', 'layer_0_weight', 'lambda_')
    """
    made = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")[:MOST_LETTERS] or "value"
    if made[0].isdigit():
        made = f"layer_{made}"
    reserved = (named.RATE, named.PASSES, named.GRADIENT_NORM, named.CLIP_FACTOR)
    if made in WORDS or made in reserved or misnamed(made) or _DERIVED.fullmatch(made):
        made += "_"
    return made


class FreeNames:
    """Gives each matrix a name of its own that no gradient of another has."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        """The name wanted, or the first free one behind it."""
        base, number = valid(wanted), 1
        name = base
        while not self._is_free(name):
            name = f"{base}_{number}" if not base.endswith("_") else f"{base}{number}"
            number += 1
        self._taken.add(name.casefold())
        return name

    def is_free(self, names: list[str]) -> bool:
        """Whether all of them could be taken."""
        return all(map(self._is_free, names))

    def _is_free(self, name: str) -> bool:
        folded, gradient = name.casefold(), named.gradient(name).casefold()
        if folded in self._taken or gradient in self._taken:
            return False
        return not any(named.gradient(other) == folded for other in self._taken)
