"""What a message says beyond the place: the matrix that is meant, and the line of a file that is no TOML or JSON.

A hint is given only where the usual slips are recognised: 0,5 or 1/3 or .3 for a number, quotes
and minus signs of a word processor, brackets and commas that are missing, [layers] for [[layers]].
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from tracer.errors import ProblemError
from tracer.problem.convention import MOST_TOLD, counted, show

LONGEST_LINE = 60
MOST_DOTS = 200
CLOSING = {"[": "]", "{": "}"}

# What pydantic's kinds of error expected.
EXPECTED = {
    "model_type": "a table",
    "model_attributes_type": "a table",
    "list_type": "a list",
    "string_type": "text",
    "string_unicode": "text in Unicode",
    "string_too_short": "some text",
    "string_too_long": "text of at most {max_length} characters",
    "too_short": "a list that is not empty",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number that is at least {ge:g}",
    "less_than_equal": "a number that is at most {le:g}",
}

# Looked for in the line at fault, its strings and comments masked (see `_masked`); \1 is a group.
SLIPS = [
    (re.compile(pattern), says)
    for pattern, says in (
        (r"[“”„‟‘’‚‛«»]", 'quotes are straight: "…"'),
        (r"[−–—]", "a minus is the - of the keyboard"),
        (r"(?<![\w.])(\d{1,9})\s*/\s*(\d{1,9})", r"write \1/\2 as a decimal number"),
        (r"[=:]\s*([+-]?\d{1,9}),(\d{1,9})(?=\s*(?:[,}]|$))", r"write \1.\2, with a point for the comma"),
        (r"(?<![\w.])\.(\d{1,9})", r"write 0.\1, with a digit before the point"),
        (r"(?<![\w.])(\d{1,9})\.(?![\w.])", r"write \1.0, with a digit after the point"),
        (r"[=:]\s*(True|False)\b", "true and false are written small"),
        (r"=\s*(?!(?:true|false|inf|nan)\b)([A-Za-z]\w{0,29})\s*$", r'text stands in quotes: "\1"'),
    )
]
TOKENS = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}+'
    r"|'''(?:[^']++|'(?!''))*+'{3,5}+"
    r'|"(?:[^"\\\n]++|\\[^\n])*+"'
    r"|'[^'\n]*+'"
    r"|(?P<comment>#[^\n]*+)",
    re.DOTALL,
)
DOTTED = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{MOST_DOTS + 1}}}")
SINGLE_LAYERS = re.compile(r"^[ \t]*\[[ \t]*layers?[ \t]*\]", re.MULTILINE)
KEY = re.compile(r"""^[ \t]*(?:([\w."'-]+)[ \t]*=|(\[\[?[ \t]*[A-Za-z][^\]\n]*\]*))""", re.MULTILINE)


class Mistake(NamedTuple):
    """What is wrong at a place of the file ("" for the file as a whole)."""

    place: str
    says: str


def problem_error(file: str, mistakes: Iterable[Mistake], more: int = 0) -> ProblemError:
    """One ProblemError of a file's mistakes, and of how many `more` there are beside.

    Its text also has each place in the words of the page: layers[1].weights (W2).
    """
    found = iter(mistakes)
    errors = [_one_error(file, each) for each in islice(found, MOST_TOLD)]
    more += sum(1 for _ in found)
    if more:
        errors.append(ProblemError(file, "", f"and {counted(more, 'more mistake')}"))
    first, *others = errors
    return _one_error(file, Mistake(first.place, first.says), others)


def _one_error(file: str, mistake: Mistake, others: Sequence[ProblemError] = ()) -> ProblemError:
    error = ProblemError(file, mistake.place + _meant(mistake.place), mistake.says, others)
    error.place = mistake.place
    return error


def _meant(place: str) -> str:
    found = re.match(r"layers\[(\d+)\](?:\.(weights|bias))?|data\.[XY](?=\[)", place)
    if not found:
        return ""
    words = []
    if found[1] is not None:
        number, letter = int(found[1]) + 1, {"weights": "W", "bias": "b", None: "layer "}[found[2]]
        words = [f"{letter}{number}"]
    axes = ("unit",) if found[2] == "bias" else ("row", "column")
    indices = re.findall(r"\[(\d+)\]", place[found.end() :])
    words += [f"{axis} {int(index) + 1}" for axis, index in zip(axes, indices, strict=False)]
    return f" ({', '.join(words)})"


def missing_keys(keys: Sequence[str]) -> str:
    """ "missing key 'a'", "missing keys 'a', 'b' and 'c'"."""
    *before, last = map(repr, keys)
    return f"missing keys {', '.join(before)} and {last}" if before else f"missing key {last}"


def rows_expected(numbers: Sequence[float], targets: bool) -> str:
    """What to say of a row of numbers alone: for targets it is a column, and may be the numbers of classes."""
    shown, more = [show(number) for number in numbers[:3]], ", …" * (len(numbers) > 3)
    says = "found a list of numbers, expected rows, as in "
    column = f"[{', '.join(f'[{number}]' for number in shown)}{more}]"
    if not targets:
        return f"{says}[[{', '.join(shown)}{more}]] or {column}"
    classes = max(numbers) > 1 and all(number >= 0 and number == int(number) for number in numbers)
    return says + column + ("; for classes one column each: [[1, 0, 0], …]" if classes else "")


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8, or in UTF-16 as Windows PowerShell writes it. Raises ValueError."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError:
            raise ValueError("not text, though it begins as UTF-16; save it as UTF-8") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:  # its object is the content without the mark
        line = wrong.object.count(b"\n", 0, wrong.start) + 1
        says = f"not UTF-8 text: line {line} has the byte 0x{wrong.object[wrong.start]:02x}"
        raise ValueError(f"{says}; save it as UTF-8") from None


def is_empty(text: str, comments: bool) -> bool:
    """Nothing but blanks, and comments where there are such?"""
    return all(not line.strip() or (comments and line.lstrip()[0] == "#") for line in text.splitlines())


def too_dotted(text: str) -> int | None:
    """The line of a TOML key of more than MOST_DOTS parts, on which tomllib would spend seconds."""
    if text.count(".") <= MOST_DOTS:
        return None
    masked = _masked(text)
    found = DOTTED.search(masked)
    return found and masked.count("\n", 0, found.start()) + 1


def syntax_fault(text: str, wrong: ValueError) -> str:
    """What tomllib or json refused: the line, and what was probably meant or else their own words."""
    says = " ".join(str(wrong).partition("; use sys.")[0].split())  # no advice for programmers
    at = _position(text, wrong)
    if at is None:
        return f": {says if len(says) <= 150 else says[:149] + '…'}"
    masked = _masked(text)
    hint, at = _hint(text, masked, at, says)
    if not hint:
        hint = re.sub(r":? \(?(at )?(line \d+,? column|end of document).*", "", says)[:150]
        at = at if masked[at:].strip() else len(masked.rstrip())
    return f", line {text.count(chr(10), 0, at) + 1}, `{_line(text, at)}`: {hint}"


def _position(text: str, wrong: ValueError) -> int | None:
    """Where the reader stopped; None where it does not say."""
    if isinstance(wrong, json.JSONDecodeError):
        return wrong.pos
    if str(wrong).endswith("(at end of document)"):
        return len(text)
    found = re.search(r"\(at line (\d+), column (\d+)\)$", str(wrong))
    if not found:
        return None
    start = 0
    for _ in range(int(found[1]) - 1):
        start = text.index("\n", start) + 1
    return start + int(found[2]) - 1


def _masked(text: str) -> str:
    """The text with underscores for its strings and blanks for its comments, everything at its place."""
    return TOKENS.sub(lambda token: re.sub(r"[^\n]", " " if token["comment"] else "_", token[0]), text)


def _bounds(text: str, at: int) -> tuple[int, int]:
    end = text.find("\n", at)
    return text.rfind("\n", 0, at) + 1, len(text) if end < 0 else end


def _line(text: str, at: int) -> str:
    """The line at a place, cut to LONGEST_LINE characters around it."""
    start, end = _bounds(text, at)
    first = max(start, min(at - 40, end - LONGEST_LINE))
    last = min(first + LONGEST_LINE, end)
    cut = "".join(c if c.isprintable() else " " for c in text[first:last])
    cut = "…" + cut[1:] if first > start else cut
    return (cut[:-1] + "…" if last < end else cut).strip()


def _hint(text: str, masked: str, at: int, says: str) -> tuple[str, int]:
    """What was probably meant, "" if that is not seen, and where."""
    if says.startswith("Cannot"):
        return _twice(text, masked, at, says)
    if "'\\n'" in says and text[at : at + 1] in ("", "\n"):
        return 'a closing quote (") is missing', at
    start, end = _bounds(masked, at)
    for pattern, meant in SLIPS:
        found = pattern.search(masked[start:end])
        if found:
            return found.expand(meant), start + found.start()
    return _bracket(text, masked, at, says)


def _twice(text: str, masked: str, at: int, says: str) -> tuple[str, int]:
    """[layers] for [[layers]], or a key or table that is there already."""
    _, end = _bounds(masked, at)
    single = SINGLE_LAYERS.search(masked, 0, end)
    if single:
        return "a layer begins with [[layers]], two brackets on each side", single.start()
    found = list(KEY.finditer(masked, 0, end))
    if not found or ("overwrite" not in says and "declare" not in says):
        return "", at
    kind, start, end = ("key", *found[-1].span(1)) if found[-1][1] else ("table", *found[-1].span(2))
    return f"the {kind} {show(text[start:end])} is given twice", start


def _bracket(text: str, masked: str, at: int, says: str) -> tuple[str, int]:
    """A bracket or comma that is missing or too many."""
    here, before = text[at : at + 1], masked[:at].rstrip()[-1:]
    closing = re.compile(r"[\s,]*([\]}])").match(text, at)
    if closing and "," in (here, before):
        return f"a comma too many before the {closing[1]}", at
    start, _ = _bounds(masked, at)
    begins = KEY.match(masked, start)  # a statement, where the one before has not ended
    opened = (_opened(masked[:start]) if begins else []) or _opened(masked[:at])
    if not opened:
        return f"a {here} too many" if here in ("]", "}") else "", at
    if here in ("", "\n") or says.startswith("Expected ']") or (begins and opened[-1] < start):
        return f"a {CLOSING[masked[opened[-1]]]} is missing", opened[-1]
    item = re.compile(r"[\[{\"'\d+-][^\s,\]}]{0,12}").match(text, at)
    if item and "':'" not in says and re.match(r"[\]}\w]", before):
        return f"a comma is missing before {item[0]}", at
    return "", at


def _opened(masked: str) -> list[int]:
    """The brackets that are still open at the end of a text."""
    opened: list[int] = []
    for found in re.finditer(r"[\[\]{}]", masked):
        if found[0] in CLOSING:
            opened.append(found.start())
        elif opened:
            opened.pop()
    return opened
