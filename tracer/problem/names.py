"""What every matrix, and every cell of it, is called in each of the four ways of writing a network down.

`matrix` names a matrix by its identifier and a cell by its index. `article` has the words of the
eleven-step article. `hand` (the hand-written pages) and `mazur` name every cell for itself, after the
units it belongs to, and every backward cell is the fraction that it is.

To add a style: one class with the attributes and methods of `_Style`, and its entry in `_STYLES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, TypeAlias

from tracer.expression.label import Label, Name, Ratio, label_text
from tracer.problem.name_parts import Identifier, Network, Place, parse, position, span
from tracer.problem.optimizers import Kept
from tracer.problem.program_names import ProgramNames
from tracer.problem.program_problem import ProgramProblem

NamedPart: TypeAlias = tuple[str, Place]
"""A matrix by its identifier, or a cell of it."""
LOSS: NamedPart = ("L", None)

_UNIT_LETTERS = "ijklmnpqrstuvwxyzabcdefgh"  # no o, which is the output


class _Style(Protocol):
    """One way of writing a network down."""

    rate: ClassVar[Label]
    error: ClassVar[Label]  # what the fractions are derivatives of

    def forward(self, identifier: Identifier, place: Place) -> Label:
        """X, Y, W, b, Z, A, L and the updated W and b."""

    def backward(self, identifier: Identifier, place: Place) -> Label | None:
        """E, S, D, J, dW, db: None where the style calls them by the fraction that they are."""

    def unit(self, layer: int, unit: int) -> Label:
        """A unit itself; layer 0 is the inputs."""


@dataclass(frozen=True, slots=True)
class _Matrix:
    """Z1, and Z1[1,2] for a cell of it."""

    rate: ClassVar[Label] = Label("η")
    error: ClassVar[Label] = Label("L")
    network: Network

    def forward(self, identifier: Identifier, place: Place) -> Label:
        return Label(self._base(identifier), self.network.index(identifier, place))

    def backward(self, identifier: Identifier, place: Place) -> Label | None:
        return self.forward(identifier, place)

    def unit(self, layer: int, unit: int) -> Label:
        if layer in (0, self.network.layers):
            return Label("o" if layer else "x", position(unit))
        return Label("h", f"{layer},{position(unit)}" if self.network.layers > 2 else position(unit))

    def _base(self, identifier: Identifier) -> str:
        return identifier.text


class _Article(_Matrix):
    """The article's words; hidden layers are numbered where there is more than one."""

    __slots__ = ()
    rate: ClassVar[Label] = Label("lr")

    _WORDS: ClassVar[Mapping[str, tuple[str, str]]] = {  # for hidden layer # and for the output layer
        "W": ("wh#", "wout"),
        "b": ("bh#", "bout"),
        "Z": ("hidden_layer#_input", "output_layer_input"),
        "A": ("hiddenlayer#_activations", "output"),
        "S": ("slope_hidden_layer#", "slope_output_layer"),
        "D": ("d_hiddenlayer#", "d_output"),
        "E": ("Error_at_hidden_layer#", "E"),
        "dW": ("d_wh#", "d_wout"),
        "db": ("d_bh#", "d_bout"),
        "W_next": ("wh#_new", "wout_new"),
        "b_next": ("bh#_new", "bout_new"),
    }

    def _base(self, identifier: Identifier) -> str:
        text, kind, layer = identifier
        if kind == "J":
            return f"slope_output_layer_sample{layer}"
        if not layer:
            return "y" if kind == "Y" else text
        hidden, output = self._WORDS[kind]
        number = str(layer) if self.network.layers > 2 else ""
        return output if self.network.is_output(layer) else hidden.replace("#", number)


