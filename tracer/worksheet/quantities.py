"""What the marks of a practice workbook are worked out from, as formulas: DESIGN.md's table in a spreadsheet's words.

Each cell to fill in has one formula for each of QUANTITIES, on a hidden sheet; the key is worked out there too, from
what is given, so that the file holds no answer. `judging/` says the same of answers that are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, get_args

from tracer.calculus.moved_cell import moved_cell
from tracer.errors import ExportError
from tracer.expression import scalar as s
from tracer.expression.formula import literal, to_formula
from tracer.expression.lower import lower, precedents
from tracer.expression.rounding_error import rounding_error, step_values
from tracer.judging.numbers import (
    DIGIT_FEWER,
    FARTHEST,
    LEAST_CUT,
    LEAST_SHARE_CUT,
    MARGIN,
    MOST_SHARE,
    MOST_UNITS,
    ROUNDING,
    SLACK,
)
from tracer.program.program import Program
from tracer.spreadsheet.sheet_data import MOST_FORMULA

QuantityName: TypeAlias = Literal[
    "answer", "key", "unit", "own", "cuts", "value", "reach", "half", "mended", "mended half", "mended value",
    "mended reach", "follows", "mended follows", "behind before", "wrong before", "coarse before", "carried before",
    "verdict", "behind", "wrong", "coarse", "carried",
]  # fmt: skip
QUANTITIES: tuple[QuantityName, ...] = get_args(QuantityName)
BEFORE: Mapping[QuantityName, QuantityName] = {
    "behind": "behind before", "wrong": "wrong before", "coarse": "coarse before", "carried": "carried before",
}  # fmt: skip
"""What a cell tells those that are made of it, and what it is told."""
BLANK, RIGHT, FOLLOWS, AGAIN, COARSE, COARSE_ON, WAITS, UNTOLD = map(str, range(8))
"""The verdicts; COARSE is right at its own digits, COARSE_ON passes on what stands behind it."""
MOST_DECIMALS = 12  # that are told apart
MOST_ARGUMENTS = 250
ENDLESS = "1E+300"  # a value or a bound that float64 has no number for
HALF = literal(0.5 + SLACK)


class Places(Protocol):
    """Where things stand, as addresses for formulas on the hidden sheet."""

    def written(self, cell: s.Cell) -> str:
        """A cell of the worksheet itself, printed or to fill in."""

    def quantity(self, quantity: QuantityName, cell: s.Cell) -> str:
        """A quantity of a cell to fill in."""

    def whole(self, quantity: QuantityName, identifier: str) -> str:
        """The range of a quantity of all cells of a matrix."""

    @property
    def part(self) -> str:
        """What part of its last place a number may be off (`part_formula`)."""


@dataclass(frozen=True)
class PlacesWritten:
    """Where the cells of a rule stand; `of` gives a cell's address."""

    of: Callable[[s.Cell], str]

    def cell(self, cell: s.Cell) -> str:
        return self.of(cell)

    def block(self, block: s.Block) -> str:
        first, last = (self.of(block.at(*place)) for place in ((0, 0), (block.shape[0] - 1, block.shape[1] - 1)))
        return f"{first}:{last.rpartition('!')[2]}"


def part_formula(cuts: str) -> str:
    """A half; 1 where, by the quantity "cuts" of all cells, the learner cuts off (by_key.cuts_off)."""
    cut = f"COUNTIF({cuts},1)"
    return f"IF(AND(SUM({cuts})>0,{cut}>={LEAST_CUT},{cut}>={LEAST_SHARE_CUT}*COUNT({cuts})),1,0.5)"


class Quantities:
    """The formulas of every cell to fill in.

    `blank` are the matrices to fill in, `asked` the decimals that they are asked for, `halves` what a printed
    number may be off as it is shown.
    """

    def __init__(
        self,
        program: Program,
        blank: frozenset[str],
        places: Places,
        asked: Mapping[str, int],
        halves: Mapping[str, float],
    ) -> None:
        self.program, self.blank, self.places = program, blank, places
        self.asked, self.halves = asked, halves

    def of(self, identifier: str, row: int, column: int) -> dict[QuantityName, str]:
        """The formulas of a cell. Raises ExportError where one is too long for a cell."""
        formulas = _Formulas(self, s.Cell(identifier, row, column)).all()
        for quantity, formula in formulas.items():
            if len(formula) > MOST_FORMULA:
                place = f"{identifier}[{row + 1},{column + 1}]"
                raise ExportError(
                    f"the mark of {place} takes a formula too long for a cell ({quantity}); --mode exam has no marks"
                )
        return formulas


