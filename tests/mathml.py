"""The number that a line of MathML stands for, reckoned by Python: nothing of the product has a part in it."""

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

Element = ElementTree.Element
OPERATORS = {"−": "-", "+": "+", "·": "*", "(": "(", ")": ")", ",": ",", ">": ">", "≥": ">=", "=": "=="}
FUNCTIONS: dict[str, Any] = {"ln": math.log, "tanh": math.tanh, "max": max, "exp": math.exp, "abs": abs}
FUNCTIONS |= {"arctan": math.atan, "cos": math.cos, "Φ": NormalDist().cdf}


class NotANumberError(ValueError):
    """The line leaves terms out, or holds letters."""


def reckon(pieces: Sequence[str]) -> float:
    """The value of a line, given as its pieces: "<math>…</math>", the first with the equals sign in front."""
    children = [child for piece in pieces for child in ElementTree.fromstring(piece)]
    while children and children[0].text in ("=", "≈"):
        children = children[1:]
    return float(eval(_joined(children), {"__builtins__": {}} | FUNCTIONS))  # what _python lets through is arithmetic


def _joined(children: Sequence[Element]) -> str:
    """Side by side is multiplied; a function's name stands before its brackets."""
    text = ""
    for piece in map(_python, children):
        value = re.match(r"[(\d]|exp|abs|max", piece) and re.search(r"[\d)]$", text)
        text += ("*" if value else "") + piece
    return text


def _python(element: Element) -> str:
    parts, text = list(element), element.text or ""
    match element.tag:
        case "mn" if re.fullmatch(r"\d+(\.\d+)?(e[+−]?\d+)?", text):
            return text.replace("−", "-")
        case "mo" if text in OPERATORS:
            return OPERATORS[text]
        case "mi" if text in FUNCTIONS:
            return text
        case "mfrac":
            return f"(({_python(parts[0])})/({_python(parts[1])}))"
        case "msup" if parts[0].text == "e" and parts[0].tag == "mi":
            return f"exp({_python(parts[1])})"
        case "msup":
            return f"(({_python(parts[0])})**{_python(parts[1])})"
        case "mrow" if parts and parts[0].text == "|":
            return f"abs({_joined(parts[1:-1])})"
        case "mrow" if parts and parts[0].text == "{":
            (value, condition), (other, _) = parts[1]
            return f"(({_joined(value)}) if ({_joined(condition)}) else ({_joined(other)}))"
        case "mrow":
            inside = _joined(parts)
            signed = bool(parts) and parts[0].get("form") == "infix"  # a term of a sum, its sign in front
            bracketed = bool(parts) and parts[0].text == "(" and parts[-1].text == ")"
            return inside if signed or bracketed else f"({inside})"
        case _:
            raise NotANumberError(ElementTree.tostring(element, encoding="unicode"))
