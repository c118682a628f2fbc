"""What every importer makes of a model: a list of operations over named values, each with its module and source line.

The operations are called as PyTorch calls them before anything is taken apart (`linear`, `layer_norm`, `lstm`), and so
are their arguments. `rules` write each as formulas over matrices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tracer.frameworks.cells import Numbers, SourceKind


@dataclass(frozen=True)
class Ref:
    """A value of the graph by its name; `part` where an operation gives several."""

    name: str
    part: int | None = None


@dataclass(frozen=True)
class Operation:
    """One operation: `name` is its value's, `arguments` are Refs, numbers, arrays and settings by their names.

    `module` is the part of the model that it stands in (`encoder.layer.0.q`), `source` the line of code.
    """

    kind: str
    name: str
    arguments: Mapping[str, Any]
    module: str = ""
    source: str = ""
    shown: str = ""

    @property
    def place(self) -> str:
        """Where it stands, for a message."""
        return self.module or self.name


@dataclass(frozen=True)
class Start:
    """Numbers that the graph starts from: what is given, and the parameters.

    `matrix` is the shape of the one matrix that they are where they have more dimensions.
    """

    numbers: Numbers
    kind: SourceKind
    matrix: tuple[int, int] | None = None


@dataclass
class Graph:
    """Starts by name, operations in order, and the value that is differentiated.

    `outputs` names the model's own outputs, before the loss; `remarks` is what the reader is to know.
    """

    title: str
    starts: dict[str, Start] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    loss: Ref = field(default_factory=lambda: Ref(""))
    with_respect_to: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
