"""What learners call the matrices: identifiers, the four ways of writing, and the usual names of the field.

Names are compared without case, spaces, underscores, hyphens and raised or lowered letters. What a derivative is
called (dL/dW1, grad_W1, ∂E/∂net_h1) is read off the name of what it is the derivative by; a new parameter off the old.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import product
from typing import get_args

from tracer.answers.names_read import FIELD, OWN, NameReading, NamesRead, plain
from tracer.expression.label import label_text
from tracer.problem.convention import NameStyle
from tracer.problem.names import NetworkNames, network_names
from tracer.problem.problem import Problem
from tracer.program.naming_policy import RATE

MOST_NAMED_CELLS = 5_000  # of a network whose single cells have names
STYLES: tuple[NameStyle, ...] = get_args(NameStyle)


_ERRORS = "l|e|etotal|loss|cost|c|j|error|mse|sse|bce|ce"
_BY = re.compile(rf"d(?:{_ERRORS})/?d(.+)|grad(?:ient)?(?:of)?(.+)|(.+?)grad(?:ient)?|d(.+)")
_SLOPE = re.compile(r"d(.+?)/d(.+)|(?:sigma|sigmoid|f|g|phi|tanh|relu)'\((.+)\)")
_NEW = re.compile(r"(.+?)(?:new|next|updated|after|afterupdate|'|\+|\*)")
_DERIVED = {"W": "dW", "b": "db", "Z": "D", "A": "E"}


class Aliases(NamesRead):
    """The names of one problem's matrices, with the shapes of those that it or another convention of it has."""

    def __init__(self, problem: Problem, shapes: Mapping[str, tuple[int, int]]) -> None:
        super().__init__(shapes)
        self.problem = problem
        depth, outputs = problem.depth, problem.sizes[-1]
        self.shapes.setdefault(f"S{depth}", self.shapes[f"A{depth}"])  # of a convention with another output slope
        if problem.layers[-1].activation == "softmax":
            for sample in range(self.shapes["X"][1 if problem.convention.turned else 0]):
                self.shapes.setdefault(f"J{sample + 1}", (outputs, outputs))

    def wider(self, identifier: str) -> tuple[int, int] | None:
        """The shape with the bias as a row more, or of an activation with a leading 1 as a column more."""
        rows, columns = self.shapes[identifier]
        if identifier.lstrip("d")[0] == "W":
            layer = identifier.removesuffix("_next").lstrip("dW")
            return (rows + 1, columns) if f"b{layer}" in self.shapes else None
        return (rows, columns + 1) if identifier[0] in "AX" else None

    def noise(self, identifier: str) -> set[str]:
        return _NOISE_OF.get(re.sub("[0-9]", "", identifier), set())

    # Plain names

    def named(self, name: str) -> list[NameReading]:
        known, new = self._known(name), _NEW.fullmatch(name)
        if new is not None:
            known += self.updated(self._known(new[1]))
        return known if any(each.place is None for each in known) else [*known, *self._derivative(name)]

    def _derivative(self, name: str) -> Iterator[NameReading]:
        by = _BY.fullmatch(name)
        if by is not None:
            for below in self._known(next(filter(None, by.groups()))):
                yield from self._through(below, _DERIVED)
        slope = _SLOPE.fullmatch(name)
        if slope is not None:
            top = self._known(slope[1]) if slope[1] else None
            for below in self._known(slope[2] or slope[3]):
                if below.identifier[0] == "Z" and (top is None or any(_above(each, below) for each in top)):
                    yield from self._through(below, {"Z": "S"})

    def updated(self, readings: Iterable[NameReading]) -> list[NameReading]:
        new = (each._replace(identifier=f"{each.identifier}_next") for each in readings)
        return [each for each in new if each.identifier in self.shapes]

    def _known(self, name: str) -> list[NameReading]:
        return [*self._names.get(name, ()), *self._cells.get(name, ())]

    def _through(self, below: NameReading, derived: Mapping[str, str]) -> Iterator[NameReading]:
        kind, layer = below.identifier[0], below.identifier[1:]
        identifier = f"{derived.get(kind)}{layer}"
        if identifier == f"E{self.problem.depth}":
            identifier = "E"
        if kind in derived and identifier in self.shapes:
            yield below._replace(identifier=identifier)

    @cached_property
    def _names(self) -> Mapping[str, list[NameReading]]:
        """Whole matrices by their plain names."""
        found: dict[str, dict[str, NameReading]] = {}

        def add(name: str, identifier: str, rank: int) -> None:
            if identifier in self.shapes:
                found.setdefault(name, {}).setdefault(identifier, NameReading(rank, identifier))

        for identifier in self.shapes:
            add(plain(identifier), identifier, OWN)
        for style, names in sorted(self._styles.items(), key=lambda pair: pair[0] != self.problem.names.style):
            for identifier in self.shapes:
                if identifier != RATE:
                    own = style == self.problem.names.style
                    add(plain(label_text(names.matrix(identifier))), identifier, OWN if own else FIELD)
        for name, identifier in _usual(self.problem.depth):
            add(name, identifier, FIELD)
        return {name: list(readings.values()) for name, readings in found.items()}

    @cached_property
    def _cells(self) -> Mapping[str, list[NameReading]]:
        """Single cells by their plain names, in the styles that have them."""
        found: dict[str, list[NameReading]] = {}
        forward = [each for each in self.shapes if each[0] in "XYWbZA"]
        if sum(rows * columns for rows, columns in map(self.shapes.__getitem__, forward)) > MOST_NAMED_CELLS:
            return found
        for style, names in self._styles.items():
            if style in ("hand", "mazur"):
                rank = OWN if style == self.problem.names.style else FIELD
                for identifier in forward:
                    rows, columns = self.shapes[identifier]
                    for place in product(range(rows), range(columns)):
                        name = plain(label_text(names.cell(identifier, *place)))
                        found.setdefault(name, []).append(NameReading(rank, identifier, place))
        return found

    @cached_property
    def _styles(self) -> Mapping[str, NetworkNames]:
        own, leading = self.problem.names, self.problem.convention.leading
        return {
            style: network_names(
                self.problem if style == own.style else replace(self.problem, names=replace(own, style=style, own={}))
            )
            for style in STYLES
            if not (style == "mazur" and leading)  # which numbers the biases apart
        }


