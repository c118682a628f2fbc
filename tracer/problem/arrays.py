"""Arrays as programs and frameworks have them, made into what a problem file would hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """The same with lists for arrays, tuples and tensors, Python's numbers for numpy's, and dicts for mappings.

    >>> import numpy as np
    >>> plain({"X": np.eye(2), "rate": np.float32(0.5)})
    {'X': [[1.0, 0.0], [0.0, 1.0]], 'rate': 0.5}
    """
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "detach"):  # a tensor that a gradient is kept of
        value = value.detach()
    return value.tolist() if hasattr(value, "tolist") else value
