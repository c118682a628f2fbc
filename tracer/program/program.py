"""The steps of one pass in order of time, and who is what in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from tracer.expression import traversal
from tracer.program import roles
from tracer.program.naming_policy import RATE
from tracer.program.numpy_plan import NumpyPlan
from tracer.program.roles import Assignment, Quantity

Phase: TypeAlias = Literal["given", "forward", "backward", "update"]


@dataclass(frozen=True)
class Step:
    """One step, of one layer where `layer` (from 1) is set.

    `label` is its number, with the layer behind it where several layers have this step: 2.1.
    `words` is its formula in words, `why` the chain rule's part in it. `phase` is set where several steps have a
    number: a program's forward step k and the way back through it.
    """

    number: int
    layer: int | None
    label: str
    title: str
    words: str
    why: str
    assignments: tuple[Assignment, ...]
    phase: Phase | None = None


@dataclass(frozen=True)
class LayerMatrices:
    """The identifiers of a layer's matrices. Raises KeyError for one that it does not have; see `quantities`.

    `inputs` is what comes in, the activation of the layer before or the given inputs; `error` the gradient at its
    activation, `delta` the one at its pre-activation.
    """

    number: int
    inputs: str
    quantities: dict[Quantity, str]
    jacobians: tuple[str, ...] = field(default=())

    @property
    def weights(self) -> str:
        return self.quantities[roles.WEIGHTS]

    @property
    def bias(self) -> str:
        return self.quantities[roles.BIAS]

    @property
    def pre_activation(self) -> str:
        return self.quantities[roles.PRE_ACTIVATION]

    @property
    def activation(self) -> str:
        return self.quantities[roles.ACTIVATION]

    @property
    def error(self) -> str:
        return self.quantities[roles.ERROR]

    @property
    def slope(self) -> str:
        return self.quantities[roles.SLOPE]

    @property
    def delta(self) -> str:
        return self.quantities[roles.DELTA]

    @property
    def weights_gradient(self) -> str:
        return self.quantities[roles.WEIGHTS_GRADIENT]

    @property
    def bias_gradient(self) -> str:
        return self.quantities[roles.BIAS_GRADIENT]

    @property
    def new_weights(self) -> str:
        return self.quantities[roles.NEW_WEIGHTS]

    @property
    def new_bias(self) -> str:
        return self.quantities[roles.NEW_BIAS]


@dataclass(frozen=True)
class Program:
    """The steps of one pass over `rows` samples; `turned` where its matrices have a sample in each column."""

    steps: tuple[Step, ...]
    rows: int
    turned: bool = False

    @cached_property
    def assignments(self) -> dict[str, Assignment]:
        """Every matrix by its identifier, in order of time."""
        return {each.id: each for step in self.steps for each in step.assignments}

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The given matrices and the parameters, the learning rate last."""
        return (*(each.id for each in self.assignments.values() if each.expression is None), RATE)

    @property
    def rate(self) -> str:
        """The learning rate, which no step assigns."""
        return RATE

    @cached_property
    def given(self) -> tuple[str, ...]:
        """The data, which stay as they are."""
        return tuple(each.id for each in self.assignments.values() if each.role == "given")

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """What training changes, in the order of `inputs`."""
        return tuple(each.id for each in self.assignments.values() if each.role == "parameter")

    @cached_property
    def computed(self) -> tuple[str, ...]:
        """The computed matrices in order of time."""
        return tuple(each.id for each in self.assignments.values() if each.expression is not None)

    @cached_property
    def loss(self) -> str:
        """The matrix (1×1) that is differentiated."""
        return self.one(roles.LOSS)

    @cached_property
    def targets(self) -> str:
        return self.one(roles.TARGETS)

    @cached_property
    def output(self) -> str:
        """The activation of the last layer."""
        return self.all(roles.ACTIVATION)[-1]

    @cached_property
    def gradients(self) -> dict[str, str]:
        """The gradient of each matrix that has one; the last of them where it is told in several steps."""
        return {each.of: each.id for each in self.assignments.values() if each.role == "gradient" and each.of}

    @cached_property
    def gradients_of_parameters(self) -> frozenset[str]:
        """What each parameter's update goes by."""
        return frozenset(made for of, made in self.gradients.items() if of in self.parameters)

    @cached_property
    def updated(self) -> dict[str, str]:
        """The new value of each parameter that has one, in the order of `inputs`."""
        new = {each.of: each.id for each in self.assignments.values() if each.role == "updated"}
        return {parameter: new[parameter] for parameter in self.parameters if parameter in new}

    @cached_property
    def carried(self) -> dict[str, str]:
        """The new value of all that goes on from pass to pass, parameters and states, in the order of `inputs`."""
        new = {each.of: each.id for each in self.assignments.values() if each.role == "updated"}
        given = (each.id for each in self.assignments.values() if each.expression is None)
        return {each: new[each] for each in given if each in new}

    @cached_property
    def of_optimizer(self) -> tuple[str, ...]:
        """What an optimizer adds to plain gradient descent: its states, clipped gradients, the number of the pass."""
        states = {each.id for each in self.assignments.values() if each.role == "state"}
        return tuple(
            each.id
            for each in self.assignments.values()
            if each.id in states or each.of in states or each.quantity in (roles.CLIPPING, roles.CLIPPED)
        )

    def follows(self, identifier: str) -> str | None:
        """The parameter that a matrix of the optimizer belongs to; None of single numbers, and of other matrices."""
        if identifier not in self.of_optimizer:
            return None
        of = self.assignments[identifier].of
        return of if of is None or of in self.parameters else self.assignments[of].of

    @property
    def by_layers(self) -> bool:
        """Whether it is told in the eleven steps of a network's layers, and not in an author's own."""
        return self.steps[0].phase is None

    @cached_property
    def first_uses(self) -> dict[str, Step]:
        """The first step that uses each matrix."""
        found: dict[str, Step] = {}
        for step in self.steps:
            for each in step.assignments:
                if each.expression is not None:
                    for symbol in traversal.symbols(each.expression):
                        found.setdefault(symbol.name, step)
        return found

    @property
    def first_backward(self) -> Step:
        """The step on which the way back begins."""
        if self.by_layers:
            return self.step_of(self.layers[-1].error)
        return next(each for each in self.steps if each.phase in ("backward", "update"))

    @cached_property
    def layers(self) -> tuple[LayerMatrices, ...]:
        """The matrices of each layer, from input to output; a program told in steps of its own has none."""
        if not self.by_layers:
            return ()
        found: dict[int, list[Assignment]] = {}
        for each in self.assignments.values():
            if each.layer is not None:
                found.setdefault(each.layer, []).append(each)
        made: list[LayerMatrices] = []
        inputs = self.one(roles.INPUTS)
        for number, own in sorted(found.items()):
            alone = {each.quantity: each.id for each in own if each.sample is None}
            made.append(LayerMatrices(number, inputs, alone, tuple(each.id for each in own if each.sample)))
            inputs = made[-1].activation
        return tuple(made)

    def layer(self, number: int) -> LayerMatrices:
        """The matrices of a layer, counted from 1."""
        return self.layers[number - 1]

    def layer_of(self, identifier: str) -> LayerMatrices:
        """The layer that a matrix belongs to. Raises ValueError where it belongs to none."""
        number = self.assignments[identifier].layer
        if number is None:
            raise ValueError(f"{identifier} belongs to no layer")
        return self.layer(number)

    def all(self, what: Quantity) -> tuple[str, ...]:
        """The matrices that are this, in order of time."""
        return tuple(each.id for each in self.assignments.values() if each.quantity == what)

    def one(self, what: Quantity) -> str:
        """The only matrix that is this. Raises ValueError where there are others or none."""
        (found,) = self.all(what)
        return found

    def quantity(self, identifier: str) -> Quantity:
        """What a matrix is; the learning rate too, which no step assigns."""
        return roles.LEARNING_RATE if identifier == RATE else self.assignments[identifier].quantity

    @cached_property
    def siblings(self) -> dict[str, tuple[str, ...]]:
        """What stands in the place of a matrix one time step (or head) before or after.

        Steps that were written once for all are alike: what stands in one place of their rules belongs together.
        """
        found: dict[str, dict[str, None]] = {}
        for one, other in _neighbours(self.steps):
            for a, b in _beside(one, other):
                found.setdefault(a, {})[b] = None
                found.setdefault(b, {})[a] = None
        for each in [name for name in found if name in self.gradients]:
            beside = {self.gradients[other]: None for other in found[each] if other in self.gradients}
            found.setdefault(self.gradients[each], {}).update(beside)
        return {each: tuple(others) for each, others in found.items()}

    def step_of(self, identifier: str) -> Step:
        """The step that assigns a matrix."""
        return self._steps_of[identifier]

    @cached_property
    def _steps_of(self) -> dict[str, Step]:
        found: dict[str, Step] = {}
        for step in self.steps:
            for each in step.assignments:
                found.setdefault(each.id, step)
        return found

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """What training needs of a pass: the loss, a network's outputs, and what goes on to the next pass."""
        outputs = self.all(roles.ACTIVATION)[-1:] if self.by_layers else ()
        return (self.loss, *outputs, *self.carried.values())

    @cached_property
    def numpy(self) -> NumpyPlan:
        """How numpy runs it."""
        return NumpyPlan(self.assignments, self.inputs, self.computed, self.carried, self.kept)

    @cached_property
    def place_of_loss(self) -> int:
        """Where the loss stands among `computed`."""
        return self.computed.index(self.loss)

    @cached_property
    def place_of_output(self) -> int:
        """Where the outputs stand among `computed`."""
        return self.computed.index(self.output)


def _neighbours(steps: tuple[Step, ...]) -> Iterator[tuple[Step, Step]]:
    """Forward steps that were written once, one behind the other."""
    last: dict[tuple[str, ...], Step] = {}
    for step in steps:
        if step.phase == "forward" and step.assignments and step.assignments[0].block:
            variables = tuple(name for name, _ in step.assignments[0].block)
            before = last.get(variables)
            if before is not None and len(before.assignments) == len(step.assignments):
                yield before, step
            last[variables] = step


def _beside(one: Step, other: Step) -> Iterator[tuple[str, str]]:
    """The matrices in the same places of two steps that are alike, where they are not the same."""
    for first, second in zip(one.assignments, other.assignments, strict=True):
        pairs = [(first.id, second.id)]
        if first.expression is not None and second.expression is not None:
            inside = (traversal.symbols(first.expression), traversal.symbols(second.expression))
            pairs += [(a.name, b.name) for a, b in zip(*inside, strict=False)]
        yield from (pair for pair in pairs if pair[0] != pair[1])
