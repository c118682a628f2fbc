"""The forms in which people hand in right numbers: each is read, whole, and nothing in it is accused."""

import json
from functools import cache

import pytest

from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers
from tracer.problem.problem import problem_from_document

PLAIN = {
    "learning_rate": 0.5, "loss": "half_squared_error", "decimals": 3, "names": {"style": "mazur"},
    "data": {"X": [[0.4, 0.1]], "Y": [[0.0, 1.0]]},
    "layers": [
        {"activation": "sigmoid", "weights": [[0.2, 0.4], [0.3, 0.1]], "bias": [0.35, 0.4]},
        {"activation": "linear", "weights": [[0.6, 0.2], [0.6, 0.1]]},
    ],
    "convention": {"bias_update": False},
}  # fmt: skip
SHARED = PLAIN | {
    "data": {"X": [[0.05, 0.1]], "Y": [[0.01, 0.99]]},
    "layers": [
        {"activation": "sigmoid", "weights": [[0.15, 0.25], [0.2, 0.3]], "bias": 0.35},
        {"activation": "sigmoid", "weights": [[0.4, 0.5], [0.45, 0.55]], "bias": 0.6},
    ],
}
TANH = {
    "learning_rate": 0.1, "loss": "squared_error", "data": {"X": [[2]], "Y": [[1]]},
    "layers": [
        {"activation": "tanh", "weights": [[0.3, 0.4]], "bias": [0.1, 0.2]},
        {"activation": "tanh", "weights": [[1], [-3]], "bias": [0.2]},
        {"activation": "tanh", "weights": [[2]], "bias": [1]},
    ],
}  # fmt: skip
LOGISTIC = {
    "learning_rate": 0.01, "loss": "binary_cross_entropy", "decimals": 4,
    "data": {"X": [[7, -1.4], [5, -0.7], [6, 0.0]], "Y": [[1], [0], [1]]},
    "layers": [{"activation": "sigmoid", "weights": [[0.1], [0.1]], "bias": [0.1]}],
    "convention": {"reduction": "mean"},
}  # fmt: skip
PROBLEMS = {"plain": PLAIN, "shared": SHARED, "tanh": TANH, "logistic": LOGISTIC}


@cache
def conventions(problem: str) -> Conventions:
    return Conventions(key_of(problem_from_document(PROBLEMS[problem], problem, problem)))


def marked(problem: str, text: str, name: str = "a.txt") -> MarkedSheet:
    """The sheet, where {Z1[0,1]} in the text stands for a number of the key to six decimals."""
    values = conventions(problem).key.values
    for identifier, value in values.items():
        for i, row in enumerate(value.tolist()):
            for j, number in enumerate(row):
                text = text.replace(f"<{identifier}{i + 1}{j + 1}>", f"{number:.6f}")
    return mark_answers(read_content(name, text.encode()), conventions(problem))


def right(sheet: MarkedSheet) -> dict[str, int]:
    """How many cells of each matrix are right; all that are not blank have to be."""
    wrong = [mark for mark in sheet.marks if mark.verdict not in ("correct", "rounded", "too_coarse", "blank")]
    assert not wrong, wrong
    found = {each: sum(mark.verdict != "blank" for mark in sheet.of(each)) for each in sheet.sheet.written}
    return {each: count for each, count in found.items() if count}


W_COLUMNS = ["W1{}11", "W1{}21", "W1{}12", "W1{}22", "W2{}11", "W2{}21", "W2{}12", "W2{}22"]
W_ROWS = ["W1{}11", "W1{}12", "W1{}21", "W1{}22", "W2{}11", "W2{}12", "W2{}21", "W2{}22"]


def weights(order: list[str], name: str, form: str = "_next") -> str:
    return "\n".join(f"{name.format(k)} = <{each.format(form)}>" for k, each in enumerate(order, 1))


