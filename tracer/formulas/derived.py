"""The lesson of any program: its forward steps as written, then the way back through each of them, then the update.

What concerns the gradient with respect to what forward step k made is backward step k: local derivatives, gradients,
and the contributions that it sends on. A parameter's gradient stands in the earliest step that uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Protocol, TypeAlias

from tracer.calculus.reverse import Gradient, differentiable, sent_back
from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.formulas.forward import Forward, ForwardStep
from tracer.formulas.kinds import kinds
from tracer.program import naming_policy as named
from tracer.program.program import Phase, Program, Step
from tracer.program.roles import Assignment, BlockIndex, Role

ParameterSymbols: TypeAlias = Mapping[str, m.Symbol]
MOST_SUMMED = 50  # contributions that one sum has; more are added up in groups
_KERNELS = (m.MatMul, m.Correlation, m.Spread)


class Updates(Protocol):
    """How parameters follow their gradients: what makes the update step of a program."""

    def states(self, parameters: ParameterSymbols) -> list[Assignment]:
        """The states that are given before a pass."""

    def assignments(self, parameters: ParameterSymbols) -> list[Assignment]:
        """The update step."""


def derive(forward: Forward, updates: Updates) -> Program:
    """The program of a forward pass: every gradient, and the parameters' update."""
    way_back = _WayBack(forward)
    way_back.run()
    steps = [_given(forward, updates, way_back.kinds)]
    count = len(forward.steps)
    steps += [_step(k, each, "forward", way_back.forward(each)) for k, each in enumerate(forward.steps, start=1)]
    for number in range(count, 0, -1):
        made = way_back.steps[number]
        if made:
            steps.append(_step(number, forward.steps[number - 1], "backward", tuple(made)))
    update = tuple(updates.assignments(way_back.parameters))
    if update:
        why = "The loss grows along the gradient, so each parameter takes a small step the other way."
        steps.append(Step(count + 1, None, str(count + 1), "Update", "", why, update, "update"))
    return Program(tuple(steps), 1)


def _given(forward: Forward, updates: Updates, known: Mapping[str, str]) -> Step:
    made = [Assignment(name, shape, None, "given", known.get(name)) for name, shape in forward.given.items()]
    made += [Assignment(name, shape, None, "parameter") for name, shape in forward.parameters.items()]
    made += updates.states({name: m.Symbol(name, shape) for name, shape in forward.parameters.items()})
    return Step(0, None, "0", "Given", "", "", tuple(made), "given")


def _step(number: int, told: ForwardStep, phase: Phase, made: tuple[Assignment, ...]) -> Step:
    if phase == "backward":
        return Step(number, None, f"{number} back", f"Back through: {told.title}", "", "", made, phase)
    return Step(number, None, str(number), told.title, told.words, told.why, made, phase)


