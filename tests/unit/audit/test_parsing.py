"""Formulas as a spreadsheet reads them."""

import pytest

from tracer.audit.graph import build
from tracer.audit.package import AuditedSheet, BookCells, WrittenFormula
from tracer.audit.parsing import UnreadFormulaError, parse
from tracer.audit.writing import text_of
from tracer.expression.scalar import Cell


def result(text: str) -> float:
    """What a formula gives in C1 of a sheet with 2 in A1, 3 in B1, 5 in A2 and 7 in B2."""
    sheet = AuditedSheet("S", "", False, {(1, 1): 2.0, (1, 2): 3.0, (2, 1): 5.0, (2, 2): 7.0, (1, 3): None})
    sheet.formulas[1, 3] = WrittenFormula(text, (1, 3))
    graph = build(BookCells("b", b"", {"S": sheet}, {"both": "S!$A$1:$B$1"}))
    return float(graph.values({})[Cell("S", 1, 3)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-A1^2", 4.0),
        ("2^A1^3", 64.0),
        ("50%*A1", 1.0),
        ("A1-B1-1", -2.0),
        ("LOG(100*A1/2)", 2.0),
        ("LN(EXP(A1))", 2.0),
        ("SUM(MMULT(A1:B1,TRANSPOSE(A2:B2)))", 31.0),
        ("SUMPRODUCT(A1:B1,A2:B2)", 31.0),
        ("SUMXMY2(both,A2:B2)", 25.0),
        ("IF(A1>B1,1,IF(A2<>5,2,3))", 3.0),
        ("INDEX(A1:B2,2,1)+COLUMNS(both)", 7.0),
        ("LET(x,A1+1,x*x)", 9.0),
        ("LAMBDA(x,y,x-y)(B2,A1)", 5.0),
        ("SUM(MAP(both,LAMBDA(v,v^2)))", 13.0),
        ("REDUCE(0,both,LAMBDA(a,v,a+v))", 5.0),
        ("STDEV.P(A1:B1)", 0.5),
        ("(A1>1)*B1", 3.0),
        ("1.5E-1*A1", 0.3),
    ],
)
def test_a_formula_gives_what_a_spreadsheet_gives(text: str, expected: float) -> None:
    assert result(text) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "expected"), [("A1*10", 30.0), ("$A1*10", 20.0), ("A1+A$2", 10.0), ("$A$1", 2.0), ("SUM(A1:A2)", 10.0)]
)
def test_a_shared_formula_moves_with_its_cell_but_for_what_is_fixed(text: str, expected: float) -> None:
    """Of C1, read in D1."""
    sheet = AuditedSheet("S", "", False, {(1, 1): 2.0, (1, 2): 3.0, (2, 1): 5.0, (2, 2): 7.0, (1, 4): None})
    sheet.formulas[1, 4] = WrittenFormula(text, (1, 3))
    assert float(build(BookCells("b", b"", {"S": sheet}, {})).values({})[Cell("S", 1, 4)]) == expected


def test_brackets_may_be_a_hundred_deep_and_no_deeper() -> None:
    assert parse("(" * 99 + "A1" + ")" * 99)
    with pytest.raises(UnreadFormulaError):
        parse("(" * 101 + "A1" + ")" * 101)


@pytest.mark.parametrize("text", ["A1+", "SUM(A1", "[1]S!A1", "'[x.xlsx]S'!A1", ")", "A1 A2", "{1,2;3}"])
def test_what_is_not_read_raises(text: str) -> None:
    with pytest.raises(UnreadFormulaError):
        parse(text)


@pytest.mark.parametrize(
    "text", ["SUM($A1:B$2)*'my net'!C3", "-(A1-B2)^2/4", 'IF(A1>=0,"a""b",1E-08)', "LAMBDA(x,x+1)(A1#)"]
)
def test_a_formula_is_written_as_it_was_read(text: str) -> None:
    assert text_of(parse(text)) == text
