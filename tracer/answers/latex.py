"""LaTeX as plain text: matrices as brackets, fractions, Greek letters, raised and lowered words; nothing expanded."""

from __future__ import annotations

import re

_MATRIX = re.compile(
    r"\\begin\{([bBpvV]?matrix|smallmatrix|array)\}(?:\{[lcr|\s]{0,40}\})?(.{0,20000}?)\\end\{\1\}", re.DOTALL
)
_AROUND = re.compile(r"\\(?:left|right|[bB]igg?[lr]?)\b\.?|\\[,;:!\[\]() ]|\\q?quad\b|&(?=\s*[=≈])")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]{0,200})\}\s*\{([^{}]{0,200})\}")
_WORDS = re.compile(r"\\(?:text|math(?:rm|bf|it|bb)|boldsymbol|operatorname|bm|vec|hat|bar|tilde)\s*\{([^{}]{0,80})\}")
_GROUP = re.compile(r"(?:(_)|\^)\{\s*\(?([A-Za-z0-9, ]{1,40}|\+|\*|\\prime)\)?\s*\}")
_RAISED = re.compile(r"\^\(([0-9]{1,3})\)")
_LINE = re.compile(r"\\\\(?:\[[^\]]{0,10}\])?|\\begin\{[a-z*]{1,20}\}|\\end\{[a-z*]{1,20}\}|\\hline|\$\$?")
_SYMBOLS = {
    r"\partial": "∂", r"\delta": "δ", r"\Delta": "Δ", r"\theta": "θ", r"\eta": "η", r"\sigma": "σ", r"\alpha": "α",
    r"\cdot": "·", r"\times": "×", r"\approx": "≈", r"\rightarrow": "→", r"\to": "→", r"\Rightarrow": "⇒",
    r"\implies": "⇒", r"\prime": "'", r"\nabla": "∇", r"\odot": "⊙", r"\ast": "*", r"\%": "%", r"\_": "_",
}  # fmt: skip
_COMMAND = re.compile(r"\\(?:[A-Za-z]+|[%_])")
MOST_COMMANDS = 5_000
MOST_FRACTIONS = 4  # one in the other


def is_latex(text: str) -> bool:
    """Whether a text holds any of LaTeX's commands that stand in formulas."""
    return any(each in text for each in ("\\begin{", "\\frac", "$")) and text.count("\\") <= MOST_COMMANDS


def from_latex(text: str) -> str:
    r"""The text with LaTeX's formulas as they would be typed.

    >>> from_latex(r"W_2^{new} = \begin{bmatrix} 0.1 & -2 \\ 3 & 4 \end{bmatrix}")
    'W_2_new = [[0.1, -2], [3, 4]]'
    >>> from_latex(r"$\frac{\partial L}{\partial W^{(2)}} = 0.5$")
    '∂L/∂W2 = 0.5'
    """
    text = _WORDS.sub(r"\1", _MATRIX.sub(_brackets, text))
    text = _AROUND.sub("", text)
    text = _COMMAND.sub(lambda found: _SYMBOLS.get(found[0], found[0]), text)
    text = _GROUP.sub(_lowered, text)
    for _ in range(MOST_FRACTIONS):
        text = _FRACTION.sub(_over, text)
    return _LINE.sub(lambda found: "" if found[0].startswith("$") else "\n", _RAISED.sub(r"\1", text)).strip(" ")


def _brackets(matrix: re.Match[str]) -> str:
    rows = [row for row in re.split(r"\\\\(?:\[[^\]]{0,10}\])?|\\hline", matrix[2]) if row.strip()]
    return "[" + ", ".join(f"[{', '.join(cell.strip() for cell in row.split('&'))}]" for row in rows) + "]"


def _lowered(group: re.Match[str]) -> str:
    """A raised number is a layer's, a raised word or a lowered one stands behind the name."""
    inside = group[2].strip()
    if inside in ("+", "*", "'", r"\prime"):
        return inside.replace(r"\prime", "'")
    return inside if not group[1] and inside.isdigit() else f"_{inside}"


def _over(fraction: re.Match[str]) -> str:
    top, bottom = fraction[1].strip(), fraction[2].strip()
    derivative = top.startswith("∂") and bottom.startswith("∂")
    return f"{top}/{bottom}".replace("∂ ", "∂") if derivative else f"({top})/({bottom})"