FORMS = {
    "working": ("out_h1 = 1/(1+e^-0.46) = <A111>\nout_h2 = <A112>", {"A1": 2}),
    "working on": ("out_h1 = 1/(1+exp(-net_h1))\n= 1/(1+exp(-0.46))\n= <A111>\nout_h2 = <A112>", {"A1": 2}),
    "a chain with arrays": ("A1 = max([0.1, 0.2], 0.5) = [<A111>, <A112>]", {"A1": 2}),
    "a tuple": ("a1 = (<A111>, <A112>)\nL = <L11>", {"A1": 2, "L": 1}),
    "implied": ("H1_net = <Z111> => H1 = sigmoid(H1_net) = <A111>", {"Z1": 1, "A1": 1}),
    "units": ("z1 = <Z111>\nz2 = <Z112>\no1 = <A211>\no2 = <A212>", {"Z1": 2, "A2": 2}),
    "gradients of units": ("dL_dz1 = <D111>\ndL_dz2 = <D112>\ndL_dh1 = <E111>\ndL_dh2 = <E112>", {"D1": 2, "E1": 2}),
    "deltas": ("delta1 = <D111>\ndelta2 = <D112>", {"D1": 2}),
    "by columns": (weights(W_COLUMNS, "w{}_new"), {"W1_next": 4, "W2_next": 4}),
    "by rows": (weights(W_ROWS, "w{}+"), {"W1_next": 4, "W2_next": 4}),
    "by rows, as the old ones are": (
        "w1 = 0.2\nw2 = 0.4\nw3 = 0.3\nw4 = 0.1\n" + weights(W_ROWS[:4], "w{}+"), {"W1_next": 4}
    ),
    "gradients by rows": (weights(W_ROWS, "d_w{}").replace("W", "dW").replace("_next", ""), {"dW1": 4, "dW2": 4}),
    "units and what they come from": (
        "w11_new: <W1_next11>\nw12_new: <W1_next21>\nw21_new: <W1_next12>\nw22_new: <W1_next22>\nw31_new: <W2_next11>\n"
        "w32_new: <W2_next21>\nw41_new: <W2_next12>\nw42_new: <W2_next22>", {"W1_next": 4, "W2_next": 4},
    ),
    "units counted through the layers, from and to": (
        "w35_new: <W2_next11>\nw45_new: <W2_next21>\nw36_new: <W2_next12>\nw46_new: <W2_next22>", {"W2_next": 4}
    ),
    "units counted through the layers, to and from": (
        "w53_new: <W2_next11>\nw54_new: <W2_next21>\nw63_new: <W2_next12>\nw64_new: <W2_next22>", {"W2_next": 4}
    ),
    "layer, from and to": (
        "w111_new: <W1_next11>\nw112_new: <W1_next12>\nw121_new: <W1_next21>\nw122_new: <W1_next22>\n"
        "w211_new: <W2_next11>\nw212_new: <W2_next12>\nw221_new: <W2_next21>\nw222_new: <W2_next22>",
        {"W1_next": 4, "W2_next": 4},
    ),
    "semicolons between rows": ("dW1 = <dW111> <dW112>; <dW121> <dW122>", {"dW1": 4}),
    "rows below the first": ("dW1 = <dW111>  <dW112>\n      <dW121>  <dW122>\nL = <L11>", {"dW1": 4, "L": 1}),
    "lists below each other": ("dW1:\n  - [<dW111>, <dW112>]\n  - [<dW121>, <dW122>]\nL: <L11>", {"dW1": 4, "L": 1}),
    "a matrix in one row": ("dW1 = [<dW111>, <dW112>, <dW121>, <dW122>]", {"dW1": 4}),
    "a matrix in one row, column after column": ("dW1 = [<dW111>, <dW121>, <dW112>, <dW122>]", {"dW1": 4}),
    "a dictionary": (
        "{" + ",\n ".join(f"'w{k}': <{each.format('_next')}>" for k, each in enumerate(W_COLUMNS, 1)) + "}",
        {"W1_next": 4, "W2_next": 4},
    ),
    "all in a row": (" ".join(f"<{each.format('_next')}>" for each in W_COLUMNS), {"W1_next": 4, "W2_next": 4}),
    "arrows": ("w5: 0.6 -> <W2_next11>\nw6: 0.6 → <W2_next21>\nw7: 0.2 -> <W2_next12>\nw8: 0.1 -> <W2_next22>",
               {"W2_next": 4}),
    "headings over rows": ("== forward: h1, h2, o1, o2 ==\n<A111> <A112> <A211> <A212>\n== loss ==\n<L11>",
                           {"A1": 2, "A2": 2, "L": 1}),
    "a cross table": ("Hidden\th1\th2\nnet\t<Z111>\t<Z112>\nout\t<A111>\t<A112>", {"Z1": 2, "A1": 2}),
    "LaTeX": (r"$$Z^{(1)} = \begin{bmatrix} <Z111> & <Z112> \end{bmatrix}$$" "\n"
              r"$$\frac{\partial L}{\partial W^{(2)}} = \begin{pmatrix} <dW211> & <dW212> \\ <dW221> & <dW222>"
              r" \end{pmatrix}$$", {"Z1": 2, "dW2": 4}),
    "Julia": ("julia> dW2\n2×2 Matrix{Float64}:\n <dW211>  <dW212>\n <dW221>  <dW222>\n", {"dW2": 4}),
    "Mathematica": ("A1 = {{<A111>, <A112>}}", {"A1": 2}),
    "R": ("$Z1\n     [,1] [,2]\n[1,] <Z111> <Z112>\n\n> A1\n     [,1] [,2]\n[1,] <A111> <A112>\n", {"Z1": 2, "A1": 2}),
    "PyTorch": ("fc1.weight.grad\ntensor([[<dW111>, <dW121>],\n        [<dW112>, <dW122>]])\nfc2.weight.grad tensor([["
                "<dW211>, <dW221>], [<dW212>, <dW222>]], dtype=torch.float64)", {"dW1": 4, "dW2": 4}),
    "a state dict": ("OrderedDict([('0.weight', tensor([[<W1_next11>, <W1_next21>],\n [<W1_next12>, <W1_next22>]])), "
                     "('2.weight', tensor([[<W2_next11>, <W2_next21>],\n [<W2_next12>, <W2_next22>]]))])",
                     {"W1_next": 4, "W2_next": 4}),
    "Keras": ("[array([[<W1_next11>, <W1_next12>],\n [<W1_next21>, <W1_next22>]], dtype=float32), array([[<W2_next11>, "
              "<W2_next12>],\n [<W2_next21>, <W2_next22>]], dtype=float32)]", {"W1_next": 4, "W2_next": 4}),
    "TensorFlow": ("dW1: <tf.Tensor: shape=(2, 2), numpy=\narray([[<dW111>, <dW112>],\n [<dW121>, <dW122>]])>",
                   {"dW1": 4}),
}  # fmt: skip


