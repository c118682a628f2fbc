"""What learners call the matrices of a program: its identifiers, the author's names, and the usual ones of its parts.

A gradient is read off the name of what it is by (dL/dQ, grad_Q, Q.grad, dlogits), a new value off the old. Nothing is
read where a name can mean two matrices, unless the case of its letters tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from tracer.answers.names_read import FIELD, OWN, NameReading, NamesRead, plain
from tracer.answers.repeated_parts import families
from tracer.answers.usual_parts import usual_names
from tracer.problem.program_problem import ProgramProblem
from tracer.program.naming_policy import RATE

_RATE = "learningrate lr rate eta"
_BY = re.compile(r"d(?:l|loss|cost|j|e)/?d(.+)|grad(?:ient)?(?:of)?(.+)|(.+?)\.?grad(?:ient)?|d(.+)")
_NEW = re.compile(r"(.+?)(?:new|next|updated|after|'|\+)")
_TOGETHER = ("{}", "{}s", "all{}", "{}all", "{}list", "{}seq", "{}t")  # h, hs, all_h
_SLOPE = re.compile(r"slope(?:of)?(.+)|(.+?)slope")


class ProgramAliases(NamesRead):
    """The names of one program's matrices."""

    def __init__(self, problem: ProgramProblem, shapes: Mapping[str, tuple[int, int]]) -> None:
        super().__init__(shapes)
        self.problem, self.program = problem, problem.program

    def named(self, name: str) -> list[NameReading]:
        known, new = self._known(name), _NEW.fullmatch(name)
        if not known and new is not None:
            known = self.updated(self._known(new[1]))
        return known or self._derivative(name)

    def stacked(self, heading: str) -> Sequence[tuple[str, ...]]:
        name = plain(heading.rstrip(": "))
        by = _BY.fullmatch(name)
        inner = next(filter(None, by.groups())) if by is not None else ""
        above = [tuple(map(self.program.gradients.get, each)) for each in self._stacks.get(inner, ())]
        gradients = [each for each in above if None not in each]
        return [*self._stacks.get(name, ()), *(tuple(filter(None, each)) for each in gradients)]

    @cached_property
    def _stacks(self) -> Mapping[str, list[tuple[str, ...]]]:
        """The families of matrices by what they are called together: h, hs, all h; hidden states."""
        found: dict[str, list[tuple[str, ...]]] = {}
        usual = [(name, each) for name, each in usual_names(self.program) if each]
        for family in families(self.program):
            stem, members = plain(family.stem), frozenset(family.members)
            names = [form.format(stem) for form in _TOGETHER]
            names += [name for name, each in usual if len(each) > 1 and each <= members]
            for name in dict.fromkeys(names):
                found.setdefault(name, []).append(family.members)
        return found

    def updated(self, readings: Iterable[NameReading]) -> list[NameReading]:
        carried = self.program.carried
        return [each._replace(identifier=carried[each.identifier]) for each in readings if each.identifier in carried]

    def _known(self, name: str) -> list[NameReading]:
        return list(self._names.get(name, ()))

    def _derivative(self, name: str) -> list[NameReading]:
        slope, by = _SLOPE.fullmatch(name), _BY.fullmatch(name)
        if slope is not None:
            below = self._known(next(filter(None, slope.groups())))
            return [each._replace(identifier=own) for each in below if (own := self._slopes.get(each.identifier))]
        below = self._known(next(filter(None, by.groups()))) if by is not None else []
        found = [(each, self.program.gradients.get(each.identifier)) for each in below]
        return [each._replace(identifier=own) for each, own in found if own is not None]

    @cached_property
    def _slopes(self) -> Mapping[str, str]:
        """The local derivative of each matrix that has one alone."""
        found: dict[str, list[str]] = {}
        for each in self.program.assignments.values():
            if each.role == "local_derivative" and each.of is not None:
                found.setdefault(each.of, []).append(each.id)
        return {of: own[0] for of, own in found.items() if len(own) == 1}

    @cached_property
    def _names(self) -> Mapping[str, list[NameReading]]:
        """Whole matrices by their plain names; an identifier's own name is nothing else's."""
        found: dict[str, dict[str, NameReading]] = {}
        for identifier in self.shapes:
            for name in (identifier, self.problem.names.own.get(identifier, identifier)):
                found.setdefault(plain(name), {}).setdefault(identifier, NameReading(OWN, identifier))
        taken = set(found)
        alone = ((name, next(iter(found))) for name, found in usual_names(self.program) if len(found) == 1)
        for name, identifier in (*((word, RATE) for word in _RATE.split()), *alone):
            if name not in taken:
                found.setdefault(name, {}).setdefault(identifier, NameReading(FIELD, identifier))
        return {name: list(readings.values()) for name, readings in found.items()}
