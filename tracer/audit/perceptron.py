"""A plain perceptron in a book, as the table of a problem with `[[layers]]`.

Cells may lie anywhere: units that share their signals are of one sample, sums that share their parameters of one unit.
An activation and a loss are known by their numbers, at points of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from tracer.audit.known import Study
from tracer.audit.numbers import PointRow, slopes, value
from tracer.audit.weighted_sums import WeightedSums, WeightedTerm, signals_of
from tracer.expression import scalar as s
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.losses import LOSSES
from tracer.program import naming_policy as named

SumKey: TypeAlias = frozenset[tuple[WeightedTerm, float]]
MOST_SUMS = 2_000
GRID = np.linspace(-3.0, 3.0, 13) + 0.01
SOFTMAX = "softmax"


@dataclass
class FoundLayer:
    """`units[u]`: its parameters, one for each input, and its bias; `sums[n][u]`: the weighted sum of a sample."""

    sums: list[list[SumKey]]
    weights: list[list[s.Cell]]  # inputs × units
    biases: list[s.Cell | None]
    activation: dict[str, Any] = field(default_factory=lambda: {"activation": "linear"})


@dataclass
class FoundPerceptron:
    """The document of a problem, and where its parameters stand: matrix (weights or bias) of a layer, row, column."""

    document: dict[str, Any]
    places: dict[s.Cell, tuple[str, int, int, int]]


def perceptrons(study: Study, parameters: frozenset[s.Cell]) -> Iterator[FoundPerceptron]:
    """The problems with layers that a book may be, to be tried; none where it is no plain perceptron."""
    loss = study.roles.losses[0]
    made = study.roles.implied.get(loss) or study.graph.made[loss]
    reading = _Reading(study, WeightedSums(study.graph, parameters))
    layers = reading.layers(made)
    if layers is None:
        return
    targets = reading.targets(made, layers[-1])
    if targets is None:
        return
    first = [[_number(study, cell) for cell in row] for row in reading.inputs]
    for activation, name, shown in reading.losses(made, layers[-1], targets):
        layers[-1].activation = activation
        for convention in _conventions(shown):
            yield _problem(study, layers, first, targets, name, convention)


def _conventions(shown: str) -> Iterator[dict[str, Any]]:
    other = "mean" if shown == "sum" else "sum"
    for error in ("output - target", "target - output"):
        for reduction in (shown, other):
            yield {"error": error, "reduction": reduction}


def _problem(
    study: Study, layers: Sequence[FoundLayer], inputs: Any, targets: Any, loss: str, convention: dict[str, Any]
) -> FoundPerceptron:
    tables, places = [], {}
    for number, layer in enumerate(layers, start=1):
        table = dict(layer.activation)
        table["weights"] = [[_number(study, cell) for cell in row] for row in layer.weights]
        for i, row in enumerate(layer.weights):
            places.update({cell: ("weights", number, i, j) for j, cell in enumerate(row)})
        shared = len(layer.biases) > 1 and len(set(layer.biases)) == 1
        biases = layer.biases[:1] if shared else layer.biases
        if all(each is not None for each in biases):
            numbers = [_number(study, each) for each in biases if each is not None]
            table["bias"] = numbers[0] if shared else numbers
            places.update({each: ("bias", number, 0, j) for j, each in enumerate(biases) if each is not None})
        tables.append(table)
    document = {
        "loss": loss,
        "convention": convention,
        "data": {named.INPUTS: inputs, named.TARGETS: [[_number(study, cell) for cell in row] for row in targets]},
        "layers": tables,
    }
    return FoundPerceptron(document, places)


def _number(study: Study, cell: s.Cell) -> float:
    return float(study.row(cell)[0])


class _Reading:
    """Reads one loss: its layers from the inputs on, and its targets."""

    def __init__(self, study: Study, sums: WeightedSums) -> None:
        self.study, self.sums = study, sums
        self.inputs: list[list[s.Cell]] = []
        self.ones: set[s.Cell] = set()  # typed signals that stand for the 1 before a bias
        self.unfolded: dict[s.Cell, tuple[s.Scalar, dict[SumKey, s.Cell]]] = {}

    def of_signal(self, cell: s.Cell) -> tuple[s.Scalar, dict[SumKey, s.Cell]]:
        """A signal as an expression of the weighted sums behind it; one that is such a sum itself stays that."""
        if cell not in self.unfolded:
            found: dict[SumKey, s.Cell] = {}
            self.unfolded[cell] = self.sums.unfolded(cell, found), found
        return self.unfolded[cell]

    def layers(self, made: s.Scalar) -> list[FoundLayer] | None:
        levels = self.levels(made)
        if not levels:
            return None
        layers: list[FoundLayer] = []
        for keys in levels:
            layer = self.layer(keys, layers)
            if layer is None:
                return None
            layers.append(layer)
        used = [each for layer in layers for row in layer.weights for each in row]
        return layers if len(used) == len(set(used)) else None

    def levels(self, made: s.Scalar) -> list[list[SumKey]]:
        """The weighted sums of each layer, the last layer's found first."""
        found: dict[SumKey, s.Cell] = {}
        self.sums.unfolded(made, found)
        levels: list[list[SumKey]] = []
        now = list(found)
        while now and sum(len(each) for each in levels) <= MOST_SUMS:
            levels.append(now)
            computed = {each for key in now for each in signals_of(key) if each in self.study.graph.made}
            before = dict.fromkeys(key for each in sorted(computed, key=_place) for key in self.of_signal(each)[1])
            if set(before) & set(now):
                return []
            now = list(before)
        return levels[::-1]

    def layer(self, keys: list[SumKey], before: list[FoundLayer]) -> FoundLayer | None:
        """The units and samples of some weighted sums; the inputs of the first layer are typed."""
        self.ones |= self.before_biases(keys, bool(before))
        samples: dict[frozenset[s.Cell], dict[frozenset[s.Cell], SumKey]] = {}
        for key in keys:
            if any(factor != 1.0 for _, factor in key):
                return None
            signals = frozenset(each for each in signals_of(key) if not self.is_one(each))
            unit = frozenset(parameter for (parameter, _), _ in key if parameter is not None)
            samples.setdefault(signals, {})[unit] = key
        units = list(next(iter(samples.values())))
        if any(set(each) != set(units) for each in samples.values()):
            return None
        units.sort(key=lambda unit: _place(min(unit, key=_place)))
        order = self.samples(list(samples), before)
        if order is None:
            return None
        sums = [[samples[each][unit] for unit in units] for each in order]
        return self.filled(sums, before)

    def is_one(self, signal: s.Cell) -> bool:
        return signal in self.ones

    def before_biases(self, keys: list[SumKey], hidden: bool) -> set[s.Cell]:
        """Typed ones that stand before a bias: all of a hidden layer; of inputs the last, or first, that are all 1."""
        typed = self.study.graph.typed
        if hidden:
            return {each for key in keys for each in signals_of(key) if typed.get(each) == 1.0}
        signals: dict[s.Cell, set[s.Cell]] = {}
        for key in keys:
            for (parameter, signal), _ in key:
                if parameter is not None and signal is not None:
                    signals.setdefault(parameter, set()).add(signal)
        ones: set[s.Cell] = set()
        for key in keys:
            of = {signal: parameter for (parameter, signal), _ in key if parameter is not None}
            if None in of:
                continue
            order = sorted((each for each in of if each is not None), key=_place)
            found = [each for each in order if all(typed.get(one) == 1.0 for one in signals[of[each]])]
            if chosen := [each for each in (*order[-1:], *order[:1]) if each in found] or found[:1]:
                ones |= signals[of[chosen[0]]]
        return ones

    def samples(self, signals: list[frozenset[s.Cell]], before: list[FoundLayer]) -> list[frozenset[s.Cell]] | None:
        """The samples in their order: that of the layer before, or of the sheet."""
        if not before:
            return sorted(signals, key=lambda each: _place(min(each, key=_place, default=s.Cell("", 0, 0))))
        rows = {key: n for n, row in enumerate(before[-1].sums) for key in row}
        places = {
            each: {rows[key] for cell in each for key in self.of_signal(cell)[1] if key in rows} for each in signals
        }
        if any(len(found) != 1 for found in places.values()) or len(signals) != len(before[-1].sums):
            return None
        return sorted(signals, key=lambda each: min(places[each]))

    def filled(self, sums: list[list[SumKey]], before: list[FoundLayer]) -> FoundLayer | None:
        """The layer with its weights in the order of its inputs, and the activation of the layer before."""
        found = [[_of_signals(key, self.is_one) for key in row] for row in sums]
        biases = [bias for _, bias in found[0]]
        if any([bias for _, bias in row] != biases for row in found):
            return None
        terms = [[each for each, _ in row] for row in found]
        if before:
            outputs = [self.outputs_of(before[-1], n, set(row[0])) for n, row in enumerate(terms)]
            order = [each for each in outputs if each is not None]
            if len(order) < len(outputs):
                return None
        else:
            order = self.inputs = [sorted(row[0], key=_place) for row in terms]
        if any(set(each) != set(signals) for row, signals in zip(terms, order, strict=True) for each in row):
            return None
        weights = [[each[signal] for each in terms[0]] for signal in order[0]]
        for row, signals in zip(terms, order, strict=True):
            if [[each[signal] for each in row] for signal in signals] != weights:
                return None
        if len(set(biases)) > 1 and None in biases:
            return None
        return FoundLayer(sums, weights, biases)

    def outputs_of(self, layer: FoundLayer, sample: int, signals: set[s.Cell]) -> list[s.Cell] | None:
        """The signals of one sample in the order of the units that they come from; notes the layer's activation."""
        by_sum: dict[SumKey, s.Cell] = {}
        for cell in signals:
            expression, keys = self.of_signal(cell)
            if len(keys) != 1:
                return None
            ((key, z),) = keys.items()
            activation = activation_of(expression, z)
            if activation is None or (sample and activation != layer.activation):
                return None
            layer.activation = activation
            by_sum[key] = cell
        wanted = layer.sums[sample]
        return [by_sum[key] for key in wanted] if set(by_sum) == set(wanted) else None

    def targets(self, made: s.Scalar, last: FoundLayer) -> list[list[s.Cell]] | None:
        """The target of every output: of all typed cells the one that draws its weighted sum up."""
        found: dict[SumKey, s.Cell] = {}
        expression = self.sums.unfolded(made, found)
        at, typed = self.points(expression, found)
        if not typed:
            return None
        rows = {each: np.full(len(typed) + 1, at[each]) for each in at}
        for k, each in enumerate(typed):
            rows[each][k + 1] += 1.0
        with np.errstate(all="ignore"):
            slope = slopes(expression, rows)
        used: set[s.Cell] = set()
        targets: list[list[s.Cell]] = []
        for row in last.sums:
            targets.append([])
            for key in row:
                own = np.broadcast_to(slope.get(found[key], 0.0), (len(typed) + 1,)) if key in found else np.zeros(1)
                draws = own[1:] - own[0]
                if not len(draws) or not draws.min() < -1e-12:
                    return None
                targets[-1].append(typed[int(np.argmin(draws))])
                used.add(targets[-1][-1])
        return targets if len(used) == len(typed) else None

    def points(self, expression: s.Scalar, sums: Mapping[SumKey, s.Cell]) -> tuple[dict[s.Cell, float], list[s.Cell]]:
        """Numbers for the cells of an unfolded expression: sums by lot, typed cells as they are; and the typed ones."""
        random = np.random.default_rng(5)
        at = {z: float(number) for z, number in zip(sums.values(), random.uniform(0.2, 1.2, len(sums)), strict=True)}
        typed = [each for each in self.study.graph.typed if each in _cells(expression)]
        at.update({each: float(self.study.row(each)[0]) for each in typed})
        return at, [each for each in typed if each in self.study.roles.targets]

    def losses(
        self, made: s.Scalar, last: FoundLayer, targets: list[list[s.Cell]]
    ) -> Iterator[tuple[dict[str, Any], str, str]]:
        """The activation of the last layer, the loss and how it is reduced, where their numbers are the book's."""
        found: dict[SumKey, s.Cell] = {}
        expression = self.sums.unfolded(made, found)
        at, _ = self.points(expression, found)
        with np.errstate(all="ignore"):
            book = float(value(expression, {each: np.float64(number) for each, number in at.items()}))  # type: ignore[misc]
            Z = np.array([[at[found[key]] for key in row] for row in last.sums])
            Y = np.array([[at[cell] for cell in row] for row in targets])
            for name, A in _outputs(Z):
                for loss, own in LOSSES.items():
                    cells = {s.Cell("y", 0, 0): Y, s.Cell("a", 0, 0): A}
                    rule = s.substitute(own.value, {"y": s.Cell("y", 0, 0), "a": s.Cell("a", 0, 0)})
                    each = np.nan_to_num(value(rule, cells))
                    total = own.factor * float(np.sum(each)) / (Z.shape[1] if own.per_output else 1)
                    for shown, divisor in (("sum", 1), ("mean", len(Z))):
                        if abs(total / divisor - book) <= 1e-9 * abs(book):
                            yield {"activation": name}, loss, shown


