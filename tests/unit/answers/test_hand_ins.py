"""Right work as learners hand it in, of two samples: what is read counts, and nothing of the rest is accused."""

import json
import re
from functools import cache

import pytest

from tests.unit.answers.test_forms import right
from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers
from tracer.problem.problem import problem_from_document

TWO = {
    "learning_rate": 0.5, "loss": "half_squared_error", "decimals": 4,
    "data": {"X": [[0.4, 0.9], [1.2, -0.3]], "Y": [[1], [0]]},
    "layers": [
        {"activation": "sigmoid", "weights": [[0.15, -0.4], [0.7, 0.25]], "bias": [0.1, -0.2]},
        {"activation": "sigmoid", "weights": [[0.6], [0.45]], "bias": [0.25]},
    ],
}  # fmt: skip
_NUMBER = re.compile(r"<(-?)(\w+?)([12])([12])(,?)>")


@cache
def conventions() -> Conventions:
    return Conventions(key_of(problem_from_document(TWO, "two", "two")))


def marked(text: str, name: str = "a.txt") -> MarkedSheet:
    """The sheet, where <Z112> stands for a number of the key to six decimals, <-Z112> for its opposite, <Z112,> for
    one with a decimal comma."""

    def number(found: re.Match[str]) -> str:
        value = conventions().key.values[found[2]][int(found[3]) - 1, int(found[4]) - 1]
        return f"{-value if found[1] else value:.6f}".replace(".", found[5] or ".")

    return mark_answers(read_content(name, _NUMBER.sub(number, text).encode()), conventions())


def sample(number: int) -> str:
    return (
        f"Sample {number}: x1 = 0.4, x2 = 0.9\n"
        f"z1 = 0.4*0.15 + 0.9*0.7 + 0.1 = <Z1{number}1>\nz2 = <Z1{number}2>\na1 = sigmoid(z1) = <A1{number}1>\n"
        f"a2 = <A1{number}2>\nz3 = <Z2{number}1>\na3 = <A2{number}1>\ndelta3 = (a3-y)*a3*(1-a3) = <D2{number}1>\n"
        f"delta1 = <D1{number}1>\ndelta2 = <D1{number}2>\n"
    )


