"""The page of an audit."""

import re

from tests.audit_books import row_book
from tests.teacher_books import BOOKS
from tracer.audit.auditing import audit_book
from tracer.audit.page import render_audit


def test_the_page_says_what_is_wrong_what_belongs_there_and_what_to_try() -> None:
    page = render_audit(audit_book("net.xlsx", row_book("wrong unit")))
    for text in ("First wrong cell", "Sheet!Z4", "*L4*(1-L4)*C4", "Try it:", "type 0.251 for 0.25 into G4", "11 more"):
        assert text in page
    assert page.count('<tr class="wrong">') == 12 and page.count('<tr class="right">') == 84


def test_it_stands_alone_without_scripts_and_shows_what_is_right() -> None:
    page = render_audit(audit_book("net.xlsx", BOOKS["two sheets"]().content()))
    assert "First wrong cell" not in page and "nothing is wrong" in page and 'class="headline all"' in page
    assert "Forward!A2:B3" in page and "=AVERAGE(L6:L9)" in page
    assert not re.search(r"<script|src=|href=|https?://|@import|url\(", page)


def test_what_the_book_says_is_shown_as_text() -> None:
    book = BOOKS["neuron"]()
    cells = {**book.sheets["Neuron"], "A4": "<b>w</b>"}
    page = render_audit(audit_book("<i>.xlsx", type(book)({"Neuron": cells}, {}).content()))
    assert "<b>w</b>" not in page and "<i>.xlsx" not in page
