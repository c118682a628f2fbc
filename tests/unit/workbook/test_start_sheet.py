"""The start sheet: what it says of an epoch, in all cases, and what it links to."""

import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from tracer.presentation.live_words import MOST_LITERAL, LiveNumber, words
from tracer.presentation.network_layout import describe
from tracer.presentation.outcome import Compared, Outcome, loss_words, row_words, sentence
from tracer.problem.example_groups import ELEVEN_STEPS
from tracer.problem.problem import Problem, problem_from_document
from tracer.problem.reading import example_names, load_any, load_problem
from tracer.run.training import trace
from tracer.spreadsheet.print_setup import LEAST_SCALE, Page
from tracer.workbook.book import Book
from tracer.workbook.comparison import AWAY, MOVED, PAST, Comparison
from tracer.workbook.flow import lines_of
from tracer.workbook.workbook import write_workbook

COMPROMISE = ": a step lowers their loss together, and where they pull in different directions the "


def problem_of(rows: int, outputs: int, **changes: Any) -> Problem:
    """A network of one linear layer, for its sizes and conventions alone."""
    document = {
        "learning_rate": 0.1,
        "loss": "half_squared_error",
        "data": {"X": [[1.0]] * rows, "Y": [[0.0] * outputs] * rows},
        "layers": [{"activation": "linear", "weights": [[1.0] * outputs]}],
    }
    return problem_from_document(document | changes, "made", "made")


def said(
    problem: Problem, before: Any, after: Any, losses: tuple[float, float], epochs: tuple[int, int] = (1, 1)
) -> str:
    """The sentence for outputs whose targets are all 0."""
    arrays = [np.array(each, dtype=np.float64) for each in (before, after)]
    outcome = Outcome(problem, epochs, *losses, np.zeros(arrays[0].shape), *arrays)
    table = Comparison(Book(trace(problem)), outcome, live=False)
    numbers = [LiveNumber("", value) for value in (*losses, losses[1] - losses[0])]
    totals = table.largest(MOVED), table.total(AWAY), table.total(PAST)
    return sentence(outcome, Compared(*numbers, *totals, table.all_names())).text


def test_every_output_came_nearer() -> None:
    text = said(problem_of(2, 1), [[1], [2]], [[0.9], [2]], (2.5, 2.4))
    assert text == "The loss over all 2 samples fell from 2.500 to 2.400, and no output moved away from its target."


def test_the_batch_compromises() -> None:
    text = said(problem_of(3, 1), [[1], [2], [3]], [[1.1], [2.1], [2]], (7, 4.8))
    assert text == (
        "The loss over all 3 samples fell from 7.000 to 4.800, yet 2 of 3 outputs moved away from their targets: "
        f"sample 1, sample 2. All samples share the weights{COMPROMISE}batch compromises."
    )
    text = said(problem_of(2, 2), [[1, 1], [1, 1]], [[1, 1.1], [0, 0]], (2, 1.1))
    assert "yet 1 of 4 outputs moved away from its target: output 2 of sample 1. All samples and outputs share" in text
    text = said(problem_of(1, 2), [[1, 1]], [[1.1, 0.5]], (1, 0.7))
    assert text == (
        "The loss fell from 1.000 to 0.700, yet 1 of 2 outputs moved away from its target: output 1. All outputs share "
        f"the bias{COMPROMISE}step compromises."
    )


def test_what_the_outputs_of_one_sample_share() -> None:
    outputs = [[1, 1]], [[1.1, 0.5]], (1, 0.7)
    assert "share hidden weights: a step" in said(load_problem("mazur"), *outputs)
    soft = {"activation": "softmax", "weights": [[1.0, 2.0]]}
    one = problem_of(1, 2, layers=[soft])
    two = problem_of(1, 2, layers=[{"activation": "tanh", "weights": [[1.0]]}, soft])
    assert "share the sum that softmax divides by: a step" in said(one, *outputs)
    assert "share hidden weights and the sum that softmax divides by: a step" in said(two, *outputs)


def test_only_the_first_outputs_are_named() -> None:
    text = said(problem_of(7, 1), [[1]] * 7, [[1.1]] * 6 + [[0]], (3.5, 3.4))
    assert (
        "yet 6 of 7 outputs moved away from their targets: sample 1, sample 2, sample 3, sample 4 and 2 more." in text
    )