ROWS = "z\t<Z111>\t<Z112>\n"
FORMS = {
    "a sample at a time": (sample(1) + sample(2), "a.txt", {"Z1": 4, "A1": 4, "Z2": 2, "A2": 2, "D2": 2, "D1": 4}),
    "rows of a table, a sample at a time": (
        "Sample 1\nNet input (z)\t<Z111>\t<Z112>\nActivation (a)\t<A111>\t<A112>\n"
        "Sample 2\nNet input (z)\t<Z121>\t<Z122>\nActivation (a)\t<A121>\t<A122>\n", "a.txt", {"Z1": 4, "A1": 4},
    ),
    "a row for each unit": (
        "\tsample 1\tsample 2\nnet h1\t<Z111>\t<Z121>\nnet h2\t<Z112>\t<Z122>\ndelta h1\t<D111>\t<D121>\n"
        "delta h2\t<D112>\t<D122>\n", "a.tsv", {"Z1": 4, "D1": 4},
    ),
    "a row for each unit, in brackets": ("δ_h1 = [<D111>, <D121>]\nδ_h2 = [<D112>, <D122>]\n", "a.txt", {"D1": 4}),
    "units counted from the inputs on": (
        "| net3 | net4 | y3 | y4 | net5 | y5 |\n|---|---|---|---|---|---|\n"
        + "".join(f"| <Z1{k}1> | <Z1{k}2> | <A1{k}1> | <A1{k}2> | <Z2{k}1> | <A2{k}1> |\n" for k in (1, 2)),
        "a.md", {"Z1": 4, "A1": 4, "Z2": 2, "A2": 2},
    ),
    "a script with remarks": (
        "import numpy as np\nz_hidden = np.array([[<Z111>, <Z112>], [<Z121>, <Z122>]])  # sums, 2 units\n"
        "a_hidden = np.array([[<A111>, <A112>],\n  [<A121>, <A122>]])  # after sigmoid\nloss = <L11>  # of both\n",
        "a.py", {"Z1": 4, "A1": 4, "L": 1},
    ),
    "MATLAB with remarks": ("Z1 = [<Z111> <Z112>; <Z121> <Z122>]; % sums\n", "a.m", {"Z1": 4}),
    "cells counted from 0": (
        "".join(f"Z1[{i}][{j}] = <Z1{i + 1}{j + 1}>\nA1[{i},{j}] = <A1{i + 1}{j + 1}>\n"
                for i in (0, 1) for j in (0, 1)),
        "a.txt", {"Z1": 4, "A1": 4},
    ),
    "cells counted from 1": (
        "".join(f"Z1({i},{j}) = <Z1{i}{j}>\n" for i in (1, 2) for j in (1, 2)), "a.m", {"Z1": 4},
    ),
    "decimal commas in brackets": (
        "Z1 = [[<Z111,>; <Z112,>]; [<Z121,>; <Z122,>]]\nL = <L11,>\n", "a.txt", {"Z1": 4, "L": 1},
    ),
    "per cent": ("A1 = [[68.783 %, 46.630 %], [51.749 %, 31.973 %]]\n", "a.txt", {"A1": 4}),
    "numbered steps": (
        "1. z_1 and so on\n2. dL/dw1 = <dW111>, dL/dw2 = <dW121>, dL/dw3 = <dW112>, dL/dw4 = <dW122>\n"
        "3. new b2 = <b2_next11>, new b1 = (<b1_next11>, <b1_next12>)\n", "a.txt",
        {"dW1": 4, "b1_next": 2, "b2_next": 1},
    ),
    "fractions in a line": (
        r"6. $\frac{\partial L}{\partial z_1} = 7$, $\frac{\partial L}{\partial W^{(2)}} = "
        r"\begin{pmatrix} <dW211> \\ <dW221> \end{pmatrix}$", "a.md", {"dW2": 2},
    ),
    "changes beside gradients": (
        "∂L/∂W1 = [[<dW111>, <dW112>], [<dW121>, <dW122>]]\nΔW1 = [[-0.011739, -0.00733], [0.006881, 0.005258]]\n",
        "a.txt", {"dW1": 4},
    ),
    "differences": ("| ŷ | y - ŷ | (y - ŷ)² |\n|---|---|---|\n| <A211> | 0.294729 | 0.086865 |\n"
                    "| <A221> | -0.669155 | 0.447769 |\n", "a.md", {"A2": 2}),
    "the loss in parts": ("| a_o | err |\n|---|---|\n| <A211> | 0.0434 |\n| <A221> | 0.2239 |\n", "a.md", {"A2": 2}),
    "a dictionary of gradients": (
        'grads = {"W1": [[<dW111>, <dW112>], [<dW121>, <dW122>]], "W2": [[<dW211>], [<dW221>]]}\n', "a.py",
        {"dW1": 4, "dW2": 2},
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_right_work_is_read_and_nothing_is_accused(form: str) -> None:
    text, name, expected = FORMS[form]
    assert right(marked(text, name)) == expected


def test_matrices_within_others_have_the_names_that_they_mean() -> None:
    values = {name: value.round(6).tolist() for name, value in conventions().key.values.items()}
    document = {
        "forward": {"Z1": values["Z1"], "A1": values["A1"]},
        "layer2": {"Z": values["Z2"], "A": values["A2"]},
        "grads": {"W1": values["dW1"], "b1": values["db1"]},
        "new_params": {"W1": values["W1_next"], "W2": values["W2_next"]},
    }
    sheet = mark_answers(read_content("a.json", json.dumps(document).encode()), conventions())
    assert right(sheet) == {"Z1": 4, "A1": 4, "Z2": 2, "A2": 2, "dW1": 4, "db1": 2, "W1_next": 4, "W2_next": 2}


@pytest.mark.parametrize(
    "text",
    [
        "h1 = [7.1, 7.2]\nh2 = [7.3, 7.4]\n",  # of a unit's samples, or of a sample's units
        "z1 = 5.12\nz2 = 6.12\nz1 = 7.12\nz2 = 8.12\n",  # of two samples, or of two passes
        "ΔW1 = [[5.1, 5.2], [5.3, 5.4]]\n∂L/∂W2 = [[<dW211>], [<dW221>]]\n",
    ],
)
def test_what_may_be_either_and_agrees_with_neither_is_not_read(text: str) -> None:
    sheet = marked(text)
    assert not set(sheet.sheet.written) - {"dW2"} and sheet.sheet.answers.not_read
