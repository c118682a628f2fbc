"""How parameters follow their gradients: the section `[optimizer]`, its keys, defaults and results as in `torch.optim`.

Each rule (update_rules.py) is a list of assignments over symbols, so that every state is a matrix with its own formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from itertools import chain
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

import numpy as np
from pydantic import Field, model_validator

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.arrays import Array
from tracer.formulas.derived import ParameterSymbols
from tracer.problem.convention import FieldError, FileSection
from tracer.problem.update_rules import UpdateRule, updated
from tracer.program import naming_policy as named
from tracer.program import roles
from tracer.program.roles import Assignment

Share: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
Size: TypeAlias = Annotated[float, Field(ge=0, le=1e100)]

CLIP_SLACK = 1e-6  # as torch.nn.utils.clip_grad_norm_ has it
u, one = s.Variable("u"), s.Number(1.0)


class Kept(NamedTuple):
    """A matrix that keeps something (the velocity, …) `of` a parameter or gradient, `beside` it or its new value."""

    of: str
    beside: str
    kind: str | None


class Optimizer(FileSection):
    """The section `[optimizer]`; keys that the named one does not have are refused."""

    name: Literal["sgd", "adagrad", "rmsprop", "adam", "adamw"] = "sgd"
    momentum: Size | None = None
    dampening: Annotated[float, Field(ge=-1e100, le=1e100)] | None = None
    nesterov: bool | None = None
    weight_decay: Size | None = None
    lr_decay: Size | None = None
    initial_accumulator_value: Size | None = None
    eps: Size | None = None
    alpha: Share | None = None
    centered: bool | None = None
    betas: tuple[Share, Share] | None = Field(default=None, strict=False)
    clip_norm: Annotated[float, Field(gt=0, le=1e100)] | None = None
    state: dict[str, list[list[float]] | float] | None = None

    @model_validator(mode="after")
    def _own_keys(self) -> Optimizer:
        for key in self.model_fields_set - {"name", "clip_norm", "state"}:
            if key not in DEFAULTS[self.name]:
                known = ", ".join((*DEFAULTS[self.name], "clip_norm"))
                raise FieldError(f"found it for {self.name}, which has {known}", f".{key}")
        if self.nesterov and (not self.momentum or self.dampening):
            raise FieldError("found true, expected it only with a momentum and without dampening", ".nesterov")
        return self

    def value(self, key: str) -> Any:
        """A setting, or torch's default for it."""
        found = getattr(self, key)
        return DEFAULTS[self.name][key] if found is None else found

    def to_document(self) -> dict[str, Any]:
        """The section as a table, without what is left to its default."""
        return self.model_dump(exclude_none=True)

    @property
    def rule(self) -> str:
        """Its key in IN_WORDS."""
        return "momentum" if self.name == "sgd" and self.value("momentum") else self.name

    def in_words(self) -> str:
        """The rule of the update in a sentence, with the settings that are not the defaults."""
        settings, rule = self.settings, IN_WORDS[self.rule]
        clipped = f" Gradients together longer than {self.clip_norm:g} are shortened to that." if self.clip_norm else ""
        return f"{rule}{f' ({settings})' if settings else ''}.{clipped}"

    @property
    def settings(self) -> str:
        """The settings that are not the defaults, in a line."""
        told = self.model_dump(exclude_none=True, exclude={"name", "clip_norm", "state"})
        chosen = {key: value for key, value in told.items() if value != DEFAULTS[self.name][key]}
        return ", ".join(f"{key.replace('_', ' ')} {_written(value)}" for key, value in chosen.items())

    @property
    def names(self) -> tuple[str, ...]:
        """What is kept of each parameter from pass to pass, as endings of its name."""
        match self.name:
            case "sgd":
                return ("velocity",) if self.value("momentum") else ()
            case "adagrad":
                return ("squares",)
            case "rmsprop":
                return (
                    "squares", *(["mean"] if self.value("centered") else []),
                    *(["velocity"] if self.value("momentum") else []),
                )  # fmt: skip
            case _:
                return ("mean", "squares")

    @property
    def counts(self) -> bool:
        """Whether the number of the pass plays a part."""
        return self.name not in ("sgd", "rmsprop") or bool(self.name == "sgd" and self.value("dampening"))

    def states(self, parameters: ParameterSymbols) -> list[Assignment]:
        """The states before a pass, each given, of its parameter."""
        found = [
            Assignment(named.state(name, kind), symbol.shape, None, "state", kind, of=name)
            for name, symbol in parameters.items()
            for kind in self.names
        ]
        return [*found, *([Assignment(named.PASSES, (1, 1), None, "state", "count")] if self.counts else [])]

    def start(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Zeros, Adagrad's squares as it is told, and no pass counted, but for the states that the file has."""
        first = self.value("initial_accumulator_value") if self.name == "adagrad" else 0.0
        found = {
            named.state(name, kind): np.full(each.shape, first)
            for name, each in parameters.items()
            for kind in self.names
        }
        found |= {named.PASSES: np.zeros((1, 1))} if self.counts else {}
        return found | {name: np.atleast_2d(np.array(each, float)) for name, each in (self.state or {}).items()}

    def unfit_states(self, parameters: Mapping[str, Array]) -> Iterator[tuple[str, str]]:
        """States of the file that are none of the optimizer's, or have another shape: their names, and what to say."""
        zeros = self.model_copy(update={"state": None}).start(parameters)
        for name, each in (self.state or {}).items():
            if name not in zeros:
                yield name, f"found {name[:40]!r}, expected one of {', '.join(zeros) or 'none'}"
                continue
            rows, columns = zeros[name].shape
            widths = {len(row) for row in each} if isinstance(each, list) else {1}
            height = len(each) if isinstance(each, list) else 1
            if widths != {columns} or height != rows:
                yield name, f"found {height} rows of {', '.join(map(str, sorted(widths)))}, expected {rows}×{columns}"

    def assignments(self, parameters: ParameterSymbols) -> list[Assignment]:
        """The update step: what is clipped, the pass counted, then each parameter's states and its new value."""
        clipped = (self.clipped(name, each) for name, each in parameters.items())
        rules = (self.of_parameter(name, each) for name, each in parameters.items())
        return [*self.before(parameters), *chain(*clipped), *chain(*rules)]

    def before(self, parameters: ParameterSymbols) -> Iterator[Assignment]:
        """What comes before any parameter: how long all gradients are together, and the number of the pass."""
        if self.clip_norm is not None and parameters:
            yield from self._shortened(parameters)
        if self.counts:
            yield updated(named.PASSES, m.add(m.Symbol(named.PASSES, (1, 1)), m.Constant(1.0)), "count")

    def _shortened(self, parameters: ParameterSymbols) -> Iterator[Assignment]:
        """The factor for every gradient, so that all together are no longer than `clip_norm`."""
        gradients = [m.Symbol(named.gradient(name), each.shape) for name, each in parameters.items()]
        squares: Iterator[m.Matrix] = (m.total(m.Apply(s.Power(u, 2), (("u", each),))) for each in gradients)
        total = reduce(m.add, squares)
        norm = m.Symbol(named.GRADIENT_NORM, (1, 1))
        yield Assignment(norm.name, (1, 1), m.Apply(s.Function("sqrt", u), (("u", total),)), *roles.CLIPPING)
        ratio = s.Quotient(s.Number(self.clip_norm or 0.0), s.Sum((u, s.Number(CLIP_SLACK))))
        smaller = s.Where(ratio, ">", one, one, ratio)
        yield Assignment(named.CLIP_FACTOR, (1, 1), m.Apply(smaller, (("u", norm),)), *roles.CLIPPING)

    def clipped(self, name: str, parameter: m.Symbol) -> Iterator[Assignment]:
        """The gradient that the rule takes, where it is clipped, with the sign that it has."""
        if self.clip_norm is not None:
            gradient = m.Symbol(named.gradient(name), parameter.shape)
            value = m.multiply(m.Symbol(named.CLIP_FACTOR, (1, 1)), gradient)
            yield Assignment(named.clipped(name), gradient.shape, value, *roles.CLIPPED, of=name)

    def of_parameter(self, name: str, parameter: m.Symbol, sign: float = 1.0) -> Iterator[Assignment]:
        """The states and the new value of a parameter; `sign` is −1.0 where dW is −∂L/∂W."""
        return UpdateRule(self, name, parameter, sign).made()

    def added(self, parameters: Iterable[str]) -> dict[str, Kept | None]:
        """The matrices that it adds to plain gradient descent, with what each keeps; None for single numbers."""
        one_by_one = {name: m.Symbol(name, (1, 1)) for name in parameters}
        states = {each.id: each for each in self.states(one_by_one)}
        found: dict[str, Kept | None] = {}
        for each in (*states.values(), *self.assignments(one_by_one)):
            before = states.get(each.of or "")
            if before is not None:
                found[each.id] = Kept(before.of, named.updated(before.of), each.kind) if before.of else None
            elif each.role != "updated":
                of = named.gradient(each.of) if each.of and each.quantity == roles.CLIPPED else each.of
                found[each.id] = Kept(of, of, each.kind) if of else None
        return found


DEFAULTS: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": 0.0, "dampening": 0.0, "nesterov": False, "weight_decay": 0.0},
    "adagrad": {"lr_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10, "weight_decay": 0.0},
    "rmsprop": {"alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "centered": False, "weight_decay": 0.0},
    "adam": {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0},
    "adamw": {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01},
}


IN_WORDS = {
    "sgd": "Every parameter takes a step against its gradient, times the learning rate",
    "momentum": "Momentum: every parameter follows its velocity, which keeps part of the steps before",
    "adagrad": "Adagrad: every step is divided by the root of all squared gradients so far",
    "rmsprop": "RMSProp: every step is divided by the root of a running mean of squared gradients",
    "adam": "Adam: a running mean of gradients divided by the root of one of their squares, both corrected for their "
    "start at 0",
    "adamw": "AdamW: Adam's step, with the weights' decay taken off the parameter itself",
}


def _written(value: object) -> str:
    """A setting as one reads it aloud."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return " and ".join(f"{each:g}" for each in value) if isinstance(value, tuple | list) else f"{value:g}"
