"""The rule of each optimizer for one parameter: its states, then its new value.

The states are those of ∂L/∂W: where dW is −∂L/∂W, its sign is turned where it enters a state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.program import naming_policy as named
from tracer.program.roles import Assignment

u, v, t = (s.Variable(name) for name in "uvt")
one = s.Number(1.0)


class Settings(Protocol):
    """An optimizer by its name, with its settings by theirs."""

    @property
    def name(self) -> str: ...
    @property
    def clip_norm(self) -> float | None: ...
    def value(self, key: str) -> Any: ...


def updated(of: str, expression: m.Matrix, kind: str | None = None) -> Assignment:
    """The new value of a parameter or a state."""
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
class UpdateRule:
    """The update of one parameter W; `sign` is that of dW beside ∂L/∂W."""

    chosen: Settings
    name: str
    parameter: m.Symbol
    sign: float

    def made(self) -> Iterator[Assignment]:
        """Its states and its new value, in order of time."""
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
        return updated(old.name, new, kind), m.Symbol(named.updated(old.name), old.shape)

    def stepped(self, direction: m.Matrix, sign: float = 1.0, start: m.Matrix | None = None) -> Assignment:
        rate = m.Symbol(named.RATE, (1, 1))
        return updated(self.name, _plus(start or self.parameter, m.multiply(rate, direction), -sign))

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
        power = s.Raised(share, u)
        return m.Apply(s.difference(one, power), (("u", m.Symbol(named.updated(named.PASSES), (1, 1))),))
