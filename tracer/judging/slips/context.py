"""What the wrong rules are written over: a matrix in its network, and ways to rewrite its rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from typing import TypeAlias

import numpy as np

from tracer.calculus.forms import argument_of, function_named, softmax_form
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.interval import Interval, bound
from tracer.expression.transposed import transposed
from tracer.judging.slips.rewriting import times
from tracer.judging.work import Work
from tracer.lesson.network_symbols import NetworkSymbols
from tracer.problem.activations import ACTIVATIONS, Activation
from tracer.problem.losses import LOSSES
from tracer.problem.optimizers import Optimizer
from tracer.problem.problem import LEAKY_SLOPE
from tracer.program import roles
from tracer.program.program import Program
from tracer.program.roles import Assignment


class MatrixKind(Enum):
    """What a matrix is to the slips: its role, told apart where learners go wrong in different ways."""

    PRE_ACTIVATION = auto()
    ACTIVATION = auto()
    SOFTMAX = auto()  # an activation of whole rows
    LOSS = auto()
    ERROR = auto()  # at the output
    SENT_BACK = auto()  # the error of a hidden layer
    SLOPE = auto()
    JACOBIAN = auto()
    DELTA = auto()
    WEIGHTS_GRADIENT = auto()
    BIAS_GRADIENT = auto()
    NEW_PARAMETER = auto()  # by plain gradient descent
    OF_OPTIMIZER = auto()  # a state, or what follows one
    # of a program, whose author chose what it is made of
    FORMULA = auto()  # made on the way forward, by none of the next two
    CELL_FUNCTION = auto()  # a function of each cell of one matrix
    ROW_FUNCTION = auto()  # softmax of one matrix
    FORMULA_LOSS = auto()
    SLOPE_OF_CELLS = auto()  # of a function of each cell
    LOCAL_DERIVATIVE = auto()  # any other
    FLOWING_BACK = auto()  # a gradient of what was made or given, or a contribution to one
    PARAMETER_GRADIENT = auto()


_KINDS = {
    roles.PRE_ACTIVATION: MatrixKind.PRE_ACTIVATION,
    roles.ACTIVATION: MatrixKind.ACTIVATION,
    roles.LOSS: MatrixKind.LOSS,
    roles.ERROR: MatrixKind.SENT_BACK,
    roles.SLOPE: MatrixKind.SLOPE,
    roles.JACOBIAN: MatrixKind.JACOBIAN,
    roles.DELTA: MatrixKind.DELTA,
    roles.WEIGHTS_GRADIENT: MatrixKind.WEIGHTS_GRADIENT,
    roles.BIAS_GRADIENT: MatrixKind.BIAS_GRADIENT,
    roles.NEW_WEIGHTS: MatrixKind.NEW_PARAMETER,
    roles.NEW_BIAS: MatrixKind.NEW_PARAMETER,
}


@dataclass(frozen=True)
class WrongRule:
    """A wrong rule: an expression in place of the right one.

    `words` fill its sentence. Several of one form come as one, with words for each and `extra` symbols
    whose bounds have an axis in front for them; `spelled_out` has these forms without such symbols, where it can.
    """

    expression: m.Matrix
    words: Sequence[Mapping[str, str]] = ({},)
    extra: Mapping[str, Interval] = field(default_factory=dict)
    spelled_out: Sequence[m.Matrix] = ()

    @property
    def forms(self) -> Sequence[m.Matrix]:
        """Each form as an expression over the network's matrices alone; none where there is no such expression."""
        return self.spelled_out if self.extra else (self.expression,)


Made: TypeAlias = Iterator[WrongRule | m.Matrix]
Rewrite: TypeAlias = Callable[["SlipContext", m.Matrix], Made]
"""Makes wrong rules for a matrix from its right rule (or from one that is wrong already)."""