def _above(top: NameReading, below: NameReading) -> bool:
    return top.identifier == f"A{below.identifier[1:]}" and top.place == below.place


# The usual names of the field; # is the number of a hidden layer, left out where there is one alone

_NOISE_OF = {
    "W": {"weights", "weight"}, "W_next": {"weights"}, "b": {"bias", "biases"}, "A": {"activation", "activations"},
    "D": {"delta"}, "dW": {"gradient"}, "db": {"gradient"}, "S": {"slope"}, "E": {"error"}, "L": {"loss"},
    "X": {"inputs", "input"}, "Y": {"targets", "target"},
}  # fmt: skip
_ONCE = {
    "X": "input inputs features a0",
    "Y": "t target targets ytrue labels expectedoutput desiredoutput",
    "L": "loss cost totalerror etotal etot errortotal totalloss errortot toterror error",
    "E": "error err erroroutput erroratoutput erroratoutputlayer outputerror outputlayererror",
    RATE: "learningrate lr rate eta alpha",
}
_HIDDEN = {
    "W": "wh# whidden# hiddenweights# weightshidden# hiddenlayer#weights",
    "b": "bh# bhidden# hiddenbias# biashidden# hiddenlayer#bias",
    "Z": "zh# zhidden# hidden#input hiddeninput# hiddenlayer#input hiddenlayerinput# hiddenlayer#inputs",
    "A": "ah# ahidden# hidden#output hiddenoutput# hiddenlayer#output hiddenlayeroutput# hiddenactivation# "
    "hiddenactivations# hiddenlayer#activation hiddenlayer#activations hiddenlayeractivation# hiddenlayeractivations#",
    "S": "slopeh# slopehidden# slopehiddenlayer# hiddenslope# hiddenlayer#slope",
    "D": "dhidden# dhiddenlayer# deltah# deltahidden# deltahiddenlayer# hiddendelta# hiddenlayer#delta",
    "E": "errorh# errorhidden# errorhiddenlayer# errorathidden# errorathiddenlayer# hiddenerror# hiddenlayer#error",
}
_OUTPUT = {
    "W": "wo wout woutput outputweights weightsoutput outputlayerweights",
    "b": "bo bout boutput outputbias biasoutput outputlayerbias",
    "Z": "zo zout zoutput outputinput outputlayerinput outputlayerinputs",
    "A": "ao aout aoutput out output outputs yhat haty ypred prediction predictions outputactivation "
    "outputactivations outputlayeractivation outputlayeractivations outputlayeroutput",
    "S": "slopeo slopeout slopeoutput slopeoutputlayer outputslope outputlayerslope",
    "D": "doutput doutputlayer deltao deltaout deltaoutput deltaoutputlayer outputdelta outputlayerdelta",
}
_NUMBERED_WORDS = {
    "W": "weights# weight#", "b": "bias# biases#", "S": "slope#", "D": "delta#", "E": "error# erroratlayer#",
}  # fmt: skip


def _usual(depth: int) -> Iterator[tuple[str, str]]:
    """Plain names and the identifiers that they mean in a network of so many layers."""
    for identifier, words in _ONCE.items():
        yield from ((word, identifier) for word in words.split())
    for kind, words in _OUTPUT.items():
        yield from ((word, f"{kind}{depth}") for word in words.split())
    for layer in range(1, depth + 1):
        for kind, words in _NUMBERED_WORDS.items():
            identifier = "E" if (kind, layer) == ("E", depth) else f"{kind}{layer}"
            yield from ((word.replace("#", str(layer)), identifier) for word in words.split())
        for kind, words in _HIDDEN.items() if layer < depth else ():
            for number in (str(layer), "")[: 2 if depth == 2 else 1]:
                yield from ((word.replace("#", number), f"{kind}{layer}") for word in words.split())
