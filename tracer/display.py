"""What shows a run in a notebook: named here, made on a floor above.

A trace stands below everything that shows it and imports none of it. The root of the package stands above both
and says which module has the views; it is loaded when a notebook first asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class View(Protocol):
    """What a notebook shows as coloured tables or, in a document made by LaTeX, as formulas."""

    def _repr_html_(self) -> str: ...

    def _repr_latex_(self) -> str: ...


class MatrixView(View, Protocol):
    """A matrix; `view[row, column]`, counted from 0, is one cell of it worked out."""

    def __getitem__(self, place: tuple[int, int]) -> View: ...


class Views(Protocol):
    """The views of a trace."""

    def overview(self, trace: Any) -> str: ...

    def step(self, trace: Any, number: int, layer: int | None) -> dict[str, Any]: ...

    def matrix(self, trace: Any, identifier: str) -> MatrixView: ...

    def walkthrough(self, problem: Any) -> View: ...


views: Callable[[], Views]
