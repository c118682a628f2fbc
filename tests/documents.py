"""Hypothesis strategies: problem documents in the form of the problem file, all of them valid."""

from typing import Any

from hypothesis import strategies as st

from tracer.problem.activations import ACTIVATIONS
from tracer.problem.losses import LOSSES

Document = dict[str, Any]
CROSS_ENTROPIES = ("cross_entropy", "binary_cross_entropy")
FUSED = (("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy"))
# Every (loss, output activation, whether they are fused) that a problem may have.
OUTPUTS = [
    (loss, output, fused)
    for loss in LOSSES
    for output in ACTIVATIONS
    for fused in (False, True)
    if (loss not in CROSS_ENTROPIES or output in ("sigmoid", "softmax")) and (not fused or (output, loss) in FUSED)
]
# every loss and every activation, but not each with each: for tests that take long
FEW_OUTPUTS = [each for k, each in enumerate(OUTPUTS) if k % 4 == 0 or each[0] in CROSS_ENTROPIES]
HIDDEN = sorted(set(ACTIVATIONS) - {"softmax"})


def hand_friendly(largest: float = 1.0) -> st.SearchStrategy[float]:
    """Numbers of two decimals."""
    hundredths = round(largest * 100)
    return st.integers(-hundredths, hundredths).map(lambda k: k / 100)


def arbitrary(largest: float = 1.0) -> st.SearchStrategy[float]:
    """Any float64 up to `largest` that is zero or not absurdly near to it."""
    return st.floats(-largest, largest).map(lambda x: x if abs(x) > 1e-9 else 0.0)


@st.composite
def documents(
    draw: st.DrawFn,
    outputs: tuple[str, str, bool] | None = None,
    *,
    reproduced: bool = False,
    carried: bool = False,
    hand: bool | None = None,
    most_layers: int = 5,
    most_rows: int = 8,
    most_units: int = 3,
) -> Document:
    """A problem document over all activations, losses and conventions.

    `outputs`: one of OUTPUTS. `reproduced`: at least one flag of [reproduce] is set.
    `carried`: `carry_rounded`, with 1 to 4 decimals. `hand`: numbers of two decimals only (None: or arbitrary ones).
    """
    hand = draw(st.booleans()) if hand is None else hand
    numbers = hand_friendly if hand else arbitrary
    loss, output, fused = draw(st.sampled_from(OUTPUTS)) if outputs is None else outputs
    diagonal = reproduced and output == "softmax" and not fused and draw(st.booleans())
    depth = draw(st.integers(1, most_layers))
    rows = draw(st.integers(1, most_rows))
    sizes = draw(st.lists(st.integers(1, most_units), min_size=depth + 1, max_size=depth + 1))
    if output == "softmax" and loss == "binary_cross_entropy":
        sizes[-1] = max(sizes[-1], 2)  # a single softmax output is exactly 1, where this loss divides by zero
    activations = [*draw(st.lists(st.sampled_from(HIDDEN), min_size=depth - 1, max_size=depth - 1)), output]
    document: Document = {
        "learning_rate": draw(st.sampled_from([0.01, 0.1, 0.5, 1.0])),
        "loss": loss,
        "data": {
            "X": draw(_matrix(rows, sizes[0], numbers(2.0))),
            "Y": draw(_targets(rows, sizes[-1], loss, hand)),
        },
        "layers": [draw(_layer(*pair, numbers())) for pair in zip(activations, sizes[:-1], sizes[1:], strict=True)],
        "convention": draw(_conventions(fused, reproduced)),
        **draw(_options(rows)),
    }
    if reproduced:
        document["reproduce"] = draw(_reproductions(diagonal, depth))
    if carried:
        document |= {"carry_rounded": True, "decimals": draw(_decimals(depth))}
    return document


@st.composite
def _matrix(draw: st.DrawFn, rows: int, columns: int, numbers: st.SearchStrategy[float]) -> list[list[float]]:
    cells = draw(st.lists(numbers, min_size=rows * columns, max_size=rows * columns))
    return [cells[k * columns : (k + 1) * columns] for k in range(rows)]


@st.composite
def _targets(draw: st.DrawFn, rows: int, outputs: int, loss: str, hand: bool) -> list[list[float]]:
    if loss == "cross_entropy":  # rows that sum to 1: one-hot, or shared out in hundredths
        return [draw(_shares(outputs)) for _ in range(rows)]
    if loss == "binary_cross_entropy":
        return draw(_matrix(rows, outputs, st.sampled_from([0.0, 1.0, 0.25, 0.9])))
    if loss == "hinge":
        return draw(_matrix(rows, outputs, st.sampled_from([-1.0, 1.0])))
    return draw(_matrix(rows, outputs, hand_friendly(1.0) if hand else arbitrary(1.0)))


@st.composite
def _shares(draw: st.DrawFn, outputs: int) -> list[float]:
    cuts = sorted(draw(st.lists(st.sampled_from([0, 0, 100, 25, 60]), min_size=outputs - 1, max_size=outputs - 1)))
    return [(high - low) / 100 for low, high in zip([0, *cuts], [*cuts, 100], strict=True)]


@st.composite
def _layer(
    draw: st.DrawFn, activation: str, inputs: int, units: int, numbers: st.SearchStrategy[float]
) -> dict[str, Any]:
    layer: dict[str, Any] = {"activation": activation, "weights": draw(_matrix(inputs, units, numbers))}
    match draw(st.sampled_from(["per unit", "shared", "none"])):
        case "per unit":
            layer["bias"] = draw(st.lists(numbers, min_size=units, max_size=units))
        case "shared":
            layer["bias"] = draw(numbers)
    if activation == "leaky_relu" and draw(st.booleans()):
        layer["slope"] = draw(st.sampled_from([0.1, 0.25, 0.0, -0.5]))
    return layer


@st.composite
def _conventions(draw: st.DrawFn, fused: bool, twice: bool) -> dict[str, Any]:
    choices = {
        "error": st.sampled_from(["output - target", "target - output"]),
        "learning_rate_in": st.sampled_from(["update", "delta"] if twice else ["update", "delta", "change"]),
        "reduction": st.sampled_from(["sum", "mean"]),
        "reduction_in": st.sampled_from(["error", "gradient"]),
        "bias_update": st.booleans(),
        "softmax_slope": st.just("fused" if fused else "jacobian"),
        "relu_slope_at_zero": st.sampled_from([0, 1]),
    }
    return {key: draw(choice) for key, choice in choices.items() if key == "softmax_slope" or draw(st.booleans())}


@st.composite
def _options(draw: st.DrawFn, rows: int) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if draw(st.booleans()):
        options["batch_size"] = draw(st.integers(1, rows))
    if draw(st.booleans()):
        options["loss_shown"] = draw(st.sampled_from(["sum", "mean"]))
    return options


@st.composite
def _reproductions(draw: st.DrawFn, diagonal: bool, depth: int) -> dict[str, Any]:
    flags: dict[str, Any] = {"softmax_slope": "diagonal"} if diagonal else {}
    for key in ("rate_twice", "updated_weights_sent_back"):
        if draw(st.booleans()) or not flags:
            flags[key] = True
    return flags


@st.composite
def _decimals(draw: st.DrawFn, depth: int) -> int | dict[str, int]:
    digits = st.integers(1, 4)
    if draw(st.booleans()):
        return draw(digits)
    keys = ["Z1", "A1", "D1", "dW1", f"W{depth}_next", "E", "L"]
    return draw(st.dictionaries(st.sampled_from(keys), digits, min_size=1))