class _Formulas:
    """Those of one cell."""

    def __init__(self, sheet: Quantities, cell: s.Cell) -> None:
        self.sheet, self.cell, self.places = sheet, cell, sheet.places
        made = sheet.program.assignments[cell.matrix]
        assert made.expression is not None  # only computed matrices are marked
        self.counts = made.kind == "count"  # which nobody rounds
        self.rule = lower(made.expression, cell.row, cell.column)
        self.updated = s.Cell(made.of, cell.row, cell.column) if made.role == "updated" and made.of else None
        self.before = [each for each in precedents(self.rule) if each.matrix in sheet.blank]
        self.x = self._q("answer")

    def all(self) -> dict[QuantityName, str]:
        unit, own, part = self._q("unit"), self._q("own"), self.places.part
        off = f"ABS({self.x}-{self._q('key')})"
        finest = f"MIN({self.places.whole('own', self.cell.matrix)})"
        coarser = f"({off}>{literal(ROUNDING)}*ABS({self.x}))*{finest}*{part}"  # where the key has more digits
        distance = f"MIN({off},{literal(2 * FARTHEST)}*{part}*{unit}),{coarser}"
        is_right, is_wrong = f"{self._q('verdict')}={RIGHT}", f"{self._q('verdict')}={AGAIN}"
        verdict = self._q("verdict")
        written = self.places.written(self.cell)
        return {
            "answer": f'IF({written}="","",{written})',
            "key": self._by_rule("key"),
            "unit": f"MAX({literal(10.0 ** -self.sheet.asked[self.cell.matrix])},1E-12*ABS({self._q('key')}))",
            "own": f"IFERROR(10^-({'+'.join(f'({self.x}<>ROUND({self.x},{k}))' for k in range(MOST_DECIMALS))}),0)",
            "cuts": self._cuts(),
            "value": self._by_rule("answer"),
            "reach": self._reach("half"),
            "half": "0" if self.counts else f"IF({is_right},MAX({unit}*{part},{distance}),MAX({unit},{own})*{part})",
            "mended": f"IF({is_wrong},{self._q('mended value')},{self.x})",
            "mended half": f"IF({is_wrong},{self._q('mended reach')}/{1 + MARGIN}+{self._scratch()},{self._q('half')})",
            "mended value": self._by_rule("mended"),
            "mended reach": self._reach("mended half"),
            "follows": self._follows("value", "reach", "2"),
            "mended follows": self._follows("mended value", "mended reach", self._untold()),
            **{told: self._before(flag) for flag, told in BEFORE.items()},
            "verdict": self._verdict(),
            **{flag: self._flag(flag, verdict) for flag in BEFORE},
        }

    def _q(self, quantity: QuantityName) -> str:
        return self.places.quantity(quantity, self.cell)

    # The right rule

    def _by_rule(self, reading: QuantityName) -> str:
        """The right rule on the keys of the cells before, on what was written there, or on that put right."""
        return f"IFERROR({to_formula(self.rule, PlacesWritten(lambda cell: self._read(reading, cell)))},{ENDLESS})"

    def _read(self, reading: QuantityName, cell: s.Cell) -> str:
        """A cell before: a printed one as it stands on the worksheet."""
        return self.places.quantity(reading, cell) if cell.matrix in self.sheet.blank else self.places.written(cell)

    def _reach(self, half: QuantityName) -> str:
        """How far the right rule's value can move, when each cell before is off by its half."""
        marked = f"{half} of "

        def off(cell: s.Cell) -> s.Scalar | None:
            if cell.matrix in self.sheet.blank:
                return s.Cell(marked + cell.matrix, cell.row, cell.column)
            printed = self.sheet.halves[cell.matrix]
            return s.Number(printed) if printed else None

        def of(cell: s.Cell) -> str:
            if cell.matrix.startswith(marked):
                return self.places.quantity(half, s.Cell(cell.matrix.removeprefix(marked), cell.row, cell.column))
            return self._read("answer" if half == "half" else "mended", cell)

        for bound in (moved_cell, rounding_error):
            found = bound(self.rule, off)
            formula = (
                "0" if found is None else f"IFERROR(({to_formula(found, PlacesWritten(of))})*{1 + MARGIN},{ENDLESS})"
            )
            if len(formula) <= MOST_FORMULA:
                break
        return formula

    def _scratch(self) -> str:
        """What a cell that was put right may be off, as on scratch paper; what jumps is exact."""
        return "0" if self._ends() or self.counts else self._q("unit")

    # What a number stands for

    def _slack(self, unit: str) -> str:
        return f"({HALF}*{unit}+{literal(ROUNDING)}*ABS({self.x}))"

    def _near(self, other: str, off: str) -> str:
        return f"ABS({self.x}-{other})<={off}"

    def _lies(self, low: str, high: str, unit: str) -> str:
        return f"AND({self.x}>={low}-{self._slack(unit)},{self.x}<={high}+{self._slack(unit)})"

    def _is_cut(self, unit: str, low: str, high: str) -> str:
        x, slack = self.x, f"{literal(SLACK)}*{unit}"
        return (
            f"AND(ABS({x}-ROUND({x}/{unit},0)*{unit})<=0.000001*{unit},"
            f"OR({x}<>0,{low}<>{high},ABS({low})<>{unit}),"
            f"{high}>={x}-IF({x}<=0,{unit},0)-{slack},{low}<={x}+IF({x}>=0,{unit},0)+{slack})"
        )

    def _stands(self, unit: str, low: str, high: str) -> str:
        """Rounded to the unit from a value between two, or cut off there."""
        return f"OR({self._lies(low, high, unit)},{self._is_cut(unit, low, high)})"

    def _cuts(self) -> str:
        """1: the key cut off at the number's own last place, −1: rounded, 0: both or neither; of a 0 there is none."""
        own, key = self._q("own"), self._q("key")
        cut, rounded = self._is_cut(own, key, key), self._lies(key, key, own)
        return f'IFERROR(IF({self.x}=0,"",IF({cut},1,0)-IF({rounded},1,0)),"")'

    def _ends(self) -> tuple[float, float] | None:
        """The two values of a step function, None for any other rule."""
        return step_values(self.rule.operand if isinstance(self.rule, s.Round) else self.rule)

    # The lines of the table

    def _follows(self, value: QuantityName, reach: QuantityName, untold: str) -> str:
        """1 where the number follows from the cells before, 0 where it does not, 2 where that cannot be told."""
        v, r, unit, key = self._q(value), self._q(reach), self._q("unit"), self._q("key")
        if ends := self._ends():
            either = ",".join(self._near(literal(end), self._slack(unit)) for end in ends)
            return f"IF(OR({self._near(v, self._slack(unit))},AND({r}>0,OR({either}))),1,0)"
        keys = self.places.whole("key", self.cell.matrix)
        wide = f"AND({r}>{literal(MOST_UNITS)}*{unit},{r}>{literal(MOST_SHARE)}*MAX(MAX({keys}),-MIN({keys})))"
        near = ",".join(self._near(each, f"2*{self._slack(unit)}") for each in (key, v))
        return f"IF({wide},IF(OR({near}),1,{untold}),IF({self._stands(unit, f'({v}-{r})', f'({v}+{r})')},1,0))"

    def _untold(self) -> str:
        v, r = self._q("mended value"), self._q("mended reach")
        return f"IF({self._lies(f'({v}-{r})', f'({v}+{r})', self._q('unit'))},2,0)"

    def _before(self, flag: QuantityName) -> str:
        flags = [self.places.quantity(flag, each) for each in self.before]
        return f"IF({total('SUM', flags)}>0,1,0)" if flags else "0"

    def _verdict(self) -> str:
        """The first line that holds."""
        x, key, unit, own, value = self.x, self._q("key"), self._q("unit"), self._q("own"), self._q("value")
        low, high = (f"({value}{sign}{self._q('reach')})" for sign in "-+")
        behind, bad, too_coarse = (f"{self._q(BEFORE[flag])}=1" for flag in ("behind", "wrong", "coarse"))
        coarse = by_key = f"{own}>1.5*{unit}"
        if self._ends():  # the 0 and 1 of a step function are exact
            coarse, by_key = "FALSE", f"AND({coarse},{own}<={1.5 * DIGIT_FEWER}*{unit},{key}<>ROUND({key},0))"
        follows, mended = f"{self._q('follows')}=1", f"AND({behind},{self._q('mended follows')}=1)"
        zeros_lost = f"AND({follows},NOT({behind}),NOT({too_coarse}))"  # which a number in a cell cannot show
        right = f"IF({too_coarse},{COARSE_ON},{RIGHT})"
        lines = [
            (f'{x}=""', BLANK),
            (f"COUNT({x})=0", UNTOLD),
            (self._waits(), WAITS),
            (self._stands(unit, key, key), RIGHT),
            (f"AND({by_key},{self._stands(own, key, key)})", f"IF({zeros_lost},{RIGHT},{COARSE})"),
            (f"AND({bad},{self._says_nothing()})", AGAIN),
            (f"AND({too_coarse},{self._says_nothing()})", COARSE_ON),
            (f"AND({follows},NOT({behind}))", right),
            (mended, f"IF({self._q('carried before')}=1,{FOLLOWS},{right})"),
            (f"AND({behind},{follows})", FOLLOWS),
            (f"{self._q('follows')}=2", f"IF(AND({coarse},{self._stands(own, value, value)}),{COARSE_ON},{UNTOLD})"),
            (f"AND({behind},{self._q('mended follows')}=2)", UNTOLD),
            (f"AND({coarse},{self._stands(own, low, high)})", COARSE_ON),
        ]
        return first_that_holds(lines, AGAIN)

    def _waits(self) -> str:
        answers = [self.places.quantity("answer", each) for each in self.before]
        return f"{total('COUNT', answers)}<{len(answers)}" if answers else "FALSE"

    def _says_nothing(self) -> str:
        """The right rule gives 0, 1, −1 or the very number that is updated, and the key is another."""
        value, key, unit = self._q("value"), self._q("key"), self._q("unit")
        constants = ["0", "1", "-1", *([self._read("answer", self.updated)] if self.updated else [])]
        on_own = [f"ABS({value}-({each}))<={unit}/2" for each in constants]
        by_key = [f"ABS({key}-({each}))>{unit}/2" for each in constants]
        if self._ends():
            return f"AND(OR({','.join(on_own)}),{','.join(by_key)})"
        return f"OR({','.join(f'AND({one},{other})' for one, other in zip(on_own, by_key, strict=True))})"

    def _flag(self, flag: QuantityName, verdict: str) -> str:
        """What stands behind the cells that are made of this one; a cell that equals the key stops it."""
        if flag == "carried":
            return f"IF({verdict}={FOLLOWS},1,0)"
        own = {"behind": (AGAIN, FOLLOWS), "wrong": (AGAIN,), "coarse": (COARSE, COARSE_ON)}[flag]
        on = f"OR({','.join(f'{verdict}={each}' for each in (AGAIN, FOLLOWS, COARSE_ON))})"
        alone = f"OR({','.join(f'{verdict}={each}' for each in own)})"
        return f"IF({alone},1,IF({on},{self._q(BEFORE[flag])},0))"


def total(function: Literal["SUM", "COUNT"], cells: list[str]) -> str:
    """A sum or a count over any number of cells; a spreadsheet's functions take no more than 255."""
    groups = [cells[k : k + MOST_ARGUMENTS] for k in range(0, len(cells), MOST_ARGUMENTS)]
    return "(" + "+".join(f"{function}({','.join(group)})" for group in groups) + ")"


def first_that_holds(lines: Iterable[tuple[str, str]], otherwise: str) -> str:
    """An IF within an IF: the result of the first condition that holds."""
    formula = otherwise
    for condition, result in reversed(list(lines)):
        formula = f"IF({condition},{result},{formula})"
    return formula
