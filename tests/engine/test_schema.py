"""Every kind of workbook keeps the schema of its format, by a validator that is not ours."""

from pathlib import Path

import pytest

from tests.conftest import require_module
from tests.engine.test_program_workbooks import recorded
from tests.engine.test_worksheets import written
from tracer.problem.reading import load_problem
from tracer.run.training import trace
from tracer.workbook.workbook import write_workbook

pytestmark = pytest.mark.engine


def errors(path: Path) -> list[str]:
    audit = require_module("openxml_audit")
    found = audit.OpenXmlValidator(audit.FileFormat.OFFICE_2010, max_errors=0).validate(path).errors
    return [f"{each.part_uri}: {each.description}" for each in found if each.severity.name == "ERROR"]


@pytest.mark.parametrize("name", ["article", "xor", "softmax-classifier"])
def test_a_walkthrough_keeps_the_schema(name: str, tmp_path: Path) -> None:
    write_workbook(trace(load_problem(name), (1, 2)), tmp_path / "book.xlsx")
    assert errors(tmp_path / "book.xlsx") == []


def test_a_programs_walkthrough_keeps_the_schema(tmp_path: Path) -> None:
    write_workbook(recorded("gru"), tmp_path / "book.xlsx")
    assert errors(tmp_path / "book.xlsx") == []


@pytest.mark.parametrize("key", [False, True])
def test_a_worksheet_keeps_the_schema(key: bool, tmp_path: Path) -> None:
    assert errors(written(tmp_path, load_problem("article"), key)[2]) == []