def test_a_step_past_the_target() -> None:
    text = said(problem_of(2, 1), [[1], [9]], [[-2], [1]], (41, 2.5))
    assert text.endswith("its target: sample 1. The step carried it past its target.")
    text = said(problem_of(3, 1), [[1], [1], [9]], [[-2], [-2], [1]], (41.5, 4.5))
    assert text.endswith("The step carried them past their targets.")
    text = said(problem_of(3, 1), [[1], [1], [9]], [[-2], [1.5], [1]], (41.5, 4))
    assert text.endswith("the batch compromises. Some were carried past their targets.")


def test_the_loss_rose() -> None:
    text = said(problem_of(1, 1), [[1]], [[-2]], (0.5, 2.0))
    assert text == (
        "The loss rose from 0.500 to 2.000: the step was too large; try a smaller learning rate. The output moved away "
        "from its target."
    )
    text = said(problem_of(2, 1), [[1], [1]], [[-2], [0]], (1, 2.0))
    assert text.endswith("rate. 1 of 2 outputs moved away from its target: sample 1.")


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"reproduce": {"rate_twice": True}}, "the step is not along the gradient of this loss (see above)"),
        ({"batch_size": 1}, "a step that helps one batch harmed the others"),
        ({"carry_rounded": True}, "rounding sent the step the wrong way"),
    ],
)
def test_why_the_loss_rose_goes_by_the_problem(changes: dict[str, Any], cause: str) -> None:
    text = said(problem_of(2, 1, **changes), [[1], [1]], [[-2], [0]], (1, 2.0))
    assert f"from 1.000 to 2.000: {cause} or the step was too large." in text


def test_a_step_off_the_gradient_and_batches_are_reasons_to_compromise() -> None:
    outputs = [[1], [2]], [[1.1], [1]], (2.5, 1.1)
    assert said(problem_of(2, 1, batch_size=1), *outputs).endswith("Each batch's step follows its own samples only.")
    reproduced = problem_of(2, 1, reproduce={"rate_twice": True})
    assert said(reproduced, *outputs).endswith("Besides, the step is not along the gradient of this loss.")


def test_nothing_changed() -> None:
    text = said(problem_of(2, 1), [[1], [2]], [[1], [2]], (2.5, 2.5))
    assert text == "Nothing changed: the updates are zero, or too small to be seen in the outputs."
    text = said(problem_of(2, 1), [[1], [-1]], [[-1], [1]], (1, 1))
    assert text == "The loss over all 2 samples stays at 1.000, although outputs moved."


def test_several_epochs_are_named() -> None:
    text = said(problem_of(2, 1), [[1], [2]], [[0.9], [2]], (2.5, 2.4), (8, 10))
    assert text.startswith("From epoch 8 to 10 the loss over all 2 samples fell from")


@pytest.mark.parametrize("loss", [np.inf, np.nan])
def test_beyond_float64(loss: float) -> None:
    text = said(problem_of(1, 1), [[1]], [[np.inf]], (0.5, loss))
    assert text == (
        "The loss can no longer be computed: the numbers are too large for float64; the step was too large; try a "
        "smaller learning rate."
    )


def test_each_row_says_what_its_output_did() -> None:
    before, after = np.array([[1.0], [1.0], [1.0], [1.0]]), np.array([[0.5], [1.5], [-1.5], [-1.0]])
    outcome = Outcome(problem_of(4, 1), (1, 1), 1.0, 1.0, np.zeros((4, 1)), before, after)
    further, past = outcome.further.ravel(), outcome.past.ravel()
    told = [row_words(outcome, LiveNumber("", further[k]), LiveNumber("", float(past[k]))).text for k in range(4)]
    assert told == ["came closer", "moved away", "went past, further away", "as far as before"]
    assert [loss_words(outcome, LiveNumber("", rise)).text for rise in (-0.1, 0.1, 0.0)] == [
        "fell",
        "rose",
        "as before",
    ]


