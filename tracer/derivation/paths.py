"""The chain rule of one parameter of a program: a product of fractions along each path to the loss, and their sum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from tracer.derivation.cells import Cells
from tracer.derivation.links import MOST_LINKS, ChainLinks, Link, rounded
from tracer.derivation.typeset import EQUALS, NEARLY, Chapter, Contents, Formula, Passage, formula, operator, row, say
from tracer.expression import scalar as s
from tracer.expression.mathml import cell_mathml, cell_mathml_terms
from tracer.expression.worked import holds
from tracer.presentation.excerpt import counted, kept

MOST_PARAMETERS = 4  # whose chain is written
MOST_PATHS = 6  # along which a parameter is followed; where it would be more, they begin with ∂L/∂u
LONGEST = 12  # factors of a path
MOST_FACTORS = 12  # that are worked out one by one

LinkPath: TypeAlias = tuple[Link, ...]
"""From the loss (or from where it ends) to the parameter."""


@dataclass(frozen=True)
class ChainPaths:
    """The paths of one cell of a gradient, what each comes to, and how many there were on which a factor is 0."""

    gradient: s.Cell
    paths: tuple[LinkPath, ...]
    values: tuple[float, ...]
    silent: int


def paths_of(links: ChainLinks, gradient: s.Cell) -> ChainPaths | None:
    """The paths of a gradient's cell, as long as there are not too many; None where already its links are."""
    found = _live(links, gradient)
    if found is None:
        return None
    paths: list[LinkPath] = [(link,) for link in found[0]]
    silent = found[1]
    while (longer := _longer(links, paths)) is not None:
        paths, silent = longer[0], silent + longer[1]
    values = tuple(_head(links, path) * prod(link.value for link in path) for path in paths)
    return ChainPaths(gradient, tuple(paths), values, silent)


def _longer(links: ChainLinks, paths: Sequence[LinkPath]) -> tuple[list[LinkPath], int] | None:
    """One more link for all paths that begin with one gradient, and how many are 0; None where it would be too much."""
    for matrix in dict.fromkeys(path[0].gradient.matrix for path in paths if path[0].gradient is not None):
        longer: list[LinkPath] = []
        silent = 0
        for path in paths:
            head = path[0].gradient
            if head is None or head.matrix != matrix:
                longer.append(path)
                continue
            found = _live(links, head) if len(path) < LONGEST else None
            if found is None:
                break
            longer += [(link, *path) for link in found[0]]
            silent += found[1]
        else:
            if len(longer) <= MOST_PATHS:
                return longer, silent
    return None


def strongest(links: ChainLinks, gradient: s.Cell) -> LinkPath:
    """The path from the loss on which each link does most for the one behind it."""
    path: LinkPath = ()
    head: s.Cell | None = gradient
    while head is not None and len(path) < MOST_LINKS:
        found = _live(links, head)
        if found is None or not found[0]:
            break
        path = (max(found[0], key=lambda link: abs(_head(links, (link,)) * link.value)), *path)
        head = path[0].gradient
    return path


def _head(links: ChainLinks, path: LinkPath) -> float:
    """∂L/∂u where a path begins; 1 where it begins with the loss."""
    head = path[0].gradient
    return 1.0 if head is None else links.number(head)


def _live(links: ChainLinks, gradient: s.Cell) -> tuple[list[Link], int] | None:
    """The links of a cell on which something comes back, and how many there are on which nothing does."""
    found = links.of(gradient)
    if found is None:
        return None
    live = [link for link in found if link.value * _head(links, (link,)) != 0]
    return live, len(found) - len(live)


def chains(cells: Cells) -> Chapter | None:
    """The chain rule for one cell of each parameter; None where no parameter has one."""
    links, program = ChainLinks(cells), cells.program
    gradients = [program.gradients[each] for each in program.parameters if each in program.gradients]
    passages: list[Passage] = []
    told: set[Link] = set()
    for gradient in gradients[:MOST_PARAMETERS]:
        found = paths_of(links, cells.first(gradient))
        if found is not None and found.paths:
            passages.append(Passage("chain", gradient, tuple(_chain(cells, links, found, told))))
    if passages and len(gradients) > MOST_PARAMETERS:
        others = counted(len(gradients) - MOST_PARAMETERS, "other parameter")
        passages.append(Passage("chain", "", (say(f"The chains of {others} are found in the same way."),)))
    return Chapter("chain", "The chain rule, for one number of each parameter", tuple(passages)) if passages else None


def _chain(cells: Cells, links: ChainLinks, found: ChainPaths, told: set[Link]) -> Contents:
    """The paths of one parameter, and the factors that no parameter before it had; `told` has those."""
    parameter, count = cells.owner(found.gradient), len(found.paths)
    along = "one path" if count == 1 else f"{count} paths"
    yield say(
        f"{{parameter}} acts on the loss along {along}. Multiply the derivatives along "
        f"{'it' if count == 1 else 'each, and add the paths up'}:",
        parameter=cells.symbol(parameter),
    )
    yield _sum(cells, links, found)
    if found.silent:
        more = "One more path has" if found.silent == 1 else f"{found.silent:,} more paths have"
        yield say(f"{more} a factor that is 0.")
    most: LinkPath = ()
    if any(path[0].gradient is not None for path in found.paths):
        most = strongest(links, found.gradient)
        yield say(
            "The first factor is a gradient that is known by now; it sums up all that lies between there and the loss. "
            "The path that contributes most, all the way from the loss:"
        )
        yield _product(cells, links, most)
    every = dict.fromkeys(link for path in (most, *found.paths) for link in path)
    factors = [link for link in every if link not in told]
    if not factors:
        yield say("All of these factors are known from above.")
        return
    yield say("Some factors are known from above. The others:" if told else "The factors, one after the other:")
    told.update(factors)
    yield from _factors(cells, links, factors[:MOST_FACTORS])
    if len(factors) > MOST_FACTORS:
        others = len(factors) - MOST_FACTORS
        yield say(f"{'One more is' if others == 1 else f'The other {others:,} are'} found in the same way.")


