"""What a matrix is: its role in the program, said once, where it is assigned.

Nobody reads it off the letters of an identifier. The nine roles are those of any program; `kind` says something finer
where there is something finer to say. A `Quantity` is the two together, which is what most readers ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from tracer.expression import matrix as m

Role: TypeAlias = Literal[
    "given",
    "parameter",
    "intermediate",
    "loss",
    "local_derivative",
    "contribution",
    "gradient",
    "state",
    "updated",
]
BlockIndex: TypeAlias = tuple[tuple[str, int | str], ...]
"""The parts of the network that a matrix belongs to, the outermost first: (("layer", 2), ("sample", 1))."""


class Quantity(NamedTuple):
    """A role and its finer kind."""

    role: Role
    kind: str | None


INPUTS = Quantity("given", "input")
TARGETS = Quantity("given", "target")
LEARNING_RATE = Quantity("given", "hyperparameter")
WEIGHTS = Quantity("parameter", "weights")
BIAS = Quantity("parameter", "bias")
PARAMETER = Quantity("parameter", None)  # of a program
PRE_ACTIVATION = Quantity("intermediate", "pre_activation")
ACTIVATION = Quantity("intermediate", "activation")
LOSS = Quantity("loss", None)
ERROR = Quantity("gradient", "error")  # of an activation, or of the output's pre-activation where the loss is fused
SLOPE = Quantity("local_derivative", "slope")
JACOBIAN = Quantity("local_derivative", "jacobian")
DELTA = Quantity("gradient", "delta")  # of a pre-activation
WEIGHTS_GRADIENT = Quantity("gradient", "weights")
BIAS_GRADIENT = Quantity("gradient", "bias")
NEW_WEIGHTS = Quantity("updated", "weights")
NEW_BIAS = Quantity("updated", "bias")
CLIPPING = Quantity("intermediate", "clipping")  # how long all gradients are together, and what shortens them
CLIPPED = Quantity("intermediate", "clipped")  # a gradient times that factor


@dataclass(frozen=True)
class Assignment:
    """One matrix of one step; `expression` is None where it is given.

    `of` is the matrix that it belongs to: what a gradient is the gradient of, a local derivative the derivative of, an
    updated parameter the new value of. A gradient is that of the loss summed over the samples, times `factor`: −1, the
    learning rate, 1/N, or their product. `reproduced` says that it is not even that, since `[reproduce]` asks for what
    a publication did.
    """

    id: str
    shape: m.Shape
    expression: m.Matrix | None
    role: Role
    kind: str | None = None
    of: str | None = None
    factor: float = 1.0
    block: BlockIndex = ()
    reproduced: bool = False

    @property
    def quantity(self) -> Quantity:
        return Quantity(self.role, self.kind)

    @property
    def layer(self) -> int | None:
        """The layer (from 1) that it belongs to, or None."""
        return self._number_of("layer")

    @property
    def sample(self) -> int | None:
        """The sample (from 1) of the pass that it belongs to alone, or None."""
        return self._number_of("sample")

    def _number_of(self, part: str) -> int | None:
        found = dict(self.block).get(part)
        return found if isinstance(found, int) else None

    def to_document(self) -> dict[str, str | float]:
        """What `trace --json` says of the role; keys that have nothing to say are left out."""
        kind = "reproduced" if self.reproduced else self.kind
        told: dict[str, str | float] = {"role": self.role}
        if self.of is not None:
            told["of"] = self.of
        if kind is not None:
            told["kind"] = kind
        if self.factor != 1.0:
            told["factor"] = self.factor
        return told
