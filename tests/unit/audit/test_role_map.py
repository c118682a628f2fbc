"""What is said of a book's cells, in a map or by its defined names, is taken; mistakes in a map are one line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.audit_books import row_book
from tracer.audit.auditing import audit_book
from tracer.audit.graph import build, name_of
from tracer.audit.package import AuditError, read_book
from tracer.audit.role_map import read_map
from tracer.cli import app
from tracer.expression.scalar import Cell

GOOD = """
loss = "Sheet!W4"
parameters = ["E4:H4"]
rate = "B1"
[gradients]
"Z4" = "G4"
"""


def told(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "map.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_map_names_loss_parameters_and_gradients_of_cells_without_headings(tmp_path: Path) -> None:
    found = audit_book("book.xlsx", row_book("wrong unit", epochs=1), told=told(tmp_path, GOOD))
    document = found.document()
    assert document["loss"] == "Sheet!W4" and document["first_wrong"]["cell"] == "Sheet!Z4"
    assert {"Sheet!E4", "Sheet!F4", "Sheet!G4", "Sheet!H4"} <= set(document["parameters"])


def test_a_gradient_that_is_said_to_be_anothers_is_wrong(tmp_path: Path) -> None:
    """The map is believed: it has to be what it says, whatever stands there."""
    text = 'loss = "W4"\n[gradients]\n"Z4" = "H4"\n'
    first = audit_book("book.xlsx", row_book(epochs=1), told=told(tmp_path, text)).document()["first_wrong"]
    assert first is not None and first["cell"] == "Sheet!Z4"


def test_a_rate_that_is_said_is_the_one_that_updates_have_to_take(tmp_path: Path) -> None:
    right = audit_book("book.xlsx", row_book(epochs=3), told=told(tmp_path, 'rate = "B1"'))
    other = audit_book("book.xlsx", row_book(epochs=3), told=told(tmp_path, 'rate = "G4"'))
    assert right.status == 0 and other.status == 1
    assert other.document()["first_wrong"]["cell"] == "Sheet!E5"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("loss = ", "not TOML"),
        ('los = "A1"', "los: unknown; a map has loss, parameters, gradients, rate"),
        ("loss = 3", "loss: 3 is no text"),
        ('loss = "here"', "loss: “here” is not a cell or range"),
        ('loss = "A1"', "loss: no formula that is read stands there"),
        ('loss = "W4:W5"', "loss: 2 cells; a single one is needed"),
        ('loss = "Nowhere!W4"', "loss: there is no sheet “Nowhere”"),
        ('rate = "W4"', "rate: no number is typed there"),
        ('parameters = ["ZZ900"]', "parameters: no number stands in Sheet!ZZ900"),
        ('gradients = "Z4"', "gradients: a table is needed"),
        ('[gradients]\n"Z4:AA4" = "G4"', "gradients: Z4:AA4 has 2 cells and G4 has 1"),
        ('[gradients]\n"A4" = "G4"', "gradients: A4 has a cell without a formula"),
        ('parameters = "A1:XFD1048576"', "parameters: “A1:XFD1048576” is not a cell or range"),
    ],
)
def test_a_mistake_in_a_map_is_one_line_with_its_key(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(AuditError) as wrong:
        read_map(told(tmp_path, text), build(read_book("book.xlsx", row_book(epochs=1))))
    assert says in str(wrong.value) and str(wrong.value).count("\n") == 0 and "map.toml" in str(wrong.value)


def test_the_command_takes_a_map_and_ends_with_two_at_a_mistake(tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    book.write_bytes(row_book("half-slope"))
    good = CliRunner().invoke(app, ["audit", str(book), "--map", str(told(tmp_path, 'loss = "W4"'))])
    assert good.exit_code == 1 and "the loss is Sheet!W4" in good.output
    bad = CliRunner().invoke(app, ["audit", str(book), "--map", str(told(tmp_path, 'loss = "A1"'))])
    assert isinstance(bad.exception, AuditError)


def test_cells_are_read_row_by_row_of_the_first_sheet() -> None:
    from tracer.audit.role_map import range_cells

    assert range_cells("$B$2:C3", "S") == [Cell("S", 2, 2), Cell("S", 2, 3), Cell("S", 3, 2), Cell("S", 3, 3)]
    assert name_of(range_cells("'my net'!A1", "S")[0]) == "'my net'!A1"
