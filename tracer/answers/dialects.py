"""What languages print around numbers taken away: prompts, types, the names of lists and dictionaries.

What is left is lines of names and numbers, and arrays in brackets. Nothing is evaluated.
"""

from __future__ import annotations

import re

from tracer.answers.latex import from_latex, is_latex
from tracer.answers.nested import with_names_within

NEXT = "\x1e"  # begins another statement of a line
MOST_BRACES = 5_000

_SUBSTITUTIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.M), by)
    for pattern, by in (
        (r"\r\n?", "\n"),
        (r"^[ \t]*(?:>>>|>>|julia>|octave:\d{1,6}>|\.\.\.:?|>(?=[ \t]*[A-Za-z$]))[ \t]*", ""),
        (r"^(?:In|Out) ?\[[0-9 ]{0,9}\](?::|=) ?", ""),  # a notebook's
        (r"^[ \t]*(?:\d+×\d+|\d+-element)[ \t]+[A-Z]\w*\{[^\n]{0,80}\}[^\n]{0,80}:$", ""),  # Julia's
        (r"^[ \t]*(?:ans|\[\[\d{1,4}\]\](?:\[\[\d{1,4}\]\])*)[ \t]*=?[ \t]*$", ""),  # MATLAB's, R's
        (r"^[ \t]*\$(?=[A-Za-z.][\w.]{0,40}[ \t]*$)", ""),  # R's
        (r"^[ \t]*(?:\[,[0-9]{1,6}\][ \t]*)+$", ""),  # the head of a matrix that R prints
        (r"^[ \t]*\[[0-9]{1,6},?\](?=[ \t]+[-+−.0-9])", ""),
        (r"(?<=[\])0-9;,%])[ \t]+(?:#|//)(?![0-9])[^\n]*$|(?<=[\];])[ \t]*%[^\n]*$", ""),  # a remark behind a statement
        (r"(?<=[0-9])[ \t]+%(?=[ \t]*(?:[,;\])|&]|$))", "%"),
        (r"\bParameter containing:", ""),
        (r"<tf\.(?:Tensor|Variable)[^>\n]{0,200}?numpy=", ""),
        (r"(?<=\))>|(?<=\])>(?=[ \t]*$)", ""),
        (r"\bOrderedDict\(\[", ""),
        (r"(['\"])([^'\"\n]{1,60})\1\s*,\s*(?=(?:tensor|array)\()", rf"{NEXT}\2 = "),
        # a dictionary's key
        (r"[{,]?[ \t]{0,20}(['\"])([^'\"\n]{1,60})\1[ \t]{0,20}(?::|=>)[ \t]{0,20}(?=[-+.0-9\[(nat])", rf"{NEXT}\2 = "),
        (r"\b(?:np\.)?float(?:16|32|64)?\(([^()\n]{0,60})\)", r"\1"),
    )
)
_BRACES = re.compile(r"\{[\s{]{0,20}[-+0-9.][-+0-9.,eE*^`\s{}]{0,20000}\}")
_FROM_BRACES = str.maketrans("{}", "[]", "`")
_NUMBER = r"[-+−]?[0-9.]+(?:[eE][-+]?\d+)?"
_TUPLE = re.compile(rf"(?<=[=:≈])(\s*)\(((?:\s*{_NUMBER}\s*,)+\s*(?:{_NUMBER}\s*)?)\)")
_VECTOR = re.compile(r"\bc\(([-+0-9.eE,\s]{1,2000})\)")  # R's
_ROW = r"[ \t]*(?:-[ \t]+)?\[[^\[\]\n]{0,20000}\][ \t]*,?[ \t]*"  # in brackets, on a line of its own; a dash is YAML's
_NAMED_LINE = r"(?=[^\[\]\n]*[^\W\d_])[^\[\]\n]{1,400}\n"
_ROWS = re.compile(rf"^({_NAMED_LINE})({_ROW}(?:\n{_ROW})+)$", re.M)
_DASH = re.compile(r"^[ \t]*-[ \t]+(?=\[)", re.M)
_DASHED = re.compile(rf"^[ \t]*((?:-[ \t]+)+)({_NUMBER})[ \t]*$")
_LIST_OF_ARRAYS = re.compile(r"\[\s*(?=(?:np\.)?(?:array|tensor)\()")


def plain_lines(text: str) -> str:
    """A text as it would be typed: without prompts, types and wrappers, LaTeX as names and brackets."""
    if is_latex(text):
        text = from_latex(text)
    text = with_names_within(text)
    for pattern, by in _SUBSTITUTIONS:
        text = pattern.sub(by, text)
    if text.count("{") <= MOST_BRACES:
        text = _BRACES.sub(lambda found: found[0].translate(_FROM_BRACES), text)
    text = _TUPLE.sub(r"\1[\2]", _VECTOR.sub(r"[\1]", text))
    text = _ROWS.sub(lambda found: found[1] + _in_one_array(found[2]), text)
    return _LIST_OF_ARRAYS.sub(NEXT, text)


def _in_one_array(rows: str) -> str:
    """Rows of as many numbers as one array; others as they are."""
    rows = _DASH.sub("", rows)
    counts = {len(row.replace(",", " ").split()) for row in rows.split("\n")}
    return f"[{rows}]" if len(counts) == 1 else rows


def without_dashes(text: str) -> str:
    """YAML's lists with a dash before each number, as lists in brackets; each line stays a line."""
    lines, begun, rows = text.split("\n"), -1, list[list[str]]()
    for k, line in enumerate([*lines, ""]):
        if found := _DASHED.match(line):
            begun = k if begun < 0 else begun
            if not rows or found[1].count("-") > 1:
                rows.append([])
            rows[-1].append(found[2])
            lines[k] = ""
        elif begun >= 0:
            lines[begun] = f"[{', '.join('[' + ', '.join(row) + ']' for row in rows)}]"
            begun, rows = -1, []
    return "\n".join(lines)