def test_the_old_weights_in_the_place_of_the_updated_ones_are_an_answer() -> None:
    old = "W1 = [[0.200, 0.400], [0.300, 0.100]]\n"
    sheet = marked("plain", f"{old}W2_new = [[<W2_next11>, <W2_next12>], [<W2_next21>, <W2_next22>]]\n{old}")
    assert not {each.verdict for each in sheet.of("W1_next")} & {"correct", "rounded", "blank"}
    assert len(list(sheet.of("W1_next"))) == 4


SHARED_BIAS = {
    "Keras": "[array([[<W1_next11>, <W1_next12>],\n [<W1_next21>, <W1_next22>]], dtype=float32), array([0.35, 0.35], "
    "dtype=float32), array([[<W2_next11>, <W2_next12>],\n [<W2_next21>, <W2_next22>]], dtype=float32), "
    "array([0.6, 0.6], dtype=float32)]",
    "PyTorch": "OrderedDict([('0.weight', tensor([[<W1_next11>, <W1_next21>],\n [<W1_next12>, <W1_next22>]])), "
    "('0.bias', tensor([0.3500, 0.3500])), ('2.weight', tensor([[<W2_next11>, <W2_next21>],\n [<W2_next12>, "
    "<W2_next22>]])), ('2.bias', tensor([0.6000, 0.6000]))])",
}


