"""Each gradebook's file, read by a port of that gradebook's importer."""

import csv
import io
from pathlib import Path

import pytest

from tests import importers
from tracer.errors import TracerError
from tracer.gradebook.grades import Grade
from tracer.gradebook.systems import SYSTEMS, Export

TITLE = "Backprop by hand"
ADA = Grade("Ada Lovelace", "s1", 7.5, 7.5, 10.0, "Ada Lovelace_71_assignsubmission_file_/a.json", "71",
            "Ada Lovelace_71_assignsubmission_file_", {"Z1": 1.0})  # fmt: skip
BO = Grade("Bo García", "s2", 10.0, 10.0, 10.0, "Bo García_72_assignsubmission_file_/b.json", "72",
           "Bo García_72_assignsubmission_file_", {"Z1": 1.0})  # fmt: skip
STRANGER = Grade("Who Ever", "", 3.0, 3.0, 10.0, "w.json")
ROSTER = (("Ada Lovelace", "s1"), ("Bo García", "s2"), ("Cy Young", "s3"))


def export(folder: Path, system: str, into: str | bytes | None = None, *grades: Grade, **more: object) -> list[str]:
    """Write the file of a system; what is said of it."""
    path = None
    if into is not None:
        path = folder / "export.csv"
        path.write_bytes(into if isinstance(into, bytes) else into.encode())
    made = Export(folder, TITLE, grades or (ADA, BO), path, ROSTER, **more)  # type: ignore[arg-type]
    return list(SYSTEMS[system](made).says())


CANVAS_STUDENTS = {
    "11": {"name": "Lovelace, Ada", "sis": "s1", "login": "ada"},
    "12": {"name": "García, Bo", "sis": "s2", "login": "bo"},
    "13": {"name": "Young, Cy", "sis": "s3", "login": "cy"},
}
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Backprop by hand (99),Other (98)\r\n"
    "    Points Possible,,,,,10.0,5\r\n"
    '"Lovelace, Ada",11,s1,ada,A,,1\r\n"García, Bo",12,s2,bo,A,EX,1\r\n"Young, Cy",13,s3,cy,A,4,1\r\n'
)


def test_canvas_takes_its_own_export_filled_in(tmp_path: Path) -> None:
    says = export(tmp_path, "canvas", CANVAS, ADA, BO, STRANGER)
    found, new = importers.canvas((tmp_path / "canvas.csv").read_bytes(), CANVAS_STUDENTS, {"99": TITLE})
    assert (found, new) == ({"11": 7.5, "13": 4.0}, [])  # who is excused stays so, who has no grade keeps the old one
    assert any("Who Ever" in line for line in says) and any("Young, Cy" in line for line in says)
    assert any("EX" in line and "García, Bo" in line for line in says)


def test_canvas_takes_a_table_of_names_and_ids_as_a_new_assignment(tmp_path: Path) -> None:
    says = export(tmp_path, "canvas")
    found, new = importers.canvas((tmp_path / "canvas.csv").read_bytes(), CANVAS_STUDENTS, {})
    assert (found, new) == ({"11": 7.5, "12": 10.0}, [TITLE])
    assert any("Cy Young" in line for line in says) and any("new assignment" in line for line in says)


def test_another_maximum_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(TracerError, match="its maximum is 20 and these grades are out of 10; say --out-of 20"):
        export(tmp_path, "canvas", CANVAS.replace("10.0,5", "20,5"))
    assert not (tmp_path / "canvas.csv").exists()


MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,Last modified (submission),"
    "Last modified (grade),Feedback comments\n"
    'Participant 71,Ada Lovelace,a@x,Submitted,,10.00,Yes,"Monday, 2 November 2026",-,\n'
    'Participant 72,Bo García,b@x,Submitted,3.00,10.00,Yes,-,"Tuesday, 3 November 2026",Well\n'
    "Participant 73,Cy Young,c@x,No submission,,10.00,Yes,-,-,\n"
)
MODIFIED = {"71": "-", "72": "Tuesday, 3 November 2026", "73": "-"}


def test_moodle_takes_its_worksheet_with_nothing_else_changed(tmp_path: Path) -> None:
    export(tmp_path, "moodle", "\ufeff" + MOODLE)
    content = (tmp_path / "moodle.csv").read_bytes()
    assert importers.moodle(content, dict.fromkeys(MODIFIED, ""), 10.0, MODIFIED) == {"71": 7.5, "72": 10.0}
    rows, before = ([*csv.reader(io.StringIO(text))] for text in (content.decode("utf-8-sig"), MOODLE))
    changed = {(i, j) for i, row in enumerate(rows) for j, cell in enumerate(row) if cell != before[i][j]}
    assert changed == {(1, 4), (2, 4)} and content.startswith(b"\xef\xbb\xbf")


