"""The certificate: what stands in it and where, as a reader sees it; engines recalculate it in tests/engine."""

from typing import Any

import openpyxl
import pytest

from tests.traces import example
from tracer.workbook.workbook import write_workbook


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[Any]]]:
    """The values of the article's book, row by row."""
    path = tmp_path_factory.mktemp("certificate") / "book.xlsx"
    write_workbook(example("article"), path)
    book = openpyxl.load_workbook(path, data_only=True)
    return {
        title: [list(row) for row in book[title].iter_rows(values_only=True)]
        for title in book.sheetnames
        if title != "Names"
    }


def test_every_sheet_begins_in_its_second_column_with_its_title(sheets: dict[str, list[list[Any]]]) -> None:
    titles = {name: rows[0][:2] for name, rows in sheets.items()}
    assert titles.pop("Presenter") == [None, "step shown:"]
    for name, (left, title) in titles.items():
        first = {"Start": "The eleven steps", "Moved parameters": "The loss with", "Record": "Recorded run"}
        assert left is None and str(title).startswith(first.get(name, name)), name


def test_the_certificate_says_of_all_and_of_each_matrix_that_it_agrees(sheets: dict[str, list[list[Any]]]) -> None:
    title, agree, gradients, links, _, _, head, *rows = (row[1:8] for row in sheets["Certificate"])
    assert title[0] == "Certificate: do the live formulas give the recorded numbers?" and not any(title[1:])
    assert agree[0] == "all 99 computed cells agree"
    assert gradients[0] == "no gradient differs from its central-difference estimate"
    assert links[:3] == ["← Step 11", "Start", "Gradient check →"]
    assert head == ["matrix", "sheet", "cells", "largest difference", "", "off by", "against central differences"]
    one = example("article").first
    assert [row[0] for row in rows] == ["learning_rate", *one]
    assert [row[2] for row in rows] == [1, *(one[name].size for name in one)]
    assert {(row[3], row[4]) for row in rows} == {(0, "agrees")}
    compared = {row[0]: row[6] for row in rows if row[5] is not None}
    assert compared == dict.fromkeys(("dW2", "dW1", "db2", "db1"), "agrees")
    home = {row[0]: row[1] for row in rows}
    assert (home["X"], home["W1"], home["Z1"], home["L"], home["b1_next"]) == (
        "Step 0", "Step 1", "Step 2", "Step 4", "Step 11",
    )  # fmt: skip
