"""A learner's work as a recorded pass, so that what is written of a run can be written of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from tracer.answers.key import Key
from tracer.expression.arrays import Array
from tracer.judging.sheet import Sheet
from tracer.judging.work import Work
from tracer.presentation.shown import Shown, shown
from tracer.run.passes import AnyProblem, Epoch, Pass, Trace


def own_trace(sheet: Sheet) -> Trace[AnyProblem]:
    """The learner's numbers, and what follows from them by the right rules where they wrote none."""
    with np.errstate(all="ignore"):
        return _recorded(sheet.key, Work(sheet).own.values)


@lru_cache(maxsize=16)
def key_shown(key: Key) -> Shown:
    """To how many decimals the matrices of a key are shown."""
    trace = _recorded(key, key.values)
    return shown(trace, trace.first)


def _recorded(key: Key, values: Mapping[str, Array]) -> Trace[AnyProblem]:
    given, computed = (tuple(values[each] for each in names) for names in (key.program.inputs, key.program.computed))
    one = Pass(key.program, 1, 1, 0, key.program.rows, given, computed)
    return Trace(key.problem, (Epoch(1, (one,)),))
