"""The rules by operation: how each is written over matrices. The modules beside it fill the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

from tracer.frameworks.cells import Held, Laid
from tracer.frameworks.draft import Draft
from tracer.frameworks.graph import GraphOperation

OperationRule: TypeAlias = Callable[..., Any]

Entered = TypeVar("Entered", bound=Callable[..., Any])


@dataclass(frozen=True)
class Untold:
    """What an operation gives beside its numbers, and no formula here tells: the places of the largest."""

    what: str


PLACES = Untold("the places of the largest in windows")


@dataclass(frozen=True, eq=False)
class Later:
    """What an operation gives and writes down only where another one takes it in."""

    make: Callable[[], Laid]
    operation: GraphOperation

    @cached_property
    def made(self) -> Laid:
        return self.make()


RULES: dict[str, OperationRule] = {}
"""What an operation is, by its kind; each is given the draft and the operation's arguments by their names."""


def rule(*kinds: str) -> Callable[[Entered], Entered]:
    """Enter a rule under the kinds that it is of."""

    def entered(made: Entered) -> Entered:
        RULES.update(dict.fromkeys(kinds, made))
        return made

    return entered


def applied(draft: Draft, kind: str, **arguments: Any) -> Held:
    """What a rule gives where another one takes it in."""
    found: Held = RULES[kind](draft, **arguments)
    assert not isinstance(found, tuple)
    return found
