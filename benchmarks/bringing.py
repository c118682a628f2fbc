"""Taking models over: what it costs beside what the framework itself takes to record them."""

from __future__ import annotations

import io
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

import tracer
from benchmarks.measure import markdown

TURNS = 5


class LastOutput(nn.Module):
    """An LSTM whose last output is judged."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer(x)[0][:, -1])


class Encoded(nn.Module):
    """A transformer's layer, averaged over the places."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.head = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer(x).mean(dim=1))


MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "MLP 8-16-16-2": (
        lambda: nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2)),
        (4, 8),
    ),
    "transformer layer, 8 wide, 2 heads, 3 places": (Encoded, (2, 3, 8)),
    "LSTM, 4 units, 4 time steps": (LastOutput, (2, 4, 3)),
}


def processor_ms(run: Callable[[], object]) -> float:
    started = time.process_time()
    run()
    return (time.process_time() - started) * 1000


def by_turns(runs: list[Callable[[], object]]) -> list[list[float]]:
    """Milliseconds of processor time of each, by turns; the first round is not counted."""
    rounds = [[processor_ms(run) for run in runs] for _ in range(TURNS + 1)][1:]
    return [list(each) for each in zip(*rounds, strict=True)]


def exported(model: nn.Module, x: torch.Tensor) -> bytes:
    written = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (x,), written, dynamo=False)
    return written.getvalue()


def report() -> str:
    rows = []
    for name, (make, shape) in MODELS.items():
        rows.append([name, *_measured(make().eval(), torch.randn(*shape))])
    head = ["model", "torch.export", "from_torch", "of export", "from_onnx", "compare"]
    return f"""## Models taken over

Milliseconds of processor time, medians of {TURNS} turns. `from_torch` records the model with its loss itself; "of
export" is the ratio to `torch.export.export` of the model alone. `from_onnx` reads the same model from memory;
`compare` holds PyTorch's gradients against the derived ones.

{markdown(head, rows)}
"""


def _measured(model: nn.Module, x: torch.Tensor) -> list[str]:
    import onnx

    labels = torch.arange(len(x)) % 2
    stored = onnx.load_from_string(exported(model, x))
    problem = tracer.from_torch(model, x, labels, loss="cross_entropy")
    nn.functional.cross_entropy(model(x), labels).backward()
    own: dict[str, Any] = {key: each.grad for key, each in model.named_parameters()}
    runs: list[Callable[[], object]] = [
        lambda: torch.export.export(model, (x,), strict=False),
        lambda: tracer.from_torch(model, x, labels, loss="cross_entropy"),
        lambda: tracer.from_onnx(stored, x.numpy(), labels.numpy(), loss="cross_entropy"),
        lambda: tracer.compare(problem, own),
    ]
    recorded, taken, read, compared = (float(np.median(each)) for each in by_turns(runs))
    return [f"{recorded:.0f}", f"{taken:.0f}", f"{taken / recorded:.1f}", f"{read:.0f}", f"{compared:.0f}"]
