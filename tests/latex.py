"""Reading LaTeX back: what a formula says, in one line of text, and whether a typesetter takes it.

`spelled` gives the text that tests/unit/expression/test_mathml.py spells its markup with: a fraction {above/below}, a
script ^{…} or _{…}, the rest as it stands. It knows the commands that we write and fails for any other.
"""

import re
from collections.abc import Iterator

from matplotlib.mathtext import MathTextParser

SIGNS = {
    r"\cdot": "·",
    r"\odot": "⊙",
    r"\geq": "≥",
    r"\sum": "∑",
    r"\max": "max",
    r"\ln": "ln",
    r"\tanh": "tanh",
    r"\arctan": "arctan",
    r"\Phi": "Φ",
    r"\cdots": "⋯",
    r"\vdots": "⋮",
    r"\ ": "",
    r"\times": "×",
    "-": "−",
}
ENVIRONMENTS = {"cases": ("{", "", " if ", "; "), "bmatrix": ("[", "]", " if ", "; ")}


def spelled(latex: str) -> str:
    """The formula as one line. Raises AssertionError where a brace or an environment is left open."""
    tokens = iter(re.findall(r"\\[A-Za-z]+|\\.|\S", latex))
    return "".join(_spell(tokens, None))


def typeset(latex: str) -> None:
    """Give a formula to matplotlib's mathtext, which raises ValueError for what is no LaTeX.

    It knows no environments, whose rows become a list, no \\&, and \\# not before a letter.
    """
    flat = re.sub(r"\\(begin|end)\{\w+\}(\{r+\})?", "", latex)
    for own, other in ((r"\\", ";"), (r"\&", "+"), (r"\#", r"\%"), ("&", ","), (r"\text{`}", ""), (r"\text{\"}", "")):
        flat = flat.replace(own, other)
    MathTextParser("path").parse(f"${flat}$")


def _spell(tokens: Iterator[str], end: str | None) -> Iterator[str]:
    for token in tokens:
        if token == end:
            return
        match token:
            case "{":
                yield "".join(_spell(tokens, "}"))
            case "^" | "_":
                yield f"{token}{{{_group(tokens)}}}"
            case r"\frac":
                yield f"{{{_group(tokens)}/{_group(tokens)}}}"
            case r"\mathrm" | r"\mathsf" | r"\operatorname":
                yield _group(tokens)
            case r"\text":
                yield _group(tokens).replace("more", " more")
            case r"\left" | r"\right":
                yield next(tokens)
            case r"\begin":
                yield _environment(tokens)
            case "}" | r"\end":
                raise AssertionError(f"{token} closes nothing")
            case _ if token.startswith("\\"):
                yield SIGNS[token]
            case _:
                yield SIGNS.get(token, token)
    assert end is None, f"{end} is missing"


def _group(tokens: Iterator[str]) -> str:
    assert next(tokens) == "{"
    return "".join(_spell(tokens, "}"))


def _environment(tokens: Iterator[str]) -> str:
    name = _group(tokens)
    opening, closing, cell, row = ENVIRONMENTS[name]
    inside = []
    depth = 0
    for token in tokens:
        depth += (token == r"\begin") - (token == r"\end")
        if depth < 0:
            break
        inside.append({"&": cell, r"\\": row}.get(token, token) if depth == 0 else token)
    assert depth < 0 and _group(tokens) == name
    return opening + "".join(_spell(iter(inside), None)) + closing
