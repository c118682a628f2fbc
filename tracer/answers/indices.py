"""Cells by their indices, as programs write them: Z1[0][1], Z1[0, 1], Z1(1,2) become Z1[1,2]."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from tracer.answers.handed_in import Assigned

_INDEXED = re.compile(
    r"([^\W\d_][\w.']{0,30})\s?(?:\[\s?(\d{1,3})\s?[,;]\s?(\d{1,3})\s?\]|\[(\d{1,3})\]\[(\d{1,3})\]|\((\d{1,3}),\s?(\d{1,3})\))"
)


def counted_from_1(assigned: Mapping[int, Assigned]) -> dict[int, Assigned]:
    """What lines give a name to; indices count from 0 where one of the same name is 0."""
    indices: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
    for row, each in assigned.items():
        if (found := _INDEXED.fullmatch(each.name)) is not None:
            first, second = (int(number) for number in found.groups()[1:] if number is not None)
            indices[found[1]][row] = first, second
    renamed = dict(assigned)
    for name, places in indices.items():
        begin = 0 if any(0 in each for each in places.values()) else 1
        for row, (first, second) in places.items():
            renamed[row] = replace(assigned[row], name=f"{name}[{first + 1 - begin},{second + 1 - begin}]")
    return renamed