@dataclass(frozen=True, slots=True)
class _Hand:
    """Units i, j, k, l from input to output; in and out of each layer. Source: pages/hand-01.png ff."""

    rate: ClassVar[Label] = Label("α")
    error: ClassVar[Label] = Label("E")
    network: Network

    def forward(self, identifier: Identifier, place: Place) -> Label:
        _, kind, layer = identifier
        place = self.network.by_rows(place)
        row, column = place or (None, None)
        sample = self.network.sample(place)
        match kind:
            case "X":
                return Label("i", position(self.network.unit(0, column)), sample)
            case "Y":
                return Label("y", position(column), sample)
            case "W" | "W_next":
                ends = self._unit(layer - 1, self.network.unit(layer - 1, row)) + self._unit(layer, column)
                return Label("W", ends, hat=kind == "W_next")
            case "b" | "b_next":
                shared = self.network.shared_bias[layer - 1]
                return Label("b", self._unit(layer, None if shared else column), hat=kind == "b_next")
            case "Z" | "A":
                side = "in" if kind == "Z" else "out"
                column = column if kind == "Z" else self.network.unit(layer, column)
                layer_name = "O" if self.network.is_output(layer) else f"h{layer}"
                return Label(layer_name, side + position(column), sample)
            case _:
                return Label("E", "total")

    def backward(self, identifier: Identifier, place: Place) -> Label | None:
        """None: every backward quantity is the fraction that it is."""
        return None

    def unit(self, layer: int, unit: int) -> Label:
        return Label(self._unit(layer, None), position(unit))

    def _unit(self, layer: int, unit: int | None) -> str:
        turns, letter = divmod(layer, len(_UNIT_LETTERS))
        return _UNIT_LETTERS[letter] * (turns + 1) + position(unit)


@dataclass(frozen=True, slots=True)
class _Mazur:
    """Hidden units h1, h2, … and outputs o1, o2, …; weights numbered by the unit they go into. Source: S4."""

    rate: ClassVar[Label] = Label("η")
    error: ClassVar[Label] = Label("E", "total")
    network: Network

    def forward(self, identifier: Identifier, place: Place) -> Label:
        _, kind, layer = identifier
        place = self.network.by_rows(place)
        column = place[1] if place else None
        sample = self.network.sample(place)
        match kind:
            case "X":
                return Label("i", position(column), sample)
            case "Y":
                return Label("target", self._unit(self.network.layers, column), sample)
            case "W" | "W_next":
                return Label("w", self._weight(layer, place), "+" if kind == "W_next" else "")
            case "b" | "b_next":
                return Label("b", self._bias(layer, column), "+" if kind == "b_next" else "")
            case "Z" | "A":
                return Label("net" if kind == "Z" else "out", self._unit(layer, column), sample)
            case _:
                return self.error

    def backward(self, identifier: Identifier, place: Place) -> Label | None:
        return None

    def unit(self, layer: int, unit: int) -> Label:
        return Label(self._unit(layer, unit) if layer else f"i{position(unit)}")

    def _unit(self, layer: int, unit: int | None) -> str:
        if self.network.is_output(layer):
            return "o" + position(unit)
        before = sum(self.network.sizes[1:layer])
        if unit is None:
            return "h" + (span(before, self.network.sizes[layer]) if self.network.layers > 2 else "")
        return "h" + position(before + unit)

    def _weight(self, layer: int, place: Place) -> str:
        sizes = self.network.sizes
        before = sum(sizes[other - 1] * sizes[other] for other in range(1, layer))
        if place is None:
            return span(before, sizes[layer - 1] * sizes[layer])
        row, column = place
        return position(before + column * sizes[layer - 1] + row)

    def _bias(self, layer: int, unit: int | None) -> str:
        before = sum(self.network.bias_width(other) for other in range(1, layer))
        if unit is None:
            return span(before, self.network.bias_width(layer))
        return position(before + (0 if self.network.shared_bias[layer - 1] else unit))


_STYLES: Mapping[str, Callable[[Network], _Style]] = {
    "matrix": _Matrix,
    "article": _Article,
    "hand": _Hand,
    "mazur": _Mazur,
}


