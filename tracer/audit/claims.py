"""Which gradient a cell of the backward pass claims to be, whatever number it shows.

An update says it of what it takes off; a heading in words; the rules that use a cell say it by what they multiply it
with (Σ A·D is the gradient of W, so D is that of Z); and cells in line with others go on as these do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from tracer.audit.graph import root
from tracer.audit.known import WEIGHTS, KnownNumbers, Study, alike, ratio
from tracer.audit.labels import BookLabels
from tracer.audit.numbers import PointRow
from tracer.audit.step_forms import StepForms
from tracer.expression import scalar as s

How: TypeAlias = Literal["said", "update", "heading", "use", "line", "rule"]
MOST_OPERANDS, DEEPEST = 400, 3


@dataclass(frozen=True)
class Claim:
    """A cell is the gradient in one of the cells `of`; how that is known."""

    of: frozenset[s.Cell]
    how: How


@dataclass(frozen=True)
class ChainRule:
    """A computed cell reads as the chain rule for `of`: what each backward operand has to be the gradient in."""

    of: s.Cell
    operands: Mapping[s.Cell, frozenset[s.Cell]]


RuleKey: TypeAlias = tuple[float, ...]
Users: TypeAlias = Mapping[float, frozenset[s.Cell]]
"""The cells that one is multiplied into, by a number that stands for what with."""


@dataclass
class Claims:
    """The claims of all backward cells of a study."""

    study: Study
    labels: BookLabels
    found: dict[s.Cell, Claim] = field(default_factory=dict)
    _right: dict[tuple[s.Cell, s.Cell], bool] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Study, labels: BookLabels) -> Claims:
        claims = cls(study, labels)
        claims.as_said()
        claims.by_update()
        claims.by_heading()
        claims.by_use()
        return claims

    def as_said(self) -> None:
        for cell, of in self.study.roles.said.gradients.items():
            if of in self.study.right:
                self.found[cell] = Claim(frozenset({of}), "said")

    def by_update(self) -> None:
        self._drop_other_sums()
        taken: dict[s.Cell, list[s.Cell]] = {}
        for update in self.study.roles.updates.values():
            linear = [each for each in update.takes if self._is_scaled(update.cell, each)]
            if len(update.takes) == 1 and linear and update.parameter in self.study.right:
                taken.setdefault(linear[0], []).append(update.parameter)
        for cell, parameters in taken.items():
            fitting = [each for each in parameters if self._is_multiple(cell, each)] or parameters
            self.found.setdefault(cell, Claim(frozenset(fitting[:1]), "update"))
        for cell, parameter in self.forms.claimed():
            self.found.setdefault(cell, Claim(frozenset({parameter}), "update"))

    @cached_property
    def forms(self) -> StepForms:
        """The updates that keep states, side by side."""
        return StepForms(self.study)

    def _is_multiple(self, cell: s.Cell, of: s.Cell) -> bool:
        """Whether a cell shows the gradient in another, in any scale."""
        return any(ratio(self.study.row(cell), right) is not None for _, right in self.study.right[of])

    def _drop_other_sums(self) -> None:
        """A typed number with something added, but not by the rate of the others, is an update of a gradient alone.

        So is a residual block: X + F(X) is no update of X.
        """
        updates, taken = self.study.roles.updates, dict[s.Cell, tuple[s.Cell, float]]()
        for cell, update in updates.items():
            if len(update.takes) == 1 and self._is_scaled(cell, update.takes[0]):
                slopes = np.broadcast_to(self.study.slopes_of(cell)[update.takes[0]], self.study.row(cell).shape)
                taken[cell] = update.takes[0], float(slopes[0])
        usual = commonest([slope for _, slope in taken.values()])
        for cell, (operand, slope) in taken.items():
            rights = [row for _, row in self.study.right.get(updates[cell].parameter, ())]
            if slope != usual and not any(ratio(self.study.row(operand), right) is not None for right in rights):
                del updates[cell]

    def _is_scaled(self, cell: s.Cell, operand: s.Cell) -> bool:
        """Whether a cell takes an operand times what does not change from point to point."""
        slope = np.broadcast_to(self.study.slopes_of(cell).get(operand, 0.0), self.study.row(cell).shape)
        return alike(slope, np.full_like(slope, slope[0])) and bool(slope[0])

    def by_heading(self) -> None:
        for cell in self.study.roles.backward():
            if cell in self.found:
                continue
            named = self.labels.derivative(cell)
            if named is not None:
                of = [each for each in self.labels.cells_called(named, cell) if each in self.study.right]
                if of:
                    self.found[cell] = Claim(frozenset(of), "heading")

    def by_use(self) -> None:
        """Claims from the rules that use a cell, and of a rule's own cell where its operands are known."""
        asked: dict[s.Cell, frozenset[s.Cell]] = {}
        for _ in range(3):
            before = dict(asked)
            for cell, rules in self.rules.items():
                kept = self._fitting(cell, rules, asked)
                self._ask(kept, asked)
            if asked == before:
                break
        for cell, of in asked.items():
            self.found.setdefault(cell, Claim(of, "use"))
        self._ask_of_origins(asked)
        for cell, rules in self.rules.items():
            if cell not in self.found:
                of = frozenset(rule.of for rule in self._fitting(cell, rules, asked))
                if 0 < len(of) <= 40:
                    self.found[cell] = Claim(of, "rule")

    def _ask_of_origins(self, asked: Mapping[s.Cell, frozenset[s.Cell]]) -> None:
        """What is asked of a copy is asked of the cell that it shows, unless that one is right as something else."""
        study = self.study
        for cell, of in asked.items():
            origin = root(study.graph, cell)
            if origin == cell or origin in self.found or origin not in study.roles.held:
                continue
            shown = {each for _, each, _ in self.index.find(study.row(origin))}
            later = any(used in of for each in shown for used in study.graph.uses.get(each, ()))
            if not shown or (shown & of and not later):
                self.found[origin] = Claim(of, "use")

    @cached_property
    def index(self) -> KnownNumbers:
        """All gradients, to find the cells whose gradient a row is."""
        return KnownNumbers(((loss, cell), row) for cell, rows in self.study.right.items() for loss, row in rows)

    def _fitting(
        self, cell: s.Cell, rules: list[ChainRule], asked: Mapping[s.Cell, frozenset[s.Cell]]
    ) -> list[ChainRule]:
        """The rules of a cell that agree with what is claimed of it and of its operands."""
        kept = [
            rule for rule in rules if all(each not in asked or asked[each] & of for each, of in rule.operands.items())
        ]
        claim = self.found.get(cell)
        if claim is not None:
            return [rule for rule in kept if rule.of in claim.of]
        if cell in asked and any(rule.of in asked[cell] for rule in kept):
            kept = [rule for rule in kept if rule.of in asked[cell]]
        right = [rule for rule in kept if self.is_right(cell, rule.of)]
        return right or kept

    def is_right(self, cell: s.Cell, of: s.Cell) -> bool:
        """Whether a cell shows the gradient in another, or its opposite."""
        if (cell, of) not in self._right:
            row, known = self.study.row(cell), self.study.right.get(of, ())
            self._right[cell, of] = any(alike(row, right) or alike(row, -right) for _, right in known)
        return self._right[cell, of]

    def _ask(self, rules: list[ChainRule], asked: dict[s.Cell, frozenset[s.Cell]]) -> None:
        together: dict[s.Cell, set[s.Cell]] = {}
        for rule in rules:
            for operand, found in rule.operands.items():
                together.setdefault(operand, set()).update(found)
        for operand, of in together.items():
            if operand in asked:
                asked[operand] = frozenset(asked[operand] & of) or asked[operand]
            else:
                asked[operand] = frozenset(of)

    def in_line(self, cell: s.Cell, settled: Mapping[s.Cell, s.Cell]) -> Claim | None:
        """What a cell without a claim is, going on as two neighbours in line do whose gradients are settled."""
        for down, right in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            near = s.Cell(cell.matrix, cell.row + down, cell.column + right)
            far = s.Cell(cell.matrix, cell.row + 2 * down, cell.column + 2 * right)
            one, two = settled.get(near), settled.get(far)
            if one is None or two is None or one.matrix != two.matrix or one == two:
                continue
            of = s.Cell(one.matrix, 2 * one.row - two.row, 2 * one.column - two.column)
            if of in self.study.right and self._alike_made(cell, near):
                return Claim(frozenset({of}), "line")
        return None

    def _alike_made(self, cell: s.Cell, other: s.Cell) -> bool:
        """Whether two cells are made in much the same way: of as many cells."""
        uses = self.study.graph.uses
        return cell in uses and other in uses and abs(len(uses[cell]) - len(uses[other])) <= 1

    @cached_property
    def rules(self) -> dict[s.Cell, list[ChainRule]]:
        """For each backward cell the chain rules that it can be read as, if any."""
        found = {}
        for cell in self.study.roles.backward():
            operands = self._backward_operands(cell)
            if operands:
                forward = self.forward_rules
                asked = dict(zip(operands, quanta(operands.values()), strict=True))
                key = tuple(sorted(asked.values()))
                if key in forward and (self.found.get(cell) or any(np.ptp(row[:6]) > 0 for row in operands.values())):
                    found[cell] = [_paired(of, users, asked) for of, users in forward[key]]
        return found

    def _backward_operands(self, cell: s.Cell) -> dict[s.Cell, PointRow]:
        """The backward operands and what each is multiplied by, where the cell is their sum and nothing else."""
        held = self.study.roles.held
        full = self.study.row(cell).shape
        known = self.study.slopes_of(cell).items()
        slopes = {each: np.broadcast_to(row, full) for each, row in known if each in held and np.any(row)}
        if not slopes or len(slopes) > MOST_OPERANDS:
            return {}
        with np.errstate(all="ignore"):
            total = sum(row * self.study.row(each) for each, row in slopes.items())
            size = sum(np.abs(row * self.study.row(each)) for each, row in slopes.items())
        return slopes if alike(np.asarray(total), self.study.row(cell), np.asarray(size)) else {}

    @cached_property
    def forward_rules(self) -> dict[RuleKey, list[tuple[s.Cell, Users]]]:
        """Forward cells by what they are multiplied with on their way on: through the next cells, or those after."""
        found: dict[RuleKey, list[tuple[s.Cell, Users]]] = {}
        for cell in self.study.right:
            for users in self.onward(cell):
                numbers = quanta(users.values())
                together: dict[float, frozenset[s.Cell]] = {}
                for user, number in zip(users, numbers, strict=True):
                    together[number] = together.get(number, frozenset()) | {user}
                kept = found.setdefault(tuple(sorted(numbers)), [])
                if all(cell != known or together != other for known, other in kept):
                    kept.append((cell, together))
        return found

    def onward(self, cell: s.Cell) -> Iterator[dict[s.Cell, PointRow]]:
        """The forward cells that one leads to and their slopes in it: at once, and through one and two cells more."""
        now: dict[s.Cell, PointRow] = {cell: np.ones_like(self.study.row(cell))}
        for _ in range(DEEPEST):
            after: dict[s.Cell, PointRow] = {}
            for each, row in now.items():
                users = [user for user in self.users.get(each, ()) if user in self.study.right]
                if not users:
                    return
                for user in users:
                    slope = self.study.slopes_of(user).get(each)
                    if slope is None:  # a step's, which is flat wherever it has a slope
                        continue
                    along = row * slope
                    after[user] = after[user] + along if user in after else along
                if len(after) > MOST_OPERANDS:
                    return
            now = {each: row for each, row in after.items() if np.any(row)}
            if now:
                yield now

    @cached_property
    def users(self) -> dict[s.Cell, list[s.Cell]]:
        """The users of each cell within its pass."""
        updates = self.study.roles.updates
        return {cell: [user for user in users if user not in updates] for cell, users in self.study.graph.users.items()}


def quanta(rows: Iterable[PointRow]) -> list[float]:
    """A number for each row that equal rows share, with fewer digits than roundings on the way can change."""
    full = [each if np.ndim(each) else np.full(len(WEIGHTS), each) for each in rows]
    sums = np.nan_to_num(np.array(full), nan=0.0, posinf=0.0, neginf=0.0) @ WEIGHTS
    with np.errstate(divide="ignore"):
        digits = np.where(sums == 0, 0.0, 5 - np.floor(np.log10(np.abs(sums))))
    scale = 10.0**digits
    return [float(each) + 0.0 for each in np.round(sums * scale) / scale]


def _paired(of: s.Cell, users: Users, operands: Mapping[s.Cell, float]) -> ChainRule:
    return ChainRule(of, {each: users[found] for each, found in operands.items()})


def commonest(factors: Iterable[float]) -> float | None:
    """The number that comes most often, taken alike to six digits; the first of those, with all of its digits."""
    exact: dict[float, float] = {}
    counted: Counter[float] = Counter()
    for each in factors:
        key = float(f"{each:.6g}")
        exact.setdefault(key, each)
        counted[key] += 1
    return exact[counted.most_common(1)[0][0]] if counted else None
