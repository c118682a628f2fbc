"""Brackets of a formula, put in and left out."""

from __future__ import annotations

from collections.abc import Iterable

from tracer.audit import parsing as p


def bracketed(node: p.FormulaNode, least: int = 6) -> p.FormulaNode:
    """In brackets where an operator in it binds less than `least`."""
    if (isinstance(node, p.Binary) and p.POWER_OF[node.operator] < least) or isinstance(node, p.Unary):
        return p.Bracketed(node)
    return node


def bracketings(text: str) -> Iterable[str]:
    """A formula with a pair of brackets more, around operands of one level, or a pair less."""
    pieces = _pieces(text)
    depth, levels = 0, []
    for piece in pieces:
        depth -= piece == ")"
        levels.append(depth)
        depth += piece == "("
    for start in range(len(pieces)):
        if pieces[start] in "+-*/^),=<>":
            continue
        for end in range(start + 2, len(pieces)):
            if min(levels[start : end + 1]) < levels[start]:
                break
            if levels[end] == levels[start] and pieces[end] not in "+-*/^(,=<>":
                yield "".join([*pieces[:start], "(", *pieces[start : end + 1], ")", *pieces[end + 1 :]])
    for start in range(len(pieces)):
        if pieces[start] == "(" and (start == 0 or not pieces[start - 1][-1:].isalnum()):
            end = next(k for k in range(start + 1, len(pieces)) if pieces[k] == ")" and levels[k] == levels[start])
            yield "".join([*pieces[:start], *pieces[start + 1 : end], *pieces[end + 1 :]])


def _pieces(text: str) -> list[str]:
    """Operators, brackets and what is between; the name of a function stays apart from its bracket."""
    found, word = [], ""
    quoted = False
    for letter in text:
        quoted ^= letter in "'\""
        exponent = letter in "+-" and word[-1:] in "eE" and word[:1].isdigit()
        if not quoted and letter in "+-*/^(),=<>" and not exponent:
            found += [word] if word else []
            found.append(letter)
            word = ""
        else:
            word += letter
    return [*found, word] if word else found
