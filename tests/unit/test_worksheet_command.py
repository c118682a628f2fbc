"""`tracer worksheet`, run as a user runs it, and its key handed to `tracer check`."""

from pathlib import Path

import pytest

from tests.unit.test_cli import tracer

FILES = [f"article.{kind}.{ending}" for kind in ("worksheet", "key") for ending in ("xlsx", "html")]


def test_a_worksheet_and_its_key_are_written_twice_the_same(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        run = tracer("worksheet", "article", "-o", folder, folder=tmp_path)
        assert run.returncode == 0, run.stderr
        assert run.stdout.splitlines() == [f"{folder}/{each}" for each in FILES]
    for each in FILES:
        assert (tmp_path / "one" / each).read_bytes() == (tmp_path / "two" / each).read_bytes()
    checked = tracer("check", "article", tmp_path / "one" / "article.key.xlsx")
    assert checked.returncode == 0, checked.stderr
    assert "all 99 cells are right" in checked.stdout


def test_what_is_printed_is_said(tmp_path: Path) -> None:
    run = tracer("worksheet", "article", "--blank", "8", "--mode", "exam", "-o", tmp_path)
    assert run.stdout.splitlines()[-1] == "printed, and so in the files: D2"


def test_a_series_has_a_sheet_for_every_step_and_one_key(tmp_path: Path) -> None:
    run = tracer("worksheet", "article", "--blank", "7,8,9", "--series", "--sums", "-o", tmp_path)
    kinds = ("worksheet-1", "worksheet-2", "worksheet-3", "key")
    assert {path.name for path in tmp_path.iterdir()} == {f"article.{k}.{e}" for k in kinds for e in ("xlsx", "html")}
    assert run.stdout.splitlines()[-2:] == [
        "every sheet but the last prints the earlier steps, and so they are in its files",
        "the sums of the larger matrices are in the files",
    ]
    second = (tmp_path / "article.worksheet-2.html").read_text(encoding="utf-8")
    assert "sheet 2 of 3" in second and 'data-id="D2" data-shape="3 1" data-printed' in second
    assert "sheet 3" not in (tmp_path / "article.key.html").read_text(encoding="utf-8")


def test_a_sheet_with_slips_is_the_same_with_a_seed_and_secret_without(tmp_path: Path) -> None:
    """The sheet is named after its mode; nothing printed says what was planted."""
    find, page = ("worksheet", "mlp-paper", "--mode", "find", "--slips", "2"), "mlp-paper.find.worksheet.html"
    for folder, seed in (("one", ("--seed", "5")), ("two", ("--seed", "5")), ("three", ()), ("four", ())):
        run = tracer(*find, *seed, "-o", folder, folder=tmp_path)
        assert run.returncode == 0, run.stderr
        kinds = [f"mlp-paper.find.{kind}.{ending}" for kind in ("worksheet", "key") for ending in ("xlsx", "html")]
        assert run.stdout.splitlines() == [f"{folder}/{each}" for each in kinds]
    one, two, three, four = ((tmp_path / each / page).read_bytes() for each in ("one", "two", "three", "four"))
    assert one == two and len({one, three, four}) == 3


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        (("--blank", "12"), "--blank: found '12'"),
        (("--blank", "2", "--give", "Z1"), "--blank and --give: Z1"),
        (("--blank", "8", "--series"), "--series: found one step to fill in"),
        (("--mode", "find", "--blank", "8"), "--blank has no place with --mode find"),
        (("--mode", "find", "--feedback", "end"), "--feedback has no place with --mode find"),
        (("--mode", "find", "--series"), "--series has no place with --mode find"),
        (("--mode", "find", "--slips", "99"), "--slips: found 99, expected 1 to "),
        (("--slips", "2"), "--slips needs --mode find"),
        (("--mode", "exam", "--seed", "5"), "--seed needs --mode find"),
        (("--language", "../en"), "--language: found '../en', expected one of en, es"),
        (("--templates", "none"), "--templates: "),
    ],
)
def test_a_bad_choice_is_one_line_and_writes_nothing(tmp_path: Path, choice: tuple[str, ...], says: str) -> None:
    run = tracer("worksheet", "article", *choice, "-o", tmp_path)
    assert run.returncode == 2
    assert run.stderr.startswith(f"tracer: {says}") and run.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_damaged_workbook_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "filled.xlsx"
    path.write_bytes(b"PK\x03\x04 and then nothing")
    run = tracer("check", "article", path)
    assert run.returncode == 2
    assert run.stderr.startswith("tracer: filled.xlsx: ") and run.stderr.count("\n") == 1