@dataclass(frozen=True)
class Rule:
    """A line of the table: a slip, the matrices that it happens in, its rewrites and its sentence.

    `often` is how many of fifteen public student solutions show it; a `factor` multiplies all cells by one number.
    `idea` is what the learner's misconception is called where it is not the slug, as one that shows elsewhere too; the
    words of a wrong rule may have one of their own.
    """

    slug: str
    kinds: tuple[MatrixKind, ...]
    rewrite: Rewrite
    says: str
    often: int = 0
    factor: bool = False
    idea: str = ""


class Overlay(dict[str, Interval]):
    """Bounds of a few symbols laid over those of all."""

    def __init__(self, extra: Mapping[str, Interval], below: Mapping[str, Interval]) -> None:
        super().__init__(extra)
        self._below = below

    def __missing__(self, identifier: str) -> Interval:
        return self._below[identifier]


class _ByRows(Overlay):
    """The bounds of matrices that are written with a sample in each column, turned."""

    def __missing__(self, identifier: str) -> Interval:
        return super().__missing__(identifier).transposed


@dataclass(frozen=True)
class SlipContext:
    """A matrix in its network, on a learner's work. The rules are written with a sample in each row, always."""

    id: str
    work: Work

    @cached_property
    def net(self) -> NetworkSymbols:
        return self.work.key.net

    @cached_property
    def assignment(self) -> Assignment:
        return self.work.key.program.assignments[self.id]

    @property
    def layer(self) -> int:
        """The layer that the matrix belongs to; 0 for the loss."""
        return self.assignment.layer or 0

    @cached_property
    def kind(self) -> MatrixKind:
        if not self.by_layers:
            return self._kind_in_a_program
        kind = _KINDS.get(self.assignment.quantity, MatrixKind.OF_OPTIMIZER)
        if kind is MatrixKind.NEW_PARAMETER and self.net.problem.optimizer != Optimizer():
            return MatrixKind.OF_OPTIMIZER
        if kind is MatrixKind.ACTIVATION and self.net.function(self.layer).whole_row:
            return MatrixKind.SOFTMAX
        return MatrixKind.ERROR if kind is MatrixKind.SENT_BACK and self.of_output else kind

    @property
    def _kind_in_a_program(self) -> MatrixKind:
        program, made = self.work.key.program, self.assignment
        match made.role:
            case "intermediate" if made.id not in program.of_optimizer:
                return self._kind_forward(made.id)
            case "loss":
                return MatrixKind.FORMULA_LOSS
            case "local_derivative":
                of_cells = made.of is not None and self._kind_forward(made.of) is MatrixKind.CELL_FUNCTION
                return MatrixKind.SLOPE_OF_CELLS if of_cells else MatrixKind.LOCAL_DERIVATIVE
            case "contribution":
                return MatrixKind.FLOWING_BACK
            case "gradient":
                of_parameter = made.id in program.gradients_of_parameters
                return MatrixKind.PARAMETER_GRADIENT if of_parameter else MatrixKind.FLOWING_BACK
        plain = made.role == "updated" and made.of in program.parameters and not program.of_optimizer
        return MatrixKind.NEW_PARAMETER if plain else MatrixKind.OF_OPTIMIZER

    def _kind_forward(self, identifier: str) -> MatrixKind:
        """By the form of what made a matrix on the way forward."""
        rule = self.rule_of(identifier)
        if rule is None or not isinstance(argument_of(rule), m.Symbol):
            return MatrixKind.FORMULA_LOSS if identifier == self.work.key.program.loss else MatrixKind.FORMULA
        form = softmax_form(rule)
        if form is not None:
            return MatrixKind.ROW_FUNCTION if form.across else MatrixKind.FORMULA
        return MatrixKind.CELL_FUNCTION if function_named(rule) in ACTIVATIONS else MatrixKind.FORMULA

    def rule_of(self, identifier: str) -> m.Matrix | None:
        """The right rule of a matrix without rounding; None where it is given."""
        rule = self.work.rule(identifier)
        return rule.operand if isinstance(rule, m.Rounded) else rule

    @cached_property
    def right(self) -> m.Matrix:
        """The right rule, without the rounding that `carry_rounded` puts around it."""
        expression = self.work.rule(self.id)
        if expression is not None and self.turned:
            expression = transposed(expression)
        assert expression is not None  # contexts are of computed matrices, and no rule of theirs places cells anew
        return expression.operand if isinstance(expression, m.Rounded) else expression

    @property
    def turned(self) -> bool:
        """Whether the learner's matrices have a sample in each column."""
        return self.work.key.program.turned

    @cached_property
    def reading(self) -> Mapping[str, Interval]:
        """The bounds of every matrix, with a sample in each row."""
        return _ByRows({}, self.work.reading) if self.turned else self.work.reading

    def bounds(self, wrong: WrongRule) -> Interval:
        """What a wrong rule makes of this matrix, as the learner would write it."""
        found = bound(wrong.expression, Overlay(wrong.extra, self.reading))
        shape = np.broadcast_shapes(found.low.shape, self.right.shape)  # a single row, column or number is all of it
        whole = Interval(np.broadcast_to(found.low, shape), np.broadcast_to(found.high, shape))
        return whole.transposed if self.turned else whole

    @property
    def rounded_to(self) -> int | None:
        """The decimals that the right rule rounds to; None where it does not."""
        expression = self.work.rule(self.id)
        return expression.decimals if isinstance(expression, m.Rounded) else None

    @property
    def of_output(self) -> bool:
        return self.layer == self.net.depth

    @property
    def of_loss(self) -> str:
        return self.net.problem.loss

    @property
    def weights(self) -> m.Symbol:
        """Of this layer, as everything up to `error`."""
        return self.net.weights(self.layer)

    @property
    def bias(self) -> m.Symbol | None:
        return self.net.bias(self.layer)

    @property
    def pre_activation(self) -> m.Symbol:
        """What this layer's function is taken of; in a program, that of the function that this is made by or of."""
        if self.by_layers:
            return self.net.pre_activation(self.layer)
        rule = self.rule_of(self._function_of)
        taken = None if rule is None else argument_of(rule)
        assert isinstance(taken, m.Symbol)  # else it has another kind
        return taken

    @property
    def activation(self) -> m.Symbol:
        if self.by_layers:
            return self.net.activation(self.layer)
        return m.Symbol(self._function_of, self.work.key.values[self._function_of].shape)

    @property
    def _function_of(self) -> str:
        """The matrix that is made by the function that this matrix is about."""
        made = self.assignment
        return made.of if made.role == "local_derivative" and made.of is not None else made.id

    @cached_property
    def function_name(self) -> str:
        """The activation function that this is made by, or the derivative of."""
        if self.by_layers:
            return self.net.layer(self.layer).activation
        rule = self.rule_of(self._function_of)
        named = None if rule is None else "softmax" if softmax_form(rule) is not None else function_named(rule)
        return named or ""

    @property
    def function(self) -> Activation:
        return self.net.function(self.layer) if self.by_layers else ACTIVATIONS[self.function_name]

    @property
    def leaky_slope(self) -> float:
        """Of leaky ReLU on the negative side."""
        return self.net.layer(self.layer).slope if self.by_layers else LEAKY_SLOPE

    @property
    def slope_at_zero(self) -> int:
        return self.net.problem.convention.relu_slope_at_zero if self.by_layers else 0

    def taken_in(self, identifier: str) -> m.Symbol | None:
        """What the function is taken of that a matrix is made by; None where it is made otherwise."""
        rule = self.rule_of(identifier) if identifier in self.program.assignments else None
        taken = None if rule is None else argument_of(rule)
        return taken if isinstance(taken, m.Symbol) and self.is_function(identifier) else None

    def is_function(self, identifier: str) -> bool:
        """Whether a matrix is made by an activation function."""
        kinds = (MatrixKind.CELL_FUNCTION, MatrixKind.ROW_FUNCTION)
        return identifier in self.program.assignments and self._kind_forward(identifier) in kinds

    def before_slope(self, identifier: str) -> m.Symbol | None:
        """Of the gradient at what a function is taken of, the one at its value, which the slope has not met yet."""
        made = self.program.assignments.get(identifier)
        rule = self.rule_of(identifier) if made is not None and made.role == "gradient" else None
        for part in () if rule is None else traversal.parts(rule):
            match part:
                case m.Broadcast("*", m.Symbol() as gradient, m.Symbol(slope)) if self._is_slope(slope):
                    return gradient
        return None

    def _is_slope(self, identifier: str) -> bool:
        made = self.program.assignments.get(identifier)
        return made is not None and made.role == "local_derivative"

    def source(self, contribution: str) -> str | None:
        """The matrix that a contribution has come back from."""
        rule = self.rule_of(contribution)
        names = [] if rule is None else [each.name for each in traversal.symbols(rule)]
        made = (self.program.assignments.get(each) for each in names)
        return next((each.of for each in made if each is not None and each.role == "gradient"), None)

    @property
    def program(self) -> Program:
        return self.work.key.program

    @property
    def by_layers(self) -> bool:
        return self.work.key.program.by_layers

    @property
    def rate(self) -> m.Symbol:
        return m.Symbol(self.work.key.program.rate, (1, 1))

    def symbol(self, identifier: str) -> m.Symbol:
        """A matrix of the pass, with a sample in each row."""
        rows, columns = self.work.key.values[identifier].shape
        return m.Symbol(identifier, (columns, rows) if self.turned else (rows, columns))

    @property
    def gives_on(self) -> bool:
        """Whether this is what a layer gives on, before which a 1 for the bias of the next may stand."""
        return self.by_layers and self.net.leading > 0 and self.assignment.quantity == roles.ACTIVATION

    @property
    def units(self) -> m.Matrix:
        """The outputs of this layer's units, without the bias's 1."""
        if not self.by_layers:
            return self.activation
        return self.net.outputs_of(self.layer)

    @property
    def slope(self) -> m.Symbol:
        return self.net.slope(self.layer)

    @property
    def delta(self) -> m.Symbol:
        return self.net.delta(self.layer)

    @property
    def error(self) -> m.Symbol:
        """The error that this layer's delta is made of; in a program, the gradient at the function's value."""
        if not self.by_layers:
            return self.symbol(self.work.key.program.gradients[self._function_of])
        return self.net.error(self.layer)

    @cached_property
    def samples(self) -> float:
        return float(self.net.rows) if self.by_layers else 1.0

    @cached_property
    def outputs(self) -> float:
        return float(self.net.outputs)

    def with_conventions(self, gradient: m.Matrix) -> m.Matrix:
        """A gradient at the output with the sign and the mean that the problem asks for."""
        convention = self.net.problem.convention
        signed = gradient if convention.sign > 0 else times(-1.0, gradient)
        divided = convention.reduction == "mean" and not self.net.mean_in_gradient
        return m.divide(signed, m.Constant(self.samples)) if divided else signed

    def with_rate(self, delta: m.Matrix) -> m.Matrix:
        """A delta with the learning rate where the problem has it there."""
        return m.multiply(delta, self.net.rate) if self.net.rate_in_delta else delta

    def loss_gradient(self, loss: str) -> m.Matrix:
        """∂/∂a of a loss, as E has it."""
        rule = s.substitute(LOSSES[loss].gradient, {"K": s.Number(self.outputs)})
        return self.with_conventions(self.of_outputs(rule))

    def of_outputs(self, rule: s.Scalar) -> m.Apply:
        """A rule of target y and output a, at every output."""
        sources = (("y", self.net.targets), ("a", self.net.activation(self.net.depth)))
        return m.Apply(rule, tuple(pair for pair in sources if pair[0] in s.variables(rule)))
