"""How parameters follow their gradients: the section `[optimizer]`, its keys, defaults and results as in `torch.optim`.

Each rule is a list of assignments over symbols, so that every state is a matrix with its own formula. `g` is ∂L/∂W.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
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

STEP = "step"
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
            Assignment(f"{name}_{kind}", symbol.shape, None, "state", of=name)
            for name, symbol in parameters.items()
            for kind in self.names
        ]
        return [*found, *([Assignment(STEP, (1, 1), None, "state")] if self.counts else [])]

    def start(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Zeros; Adagrad's squares as it is told, and no pass counted."""
        first = self.value("initial_accumulator_value") if self.name == "adagrad" else 0.0
        found = {
            f"{name}_{kind}": np.full(each.shape, first) for name, each in parameters.items() for kind in self.names
        }
        return {**found, **({STEP: np.zeros((1, 1))} if self.counts else {})}

    def assignments(self, parameters: Parameters) -> list[Assignment]:
        """The update step: what is clipped, the pass counted, then each parameter's states and its new value."""
        made = list(self._clipped(parameters)) if self.clip_norm is not None else []
        if self.counts:
            step = m.Symbol(STEP, (1, 1))
            made.append(_updated(STEP, m.add(step, m.Constant(1.0))))
        for name, symbol in parameters.items():
            made += _Rule(self, name, symbol).made()
        return made

    def _clipped(self, parameters: Parameters) -> Iterator[Assignment]:
        """Every gradient times the same factor, so that all together are no longer than `clip_norm`."""
        gradients = {name: m.Symbol(named.gradient(name), each.shape) for name, each in parameters.items()}
        total: m.Matrix | None = None
        for each in gradients.values():
            squares = m.total(m.Apply(s.Power(u, 2), (("u", each),)))
            total = squares if total is None else m.add(total, squares)
        if total is None:
            return
        norm, factor = m.Symbol("gradient_norm", (1, 1)), m.Symbol("clip_factor", (1, 1))
        yield Assignment(norm.name, (1, 1), m.Apply(s.Function("sqrt", u), (("u", total),)), "intermediate")
        ratio = s.Quotient(s.Number(self.clip_norm or 0.0), s.Sum((u, s.Number(CLIP_SLACK))))
        smaller = s.Where(ratio, ">", one, one, ratio)
        yield Assignment(factor.name, (1, 1), m.Apply(smaller, (("u", norm),)), "intermediate")
        for name, gradient in gradients.items():
            clipped = m.multiply(factor, gradient)
            yield Assignment(f"{gradient.name}_clipped", gradient.shape, clipped, "intermediate", of=name)


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


def _updated(of: str, expression: m.Matrix) -> Assignment:
    return Assignment(named.updated(of), expression.shape, expression, "updated", of=of)


def _times(number: float, matrix: m.Matrix) -> m.Matrix:
    return matrix if number == 1.0 else m.multiply(m.Constant(number), matrix)


def _mixed(share: float, old: m.Matrix, new: m.Matrix) -> m.Matrix:
    """share·old + (1 − share)·new; 1 − 0.9 is written 0.1."""
    rest = float(1 - Decimal(repr(share)))
    return m.add(_times(share, old), _times(rest, new))


