"""The page of a training: its numbers are the publication's and the run's, and nothing gets out of hand."""

import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from lxml import html
from numpy.testing import assert_allclose

from tests.unit.test_cli import tracer
from tracer.commands.running import train as train_command
from tracer.errors import ExportError
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.training import Training, train
from tracer.training_report.page import MOST_OUTPUTS, render_training, write_training
from tracer.training_report.plots import boundary_words, draw, loss_words

SEED42 = "article-seed42-training"
PUBLISHED = Path(__file__).parents[2] / "golden" / "published"
HOSTILE = "</title><script>alert(1)</script> $x^$ <img src=x> 月 {{ 7*7 }}"
CLASSES = {
    "title": "Three classes",
    "learning_rate": 0.3,
    "epochs": 300,
    "loss": "cross_entropy",
    "data": {
        "X": [[0, 0], [0.1, 0.3], [1, 1], [0.9, 0.7], [0, 1], [0.1, 0.9]],
        "Y": [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]],
    },
    "layers": [{"activation": "tanh", "units": 4}, {"activation": "softmax", "units": 3}],
}


@cache
def trained(name: str, epochs: int | None = None) -> Training:
    return train(load_problem(name), epochs)


@cache
def page(name: str) -> str:
    return render_training(trained(name))


def made(document: dict[str, Any], epochs: int | None = None) -> Training:
    return train(problem_from_document(document, "made", "made.json"), epochs)


def tables(text: str) -> list[tuple[str, list[str], dict[str, list[float]]]]:
    """Each table's caption, its column headings, and its numbers by row heading."""
    found = []
    for table in html.fromstring(text).iter("table"):
        rows = {row[0].text: [float(cell.text.replace("−", "-")) for cell in row[1:]] for row in table.find("tbody")}
        columns = [cell.text or "" for cell in table.find("thead")[0]]
        found.append((" ".join(table.find("caption").text_content().split()), columns, rows))
    return found


def published(name: str) -> dict[str, Any]:
    return dict(json.loads((PUBLISHED / f"{name}.json").read_text(encoding="utf-8")))


def test_the_loss_before_all_updates_is_told_where_an_epoch_has_several() -> None:
    ones, tens = [[1]] * 10, [[10]] * 10
    layers = [{"activation": "linear", "weights": [[0]]}]
    document = {"learning_rate": 1.0, "loss": "half_squared_error", "batch_size": 1, "layers": layers}
    problem = problem_from_document(document | {"data": {"X": ones, "Y": tens}}, "ten", "ten.toml")
    training = train(problem, 2)
    assert training.losses.tolist() == [50.0, 0.0] and training.before == 500.0
    assert loss_words(training) == "The loss falls from 500 to 0 in 2 epochs."
    text = render_training(training)
    rows = re.findall(r"<tr><th scope=\"row\">([^<]*)</th><td>([^<]*)</td></tr>", text)
    assert rows[:4] == [("before", "500.000000"), ("1", "50.000000"), ("2", "0.000000"), ("after", "0.000000")]


def test_the_articles_error_of_every_hundredth_epoch() -> None:
    """Its second example: a thousand epochs, and the weights that it prints at the end."""
    case = published("av_seed42_nobias")
    key = "mean error before epochs 0,100..900 (re-drawn weights, lr 0.1: what the article runs)"
    losses, outputs, *parameters = tables(page(SEED42))
    assert losses[0] == "Loss, averaged over the samples" and losses[1] == ["after epoch", "loss"]
    assert list(losses[2]) == [*(f"{100 * k}" for k in range(10)), "1,000"]
    assert_allclose(np.ravel([*losses[2].values()])[:10], case["computed"][key], rtol=0, atol=1e-8)
    assert_allclose(losses[2]["1,000"], trained(SEED42).final.loss, rtol=0, atol=0.5e-8)
    printed = {item["what"]: item["value"] for item in case["printed"]}
    for (caption, _, rows), what in zip(parameters, ("final_W1", "final_W2"), strict=True):
        assert caption.startswith(what.removeprefix("final_"))
        assert_allclose([*rows.values()], printed[f"custom:av42.redrawn.{what}"], rtol=0, atol=0.6e-6)
    assert outputs[2].keys() == {"1", "2", "3"}


