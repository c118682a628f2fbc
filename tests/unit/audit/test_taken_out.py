"""The network of a book as a problem: its loss and its gradients are those that the book has."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

import tracer
from tests.audit_books import LAYOUTS, RIGHT_RELU, TYPED, block_book, row_book
from tests.teacher_books import BOOKS
from tracer.audit.auditing import audit_book
from tracer.audit.bounds import AuditRequest, audit_in_bounds
from tracer.audit.package import AuditError
from tracer.audit.report import Audit
from tracer.audit.taken_out import problem_of
from tracer.problem.problem import Problem
from tracer.problem.reading import load_any
from tracer.run.training import trace


def _gradients(audit: Audit) -> list[float]:
    """The gradients of the first pass's parameters as the book shows them, sorted."""
    loss = audit.losses[0]
    assert audit.study is not None
    own = {each for each in audit.study.gradients[loss] if each in audit.graph.typed}
    return sorted(float(each.claimed[0]) for each in audit.gradients if each.of in own and each.of in audit.parameters)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda each: each.name)
def test_a_perceptron_in_any_layout_is_layers_and_traces_to_the_books_numbers(layout: object) -> None:
    audit = audit_book("book.xlsx", block_book(layout))  # type: ignore[arg-type]
    problem = problem_of(audit)
    assert isinstance(problem, Problem)
    run = trace(problem).last
    np.testing.assert_array_equal(run["X"], TYPED["X"])
    np.testing.assert_array_equal(run["W2"], TYPED["W2"])
    assert run.loss == pytest.approx(audit.graph.shown(audit.losses[0]) or float(audit.study.row(audit.losses[0])[0]))  # type: ignore[union-attr]
    traced = np.concatenate([run[name].ravel() for name in ("dW1", "db1", "dW2", "db2")])
    np.testing.assert_allclose(np.sort(traced), _gradients(audit), rtol=1e-9)
    assert problem.to_document()["learning_rate"] == pytest.approx(0.3)


def test_a_relu_and_a_row_for_each_epoch_are_layers_too() -> None:
    layers = problem_of(audit_book("book.xlsx", block_book(LAYOUTS[0], RIGHT_RELU))).to_document()["layers"]
    assert [each["activation"] for each in layers] == ["relu", "sigmoid"]
    problem = problem_of(audit_book("book.xlsx", row_book()))
    assert isinstance(problem, Problem) and len(problem.to_document()["layers"]) == 2


@pytest.mark.parametrize("name", BOOKS)
def test_every_other_network_is_a_program_or_layers_with_the_books_gradients(name: str) -> None:
    audit = audit_book("book.xlsx", BOOKS[name]().content())
    run = trace(problem_of(audit)).last
    assert audit.study is not None
    assert run.loss == pytest.approx(float(audit.study.row(audit.losses[0])[0]), rel=1e-12)
    own = _gradients(audit)
    traced = sorted(float(run[each][i, j]) for each in run if each[0] == "d" and "_" not in each
                    for i in range(len(run[each])) for j in range(run[each].shape[1]))  # fmt: skip
    for each in own:
        assert any(abs(each - other) <= 1e-9 * max(1.0, abs(each)) for other in traced)


def test_the_file_reads_back_and_traces(tmp_path: Path) -> None:
    book, target = tmp_path / "net.xlsx", tmp_path / "mine.toml"
    book.write_bytes(row_book())
    audit_in_bounds(AuditRequest(book, problem=target))
    assert tomllib.loads(target.read_text())["title"] == "net"
    run = tracer.trace(str(target))
    assert load_any(target).name == "mine" and run["dW1"].shape == (2, 2)


def test_a_book_without_a_loss_has_no_problem() -> None:
    sheets = {"A": {"A1": 1.0, "A2": "=A1*2"}}
    book = type(BOOKS["neuron"]())(sheets, {})
    with pytest.raises(AuditError, match="no loss was found"):
        problem_of(audit_book("book.xlsx", book.content()))
