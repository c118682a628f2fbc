"""The LaTeX of random expressions and names says what their MathML says, and is LaTeX."""

import re

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests import latex
from tests.strategies import Made, expressions
from tests.unit.expression import test_mathml as mathml
from tracer.expression import scalar as s
from tracer.expression.label import Label, Ratio, label_latex
from tracer.expression.latex import cell_latex, matrix_latex
from tracer.expression.lower import lower
from tracer.expression.mathml import cell_mathml, matrix_mathml
from tracer.expression.worked import work

LETTERS = st.characters(max_codepoint=0x17F, categories=["L", "N", "P", "S"])  # mathtext's font has these
NAMES = st.text(st.sampled_from("abZ19_%&#\\{}^~$ '\"`<>|/[]()+-,") | LETTERS, min_size=1)


def cell_markup(cell: s.Cell) -> str:
    return f"<msub><mi>{cell.matrix}</mi><mn>{cell.row}</mn></msub>"


def cell_name(cell: s.Cell) -> str:
    return f"{cell.matrix}_{{{cell.row}}}"


@settings(max_examples=200)
@given(expressions())
def test_a_matrix_reads_the_same(made: Made) -> None:
    text = matrix_latex(made.expression, str)
    assert latex.spelled(text) == mathml.spelled(matrix_mathml(made.expression, mathml.matrix_name))


@settings(max_examples=200)
@given(expressions(depth=2), st.data())
def test_every_stage_of_a_cell_reads_the_same(made: Made, data: st.DataObject) -> None:
    row, column = data.draw(st.sampled_from(list(np.ndindex(made.expression.shape))))

    def number(cell: s.Cell) -> s.Value:
        return s.Value(float(made.values[cell.matrix][cell.row, cell.column]), 3)

    worked = work(lower(made.expression, row, column), number, 3)
    for side in (worked.letters, *worked.stages, worked.result):
        expected = mathml.spelled(cell_mathml(side, cell_markup))
        assume(not re.search(r"\de[+−]?\d", expected))  # MathML writes 1e+16 as it stands, LaTeX as a power of ten
        assert latex.spelled(cell_latex(side, cell_name)) == expected


@settings(max_examples=100)
@given(expressions(depth=2))
def test_a_typesetter_takes_it(made: Made) -> None:
    latex.typeset(matrix_latex(made.expression, lambda name: label_latex(Label(name))))


@given(NAMES, st.sampled_from(["", "1", "1,2", "in1", "1…4"]), st.sampled_from(["", "+", "(2)"]), st.booleans())
def test_a_name_is_escaped_whatever_it_is(base: str, sub: str, sup: str, hat: bool) -> None:
    name = Label(base, sub, sup, hat)
    for text in (label_latex(name), label_latex(Ratio(Label("L"), name, negative=True, factor=Label("η")))):
        latex.typeset(text)
        assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