def test_texts_within_a_formula_are_short_enough_for_excel() -> None:
    long = words('a "word" ' * 200)
    pieces = re.findall(r'"((?:[^"]|"")*)"', long.formula)
    assert "".join(pieces).replace('""', '"') == long.text
    assert max(len(piece.replace('""', '"')) for piece in pieces) <= MOST_LITERAL


def start_of(problem: Problem, folder: Path, epochs: tuple[int, ...] = (1,)) -> Worksheet:
    write_workbook(trace(problem, epochs), folder / "book.xlsx")
    return openpyxl.load_workbook(folder / "book.xlsx", data_only=True)["Start"]


def texts(sheet: Worksheet) -> list[str]:
    return [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]


def test_the_articles_batch_compromises(tmp_path: Path) -> None:
    (text,) = (each for each in texts(start_of(load_problem("article"), tmp_path)) if each.startswith("The loss over"))
    assert text.startswith(
        "The loss over all 3 samples fell from 0.3541 to 0.3530, yet 2 of 3 outputs moved away from their targets: "
        "sample 1, sample 2. "
    )


def test_the_order_of_the_sheet(tmp_path: Path) -> None:
    problem = load_problem("article")
    found = texts(start_of(problem, tmp_path))
    order = [problem.title, problem.description, f"Source: {problem.source}", "Did it help?", "Colours", "The steps"]
    order += ["Step 0", "Step 11", "Other sheets", "After", "Conventions", "Gradients are summed over the samples."]
    order += ["Certificate: do the formulas still give the recorded run?", "Certificate", "In other programs"]
    places = [found.index(str(text)) for text in order]
    assert places == sorted(places)
    assert "Edit only the blue cells, on Step 0 and Step 1; everything after them updates." in found
    step = trace(problem).first.steps[2]
    assert f"{step.title}. {step.words}" in found


def test_what_is_reproduced_stands_at_both_ends(tmp_path: Path) -> None:
    document = load_problem("article").to_document() | {"reproduce": {"rate_twice": True}}
    found = texts(start_of(problem_from_document(document, "twice", "twice"), tmp_path))
    places = [
        k for k, text in enumerate(found) if text.startswith("Not the gradient of this loss: the learning rate is")
    ]
    assert len(places) == 2 and places[0] < found.index("Did it help?") and found.index("Conventions") < places[1]


def test_long_tables_are_cut(tmp_path: Path) -> None:
    found = texts(start_of(load_problem("softmax-classifier"), tmp_path))
    assert found.count("sample 4") == 3 and "sample 5" not in found and "… and 3 more outputs" in found


