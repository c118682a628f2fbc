"""The chain rule of one parameter of a program: a product of fractions along each path to the loss, and their sum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from tracer.derivation.cells import Cells
from tracer.derivation.links import Link, Links, rounded
from tracer.derivation.typeset import EQUALS, NEARLY, Chapter, Contents, Formula, Passage, formula, operator, row, say
from tracer.expression import scalar as s
from tracer.expression.mathml import cell_mathml_terms
from tracer.expression.worked import holds
from tracer.presentation.excerpt import counted, kept

MOST_PARAMETERS = 6  # whose chain is written
MOST_PATHS = 6  # along which a parameter is followed; where it would be more, a path ends in ∂L/∂u
LONGEST = 12  # factors of a path
MOST_FACTORS = 12  # that are worked out one by one

Path: TypeAlias = tuple[Link, ...]
"""From the loss (or from where it ends) to the parameter."""


@dataclass(frozen=True)
class Paths:
    """The paths of one cell of a gradient, what each comes to, and how many there were on which a factor is 0."""

    gradient: s.Cell
    paths: tuple[Path, ...]
    values: tuple[float, ...]
    silent: int


def paths_of(links: Links, gradient: s.Cell) -> Paths | None:
    """The paths of a gradient's cell, as long as there are not too many; None where already its links are."""
    found = _live(links, gradient)
    if found is None:
        return None
    paths, silent = [(link,) for link in found[0]], found[1]
    while True:
        ends = [(len(more[0]), k) for k, path in enumerate(paths) if (more := _longer(links, path)) is not None]
        count, k = min(ends, default=(0, 0))
        if not ends or len(paths) - 1 + count > MOST_PATHS:
            values = tuple(_head(links, path) * prod(link.value for link in path) for path in paths)
            return Paths(gradient, tuple(paths), values, silent)
        more = _longer(links, paths[k])
        assert more is not None
        silent += more[1]
        paths[k : k + 1] = [(link, *paths[k]) for link in more[0]]


def _head(links: Links, path: Path) -> float:
    """∂L/∂u where a path begins; 1 where it begins with the loss."""
    head = path[0].gradient
    return 1.0 if head is None else links.number(head)


def _longer(links: Links, path: Path) -> tuple[list[Link], int] | None:
    head = path[0].gradient
    return None if head is None or len(path) == LONGEST else _live(links, head)


def _live(links: Links, gradient: s.Cell) -> tuple[list[Link], int] | None:
    """The links of a cell that are not 0, and how many are."""
    found = links.of(gradient)
    if found is None:
        return None
    live = [link for link in found if link.value != 0]
    return live, len(found) - len(live)


def chains(cells: Cells) -> Chapter | None:
    """The chain rule for one cell of each parameter; None where no parameter has one."""
    links, program = Links(cells), cells.program
    gradients = [program.gradients[each] for each in program.parameters if each in program.gradients]
    passages = []
    for gradient in gradients:
        found = paths_of(links, cells.first(gradient))
        if found is not None and found.paths:
            passages.append(Passage("chain", gradient, tuple(_chain(cells, links, found))))
        if len(passages) == MOST_PARAMETERS:
            break
    return Chapter("chain", "The chain rule, for one number of each parameter", tuple(passages)) if passages else None


def _chain(cells: Cells, links: Links, found: Paths) -> Contents:
    parameter, count = cells.owner(found.gradient), len(found.paths)
    along = "one path" if count == 1 else f"{count} paths"
    yield say(
        f"{{parameter}} acts on the loss along {along}. Multiply the derivatives along "
        f"{'it' if count == 1 else 'each, and add the paths up'}:",
        parameter=cells.symbol(parameter),
    )
    yield _sum(cells, links, found)
    if found.silent:
        yield say(f"{counted(found.silent, 'path')} more {'has' if found.silent == 1 else 'have'} a factor that is 0.")
    if any(path[0].gradient is not None for path in found.paths):
        yield say("Where a path begins in the middle, its first factor sums up all that lies between there and the loss.")
    factors = list(dict.fromkeys(link for path in found.paths for link in path))
    yield say("The factors, one after the other:")
    yield from (_factor(cells, links, link) for link in factors[:MOST_FACTORS])
    if len(factors) > MOST_FACTORS:
        yield say(f"The other {len(factors) - MOST_FACTORS:,} are found in the same way.")


def _sum(cells: Cells, links: Links, found: Paths) -> Formula:
    """∂L/∂w = fractions = numbers = the paths' values = value."""
    places = [k for k in kept(len(found.paths), MOST_PATHS, 3, 1) if k is not None]
    left_out = len(found.paths) - len(places)
    fractions = list(_signed([_fractions(cells, found.paths[k]) for k in places]))
    products = [s.Product(tuple(_numbers(links, found.paths[k]))) for k in places]
    values = [rounded(found.values[k]) for k in places]
    result = s.Value(links.number(found.gradient), links.decimals(found.gradient))
    stages: list[s.Scalar] = [s.Sum(tuple(products))]
    if len(values) > 1:
        stages.append(s.Sum(tuple(values)))
    exact = not left_out and all(holds(stage, result) for stage in stages)
    more = [f"<mtext>&#160;+ {left_out:,} more</mtext>"] if left_out else []
    lines = [_after(EQUALS, [*cell_mathml_terms(stage, cells.symbol), *more]) for stage in stages]
    end = [row(operator(EQUALS if exact else NEARLY), cells.value(found.gradient))]
    return formula([cells.symbol(found.gradient)], _after(EQUALS, [*fractions, *more]), *lines, end)


def _fractions(cells: Cells, path: Path) -> list[str]:
    head = path[0].gradient
    first = [] if head is None else [cells.symbol(head)]
    return [*first, *(cells.ratio(link.top, link.by) for link in path)]


def _signed(products: Sequence[list[str]]) -> Iterator[str]:
    """The factors with the signs between them, a piece each, so that a line may break before any."""
    for k, factors in enumerate(products):
        for n, factor in enumerate(factors):
            sign = "·" if n else "+" if k else ""
            yield row(f'<mo form="infix">{sign}</mo>', factor) if sign else factor


def _numbers(links: Links, path: Path) -> Iterator[s.Value]:
    head = path[0].gradient
    if head is not None:
        yield s.Value(links.number(head), links.decimals(head))
    for link in path:
        yield links.shown(link)


def _factor(cells: Cells, links: Links, link: Link) -> Formula:
    """∂top/∂by = its rule in letters = with numbers = its value."""
    worked = links.worked(link)
    stages = [[cells.ratio(link.top, link.by)], _after(EQUALS, cells.pieces(worked.letters))]
    if isinstance(link.rule, s.Number):
        return formula(*stages)
    if not isinstance(link.rule, s.Cell):
        stages.append(_after(EQUALS, cells.pieces(worked.stages[0])))
    end = cell_mathml_terms(links.shown(link), cells.symbol)
    return formula(*stages, _after(EQUALS if links.exact(link) else NEARLY, end))


def _after(sign: str, pieces: Sequence[str]) -> list[str]:
    return [row(operator(sign), pieces[0]), *pieces[1:]]
