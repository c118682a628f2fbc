"""Recurrent layers, one time step after the other; a sample is a row of each step's matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from tracer.frameworks.cells import Held, Ids, Laid
from tracer.frameworks.draft import Draft
from tracer.frameworks.rules import rule

Weights: TypeAlias = tuple[Laid, Laid, "Laid | None", "Laid | None", "Laid | None"]
"""W_ih, W_hh, their biases, and what makes the state shorter (W_hr), as PyTorch has them."""
State: TypeAlias = tuple[Ids, ...]
Advance: TypeAlias = Callable[["_Run", Ids, State], State]


class _Run:
    """One layer in one direction: writes the formulas of each time step."""

    def __init__(self, draft: Draft, weights: Weights, end: str) -> None:
        self.draft, self.end = draft, end
        self.w, self.u, self.b, self.c, self.shorter = weights
        self.time: tuple[int, ...] = ()

    @property
    def units(self) -> int:
        return self.u.shape[1] if self.shorter is None else self.shorter.shape[1]

    def text(self, cells: Ids) -> str:
        return self.draft.text(cells)

    def made(self, formula: str, like: Ids, width: int, part: str) -> Ids:
        name = "_".join(filter(None, (part, self.end)))
        return self.draft.matrix(formula, (len(like), width), name, self.time)

    def sums(self, x: Ids, h: Ids, rows: slice = slice(None), bias: bool = True) -> str:
        """x·W_ihᵀ + b_ih + h·W_hhᵀ + b_hh, for some of the rows of the weights."""
        return f"{self.of_input(x, rows)} + {self.of_state(h, rows)}"

    def of_input(self, x: Ids, rows: slice = slice(None)) -> str:
        return self._affine(x, self.w, self.b, rows)

    def of_state(self, h: Ids, rows: slice = slice(None)) -> str:
        return self._affine(h, self.u, self.c, rows)

    def _affine(self, x: Ids, weights: Laid, bias: Laid | None, rows: slice) -> str:
        product = f"{self.text(x)} @ {self.text(weights.cells[rows].T)}"
        return product if bias is None else f"{product} + {self.text(bias.cells[rows].reshape(1, -1))}"


def _rnn_step(function: str) -> Advance:
    def advance(run: _Run, x: Ids, state: State) -> State:
        (h,) = state
        z = run.made(run.sums(x, h), x, run.units, "sums")
        return (run.made(f"{function}({run.text(z)})", x, run.units, ""),)

    return advance


_LSTM_GATES = {
    "i": ("input", "sigmoid"),
    "f": ("forget", "sigmoid"),
    "g": ("candidate", "tanh"),
    "o": ("output", "sigmoid"),
}


def _lstm_step(order: str) -> Advance:
    """Gates in an order: input, forget, candidate g, output are "ifgo" in PyTorch."""

    def advance(run: _Run, x: Ids, state: State) -> State:
        h, c = state
        size = run.units
        z = run.made(run.sums(x, h), x, 4 * size, "gates")
        gates = {}
        for k, letter in enumerate(order):
            name, function = _LSTM_GATES[letter]
            part = run.text(z[:, k * size : (k + 1) * size])
            gates[letter] = run.text(run.made(f"{function}({part})", x, size, name))
        new = run.made(f"{gates['f']} * {run.text(c)} + {gates['i']} * {gates['g']}", x, size, "cell")
        out = run.made(f"{gates['o']} * tanh({run.text(new)})", x, size, "" if run.shorter is None else "long")
        if run.shorter is None:
            return out, new
        text = f"{run.text(out)} @ {run.text(run.shorter.cells.T)}"
        return run.made(text, x, len(run.shorter.cells), ""), new

    return advance


def _gru_step(order: str, after: bool = True) -> Advance:
    """Gates in an order: reset, update, new are "run" in PyTorch. The reset gate is applied after the product with the
    state, or before."""

    def advance(run: _Run, x: Ids, state: State) -> State:
        (h,) = state
        size = run.units
        reset, update, new = (slice(order.index(k) * size, (order.index(k) + 1) * size) for k in "run")
        r = run.made(f"sigmoid({run.sums(x, h, reset)})", x, size, "reset")
        u = run.made(f"sigmoid({run.sums(x, h, update)})", x, size, "update")
        if after:
            kept = run.made(run.of_state(h, new), x, size, "state")
            inner = f"{run.of_input(x, new)} + {run.text(r)} * {run.text(kept)}"
        else:
            kept = run.made(f"{run.text(r)} * {run.text(h)}", x, size, "state")
            inner = run.sums(x, kept, new)
        n = run.made(f"tanh({inner})", x, size, "new")
        return (run.made(f"(1 - {run.text(u)}) * {run.text(n)} + {run.text(u)} * {run.text(h)}", x, size, ""),)

    return advance


def _layers(
    draft: Draft, x: Laid, states: Sequence[Laid], params: Sequence[Held], advance: Advance, biased: bool,
    layers: int, bidirectional: bool, batch_first: bool,
) -> tuple[Laid, ...]:  # fmt: skip
    """All layers and directions. Gives the outputs, and each last state (layers·directions, samples, units)."""
    single = x.cells.ndim == 2
    cells = x.cells[:, None] if single else x.cells.swapaxes(0, 1) if batch_first else x.cells
    states = [Laid(each.cells[:, None]) if single else each for each in states]
    directions = 2 if bidirectional else 1
    each = len(params) // (layers * directions)
    shortened = each > (4 if biased else 2)
    finals: list[State] = []
    for layer in range(layers):
        outputs = []
        for direction in range(directions):
            number = layer * directions + direction
            own = [draft.laid(p) for p in params[number * each : (number + 1) * each]]
            biases = (own[2], own[3]) if biased else (None, None)
            weights: Weights = (own[0], own[1], *biases, own[-1] if shortened else None)
            run = _Run(draft, weights, _end(layer, layers, direction))
            state: State = tuple(s.cells[number] for s in states)
            out, state = _through(run, cells, state, advance, backwards=direction == 1)
            outputs.append(out)
            finals.append(state)
        cells = np.concatenate(outputs, axis=-1)
    last = [np.stack(part) for part in zip(*finals, strict=True)]
    if single:
        return Laid(cells[:, 0]), *(Laid(part[:, 0]) for part in last)
    return Laid(cells.swapaxes(0, 1) if batch_first else cells), *map(Laid, last)


def _end(layer: int, layers: int, direction: int) -> str:
    told = [f"l{layer}"] if layers > 1 else []
    return "_".join([*told, *(["reverse"] if direction else [])])


def _through(run: _Run, cells: Ids, state: State, advance: Advance, backwards: bool) -> tuple[Ids, State]:
    """Through all time steps, cells (time, samples, inputs)."""
    order = range(len(cells) - 1, -1, -1) if backwards else range(len(cells))
    outputs: dict[int, Ids] = {}
    for t in order:
        run.time = (t,) if len(cells) > 1 else ()
        run.draft.part = " ".join(filter(None, (f"time {t}", run.end)))
        state = advance(run, cells[t], state)
        outputs[t] = state[0]
    run.draft.part = ""
    return np.stack([outputs[t] for t in range(len(cells))]), state


def _recurrent(kind: str, advance: Advance) -> None:
    @rule(kind)
    def made(draft: Draft, input: Held, hx: Any, params: Sequence[Held], has_biases: bool, num_layers: int,
             dropout: float, train: bool, bidirectional: bool, batch_first: bool) -> tuple[Held, ...]:  # fmt: skip
        if dropout and train and num_layers > 1:
            raise draft.refuse("drops units out between its layers; call .eval() first, or set its dropout to 0")
        given = hx if isinstance(hx, list | tuple) else [hx]
        names = ("start", "start_cell")
        states = [draft.laid(each, f"{draft.operation.name}_{n}") for each, n in zip(given, names, strict=False)]
        return _layers(draft, draft.laid(input), states, params, advance, has_biases, num_layers, bidirectional,
                       batch_first)  # fmt: skip


_recurrent("rnn_tanh", _rnn_step("tanh"))
_recurrent("rnn_relu", _rnn_step("relu"))
_recurrent("lstm", _lstm_step("ifgo"))
_recurrent("gru", _gru_step("run"))


def _cell(kind: str, advance: Advance) -> None:
    @rule(kind)
    def made(draft: Draft, input: Held, hx: Any, w_ih: Held, w_hh: Held, b_ih: Held | None = None,
             b_hh: Held | None = None) -> Any:  # fmt: skip
        given = [
            draft.laid(each, f"{draft.operation.name}_start") for each in (hx if isinstance(hx, list | tuple) else [hx])
        ]
        biases = [None if each is None else draft.laid(each) for each in (b_ih, b_hh)]
        run = _Run(draft, (draft.laid(w_ih), draft.laid(w_hh), biases[0], biases[1], None), "")
        x = draft.laid(input).cells
        single = x.ndim == 1
        state = advance(run, x[None] if single else x, tuple(s.cells[None] if single else s.cells for s in given))
        found = [Laid(each[0] if single else each) for each in state]
        return tuple(found) if len(found) > 1 else found[0]


_cell("rnn_tanh_cell", _rnn_step("tanh"))
_cell("rnn_relu_cell", _rnn_step("relu"))
_cell("lstm_cell", _lstm_step("ifgo"))
_cell("gru_cell", _gru_step("run"))


@rule("recurrent_layer")
def recurrent_layer(
    draft: Draft, input: Held, w: Held, u: Held, b: Held | None = None, c: Held | None = None,
    states: Sequence[Held] | None = None, kind: str = "lstm", order: str = "", after: bool = True,
    backwards: bool = False, function: str = "tanh",
) -> tuple[Laid, ...]:  # fmt: skip
    """One layer in one direction; w and u are (gates·units, inputs) in the order named, input (time, samples, inputs).

    Gives the outputs (time, samples, units) and the last states (samples, units).
    """
    advance = {"lstm": lambda: _lstm_step(order), "gru": lambda: _gru_step(order, after)}.get(
        kind, lambda: _rnn_step(function)
    )()
    x, biases = draft.laid(input), [None if each is None else draft.laid(each) for each in (b, c)]
    run = _Run(draft, (draft.laid(w), draft.laid(u), biases[0], biases[1], None), "reverse" if backwards else "")
    nothing = np.zeros((x.shape[1], run.units))
    given = list(states or [])
    count = 2 if kind == "lstm" else 1
    start = [draft.laid(given[k] if k < len(given) else nothing, f"{draft.operation.name}_start") for k in range(count)]
    out, state = _through(run, x.cells, tuple(each.cells for each in start), advance, backwards)
    return Laid(out), *map(Laid, state)
