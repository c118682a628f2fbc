"""How parameters follow their gradients: the section `[optimizer]`, its keys, defaults and results as in `torch.optim`.

Each rule is a list of assignments over symbols, so that every state is a matrix with its own formula. The states are
those of ∂L/∂W: where dW is −∂L/∂W, its sign is turned where it enters a state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from itertools import chain
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.problem.convention import FieldError, FileSection
from tracer.program import naming_policy as named
from tracer.program.roles import Assignment

Parameters: TypeAlias = Mapping[str, m.Symbol]
Array: TypeAlias = NDArray[np.float64]
Share: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
Size: TypeAlias = Annotated[float, Field(ge=0, le=1e100)]

CLIP_SLACK = 1e-6  # as torch.nn.utils.clip_grad_norm_ has it
u, v, t, w = (s.Variable(name) for name in "uvtw")
one = s.Number(1.0)


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

    @model_validator(mode="after")
    def _own_keys(self) -> Optimizer:
        for key in self.model_fields_set - {"name", "clip_norm"}:
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

    def in_words(self) -> str:
        """The rule of the update in a sentence, with the settings that are not the defaults."""
        told = self.model_dump(exclude_none=True, exclude={"name", "clip_norm"})
        chosen = {key: value for key, value in told.items() if value != DEFAULTS[self.name][key]}
        settings = ", ".join(f"{key.replace('_', ' ')} {_written(value)}" for key, value in chosen.items())
        rule = IN_WORDS["momentum" if self.name == "sgd" and self.value("momentum") else self.name]
        clipped = f" Gradients together longer than {self.clip_norm:g} are shortened to that." if self.clip_norm else ""
        return f"{rule}{f' ({settings})' if settings else ''}.{clipped}"

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

    def states(self, parameters: Parameters) -> list[Assignment]:
        """The states before a pass, each given, of its parameter."""
        found = [
            Assignment(named.state(name, kind), symbol.shape, None, "state", kind, of=name)
            for name, symbol in parameters.items()
            for kind in self.names
        ]
        return [*found, *([Assignment(named.PASSES, (1, 1), None, "state", "count")] if self.counts else [])]

    def start(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Zeros; Adagrad's squares as it is told, and no pass counted."""
        first = self.value("initial_accumulator_value") if self.name == "adagrad" else 0.0
        found = {
            named.state(name, kind): np.full(each.shape, first)
            for name, each in parameters.items()
            for kind in self.names
        }
        return {**found, **({named.PASSES: np.zeros((1, 1))} if self.counts else {})}

    def assignments(self, parameters: Parameters) -> list[Assignment]:
        """The update step: what is clipped, the pass counted, then each parameter's states and its new value."""
        clipped = (self.clipped(name, each) for name, each in parameters.items())
        rules = (self.of_parameter(name, each) for name, each in parameters.items())
        return [*self.before(parameters), *chain(*clipped), *chain(*rules)]

    def before(self, parameters: Parameters) -> Iterator[Assignment]:
        """What comes before any parameter: how long all gradients are together, and the number of the pass."""
        if self.clip_norm is not None and parameters:
            yield from self._shortened(parameters)
        if self.counts:
            yield _updated(named.PASSES, m.add(m.Symbol(named.PASSES, (1, 1)), m.Constant(1.0)), "count")

    def _shortened(self, parameters: Parameters) -> Iterator[Assignment]:
        """The factor for every gradient, so that all together are no longer than `clip_norm`."""
        gradients = [m.Symbol(named.gradient(name), each.shape) for name, each in parameters.items()]
        total = reduce(m.add, (m.total(m.Apply(s.Power(u, 2), (("u", each),))) for each in gradients))
        norm = m.Symbol(named.GRADIENT_NORM, (1, 1))
        yield Assignment(norm.name, (1, 1), m.Apply(s.Function("sqrt", u), (("u", total),)), "intermediate")
        ratio = s.Quotient(s.Number(self.clip_norm or 0.0), s.Sum((u, s.Number(CLIP_SLACK))))
        smaller = s.Where(ratio, ">", one, one, ratio)
        yield Assignment(named.CLIP_FACTOR, (1, 1), m.Apply(smaller, (("u", norm),)), "intermediate")

    def clipped(self, name: str, parameter: m.Symbol) -> Iterator[Assignment]:
        """The gradient that the rule takes, where it is clipped, with the sign that it has."""
        if self.clip_norm is not None:
            gradient = m.Symbol(named.gradient(name), parameter.shape)
            value = m.multiply(m.Symbol(named.CLIP_FACTOR, (1, 1)), gradient)
            yield Assignment(named.clipped(name), gradient.shape, value, "intermediate", "clipped", of=name)

    def of_parameter(self, name: str, parameter: m.Symbol, sign: float = 1.0) -> Iterator[Assignment]:
        """The states and the new value of a parameter; `sign` is −1.0 where dW is −∂L/∂W."""
        return _Rule(self, name, parameter, sign).made()

    def identifiers(self, parameters: Iterable[str]) -> tuple[str, ...]:
        """The matrices that it adds to those of plain gradient descent."""
        one_by_one = {name: m.Symbol(name, (1, 1)) for name in parameters}
        made = (*self.states(one_by_one), *self.assignments(one_by_one))
        return tuple(each.id for each in made if each.of not in one_by_one or each.role != "updated")


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


