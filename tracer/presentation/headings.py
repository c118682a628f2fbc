"""What stands over a matrix, on sheets and pages alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tracer.expression import traversal
from tracer.expression.label import Name, label_text
from tracer.presentation.board import Band
from tracer.presentation.palette import ACTIVE_MARK, INPUT_MARK, Highlight
from tracer.problem.names import Names, names_of
from tracer.problem.program_problem import ProgramProblem
from tracer.program.naming_policy import RATE
from tracer.program.program import Program, Step
from tracer.run.passes import AnyProblem, Pass, Trace

MOST_KNOWN = 40_000  # cells, over all steps of a program, of everything known so far
MARKS: dict[Highlight, str] = {"active": f"{ACTIVE_MARK} ", "input": f"{INPUT_MARK} ", "plain": ""}


@dataclass(frozen=True)
class Heading:
    """The display name, the identifier, the derivative that the matrix is, and its shape in words."""

    name: Name
    symbol: str
    fraction: Name | None
    size: str


class Headings:
    """The headings of a program's matrices, in the names of its problem."""

    def __init__(self, problem: AnyProblem, program: Program) -> None:
        self.program = program
        self.names: Names = names_of(problem)
        # beside identifiers, and where the words of the article would take too much room
        short = problem.names.style == "article"
        self.symbols = names_of(replace(problem, names=replace(problem.names, style="matrix"))) if short else self.names

    def of(self, identifier: str, rows: int, columns: int) -> Heading:
        """The heading of a matrix of so many rows and columns."""
        if identifier == RATE:
            return Heading(self.names.learning_rate(), "learning rate", None, "")
        fraction = None if self.program.assignments[identifier].reproduced else self.symbols.fraction(identifier)
        name = self.names.matrix(identifier)
        return Heading(name, identifier, None if fraction == name else fraction, f"{rows}×{columns}")


def detail(heading: Heading) -> str:
    """The second line of a heading: symbol, derivative and shape, as far as they say something new."""
    fraction = None if heading.fraction is None else label_text(heading.fraction)
    shown_name = label_text(heading.name)
    parts = (heading.symbol, fraction, heading.size)
    return " · ".join(part for part in parts if part and part != shown_name)


def highlights(program: Program, step: Step) -> dict[str, Highlight]:
    """What each matrix known by a step is to it: computed, computed from, or merely known."""
    known: dict[str, Highlight] = {RATE: "plain"}
    for each in program.steps[: program.steps.index(step) + 1]:
        known |= {assignment.id: "plain" for assignment in each.assignments}
    for assignment in step.assignments:
        if assignment.expression is not None:
            known |= {symbol.name: "input" for symbol in traversal.symbols(assignment.expression)}
    return known | {assignment.id: "active" for assignment in step.assignments}


def board_of(program: Program, step: Step) -> dict[str, Highlight]:
    """What stands on a step's board: all that is known by then, of a large program what the step takes part in."""
    known = highlights(program, step)
    if not is_large(program):
        return known
    return {each: role for each, role in known.items() if role != "plain" or each == RATE}


def is_large(program: Program) -> bool:
    """Whether everything known by each step of a program, step after step, would be too much to look at."""
    if program.by_layers:
        return False
    cells = len(program.steps) * sum(each.shape[0] * each.shape[1] for each in program.assignments.values())
    return cells > MOST_KNOWN


def place_of(trace: Trace[AnyProblem], one: Pass) -> str:
    """Which epoch and rows a pass is of; "" where there is only one."""
    if trace.first is trace.last:
        return ""
    rows = "" if one.stop - one.start == trace.problem.rows else f", {_rows(one)}"
    return f"Epoch {one.epoch}{rows}"


def anchor_prefix(trace: Trace[AnyProblem], one: Pass) -> str:
    """What the anchors of a pass begin with on a page; "" where there is only one."""
    return f"epoch-{one.epoch}-{one.iteration}-" if place_of(trace, one) else ""


def step_words(trace: Trace[AnyProblem], one: Pass, step: Step) -> tuple[str, str]:
    """The title of a step, and why it is done; a later pass does not begin anew."""
    place = place_of(trace, one)
    title, why = step.title, f"{step.words} {step.why}"
    if step.phase is None and step.number == 1 and one is not trace.first:
        title, why = "Current weights and biases", "These are their values after the previous passes."
    return (f"{place} · {title}" if place else title), why


def _rows(one: Pass) -> str:
    first, last = one.start + 1, one.stop
    return f"row {first}" if first == last else f"rows {first}–{last}"


def band_title(problem: AnyProblem, band: Band, one: Pass) -> str:
    """The title of a band: of a program's as it is laid out, of a layer's in words; layer 0 is the data."""
    if isinstance(problem, ProgramProblem):
        return band.title
    layer = band.layer
    if layer == 0 and one.stop - one.start < problem.rows:
        return f"Data · {_rows(one)} of {problem.rows}"
    if layer == 0:
        return f"Data · {problem.rows} samples" if problem.rows > 1 else "Data · 1 sample"
    made = problem.layers[layer - 1]
    kind = "output layer" if layer == problem.depth else "hidden layer"
    return f"Layer {layer} · {kind} · {made.units} × {made.activation}"
