"""What an audit says will happen in the sheet happens in spreadsheet engines: its experiments, done by others."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.audit_books import row_book
from tests.engine.recalculate import by_cellrune, by_ironcalc
from tests.teacher_books import BOOKS
from tracer.audit.auditing import audit_book

pytestmark = pytest.mark.engine
TYPED = re.compile(r"type (\S+) for (\S+) into (\w+): the loss in (\w+) goes from (\S+) to (\S+),")
CONTENTS = {
    "a row for each epoch": row_book("wrong unit"),
    "one neuron": BOOKS["neuron"]().content("wrong column"),
    "columns of ones": BOOKS["ones"]().content("wrong weights"),
    "pasted values": BOOKS["pasted"]().content("one delta"),
}


@pytest.mark.parametrize("engine", [by_ironcalc, by_cellrune])
@pytest.mark.parametrize("name", CONTENTS)
def test_an_engine_finds_the_losses_of_the_experiment(name: str, engine: object, tmp_path: Path) -> None:
    audit = audit_book("book.xlsx", CONTENTS[name])
    told = TYPED.match(audit.wrong[0].experiment or "")
    assert told is not None
    after, before, place, loss, start, end = told.groups()
    title = audit.losses[0].matrix
    for number, expected in ((before, start), (after, end)):
        workbook = load_workbook(BytesIO(CONTENTS[name]))
        workbook[title][place] = float(number)
        workbook.save(tmp_path / "book.xlsx")
        found = engine(tmp_path / "book.xlsx", [(title, loss)])[title, loss]  # type: ignore[operator]
        assert f"{float(found):.8g}" == expected
