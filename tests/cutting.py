"""Sheets of people who cut off after the third decimal, and keep one matrix in full beside what they write of it."""

from decimal import ROUND_DOWN, Decimal

import numpy as np

from tracer.answers.key import Key, key_of
from tracer.problem.reading import load_any

UNIT = Decimal("0.001")
IN_FULL = {"softmax": "dZ", "rms-norm": "dZ", "vae": "R", "gan-generator": "p", "logistic-l2": "p"}
"""The matrix that each keeps in full; were its numbers rounded, a cell made of it could not be what it is."""


def cut_sheet(name: str) -> tuple[Key, dict[str, list[list[str]]]]:
    """The key of an example, and a right sheet of all its matrices, every number cut off."""
    key = key_of(load_any(name))
    memory, written = dict(key.values), dict[str, list[list[str]]]()
    for each in key.program.computed:
        made = key.compute(each, memory)
        written[each] = [[str(Decimal(repr(value)).quantize(UNIT, ROUND_DOWN)) for value in row]
                         for row in made.tolist()]  # fmt: skip
        memory[each] = made if each == IN_FULL[name] else np.array(written[each], dtype=float)
    return key, written
