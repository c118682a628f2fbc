"""Names and blocks as students write them: what each is read as, and what is said instead of guessed."""

import io
from functools import cache

import pytest
from openpyxl import Workbook

from tracer.answers.key import Key, key_of
from tracer.answers.naming import named
from tracer.answers.reading import AnswerError, Answers, read_content
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers
from tracer.judging.verdicts import COUNTS
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem


@cache
def key(example: str) -> Key:
    return key_of(load_problem(example))


def right_as_written(marked: MarkedSheet) -> bool:
    """Whether every cell is right at the digits that it has."""
    return {mark.verdict for mark in marked.marks} <= {*COUNTS, "too_coarse"} and not marked.warnings


def read(text: str, name: str = "a.txt", example: str = "article") -> Answers:
    return named(read_content(name, text.encode()), key(example))


def numbers(answers: Answers) -> dict[str, list[list[float | None]]]:
    return {
        name: [[entry.value if entry.kind == "number" else None for entry in row] for row in grid]
        for name, grid in answers.matrices.items()
    }


def shown(identifier: str, example: str = "article", decimals: int = 3, mark: str = " ") -> str:
    """The right numbers of a matrix, a row a line."""
    return "\n".join(mark.join(f"{value:.{decimals}f}" for value in row) for row in key(example).values[identifier])


@pytest.mark.parametrize(
    ("example", "name", "identifier"),
    [
        *(("article", *pair) for pair in (
            ("hidden_layer_input", "Z1"), ("Hidden Layer Input (3×3)", "Z1"), ("hidden_layer_input = X·wh + bh", "Z1"),
            ("hidden_layer_activations", "A1"), ("hiddenlayer-activations", "A1"), ("output_layer_input", "Z2"),
            ("output", "A2"), ("ŷ", "A2"), ("E", "E"), ("slope_output_layer", "S2"), ("Slope hidden layer", "S1"),
            ("d_output", "D2"), ("error_at-hidden_layer", "E1"), ("Error at hidden layer", "E1"), ("delta1", "D1"),
            ("d_hiddenlayer", "D1"), ("δ₁", "D1"), ("∂L/∂Z1", "D1"), ("dL/dW1", "dW1"), ("dE/dwh", "dW1"),
            ("grad_W1", "dW1"), ("gradient of wout", "dW2"), ("W1_new", "W1_next"), ("new W1", "W1_next"),
            ("W1'", "W1_next"), ("W1⁺", "W1_next"), ("updated wout", "W2_next"), ("bh (after update)", "b1_next"),
            ("Step 2 · Z1", "Z1"), ("1. **Z1**", "Z1"), ("### Z1 =", "Z1"), ("* *Z1*", "Z1"),
            ("**W2***", "W2_next"), ("Weights W1 new", "W1_next"),
            ("hidden_layer_input (Z1)", "Z1"), ("W^(2) new", "W2_next"), ("∂L/∂A1", "E1"), ("dA1/dZ1", "S1"),
            ("sigmoid'(Z1)", "S1"), ("loss", "L"),
        )),
        ("mazur", "∂E_total/∂out_o1", "E"), ("mazur", "out_h", "A1"), ("hand", "O_in", "Z3"), ("hand", "h1_out", "A1"),
    ],
)  # fmt: skip
def test_names_of_the_field(example: str, name: str, identifier: str) -> None:
    readings = key(example).aliases.read(name)
    likeliest = min(each.rank for each in readings)
    assert {each.identifier for each in readings if each.rank == likeliest} == {identifier}


@pytest.mark.parametrize(
    "name",
    ["h1", "x1", "Step 2", "Epoch 1", "delta W1", "ΔW1", "sum", "Hidden layer", "weights", "W1·X", "W7", "Z1 and A1"],
)
def test_names_that_mean_nothing_certain(name: str) -> None:
    assert key("article").aliases.read(name) == ()


def test_single_cells_by_their_names() -> None:
    answers = read("net_h1 = 0.3775\nw5+ = 0.35891648\nw6⁺: 0,408666186\n∂E_total/∂w5 = 0.082167\n", example="mazur")
    assert numbers(answers) == {
        "Z1": [[0.3775, None]],
        "W2_next": [[0.35891648, None], [0.408666186, None]],
        "dW2": [[0.082167, None], [None, None]],
    }
    assert numbers(read("Z1[1,2] = 1.78\nZ1[3,3] = 1.28\n"))["Z1"] == [
        [None, 1.78, None], [None, None, None], [None, None, 1.28],
    ]  # fmt: skip


