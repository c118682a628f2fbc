"""Tracer: see, practise and check backpropagation by hand.

>>> import tracer
>>> run = tracer.trace("mazur")
>>> print(run["A2"].round(4))
[[0.7514 0.7729]]

What is here is all that a user needs; each part is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tracer import display

if TYPE_CHECKING:
    from tracer.api import (
        check,
        from_arrays,
        load,
        trace,
        train,
        write_derivation,
        write_page,
        write_workbook,
        write_worksheet,
    )
    from tracer.errors import TracerError
    from tracer.frameworks.comparing import compare
    from tracer.frameworks.models import from_keras, from_onnx, from_sklearn, from_torch, of
    from tracer.problem.problem import Problem
    from tracer.program.program import Program
    from tracer.run.passes import Trace

    __version__: str

__all__ = [
    "Problem",
    "Program",
    "Trace",
    "TracerError",
    "__version__",
    "check",
    "compare",
    "from_arrays",
    "from_keras",
    "from_onnx",
    "from_sklearn",
    "from_torch",
    "load",
    "of",
    "trace",
    "train",
    "write_derivation",
    "write_page",
    "write_workbook",
    "write_worksheet",
]

_ELSEWHERE = {
    "Problem": "tracer.problem.problem",
    "Program": "tracer.program.program",
    "Trace": "tracer.run.passes",
    "TracerError": "tracer.errors",
    "compare": "tracer.frameworks.comparing",
    **dict.fromkeys(("from_keras", "from_onnx", "from_sklearn", "from_torch", "of"), "tracer.frameworks.models"),
}


def _views() -> display.Views:
    from tracer.notebook import notebook

    return notebook


display.views = _views


def __getattr__(name: str) -> Any:
    """What is asked for first is imported then."""
    if name not in __all__:
        raise AttributeError(f"module 'tracer' has no attribute {name!r}")
    if name == "__version__":
        from importlib.metadata import version

        found: Any = version("backprop-tracer")
    else:
        found = getattr(import_module(_ELSEWHERE.get(name, "tracer.api")), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
