"""Writing over what is there: whole or not at all, through links, and never in place of a device."""

import os
from pathlib import Path

import pytest

from tracer.errors import ExportError
from tracer.files import unreserved, write_text


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "there" / "target.txt", tmp_path / "link.txt"
    target.parent.mkdir()
    target.write_text("old")
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink() and target.read_text() == "new" and [*target.parent.iterdir()] == [target]


@pytest.mark.parametrize("name", ["CON", "con", "Prn", "AUX", "nul", "COM1", "com9", "LPT1", "lpt³", "CONIN$"])
def test_what_windows_reserves_is_another_name_with_any_ending(name: str) -> None:
    for ending in ("", ".toml", ".worksheet.html", " .x"):
        assert unreserved(name + ending).partition(".")[0] == name + " " * ending.startswith(" ") + "_"


@pytest.mark.parametrize("name", ["contour", "console.html", "com", "COM12", "falcon", "nul-1", "my aux.html", "ADA"])
def test_other_names_stay(name: str) -> None:
    assert unreserved(name) == name


def test_links_in_a_circle_are_one_error(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    with pytest.raises(ExportError, match="cannot be written"):
        write_text(tmp_path / "one" / "file", "new")


def test_a_pipe_is_refused_and_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ExportError, match="pipe: cannot be written: it is a device or a pipe, no file"):
        write_text(tmp_path / "pipe", "new")
    assert (tmp_path / "pipe").is_fifo()


def test_the_file_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "afile").write_text("old")
    for path in (tmp_path / "afile" / "x", tmp_path / "afile" / "y" / "x"):
        with pytest.raises(ExportError, match=r"cannot be written: .*afile is no folder"):
            write_text(path, "new")
    assert (tmp_path / "afile").read_text() == "old"