@dataclass
class _Rule:
    """The update of one parameter W."""

    chosen: Optimizer
    name: str
    parameter: m.Symbol

    def made(self) -> Iterator[Assignment]:
        rules: dict[str, Callable[[], Iterator[Assignment]]] = {
            "sgd": self._sgd, "adagrad": self._adagrad, "rmsprop": self._rmsprop,
            "adam": self._adam, "adamw": self._adam,
        }  # fmt: skip
        return rules[self.chosen.name]()

    def symbol(self, ending: str) -> m.Symbol:
        return m.Symbol(f"{self.name}_{ending}", self.parameter.shape)

    @property
    def gradient(self) -> m.Matrix:
        """∂L/∂W, clipped where that is asked for, with the weight's decay where it belongs to the gradient."""
        clipped = "_clipped" if self.chosen.clip_norm is not None else ""
        g: m.Matrix = m.Symbol(named.gradient(self.name) + clipped, self.parameter.shape)
        decay = self.chosen.value("weight_decay")
        return m.add(g, _times(decay, self.parameter)) if decay and self.chosen.name != "adamw" else g

    def state(self, ending: str, new: m.Matrix) -> tuple[Assignment, m.Symbol]:
        old = self.symbol(ending)
        return _updated(old.name, new), m.Symbol(named.updated(old.name), old.shape)

    def stepped(self, direction: m.Matrix, start: m.Matrix | None = None) -> Assignment:
        rate = m.Symbol(named.RATE, (1, 1))
        return _updated(self.name, m.subtract(start or self.parameter, m.multiply(rate, direction)))

    def _sgd(self) -> Iterator[Assignment]:
        momentum, dampening = self.chosen.value("momentum"), self.chosen.value("dampening")
        g = self.gradient
        if momentum:
            moved = m.add(_times(momentum, self.symbol("velocity")), _times(1.0 - dampening, g))
            if dampening:  # the first velocity is the gradient itself
                first = s.Where(t, "=", s.Number(0.0), u, v)
                step = m.repeat(m.Symbol(STEP, (1, 1)), "all", moved.shape)
                moved = m.Apply(first, (("t", step), ("u", g), ("v", moved)))  # type: ignore[assignment]
            made, velocity = self.state("velocity", moved)
            yield made
            g = m.add(g, _times(momentum, velocity)) if self.chosen.value("nesterov") else velocity
        yield self.stepped(g)

    def _adagrad(self) -> Iterator[Assignment]:
        g, decay = self.gradient, self.chosen.value("lr_decay")
        made, squares = self.state("squares", m.add(self.symbol("squares"), m.multiply(g, g)))
        yield made
        direction: m.Matrix = m.divide(g, self._root(squares))
        if decay:
            slower = m.Apply(s.Sum((one, s.Product((s.Number(decay), u)))), (("u", m.Symbol(STEP, (1, 1))),))
            direction = m.divide(direction, slower)
        yield self.stepped(direction)

    def _rmsprop(self) -> Iterator[Assignment]:
        g, alpha = self.gradient, self.chosen.value("alpha")
        made, squares = self.state("squares", _mixed(alpha, self.symbol("squares"), m.multiply(g, g)))
        yield made
        spread: m.Matrix = squares
        if self.chosen.value("centered"):
            made, mean = self.state("mean", _mixed(alpha, self.symbol("mean"), g))
            yield made
            spread = m.subtract(squares, m.multiply(mean, mean))
        direction: m.Matrix = m.divide(g, self._root(spread))
        momentum = self.chosen.value("momentum")
        if momentum:
            made, velocity = self.state("velocity", m.add(_times(momentum, self.symbol("velocity")), direction))
            yield made
            direction = velocity
        yield self.stepped(direction)

    def _adam(self) -> Iterator[Assignment]:
        g, (first, second) = self.gradient, self.chosen.value("betas")
        made, mean = self.state("mean", _mixed(first, self.symbol("mean"), g))
        yield made
        made, squares = self.state("squares", _mixed(second, self.symbol("squares"), m.multiply(g, g)))
        yield made
        hats = []
        for state, ending, share in ((mean, "mean_hat", first), (squares, "squares_hat", second)):
            hat = m.Symbol(f"{self.name}_{ending}", state.shape)
            corrected = m.divide(state, self._counted(share)) if share else state
            yield Assignment(hat.name, hat.shape, corrected, "state", of=self.name)
            hats.append(hat)
        decay = self.chosen.value("weight_decay") if self.chosen.name == "adamw" else 0.0
        start: m.Matrix = self.parameter
        if decay:
            rate = m.Symbol(named.RATE, (1, 1))
            kept = m.Apply(s.difference(one, s.Product((s.Number(decay), u))), (("u", rate),))
            start = m.multiply(kept, self.parameter)
        yield self.stepped(m.divide(hats[0], self._root(hats[1])), start)

    def _root(self, squares: m.Matrix) -> m.Matrix:
        """√squares + eps."""
        root = s.Function("sqrt", u)
        eps = self.chosen.value("eps")
        return m.Apply(s.Sum((root, s.Number(eps))) if eps else root, (("u", squares),))

    def _counted(self, share: float) -> m.Matrix:
        """1 − share to the power of the passes so far, this one included."""
        power = s.Exp(s.Product((s.Number(math.log(share)), u)), bounded=True)
        return m.Apply(s.difference(one, power), (("u", m.Symbol(named.updated(STEP), (1, 1))),))
