"""Formulas written in Python: symbols with numpy's operators, which print themselves as a program file has them.

>>> from tracer.formulas.symbols import softmax, sqrt, step, symbols
>>> Q, K, V, S = symbols("Q K V S")
>>> step("Scores", S=Q @ K.T / sqrt(2), H=softmax(S) @ V)
{'title': 'Scores', 'formulas': ['S = Q @ K.T / sqrt(2)', 'H = softmax(S) @ V']}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from tracer.formulas.functions import CALLED, SPECIAL
from tracer.formulas.parsing import misnamed

_COMPARE, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(6)  # how tightly a text binds, as in Python

OperandLike: TypeAlias = "Expression | float"


class Expression:
    """A formula's text; operators and functions make longer ones of it."""

    def __init__(self, text: str, binds: int = _ATOM) -> None:
        self.text, self._binds = text, binds

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _in(self, least: int) -> str:
        return self.text if self._binds >= least else f"({self.text})"

    def __add__(self, other: OperandLike) -> Expression:
        return _joined(self, "+", other, _SUM)

    def __radd__(self, other: float) -> Expression:
        return _joined(other, "+", self, _SUM)

    def __sub__(self, other: OperandLike) -> Expression:
        return _joined(self, "-", other, _SUM)

    def __rsub__(self, other: float) -> Expression:
        return _joined(other, "-", self, _SUM)

    def __mul__(self, other: OperandLike) -> Expression:
        return _joined(self, "*", other, _PRODUCT)

    def __rmul__(self, other: float) -> Expression:
        return _joined(other, "*", self, _PRODUCT)

    def __truediv__(self, other: OperandLike) -> Expression:
        return _joined(self, "/", other, _PRODUCT)

    def __rtruediv__(self, other: float) -> Expression:
        return _joined(other, "/", self, _PRODUCT)

    def __matmul__(self, other: Expression) -> Expression:
        return _joined(self, "@", other, _PRODUCT)

    def __pow__(self, power: float) -> Expression:
        return Expression(f"{self._in(_ATOM)} ** {power!r}", _POWER)

    def __neg__(self) -> Expression:
        return Expression(f"-{self._in(_SIGN)}", _SIGN)

    def __gt__(self, other: OperandLike) -> Expression:
        return _joined(self, ">", other, _COMPARE)

    def __ge__(self, other: OperandLike) -> Expression:
        return _joined(self, ">=", other, _COMPARE)

    def __lt__(self, other: OperandLike) -> Expression:
        return _joined(self, "<", other, _COMPARE)

    def __le__(self, other: OperandLike) -> Expression:
        return _joined(self, "<=", other, _COMPARE)

    @property
    def T(self) -> Expression:
        return Expression(f"{self._in(_ATOM)}.T")

    def __getitem__(self, place: Any) -> Expression:
        places = place if isinstance(place, tuple) else (place,)
        return Expression(f"{self._in(_ATOM)}[{', '.join(map(_place, places))}]")


def symbols(names: str) -> tuple[Expression, ...]:
    """A symbol for each of the names, which spaces or commas separate. Raises ValueError for what is no name."""
    found = names.replace(",", " ").split()
    for name in found:
        if (wrong := misnamed(name)) is not None:
            raise ValueError(wrong)
    return tuple(map(Expression, found))


def step(title: str = "", **formulas: OperandLike) -> dict[str, Any]:
    """A step of a program file: its title, and a formula for each matrix that it assigns."""
    told = {"title": title} if title else {}
    return {**told, "formulas": [f"{name} = {each}" for name, each in formulas.items()]}


def _joined(left: OperandLike, sign: str, right: OperandLike, binds: int) -> Expression:
    """Operators of one rank are read from left to right."""
    return Expression(f"{_written(left, binds)} {sign} {_written(right, binds + 1)}", binds)


def _written(operand: OperandLike, least: int) -> str:
    if isinstance(operand, Expression):
        return operand._in(least)
    return f"({operand!r})" if operand < 0 and least > _SUM else repr(operand)


def _place(place: Any) -> str:
    if isinstance(place, slice):
        return f"{'' if place.start is None else place.start}:{'' if place.stop is None else place.stop}"
    return str(place)


def _calling(name: str) -> Callable[..., Expression]:
    def call(*arguments: Any, **settings: Any) -> Expression:
        given = [str(each) if isinstance(each, Expression) else repr(each) for each in arguments]
        given += [f"{key}={value!r}" for key, value in settings.items()]
        return Expression(f"{name}({', '.join(given)})")

    call.__name__ = name
    return call


FUNCTIONS: dict[str, Callable[..., Expression]] = {name: _calling(name) for name in (*CALLED, *SPECIAL)}
pi = Expression("pi")


def __getattr__(name: str) -> Callable[..., Expression]:
    """`from tracer.formulas.symbols import softmax`: every function that a formula may call."""
    try:
        return FUNCTIONS[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