def test_the_articles_loss_of_every_thousandth_epoch_on_the_moons() -> None:
    """Up to epoch 6000; what follows depends on the last bit of the machine."""
    (item,) = (each for each in published("av_moons")["printed"] if each["ok"])
    losses = tables(page("moons"))[0][2]
    assert list(losses) == [f"{1000 * k:,}" for k in range(11)]
    assert_allclose(np.ravel([*losses.values()])[:7], item["value"], rtol=0, atol=0.5e-5 + 1e-8)
    assert len(page("moons")) < 250_000


@pytest.mark.parametrize("name", ["xor", "linear-regression", "softmax-classifier", "blobs"])
def test_outputs_and_parameters_are_those_at_the_end(name: str) -> None:
    training = trained(name, 40)
    _, outputs, *parameters = tables(render_training(training))
    final, width = training.final, training.problem.sizes[-1]
    shown = np.array([*outputs[2].values()])
    count = min(10, training.problem.rows)
    assert_allclose(shown[:, :width], training.problem.Y[:count])
    assert_allclose(shown[:, width:], final[f"A{training.problem.depth}"][:count], rtol=0, atol=0.6e-3)
    identifiers = [each for each in final.program.inputs if each[0] in "Wb"]
    for identifier, (caption, columns, rows) in zip(identifiers, parameters, strict=True):
        assert identifier in caption and len(columns) == 1 + final[identifier].shape[1]
        assert_allclose([*rows.values()], final[identifier], rtol=1e-4)
    assert ("more samples" in render_training(training)) == (training.problem.rows > 10)


def test_the_loss_is_told_after_each_tenth_of_any_run() -> None:
    for epochs, expected in ((1, [0, 1]), (4, [0, 1, 2, 3, 4]), (25, [0, 2, 5, 8, 10, 12, 15, 18, 20, 22, 25])):
        training = trained("xor", epochs)
        losses = tables(render_training(training))[0][2]
        assert [int(each) for each in losses] == expected
        every = [*training.losses, training.final.loss]
        assert_allclose(np.ravel([*losses.values()]), [every[each] for each in expected], rtol=1e-5)


def test_words_for_the_pictures() -> None:
    moons = trained("moons")
    right = ((moons.final["A2"] > 0.5) == (moons.problem.Y == 1)).sum()
    assert right > 950
    assert f"; {right} of 1000 samples lie on their target's side" in boundary_words(moons)
    assert loss_words(trained(SEED42)) == "The loss falls from 0.1155 to 0.008722 in 1,000 epochs."
    classes = made(CLASSES)
    assert boundary_words(classes).endswith("; 6 of 6 samples lie where that is their largest target.")
    assert "in the colours of their targets" in boundary_words(trained("linear-regression"))
    still = load_problem("xor").to_document() | {"learning_rate": 1e-9}
    assert loss_words(made(still, 1)) == "The loss stays at 0.5637 for 1 epoch."
    over = load_problem("linear-regression").to_document() | {"learning_rate": 2.0}
    assert " rises from 6.201 to " in loss_words(made(over, 5))


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("xor", ["loss", "boundary"]),
        ("linear-regression", ["loss", "boundary"]),
        (SEED42, ["loss"]),
        ("hand", ["loss"]),
    ],
)
def test_a_plane_is_drawn_for_two_inputs(name: str, kinds: list[str]) -> None:
    pictures = draw(trained(name, 3), titled=False)
    assert [each.kind for each in pictures] == kinds
    for each in pictures:
        assert html.fromstring(each.svg).get("aria-label") == each.words


def test_three_classes_are_three_regions_with_marks_of_their_own() -> None:
    _, boundary = draw(made(CLASSES), titled=False)
    root = html.fromstring(boundary.svg)
    assert [each for each in root.itertext() if "target" in each] == [f"largest target: {k}" for k in (1, 2, 3)]
    marks = {use.get("href") for use in root.iter("use") if float(use.get("y")) < 200}
    assert len([each for each in marks if boundary.svg.count(f'"{each}"') >= 3]) >= 3