@pytest.mark.parametrize("form", SHARED_BIAS)
def test_a_shared_bias_may_stand_once_for_each_unit(form: str) -> None:
    sheet = marked("shared", SHARED_BIAS[form])
    assert right(sheet) == {"W1_next": 4, "b1_next": 1, "W2_next": 4, "b2_next": 1}
    assert not sheet.sheet.answers.not_read


def test_biases_of_units_that_the_problem_has_as_one_number_are_not_read() -> None:
    sheet = marked("shared", "OrderedDict([('0.weight', tensor([[<W1_next11>, <W1_next21>], [<W1_next12>, <W1_next22>]]"
                             ")), ('0.bias', tensor([0.3456, 0.3450]))])")  # fmt: skip
    assert right(sheet) == {"W1_next": 4}
    (line,) = sheet.sheet.answers.not_read
    assert line.says == "b1 is 1×1; to have it read write b1 = … with one number"


PRINTED_BIASES = {
    "PyTorch": "OrderedDict([('fc1.weight', tensor([[<W1_next11>],\n [<W1_next12>]])), ('fc1.bias', "
    "tensor([<b1_next11>, <b1_next12>])), ('fc2.weight', tensor([[<W2_next11>, <W2_next21>]])), "
    "('fc2.bias', tensor([<b2_next11>])), ('fc3.weight', tensor([[<W3_next11>]])), "
    "('fc3.bias', tensor([<b3_next11>]))])",
    "named parameters": "fc1.weight tensor([[<W1_next11>], [<W1_next12>]])\nfc1.bias tensor([<b1_next11>, "
    "<b1_next12>])\nfc2.weight tensor([[<W2_next11>, <W2_next21>]])\nfc2.bias tensor([<b2_next11>])\n"
    "fc3.weight tensor([[<W3_next11>]])\nfc3.bias tensor([<b3_next11>])",
}


@pytest.mark.parametrize("form", PRINTED_BIASES)
def test_biases_of_a_printed_state_are_read(form: str) -> None:
    sheet = marked("tanh", PRINTED_BIASES[form])
    assert right(sheet) == {"W1_next": 2, "b1_next": 2, "W2_next": 2, "b2_next": 1, "W3_next": 1, "b3_next": 1}
    assert not sheet.sheet.answers.not_read


R_HEADINGS = ["net.result", "$net.result", "> nn$net.result", "> compute(nn, X)$net.result", "> predict(nn, X)",
              "$net.result\n$net.result[[1]]", "> nn$net.result\n[[1]]"]  # fmt: skip


@pytest.mark.parametrize("heading", R_HEADINGS)
def test_what_a_network_in_r_gives_is_read_by_its_numbers(heading: str) -> None:
    """Its name is no matrix's, and what its function is called with no name of it."""
    printed = heading + "\n          [,1]\n[1,] <A111>\n[2,] <A121>\n[3,] <A131>\n"
    sheet = marked("logistic", printed)
    assert right(sheet) == {"A1": 3}
    other = marked("logistic", printed.replace("<A121>", "0.987654"))
    assert not other.marks and other.sheet.answers.not_read and not other.warnings


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_read_whole_and_right(form: str) -> None:
    text, expected = FORMS[form]
    sheet = marked("plain", text)
    assert right(sheet) == expected
    assert not sheet.sheet.answers.not_read, sheet.sheet.answers.not_read


@pytest.mark.parametrize("name", ["a.py", "a.m", "a.R", "a.md", "a.tex"])
def test_scripts_are_read_as_text(name: str) -> None:
    assert right(marked("plain", "z1 = <Z111>\nz2 = <Z112>\n", name)) == {"Z1": 2}


