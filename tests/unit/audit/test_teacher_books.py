"""The audit on ten more layouts: nothing accused in the right ones, the first wrong cell found in the others."""

import pytest

from tests.teacher_books import BOOKS
from tracer.audit.auditing import audit_book
from tracer.audit.graph import name_of

FAULTS = [(name, fault) for name, make in BOOKS.items() for fault in make().faults]


@pytest.mark.parametrize("name", BOOKS)
def test_nothing_is_accused_in_a_right_book(name: str) -> None:
    audit = audit_book("book.xlsx", BOOKS[name]().content())
    found = audit.document()
    assert (audit.status, found["first_wrong"], found["conventions"], found["notes"]) == (0, None, [], [])
    assert not audit.graph.unread
    assert len(found["gradients"]) + len(audit.updates) >= 3


@pytest.mark.parametrize(("name", "fault"), FAULTS)
def test_the_first_wrong_cell_is_found(name: str, fault: str) -> None:
    book = BOOKS[name]()
    audit = audit_book("book.xlsx", book.content(fault))
    sheet, _, place = next(iter(book.faults[fault])).partition("!")
    assert audit.status == 1
    assert name_of(audit.wrong[0].cell).replace("'", "") == f"{sheet}!{place.split(':')[0]}"


@pytest.mark.parametrize(
    ("name", "fault", "should_be", "slug"),
    [
        ("neuron", "slope of z", "=F7*E7*(1-E7)", "slope-of-z"),
        ("ones", "wrong slope", "=L7*G$3*(1-H7^2)", "wrong-slope"),
        ("two sheets", "no mask", "=IF(Forward!E6>0,D2,0)", "relu-mask-missing"),
        ("labels", "one class off", "=L7-IF($C7=P$6,1,0)", "wrong-row-or-target"),
        ("table", "no factor", "=2*AVERAGE($F$6:$F$9)", "half-factor"),
        ("attention head", "not transposed", "=MMULT(TRANSPOSE(J15:K16),A7:B8)/SQRT(2)", "no-transpose"),
    ],
)
def test_the_formula_that_belongs_there_is_right_wherever_it_is_copied_to(
    name: str, fault: str, should_be: str, slug: str
) -> None:
    first = audit_book("book.xlsx", BOOKS[name]().content(fault)).wrong[0]
    assert (first.should_be, first.slug) == (should_be, slug)


def test_the_faults_are_three_in_each_of_ten_books() -> None:
    assert len(BOOKS) == 10 and all(len(make().faults) == 3 for make in BOOKS.values())