class Names(Protocol):
    """What matrices and their cells are called, by identifier; rows and columns count from 0."""

    def matrix(self, identifier: str) -> Name:
        """What the whole matrix is called."""

    def cell(self, identifier: str, row: int, column: int) -> Name:
        """What one cell is called."""

    def derivative(self, identifier: str, place: Place = None) -> tuple[NamedPart, NamedPart] | None:
        """What a backward matrix, or one cell of it, is the derivative of, and by what; None for forward ones."""

    def fraction(self, identifier: str, place: Place = None) -> Ratio | None:
        """The derivative that a backward matrix, or one cell of it, is; None for forward ones."""

    def learning_rate(self) -> Label:
        """What the learning rate is called."""


class NetworkNames:
    """The names of one network's matrices and cells, by identifier (`Z1`, `W1_next`, `J1`, …).

    `sizes` are the inputs and then the units of each layer; `shared_bias` and `has_bias` have one entry for
    each layer. `own` holds the user's names of single matrices by identifier, which win over the style's.
    `sign` is −1 where the backward quantities are −∂L/∂…, `rate_in_delta` says that they carry the learning
    rate (`rate_in_change`: dW and db alone do, and are negative), `fused` that E is taken at Z of the output
    layer, `leading` how many cells stand before the units' in what a layer takes in, `turned` that a sample
    stands in each column. Unknown identifiers and styles raise KeyError.
    """

    def __init__(
        self,
        style: str,
        sizes: tuple[int, ...],
        rows: int,
        shared_bias: tuple[bool, ...],
        has_bias: tuple[bool, ...],
        sign: float,
        own: Mapping[str, str] | None = None,
        rate_in_delta: bool = False,
        fused: bool = False,
        rate_in_change: bool = False,
        leading: int = 0,
        turned: bool = False,
        added: Mapping[str, Kept | None] | None = None,
    ) -> None:
        self._network = Network(sizes, rows, shared_bias, has_bias, leading, turned)
        self._style = _STYLES[style](self._network)
        self._own = dict(own or {})
        self._added = dict(added or {})
        self._negative = sign < 0
        self._rate_in_delta = rate_in_delta
        self._fused = fused
        self._rate_in_change = rate_in_change

    def matrix(self, identifier: str) -> Name:
        """What the whole matrix is called."""
        return self._name(identifier, None)

    def cell(self, identifier: str, row: int, column: int) -> Name:
        """What one cell is called; row and column count from 0 here and from 1 in the name."""
        return self._name(identifier, (row, column))

    def derivative(self, identifier: str, place: Place = None) -> tuple[NamedPart, NamedPart] | None:
        """What a backward matrix, or one cell of it, is the derivative of, and by what; None for forward ones.

        The loss is ("L", None). The whole of a Jacobian is of and by the matrices that hold its sample.
        """
        if identifier in self._added:
            return None
        _, kind, layer = parse(identifier)
        output = self._network.layers
        match kind:
            case "E" if not layer:
                return LOSS, (f"Z{output}" if self._fused else f"A{output}", place)
            case "E":
                return LOSS, (f"A{layer}", self._network.given_on(layer, place))
            case "D":
                return LOSS, (f"Z{layer}", place)
            case "dW" | "db":
                return LOSS, (identifier[1:], place)
            case "S":
                return (f"A{layer}", self._network.given_on(layer, place)), (f"Z{layer}", place)
            case "J":  # row r, column c: how output r of that sample changes with sum c, as D = E·J has it
                of, by = (self._network.by_rows((layer - 1, each)) for each in place) if place else (None, None)
                return (f"A{output}", of), (f"Z{output}", by)
            case _:
                return None

    def unit(self, layer: int, unit: int) -> Label:
        """What a unit itself is called; layer 0 is the inputs, units count from 0."""
        return self._style.unit(layer, unit)

    def fraction(self, identifier: str, place: Place = None) -> Ratio | None:
        """The derivative that a backward matrix, or one cell of it, is; None for forward ones."""
        parts = self.derivative(identifier, place)
        if parts is None:
            return None
        top, bottom = parts
        if top == LOSS:
            return self._gradient(*bottom, carries_rate=identifier != "E", of_parameter=bottom[0][0] in "Wb")
        ratio = Ratio(self._label(*top), self._label(*bottom))
        if place is None and identifier[0] == "J":
            mark = self._network.sample((parse(identifier).layer - 1, 0))
            return Ratio(replace(ratio.top, sup=mark), replace(ratio.bottom, sup=mark))
        return ratio

    def clash(self, identifiers: Iterable[str]) -> tuple[str, str] | None:
        """The first of the user's own names that another of these matrices has already, and which one that is."""
        taken = [(text, each) for each in identifiers for text in (each, label_text(self.matrix(each)))]
        taken.append((label_text(self.learning_rate()), "the learning rate"))
        clashes = (
            (identifier, other)
            for identifier, own in self._own.items()
            for text, other in taken
            if own.strip() == text and other != identifier
        )
        return next(clashes, None)

    def learning_rate(self) -> Label:
        return self._label("learning_rate", None)

    def _name(self, identifier: str, place: Place) -> Name:
        if identifier in self._own or self.derivative(identifier) is None:
            return self._label(identifier, place)
        named = self._style.backward(parse(identifier), place) or self.fraction(identifier, place)
        assert named is not None  # a derivative is a fraction
        return named

    def _label(self, identifier: str, place: Place) -> Label:
        if identifier in self._added:
            return self._label_of_kept(identifier, place)
        parsed = parse(identifier)
        if identifier in self._own:
            return Label(self._own[identifier], self._network.index(parsed, place))
        if parsed.kind == "learning_rate":
            return self._style.rate
        return self._style.forward(parsed, place)

    def _label_of_kept(self, identifier: str, place: Place) -> Label:
        """What an optimizer's matrix is called: as what it is kept of, with its kind behind it."""
        kept = self._added[identifier]
        if kept is None:
            return Label(self._own.get(identifier, identifier))
        if identifier in self._own:
            return Label(self._own[identifier], self._network.index(parse(kept.of), place))
        of, beside = (self._alone(each, place) for each in (kept.of, kept.beside))
        return replace(beside, base=f"{of.base}_{kept.kind}{beside.base.removeprefix(of.base)}")

    def _alone(self, identifier: str, place: Place) -> Label:
        """A name in one word, of a gradient too that is called by the fraction that it is."""
        name = self._name(identifier, place)
        if isinstance(name, Label):
            return name
        return replace(name.bottom, base=f"d{name.bottom.base}")

    def _gradient(self, of: str, place: Place, carries_rate: bool, of_parameter: bool) -> Ratio:
        error = self._label("L", None) if "L" in self._own else self._style.error
        change = of_parameter and self._rate_in_change
        rate = self.learning_rate() if change or (carries_rate and self._rate_in_delta) else None
        return Ratio(error, self._label(of, place), change or self._negative, rate)


def network_names(problem: Any) -> NetworkNames:
    """The names of a network; its class stands above this, since it asks whether any of them clash."""
    convention = problem.convention
    return NetworkNames(
        style=problem.names.style,
        sizes=tuple(problem.sizes),
        rows=problem.rows,
        shared_bias=tuple(layer.shared_bias for layer in problem.layers),
        has_bias=tuple(layer.bias is not None for layer in problem.layers),
        sign=convention.sign,
        own=problem.names.own,
        rate_in_delta=convention.learning_rate_in == "delta" or problem.reproduce.rate_twice,
        fused=problem.fused,
        rate_in_change=convention.learning_rate_in == "change",
        leading=convention.leading,
        turned=convention.turned,
        added=problem.optimizer.added(problem.trained),
    )


def names_of(problem: Any) -> Names:
    """The names that a problem asks for, a network or a program."""
    return ProgramNames(problem) if isinstance(problem, ProgramProblem) else network_names(problem)