def test_lists_of_yaml_are_read_with_their_dashes() -> None:
    text = "dW1:\n- - <dW111>\n  - <dW112>\n- - <dW121>\n  - <dW122>\nA1:\n- <A111>\n- <A112>\nL: <L11>\n"
    for name in ("a.yaml", "a.yml"):
        assert right(marked("plain", text, name)) == {"dW1": 4, "A1": 2, "L": 1}


@pytest.mark.parametrize("text", ["dW1 = {0} {1}; {2} {3}", "dW1 = {0}  {1}\n {2}  {3}", "dW1 = [{0} {1}; {2} {3}]"])
def test_decimal_commas_stand_in_rows_too(text: str) -> None:
    numbers = [f"{value:.6f}".replace(".", ",") for value in conventions("plain").key.values["dW1"].ravel()]
    assert right(marked("plain", text.format(*numbers))) == {"dW1": 4}


@pytest.mark.parametrize("below", ["<L11>", "<dW111> x", "1 2 3", "\n<dW121> <dW122>"])
def test_what_is_no_row_of_the_matrix_above_does_not_belong_to_it(below: str) -> None:
    assert [
        len(rows) for rows in marked("plain", f"dW1 = <dW111> <dW112>\n{below}").sheet.answers.matrices.values()
    ] == [1]


def test_a_notebook_is_read_with_what_it_printed() -> None:
    values = conventions("plain").key.values
    cells = [
        {"cell_type": "markdown", "source": ["# My answers"]},
        {
            "cell_type": "code",
            "source": "dW2",
            "outputs": [{"data": {"text/plain": repr(values["dW2"])}}],
        },
        {"cell_type": "code", "source": "print(A1)", "outputs": [{"text": [str(values["A1"].tolist())]}]},
        {"cell_type": "code", "source": "Z1 = X @ W1 + b1", "outputs": []},
        {"cell_type": "code", "source": "0.5", "outputs": [{"data": {"text/plain": "0.5"}}]},
    ]
    sheet = mark_answers(read_content("a.ipynb", json.dumps({"cells": cells}).encode()), conventions("plain"))
    assert right(sheet) == {"A1": 2, "dW2": 4}


HEAD = "t1,t2,i1,i2,w1,w2,w3,w4,h1,a_h1,h2,a_h2,o1,o2,E1,E2,E_tot,{d}E/{d}w5,{d}E/{d}w6,{d}E/{d}w7,{d}E/{d}w8"


@pytest.mark.parametrize("d", ["∂", "𝟃", "𝜕", "δ", "d"])
def test_a_row_for_each_epoch_with_a_column_for_each_number(d: str) -> None:
    values = conventions("plain").key.values
    shares = (0.5 * (values["A2"] - values["Y"]) ** 2)[0]
    row = (
        "0,1,0.4,0.1,0.2,0.3,0.4,0.1,<Z111>,<A111>,<Z112>,<A112>,<Z211>,<Z212>,"
        f"{shares[0]:.6f},{shares[1]:.6f},<L11>,<dW211>,<dW221>,<dW212>,<dW222>"
    )
    second = "0,1,0.4,0.1,<W1_next11>,<W1_next21>,<W1_next12>,<W1_next22>" + ",0.5" * 13
    sheet = marked("plain", "\n".join([HEAD.format(d=d), row, second]), "a.csv")
    assert right(sheet) == {"Z1": 2, "A1": 2, "A2": 2, "L": 1, "dW2": 4, "W1_next": 4}, "Z2 is A2"
    assert not sheet.sheet.answers.not_read
    assert sheet.warnings == ("further rows of the table are later passes, which are not marked here",)


def test_the_bias_as_first_row_and_an_activation_with_its_1() -> None:
    text = "x(1) = [1; <A111>; <A112>]\ndW1 = [<db111> <db112>; <dW111> <dW112>]\ndW2 = [<db211>; <dW211>; <dW221>]"
    assert right(marked("tanh", text)) == {"A1": 2, "dW1": 2, "db1": 2, "dW2": 2, "db2": 1}


