"""The rules by operation: how each is written over matrices. The modules beside it fill the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from tracer.frameworks.cells import Held
from tracer.frameworks.draft import Draft

OperationRule: TypeAlias = Callable[..., "Held | tuple[Held, ...]"]

Entered = TypeVar("Entered", bound=Callable[..., Any])

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
    found = RULES[kind](draft, **arguments)
    assert not isinstance(found, tuple)
    return found
