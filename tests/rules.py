"""Facts that depend on settings, folded into rules: which settings a fact depends on, and what it is under each.

    D2 | learning_rate_in=delta, error=output - target | 3×1 | E ⊙ S2·η

A key's rules name the same settings, those alone that it takes to tell its facts apart, and each line is one
rule, so that a change of meaning is a line of a diff.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Way = Mapping[str, Any]
SEPARATOR = " | "


@dataclass(frozen=True)
class Rule(Generic[T]):
    """What the fact of a key is under some settings, as texts."""

    key: str
    settings: tuple[tuple[str, str], ...]
    fact: T

    def line(self, write: Callable[[T], str]) -> str:
        settings = ", ".join(f"{name}={value}" for name, value in self.settings) or "always"
        return SEPARATOR.join((self.key, settings, write(self.fact)))


def fold(found: Sequence[tuple[Way, Mapping[str, T]]], same: Callable[[T, T], bool]) -> Iterator[Rule[T]]:
    """The rules of the facts of many ways; of facts that are the same the first stands for all."""
    for key in dict.fromkeys(key for _, facts in found for key in facts):
        distinct: list[T] = []
        numbers = [_number(distinct, facts.get(key), same) for _, facts in found]
        names = _needed([way for way, _ in found], numbers)
        seen = set()
        for (way, _), number in zip(found, numbers, strict=True):
            settings = tuple((name, str(way[name])) for name in names)
            if number is not None and settings not in seen:
                seen.add(settings)
                yield Rule(key, settings, distinct[number])


def _number(distinct: list[T], fact: T | None, same: Callable[[T, T], bool]) -> int | None:
    """Which of the distinct facts one is, which may be a new one; None for a way that has no such fact."""
    if fact is None:
        return None
    number = next((k for k, each in enumerate(distinct) if same(each, fact)), len(distinct))
    if number == len(distinct):
        distinct.append(fact)
    return number


def _needed(ways: Sequence[Way], numbers: Sequence[int | None]) -> list[str]:
    """The settings that tell the numbers apart, each of which it takes."""
    names = list(ways[0])
    for name in list(ways[0]):
        fewer = [each for each in names if each != name]
        first: dict[tuple[Any, ...], int | None] = {}
        pairs = ((tuple(way[each] for each in fewer), number) for way, number in zip(ways, numbers, strict=True))
        if all(first.setdefault(settings, number) == number for settings, number in pairs):
            names = fewer
    return names


@dataclass
class Rules(Generic[T]):
    """Rules that were read back; `used` are those that some way was held against."""

    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    facts: dict[str, dict[tuple[str, ...], T]] = field(default_factory=dict)
    used: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)

    def read(self, line: str, read: Callable[[str], T]) -> None:
        """Take in a line. Raises ValueError for one that says again what another says."""
        key, text, fact = line.split(SEPARATOR, 2)
        pairs = [each.split("=", 1) for each in text.split(", ")] if text != "always" else []
        names, values = tuple(name for name, _ in pairs), tuple(value for _, value in pairs)
        rules = self.facts.setdefault(key, {})
        if self.names.setdefault(key, names) != names or values in rules:
            raise ValueError(f"two rules for one thing: {line}")
        rules[values] = read(fact)

    def of(self, key: str, way: Way) -> T | None:
        """The fact of a key under a way's settings; None where it has none."""
        values = tuple(str(way[name]) for name in self.names.get(key, ()))
        self.used.add((key, values))
        return self.facts.get(key, {}).get(values)

    def unused(self) -> list[str]:
        """The rules that no way was held against."""
        known = ((key, values) for key, rules in self.facts.items() for values in rules)
        return [f"{key} under {', '.join(values) or 'all'}" for key, values in known if (key, values) not in self.used]
