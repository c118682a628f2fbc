"""Backward passes with one mistake in them: what every gradient then is.

Each is the derived pass with one of its matrices made another way; everything after it follows. What a matrix is, its
role says, so that this holds for networks and for programs alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from tracer.calculus.functions import FUNCTIONS
from tracer.errors import TracerError
from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.expression.arrays import Array
from tracer.expression.evaluate import evaluate
from tracer.program.program import Program
from tracer.program.roles import Assignment

_BACKWARD = ("local_derivative", "contribution", "gradient")
MOST_PASSES = 6_000
_MOST_BIASES = 12
_LEAKS = (0.01, 0.1, 0.2)


class WrongPass(NamedTuple):
    """What was done at one matrix, in words that go on "is the gradient …"; and the matrices that it changes."""

    at: str
    says: str
    changed: Mapping[str, Array]


@dataclass(frozen=True)
class BackwardPass:
    """The derived pass, with its numbers, to be gone through with one matrix made another way."""

    program: Program
    values: Mapping[str, Array]
    rate: float

    @cached_property
    def rules(self) -> list[Assignment]:
        """What is computed backwards, in order of time."""
        made = self.program.assignments.values()
        return [each for each in made if each.role in _BACKWARD and each.expression is not None]

    @cached_property
    def _takes(self) -> dict[str, frozenset[str]]:
        return {each.id: frozenset(one.name for one in traversal.symbols(_of(each))) for each in self.rules}

    def after(self, changed: Mapping[str, Array]) -> dict[str, Array]:
        """The backward matrices that differ once some are as `changed` has them."""
        found = dict(changed)
        for each in self.rules:
            if each.id not in changed and not self._takes[each.id].isdisjoint(found):
                made = self._made(_of(each), found)
                if made is not None:
                    found[each.id] = made
        return found

    def _made(self, expression: m.Matrix, other: Mapping[str, Array]) -> Array | None:
        """The value of an expression where some matrices are others; None where it has none."""
        needed = {each.name for each in traversal.symbols(expression)}
        given = {name: other[name] if name in other else self.values[name] for name in needed}
        try:
            with np.errstate(all="ignore"):
                return evaluate(expression, given)
        except (TracerError, ValueError, KeyError, IndexError):
            return None

    @cached_property
    def wrong(self) -> tuple[WrongPass, ...]:
        """Every pass with one mistake in it, the commoner mistakes first."""
        return tuple(self._wrong())

    def _wrong(self) -> Iterator[WrongPass]:
        yield from self._without_biases()
        count = 0
        for ways in (self._slopes, self._terms, self._factors, self._sums, self._operands, self._outputs):
            for each in self.rules:
                for says, value in ways(each):
                    if value is not None and value.shape == self.values[each.id].shape:
                        yield WrongPass(each.id, says, self.after({each.id: value}))
                    count += 1
                    if count > MOST_PASSES:
                        return

    def _without_biases(self) -> Iterator[WrongPass]:
        """Forward passes in which a row that is added was forgotten; everything after it is then another."""
        rows = [name for name in self.program.parameters if self.values[name].shape[0] == 1 and self.rows > 1]
        for name in rows[:_MOST_BIASES]:
            found = self._forward({name: np.zeros_like(self.values[name])})
            found.pop(name)
            if found:
                yield WrongPass(name, f"with the forward pass computed without {name}", self.after(found))

    def _forward(self, changed: Mapping[str, Array]) -> dict[str, Array]:
        """The forward matrices that differ once some numbers are others, and those numbers."""
        found = dict(changed)
        for each in self.program.assignments.values():
            if each.role in ("intermediate", "loss") and each.expression is not None:
                taken = {one.name for one in traversal.symbols(each.expression)}
                made = None if taken.isdisjoint(found) else self._made(each.expression, found)
                if made is not None:
                    found[each.id] = made
        return found

    # ways in which one matrix may be made

    def _with(self, each: Assignment, name: str, value: Array) -> Array | None:
        return self._made(_of(each), {name: value})

    def _slopes(self, each: Assignment) -> Iterator[tuple[str, Array | None]]:
        """Slopes left out, turned round, or taken at the wrong place."""
        for name in sorted(self._takes[each.id]):
            made = self.program.assignments.get(name)
            if made is None or made.role != "local_derivative" or made.expression is None:
                continue
            called, slope = self._called(made), self.values[name]
            for z in self._takes[name] if _is_mask(made) else ():
                yield (
                    f"with {called} 1 where {z} is 0: ≥ in place of >",
                    self._with(each, name, np.where(self.values[z] == 0, 1.0, slope)),
                )
            yield f"without {called}", self._with(each, name, np.ones_like(slope))
            yield from self._other_slopes(each, made)
            if _is_mask(made):
                yield f"with {called} the wrong way round (1 where it must be 0)", self._with(each, name, 1 - slope)
        if each.role == "local_derivative" and each.of in self.values:
            yield from self._at_another_place(each)

    def _other_slopes(self, each: Assignment, slope: Assignment) -> Iterator[tuple[str, Array | None]]:
        """Another activation's slope; or a mask of the gradient that comes back."""
        name, called, A = slope.id, self._called(slope), self.values[str(slope.of)]
        if A.shape != self.values[name].shape:
            return
        others = {"a sigmoid, a(1 − a)": A * (1 - A), "tanh, 1 − a²": 1 - A**2, "ReLU": np.where(A > 0, 1.0, 0.0)}
        others |= {f"leaky ReLU, {low:g} below 0": np.where(A > 0, 1.0, low) for low in _LEAKS}
        for whose, other in others.items():
            yield f"with the slope of {whose}, in place of {called}", self._with(each, name, other)
        of = slope.of
        for half, other in ((f"{of} alone", A), (f"1 − {of} alone", 1 - A), (f"{of}² alone", A**2)):
            yield f"with {half} in place of {called}", self._with(each, name, other)
        for back in sorted(self._takes[each.id]):
            kept = self.values[back] > 0
            if self._role(back) == "gradient" and kept.shape == A.shape and kept.any() and not kept.all():
                yield (
                    f"with the mask taken of {back} in place of {called}",
                    self._with(each, name, np.where(kept, 1.0, 0.0)),
                )

    def _at_another_place(self, each: Assignment) -> Iterator[tuple[str, Array | None]]:
        called, of = self._called(each), str(each.of)
        forward = self.program.assignments[of].expression
        for name in sorted(self._takes[each.id]):
            others = [of, *(one.name for one in traversal.symbols(forward))] if forward is not None else []
            for other in others:
                if other != name and self.values[other].shape == self.values[name].shape:
                    yield (
                        f"with {called} taken at {other} in place of {name}",
                        self._with(each, name, self.values[other]),
                    )
            if forward is not None and name == of and len({one.name for one in traversal.symbols(forward)}) == 1:
                twice = self._made(forward, {one.name: self.values[of] for one in traversal.symbols(forward)})
                if twice is not None and twice.shape == self.values[name].shape:
                    yield (
                        f"with {called} taken at {of} as if that were the pre-activation",
                        self._with(each, name, twice),
                    )

    def _called(self, slope: Assignment) -> str:
        of = slope.of or slope.id
        return f"the ReLU mask (the slope of {of})" if _is_mask(slope) else f"the slope of {of} ({slope.id})"

    def _terms(self, each: Assignment) -> Iterator[tuple[str, Array | None]]:
        """Of several contributions one, or all but one, left out."""
        names = [one.name for one in traversal.symbols(_of(each))]
        names = [
            name for name in dict.fromkeys(names) if self._is_backward(name) and self._role(name) != "local_derivative"
        ]
        if len(names) > 1:
            for name in names:
                nothing = np.zeros_like(self.values[name])
                yield f"without what comes back through {name}", self._with(each, name, nothing)
            for name in names:
                others = {one: np.zeros_like(self.values[one]) for one in names if one != name}
                yield f"of {name} alone: the other contributions were left out", self._made(_of(each), others)
        yield from self._cut(each)

    def _cut(self, each: Assignment) -> Iterator[tuple[str, Array | None]]:
        """Of a sum or difference one side left out: a path, a decay, what softmax takes off."""
        for part in traversal.parts(_of(each)):
            if isinstance(part, m.Broadcast) and part.operator in "+-":
                for side, other in ((part.left, part.right), (part.right, part.left)):
                    if side.shape == part.shape and not isinstance(side, m.Constant):
                        what = _named_in(other)
                        yield f"without the term with {what}", self._made(_replaced(_of(each), part, side), {})

    def _factors(self, each: Assignment) -> Iterator[tuple[str, Array | None]]:
        if each.role != "gradient":
            return
        value = self.values[each.id]
        for factor, says in self._scales(each):
            yield says, value * factor
        if each.of not in self.program.parameters:
            yield f"without what comes back through {each.of}", np.zeros_like(value)

    def _scales(self, each: Assignment) -> Iterator[tuple[float, str]]:
        """Numbers that a gradient is multiplied by, and what was then forgotten or done twice."""
        rows, outputs = self.rows, self.outputs
        at = "" if each.of in self.program.parameters else f" (at {each.id})"
        if rows > 1:
            yield 1 / rows, f"divided by the {rows} samples once more{at}"
            yield float(rows), f"not divided by the {rows} samples{at}"
        yield 2.0, f"times 2{at}"
        yield 0.5, f"times ½: a factor of 2 is missing{at}"
        yield -1.0, f"with the wrong sign{at}"
        if outputs > 1 and outputs != 2:
            yield 1 / outputs, f"divided by the {outputs} outputs once more{at}"
            yield float(outputs), f"not divided by the {outputs} outputs{at}"
        if rows > 1 and outputs > 1:
            yield 1 / (rows * outputs), f"divided by the {rows * outputs} cells once more{at}"
            yield float(rows * outputs), f"not divided by the {rows * outputs} cells{at}"
        yield self.rate, f"multiplied by the learning rate already{at}"
        for part in traversal.parts(_of(each)):
            if isinstance(part, m.Constant) and abs(part.value) not in (0.0, 1.0, 2.0, 0.5):
                yield part.value, f"without the factor 1/{part.value:.4g}{at}"
                yield 1 / part.value, f"divided by {part.value:.4g} once more{at}"

    @property
    def rows(self) -> int:
        """How many samples there are: the rows of the targets, or of what is given first."""
        return int(self._targets.shape[0])

    @property
    def outputs(self) -> int:
        return int(self._targets.shape[1])

    @property
    def _targets(self) -> Array:
        given = [each for each in self.program.assignments.values() if each.role == "given"]
        targets = [each.id for each in given if each.kind == "target"]
        return self.values[(targets or [each.id for each in given])[0]] if given else np.zeros((1, 1))

    def _sums(self, each: Assignment) -> Iterator[tuple[str, Array | None]]:
        """Sums over the samples that were left out, or made of something else."""
        match _of(each):
            case m.Reduce("sum", inner, "rows" | "columns" | "all" as over):
                table = self._made(inner, {})
                if table is None:
                    return
                axis = {"rows": 0, "columns": 1, "all": None}[over]
                whole = self.values[each.id].shape
                count = table.size if axis is None else table.shape[axis]
                first, last = table.take([0], axis or 0), table.take([-1], axis or 0)
                if count > 1:
                    yield (
                        "averaged over the samples and not added up",
                        table.sum(axis, keepdims=True).reshape(whole) / count,
                    )
                    for says, part in (("first", first), ("last", last)):
                        if part.shape == whole:
                            yield f"of the {says} sample alone: the sum over the samples is missing", part
                yield "added up over everything, units as well as samples", np.full(whole, table.sum())
                across = table.sum(1 if axis == 0 else 0)
                if across.size == np.prod(whole):
                    yield "added up over the units and not over the samples", across.reshape(whole)
            case m.MatMul(m.Transpose(a), b):
                left, right = self._made(a, {}), self._made(b, {})
                if left is None or right is None or len(left) < 2:
                    return
                together = left.sum(0)[:, None] * right.sum(0)[None]
                yield "made of sums: the samples were added up before they were multiplied", together
                yield "made of means: the samples were averaged before they were multiplied", together / len(left) ** 2
                yield "of the first sample alone: the sum over the samples is missing", left[:1].T @ right[:1]
                yield "of the last sample alone: the sum over the samples is missing", left[-1:].T @ right[-1:]

    def _operands(self, each: Assignment) -> Iterator[tuple[str, Array | None]]:
        """One matrix in the place of another of its shape."""
        for name in sorted(self._takes[each.id]):
            value = self.values[name]
            if self._role(name) == "parameter":
                if value.shape[0] == value.shape[1] and value.size > 1:
                    yield f"with {name} in place of its transpose", self._with(each, name, value.T)
                new = self.program.updated.get(name)
                if new is not None:
                    yield f"with {name} updated already", self._with(each, name, self.values[new])
            for other in self._alike(name, each):
                yield f"with {other} in place of {name}", self._with(each, name, self.values[other])
            if value.shape[0] > 1 and self._role(name) == "intermediate":
                yield f"with the rows of {name} shifted by one sample", self._with(each, name, np.roll(value, 1, 0))
        for stale, says in self._stale:
            for name in sorted(self._takes[each.id] & stale.keys()):
                yield f"with {name} {says}", self._with(each, name, stale[name])

    def _alike(self, name: str, each: Assignment) -> Iterator[str]:
        """Other matrices of one shape that are there by then: forward for forward, backward for backward."""
        backward = self._is_backward(name)
        for other, made in self.program.assignments.items():
            if other == each.id:
                return
            fits = made.shape == self.values[name].shape and other != name
            if fits and self._is_backward(other) == backward and made.role != "updated":
                yield other

    @cached_property
    def _stale(self) -> list[tuple[dict[str, Array], str]]:
        """The forward pass with the parameters of the next pass."""
        found = self._forward({old: self.values[new] for old, new in self.program.updated.items()})
        forward = {name: value for name, value in found.items() if name not in self.program.updated}
        return [(forward, "of another pass: computed with the updated parameters")]

    def _outputs(self, each: Assignment) -> Iterator[tuple[str, Array | None]]:
        """What a gradient at an activation or before it is when an extra slope is put in, or the target left out."""
        if each.role != "gradient" or each.of not in self.values or each.of in self.program.parameters:
            return
        value, of = self.values[each.id], str(each.of)
        for name, made in self.program.assignments.items():
            if made.role != "intermediate" or made.shape != value.shape:
                continue
            A = self.values[name]
            if made.kind == "activation" and (A >= 0).all() and (A <= 1).all():
                yield f"with the extra slope {name}(1 − {name}) at {of}", value * A * (1 - A)
            elif made.kind == "activation":
                yield f"with the extra slope 1 − {name}² at {of}", value * (1 - A**2)
                yield f"with an extra ReLU mask at {of}", value * (A > 0)
        yield from self._of_loss(each)

    def _of_loss(self, each: Assignment) -> Iterator[tuple[str, Array | None]]:
        """Where the loss comes in: the target left out, or taken off the wrong way."""
        of = str(each.of)
        takes = self._takes[each.id]
        targets = [name for name in takes if self.program.assignments[name].kind == "target"]
        for name in takes if targets else ():
            if self.program.assignments[name].kind == "activation" and name != of:
                sigmoid = 0.5 * (1 + np.tanh(0.5 * self.values[of]))
                yield f"with the sigmoid of {of} in place of {name}", self._with(each, name, sigmoid)
                for target in targets:
                    yield from self._parts_of_softmax(name, target, of)
        for name in targets:
            yield (
                f"without the target {name} taken off at {of}",
                self._with(each, name, np.zeros_like(self.values[name])),
            )
            output = self.values[of]
            for step in (1, -1) if output.shape[1] > 1 else ():
                yield (
                    f"with the classes of {name} counted one too far: labels from 1 where they begin at 0, or the "
                    "other way round",
                    self._with(each, name, np.roll(self.values[name], step, 1)),
                )
            if output.shape == self.values[name].shape:
                for scale in (1.0, 1.0 / self.rows):
                    yield (
                        f"of {of} − {name} where the slope of the loss is another",
                        (output - self.values[name]) * scale,
                    )

    def _parts_of_softmax(self, name: str, target: str, of: str) -> Iterator[tuple[str, Array | None]]:
        """Logarithm and softmax one after the other, and of the second only a part, or nothing."""
        shares, labels = self.values[name], self.values[target]
        if shares.shape != labels.shape or shares.shape[1] < 2 or not ((shares > 0) & (shares < 1)).all():
            return
        for scale in (1.0, 1.0 / self.rows):
            yield (
                f"with each output's own slope {name}(1 − {name}) alone at {of}: the softmax's cross terms are missing",
                -labels * (1 - shares) * scale,
            )
            yield f"with −{target}/{name} at {of}: the slope of the softmax is missing", -labels / shares * scale

    def _role(self, name: str) -> str | None:
        made = self.program.assignments.get(name)
        return None if made is None else made.role

    def _is_backward(self, name: str) -> bool:
        return self._role(name) in _BACKWARD


def _of(each: Assignment) -> m.Matrix:
    assert each.expression is not None  # asked for by the callers
    return each.expression


def _is_mask(slope: Assignment) -> bool:
    return any(
        isinstance(part, m.Apply) and part.template == FUNCTIONS["relu"].slope for part in traversal.parts(_of(slope))
    )


def _replaced(whole: m.Matrix, old: m.Matrix, new: m.Matrix) -> m.Matrix:
    change: Callable[[m.Matrix], m.Matrix | None] = lambda part: new if part == old else None  # noqa: E731
    return traversal.rewrite(whole, change)


def _named_in(part: m.Matrix) -> str:
    names = list(dict.fromkeys(each.name for each in traversal.symbols(part)))
    return " and ".join(names[-2:]) if names else "the number"
