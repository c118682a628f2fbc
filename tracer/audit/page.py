"""The page of an audit: what was found, the first wrong cell, every gradient with its verdict; complete in one file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tracer.audit.graph import name_of
from tracer.audit.implied import NOWHERE
from tracer.audit.report import Audit, AuditFinding
from tracer.audit.updates import JudgedGradient
from tracer.audit.words import LOOKED_FOR, MOST_CELLS, summary
from tracer.expression import scalar as s
from tracer.files import write_text
from tracer.presentation.templates import environment

MOST_ROWS = 600  # of a table; a page for a book of many epochs has the wrong ones first


@dataclass(frozen=True)
class GradientRow:
    """A gradient of a parameter: its cell, the parameter's, its label, what stands there and what belongs there."""

    cell: str
    of: str
    label: str
    claimed: str
    right: str
    verdict: str


def write_audit_page(audit: Audit, path: Path) -> None:
    """Write the page. Raises OSError where that cannot be."""
    write_text(path, render_audit(audit))


def render_audit(audit: Audit) -> str:
    """The page as HTML: no script, nothing loaded from elsewhere."""
    rows = sorted(_rows(audit), key=lambda each: each.verdict == "right")
    losses = [each for each in audit.losses if each.matrix != NOWHERE]
    html: str = (
        environment()
        .get_template("audit.html.j2")
        .render(
            file=audit.file,
            summary=_capital(summary(audit)) if audit.found else _capital(LOOKED_FOR) + ".",
            all_right=audit.found and not audit.wrong,
            findings=audit.wrong,
            listed=listed,
            name_of=name_of,
            number=number,
            capital=_capital,
            loss=[(name_of(each), audit.graph.formula(each), number(_shown(audit, each))) for each in losses[:1]],
            more_losses=len(losses) - 1,
            implied=audit.implied,
            parameters=_ranges(audit.parameters),
            rows=rows[:MOST_ROWS],
            left_out=len(rows) - len(rows[:MOST_ROWS]),
            conventions=audit.conventions,
            notes=audit.notes,
        )
    )
    return html


def _shown(audit: Audit, cell: s.Cell) -> float:
    shown = audit.graph.shown(cell)
    return float("nan") if shown is None else shown


def _rows(audit: Audit) -> Iterator[GradientRow]:
    at_fault = {cell: each for each in audit.wrong for cell in each.cells}
    for each in audit.gradients:
        if each.of in audit.graph.typed or each.of in audit.carried:
            label = next(iter(audit.labels.of(each.of)), "") if audit.labels is not None else ""
            yield GradientRow(
                name_of(each.cell),
                name_of(each.of),
                label if len(label) <= MOST_LABEL else "",
                number(float(each.claimed[0])),
                number(float(each.right[0])),
                _verdict(each, at_fault),
            )


MOST_LABEL = 16


def _verdict(each: JudgedGradient, at_fault: dict[s.Cell, AuditFinding]) -> str:
    if not each.wrong:
        return "right"
    if each.cell in at_fault or each.because is None:
        return "wrong"
    return f"follows from {name_of(each.because)}"


def number(value: float) -> str:
    """A number to eight digits, with a real minus."""
    return f"{value:.8g}".replace("-", "−")


def listed(cells: list[s.Cell]) -> str:
    """The first of some cells, by name."""
    return ", ".join(name_of(each) for each in cells[:MOST_CELLS]) + (", …" if len(cells) > MOST_CELLS else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _ranges(cells: list[s.Cell]) -> list[str]:
    """Cells as ranges: those in a row of one sheet together, and rows of one width under each other."""
    left, found = dict.fromkeys(cells), []
    while left:
        first = min(left, key=lambda each: (each.matrix, each.row, each.column))
        right = first.column
        while s.Cell(first.matrix, first.row, right + 1) in left:
            right += 1
        bottom = first.row
        while all(s.Cell(first.matrix, bottom + 1, column) in left for column in range(first.column, right + 1)):
            bottom += 1
        for row in range(first.row, bottom + 1):
            for column in range(first.column, right + 1):
                del left[s.Cell(first.matrix, row, column)]
        last = s.Cell(first.matrix, bottom, right)
        found.append(name_of(first) + ("" if last == first else ":" + name_of(last).rpartition("!")[2]))
    return found