def _of_signals(key: SumKey, is_one: Callable[[s.Cell], bool]) -> tuple[dict[s.Cell, s.Cell], s.Cell | None]:
    """The parameter that each signal of a sum is multiplied by, and its bias."""
    found: dict[s.Cell, s.Cell] = {}
    bias = None
    for (parameter, signal), _ in key:
        if parameter is not None and signal is not None and not is_one(signal):
            found[signal] = parameter
        else:
            bias = parameter
    return found, bias


def _outputs(Z: PointRow) -> Iterator[tuple[str, PointRow]]:
    powers = np.exp(Z)
    yield SOFTMAX, powers / powers.sum(axis=1, keepdims=True)
    cell = s.Cell(SOFTMAX, 0, 0)
    for name, activation in ACTIVATIONS.items():
        if not callable(activation.value) and s.variables(activation.value) <= {"z"}:
            yield name, np.broadcast_to(value(s.substitute(activation.value, {"z": cell}), {cell: Z}), Z.shape)


def activation_of(expression: s.Scalar, z: s.Cell) -> dict[str, Any] | None:
    """The activation that an expression of one weighted sum is, by its numbers."""
    try:
        with np.errstate(all="ignore"):
            own = np.broadcast_to(value(expression, {z: GRID}), GRID.shape)
            for name, activation in ACTIVATIONS.items():
                if callable(activation.value):
                    continue
                settings = {"alpha": s.Number(float(own[0] / GRID[0]))} if name == "leaky_relu" else {}
                known = value(s.substitute(activation.value, {"z": z, **settings}), {z: GRID})
                if np.allclose(own, known, rtol=1e-9, atol=1e-12):
                    return _named(name, settings)
    except KeyError:
        return None
    return None


def _named(name: str, settings: Mapping[str, s.Number]) -> dict[str, Any]:
    if name == "gelu_erf":
        return {"activation": "gelu", "form": "erf"}
    slope = settings.get("alpha")
    return {"activation": name} if slope is None else {"activation": name, "slope": slope.value}


def _cells(node: s.Scalar) -> set[s.Cell]:
    if isinstance(node, s.Cell):
        return {node}
    return set().union(*map(_cells, s.children(node)))


def _place(cell: s.Cell) -> tuple[str, int, int]:
    return cell.matrix, cell.row, cell.column
