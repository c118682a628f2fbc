"""What a worksheet asks: which matrices are left blank, which are printed, and how far each one is worked.

Steps and matrices are chosen as a teacher writes them, `2,3,7` or `Z1,D2`. What is left blank can be
worked out from what is on the sheet: a computed matrix that a blank one is made from is blank itself,
or printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from tracer.errors import TracerError
from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.lesson.build import by_hand
from tracer.problem.problem import Problem
from tracer.program.naming_policy import RATE
from tracer.program.program import Program, Step
from tracer.program.roles import Assignment
from tracer.run.passes import AnyProblem

Mode: TypeAlias = Literal["practice", "exam", "print", "find"]
Feedback: TypeAlias = Literal["cell", "row", "step", "end"]
ExampleKind: TypeAlias = Literal["worked", "completion", "bare"]

MOST_CELLS = 2_000  # left blank: more than anybody fills in
LEAST_WORKED, LEAST_COMPLETION = 2, 4  # cells of a matrix whose first is worked, whose second is a line to complete
VARIANT = 8  # characters of the problem's hash that tell one variant from another
MOST_SHOWN = 40  # characters of a wrong choice in a message


@dataclass(frozen=True)
class Plan:
    """`blank` has the matrices to be filled in, `given` the computed ones that are printed.

    Data, first parameters and learning rate are always printed. A computed matrix in neither is not on
    the sheet. `problem_sha256` says which problem the sheet belongs to. `sums`: of the larger blank matrices the sum
    is printed. Of a series it is sheet number `sheet` of `sheets`. `number` is that of the pass, from 1.
    """

    mode: Mode
    feedback: Feedback
    blank: frozenset[str]
    given: frozenset[str]
    problem_sha256: str
    sums: bool = False
    sheet: int = 0
    sheets: int = 0
    number: int = 1

    @property
    def variant(self) -> str:
        """What tells a printed sheet from those of other problems, and from the others of its series."""
        number = f"{self.sheet}/{self.sheets} · " if self.sheets else ""
        number += f"#{self.number} · " if self.number > 1 else ""
        return number + self.problem_sha256[:VARIANT]

    @property
    def marks(self) -> bool:
        """Whether the files mark themselves."""
        return self.mode in ("practice", "find")

    @property
    def finds(self) -> bool:
        """Whether the sheet is worked to the end, with slips to be found."""
        return self.mode == "find"

    def shows(self, identifier: str, program: Program) -> bool:
        """Whether a matrix is on the sheet, printed or blank."""
        return identifier in program.inputs or identifier in self.blank or identifier in self.given

    def prints(self, identifier: str, program: Program) -> bool:
        """Whether the numbers of a matrix are on the sheet."""
        return identifier not in self.blank and self.shows(identifier, program)

    def example(self, shape: m.Shape, row: int, column: int) -> ExampleKind:
        """How far a cell of a blank matrix is worked; row and column from 0.

        The first cell is worked, the second a line to complete, the others bare; a small matrix has fewer
        of them, an exam or a sheet that is worked already none.
        """
        cells, place = shape[0] * shape[1], row * shape[1] + column
        if self.mode not in ("exam", "find") and place == 0 and cells >= LEAST_WORKED:
            return "worked"
        if self.mode not in ("exam", "find") and place == 1 and cells >= LEAST_COMPLETION:
            return "completion"
        return "bare"


def make_plan(
    problem: AnyProblem,
    program: Program,
    mode: Mode = "practice",
    blank: str | None = None,
    give: str | None = None,
    feedback: Feedback = "row",
    sums: bool = False,
) -> Plan:
    """The plan of one pass; `blank` and `give` are lists of steps or matrices with commas, as they are typed.

    Left out, `blank` is everything computed that is not given. Raises TracerError, naming the option, for
    what the problem does not compute, or both blank and given.
    """
    printed = frozenset(_chosen("--give", give, program))
    asked = frozenset(_chosen("--blank", blank, program)) if blank is not None else {*program.computed} - printed
    both = [each for each in program.computed if each in asked and each in printed]
    if both:
        raise TracerError(f"--blank and --give: {', '.join(both)} cannot be both left blank and printed")
    if not asked:
        raise TracerError("--give: everything is printed; nothing is left to fill in")
    cells = sum(rows * columns for rows, columns in (program.assignments[each].shape for each in asked))
    if cells > MOST_CELLS:
        fewer = "" if mode == "find" else "fewer steps with --blank, or "
        raise TracerError(
            f"a worksheet of {cells:,} blank cells is more than anybody fills in (at most {MOST_CELLS:,}); "
            f"choose {fewer}a smaller problem"
        )
    both_ways = (program, by_hand(problem, program)) if isinstance(problem, Problem) else (program,)
    made_from = {each for way in both_ways for blank_one in asked for each in _computed_before(way, blank_one)}
    return Plan(mode, feedback, frozenset(asked), printed | (made_from - asked), problem.sha256, sums)


def make_series(plan: Plan, program: Program) -> list[Plan]:
    """Sheets of which each leaves one more whole step blank, the last step first; the last sheet is the plan itself.

    Raises TracerError where the plan leaves a single step blank.
    """
    steps = [plan.blank & {each.id for each in step.assignments} for step in program.steps]
    fading = [step for step in steps if step]
    if len(fading) < 2:
        raise TracerError("--series: found one step to fill in, expected two or more; leave more blank or give less")
    sheets = []
    for number in range(1, len(fading) + 1):
        blank = frozenset[str]().union(*fading[-number:])
        sheets.append(
            replace(plan, blank=blank, given=plan.given | (plan.blank - blank), sheet=number, sheets=len(fading))
        )
    return sheets


def _chosen(option: str, text: str | None, program: Program) -> Iterator[str]:
    """The computed matrices that a list of steps and matrices names."""
    for item in filter(None, (part.strip() for part in (text or "").split(","))):
        found = [
            each.id
            for step in program.steps
            for each in step.assignments
            if item in (each.id, *_called(step), *_blocks(each, program)) and each.expression is not None
        ]
        if not found:
            raise TracerError(f"{option}: found {item[:MOST_SHOWN]!r}, expected {_expected(item, program)}")
        yield from found
    if text is not None and not text.replace(",", " ").strip():
        raise TracerError(f"{option}: names nothing; expected steps (2,3,7) or matrices (Z1,D2)")


def _called(step: Step) -> tuple[str, ...]:
    """What a step is called: of a program the way back through step 3 is “3 back”, and 3 the step itself."""
    return (step.label, str(step.number)) if step.phase is None else (step.label,)


def _blocks(made: Assignment, program: Program) -> Iterator[str]:
    """The time step or the head that a matrix is of, as t=2; a parameter's gradient is of all of them."""
    if not program.by_layers and made.id not in program.gradients_of_parameters:
        yield from (f"{name}={value}" for name, value in made.block)


def _expected(item: str, program: Program) -> str:
    """What could have been chosen: steps where the item begins with a digit, else matrices."""
    if item[:1].isdigit():
        steps = [step for step in program.steps if any(each.expression for each in step.assignments)]
        if program.by_layers:
            return f"steps out of {', '.join(map(str, sorted({step.number for step in steps})))}"
        return f"steps out of {', '.join(step.label for step in steps)}"
    blocks = dict.fromkeys(each for made in program.assignments.values() for each in _blocks(made, program))
    if "=" in item and blocks:
        return f"blocks out of {', '.join(blocks)}"
    return f"computed matrices out of {', '.join(program.computed)}"


def _computed_before(program: Program, identifier: str) -> Iterator[str]:
    """The computed matrices that one is made from."""
    expression = program.assignments[identifier].expression
    assert expression is not None  # only computed matrices are left blank
    for symbol in traversal.symbols(expression):
        if symbol.name != RATE and program.assignments[symbol.name].expression is not None:
            yield symbol.name
