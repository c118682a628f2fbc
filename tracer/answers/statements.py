"""Lines that give a name to numbers: `name = working = value`. The last value of a line is the answer.

A line whose value cannot be read gives none, and its name belongs to nothing but what stands right below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tracer.answers.arrays import ARRAY, FOLDED, Lifted, numbers_in
from tracer.answers.dialects import NEXT
from tracer.answers.handed_in import MOST_TEXT, Assigned, Grid
from tracer.answers.numbers import Entry, read_number

_EQUALS = r":=|<-|←|≔|≈|≃|≅|(?<![<>!=])=+(?![>])"
_ARROW = re.compile(r"->|→|⟶|↦")
_GIVES = re.compile(rf"{_EQUALS}|:(?!=)")
_CHAIN = re.compile(rf"{_EQUALS}|=>|⇒|⟹")
_GOES_ON = re.compile(r"^[\s&$|]*(?:=>|⇒|⟹|=|≈|≃|≅)(?!=)")
_NAME = r"['\"]?(?:[^\W\d_]|[∂∇𝜕𝟃])[^\s=:,;≈]{0,40}['\"]?(?:\s?\(?(?:new|neu|old)\)?)?"
_WORDS = r"(?:[^\W\d_][^\W\d_']{0,15} ){0,3}"  # before a name: new w
_ANOTHER = re.compile(
    rf"(?:\s*(?:=>|⇒|⟹)\s*|(?<=[\ue001\x1d)])\s*[,;]\s*|\s*[,;]\s+|;|\s{{2,8}}|(?<=[0-9.])\s)(?={_WORDS}{_NAME}\s?(?:=|:=|≈|←|<-|:\s)(?!=))"
)
_STEP = re.compile(r"^\s*(?:[0-9]{1,2}[.)]|[-•])\s+(?=\S)")
_NAMES_IT = re.compile(rf"\s*{_NAME}\s?(?:{_EQUALS})")
MOST_ROWS = 1_000  # below the name of a matrix
_ENDS = " \t,;}{$&✓✔!" + FOLDED
_LETTER = re.compile(r"[^\W\d_]|∂|∇")


@dataclass(frozen=True)
class Statement:
    """A name and its value; `before` is the value that an arrow leads on from. `text` is the line as it was typed."""

    name: str
    text: str
    value: Assigned | None = None
    before: Assigned | None = None

    def with_row(self, line: str) -> Statement | None:
        """The statement with the row that stands below its own, as many numbers and nothing else; None for others."""
        own = self.value
        if own is None or len(own.grid[-1]) < 2 or len(own.grid) >= MOST_ROWS or ARRAY.search(self.text):
            return None
        row = row_of(line.strip(_ENDS))
        return replace(self, value=replace(own, grid=(*own.grid, row))) if len(row) == len(own.grid[-1]) else None

    def after(self, line: str, lifted: Lifted) -> Statement:
        """The statement once a line goes on with it."""
        parts = [each for each in _CHAIN.split(_GOES_ON.sub("", line)) if each.strip()]
        return replace(self, value=_assigned(self.name, parts[-1], lifted) if parts else None)


def goes_on(line: str) -> bool:
    """Whether a line goes on with the working of the line before: it begins with an equals sign."""
    return _GOES_ON.match(line) is not None


def statements(line: str, lifted: Lifted) -> Iterator[Statement | str]:
    """The statements of a line, and what is none of them as it stands."""
    for part in line.split(NEXT):
        for each in _parted(part):
            if any(letter.isalnum() or "\ue000" <= letter <= "\ue001" for letter in each):
                yield _statement(each, lifted) or each


def _parted(line: str) -> Iterator[str]:
    """The parts of a line that each give a name to something."""
    begun = ""
    for each in _ANOTHER.split(line):
        if begun and _GIVES.search(begun):
            yield begun
            begun = each
        else:
            begun = f"{begun} {each}" if begun else each
    yield begun


def _statement(text: str, lifted: Lifted) -> Statement | None:
    mark = _GIVES.search(text)
    if mark is None or not _LETTER.search(text[: mark.start()]):
        return _beside(text, lifted)
    if mark[0] == ":" and _NAMES_IT.match(text, mark.end()):  # Sample 1: z1 = …
        return _statement(text[mark.end() :], lifted)
    name, rest = cleaned(text[: mark.start()]), text[mark.end() :]
    arrow = _ARROW.split(rest)
    if len(arrow) == 2 and (values := [_assigned(name, each, lifted) for each in arrow]) and all(values):
        return Statement(name, text, values[1], values[0])
    parts = [each for each in _CHAIN.split(rest) if each.strip(_ENDS)]
    value = _assigned(name, _ARROW.split(parts[-1])[-1], lifted) if parts else None
    return Statement(name, text, value)


def _beside(text: str, lifted: Lifted) -> Statement | None:
    """`Z1 [[…]]`: a name with an array right behind it."""
    mark = ARRAY.search(text)
    if mark is None or not _LETTER.search(text[: mark.start()]) or text[mark.end() :].strip(_ENDS + ")"):
        return None
    name = cleaned(text[: mark.start()])
    return Statement(name, text, _assigned(name, mark[0], lifted))


def cleaned(name: str) -> str:
    """A name without what stands around it, and the number of its step."""
    name = _STEP.sub("", name)
    return name.replace(FOLDED, "").strip(" \t,;{}$|`\"'()" if "(" not in name or ")" not in name else " \t,;{}$|`\"'")


def _assigned(name: str, text: str, lifted: Lifted) -> Assigned | None:
    mark = ARRAY.search(text)
    if mark is not None:
        alone = not (text[: mark.start()].strip(_ENDS + "(") or text[mark.end() :].strip(_ENDS + ")(]."))
        number = int(mark[1])
        return Assigned(name, lifted.arrays[number], lifted.printed_by[number]) if alone else None
    grid = _numbers(text.strip(_ENDS))
    return Assigned(name, grid) if grid else None


def _numbers(text: str) -> Grid | None:
    """A number, several in a row, or rows with semicolons between them."""
    one = read_number(text[: MOST_TEXT + 1])
    if one.kind == "number":
        return ((one,),)
    rows = [row_of(each) for each in text.split(";")]
    if len(rows) == 1:
        return tuple(rows) if len(rows[0]) > 1 else None
    return tuple(rows) if rows[0] and len({len(row) for row in rows}) == 1 else None


def row_of(text: str) -> tuple[Entry, ...]:
    """The numbers of a row; none where anything else stands in it."""
    cells: Sequence[str] = numbers_in(text)
    row = tuple(read_number(each[: MOST_TEXT + 1]) for each in cells)
    return row if all(each.kind == "number" for each in row) else ()
