"""A forward pass from its formulas: each read over the matrices before it, every mistake with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tracer.expression import matrix as m
from tracer.formulas.forward import Forward, ForwardStep
from tracer.formulas.functions import WORDS
from tracer.formulas.meaning import Reader, near
from tracer.formulas.parsing import FormulaError, parsed
from tracer.program import naming_policy as named
from tracer.program.roles import Assignment, BlockIndex

MOST_ASSIGNMENTS = 10_000
MOST_SHOWN = 160  # characters of a formula in a message


class FormulaFault(NamedTuple):
    """What is wrong, and where in the file."""

    place: str
    says: str


@dataclass(frozen=True)
class Written:
    """A step as it was written, with the values of `each` put in: formulas with their places in the file."""

    title: str
    words: str
    why: str
    formulas: tuple[tuple[str, str], ...]
    block: BlockIndex = ()


@dataclass
class _Pass:
    """What is known so far. `unread` are the matrices whose formula could not be read; no more is said of them."""

    shapes: dict[str, m.Shape]
    faults: list[FormulaFault] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    formulas: dict[str, str] = field(default_factory=dict)
    parts: set[str] = field(default_factory=set)
    places: dict[str, str] = field(default_factory=dict)
    made: dict[m.Matrix, str] = field(default_factory=dict)

    def read(self, place: str, text: str) -> list[tuple[str, m.Matrix]]:
        """The matrices that a formula makes, its parts before the whole."""
        made: list[tuple[str, m.Matrix]] = []
        text = text.strip()
        try:
            formula = parsed(text)
            self._check_name(formula.name)

            def part(expression: m.Matrix, held: bool) -> m.Symbol:
                """What is there already is not made once more; of another formula only where no gradient goes."""
                known = next((name for name, other in made if other == expression), None)
                known = self.made.get(expression) if held and known is None else known
                if known is not None:
                    return m.Symbol(known, expression.shape)
                name = self._free(f"{formula.name}_part", len(made) + 1)
                made.append((name, expression))
                return m.Symbol(name, expression.shape)

            whole = Reader(formula, self.shapes, part).read()
        except FormulaError as wrong:
            self._fault(place, text, wrong)
            return []
        except RecursionError:
            self._fault(place, text, FormulaError("nests too deep"))
            return []
        self.parts |= {name for name, _ in made}
        made.append((formula.name, whole))
        for name, expression in made:
            self.shapes[name] = expression.shape
            self.formulas[name] = text
            self.places[name] = place
            self.made.setdefault(expression, name)
        return made

    def _check_name(self, name: str) -> None:
        if name in WORDS:
            raise FormulaError(f"found {name!r} as a name; it is a function")
        if name in self.shapes or name in self.unread:
            raise FormulaError(f"{name} is there already; every matrix is assigned once")

    def _free(self, start: str, number: int) -> str:
        while f"{start}{number}" in self.shapes:
            number += 1
        return f"{start}{number}"

    def _fault(self, place: str, text: str, wrong: FormulaError) -> None:
        name = text.partition("=")[0].strip()
        follows = any(repr(each) in wrong.says for each in self.unread)
        self.unread.add(name)
        if not follows:
            self.faults.append(FormulaFault(place, f"{wrong.says}\n{_pointed(text, wrong.column)}"))


def _pointed(text: str, column: int) -> str:
    """The line of the formula that is meant, with a caret below."""
    before, line = 0, ""
    for line in text.split("\n"):
        if column <= before + len(line):
            break
        before += len(line) + 1
    column -= before
    start = max(0, column - MOST_SHOWN // 2) if len(line) > MOST_SHOWN else 0
    shown = ("…" if start else "") + line[start : start + MOST_SHOWN]
    return f"    {shown}\n    {' ' * (column - start + bool(start))}^"


def forward_of(
    written: Iterable[Written],
    given: Mapping[str, m.Shape],
    parameters: Mapping[str, m.Shape],
    loss: str | None,
    with_respect_to: Sequence[str],
) -> tuple[Forward, list[FormulaFault]]:
    """The forward pass, and what is wrong with it; it may be used only where nothing is."""
    one = _Pass({**given, **parameters})
    steps: list[ForwardStep] = []
    for section, names in (("given", given), ("parameters", parameters)):
        words = [each for each in names if each in WORDS]
        one.faults += [FormulaFault(section, f"found {each!r} as a name; it is a function") for each in words]
    for step in written:
        made = [pair for place, text in step.formulas for pair in one.read(place, text)]
        steps.append(ForwardStep(step.title, step.words, step.why, tuple(made), step.block))
        if len(one.formulas) > MOST_ASSIGNMENTS:
            says = f"found more than {MOST_ASSIGNMENTS:,} matrices to be computed, expected at most so many"
            return Forward((), given, parameters, ""), [FormulaFault("steps", says)]
    last = next((step.assignments[-1][0] for step in reversed(steps) if step.assignments), "")
    forward = Forward(
        tuple(steps), given, parameters, loss or last, tuple(dict.fromkeys(with_respect_to)), one.formulas,
        frozenset(one.parts), one.places,
    )  # fmt: skip
    if not one.faults:
        one.faults += _unfit(forward, one, loss is not None)
    return forward, one.faults


def _unfit(forward: Forward, one: _Pass, named_loss: bool) -> Iterator[FormulaFault]:
    """What does not fit once every formula is read."""
    assigned = {name: shape for name, shape in one.shapes.items() if name in one.formulas}
    if forward.loss not in assigned:
        yield FormulaFault(
            "loss",
            f"found {forward.loss[:40]!r}, expected a matrix that a formula assigns{near(forward.loss, assigned)}",
        )
    elif assigned[forward.loss] != (1, 1):
        rows, columns = assigned[forward.loss]
        place = "loss" if named_loss else one.places[forward.loss]
        yield FormulaFault(
            place, f"the loss {forward.loss} is {rows}×{columns}, expected 1×1, as sum(…) or a loss function makes it"
        )
    for k, each in enumerate(forward.with_respect_to):
        if each not in forward.given:
            yield FormulaFault(
                f"with_respect_to[{k}]",
                f"found {each[:40]!r}, expected a matrix under [given]{near(each, forward.given)}",
            )


def clashes(forward: Forward, derived: Iterable[Assignment]) -> Iterator[FormulaFault]:
    """Names of the file that a matrix of the way back, or of the update, has too."""
    own = {**forward.given, **forward.parameters, **forward.formulas}
    for each in derived:
        if each.id in own:
            yield _clash(forward, each.id, f"{each.id} is {_what(each)} here; call it something else")
    if named.RATE in own:
        yield _clash(forward, named.RATE, f"{named.RATE} is the learning rate's own name; call it something else")


def _clash(forward: Forward, name: str, says: str) -> FormulaFault:
    if name not in forward.formulas:
        return FormulaFault("given" if name in forward.given else "parameters", says)
    return FormulaFault(forward.places[name], f"{says}\n{_pointed(forward.formulas[name], 0)}")


def _what(each: Assignment) -> str:
    if each.role == "gradient":
        return f"the gradient of {each.of}"
    return f"the new value of {each.of}" if each.role == "updated" else "made from the others"
