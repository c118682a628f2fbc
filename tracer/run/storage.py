"""Traces in files: numpy's .npz with the problem as text beside the matrices. Never unpickles.

A file is believed only as far as it can be checked: the problem is read like any problem file,
the program is built from it, and every matrix must have the shape and type that it asks for.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.errors import TraceFileError, TracerError
from tracer.expression.arrays import Array
from tracer.files import replace_file
from tracer.lesson.build import build
from tracer.problem.problem import problem_from_document
from tracer.problem.program_problem import program_from_document
from tracer.program.program import Program
from tracer.run.passes import AnyProblem, Epoch, Pass, Trace
from tracer.zips import DAMAGED, damage

FORMAT = "tracer trace 1"
MOST_TEXT = 64 * 2**20  # bytes of the problem's text
HEADER = 4096  # bytes of an .npy member besides its numbers, at the most


def save_trace(trace: Trace[AnyProblem], path: Path) -> None:
    """Write a trace. Raises ExportError where `path` cannot be written."""
    epochs = [[epoch.number, [[one.start, one.stop] for one in epoch.iterations]] for epoch in trace.epochs]
    about = {
        "format": FORMAT,
        "name": trace.problem.name,
        "problem": trace.problem.to_document(),
        "epochs": epochs,
    }
    arrays: dict[str, Any] = {"about": np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)}
    for one in trace.passes:
        for key in (*one.program.inputs, *one.program.computed):
            arrays[f"{one.epoch}/{one.iteration}/{key}"] = one[key]
    replace_file(path, lambda file: np.savez_compressed(file, **arrays))


def load_trace(path: Path) -> Trace[AnyProblem]:
    """Read a trace that `save_trace` wrote.

    Raises TraceFileError where the file is missing, damaged, or something else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive)
    except OSError as wrong:
        raise TraceFileError(f"{path}: {wrong.strerror or wrong}") from None
    except TracerError as wrong:
        raise TraceFileError(f"{path}: {wrong}") from None
    except (*DAMAGED, struct.error, KeyError, TypeError) as wrong:
        raise TraceFileError(f"{path}: not a saved trace, or a damaged one ({damage(wrong)})") from None


def _read(archive: zipfile.ZipFile) -> Trace[AnyProblem]:
    about = json.loads(_member(archive, "about", MOST_TEXT, np.dtype(np.uint8), None).tobytes())
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ValueError("its format is unknown")
    problem = _problem(about["problem"], about["name"])
    epochs = []
    for number, ranges in about["epochs"]:
        if not isinstance(number, int) or [tuple(each) for each in ranges] != problem.batches():
            raise ValueError("its epochs do not fit its problem")
        iterations = (_pass(archive, problem, number, k, *each) for k, each in enumerate(ranges, start=1))
        epochs.append(Epoch(number, tuple(iterations)))
    if not epochs:
        raise ValueError("it holds no epochs")
    return Trace(problem, tuple(epochs))


def _problem(document: object, name: str) -> AnyProblem:
    if isinstance(document, dict) and "steps" in document:
        return program_from_document(document, name, "the problem in it")
    return problem_from_document(document, name, "the problem in it")


def _pass(archive: zipfile.ZipFile, problem: AnyProblem, epoch: int, iteration: int, start: int, stop: int) -> Pass:
    program = build(problem, stop - start)
    given, computed = (
        tuple(_matrix(archive, program, f"{epoch}/{iteration}/", key) for key in keys)
        for keys in (program.inputs, program.computed)
    )
    return Pass(program, epoch, iteration, start, stop, given, computed)


def _matrix(archive: zipfile.ZipFile, program: Program, prefix: str, key: str) -> Array:
    shape = program.assignments[key].shape if key in program.assignments else (1, 1)
    size = 8 * shape[0] * shape[1] + HEADER
    return _member(archive, prefix + key, size, np.dtype(np.float64), shape)


def _member(
    archive: zipfile.ZipFile, name: str, most: int, dtype: np.dtype[Any], shape: tuple[int, ...] | None
) -> NDArray[Any]:
    """One array, read only if its declared size is what it can be."""
    with archive.open(f"{name}.npy") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{name} is larger than it can be")
    array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype != dtype or (shape is not None and array.shape != shape):
        raise ValueError(f"{name} is {array.dtype} {array.shape}, expected {dtype} {shape}")
    return array
