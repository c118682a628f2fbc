"""One book audited: read, understood, judged and put into words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tracer.audit.claims import Claims
from tracer.audit.functions_named import forward_findings, looks_like_a_network
from tracer.audit.graph import BookGraph, build, differing, look_through_rounding, name_of
from tracer.audit.hypotheses import put_forward_right
from tracer.audit.implied import NOWHERE, WORDS
from tracer.audit.judge import Judge
from tracer.audit.known import Study
from tracer.audit.labels import BookLabels
from tracer.audit.package import AuditError, BookCells, read_book
from tracer.audit.report import Audit, AuditFinding, conventions, gradient_findings
from tracer.audit.role_map import RoleMap, named_roles, read_map
from tracer.audit.roles import Roles, find_roles
from tracer.audit.slips import SlipNaming
from tracer.audit.updates import Fault
from tracer.audit.writing import cells_named
from tracer.expression import scalar as s
from tracer.files import open_regular

UNSURE = (
    "gradients may be there, but too few of them agree with a loss to call others wrong; name the loss with --loss CELL"
)
MOST_BYTES = 50_000_000
MOST_EMPTY = 5  # formulas of empty cells that are listed
MOST_RIGHT = 20  # gradients that agree with a loss by name


def audit_file(path: Path, loss: str | None = None, told: Path | None = None) -> Audit:
    """Audit a workbook. `told` is a map of its roles. Raises AuditError where it cannot be read."""
    try:
        with open_regular(path) as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as wrong:
        raise AuditError(f"{path}: {wrong.strerror or wrong}") from None
    if len(content) > MOST_BYTES:
        raise AuditError(f"{path}: is larger than the {MOST_BYTES:,} bytes that are read")
    return audit_book(path.name, content, loss, told)


def audit_book(name: str, content: bytes, loss: str | None = None, told: Path | None = None) -> Audit:
    """Audit the bytes of a workbook; `loss` is the address of the cell that is its loss, where somebody says so."""
    return audit_cells(read_book(name, content), loss, told)


def audit_cells(book: BookCells, loss: str | None = None, told: Path | None = None) -> Audit:
    """Audit a workbook that was read."""
    graph = build(book)
    audit = Audit(book.name, graph)
    labels = audit.labels = BookLabels(graph.book)
    audit.notes.extend(_differences(graph))
    if look_through_rounding(graph):
        audit.conventions.append("numbers are rounded on the way: they are judged as they would be without")
    forward = forward_findings(graph, labels)
    said = read_map(told, graph) if told else RoleMap()
    if loss:
        said = replace(said, loss=_cell(graph, loss))
    places = {cell: place for place, cell in enumerate(graph.order)}
    judged: list[AuditFinding] = []
    for roles in _readings(graph, said):
        judged = _judged(audit, roles, labels) if roles.losses else []
        if (
            roles.said != said
        ):  # names alone speak for it: of few, a parameter's own gradient or update alone is accused
            named = roles.said.gradients
            many = sum(not each.wrong for each in audit.gradients) >= MOST_RIGHT
            judged = [each for each in judged if many or (each.updates or named.get(each.cell)) in graph.typed]
            if len(judged) > 1:  # one fault stands out from the rest; where more do, the name may not be the loss's
                audit.gradients, audit.updates, judged, audit.unsure = [], [], [], True
        if audit.gradients or audit.updates:
            break
    if not audit.gradients and audit.unsure:
        audit.notes.append(UNSURE)
    audit.findings = sorted([*forward, *judged], key=lambda each: places.get(each.cell, -1))
    audit.found = bool(audit.gradients or audit.updates or audit.findings) or looks_like_a_network(graph, labels)
    if audit.found:
        audit.notes.extend(_of_empty_cells(graph))
    if audit.found and not audit.gradients and not audit.updates:
        audit.notes.append("no gradients were found in the book: its forward pass alone was looked at")
    return audit


def _of_empty_cells(graph: BookGraph) -> list[str]:
    """The formulas that name a cell in which nothing stands, which counts as 0: most often one beside the one meant."""
    sheets, found = graph.book.sheets, list[str]()
    for cell in graph.order:
        for named in cells_named(graph.book, cell):
            sheet, place = sheets.get(named.matrix), (named.row, named.column)
            if sheet is not None and place not in sheet.values and place not in sheet.formulas:
                found.append(f"{name_of(cell)} {graph.formula(cell)}: {name_of(named)} is empty")
                break
    more = [f"{len(found) - MOST_EMPTY} more formulas name empty cells"] if len(found) > MOST_EMPTY else []
    return found[:MOST_EMPTY] + more


def _readings(graph: BookGraph, said: RoleMap) -> Iterator[Roles]:
    """What the cells may be for: as they hang together; with inputs as targets; as the book's defined names say.

    Names come first where nothing is wrong by them and something is without them.
    """
    first = find_roles(graph, said)
    names = named_roles(graph)
    told = names if said == RoleMap() and names.loss is not None and names.gradients else None
    named = find_roles(graph, told) if told is not None else None
    if named is not None and first.losses and named.losses != first.losses[:1]:
        without, by_names = (
            Judge.of(Claims.of(Study.of(graph, each), BookLabels(graph.book))) for each in (first, named)
        )
        if len(by_names.faults) < len(without.faults) and len(by_names.gradients) >= len(without.gradients):
            yield find_roles(graph, names)
    yield find_roles(graph, said)
    yield find_roles(graph, said, mixed=True)
    if named is not None:
        yield find_roles(graph, names)


def _judged(audit: Audit, roles: Roles, labels: BookLabels) -> list[AuditFinding]:
    study = Study.of(audit.graph, roles)
    judge = Judge.of(Claims.of(study, labels))
    before = judge
    forward: list[Fault] = []
    if (judge.faults or judge.unused) and (mended := put_forward_right(judge, labels)) is not None:
        judge, forward = mended
        study = judge.claims.study
    if (judge.faults or forward) and not (judge.is_sure and _has_a_right_one(judge)):
        audit.unsure = True
        return []
    audit.study, audit.factor, audit.change = study, judge.factor, judge.change
    audit.losses = study.roles.losses
    audit.implied = next((WORDS[each.row] for each in study.roles.losses if each.matrix == NOWHERE), None)
    audit.gradients = judge.gradients
    in_updates = [each.cell for each in judge.faults if each.kind == "update"]
    audit.updates = judge.taken and [*judge.taken, *in_updates]
    audit.carried = frozenset(study.roles.updates)
    audit.parameters = study.roles.parameters or list(
        dict.fromkeys(each.of for each in judge.gradients if each.of in study.graph.typed)
    )
    if judge.gradients or judge.taken:
        audit.conventions.extend(conventions(judge))
    found = gradient_findings(judge, SlipNaming(judge, labels))
    if forward:
        before.faults = forward
        found = [*gradient_findings(before, SlipNaming(before, labels)), *found]
    return found


def _has_a_right_one(judge: Judge) -> bool:
    """Whether any parameter's gradient is right: where none is, what looks like gradients may be something else."""
    known = {*judge.claims.study.graph.typed, *judge.claims.study.roles.parameters}
    return bool(judge.taken) or any(each.of in known and not (each.wrong and each.blamed) for each in judge.gradients)


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
