import xml.etree.ElementTree as ElementTree

import pytest

from tests.latex import typeset
from tracer.expression.label import Label, Name, Ratio, label_latex, label_mathml, label_text

READINGS: list[tuple[Name, str, str]] = [
    (Label("Z1"), "Z1", "<mi>Z1</mi>"),
    (Label("Z1", "1,2"), "Z1[1,2]", "<msub><mi>Z1</mi><mrow><mn>1</mn><mo>,</mo><mn>2</mn></mrow></msub>"),
    (Label("b1", "2"), "b1[2]", "<msub><mi>b1</mi><mn>2</mn></msub>"),
    (Label("h1", "in2"), "h1_in2", "<msub><mi>h1</mi><mi>in2</mi></msub>"),
    (Label("i", "1"), "i1", "<msub><mi>i</mi><mn>1</mn></msub>"),
    (Label("w", "5", "+"), "w5⁺", "<msubsup><mi>w</mi><mn>5</mn><mo>+</mo></msubsup>"),
    (
        Label("w", "1…4"),
        "w1…4",
        "<msub><mi>w</mi><mrow><mn>1</mn><mo>…</mo><mn>4</mn></mrow></msub>",
    ),
    (
        Label("O", "out1", "(12)"),
        "O_out1⁽¹²⁾",
        "<msubsup><mi>O</mi><mi>out1</mi><mrow><mo>(</mo><mn>12</mn><mo>)</mo></mrow></msubsup>",
    ),
    (Label("Z1", sup="T"), "Z1^T", "<msup><mi>Z1</mi><mi>T</mi></msup>"),
    (
        Label("W", "k1l1", hat=True),
        "Ŵ_k1l1",
        '<msub><mover accent="true"><mi>W</mi><mo>^</mo></mover><mi>k1l1</mi></msub>',
    ),
    (
        Label("b", "j1", hat=True),
        "b̂_j1",
        '<msub><mover accent="true"><mi>b</mi><mo>^</mo></mover><mi>j1</mi></msub>',
    ),
    (Label("hidden_layer_input"), "hidden_layer_input", "<mi>hidden_layer_input</mi>"),
    (
        Label("<b>&'", "x<y"),
        "<b>&'_x<y",
        "<msub><mi>&lt;b&gt;&amp;&#x27;</mi><mrow><mi>x</mi><mo>&lt;</mo><mi>y</mi></mrow></msub>",
    ),
    (
        Ratio(Label("E"), Label("O", "in1")),
        "∂E/∂O_in1",
        "<mfrac><mrow><mo>∂</mo><mi>E</mi></mrow><mrow><mo>∂</mo><msub><mi>O</mi><mi>in1</mi></msub></mrow></mfrac>",
    ),
    (
        Ratio(Label("L"), Label("Z1"), negative=True),
        "−∂L/∂Z1",
        "<mrow><mo>−</mo><mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo><mi>Z1</mi></mrow></mfrac></mrow>",
    ),
    (
        Ratio(Label("L"), Label("Z1"), negative=True, factor=Label("η")),
        "−η·∂L/∂Z1",
        "<mrow><mo>−</mo><mi>η</mi><mo>·</mo>"
        "<mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo><mi>Z1</mi></mrow></mfrac></mrow>",
    ),
]


@pytest.mark.parametrize(("name", "text", "_mathml"), READINGS)
def test_text(name: Name, text: str, _mathml: str) -> None:
    assert label_text(name) == text


@pytest.mark.parametrize(("name", "_text", "mathml"), READINGS)
def test_mathml(name: Name, _text: str, mathml: str) -> None:
    assert label_mathml(name) == mathml


@pytest.mark.parametrize(("name", "_text", "mathml"), READINGS)
def test_mathml_is_one_well_formed_element(name: Name, _text: str, mathml: str) -> None:
    assert ElementTree.fromstring(label_mathml(name)).tag in {"mi", "msub", "msup", "msubsup", "mover", "mfrac", "mrow"}


LATEX: list[tuple[Name, str]] = [
    (Label("X"), "X"),
    (Label("Z1"), "Z_{1}"),
    (Label("Z1", "1,2"), "Z_{1}[1,2]"),
    (Label("b1", "2"), "b_{1}[2]"),
    (Label("dW1"), r"\mathrm{d}W_{1}"),
    (Label("W1_next", "1,2"), r"W_{1}^{\mathrm{next}}[1,2]"),
    (Label("h1", "in2"), r"\mathrm{h1}_{\mathrm{in2}}"),
    (Label("i", "1", "(2)"), "i_{1}^{(2)}"),
    (Label("w", "5", "+"), "w_{5}^{+}"),
    (Label("w", "1…4"), r"w_{1\ldots{}4}"),
    (Label("W", "k1l1", hat=True), r"\hat{W}_{\mathrm{k1l1}}"),
    (Label("bh", hat=True), r"\widehat{\mathrm{bh}}"),
    (Label("hidden_layer_input"), r"\mathrm{hidden\_layer\_input}"),
    (Label("50% #1 & $2"), r"\mathrm{50\%\ \#1\ \&\ \$2}"),
    (Label("{a}^b~c\\d"), r"\mathrm{\{a\}{}^{\wedge}b\sim{}c\backslash{}d}"),
    (Label("x-y'"), r"\mathrm{x\text{-}y\text{'}}"),
    (Label("é"), "é"),
    (Ratio(Label("E"), Label("O", "in1")), r"\frac{\partial E}{\partial O_{\mathrm{in1}}}"),
    (
        Ratio(Label("L"), Label("Z1"), negative=True, factor=Label("η")),
        r"-\eta{} \cdot \frac{\partial L}{\partial Z_{1}}",
    ),
]


@pytest.mark.parametrize(("name", "latex"), LATEX)
def test_latex(name: Name, latex: str) -> None:
    assert label_latex(name) == latex
    typeset(latex)


def test_names_can_be_keys() -> None:
    assert len({Label("Z1"), Label("Z1"), Ratio(Label("L"), Label("Z1"))}) == 2