@pytest.mark.parametrize(
    "changes",
    [
        {"layers": [{"activation": "sigmoid", "weights": [[0], [0]]}]},  # one output everywhere
        {"data": {"X": [[1, 1]], "Y": [[1]]}, "batch_size": 1},
        {"data": {"X": [[1, 1], [1, 2]], "Y": [[0.5], [0.5]]}, "batch_size": 1},  # a plane without width
        {"title": HOSTILE},
    ],
)
@pytest.mark.parametrize("epochs", [1, 3])
def test_degenerate_trainings_are_drawn_without_a_warning(changes: dict[str, Any], epochs: int) -> None:
    assert len(draw(made(load_problem("xor").to_document() | changes, epochs), titled=True)) == 2


def test_a_wide_matrix_is_turned_and_a_large_network_only_counted() -> None:
    turned = [each for each in tables(page("moons")) if "transposed" in each[0]]
    assert [(caption, columns) for caption, columns, _ in turned] == [
        ("W1 2×10, transposed", ["", "input 1", "input 2"])
    ]
    assert_allclose([*turned[0][2].values()], trained("moons").final["W1"].T, rtol=1e-4)
    layers = [{"activation": "tanh", "units": 40}, {"activation": "sigmoid", "units": 1}]
    large = render_training(made(load_problem("xor").to_document() | {"layers": layers}, 1))
    assert "There are 161 numbers, too many for a page" in large and len(tables(large)) == 2


def test_many_outputs_are_cut_and_passes_are_told() -> None:
    targets = np.eye(8)[:2].tolist()
    layers = [{"activation": "softmax", "units": 8}]
    text = render_training(
        made(CLASSES | {"data": {"X": [[0, 0], [1, 1]], "Y": targets}, "layers": layers, "batch_size": 1})
    )
    (caption, columns, _) = tables(text)[1]
    assert f"the first {MOST_OUTPUTS} of 8 outputs" in caption and len(columns) == 1 + 2 * MOST_OUTPUTS
    assert "An epoch here is 2 updates" in text and "300, of 2 updates each" in text
    assert "An epoch here" not in page("xor")


def test_what_is_not_the_gradient_is_said_on_page_and_pictures(tmp_path: Path) -> None:
    document = load_problem("xor").to_document() | {"reproduce": {"rate_twice": True}}
    for path in write_training(made(document, 2), tmp_path):
        words = " ".join(html.fromstring(path.read_bytes()).text_content().split())
        assert "Not the gradient of this loss" in words, path.name


def test_titles_and_names_stay_text() -> None:
    document = load_problem("xor").to_document()
    document |= {key: HOSTILE for key in ("title", "description", "source")}
    document["names"] = {"style": "matrix", "W1": "<b>W</b>"}
    training = made(document, 2)
    root = html.fromstring(render_training(training))
    assert not list(root.iter("script", "img", "b"))
    assert root.findtext(".//h1") == HOSTILE and root.findtext(".//title") == f"{HOSTILE} · training"
    titled = draw(training, titled=True)[0].svg
    assert "$x^$" in titled and "月" in titled and "<script" not in titled


def test_the_page_is_one_file_with_one_title_and_no_id_twice() -> None:
    text = page("moons")
    assert text.count("<title") == 1 and text.count("default-src 'none'") == 1 and "<metadata" not in text
    ids = re.findall(r' id="([^"]*)"', text)
    assert ids and len(ids) == len(set(ids))
    references = {*re.findall(r'href="#([^"]*)"', text), *re.findall(r"url\(#([^)]*)\)", text)}
    assert references == set(ids)
    assert not re.search(r'(?:src|href)="(?!#)|url\((?!#)|@import', text)


def test_the_same_training_gives_the_same_bytes_whatever_the_users_settings(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write_training(trained("xor", 20), tmp_path / "a")]
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.facecolor": "black"}):
        before = dict(matplotlib.rcParams)
        second = [path.read_bytes() for path in write_training(trained("xor", 20), tmp_path / "b")]
        assert dict(matplotlib.rcParams) == before
    assert first == second and len(first) == 3


def test_without_matplotlib_it_is_one_message_before_anything_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ExportError, match="plots need matplotlib: pip install matplotlib"):
        write_training(trained("xor", 2), tmp_path)
    monkeypatch.setattr("tracer.run.training.train", lambda *_: pytest.fail("trained first"))
    with pytest.raises(ExportError, match="plots need matplotlib"):
        train_command("moons", None, False, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    run = tracer("train", "xor", "--epochs", "2", "-o", "taken", folder=tmp_path)
    assert run.returncode == 2 and "taken" in run.stderr and "Traceback" not in run.stderr
