"""What a class handed in is found in folders and zips, and nothing that is hostile is followed."""

import io
import json
import os
import zipfile
from pathlib import Path

import pytest

from tracer.answers.handed_in import AnswerError
from tracer.classroom import submissions
from tracer.classroom.class_marks import MarksLine, write_marks
from tracer.classroom.submissions import Submission, collect, labels

ANSWERS = json.dumps({"Z1": [["1"]]})
MOODLE = "Ada Lovelace_12345_assignsubmission_file_"


def packed(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def fault(hand_in: Submission) -> str:
    with pytest.raises(AnswerError) as refused:
        hand_in.read()
    return str(refused.value)


def test_files_of_a_folder_are_found_by_the_alphabet_and_named_from_it(tmp_path: Path) -> None:
    for name in ("b/two.json", "a/one.json", "zero.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(ANSWERS)
    found = collect([tmp_path])
    assert [each.name for each in found] == ["a/one.json", "b/two.json", "zero.json"]
    assert [each.read().file for each in found] == ["a/one.json", "b/two.json", "zero.json"]


def test_what_systems_leave_behind_and_what_was_written_before_is_no_answer(tmp_path: Path) -> None:
    for name in ("one.json", ".DS_Store", "~$one.xlsx", "one.marked.xlsx", "one.feedback.html", "Thumbs.db"):
        (tmp_path / name).write_text(ANSWERS)
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "one.json").write_text(ANSWERS)
    (tmp_path / "link.json").symlink_to(tmp_path / "one.json")
    write_marks([MarksLine("one.json", {})], [], tmp_path / "marks.csv")
    assert [each.name for each in collect([tmp_path])] == ["one.json"]


def test_the_problem_among_the_answers_is_none(tmp_path: Path) -> None:
    for name in ("one.json", "problem.json"):
        (tmp_path / name).write_text(ANSWERS)
    assert [each.name for each in collect([tmp_path], tmp_path / "." / "problem.json")] == ["one.json"]


def test_a_students_own_file_of_the_name_marks_is_an_answer(tmp_path: Path) -> None:
    (tmp_path / "marks.csv").write_text("matrix,row,column,value\nZ1,1,1,1\n")
    assert [each.name for each in collect([tmp_path])] == ["marks.csv"]


@pytest.mark.parametrize("name", [f"{MOODLE}/work.json", f"group/{MOODLE}/deeper/work.json", f"{MOODLE}work.json"])
@pytest.mark.parametrize("form", ["folder", "zip"])
def test_moodle_says_whose_a_file_is(tmp_path: Path, name: str, form: str) -> None:
    if form == "zip":
        (each,) = collect([packed(tmp_path / "class.zip", {name: ANSWERS})])
    else:
        (tmp_path / "class" / name).parent.mkdir(parents=True)
        (tmp_path / "class" / name).write_text(ANSWERS)
        (each,) = collect([tmp_path / "class"])
    assert each.read().student == {"name": "Ada Lovelace", "id": "12345"}


def test_what_the_file_says_of_its_author_comes_before_what_moodle_says(tmp_path: Path) -> None:
    answers = json.dumps({"student": {"name": "Ada King"}})
    (each,) = collect([packed(tmp_path / "class.zip", {f"{MOODLE}/work.json": answers})])
    assert each.read().student == {"name": "Ada King", "id": "12345"}


def test_an_author_that_nothing_names_is_none(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(ANSWERS)
    assert collect([tmp_path / "one.json"])[0].read().student is None


def test_a_file_that_cannot_be_read_says_which_of_several_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.json").write_text("{")
    assert fault(collect([tmp_path])[0]).startswith("a/one.json: not JSON")
    assert fault(collect([tmp_path / "none.json"])[0]) == "none.json: cannot be read (No such file or directory)"


# Hostile zips


@pytest.mark.parametrize(
    "name", ["../evil.json", "a/../../evil.json", "/etc/evil.json", "C:\\evil.json", "..\\evil.json"]
)
def test_a_zip_with_a_path_that_climbs_is_refused_as_a_whole(tmp_path: Path, name: str) -> None:
    (each,) = collect([packed(tmp_path / "class.zip", {"good.json": ANSWERS, name: ANSWERS})])
    assert "a path that leads outside the zip" in fault(each)
    assert not (tmp_path.parent / "evil.json").exists()


def test_a_member_larger_than_anybody_writes_is_not_unpacked(tmp_path: Path) -> None:
    path = packed(tmp_path / "class.zip", {"bomb.json": b"0" * 30_000_000, "good.json": ANSWERS})
    assert path.stat().st_size < 40_000
    bomb, good = collect([path])
    assert "30,000,000 bytes is too large for work done by hand" in fault(bomb)
    assert good.read().matrices


def test_a_member_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "class.zip", {"bomb.json": b" " * 1_000_000})
    path.write_bytes(path.read_bytes().replace((1_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    (each,) = collect([path])
    assert fault(each).startswith("bomb.json: cannot be unpacked")


def test_a_zip_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "class.zip", {"a.json": b" " * 600, "b.json": b" " * 600})
    monkeypatch.setattr(submissions, "MOST_UNPACKED", 1000)
    assert fault(collect([path])[0]) == "class.zip: unpacks to more than the 1,000 bytes that are read"


def test_past_too_many_files_the_rest_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submissions, "MOST_FILES", 2)
    path = packed(tmp_path / "class.zip", dict.fromkeys(("a.json", "b.json", "c.json"), ANSWERS))
    *read, rest = collect([path])
    assert [each.name for each in read] == ["a.json", "b.json"]
    assert fault(rest) == "class.zip: holds more than 2 files; the rest is not read"
    for name in "abc":
        (tmp_path / f"{name}.json").write_text(ANSWERS)
    path.unlink()
    *read, rest = collect([tmp_path])
    assert len(read) == 2
    assert rest.fault == "holds more than 2 files; the rest is not read"


def test_a_name_twice_in_a_zip_is_said(tmp_path: Path) -> None:
    path = tmp_path / "class.zip"
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("a.json", "{}")
        archive.writestr("a.json", ANSWERS)
    first, said = collect([path])
    assert first.read().matrices
    assert fault(said) == "a.json: stands in the zip 2 times; the last one is marked"


def test_pipes_devices_and_links_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    assert collect([tmp_path]) == []
    for name in ("pipe.json", "zero.json"):
        assert "this is no regular file" in fault(*collect([tmp_path / name]))
    os.mkfifo(tmp_path / "pipe.zip")
    assert "this is no regular file" in fault(*collect([tmp_path / "pipe.zip"]))


def test_a_folder_without_permission_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.json").write_text(ANSWERS)
    scandir = os.scandir

    def refusing(path: Path) -> object:
        if Path(path).name == "closed":  # permissions do not hold root back
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(submissions.os, "scandir", refusing)
    read, closed = collect([tmp_path])
    assert read.name == "a.json"
    assert fault(closed) == "closed: this folder cannot be opened (Permission denied)"


@pytest.mark.parametrize("zip64", [False, True])
def test_a_zip_that_lists_files_without_end_is_not_looked_through(tmp_path: Path, zip64: bool) -> None:
    path, length = tmp_path / "class.zip", (50_000_000).to_bytes(8, "little")
    content = packed(path, {"one.json": ANSWERS}).read_bytes()
    listing, end = content[: content.index(b"PK\x05\x06")], bytearray(content[content.index(b"PK\x05\x06") :])
    if zip64:
        at = len(listing).to_bytes(8, "little")
        listing += b"PK\x06\x06" + bytes(36) + length + bytes(8) + b"PK\x06\x07" + bytes(4) + at + b"\1\0\0\0"
    else:
        end[12:16] = length[:4]
    path.write_bytes(listing + end)
    assert fault(collect([path])[0]) == "class.zip: lists more than 200,000 files"


def test_a_zip_in_a_zip_is_not_opened(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("one.json", ANSWERS)
    (each,) = collect([packed(tmp_path / "class.zip", {"inner.zip": inner.getvalue()})])
    assert fault(each) == "inner.zip: a zip inside a folder or another zip is not opened; give it on its own"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"no zip at all" * 100])
def test_a_zip_that_is_none_is_a_fault_and_no_crash(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "class.zip"
    path.write_bytes(content)
    assert fault(collect([path])[0]).startswith("class.zip: cannot be read as a zip")


def test_an_encrypted_member_is_a_fault(tmp_path: Path) -> None:
    path = packed(tmp_path / "class.zip", {"one.json": ANSWERS})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert fault(collect([path])[0]) == "one.json: is encrypted"


# What the reports are called


def called(*names: str, folder: Path = Path("reports")) -> list[str]:
    return labels([Submission(name, Path("class") / name) for name in names], folder)


def test_reports_are_called_by_the_stem_where_that_is_enough() -> None:
    assert called("ada.json", "bo.xlsx") == ["ada", "bo"]
    assert called("ada.json", "ada.xlsx") == ["ada.json", "ada.xlsx"]
    assert called("a/work.json", "b/work.json", "c.json") == ["a-work", "b-work", "c"]
    assert called(f"{MOODLE}/work.json", "Bo_2_assignsubmission_file_/work.json") == [
        "Ada Lovelace_12345-work",
        "Bo_2-work",
    ]


def test_names_that_only_case_tells_apart_or_nothing_are_numbered() -> None:
    assert called("a/Work.json", "A/work.json") == ["a-Work.json", "A-work.json-2"]
    assert called("work.json", "work.json") == ["work.json", "work.json-2"]


def test_a_stem_that_no_file_system_takes_is_mended() -> None:
    assert called('a:b*?"<>|.json', "....json") == ["a_b______", "answers"]
    assert len(called("x" * 300 + ".json")[0]) == 100


def test_a_stem_that_windows_reserves_has_another_name() -> None:
    assert called("con.json", "COM1.xlsx", "a/nul.x.json") == ["con_", "COM1_", "nul_.x"]
    assert called("con.json", "con_.json") == ["con_.json", "con_.json-2"]


def test_no_report_takes_the_place_of_an_answer(tmp_path: Path) -> None:
    names = ["ada.json", "ada.marked.xlsx"]
    found = labels([Submission(name, tmp_path / name) for name in names], tmp_path)
    assert found == ["ada-2", "ada.marked"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_copy_of_a_process_opens_a_zip_itself(tmp_path: Path) -> None:
    """Both would else read on from one place in the file, and get each other's bytes."""
    path = tmp_path / "class.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.json", "{}")
    (hand_in,) = collect([path])
    assert submissions.content(hand_in) == b"{}"
    own = submissions._archive(path)
    child = os.fork()
    if child == 0:
        os._exit(0 if submissions._archive(path) is not own and submissions.content(hand_in) == b"{}" else 1)
    assert os.waitpid(child, 0)[1] == 0
