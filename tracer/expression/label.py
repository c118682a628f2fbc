"""Names as data, and the two ways to read them: plain text and MathML.

A name says what a quantity is called, never what it is worth. `tracer.network.names` decides the
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


def _hatted(base: str, hat: bool) -> str:
    return unicodedata.normalize("NFC", base[:1] + _CIRCUMFLEX + base[1:]) if hat else base


def _text_sub(base: str, sub: str) -> str:
    """w5 and i1, but b1[2] and Z1[1,2], where the digits would run together, and h1_in2."""
    if "," in sub or (sub.isdigit() and len(base) > 1):
        return f"[{sub}]"
    return sub if sub[:1].isdigit() or not sub else f"_{sub}"


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
