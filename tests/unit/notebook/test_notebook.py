"""What Jupyter is given: `_repr_html_` and `_repr_latex_` of a run, a step, a matrix and a cell."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import require_module
from tests.documents import documents
from tests.latex import typeset
from tests.programs import SAMPLES
from tests.traces import first_pass
from tracer.notebook import widget
from tracer.presentation.board import KEPT_FIRST, KEPT_LAST
from tracer.problem.problem import problem_from_document
from tracer.problem.program_problem import program_from_document
from tracer.problem.reading import load_any, load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace

HOSTILE = "<script>alert(1)</script> $x$ \\& <img src=x onerror=a()>"


@pytest.fixture(scope="module")
def run() -> Trace:
    return trace(load_problem("article"))


def hostile_run() -> Trace:
    document = load_problem("article").to_document()
    document |= {"title": HOSTILE, "names": {"style": "matrix", "Z1": HOSTILE, "W1": "</table>$\\\\&"}}
    return trace(problem_from_document(document, "hostile", "hostile.json"))


def test_numbers_stay_numbers(run: Trace) -> None:
    """A matrix by its key is a plain array, a step a plain mapping of them, whatever a notebook makes of it."""
    assert type(run["Z1"]) is np.ndarray and run["Z1"].dtype == np.float64
    step = run.step(10)
    assert list(step) == list(run.last.step(10)) and step["W1_next"] is run["W1_next"]
    assert dict(step).keys() == {"dW2", "W2_next", "dW1", "W1_next"}
    assert np.array_equal(np.asarray(run.matrix("Z1")), run["Z1"])
    assert np.asarray(run.matrix("Z1"), dtype=np.float32).dtype == np.float32
    assert np.asarray(run.matrix("Z1")) is not run["Z1"]


def test_a_matrix_has_its_formula_and_its_values_in_latex(run: Trace) -> None:
    matrix_style = trace(problem_from_document(run.problem.to_document() | {"names": {}}, "article", "article"))
    assert matrix_style.matrix("Z1")._repr_latex_() == (
        r"$\displaystyle \begin{aligned} Z_{1} &= X \cdot W_{1} + b_{1} \\  &= "
        r"\left[\begin{array}{rrr} 1.480 & 1.780 & 1.100 \\ 2.400 & 1.890 & 1.620 \\ 1.480 & 1.560 & 1.280 "
        r"\end{array}\right] \end{aligned}$"
    )
    assert r"\mathrm{hidden\_layer\_input} &= X \cdot \mathrm{wh}" in run.matrix("Z1")._repr_latex_()
    assert r"&= \left[\begin{array}{rrr} 0.42" in run.matrix("W1")._repr_latex_()


def test_a_cell_is_worked_out_in_latex(run: Trace) -> None:
    assert run.matrix("E1")[0, 1]._repr_latex_() == (
        r"$\displaystyle \begin{aligned} \mathrm{Error\_at\_hidden\_layer}[1,2] &= "
        r"\mathrm{d\_output}[1,1] \cdot \mathrm{wout}[2,1] \\  &= "
        r"\left(0.0350\right)\left(0.25\right) \\  &\approx 0.00876 \end{aligned}$"
    )
    assert run.matrix("W1")[3, 0]._repr_latex_() == (
        r"$\displaystyle \begin{aligned} \mathrm{wh}[4,1] &= 0.92 \end{aligned}$"
    )


def test_rows_and_columns_count_as_in_numpy(run: Trace) -> None:
    assert repr(run.matrix("Z1")[-1, 0]) == f"Z1[2, 0] = {float(run['Z1'][2, 0])!r}"
    for place in ((3, 0), (0, 3), 0, (0, 0, 0), ("a", 0)):
        with pytest.raises(IndexError, match=r"Z1 is 3×3: found .*, expected \[row, column\], counted from 0"):
            run.matrix("Z1")[place]  # type: ignore[index]
    with pytest.raises(KeyError, match="no matrix 'Q1' in this trace"):
        run.matrix("Q1")


def test_the_learning_rate_and_what_is_given_have_no_formula(run: Trace) -> None:
    for identifier in ("learning_rate", "X"):
        html = run.matrix(identifier)._repr_html_()
        assert "Given." in html and "background:#" not in html
    assert ">0.1</td>" in run.matrix("learning_rate")._repr_html_()


def test_every_coloured_cell_has_its_text_colour_and_its_border(run: Trace) -> None:
    html = run.step(8)._repr_html_() + run.matrix("Z1")[0, 0]._repr_html_()
    cells = [part.partition(">")[0] for part in html.split("<td ")[1:]]
    coloured = [cell for cell in cells if "background:#" in cell]
    assert len(coloured) > 15 and all(any(colour in cell for cell in coloured) for colour in ("#FFF176", "#F9BC7A"))
    for cell in coloured:
        assert "color:#212121" in cell
        assert ("2px solid" in cell) == ("#FFF176" in cell) and ("2px dashed" in cell) == ("#F9BC7A" in cell)
    assert "<style" not in html and 'class="tex2jax_ignore' in html


def test_a_large_matrix_is_cut_in_the_middle_and_a_cell_brings_its_row() -> None:
    blobs = trace(load_problem("blobs"))
    rows = KEPT_FIRST + 1 + KEPT_LAST
    cut = blobs.matrix("Z1")._repr_html_()
    assert cut.count("<tr>") == 2 * rows + 3  # X, Z1; W1 has two rows, b1 one
    cell = blobs.matrix("Z1")[100, 1]._repr_html_()
    assert cell.count("<tr>") == 2 * (rows + 2) + 3  # the row and the dots behind it
    assert f"{blobs['Z1'][100, 1]:.3f}" in cell.replace("−", "-")
    assert r"\vdots" in blobs.matrix("Z1")._repr_latex_()


def test_what_departs_from_the_gradient_says_so_everywhere(run: Trace) -> None:
    document = run.problem.to_document() | {"reproduce": {"rate_twice": True}}
    other = trace(problem_from_document(document, "other", "other.json"))
    for view in (other, other.step(8), other.matrix("Z1"), other.matrix("Z1")[0, 0]):
        assert "Not the gradient of this loss" in view._repr_html_()  # type: ignore[attr-defined]
    assert "Not the gradient" not in run._repr_html_()


def test_names_and_titles_stay_text() -> None:
    other = hostile_run()
    views: list[Any] = [other, other.step(2), other.matrix("Z1"), other.matrix("Z1")[0, 0]]
    for view in views:
        assert "<script" not in view._repr_html_() and "<img" not in view._repr_html_()
    for view in views[1:]:
        latex = view._repr_latex_()
        assert latex.replace(r"\$", "").count("$") == 2  # those around it
        assert r"\backslash{}\&" in latex


def test_a_later_pass_and_many_jacobians() -> None:
    document = load_problem("softmax-classifier").to_document() | {"batch_size": 4}
    html = trace(problem_from_document(document, "softmax", "softmax.json"), (1, 2)).step(1)._repr_html_()  # type: ignore[attr-defined]
    assert "Epoch 2, row 5 · Current weights and biases" in html
    html = trace(load_problem("softmax-classifier")).step(6)._repr_html_()  # type: ignore[attr-defined]
    assert "The Jacobians of the other 2 samples go likewise." in html
    assert 'data-id="J3"' in html and 'data-id="J4"' not in html


@settings(max_examples=50)
@given(documents(most_layers=3, most_rows=4), st.data())
def test_every_view_of_every_network(document: dict[str, Any], data: st.DataObject) -> None:
    first = first_pass(document)
    run = trace(problem_from_document(document, "drawn", "drawn.json"))
    identifier = data.draw(st.sampled_from([*first, "learning_rate"]))
    rows, columns = run[identifier].shape
    view = run.matrix(identifier)
    for shown in (view, view[rows - 1, columns - 1]):
        assert shown._repr_html_().count("<table") >= ("Given" not in shown._repr_html_())
        lines = shown._repr_latex_().removeprefix(r"$\displaystyle ").removesuffix("$")
        typeset(lines.replace("&=", "=").replace(r"&\approx", r"\approx"))


def test_nothing_of_it_is_loaded_before_it_is_asked_for() -> None:
    """A trace stands below what shows it, and most runs show nothing."""
    code = (
        "import sys\nfrom tracer.run.training import trace\nfrom tracer.problem.reading import load_problem\n"
        "run = trace(load_problem('mazur'))\nassert not {'jinja2', 'tracer.notebook'} & sys.modules.keys()\n"
        "run._repr_html_(); assert 'tracer.notebook.notebook' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_program_shows_itself() -> None:
    run = trace(program_from_document(SAMPLES["perceptron"].document(), "perceptron", "perceptron"))
    assert "4 forward steps, 22 parameters, learning rate 0.1" in run._repr_html_()
    step = run.step(1)
    assert set(step) == {"Z1", "dW1", "db1", "dZ1"} and "Back through: Z1" in step._repr_html_()  # type: ignore[attr-defined]
    assert "dZ2" in run.matrix("dW2")._repr_html_()


def test_what_a_notebook_keeps_of_a_walkthrough_has_an_output_without_the_widget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    require_module("anywidget")
    outputs: list[dict[str, Any]] = []
    display = require_module("IPython.display")
    monkeypatch.setattr(display, "display", lambda bundle, raw: outputs.append(bundle))
    load_any("gru").walkthrough()._ipython_display_()
    readable, page = outputs
    assert {"text/plain", "text/html", "text/latex"} == readable.keys()
    assert page.keys() == {"application/vnd.jupyter.widget-view+json"}
    name = readable["text/html"].split('"')[1]
    assert name.startswith("tracer-") and "document.getElementById" in widget.SCRIPT


def test_a_walkthrough_is_the_page_and_stays_readable_without_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    require_module("anywidget")
    problem = load_any("gru")
    shown = problem.walkthrough()
    bundle = shown._repr_mimebundle_()
    assert {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"} <= bundle.keys()
    assert "<script" not in bundle["text/html"] and bundle["text/html"].count("<table") > 20
    made = widget.widget_of(trace(problem))
    assert made.page.startswith("<!doctype html>") and made.title == problem.title
    assert shown._display_().title == problem.title  # as marimo asks for it
    monkeypatch.setitem(sys.modules, "anywidget", None)
    assert problem.walkthrough()._repr_mimebundle_().keys() == {"text/plain", "text/html"}
    assert "<table" in problem.walkthrough()._display_()._repr_html_()
