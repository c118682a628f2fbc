"""A learner's own backward pass against the derived one, parameter by parameter, with the mistake in words."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tracer.errors import ProblemError
from tracer.expression.arrays import Array
from tracer.frameworks.naming import valid
from tracer.frameworks.wrong_passes import BackwardPass, WrongPass
from tracer.problem.arrays import plain
from tracer.problem.identity import Identified, Placement
from tracer.problem.problem import Problem
from tracer.problem.reading import load_any, problem_of_table
from tracer.program import naming_policy as named
from tracer.run.passes import AnyProblem
from tracer.run.training import trace

VANISHING = 1e-12  # of the largest number of all gradients: what is smaller is nought but for rounding
DOUBLE, SINGLE = 1e-5, 2e-3  # of the largest number of a gradient; numeric gradients are no better than the first


@dataclass(frozen=True)
class ParameterFinding:
    """One of the learner's gradients: right or not, and what is to be said of it."""

    name: str
    right: bool
    says: str


@dataclass(frozen=True)
class GradientReport:
    """What was found of all gradients; `notes` are differences that are no mistakes."""

    findings: tuple[ParameterFinding, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def all_right(self) -> bool:
        """Whether every gradient is right."""
        return all(each.right for each in self.findings)

    @property
    def lines(self) -> list[str]:
        """A line for each mistake, then what is right, then the notes."""
        wrong = [f"{each.name} is {each.says}" for each in self.findings if not each.right]
        right = [each.name for each in self.findings if each.right]
        told = [f"right: {', '.join(right)}"] if right and wrong else []
        if not wrong:
            told = [f"every gradient is right: {', '.join(right)}"]
        said = [f"{each.name}: {each.says}" for each in self.findings if each.right and each.says]
        return [*wrong, *told, *said, *self.notes]

    def __iter__(self) -> Iterator[ParameterFinding]:
        return iter(self.findings)

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return "<br>".join(map(html.escape, self.lines))


def compare(model: Any, gradients: Mapping[str, Any] | Sequence[Any], **taken: Any) -> GradientReport:
    """A backward pass of one's own, held against the derived one.

    `model` is a problem, what `load` makes one of, or a model of PyTorch, Keras or scikit-learn with what its `from_…`
    function takes, by name (`inputs=`, `targets=`, `loss=`). `gradients` has an array for each parameter, named as in
    the problem (dW1, W1) or as in the framework ("fc1.weight"), or is a list in the order of the parameters.
    Transposed ones, those of a summed or averaged loss, and single precision are no mistakes. Raises TracerError for
    names that are no parameter's.

    >>> import numpy as np
    >>> right = {"dW1": [[0.1, 0.2]]}
    >>> layer = {"activation": "linear", "weights": [[1.0, 2.0]]}
    >>> network = {"learning_rate": 0.1, "loss": "half_squared_error", "data": {"X": [[1.0]], "Y": [[0.9, 1.8]]},
    ...            "layers": [layer]}
    >>> compare(network, right)
    every gradient is right: dW1
    """
    problem = _problem(model, taken)
    return _Judge(problem, gradients).report()


def _problem(model: Any, taken: Mapping[str, Any]) -> AnyProblem:
    from tracer.frameworks import models

    if isinstance(model, Identified):
        return model  # type: ignore[return-value]
    if isinstance(model, Mapping):
        return problem_of_table(plain(model))
    if isinstance(model, str) or hasattr(model, "__fspath__"):
        return load_any(model)
    kind = type(model).__module__.partition(".")[0]
    if kind in ("keras", "sklearn"):
        return getattr(models, f"from_{kind}")(model, **taken)  # type: ignore[no-any-return]
    return models.from_torch(model, **taken)


@dataclass(frozen=True)
class _Known:
    """A parameter, by the learner's name: its derived gradient in the shape that a learner has it in."""

    name: str
    placed: Placement
    turned: bool = False


class _Judge:
    """Judges the gradients of one problem."""

    def __init__(self, problem: AnyProblem, gradients: Mapping[str, Any] | Sequence[Any]) -> None:
        self.problem = problem
        one = trace(problem).first
        self.program = one.program
        values = {**one.matrices, named.RATE: one[named.RATE]}
        self.backward = BackwardPass(one.program, values, problem.learning_rate)
        self.values = values
        self.notes: list[str] = []
        self.given: dict[str, Array] = {}
        self.known: dict[str, _Known] = {}
        self.wrong_shapes: list[ParameterFinding] = []
        self.single = False
        for name, value in self._by_name(gradients).items():
            if value is not None:
                self._enter(str(name), value)

    # whose gradient is whose

    def _by_name(self, gradients: Mapping[str, Any] | Sequence[Any]) -> Mapping[str, Any]:
        """A list's gradients are those of the parameters in their order. Raises ProblemError for another length."""
        if isinstance(gradients, Mapping):
            return gradients
        names = list(self.problem.origin) or [named.gradient(each) for each in self.program.parameters]
        gradients = self._one_by_one(gradients, names)
        if len(gradients) != len(names):
            says = f"found {len(gradients)}, expected one for each of {', '.join(names)}"
            raise ProblemError("gradients", "", says)
        return dict(zip(names, gradients, strict=True))

    def _one_by_one(self, gradients: Sequence[Any], names: Sequence[str]) -> list[Any]:
        """A list of layers, each with its gradients, or one long row of all numbers, as one for each parameter."""
        if getattr(gradients, "ndim", 0) == 1:
            shapes = [self._of_name(name).shape for name in names]
            sizes = [int(np.prod(shape, dtype=int)) for shape in shapes]
            if sum(sizes) == len(gradients):
                parts = np.split(np.asarray(gradients), np.cumsum(sizes)[:-1])
                return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        found: list[Any] = []
        for each in gradients:
            layered = isinstance(each, list | tuple | Mapping) and len(gradients) < len(names)
            found += (list(each.values()) if isinstance(each, Mapping) else list(each)) if layered else [each]
        return found

    def _parameters(self) -> dict[str, Placement]:
        """Each parameter under every name that a learner may give it."""
        found = {}
        for name in self.program.parameters:
            placed = Placement.of_matrix(name, self.values[name].shape, False)
            found[name] = placed
        for key, placed in self.problem.origin.items():
            found[key] = placed
            found.setdefault(valid(key), placed)
        return found

    def _enter(self, name: str, value: Any) -> None:
        value = value.detach().cpu() if hasattr(value, "detach") else value
        array = np.asarray(value)
        if array.dtype == object or array.dtype.kind not in "fiu":
            raise ProblemError("gradients", name, f"found {type(value).__name__}, expected an array of numbers")
        self.single |= array.dtype.kind == "f" and array.dtype.itemsize < 8
        placed = self._of_name(name)
        array = array.astype(np.float64)
        fitted, turned = self._fitted(name, array, placed)
        if fitted is None:
            return
        self.known[name] = _Known(name, placed, turned)
        self.given[name] = fitted

    def _of_name(self, name: str) -> Placement:
        """The parameter that a name means. Raises ProblemError where there is none."""
        known = self._parameters()
        folded = {key.casefold(): placed for key, placed in known.items()}
        for tried in _readings(name):
            if tried in known:
                return known[tried]
            if tried.casefold() in folded:
                return folded[tried.casefold()]
        own = ", ".join(named.gradient(each) for each in self.program.parameters)
        raise ProblemError("gradients", name, f"there is no parameter of this name, expected {own}")

    def _fitted(self, name: str, array: Array, placed: Placement) -> tuple[Array | None, bool]:
        """The array in the parameter's shape, and whether it was turned for that."""
        shape = placed.shape
        flat = [size for size in array.shape if size > 1]
        if array.shape == shape:
            truth = self._truth(placed)
            square = array.ndim == 2 and shape[0] == shape[1] and shape[0] > 1
            if square and not self._near(array, truth) and self._like(array.T, truth):
                return array.T, True
            return array, False
        if array.ndim == 2 and array.T.shape == shape and min(shape) > 1:
            return array.T, True
        if flat == [size for size in shape if size > 1]:  # a row, a column or a flat list of numbers
            return array.reshape(shape), False
        says = f"{_shape(array.shape)}, expected {_shape(shape)}"
        if array.ndim == 2 and array.size != np.prod(shape) and array.shape[-1] == shape[-1] and len(flat) > 1:
            says += ": it has a row for each sample, so the sum over the samples is missing"
        elif flat == [self.backward.rows] and self.backward.rows > 1:
            says += ": it has a number for each sample, so it was added up over the units and not over the samples"
        self.wrong_shapes.append(ParameterFinding(name, False, says))
        return None, False

    def _truth(self, placed: Placement, changed: Mapping[str, Array] | None = None) -> Array:
        """The derived gradient, or what it is where some matrices are others."""
        names = {name: self.program.gradients[name] for name, _, _ in placed.parts}
        found = {
            name: changed[own] if changed is not None and own in changed else self.values[own]
            for name, own in names.items()
        }
        return placed.gathered(found)

    # how near is near

    @property
    def tolerance(self) -> float:
        return SINGLE if self.single else DOUBLE

    @cached_property
    def _largest(self) -> float:
        """The largest number of all derived gradients."""
        found = [float(np.abs(self.values[each]).max()) for each in self.program.gradients.values()]
        return max((each for each in found if np.isfinite(each)), default=0.0)

    def _near(self, array: Array, truth: Array) -> bool:
        if not np.isfinite(truth).all():
            return False
        size = float(np.abs(truth).max())
        if size <= VANISHING * self._largest:  # nought by its terms, of which rounding leaves something
            size = self._largest
        size = max(size, 1e-12)
        return bool(np.abs(array - truth).max() <= self.tolerance * size)

    def _like(self, array: Array, truth: Array) -> bool:
        """Whether one is the other, or a multiple of it, as of a summed or averaged loss."""
        factor = _factor(array, truth)
        return factor is not None and factor != 0 and self._near(array, factor * truth)

    # what is to be said

    def report(self) -> GradientReport:
        factor = self._common_factor()
        right, wrong = self._parted(factor)
        found = [*self.wrong_shapes]
        if factor != 1.0 and not wrong:
            mistake = self._of_common(factor)
            if mistake:
                return GradientReport((*found, *(ParameterFinding(each, False, mistake) for each in right)))
        found += self._diagnosed(wrong, factor, right)
        found += [ParameterFinding(each, True, "") for each in right]
        turned = [name for name, each in self.known.items() if each.turned]
        if turned:
            says = "transposed (outputs × inputs), as PyTorch has them, which is no mistake"
            self.notes.append(f"{says}: {', '.join(turned)}")
        if not found:
            raise ProblemError("gradients", "", "found none, expected an array for each parameter")
        return GradientReport(tuple(found), tuple(self.notes))

    def _parted(self, factor: float) -> tuple[list[str], list[str]]:
        right = [n for n, a in self.given.items() if self._near(a, factor * self._truth(self.known[n].placed))]
        return right, [name for name in self.given if name not in right]

    def _common_factor(self) -> float:
        """The number by which all gradients differ; 1 where most do not differ, or not by one number."""
        if not self.given or any(self._parted(1.0)[0]):
            return 1.0
        for factor in (*self._conventions(), -1.0, *self._twice()):
            right, _ = self._parted(factor)
            if len(right) == len(self.given) or (len(right) >= 2 and len(right) * 2 >= len(self.given)):
                return factor
        factors = [_factor(self.given[n], self._truth(self.known[n].placed)) for n in self.given]
        first = factors[0]
        if first and all(each is not None and abs(each / first - 1) < self.tolerance for each in factors):
            return first if len(self._parted(first)[0]) == len(self.given) else 1.0
        return 1.0

    @property
    def _is_mean(self) -> bool:
        """Whether the loss is averaged over the samples."""
        if isinstance(self.problem, Problem):
            return self.problem.convention.reduction == "mean"
        text = self.problem.forward.formulas.get(self.program.loss, "")
        return "/" in text or "mean(" in text

    def _conventions(self) -> dict[float, str]:
        """Factors that are another way of being right."""
        rows, outputs = float(self.backward.rows), float(self.backward.outputs)
        summed, averaged = "the loss added up over the samples", "the loss averaged over the samples"
        found = {rows: summed} if self._is_mean else {1 / rows: averaged}
        if outputs > 1:
            both = {rows * outputs: summed} if self._is_mean else {1 / rows / outputs: averaged}
            found |= both
            found |= {outputs: "a loss that is not averaged over the outputs"} if self._is_mean else {}
        found |= {2.0: "a loss without its ½, or with a 2", 0.5: "a loss with a ½"}
        found.pop(1.0, None)
        return found

    def _twice(self) -> dict[float, str]:
        rows = float(self.backward.rows)
        if rows == 1:
            return {}
        if self._is_mean:
            return {1 / rows: f"divided by the {int(rows)} samples twice"}
        return {
            1 / rows**2: f"divided by the {int(rows)} samples twice",
            rows: f"multiplied by the {int(rows)} samples",
        }

    def _of_common(self, factor: float) -> str:
        """The mistake that one factor of all gradients is; "" where it is another way, of which a note is made."""
        twice = next((says for each, says in self._twice().items() if abs(each / factor - 1) < 1e-9), "")
        known = next((says for each, says in self._conventions().items() if abs(each / factor - 1) < 1e-9), "")
        if known:
            says = f"all of them are {factor:.6g} times the derived ones, as with {known}, which is no mistake"
            self.notes.append(says)
            return ""
        if factor == -1.0:
            self.notes.append("all of them have the other sign: what is added to the parameters, which is no mistake")
            return ""
        if abs(abs(factor) / self.problem.learning_rate - 1) < self.tolerance:
            return "the gradient multiplied by the learning rate already; that belongs to the update"
        return f"the gradient {twice}" if twice else f"{factor:.6g} times the gradient"

    def _diagnosed(self, wrong: list[str], factor: float, right: list[str]) -> Iterator[ParameterFinding]:
        """For each gradient that is wrong the mistake: one that explains all of them, if there is any."""
        if not wrong:
            return
        best = self._explaining(wrong, right, factor)
        for other in () if best or right else self._conventions():
            best = self._explaining(wrong, right, other)
            if len(best) == len(wrong):
                factor = other
                break
            best = {}
        if factor != 1.0:
            self._of_common(factor)
        for name in wrong:
            array = self.given[name]
            if not array.any():
                yield ParameterFinding(name, False, "all zeros: nothing was put into it")
            elif not np.isfinite(array).all():
                yield ParameterFinding(name, False, "not finite: it holds NaN or infinity")
            elif (beside := self._beside(name, array, factor)) and name not in best:
                yield ParameterFinding(name, False, beside)
            elif name in best:
                yield ParameterFinding(name, False, f"the gradient {best[name].says}")
            else:
                yield ParameterFinding(name, False, self._plainly(array, factor * self._truth(self.known[name].placed)))

    def _explaining(self, wrong: list[str], right: list[str], factor: float) -> dict[str, WrongPass]:
        """The wrong passes that give the learner's numbers: one for all, or one for as many as it does."""
        tried: list[tuple[int, WrongPass, set[str]]] = []
        for each in self.backward.wrong:
            fits = {name for name in wrong if self._is(name, each, factor)}
            if not fits:
                continue
            spoilt = sum(1 for name in right if not self._is(name, each, factor))
            if len(fits) == len(wrong) and not spoilt:
                return dict.fromkeys(wrong, each)
            tried.append((len(fits) - spoilt, each, fits))
        found: dict[str, WrongPass] = {}
        for _, each, fits in sorted(tried, key=lambda one: -one[0]):
            for name in fits:
                found.setdefault(name, each)
        return found

    def _beside(self, name: str, array: Array, factor: float) -> str:
        """A gradient that is none, but the parameter, or that has a share of the parameter in it; "" otherwise."""
        placed = self.known[name].placed
        own = placed.gathered({each: self.values[each] for each, _, _ in placed.parts})
        if self._near(array, own):
            return "the parameter itself, and not its gradient"
        rest = array - factor * self._truth(placed)
        share = _factor(rest, own)
        if share and own.size > 1 and self._near(rest, share * own):
            return (
                f"the gradient with {share:.4g} times the parameter added: a penalty, or weight decay, which is no "
                "part of this loss"
            )
        return ""

    def _is(self, name: str, wrong: WrongPass, factor: float) -> bool:
        return self._near(self.given[name], factor * self._truth(self.known[name].placed, wrong.changed))

    def _plainly(self, array: Array, truth: Array) -> str:
        """What can be said where no single mistake gives these numbers."""
        factor = _factor(array, truth)
        if factor is not None and self._near(array, factor * truth):
            return f"{factor:.4g} times the gradient"
        apart = np.abs(array - truth) > self.tolerance * max(float(np.abs(truth).max()), 1e-12)
        place = np.unravel_index(int(np.abs(array - truth).argmax()), truth.shape)
        at = ", ".join(str(int(k)) for k in place)
        return (
            f"not the gradient: {int(apart.sum())} of {apart.size} numbers differ, most of all [{at}], which is "
            f"{array[place]:.6g} and not {truth[place]:.6g}; no single mistake gives these numbers"
        )


def _factor(array: Array, truth: Array) -> float | None:
    """The number that one is of the other, measured at the largest cell."""
    place = np.unravel_index(int(np.abs(truth).argmax()), truth.shape) if truth.size else ()
    return float(array[place] / truth[place]) if truth.size and truth[place] != 0 else None


def _readings(name: str) -> Iterator[str]:
    """A learner's name with what says "gradient of" taken off: dW1, grad_W1, W1_grad, W1.grad."""
    tried = [name, name.removesuffix(".grad"), name.removesuffix("_grad")]
    for start in ("dL_d", "dLd", "grad_", "grad", "d_", "g_", "d", "g"):
        tried += [each[len(start) :] for each in tried[:3] if each.casefold().startswith(start.casefold())]
    yield from dict.fromkeys(each for each in tried if each)
    yield from dict.fromkeys(valid(each) for each in tried if each)
    within = re.sub(r"/\w+_cell(?=/)", "", name)  # a cell of Keras within its layer
    parts = re.split(r"[./]", within)
    yield from (valid("_".join(parts[k:])) for k in range(len(parts) - 1))  # the model's own name before it


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"
