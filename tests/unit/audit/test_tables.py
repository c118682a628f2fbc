"""Structured references of tables as cells."""

import pytest

from tracer.audit.tables import BookTable, with_cells

TABLE = BookTable("Line", 6, 9, 1, ("x", "e times x", "a]b", "last"), heads=1, totals=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Data[[#This Row],[x]]*2", "A7*2"),
        ("SUM(Data[E times X])", "SUM($B$6:$B$9)"),
        ("SUM(Data[])+1", "SUM($A$6:$D$9)+1"),
        ("Data[[#This Row],[x]:[a']b]]", "A7:C7"),
        ("Data[@x]+Data[[#Totals],[last]]", "A7+$D$10:$D$10"),
        ("COUNTA(Data[#Headers])", "COUNTA($A$5:$D$5)"),
        ('"Data[x]"&Data[x]', '"Data[x]"&$A$6:$A$9'),
        ("Other[x]+Data[no]", "Other[x]+Data[no]"),
        ("[1]Sheet!A1", "[1]Sheet!A1"),
    ],
)
def test_references_become_cells(text: str, expected: str) -> None:
    assert with_cells(text, "Line", 7, {"data": TABLE}) == expected


def test_another_sheets_table_has_its_sheet() -> None:
    assert with_cells("SUM(Data[x])", "My sheet", 2, {"data": TABLE}) == "SUM('Line'!$A$6:$A$9)"
