"""Numbers as people write them."""

import math

import pytest

from tracer.answers.numbers import BLANK, LONGEST, of_float, read_number


@pytest.mark.parametrize(
    ("text", "value", "decimals"),
    [
        ("0.42", 0.42, 2),
        (" 1 ", 1.0, 0),
        (".50", 0.5, 2),
        ("7.", 7.0, 0),
        ("+0.5", 0.5, 1),
        ("-0,42", -0.42, 2),
        ("−0.42", -0.42, 2),  # a typographic minus
        ("–1.5", -1.5, 1),  # a dash
        ("1e-3", 0.001, 3),
        ("1.20E-03", 0.0012, 5),
        ("2.5e2", 250.0, -1),
        ("1,234.5", 1234.5, 1),
        ("= 0.3", 0.3, 1),
        ("1 234,5", 1234.5, 1),
    ],
)
def test_a_number_is_read_with_its_decimals(text: str, value: float, decimals: int) -> None:
    entry = read_number(text)
    assert (entry.kind, entry.value, entry.decimals) == ("number", value, decimals)
    assert entry.text == text.strip()


@pytest.mark.parametrize(("text", "value"), [("3/8", 0.375), ("=3/8", 0.375), ("-1/4", -0.25), ("1⁄2", 0.5)])
def test_a_fraction_is_exact(text: str, value: float) -> None:
    entry = read_number(text)
    assert (entry.kind, entry.value, entry.decimals) == ("number", value, None)
    assert entry.own_unit() == 0.0


@pytest.mark.parametrize("text", ["", "   ", "\u00a0", "="])
def test_nothing_is_blank(text: str) -> None:
    assert read_number(text) == BLANK


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("about 3", "not a number"),
        ("0.5.1", "not a number"),
        ("1,2,3", "not a number"),
        ("--1", "not a number"),
        ("e", "not a number"),
        (".", "not a number"),
        ("nan", "not a number"),
        ("inf", "not a number"),
        ("1_000", "not a number"),
        ("٣", "not a number"),  # digits of another script, which float() would take
        ("=A1*B1", "not a number"),
        ("3/0", "a division by zero"),
        ("1e999", "a number that is too large"),
        ("9" * (LONGEST + 1), "too long to be a number"),
    ],
)
def test_what_is_no_number_is_unreadable_with_the_reason(text: str, note: str) -> None:
    entry = read_number(text)
    assert (entry.kind, entry.note) == ("unreadable", note)
    assert math.isnan(entry.value) and len(entry.text) <= LONGEST


def test_the_unit_is_of_the_last_place_written_or_asked_for_whichever_is_finer() -> None:
    assert read_number("0.42").unit(3) == pytest.approx(1e-3)  # 0.42 stands for 0.420: spreadsheets keep no zeros
    assert read_number("0.42").own_unit() == pytest.approx(1e-2)
    assert read_number("0.4213").unit(3) == pytest.approx(1e-4)
    assert read_number("3/8").unit(3) == pytest.approx(1e-3)
    assert read_number("123456.789012345").unit(3) == pytest.approx(1.23456789e-7)  # no more than twelve digits


def test_a_number_of_a_spreadsheet_has_the_digits_that_it_takes_to_write_it() -> None:
    assert [of_float(value).decimals for value in (0.5, 2.0, 0.1 + 0.2, 1e-5)] == [1, 0, 17, 5]
    assert of_float(2.0).text == "2" and of_float(0.25, "1/4").text == "1/4"
    assert of_float(math.inf).kind == "unreadable"
