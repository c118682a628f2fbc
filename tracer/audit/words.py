"""The report of an audit in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from tracer.audit.graph import name_of
from tracer.audit.implied import NOWHERE
from tracer.audit.report import Audit, AuditFinding

MOST_FINDINGS, MOST_CELLS = 8, 6
LOOKED_FOR = (
    "no network was found: neither a loss (squares or logarithms of outputs held against typed targets) with its "
    "gradients, nor weighted sums with activations; if there is one, name its loss with --loss CELL"
)


def report(audit: Audit) -> Iterator[str]:
    """What was found, the first wrong cell first."""
    if not audit.found:
        yield f"{audit.file}: {LOOKED_FOR}"
        return
    yield f"{audit.file}: {summary(audit)}"
    for number, finding in enumerate(audit.wrong[:MOST_FINDINGS]):
        yield ""
        yield from _finding(finding, "First wrong cell" if number == 0 else "Also wrong")
    if len(audit.wrong) > MOST_FINDINGS:
        yield f"… and {len(audit.wrong) - MOST_FINDINGS} more formulas that are wrong."
    for text in (*audit.conventions, *audit.notes):
        yield f"Note: {text}."


def summary(audit: Audit) -> str:
    """The loss, and how many gradients were checked, in one sentence."""
    document = audit.document()
    gradients = document["gradients"]
    wrong = sum(each["verdict"] == "wrong" for each in gradients)
    losses = [each for each in audit.losses if each.matrix != NOWHERE]
    parts = []
    if losses:
        parts.append(
            f"the loss is {name_of(losses[0])}"
            + (f" (and {len(losses) - 1} more, one for each pass)" if losses[1:] else "")
        )
    if gradients:
        parts.append(f"{len(gradients)} gradients of parameters were checked, {wrong or 'none'} of them wrong")
    if audit.updates:
        at_fault = {cell for each in audit.wrong for cell in each.cells}
        count = sum(each in at_fault for each in audit.updates)
        parts.append(f"{len(audit.updates)} updates in one formula were checked, {count or 'none'} of them wrong")
    if not audit.wrong:
        parts.append("nothing is wrong")
    elif not parts:
        count = len(audit.wrong)
        parts.append("one formula is wrong" if count == 1 else f"{count} formulas are wrong")
    return "; ".join(parts) + "."


def _finding(finding: AuditFinding, begin: str) -> Iterator[str]:
    yield f"{begin}: {name_of(finding.cell)} shows {finding.shown:.8g}; right is {finding.right:.8g}."
    yield f"  {finding.says[0].upper()}{finding.says[1:]}."
    if finding.cells[1:]:
        yield f"  The same in {len(finding.cells) - 1} more cells: {_listed(finding.cells[1:])}."
    if finding.follow:
        yield f"  {len(finding.follow)} gradients follow from it: {_listed(finding.follow)}."
    if finding.experiment:
        yield f"  Try it: {finding.experiment}."


def _listed(cells: list) -> str:  # type: ignore[type-arg]
    names = ", ".join(name_of(each) for each in cells[:MOST_CELLS])
    return names + (", …" if len(cells) > MOST_CELLS else "")
