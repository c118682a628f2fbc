"""Faults of the forward pass: where gradients are wrong, a forward formula that is no known function, or that lacks a
bias, is put right by way of trial. If all gradients are right then, it was that formula and not they.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tracer.audit.claims import Claims
from tracer.audit.graph import root
from tracer.audit.judge import Judge
from tracer.audit.known import FAR, NEAR, KnownNumbers, Study, alike
from tracer.audit.labels import BookLabels
from tracer.audit.numbers import cells_of, value
from tracer.audit.roles import changes_of, find_roles
from tracer.audit.updates import Fault
from tracer.calculus.functions import LOGISTIC
from tracer.expression import scalar as s

MOST_TRIED, MOST_SECONDS = 16, 5.0  # hypotheses, and time of a core for them


@dataclass(frozen=True)
class Hypothesis:
    """What forward cells should be made of."""

    made: Mapping[s.Cell, s.Scalar]


def put_forward_right(judge: Judge, labels: BookLabels) -> tuple[Judge, list[Fault]] | None:
    """The judge of a book whose forward pass is put right, and what was wrong in it; None where that mends nothing."""
    study = judge.claims.study
    begun = time.process_time()
    best: tuple[Judge, Hypothesis] | None = None
    count = len(judge.faults) + judge.unused
    for number, hypothesis in enumerate(hypotheses(judge)):
        if number >= MOST_TRIED or not count or (number > 1 and time.process_time() - begun > MOST_SECONDS):
            break
        found = _judged(study, hypothesis, labels)
        if (
            found is not None
            and len(found.faults) + found.unused < count
            and len(found.gradients) >= len(judge.gradients)
        ):
            best, count = (found, hypothesis), len(found.faults) + found.unused
    if best is None or count * 4 > len(judge.faults) + judge.unused:
        return None
    return best[0], list(_faults(judge, best[1]))


def _faults(judge: Judge, hypothesis: Hypothesis) -> Iterator[Fault]:
    study = judge.claims.study
    with np.errstate(all="ignore"):
        for cell, made in sorted(hypothesis.made.items(), key=lambda each: study.places[each[0]]):
            right = np.broadcast_to(value(made, study.values), (1 + NEAR + FAR,))
            yield Fault(cell, right, study.row(cell), "forward", cell)


def _judged(study: Study, hypothesis: Hypothesis, labels: BookLabels) -> Judge | None:
    uses = {cell: tuple(cells_of(made)) for cell, made in hypothesis.made.items()}
    graph = study.graph
    changed = replace(graph, made={**graph.made, **hypothesis.made}, uses={**graph.uses, **uses})
    mended = Study.of(changed, find_roles(changed, study.roles.said))
    return Judge.of(Claims.of(mended, labels)) if mended.roles.losses else None


def hypotheses(judge: Judge) -> Iterator[Hypothesis]:
    """What may be meant, the likeliest first: a bias that was forgotten or subtracted, a sigmoid that was mistyped."""
    yield from _forgotten(judge)
    yield from _left_out(judge)
    yield from _subtracted(judge)
    yield from _mistyped(judge)


def _forward_families(judge: Judge) -> list[list[s.Cell]]:
    """Functions of one cell in the forward pass, those that are one function together."""
    study = judge.claims.study
    found: dict[object, list[s.Cell]] = {}
    for cell in study.graph.order:
        if len(study.graph.uses[cell]) == 1 and cell in study.right and cell not in study.roles.losses:
            found.setdefault(_form(study.graph.made[cell]), []).append(cell)
    return list(found.values())


def _form(node: s.Scalar) -> object:
    """An expression with every cell alike."""
    if isinstance(node, s.Cell):
        return "cell"
    parts = s.children(node)
    if not parts:
        return node
    return type(node).__name__, getattr(node, "exponent", None), tuple(map(_form, parts))


def _mistyped(judge: Judge) -> Iterator[Hypothesis]:
    """Functions of one cell with an exponential in them that are no sigmoid, as sigmoids; copies as sigmoids too."""
    graph = judge.claims.study.graph
    for family in _forward_families(judge):
        made = graph.made[family[0]]
        if len(cells_of(made)) == 1 and (_has_power(made) and not _is_sigmoid(made)):
            yield Hypothesis({cell: _sigmoid(next(iter(cells_of(graph.made[cell])))) for cell in family})
    for family in _forward_families(judge):
        if isinstance(graph.made[family[0]], s.Cell):
            yield Hypothesis({cell: _sigmoid(next(iter(graph.uses[cell]))) for cell in family})


def _has_power(node: s.Scalar) -> bool:
    return isinstance(node, s.Exp | s.Raised) or any(map(_has_power, s.children(node)))


def _sigmoid(cell: s.Cell) -> s.Scalar:
    return s.substitute(LOGISTIC, {"z": cell})


def _is_sigmoid(node: s.Scalar) -> bool:
    (cell,) = cells_of(node)
    at = {cell: np.linspace(-2.0, 2.0, 9)}
    with np.errstate(all="ignore"):
        return bool(np.allclose(value(node, at), value(_sigmoid(cell), at), rtol=1e-9))


def _forgotten(judge: Judge) -> Iterator[Hypothesis]:
    """A bias that has an update and is in no sum: its gradient adds up those of the cells that lack it."""
    study = judge.claims.study
    index = KnownNumbers(((loss, cell), row) for cell, rows in study.right.items() for loss, row in rows)
    made: dict[s.Cell, s.Scalar] = {}
    for update in changes_of(study.graph, study.roles):
        if update.parameter in study.right or len(update.takes) != 1:
            continue
        (gradient,) = update.takes
        parts = _terms_behind(study, gradient)
        found = [_sum_for(study, index, each) for each in parts]
        for cell in found:
            if cell is not None:
                made[cell] = s.Sum((study.graph.made[cell], update.parameter))
    if made:
        yield Hypothesis(made)


def _terms_behind(study: Study, gradient: s.Cell) -> list[s.Cell]:
    held = [each for each in study.graph.uses.get(root(study.graph, gradient), ()) if each in study.roles.held]
    return held if len(held) > 1 else [gradient]


def _sum_for(study: Study, index: KnownNumbers, cell: s.Cell) -> s.Cell | None:
    """The weighted sum whose gradient a cell shows."""
    for _, of, factor in index.find(study.row(cell)):
        made = study.graph.made.get(of)
        if (
            abs(abs(factor) - 1) < 1e-6
            and isinstance(made, s.Sum | s.Product)
            and any(isinstance(each, s.Product) for each in (made, *s.children(made)))
        ):
            return of
    return None


def _left_out(judge: Judge) -> Iterator[Hypothesis]:
    """A cell in line with those that a parameter is added to, without it, where that parameter's gradient is wrong."""
    study = judge.claims.study
    graph = study.graph
    wrong = {each.of for each in judge.gradients if each.wrong and each.blamed}
    for parameter in sorted(wrong, key=lambda each: (each.matrix, each.row, each.column)):
        users = [each for each in graph.users.get(parameter, ()) if each in study.right]
        if len(users) < 2 or not all(_adds(study, each, parameter) for each in users):
            continue
        near = {s.Cell(u.matrix, u.row + i, u.column + j) for u in users for i, j in ((0, 1), (0, -1), (1, 0), (-1, 0))}
        for cell in sorted(near - set(users), key=lambda each: study.places.get(each, -1)):
            in_line = all(cell.row == each.row for each in users) or all(cell.column == each.column for each in users)
            if in_line and cell in study.right and cell in graph.made:
                yield Hypothesis({cell: s.Sum((graph.made[cell], parameter))})


def _adds(study: Study, cell: s.Cell, parameter: s.Cell) -> bool:
    slope = np.broadcast_to(study.slopes_of(cell).get(parameter, 0.0), (1 + NEAR + FAR,))
    return alike(slope, np.ones_like(slope))


def _subtracted(judge: Judge) -> Iterator[Hypothesis]:
    """A parameter that is subtracted in a sum, where its gradient has the wrong sign."""
    study = judge.claims.study
    made: dict[s.Cell, s.Scalar] = {}
    for each in judge.gradients:
        if each.wrong and each.blamed and alike(each.claimed, -each.right):
            for user in study.graph.users.get(each.of, ()):
                expression = study.graph.made[user]
                if user in study.right and isinstance(expression, s.Sum) and s.Negative(each.of) in expression.terms:
                    terms = tuple(each.of if term == s.Negative(each.of) else term for term in expression.terms)
                    made[user] = s.Sum(terms)
    if made:
        yield Hypothesis(made)
