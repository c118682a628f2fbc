"""Names that frameworks give to parameters: 0.weight, fc2.bias, layers.2.weight.grad. Layers go by their order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tracer.answers.key import Key
from tracer.program import naming_policy as policy

_MODULE = re.compile(r"([\w.]{1,60})[./](weight|bias|kernel)s?(?::0)?((?:\.grad)?)", re.I)


class Modules:
    """The modules that a file names, in their order."""

    def __init__(self, names: Iterable[str]) -> None:
        found = (_MODULE.fullmatch(each.strip()) for each in names)
        self.layers = {
            module: number for number, module in enumerate(dict.fromkeys(each[1] for each in found if each), 1)
        }

    def is_module(self, name: str) -> bool:
        return _MODULE.fullmatch(name.strip()) is not None

    def identifiers(self, name: str, key: Key) -> Iterator[str]:
        """The parameter or gradient of a module; a parameter's old name may stand for the updated one."""
        found = _MODULE.fullmatch(name.strip())
        if found is None or not key.program.by_layers:
            return
        layer = self.layers[found[1]]
        parameter = policy.bias(layer) if found[2].lower() == "bias" else policy.weights(layer)
        identifier = policy.gradient(parameter) if found[3] else parameter
        if identifier in key.values:
            yield identifier