def _updated(of: str, expression: m.Matrix, kind: str | None = None) -> Assignment:
    return Assignment(named.updated(of), expression.shape, expression, "updated", kind, of=of)


def _times(number: float, matrix: m.Matrix) -> m.Matrix:
    return matrix if number == 1.0 else m.multiply(m.Constant(number), matrix)


def _plus(left: m.Matrix, right: m.Matrix, sign: float = 1.0) -> m.Matrix:
    return m.add(left, right) if sign > 0 else m.subtract(left, right)


def _mixed(share: float, old: m.Matrix, new: m.Matrix, sign: float = 1.0) -> m.Matrix:
    """share·old + (1 − share)·new; 1 − 0.9 is written 0.1."""
    rest = float(1 - Decimal(repr(share)))
    return _plus(_times(share, old), _times(rest, new), sign)


@dataclass
class _Rule:
    """The update of one parameter W; `sign` is that of dW beside ∂L/∂W."""

    chosen: Optimizer
    name: str
    parameter: m.Symbol
    sign: float

    def made(self) -> Iterator[Assignment]:
        rules: dict[str, Callable[[], Iterator[Assignment]]] = {
            "sgd": self._sgd, "adagrad": self._adagrad, "rmsprop": self._rmsprop,
            "adam": self._adam, "adamw": self._adam,
        }  # fmt: skip
        return rules[self.chosen.name]()

    def symbol(self, kind: str) -> m.Symbol:
        return m.Symbol(named.state(self.name, kind), self.parameter.shape)

    @property
    def gradient(self) -> tuple[m.Matrix, float]:
        """∂L/∂W but for the sign beside it, clipped where asked, with the weight's decay where that is part of it."""
        identifier = named.gradient(self.name) if self.chosen.clip_norm is None else named.clipped(self.name)
        g = m.Symbol(identifier, self.parameter.shape)
        decay = self.chosen.value("weight_decay")
        if not decay or self.chosen.name == "adamw":
            return g, self.sign
        decayed = _times(decay, self.parameter)
        return (m.add(g, decayed) if self.sign > 0 else m.subtract(decayed, g)), 1.0

    def state(self, kind: str, new: m.Matrix) -> tuple[Assignment, m.Symbol]:
        old = self.symbol(kind)
        return _updated(old.name, new, kind), m.Symbol(named.updated(old.name), old.shape)

    def stepped(self, direction: m.Matrix, sign: float = 1.0, start: m.Matrix | None = None) -> Assignment:
        rate = m.Symbol(named.RATE, (1, 1))
        return _updated(self.name, _plus(start or self.parameter, m.multiply(rate, direction), -sign))

    def _sgd(self) -> Iterator[Assignment]:
        momentum, dampening = self.chosen.value("momentum"), self.chosen.value("dampening")
        g, sign = self.gradient
        if not momentum:
            yield self.stepped(g, sign)
            return
        moved = _plus(_times(momentum, self.symbol("velocity")), _times(1.0 - dampening, g), sign)
        if dampening:  # the first velocity is the gradient itself
            first = s.Where(t, "=", s.Number(0.0), u if sign > 0 else s.Negative(u), v)
            step = m.repeat(m.Symbol(named.PASSES, (1, 1)), "all", moved.shape)
            moved = m.Apply(first, (("t", step), ("u", g), ("v", moved)))
        made, velocity = self.state("velocity", moved)
        yield made
        if not self.chosen.value("nesterov"):
            yield self.stepped(velocity)
            return
        kept = _times(momentum, velocity)
        yield self.stepped(m.add(g, kept) if sign > 0 else m.subtract(kept, g))

    def _adagrad(self) -> Iterator[Assignment]:
        (g, sign), decay = self.gradient, self.chosen.value("lr_decay")
        made, squares = self.state("squares", m.add(self.symbol("squares"), m.multiply(g, g)))
        yield made
        direction: m.Matrix = m.divide(g, self._root(squares))
        if decay:
            slower = m.Apply(s.Sum((one, s.Product((s.Number(decay), u)))), (("u", m.Symbol(named.PASSES, (1, 1))),))
            direction = m.divide(direction, slower)
        yield self.stepped(direction, sign)

    def _rmsprop(self) -> Iterator[Assignment]:
        (g, sign), alpha = self.gradient, self.chosen.value("alpha")
        made, squares = self.state("squares", _mixed(alpha, self.symbol("squares"), m.multiply(g, g)))
        yield made
        spread: m.Matrix = squares
        if self.chosen.value("centered"):
            made, mean = self.state("mean", _mixed(alpha, self.symbol("mean"), g, sign))
            yield made
            spread = m.subtract(squares, m.multiply(mean, mean))
        direction: m.Matrix = m.divide(g, self._root(spread))
        momentum = self.chosen.value("momentum")
        if not momentum:
            yield self.stepped(direction, sign)
            return
        made, velocity = self.state("velocity", _plus(_times(momentum, self.symbol("velocity")), direction, sign))
        yield made
        yield self.stepped(velocity)

    def _adam(self) -> Iterator[Assignment]:
        (g, sign), (first, second) = self.gradient, self.chosen.value("betas")
        made, mean = self.state("mean", _mixed(first, self.symbol("mean"), g, sign))
        yield made
        made, squares = self.state("squares", _mixed(second, self.symbol("squares"), m.multiply(g, g)))
        yield made
        hats = []
        for state, kind, share in ((mean, "mean_hat", first), (squares, "squares_hat", second)):
            hat = self.symbol(kind)
            corrected = m.divide(state, self._counted(share)) if share else state
            yield Assignment(hat.name, hat.shape, corrected, "state", kind, of=self.name)
            hats.append(hat)
        decay = self.chosen.value("weight_decay") if self.chosen.name == "adamw" else 0.0
        start: m.Matrix = self.parameter
        if decay:
            rate = m.Symbol(named.RATE, (1, 1))
            kept = m.Apply(s.difference(one, s.Product((s.Number(decay), u))), (("u", rate),))
            start = m.multiply(kept, self.parameter)
        yield self.stepped(m.divide(hats[0], self._root(hats[1])), start=start)

    def _root(self, squares: m.Matrix) -> m.Matrix:
        """√squares + eps."""
        root = s.Function("sqrt", u)
        eps = self.chosen.value("eps")
        return m.Apply(s.Sum((root, s.Number(eps))) if eps else root, (("u", squares),))

    def _counted(self, share: float) -> m.Matrix:
        """1 − share to the power of the passes so far, this one included."""
        power = s.Exp(s.Product((s.Number(math.log(share)), u)), bounded=True)
        return m.Apply(s.difference(one, power), (("u", m.Symbol(named.updated(named.PASSES), (1, 1))),))