def test_a_large_network_is_told_as_recorded(tmp_path: Path) -> None:
    write_workbook(trace(load_problem("blobs")), tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    assert "After" not in book.sheetnames
    (text,) = (each for each in texts(book["Start"]) if each.startswith("The loss over all 200 samples"))
    assert text.endswith(
        "What comes after the update stays as recorded, whatever is changed: that takes more than 1,000 cells, 30 "
        "rows, 20 columns or 100 outputs."
    )
    (row,) = (cell.row for cell in book["Start"]["B"] if cell.value == "sample 2")
    before, after = (book["Start"].cell(row, column).value for column in (6, 7))
    assert str(before).startswith("='Step 4'!") and isinstance(after, float)


def test_epochs_that_are_missing_between_make_it_as_recorded(tmp_path: Path) -> None:
    found = texts(start_of(load_problem("article"), tmp_path, (1, 3)))
    (text,) = (each for each in found if each.startswith("From epoch 1 to 3"))
    assert text.endswith("as recorded, whatever is changed: the epochs between are not in this book.")
    assert "before epoch 1" in found and "after epoch 3" in found


def test_numbers_beyond_float64_do_not_stop_the_book(tmp_path: Path) -> None:
    document = load_problem("logistic-regression").to_document() | {
        "learning_rate": 1e6,
        "loss": "binary_cross_entropy",
    }
    document["convention"] |= {"softmax_slope": "jacobian"}
    found = texts(start_of(problem_from_document(document, "far", "far"), tmp_path))
    assert any("or the loss takes the logarithm of an output that is exactly 0 or 1; the step was" in x for x in found)
    assert {"∞", "not a number"} & set(found)


def test_every_step_of_every_pass_is_linked(tmp_path: Path) -> None:
    document = load_problem("article").to_document() | {"batch_size": 2}
    write_workbook(trace(problem_from_document(document, "batches", "batches"), (1, 2)), tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    linked = {cell.hyperlink.location for row in book["Start"] for cell in row if cell.hyperlink}
    others = {title for title in book.sheetnames if not title.startswith("Record")} - {"Start", "Names"}
    assert linked == {f"'{title}'!A1" for title in others}


def test_the_picture_has_an_alt_text_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    problem = load_problem("mazur")
    for name in ("one.xlsx", "other.xlsx"):
        write_workbook(trace(problem), tmp_path / name)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "other.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.xlsx") as package:
        assert package.read("xl/media/image1.png").startswith(b"\x89PNG")
        assert describe(problem) in package.read("xl/drawings/drawing1.xml").decode()


@pytest.mark.parametrize("name", example_names(ELEVEN_STEPS))
def test_an_example_prints_on_two_pages_in_type_that_can_be_read(name: str, tmp_path: Path) -> None:
    sheet = start_of(load_problem(name), tmp_path)
    assert len(sheet.row_breaks.brk) < 2
    page = sheet.page_setup
    assert (page.orientation, page.fitToWidth) == ("portrait", 1) and sheet.sheet_properties.pageSetUpPr.fitToPage
    letters = re.findall("[A-Z]+", sheet.print_area.replace("$", "").partition("!")[2])
    columns = range(*map(column_index_from_string, letters))
    width = sum(sheet.column_dimensions[get_column_letter(column)].width for column in (*columns, columns.stop))
    assert min(1, Page("portrait", 1.0).characters / width) >= LEAST_SCALE


def test_lines_are_counted_word_by_word() -> None:
    assert lines_of("word " * 10, 100) == 1
    assert lines_of("word " * 50, 50) == 5
    assert lines_of("a\nb", 100) == 2
    assert lines_of("x" * 250, 80) == 3, "a word longer than a line is cut"
    assert lines_of("网络" * 40, 80) == 2 * lines_of("ab" * 40, 80), "wide characters"


def test_the_longest_sentence_has_room(tmp_path: Path) -> None:
    """The sentence changes with the numbers, the height of its row does not."""
    problem = replace(load_problem("mazur"), title="Room")
    sheet = start_of(problem, tmp_path)
    (row,) = (cell.row for cell in sheet["B"] if str(cell.value).startswith("The loss fell"))
    assert lines_of(str(sheet.cell(row, 2).value), 94) == 1
    assert sheet.row_dimensions[row].height > 2 * 13.5


def test_no_formula_of_the_sheet_is_too_long(tmp_path: Path) -> None:
    """With everything that can be said of a run."""
    document = load_problem("softmax-classifier").to_document()
    document |= {"batch_size": 2, "carry_rounded": True, "reproduce": {"rate_twice": True}}
    write_workbook(trace(problem_from_document(document, "all", "all"), (1, 2)), tmp_path / "book.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "book.xlsx")["Start"]
    formulas = [str(cell.value) for row in sheet for cell in row if str(cell.value).startswith("=")]
    assert 2000 < max(map(len, formulas)) < 8192
    for formula in formulas:
        assert all(len(text) <= 255 for text in re.findall(r'"((?:[^"]|"")*)"', formula))


@pytest.mark.parametrize("name", ["transformer-block", "tiny-gpt", "hand"])
def test_the_picture_is_no_wider_than_the_sheet(name: str, tmp_path: Path) -> None:
    write_workbook(trace(load_any(name)), tmp_path / "book.xlsx")
    with zipfile.ZipFile(tmp_path / "book.xlsx") as package:
        drawing = package.read("xl/drawings/drawing1.xml").decode()
    (width, height) = (int(each) for each in re.search(r'<[a-z]*:?ext cx="(\d+)" cy="(\d+)"', drawing).groups())
    sheet = openpyxl.load_workbook(tmp_path / "book.xlsx")["Start"]
    columns = sum(each.width for letters, each in sheet.column_dimensions.items() if "B" <= letters <= "I")
    assert width / 9525 <= 7 * columns and height > 9525 * 40