def test_the_articles_board_as_a_student_has_it() -> None:
    """Blocks side by side without a column between them, names over the middle, a second band below."""
    values = key("article").values
    rows: list[list[object]] = [[None] * 21 for _ in range(16)]

    def put(identifier: str, name: str, row: int, column: int) -> None:
        height, width = values[identifier].shape
        rows[row][column + (width - 1) // 2] = name
        for i in range(height):
            for j in range(width):
                rows[row + 1 + i][column + j] = float(f"{values[identifier][i, j]:.5f}")

    top = ("X", "Wh", "Bh", "hidden_layer_input", "hidden_layer_activations", "Wout", "Bout", "output", "Y", "E")
    column = 0
    for identifier, name in zip(("X", "W1", "b1", "Z1", "A1", "W2", "b2", "A2", "Y", "E"), top, strict=True):
        put(identifier, name, 0, column)
        column += values[identifier].shape[1]
    put("S1", "Slope_hidden_layer", 6, 3)
    put("E1", "error_at_hidden_layer", 6, 6)
    put("S2", "Slope_output_layer", 6, 14)
    put("D1", "delta_hidden_layer", 11, 5)
    book, buffer = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(buffer)
    marked = mark_answers(read_content("board.xlsx", buffer.getvalue()), Conventions(key("article")))
    assert set(marked.sheet.written) == {"Z1", "A1", "A2", "E", "S1", "S2", "E1", "D1"}
    assert right_as_written(marked)


def test_a_sheet_for_each_step_with_all_that_is_known_by_then() -> None:
    """Every matrix stands there again and again, and the updated parameters have the old names."""
    names = {
        "X": "X", "Y": "y", "W1": "wh", "b1": "bh", "W2": "wout", "b2": "bout", "Z1": "hidden_layer_input",
        "A1": "hiddenlayer_activations", "A2": "output", "E": "E", "D2": "d_output", "D1": "d_hiddenlayer",
    }  # fmt: skip
    book, buffer = Workbook(), io.BytesIO()
    updated = [f"{each}_next" for each in ("W2", "W1", "b2", "b1")]
    for last in range(6, len(names) + 2):
        sheet = book.create_sheet(f"Step {last}")
        known = list(names)[:last]
        for part in (known, updated if last > len(names) else []):
            for identifier in part:
                sheet.append([names[identifier.removesuffix("_next")]])
                for row in key("article").values[identifier].tolist():
                    sheet.append([float(f"{value:.4f}") for value in row])
    book.save(buffer)
    marked = mark_answers(read_content("steps.xlsx", buffer.getvalue()), Conventions(key("article")))
    assert set(marked.sheet.written) == {*list(names)[6:], *updated}
    assert right_as_written(marked)


def test_the_second_of_a_name_is_the_updated_one() -> None:
    answers = read(f"wh\n{shown('W1')}\n\nZ1\n{shown('Z1')}\n\nwh\n{shown('W1_next')}\n")
    assert set(answers.matrices) == {"Z1", "W1_next"} and not answers.notes


def test_a_first_one_behind_a_gradient_is_the_updated_one_and_a_copy_is_none() -> None:
    assert set(read(f"d_output\n{shown('D2')}\n\nwout\n{shown('W2_next')}\n").matrices) == {"D2", "W2_next"}
    copied = read(f"wout\n{shown('W2')}\n\nd_output\n{shown('D2')}\n\nwout\n{shown('W2')}\n")
    assert set(copied.matrices) == {"D2"}
    assert copied.notes == ("W2 appears again unchanged, and W2_next is missing",)


def test_given_numbers_that_are_copied_wrongly_are_said_and_judged() -> None:
    answers = read(f"W2\n0.30\n0.52\n0.23\n\nX\n{shown('X')}\n\nA2\n{shown('A2')}\n")
    assert set(answers.matrices) == {"W2", "A2"}
    assert answers.notes == ("“W2” differs from the problem's W2",)
    marked = mark_answers(answers, Conventions(key("article")))
    assert [mark.verdict for mark in marked.of("W2")] == ["correct", "wrong", "correct"]


def test_what_is_unknown_or_can_mean_two_things_is_said() -> None:
    unread = read("A1\n0.5 0.5\n\nfoo\n1.5 2.5\n\nbar = 3.5\n").not_read
    assert [(each.where, each.found) for each in unread] == [
        ("line 5", "1×2 numbers under “foo”: 1.5, 2.5"), ("line 7", "a number under “bar”: 3.5"),
    ]  # fmt: skip
    assert all(
        each.says.startswith("no matrix of this problem is called that; to have it read write") for each in unread
    )
    (unread,) = read("A1\n0.5 0.5\n\n\n\n\n1.5 2.5\n").not_read
    assert unread.found == "1×2 numbers without a name: 1.5, 2.5"
    both = read(f"Z1\n{shown('Z1')}\n\nZ1\n{shown('A1')}\n")
    assert both.notes == ("“Z1”: Z1 appears more than once; the first was read",)
    assert numbers(both)["Z1"][0][0] == 1.48
    document = load_problem("article").to_document()
    document["data"] = {"X": document["data"]["X"][:1], "Y": document["data"]["Y"][:1]}
    single = problem_from_document(document | {"batch_size": 1}, "single", "single")
    answers = named(read_content("a.txt", b"Z2 = 0.5\nerror = 0.1\n"), key_of(single))
    assert set(answers.matrices) == {"Z2"}
    assert [each.says for each in answers.not_read] == [
        "this can mean L or E or E1 or D1; to have it read write L = … before the numbers"
    ]
    with pytest.raises(AnswerError, match=r"^a\.txt: found no matrix of this problem: expected blocks of numbers"):
        read("nothing but words\n")
    assert not read("foo\n1.5 2.5\n").matrices


def test_a_name_right_over_another_is_said() -> None:
    answers = read(f"E\noutput\n{shown('E')}\n")
    assert set(answers.matrices) == {"A2"}
    assert answers.notes == ("“E” is above “output”; the numbers below were read as “output”",)
    assert not read(f"Error\nE\n{shown('E')}\n").notes


def test_a_name_for_two_matrices_goes_by_the_shape() -> None:
    assert set(read("error = 0.35\n").matrices) == {"L"}
    assert set(read(f"error\n{shown('E')}\n").matrices) == {"E"}


def test_a_print_that_leaves_numbers_out_is_unreadable() -> None:
    answers = read("Z1 = [[1.48 1.78 ... 1.1 ]\n ...\n [1.48 1.56 ... 1.28]]\n")
    assert {entry.kind for row in answers.matrices["Z1"] for entry in row} == {"unreadable"}
    assert [len(row) for row in answers.matrices["Z1"]] == [3, 3, 3]


@pytest.mark.parametrize(
    "text",
    [
        "Z1\n1.48 1.78 1.1\n2.4 1.89 1.62\n1.48 1.56 1.28\n",
        "Z1\n1,48 1,78 1,1\n2,4 1,89 1,62\n1,48 1,56 1,28\n",
        "Z1\n1.48, 1.78, 1.1\n2.4, 1.89, 1.62\n1.48, 1.56, 1.28\n",
        "Z1:\n          0         1         2\n0  1.48  1.78  1.10\n1  2.40  1.89  1.62\n2  1.48  1.56  1.28\n",
        "Z1 = [1.48 1.78 1.1; 2.4 1.89 1.62; 1.48 1.56 1.28]",
        "In [3]: Z1\nOut[3]: \narray([[1.48, 1.78, 1.1 ],\n       [2.4 , 1.89, 1.62],\n       [1.48, 1.56, 1.28]])\n",
        "Z1: tensor([[1.4800, 1.7800, 1.1000],\n        [2.4000, 1.8900, 1.6200],\n        [1.4800, 1.5600, 1.2800]], "
        "dtype=torch.float64, grad_fn=<AddBackward0>)\nA1 = tensor([[1.]])",
        "Z1 = [[np.float64(1.48), np.float64(1.78), np.float64(1.1)], [2.4, 1.89, 1.62], [1.48, 1.56, 1.28]]",
        '{"student": "x", "Z1": [["1.48", "1.78", "1.1"], ["2.4", "1.89", "1.62"], ["1.48", "1.56", "1.28"]]}',
        "| Z1 | h1 | h2 | h3 |\n|:--|--:|--:|--:|\n| 1 | 1.48 | 1.78 | 1.1 |\n| 2 | 2.4 | 1.89 | 1.62 |\n"
        "| 3 | 1.48 | 1.56 | 1.28 |\n",
        "```\nZ1\n1.48 1.78 1.1\n2.4 1.89 1.62\n1.48 1.56 1.28\n```\n",
    ],
)
def test_texts(text: str) -> None:
    assert numbers(read(text))["Z1"] == [[1.48, 1.78, 1.1], [2.4, 1.89, 1.62], [1.48, 1.56, 1.28]]


def test_cells_without_a_number_stay_in_their_place() -> None:
    answers = read("Z1,,\n1.48,?,1.1\n,1.89,1.62\n1.48,1.56,3 cm\n", "a.csv")
    assert [[entry.kind for entry in row] for row in answers.matrices["Z1"]] == [
        ["number", "unreadable", "number"], ["blank", "number", "number"], ["number", "number", "unreadable"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["Name: Ada Lovelace\nID: 4711\n\nL = 0.354\n", "Student\tAda Lovelace\nStudent ID\t4711\nL\t0.354\n"]
)
def test_whose_they_are(text: str) -> None:
    answers = read(text)
    assert answers.student == {"name": "Ada Lovelace", "id": "4711"}
    assert set(answers.matrices) == {"L"} and not answers.notes


@pytest.mark.parametrize(
    ("label", "key"),
    [
        *((label, "name") for label in ("Name", "Student", "student name", "Student's name", "Full name")),
        *((label, "id") for label in ("ID", "Student number", "No.", "Student's ID", "Matriculation number")),
    ],
)
def test_what_they_call_themselves(label: str, key: str) -> None:
    assert read(f"{label}: Ada 4711\n\nL = 0.354\n").student == {key: "Ada 4711"}


@pytest.mark.parametrize("line", ["Step 2", "Epoch 1", "Task 3:", "Page 4"])
def test_a_heading_that_ends_in_a_whole_number_is_no_matrix(line: str) -> None:
    answers = read(f"{line}\n\nZ1\n{shown('Z1')}\n")
    assert set(answers.matrices) == {"Z1"} and not answers.notes
    assert set(read(f"Z1\n{shown('Z1')}\nL 0.354\nZ2 1 2 3\n").matrices) == {"Z1", "L", "Z2"}


@pytest.mark.parametrize("identifier", ["X", "W1", "b1", "W2"])
def test_a_given_matrix_in_any_shape_is_a_copy_or_something_is_said(identifier: str) -> None:
    values = key("article").values[identifier]
    height, width = values.shape
    for shape in ((rows, columns) for rows in range(1, height + 3) for columns in range(1, width + 1)):
        rows = [values[row % height, : shape[1]] for row in range(shape[0])]
        text = "\n".join(" ".join(map(str, row)) for row in rows)
        answers = read(f"{identifier}\n{text}\n\nL = 0.354\n")
        assert bool(answers.notes or answers.not_read) is (shape != values.shape), shape


def test_names_of_the_field_in_json() -> None:
    answers = read('{"hidden_layer_input": [[1.48]], "wh_new": [[0.4]], "Z9": 1, "given": {"wh": [[1]]}}', "a.json")
    assert set(answers.matrices) == {"Z1", "W1_next"} and set(answers.given) == {"W1"}
    assert [each.where for each in answers.not_read] == ["Z9"]


def test_a_later_pass_is_read_in_the_same_forms() -> None:
    second = Conventions(key_of(load_problem("article"), 2), 2)
    values = second.key.values
    text = "\n\n".join(
        f"{name}\n" + "\n".join(" ".join(f"{value:.4f}" for value in row) for row in values[identifier])
        for name, identifier in (("wh", "W1"), ("hidden_layer_input", "Z1"), ("d_output", "D2"), ("wh", "W1_next"))
    )
    marked = mark_answers(read_content("a.txt", text.encode()), second)
    assert set(marked.sheet.written) == {"Z1", "D2", "W1_next"} and marked.all_right and not marked.warnings
