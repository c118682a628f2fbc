"""Names read off headings: whole matrices, or cells of them. What a plain name means, a subclass knows.

Names are compared without case, spaces, underscores, hyphens and raised or lowered letters.
"""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from tracer.answers.numbers import UNSEEN
from tracer.program.naming_policy import RATE

MOST_READ = 20_000  # headings that are remembered
MOST_LETTERS = 80  # of a heading; what is longer is a sentence

CellIndex: TypeAlias = tuple[int, int] | None


class NameReading(NamedTuple):
    """A matrix that a name can mean, or a cell of it; the lowest rank is the likeliest."""

    rank: int
    identifier: str
    place: CellIndex = None


OWN, FIELD = 1, 2  # ranks of names: 0 is the identifier to the letter

_LETTERS = str.maketrans({
    "∂": "d", "δ": "delta", "∇": "grad", "′": "'", "’": "'", "ʹ": "'", "·": "*", "×": "*", "⊙": "*", "⋅": "*",
    "\N{COMBINING CIRCUMFLEX ACCENT}": "hat", "η": "eta", "α": "alpha", "σ": "sigma", "^": None, "−": None,
    **dict.fromkeys(" \t\n_-‐–—`\"$\\{}", None),
})  # fmt: skip
_NUMBERED = re.compile(r"(?<=[a-z])[\[(]([0-9]+)[\])]")
_IS_NEW = re.compile(r"[\[(]?\b(?:after (?:the )?update|updated|new|next)\b[\])]?", re.I)
_CELL = re.compile(r"(.+)\[([0-9]{1,4})[,;]([0-9]{1,4})\]")
_UNKNOWN = re.compile(r"[A-Z][0-9]+")  # like an identifier, and no cell such as w9
_SHAPE = re.compile(r"[\[(]?\s*(?:shape:?\s*)?[\[(]?\b[0-9]+\s*(?:[x×*]|,)\s*[0-9]+\b[\])]?\s*[\])]?", re.I)
_BULLET = re.compile(r"^(?:[#>•-]+\s+|[0-9]+[.)]\s+)+")
_PARTS = re.compile(r"\s*[:;|,]\s*|\s+[·–—-]\s+")
_MINUS = re.compile(r"\s*[-−–]\s+|\s+[-−–]\s*|(?<=[^\W_])−(?=[^\W_])")
_BRACKETED = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_IN_BRACKETS = re.compile(r"(?<![\w.])[(\[]([^()\[\]]*)[)\]]")  # and not what a function is called with
_NOISE = {"matrix", "values", "the", "of"}


def plain(name: str) -> str:
    """A name as it is compared.

    >>> plain("Error_at-hidden Layer"), plain("W₁⁺"), plain("∂L/∂Z1")
    ('errorathiddenlayer', 'w1+', 'dl/dz1')
    """
    letters = unicodedata.normalize("NFKD", name).lower().translate(_LETTERS)
    letters = "".join(letter for letter in letters if unicodedata.category(letter) not in ("Cf", "Zs", "Cc"))
    return _NUMBERED.sub(r"\1", letters)


class NamesRead(ABC):
    """The names of one problem's matrices; `shapes` are those that it has, or under another convention of it."""

    def __init__(self, shapes: Mapping[str, tuple[int, int]]) -> None:
        self.shapes = dict(shapes) | {RATE: (1, 1)}
        self._read: dict[str, tuple[NameReading, ...]] = {}

    def read(self, heading: str) -> tuple[NameReading, ...]:
        """The matrices and cells that a heading can mean, none where it is no name."""
        if len(heading) > MOST_LETTERS:
            return ()
        heading = heading if heading.isascii() else heading.translate(UNSEEN)
        if heading not in self._read:
            if len(self._read) >= MOST_READ:
                self._read.clear()
            ranks: dict[tuple[str, CellIndex], int] = {}
            for rank, identifier, place in self._heading(heading):
                whole = place is None or self.shapes[identifier] == (1, 1)
                meant = (identifier, None if whole else place)
                ranks[meant] = min(rank, ranks.get(meant, rank))
            self._read[heading] = tuple(NameReading(rank, *meant) for meant, rank in ranks.items())
        return self._read[heading]

    def wider(self, identifier: str) -> tuple[int, int] | None:
        """The shape with what some write before it: a bias as a row more, a leading 1 as a column more."""
        return None

    @abstractmethod
    def named(self, name: str) -> list[NameReading]:
        """What a plain name means."""

    @abstractmethod
    def updated(self, readings: Iterable[NameReading]) -> list[NameReading]:
        """The new values of what was read, where there are any."""

    def stacked(self, heading: str) -> Sequence[tuple[str, ...]]:
        """The matrices of all time steps or heads that a heading can mean together."""
        return ()

    def noise(self, identifier: str) -> set[str]:
        """Words that add nothing to a matrix: "weights W1"."""
        return set()

    def _heading(self, heading: str) -> Iterable[NameReading]:
        text = heading.replace("**", "").replace("`", "").strip()
        text = _BULLET.sub("", text.strip("* ") if text.startswith("*") else text)  # but W1* is a name
        text = re.split(r"[=≔←]", text)[0].strip().rstrip(":").strip()
        if _IS_NEW.search(text):
            return self.updated(self._heading(_IS_NEW.sub(" ", text)))
        if text in self.shapes:
            return [NameReading(0, text)]
        cell = _CELL.fullmatch(text)
        if cell is not None:
            return self._cell_of(cell[1], int(cell[2]) - 1, int(cell[3]) - 1)
        text = _SHAPE.sub(" ", text).strip()
        if self._is_difference(text):
            return []
        outside = _BRACKETED.sub(" ", text).strip()
        ways = (
            [text],
            _PARTS.split(outside),
            [part for each in _IN_BRACKETS.findall(text) for part in _PARTS.split(each)],
        )
        for parts in ways:
            found = [each for part in parts for each in self._part(part)]
            if found:
                return found
        return self._word(outside)

    def _is_difference(self, text: str) -> bool:
        """Whether names of different matrices stand with a minus between them: y − ŷ is neither."""
        parts = [{each.identifier for each in self._part(part)} for part in _MINUS.split(text.strip("()[]²^2 "))]
        return len(parts) == 2 and all(parts) and not parts[0] & parts[1]

    def _part(self, part: str) -> list[NameReading]:
        if part in self.shapes:
            return [NameReading(0, part)]
        found = self.named(plain(part))
        return [each for each in found if each.place is None] if _UNKNOWN.fullmatch(part) else found

    def _cell_of(self, name: str, row: int, column: int) -> list[NameReading]:
        found = self._part(name.strip())
        inside = [each for each in found if each.place is None and self._has(each.identifier, row, column)]
        return [each._replace(place=(row, column)) for each in inside]

    def _has(self, identifier: str, row: int, column: int) -> bool:
        rows, columns = self.shapes[identifier]
        return 0 <= row < rows and 0 <= column < columns

    def _word(self, text: str) -> list[NameReading]:
        """An identifier among words that add nothing: "weights W1", "the matrix W1"."""
        words = text.split()
        found = {word for word in words if word in self.shapes}
        others = {word.lower() for word in words} - {word.lower() for word in found}
        if len(found) != 1:
            return []
        (identifier,) = found
        return [NameReading(OWN, identifier)] if others <= _NOISE | self.noise(identifier) else []