@dataclass
class _WayBack:
    """Gradients as they come together, from the last assignment to the first."""

    forward_pass: Forward
    steps: dict[int, list[Assignment]] = field(default_factory=dict)
    contributions: dict[str, list[tuple[str, m.Matrix]]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        forward = self.forward_pass
        self.made = [(k, name, expression) for k, name, expression in forward.assignments()]
        self.shapes = {name: expression.shape for _, name, expression in self.made}
        self.shapes |= {**forward.given, **forward.parameters}
        self.steps = {k: [] for k in range(1, len(forward.steps) + 1)}
        self.taken = set(self.shapes)
        self.reached = reached(forward)
        self.taken |= {named.gradient(name) for name in self.reached}

    @property
    def parameters(self) -> dict[str, m.Symbol]:
        return {name: m.Symbol(name, shape) for name, shape in self.forward_pass.parameters.items()}

    def forward(self, step: ForwardStep) -> tuple[Assignment, ...]:
        def made(name: str, expression: m.Matrix) -> Assignment:
            role: Role = "loss" if name == self.forward_pass.loss else "intermediate"
            return Assignment(name, expression.shape, expression, role, self.kinds.get(name), block=step.block)

        return tuple(made(*each) for each in step.assignments)

    def run(self) -> None:
        wanted = [*self.forward_pass.parameters, *self.forward_pass.with_respect_to]
        first_use = self._first_uses(wanted)
        closing: dict[str, list[str]] = {}
        for each in wanted:
            closing.setdefault(first_use.get(each, ""), []).append(each)
        for number, name, expression in reversed(self.made):
            if name in self.reached:
                self._back_through(number, name, expression)
            for each in closing.get(name, ()):
                self._gradient(each, number)
        for each in closing.get("", ()):
            self._gradient(each, len(self.forward_pass.steps))

    def _first_uses(self, wanted: Iterable[str]) -> dict[str, str]:
        """The first matrix of the earliest step that uses each of these, after which all of that step is through."""
        found: dict[str, str] = {}
        opening: dict[int, str] = {}
        looked_for = set(wanted)
        for number, name, expression in self.made:
            opening.setdefault(number, name)
            for used in {each.name for each in traversal.symbols(expression)} & looked_for:
                found.setdefault(used, opening[number])
        return found

    def _back_through(self, number: int, name: str, expression: m.Matrix) -> None:
        """The gradient of what was assigned, and what it sends on."""
        if name == self.forward_pass.loss:
            back = Gradient((1, 1))
        else:
            self._gradient(name, number)
            back = Gradient(expression.shape, m.Symbol(named.gradient(name), expression.shape))
        block = self._block(number)

        def keep(local: m.Matrix, operand: m.Matrix) -> m.Matrix:
            if isinstance(local, m.Symbol | m.Constant):
                return local
            identifier = self._free(f"{name}_slope")
            self.steps[number].append(
                Assignment(identifier, local.shape, local, "local_derivative", of=name, block=block)
            )
            return m.Symbol(identifier, local.shape)

        value = m.Symbol(name, expression.shape)
        for to, sent in sent_back(expression, value, back, self.reached, keep):
            self.contributions.setdefault(to, []).append((name, sent))
            own = self.contributions[to]
            if len(own) > 1:  # they meet: each product is an assignment of its own, in the step that sent it
                own[-2:] = [(each, self._apart(to, each, what)) for each, what in own[-2:]]

    def _apart(self, to: str, source: str, sent: m.Matrix) -> m.Matrix:
        """A contribution's symbol where it holds a product, which is then assigned; any other as it is."""
        if not any(isinstance(part, _KERNELS) for part in traversal.parts(sent)):
            return sent
        identifier, at = self._free(f"{named.gradient(to)}_at_{source}"), self._number_of[source]
        made = Assignment(identifier, sent.shape, sent, "contribution", of=to, block=self._block(at))
        self.steps[at].append(made)
        return m.Symbol(identifier, sent.shape)

    def _gradient(self, of: str, number: int) -> None:
        """One named gradient: the sum of what came back, or zeros where nothing did."""
        shape = self.shapes[of]
        terms = [sent for _, sent in self.contributions.get(of, [])] or [m.filled(0.0, shape)]
        while len(terms) > MOST_SUMMED:
            terms = list(self._grouped(of, number, terms))
        identifier = named.gradient(of)
        total = reduce(m.add, terms)
        self.steps[number].append(Assignment(identifier, shape, total, "gradient", of=of, block=self._block(number)))

    def _grouped(self, of: str, number: int, terms: Sequence[m.Matrix]) -> Iterator[m.Matrix]:
        for start in range(0, len(terms), MOST_SUMMED):
            total = reduce(m.add, terms[start : start + MOST_SUMMED])
            identifier = self._free(f"{named.gradient(of)}_sum")
            self.steps[number].append(
                Assignment(identifier, total.shape, total, "contribution", of=of, block=self._block(number))
            )
            yield m.Symbol(identifier, total.shape)

    @cached_property
    def kinds(self) -> Mapping[str, str]:
        return kinds(self.forward_pass)

    @cached_property
    def _number_of(self) -> Mapping[str, int]:
        return {name: number for number, name, _ in self.made}

    def _block(self, number: int) -> BlockIndex:
        return self.forward_pass.steps[number - 1].block

    def _free(self, identifier: str) -> str:
        """The identifier, or with a number behind it where it is taken."""
        found, k = identifier, 2
        while found in self.taken:
            found, k = f"{identifier}_{k}", k + 1
        self.taken.add(found)
        return found


def reached(forward: Forward) -> set[str]:
    """What lies on a path from a parameter (or what else is wanted) to the loss, ends included."""
    made = list(forward.assignments())
    dependent, needed = {*forward.parameters, *forward.with_respect_to}, {forward.loss}
    through = {name: set(differentiable(expression)) for _, name, expression in made}
    for _, name, _ in made:
        if through[name] & dependent:
            dependent.add(name)
    for _, name, _ in reversed(made):
        if name in needed:
            needed |= through[name]
    return (dependent & needed) | {forward.loss}
