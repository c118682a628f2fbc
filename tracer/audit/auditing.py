"""One book audited: read, understood, judged and put into words."""

from __future__ import annotations

from pathlib import Path

from tracer.audit.claims import Claims
from tracer.audit.functions_named import forward_findings, looks_like_a_network
from tracer.audit.graph import BookGraph, build, differing, name_of
from tracer.audit.hypotheses import put_forward_right
from tracer.audit.implied import NOWHERE, WORDS
from tracer.audit.judge import Fault, Judge
from tracer.audit.known import Study
from tracer.audit.labels import BookLabels
from tracer.audit.package import AuditError, BookCells, read_book
from tracer.audit.report import Audit, AuditFinding, conventions, gradient_findings
from tracer.audit.roles import find_roles
from tracer.audit.slips import SlipNaming
from tracer.expression import scalar as s
from tracer.files import open_regular

UNSURE = (
    "gradients may be there, but too few of them agree with a loss to call others wrong; name the loss with --loss CELL"
)
MOST_BYTES = 50_000_000


def audit_file(path: Path, loss: str | None = None) -> Audit:
    """Audit a workbook. Raises AuditError where it cannot be read."""
    try:
        with open_regular(path) as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as wrong:
        raise AuditError(f"{path}: {wrong.strerror or wrong}") from None
    if len(content) > MOST_BYTES:
        raise AuditError(f"{path}: is larger than the {MOST_BYTES:,} bytes that are read")
    return audit_book(path.name, content, loss)


def audit_book(name: str, content: bytes, loss: str | None = None) -> Audit:
    """Audit the bytes of a workbook; `loss` is the address of the cell that is its loss, where somebody says so."""
    return audit_cells(read_book(name, content), loss)


def audit_cells(book: BookCells, loss: str | None = None) -> Audit:
    """Audit a workbook that was read."""
    graph = build(book)
    audit = Audit(book.name, graph)
    labels = BookLabels(graph.book)
    audit.notes.extend(_differences(graph))
    forward = forward_findings(graph, labels)
    named = _cell(graph, loss) if loss else None
    places = {cell: place for place, cell in enumerate(graph.order)}
    for mixed in (False, True):
        study = Study.of(graph, find_roles(graph, named, mixed))
        judged = _judged(audit, study, labels, named) if study.roles.losses else []
        if audit.gradients:
            break
    audit.findings = sorted([*forward, *judged], key=lambda each: places.get(each.cell, -1))
    audit.found = bool(audit.gradients or audit.findings) or looks_like_a_network(graph, labels)
    if audit.found and not audit.gradients:
        audit.notes.append("no gradients were found in the book: its forward pass alone was looked at")
    return audit


def _judged(audit: Audit, study: Study, labels: BookLabels, loss: s.Cell | None) -> list[AuditFinding]:
    judge = Judge.of(Claims.of(study, labels))
    before = judge
    forward: list[Fault] = []
    if (judge.faults or judge.unused) and (mended := put_forward_right(judge, labels, loss)) is not None:
        judge, forward = mended
        study = judge.claims.study
    if (judge.faults or forward) and not judge.is_sure:
        audit.notes.append(UNSURE)
        return []
    audit.losses = study.roles.losses
    audit.implied = next((WORDS[each.row] for each in study.roles.losses if each.matrix == NOWHERE), None)
    audit.gradients = judge.gradients
    audit.carried = frozenset(study.roles.updates)
    audit.parameters = study.roles.parameters or list(
        dict.fromkeys(each.of for each in judge.gradients if each.of in study.graph.typed)
    )
    if judge.gradients:
        audit.conventions.extend(conventions(judge))
    found = gradient_findings(judge, SlipNaming(judge, labels))
    if forward:
        before.faults = forward
        found = [*gradient_findings(before, SlipNaming(before, labels)), *found]
    return found


def _differences(graph: BookGraph) -> list[str]:
    wrong = differing(graph)
    if not wrong:
        return []
    return [
        f"{len(wrong)} cells show another number than their formula gives, {name_of(wrong[0])} first: "
        "the book was not recalculated"
    ]


def _cell(graph: BookGraph, text: str) -> s.Cell:
    """The computed cell of an address, with or without a sheet."""
    from tracer.audit.parsing import Reference, UnreadFormulaError, parse

    try:
        node = parse(text.lstrip("="))
    except UnreadFormulaError:
        node = None
    if not isinstance(node, Reference) or node.last is not None:
        raise AuditError(f"--loss {text}: not the address of a cell, as in Sheet1!Y33")
    titles = [node.sheet] if node.sheet is not None else list(graph.book.sheets)
    found = [s.Cell(each, node.first.row, node.first.column) for each in titles if each is not None]
    computed = [each for each in found if each in graph.made]
    if not computed:
        raise AuditError(f"--loss {text}: no formula that is read stands there")
    return computed[0]
