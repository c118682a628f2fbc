"""What a name for a single unit, weight or bias can mean: z1, out_h2, dL_dw5, w11, delta_o1, θ0.

A name is taken apart here; the cells that it has in a problem, in every way of counting, counting.py knows.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

Change: TypeAlias = Literal["", "new", "gradient", "change"]
Family: TypeAlias = tuple[str, str, str, int]


@dataclass(frozen=True)
class UnitName:
    """A name taken apart: `stem` is what tells its family, `kinds` what the unit's number can be.

    `tags` are layers by their letters (h, o, …), in order, `numbers` what it counts with.
    """

    stem: str
    kinds: tuple[str, ...]
    tags: str
    numbers: tuple[int, ...]
    change: Change

    @property
    def family(self) -> Family:
        return self.stem, self.tags, self.change, len(self.numbers)


PRE, ACT, DELTA, ERROR, WEIGHT, BIAS, INPUT, TARGET, THETA = (
    "pre", "act", "delta", "error", "weight", "bias", "input", "target", "theta",
)  # fmt: skip
_WORDS = {
    "z": (PRE,), "net": (PRE,), "netinput": (PRE,), "zin": (PRE,), "sum": (PRE,), "v": (PRE,), "u": (PRE,),
    "s": (PRE,), "input": (PRE, INPUT), "in": (PRE, INPUT), "i": (INPUT,), "x": (INPUT, ACT), "a": (ACT,),
    "out": (ACT,), "output": (ACT,), "act": (ACT,), "activation": (ACT,), "y": (ACT, TARGET), "yhat": (ACT,),
    "t": (TARGET,), "target": (TARGET,), "delta": (DELTA,), "d": (DELTA,), "e": (ERROR, DELTA),
    "err": (ERROR, DELTA), "error": (ERROR, DELTA), "w": (WEIGHT,), "weight": (WEIGHT,), "b": (BIAS,),
    "bias": (BIAS,), "theta": (THETA,), "g": (DELTA,), "sigma": (ACT,), "sigmoid": (ACT,), "f": (ACT,),
}  # fmt: skip
_TAGS = {
    "h": "h", "hidden": "h", "o": "o", "out": "o", "output": "o", "y": "o", "k": "o", "x": "i", "i": "i", "in": "i",
}  # fmt: skip
_NEW = re.compile(r"(.+?)(?:_?(?:new|neu|next|updated|after|nuevo|nou)|\+|\*|')|(?:new|updated|next)_?(.+)")
_OF = re.compile(
    r"d(?:l|e|etotal|etot|loss|cost|c|j|error|err|e_total|e_tot|mse|sse|bce|ce)_?/?_?d_?(.+)"
    r"|(?:grad|gradient|nabla)_?(?:of)?_?(.+)|(.+?)[_.]?(?:grad|gradient)"
)
_SHORT = re.compile(r"d_?([a-z].*)")
_CHANGE = re.compile(r"(?:∆|Δ|δ)_?(?=w|b|θ)")
_TOKEN = re.compile(r"[a-z]+|[0-9]+")
_RAISED_LAYER = re.compile(r"([a-z]+)_?\{?([0-9]{1,2})\}?\^\(?([0-9])\)?")
_SAMPLE = re.compile(r"([a-zσŷ]{1,6})_\{?([A-H])\}?")  # h_A: of the sample A
_LETTERS = str.maketrans({"∂": "d", "𝟃": "d", "θ": "theta", "σ": "sigma", "′": "'", "’": "'", "⁺": "+", "ŷ": "yhat"})
LONGEST = 40


def unit_name(name: str) -> UnitName | None:
    """A name of a unit, weight or bias taken apart; None where it is none.

    >>> unit_name("dL_dz2").kinds, unit_name("out_h1").tags, unit_name("w12_new").numbers
    (('pre',), 'h', (12,))
    """
    if not 0 < len(name) <= LONGEST:
        return None
    if sample := _SAMPLE.fullmatch(name.strip()):
        found = unit_name(sample[1])
        return None if found is None or found.numbers else replace(found, tags="s", numbers=(ord(sample[2]) - 64,))
    text = unicodedata.normalize("NFKD", name.strip("`*$\"' ")).lower()
    change: Change = ""
    if _CHANGE.match(text):
        change, text = "change", _CHANGE.sub("", text, count=1)
    text = re.sub(r"(?:d|δ)(?=(?:l|e)[a-z_]{0,8}\s*/\s*δ)|(?<=/)\s*δ", "d", text) if "/" in text else text
    text = re.sub(r"[\s{}\\\[\]()]+", "_", text.translate(_LETTERS).replace("δ", "delta")).strip("_")
    if new := _NEW.fullmatch(text):
        change, text = "new", (new[1] or new[2]).strip("_")
    if of := _OF.fullmatch(text):
        change, text = "gradient", next(filter(None, of.groups())).strip("_")
    found = _taken_apart(text, change)
    if found is None and (short := _SHORT.fullmatch(text)):
        found = _taken_apart(short[1].strip("_"), "gradient")
    return found


def _taken_apart(text: str, change: Change) -> UnitName | None:
    if raised := _RAISED_LAYER.fullmatch(text):
        text = f"{raised[1]}_{raised[3]}_{raised[2]}"
    if re.search(r"[^a-z0-9_,.;^-]", text):
        return None
    tokens = _TOKEN.findall(text)
    words = [each for each in tokens if not each.isdigit()]
    numbers = tuple(int(each) for each in tokens if each.isdigit() and len(each) < 4)
    if not words or len(tokens) > 6 or len(numbers) > 3:
        return None
    tagged = [each for each in words if each in _TAGS]
    kinds = [each for each in words if each in _WORDS]
    if any(each not in _WORDS and each not in _TAGS for each in words) or len(words) > 3:
        return None
    return _of_words(words, kinds, tagged, numbers, change)


def _of_words(
    words: list[str], kinds: list[str], tagged: list[str], numbers: tuple[int, ...], change: Change
) -> UnitName | None:
    """Which word says what, and which the layer: out_h1, h1_in, w_h1o2, o1."""
    if len(words) == 1:
        (word,) = words
        if word in ("h", "o", "hidden", "k"):  # the layer alone
            return UnitName(word, (ACT, PRE), _TAGS[word], numbers, change)
        return UnitName(word, _WORDS[word], "", numbers, change)
    sure = [each for each in kinds if each not in ("i", "o", "h", "x", "y")] or kinds
    if not sure:
        return None
    what = sure[0] if words[0] == sure[0] or len(sure) == 1 else sure[-1]
    rest = list(words)
    rest.remove(what)
    if any(each not in _TAGS for each in rest):
        return None
    return UnitName(what, _WORDS[what], "".join(_TAGS[each] for each in rest), numbers, change)
