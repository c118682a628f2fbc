"""Saved traces: the same floats back, and nothing believed that was not checked."""

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracer.errors import ExportError, TraceFileError
from tracer.problem.reading import load_problem
from tracer.run import storage
from tracer.run.storage import load_trace, save_trace
from tracer.run.training import trace


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_trace(trace(load_problem("hand"), (1, 2)), tmp_path / "run.npz")
    return tmp_path / "run.npz"


def rewritten(path: Path, name: str, content: bytes) -> Path:
    """The file with one member put in place of what it was."""
    with zipfile.ZipFile(path) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for each, old in members.items():
            archive.writestr(each, content if each == name else old)
    return path


def npy(array: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def about(path: Path, **changes: Any) -> bytes:
    text = json.loads(np.load(path)["about"].tobytes()) | changes
    return npy(np.frombuffer(json.dumps(text).encode(), dtype=np.uint8))


def test_what_is_saved_comes_back_to_the_last_bit(saved: Path) -> None:
    expected, found = trace(load_problem("hand"), (1, 2)), load_trace(saved)
    assert found.problem == expected.problem
    for one, other in zip(found.passes, expected.passes, strict=True):
        assert (one.epoch, one.iteration, one.start) == (other.epoch, other.iteration, other.start)
        assert all(np.array_equal(one[key], other[key]) for key in other)


def test_a_problem_of_hundreds_of_samples_comes_back(tmp_path: Path) -> None:
    expected = trace(load_problem("blobs"))
    save_trace(expected, tmp_path / "run.npz")
    assert load_trace(tmp_path / "run.npz").problem == expected.problem


def test_a_problem_longer_than_any_can_be_is_not_read(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(saved) as archive:
        size = archive.getinfo("about.npy").file_size
    monkeypatch.setattr(storage, "MOST_TEXT", size)
    assert load_trace(saved).problem == load_problem("hand")
    monkeypatch.setattr(storage, "MOST_TEXT", size - 1)
    with pytest.raises(TraceFileError, match="about is larger than it can be"):
        load_trace(saved)


def test_numpy_can_read_it_without_us(saved: Path) -> None:
    assert np.array_equal(np.load(saved)["1/1/Z1"], trace(load_problem("hand"))["Z1"])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a zip at all", pickle.dumps([1, 2]), npy(np.zeros(3))])
def test_a_foreign_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(TraceFileError, match=r"x\.npz: "):
        load_trace(tmp_path / "x.npz")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceFileError, match=r"none\.npz: No such file"):
        load_trace(tmp_path / "none.npz")


def test_a_pickle_inside_is_never_opened(saved: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "opened",))

    with pytest.raises(TraceFileError, match=r"allow_pickle"):
        load_trace(rewritten(saved, "1/1/Z1.npy", npy(np.array([Trap()], dtype=object), allow_pickle=True)))
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize(
    "content", [npy(np.zeros((2, 2))), npy(np.zeros((1, 3), dtype=np.int64)), npy(np.zeros((1000, 1000))), b""]
)
def test_a_matrix_of_another_shape_or_type_is_refused(content: bytes, saved: Path) -> None:
    with pytest.raises(TraceFileError):
        load_trace(rewritten(saved, "1/1/Z1.npy", content))


@pytest.mark.parametrize(
    "changes",
    [{"format": "other"}, {"epochs": [[1, [[0, 2]]]]}, {"epochs": []}, {"epochs": 7}, {"problem": {}}, {"problem": 3}],
)
def test_a_head_that_does_not_fit_is_refused(changes: dict[str, Any], saved: Path) -> None:
    with pytest.raises(TraceFileError):
        load_trace(rewritten(saved, "about.npy", about(saved, **changes)))


@given(cut=st.integers(0, 4000), at=st.integers(0, 4000), byte=st.integers(0, 255))
def test_damage_is_an_error_or_harmless(cut: int, at: int, byte: int, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("damage")
    save_trace(trace(load_problem("mazur")), folder / "run.npz")
    content = bytearray((folder / "run.npz").read_bytes())
    content[at % len(content)] = byte
    (folder / "run.npz").write_bytes(content[: len(content) - cut % 50])
    try:
        load_trace(folder / "run.npz")
    except TraceFileError as wrong:
        assert "run.npz" in str(wrong)


def test_a_failed_save_leaves_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(ExportError, match="No space left"):
        save_trace(trace(load_problem("hand")), saved)
    assert saved.read_bytes() == before and [path.name for path in saved.parent.iterdir()] == [saved.name]