def _factors(cells: Cells, links: ChainLinks, factors: Sequence[Link]) -> Contents:
    """Those that are a cell or a number in one line, each of the others in a line of its own."""
    plain = [link for link in factors if isinstance(link.rule, s.Cell | s.Number)]
    if plain:
        yield formula(*(_plain(cells, links, link, last=link is plain[-1]) for link in plain))
    for link in factors:
        if link not in plain:
            yield _factor(cells, links, link)


def _sum(cells: Cells, links: ChainLinks, found: ChainPaths) -> Formula:
    """∂L/∂w = fractions = numbers = the paths' values = value; the middle of very many paths is left out."""
    places = kept(len(found.paths), MOST_PATHS, 3, 1)
    shown = {k for k in places if k is not None}
    rest = [value for k, value in enumerate(found.values) if k not in shown]
    omitted = s.Omitted(len(rest), sum(rest))
    fractions = _signed(
        [cell_mathml(omitted, cells.symbol)] if k is None else _fractions(cells, found.paths[k]) for k in places
    )
    products = (omitted if k is None else s.Product(tuple(_numbers(links, found.paths[k]))) for k in places)
    values = (omitted if k is None else rounded(found.values[k]) for k in places)
    result = s.Value(links.number(found.gradient), links.decimals(found.gradient))
    stages = [s.Sum(tuple(terms)) for terms in (products, values)[: len(places)]]
    exact = all(holds(stage, result) for stage in stages)
    lines = (_after(EQUALS, cell_mathml_terms(stage, cells.symbol)) for stage in stages)
    end = [row(operator(EQUALS if exact else NEARLY), cells.value(found.gradient))]
    return formula([cells.symbol(found.gradient)], *fractions, *lines, end)


def _product(cells: Cells, links: ChainLinks, path: LinkPath) -> Formula:
    """One path: its fractions = its numbers = what they come to."""
    product = s.Product(tuple(_numbers(links, path)))
    result = rounded(_head(links, path) * prod(link.value for link in path))
    sign = EQUALS if holds(product, result) else NEARLY
    (fractions,) = _signed((_fractions(cells, path),))
    start = fractions[0].removeprefix(f"<mrow>{_sign(EQUALS)}").removesuffix("</mrow>")
    numbers, end = (cell_mathml_terms(each, cells.symbol) for each in (product, result))
    return formula([start, *fractions[1:]], _after(EQUALS, numbers), _after(sign, end))


def _fractions(cells: Cells, path: LinkPath) -> list[str]:
    head = path[0].gradient
    first = [] if head is None else [cells.symbol(head)]
    return [*first, *(cells.ratio(link.top, link.by) for link in path)]


def _signed(products: Iterable[list[str]]) -> Iterator[list[str]]:
    """Each product behind its sign, a piece for every factor, so that a line may break before any."""
    for k, factors in enumerate(products):
        first = row(_sign("+" if k else EQUALS), factors[0])
        yield [first, *(row(_sign("·"), factor) for factor in factors[1:])]


def _sign(sign: str) -> str:
    return f'<mo form="infix">{sign}</mo>'


def _numbers(links: ChainLinks, path: LinkPath) -> Iterator[s.Value]:
    head = path[0].gradient
    if head is not None:
        yield s.Value(links.number(head), links.decimals(head))
    for link in path:
        yield links.shown(link)


def _plain(cells: Cells, links: ChainLinks, link: Link, last: bool) -> list[str]:
    """∂top/∂by = the cell that it is = its value; or = the number that it is."""
    value = cell_mathml_terms(links.shown(link), cells.symbol)
    letters = [row(operator(EQUALS), cells.factor(link.rule))] if isinstance(link.rule, s.Cell) else []
    comma = [] if last else ["<mo>,</mo><mtext>&#160;&#160;</mtext>"]
    return [
        row(cells.ratio(link.top, link.by), *letters, operator(EQUALS if links.exact(link) else NEARLY), *value, *comma)
    ]


def _factor(cells: Cells, links: ChainLinks, link: Link) -> Formula:
    """∂top/∂by = its rule in letters = with numbers = its value."""
    worked = links.worked(link)
    letters, numbers = cells.pieces(worked.letters), cells.pieces(worked.stages[0])
    end = cell_mathml_terms(links.shown(link), cells.symbol)
    sign = EQUALS if links.exact(link) else NEARLY
    start = [cells.ratio(link.top, link.by)]
    return formula(start, _after(EQUALS, letters), _after(EQUALS, numbers), _after(sign, end))


def _after(sign: str, pieces: Sequence[str]) -> list[str]:
    return [row(operator(sign), pieces[0]), *pieces[1:]]
