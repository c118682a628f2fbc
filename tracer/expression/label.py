"""Names as data, and the three ways to read them: plain text, MathML and LaTeX.

A name says what a quantity is called, never what it is worth. `tracer.problem.names` decides the
names; here they are only spelled. Nothing of ours is imported.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from html import escape
from typing import TypeAlias, assert_never

_SUPERSCRIPTS = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_CIRCUMFLEX = "\N{COMBINING CIRCUMFLEX ACCENT}"
_INDEXED = re.compile(r"(d?)([A-Za-z])([0-9]+)(_next)?")  # Z1, dW1, W1_next: Z with the index 1, …
_LATEX = {"\\": r"\backslash{}", "^": r"{}^{\wedge}", "~": r"\sim{}", "…": r"\ldots{}"}
_LATEX |= {"α": r"\alpha{}", "η": r"\eta{}"} | {character: f"\\{character}" for character in "_%&#${}"}


@dataclass(frozen=True, slots=True)
class Label:
    """A letter or word with what is written around it.

    `sub` is an index ("1,2", "3") or a name ("in1", "k1l1"); `sup` a mark or a sample's number ("+", "(2)").
    """

    base: str
    sub: str = ""
    sup: str = ""
    hat: bool = False


@dataclass(frozen=True, slots=True)
class Ratio:
    """The derivative ∂top/∂bottom, with a minus sign or a factor where a convention puts one before it."""

    top: Label
    bottom: Label
    negative: bool = False
    factor: Label | None = None


Name: TypeAlias = Label | Ratio


def label_text(name: Name) -> str:
    """The name in one line of Unicode text.

    >>> label_text(Label("h1", "in2")), label_text(Label("Z1", "1,2")), label_text(Label("w", "5", "+"))
    ('h1_in2', 'Z1[1,2]', 'w5⁺')
    >>> label_text(Ratio(Label("L"), Label("Z1"), negative=True, factor=Label("η")))
    '−η·∂L/∂Z1'
    """
    match name:
        case Label(base, sub, sup, hat):
            return _hatted(base, hat) + _text_sub(base, sub) + _text_sup(sup)
        case Ratio(top, bottom, negative, factor):
            minus = "−" if negative else ""
            times = f"{label_text(factor)}·" if factor else ""
            return f"{minus}{times}∂{label_text(top)}/∂{label_text(bottom)}"
        case _:
            assert_never(name)


def label_mathml(name: Name) -> str:
    """The name as one MathML element, without <math> around it. Names are escaped: users choose some.

    >>> label_mathml(Label("w", "5", "+"))
    '<msubsup><mi>w</mi><mn>5</mn><mo>+</mo></msubsup>'
    """
    match name:
        case Label(base, sub, sup, hat):
            return _scripted(_mathml_base(base, hat), _mathml_row(sub), _mathml_row(sup))
        case Ratio(top, bottom, negative, factor):
            over, under = (f"<mrow><mo>∂</mo>{label_mathml(part)}</mrow>" for part in (top, bottom))
            minus = "<mo>−</mo>" if negative else ""
            times = f"{label_mathml(factor)}<mo>·</mo>" if factor else ""
            fraction = f"<mfrac>{over}{under}</mfrac>"
            return f"<mrow>{minus}{times}{fraction}</mrow>" if minus or times else fraction
        case _:
            assert_never(name)


def label_latex(name: Name) -> str:
    """The name in LaTeX's mathematics, without dollar signs. Names are escaped: users choose some.

    >>> print(label_latex(Label("Z1", "1,2")), label_latex(Label("h1", "in2")), label_latex(Label("W", hat=True)))
    Z_{1}[1,2] \\mathrm{h1}_{\\mathrm{in2}} \\hat{W}
    """
    match name:
        case Label():
            return _latex_label(name)
        case Ratio(top, bottom, negative, factor):
            times = rf"{label_latex(factor)} \cdot " if factor else ""
            fraction = rf"\frac{{\partial {label_latex(top)}}}{{\partial {label_latex(bottom)}}}"
            return f"{'-' if negative else ''}{times}{fraction}"
        case _:
            assert_never(name)


def _hatted(base: str, hat: bool) -> str:
    return unicodedata.normalize("NFC", base[:1] + _CIRCUMFLEX + base[1:]) if hat else base


def _text_sub(base: str, sub: str) -> str:
    """w5 and i1, but b1[2] and Z1[1,2], where the digits would run together, and h1_in2."""
    if _in_brackets(base, sub):
        return f"[{sub}]"
    return sub if sub[:1].isdigit() or not sub else f"_{sub}"


def _in_brackets(base: str, sub: str) -> bool:
    return "," in sub or (sub.isdigit() and len(base) > 1)


def _text_sup(sup: str) -> str:
    raisable = all(ord(character) in _SUPERSCRIPTS for character in sup)
    return sup.translate(_SUPERSCRIPTS) if raisable else f"^{sup}"


def _mathml_base(base: str, hat: bool) -> str:
    letter = f"<mi>{escape(base)}</mi>"
    return f'<mover accent="true">{letter}<mo>^</mo></mover>' if hat else letter


def _scripted(base: str, sub: str, sup: str) -> str:
    match bool(sub), bool(sup):
        case True, True:
            return f"<msubsup>{base}{sub}{sup}</msubsup>"
        case True, False:
            return f"<msub>{base}{sub}</msub>"
        case False, True:
            return f"<msup>{base}{sup}</msup>"
        case _:
            return base


def _mathml_row(script: str) -> str:
    """A subscript or superscript: numbers, names and signs apart, so that "1,2" is no decimal comma."""
    parts = [_mathml_token(part) for part in re.findall(r"\w+|[^\w\s]", script)]
    return f"<mrow>{''.join(parts)}</mrow>" if len(parts) > 1 else "".join(parts)


def _mathml_token(part: str) -> str:
    if part.isdigit():
        return f"<mn>{part}</mn>"
    element = "mi" if part.isidentifier() else "mo"
    return f"<{element}>{escape(part)}</{element}>"


def _latex_label(name: Label) -> str:
    """Z1 takes its number as an index, unless a name stands there: h1 with the index in2."""
    base, index, mark = name.base, name.sub, name.sup
    cell = f"[{index}]" if _in_brackets(base, index) else ""
    index = "" if cell else index
    if name.hat:
        base = (r"\hat" if len(base) == 1 else r"\widehat") + f"{{{_latex_word(base)}}}"
    elif not index and (found := _INDEXED.fullmatch(base)):
        base, index, mark = (r"\mathrm{d}" if found[1] else "") + found[2], found[3], (found[4] or "")[1:] + mark
    else:
        base = _latex_word(base)
    return base + _latex_script("_", index) + _latex_script("^", mark) + cell


def _latex_script(mark: str, script: str) -> str:
    """A subscript or superscript: names upright, numbers and signs as they are."""
    parts = (part if part.isdigit() else _latex_word(part) for part in re.findall(r"\w+|[^\w\s]", script))
    return f"{mark}{{{''.join(parts)}}}" if script else ""


def _latex_word(word: str) -> str:
    """A name as it was typed: upright, but for a single letter."""
    text = "".join(map(_latex_character, word))
    return text if len(word) == 1 else rf"\mathrm{{{text}}}"


def _latex_character(character: str) -> str:
    if character in _LATEX:
        return _LATEX[character]
    if character.isspace():
        return r"\ "
    plain = character.isalnum() or character in "+()," or unicodedata.combining(character)
    return character if plain else rf"\text{{{character}}}"