def test_theta_is_the_bias_and_the_weights() -> None:
    expected = {"W1_next": 2, "b1_next": 1}
    assert right(marked("logistic", "theta = [<b1_next11>, <W1_next11>, <W1_next21>]")) == expected
    assert (
        right(marked("logistic", "θ0_new = 0.1 - 0.01(0.07) = <b1_next11>\nθ1_new = <W1_next11>\nθ2_new = <W1_next21>"))
        == expected
    )


def test_a_table_of_samples_and_samples_by_their_letter() -> None:
    rows = "".join(f"| {letter} | <Z1{k}1> | <A1{k}1> |\n" for k, letter in enumerate("ABC", 1))
    assert right(marked("logistic", f"| Row | z | h |\n|---|---|---|\n{rows}", "a.md")) == {"Z1": 3, "A1": 3}
    assert right(marked("logistic", "z_A = <Z111>\nz_C = <Z131>")) == {"Z1": 2}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A1 = sigmoid(Z1)\nlearning rate used: 0.1\n", ["a number under “learning rate used”: 0.1"]),
        ("z1 = 7.1234\nz2 = 8.1234\n", ["z1 = 7.1234, z2 = 8.1234"]),
        ("Z1 = 0.5123\n", ["Z1 = 0.5123"]),
        ("h1 = 3.123\n", ["h1 = 3.123"]),
        ("1.123 2.123 3.123\n", ["1×3 numbers without a name: 1.123, 2.123, 3.123"]),
        ("Δw5 = 0.1234\nΔw6 = 0.2345\n", ["Δw5 = 0.1234, Δw6 = 0.2345"]),
    ],
)
def test_what_is_not_sure_is_not_read_and_never_judged(text: str, found: list[str]) -> None:
    sheet = marked("plain", text)
    assert not sheet.marks
    assert [each.found for each in sheet.sheet.answers.not_read] == found
    assert all("to have it read write" in each.says for each in sheet.sheet.answers.not_read)


def test_answers_to_another_problem_have_one_line() -> None:
    other = marked("plain", "X = [[5, 6]]\nY = [[7, 8]]\nZ1 = [[9, 1.5]]\nA1 = [[0.77, 0.78]]\n")
    assert not other.marks and not other.warnings
    (line,) = other.sheet.answers.not_read
    assert line.says.endswith("the answers are to another problem")


@pytest.mark.parametrize("number", ["{:.4f}", "≈ {:.4f}", "{:.4f} (rounded)", "{:.4f}.", "{:.3e}", "= {:.4f}"])
def test_a_number_as_people_write_it(number: str) -> None:
    key = conventions("plain").key
    text = "\n".join(f"out_h{k} = {number.format(value)}" for k, value in enumerate(key.values["A1"][0], 1))
    assert right(mark_answers(read_content("a.txt", text.encode()), conventions("plain"))) == {"A1": 2}


def test_a_comma_between_digits_goes_by_the_shape() -> None:
    document = PLAIN | {
        "learning_rate": 1, "data": {"X": [[1, 2], [3, 4]], "Y": [[1, 1], [1, 1]]},
        "layers": [{"activation": "linear", "weights": [[1, 2], [3, 1]]}], "convention": {},
    }  # fmt: skip
    whole = Conventions(key_of(problem_from_document(document, "whole", "whole")))
    assert right(mark_answers(read_content("a.csv", b"Z1\n7,4\n15,10\n"), whole)) == {"Z1": 4}
    text = "Z1 = " + str([[f"{value[0]:.4f}".replace(".", ",")] for value in conventions("logistic").key.values["Z1"]])
    commas = mark_answers(read_content("a.txt", text.replace("'", "").encode()), conventions("logistic"))
    assert right(commas) == {"Z1": 3}