def test_moodle_in_spanish_has_its_decimal_comma(tmp_path: Path) -> None:
    spanish = MOODLE.replace("Maximum grade", "Calificación máxima").replace(",Grade,", ",Calificación,")
    export(tmp_path, "moodle", spanish.replace("10.00", '"10,00"'))
    assert ',"7,5",' in (tmp_path / "moodle.csv").read_text(encoding="utf-8")


def test_moodle_feedback_goes_into_the_folders_that_it_splits(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("x")
    lost = Grade("O_Neill", "s4", 1.0, 1.0, 10.0, "o", "74", "O_Neill_74_assignsubmission_file_")
    reports = {each.file: page for each in (ADA, BO, lost)}
    says = export(tmp_path, "moodle-feedback", None, ADA, BO, lost, reports=reports)
    content = (tmp_path / "moodle-feedback.zip").read_bytes()
    assert importers.moodle_feedback(content, ["71", "72", "74"]) == {"71": "feedback.html", "72": "feedback.html"}
    assert any("O_Neill" in line for line in says)
    export(tmp_path, "moodle-feedback", None, ADA, BO, lost, reports=reports)
    assert (tmp_path / "moodle-feedback.zip").read_bytes() == content


BRIGHTSPACE = (
    "OrgDefinedId,Username,Last Name,First Name,Backprop by hand Points Grade <Numeric MaxPoints:10>,"
    "End-of-Line Indicator\n"
    "#s1,#ada,Lovelace,Ada,,#\n#s2,#bo,García,Bo,,#\n#s3,#cy,Young,Cy,2,#\n"
)


@pytest.mark.parametrize("into", [BRIGHTSPACE, None])
def test_brightspace_takes_ids_with_their_mark(tmp_path: Path, into: str | None) -> None:
    says = export(tmp_path, "brightspace", into)
    content = (tmp_path / "brightspace.csv").read_bytes()
    found = importers.brightspace(content, {"s1": "", "s2": "", "s3": ""}, {TITLE: 10.0})
    assert found == {"s1": 7.5, "s2": 10.0}
    assert any("Cy" in line for line in says)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_blackboard_keeps_the_column_by_its_id(tmp_path: Path, encoding: str) -> None:
    head = '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Backprop by hand [Total Pts: 10 Score] |5501"\n'
    into = head + "Lovelace\tAda\tada\ts1\t\nGarcía\tBo\tbo\ts2\t\nYoung\tCy\tcy\ts3\t\n"
    export(tmp_path, "blackboard", into.encode(encoding))
    content = (tmp_path / "blackboard.csv").read_bytes()
    assert importers.blackboard(content, ["ada", "bo", "cy"], {"5501": 10.0}) == {"ada": 7.5, "bo": 10.0}


def test_gradescope_has_a_score_for_each(tmp_path: Path) -> None:
    export(tmp_path, "gradescope")
    found = {path.parent.name: importers.gradescope(path) for path in (tmp_path / "gradescope").glob("*/results.json")}
    assert found == {"Ada Lovelace s1": 7.5, "Bo García s2": 10.0}


def test_nbgrader_has_the_columns_of_its_own_export(tmp_path: Path) -> None:
    export(tmp_path, "nbgrader")
    assert importers.nbgrader((tmp_path / "nbgrader.csv").read_bytes()) == {"s1": 7.5, "s2": 10.0}


@pytest.mark.parametrize("system", ["moodle", "blackboard"])
def test_a_system_that_must_be_filled_in_asks_for_its_export(tmp_path: Path, system: str) -> None:
    with pytest.raises(TracerError, match="--into"):
        export(tmp_path, system)
    with pytest.raises(TracerError, match="--into"):
        export(tmp_path, system, "a,b\n1,2\n")


def test_namesakes_match_nobody_by_name(tmp_path: Path) -> None:
    one, other = (Grade("Ada Lovelace", "", 1.0, 1.0, 10.0, each) for each in "ab")
    export(tmp_path, "canvas", CANVAS, one, other)
    found, _ = importers.canvas((tmp_path / "canvas.csv").read_bytes(), CANVAS_STUDENTS, {"99": TITLE})
    assert found == {"13": 4.0}
