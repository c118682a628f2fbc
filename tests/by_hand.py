"""The rule of every matrix in decimal arithmetic, worked on the rounded matrices before it.

The oracle of `carry_rounded`: 50 digits, no float64 anywhere, so that a tie is a tie. `rules`
gives the exact value of every matrix of a pass from the matrices that the pass shows.
"""

from collections.abc import Callable, Mapping
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any

from tests.reference import convention, loss_shown

Grid = list[list[Decimal]]
Document = dict[str, Any]
DIGITS = Context(prec=50)
ONE, ZERO = Decimal(1), Decimal(0)


def exactly(rows: Any) -> Grid:
    """The numbers as written: 0.1 is one tenth."""
    return [[Decimal(repr(float(cell))) for cell in row] for row in rows]


def rounded(value: Decimal, decimals: int) -> set[Decimal]:
    """What `value` may be rounded to: half away from zero; within 2e-9 of a tie, but not on it, either side.

    DESIGN counts a value within 1e-9 of a unit from a tie as a tie; which side of that line float64
    falls on is not the oracle's business.
    """
    unit = Decimal(1).scaleb(-decimals)
    nearest = value.quantize(unit, ROUND_HALF_UP, DIGITS)
    down = value.quantize(unit, ROUND_DOWN, DIGITS)
    past = (abs(value) - abs(down)) / unit - Decimal("0.5")
    up = down + unit.copy_sign(value)
    if abs(past) < Decimal("1e-25"):  # a tie: 1/3 and the like have fifty digits here
        return {up}
    return {down, up} if abs(past) < Decimal("2e-9") else {nearest}


def dot(left: Grid, right: Grid) -> Grid:
    return [[sum((a * b for a, b in zip(row, column, strict=True)), ZERO) for column in turned(right)] for row in left]


def turned(grid: Grid) -> Grid:
    return [list(column) for column in zip(*grid, strict=True)]


def each(rule: Callable[..., Decimal], *grids: Grid) -> Grid:
    return [[rule(*cells) for cells in zip(*rows, strict=True)] for rows in zip(*grids, strict=True)]


def logistic(z: Decimal) -> Decimal:
    return ONE / (ONE + (-z).exp())


def tanh(z: Decimal) -> Decimal:
    return ONE - 2 / ((2 * z).exp() + ONE)


PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
BEND, CUBED = (2 / PI).sqrt(), Decimal("0.044715")


def bend(z: Decimal) -> Decimal:
    """What gelu's tanh form takes the tanh of."""
    return BEND * (z + CUBED * z**3)


def bell(z: Decimal) -> Decimal:
    return (-z * z / 2).exp() / (2 * PI).sqrt()


def normal_share(z: Decimal) -> Decimal:
    """Φ by its series about 0."""
    term, total, k = z, z, 1
    while abs(term) > Decimal("1e-60"):
        k += 2
        term = term * z * z / k
        total += term
    return Decimal("0.5") + bell(z) * total


def arctan(z: Decimal) -> Decimal:
    """By its series, after the argument has been halved until it is small."""
    halvings = 0
    while abs(z) > Decimal("0.1"):
        z, halvings = z / (ONE + (ONE + z * z).sqrt()), halvings + 1
    powers = (z ** (2 * k + 1) / (2 * k + 1) * (-1) ** k for k in range(40))
    return sum(powers, ZERO) * 2**halvings


def activate(layer: Document, Z: Grid) -> Grid:
    leak = Decimal(repr(layer.get("slope", 0.01)))
    if layer["activation"] == "softmax":
        powers = each(lambda z: z.exp(), Z)
        return [[power / sum(row) for power in row] for row in powers]
    rule: Callable[[Decimal], Decimal] = {
        "sigmoid": logistic,
        "tanh": tanh,
        "relu": lambda z: max(z, ZERO),
        "leaky_relu": lambda z: z if z > 0 else leak * z,
        "elu": lambda z: z if z > 0 else z.exp() - ONE,
        "softplus": lambda z: (ONE + z.exp()).ln(),
        "gelu": lambda z: z * (ONE + tanh(bend(z))) / 2,
        "gelu_erf": lambda z: z * normal_share(z),
        "silu": lambda z: z * logistic(z),
        "softsign": lambda z: z / (ONE + abs(z)),
        "arctan": arctan,
        "linear": lambda z: z,
    }[layer["activation"]]
    return each(rule, Z)


def slopes(layer: Document, Z: Grid, A: Grid, at_zero: int) -> Grid:
    """In A where it can be, as by hand: a(1 − a) of the rounded a."""
    leak = Decimal(repr(layer.get("slope", 0.01)))

    def step(other: Decimal) -> Callable[[Decimal, Decimal], Decimal]:
        return lambda z, a: ONE if z > 0 or (at_zero and z == 0) else other

    rule: Callable[[Decimal, Decimal], Decimal] = {
        "sigmoid": lambda z, a: a * (ONE - a),
        "softmax": lambda z, a: a * (ONE - a),
        "tanh": lambda z, a: ONE - a * a,
        "relu": step(ZERO),
        "leaky_relu": step(leak),
        "elu": lambda z, a: ONE if z > 0 else z.exp(),
        "softplus": lambda z, a: logistic(z),
        "gelu": lambda z, a: (
            (ONE + tanh(bend(z))) / 2 + z / 2 * (ONE - tanh(bend(z)) ** 2) * BEND * (1 + 3 * CUBED * z**2)
        ),
        "gelu_erf": lambda z, a: normal_share(z) + z * bell(z),
        "silu": lambda z, a: logistic(z) + a * (ONE - logistic(z)),
        "softsign": lambda z, a: (ONE - abs(a)) ** 2,
        "arctan": lambda z, a: ONE / (ONE + z * z),
        "linear": lambda z, a: ONE,
    }[layer["activation"]]
    return each(rule, Z, A)


def loss(document: Document, Y: Grid, Z: Grid, A: Grid) -> Decimal:
    fused, outputs = convention(document, "softmax_slope") == "fused", Decimal(len(Y[0]))
    kind = document["loss"]
    if kind == "cross_entropy" and fused:
        tops = [[sum((z.exp() for z in row), ZERO).ln()] * len(row) for row in Z]
        terms = each(lambda y, top, z: y * (top - z), Y, tops, Z)
    elif kind == "cross_entropy":
        terms = each(lambda y, a: -y * a.ln(), Y, A)
    elif kind == "binary_cross_entropy" and fused:
        terms = each(lambda y, z: (ONE + z.exp()).ln() - y * z, Y, Z)
    elif kind == "binary_cross_entropy":
        terms = each(lambda y, a: -y * a.ln() - (ONE - y) * (ONE - a).ln(), Y, A)
    elif kind == "hinge":
        terms = each(lambda y, a: max(ZERO, ONE - y * a), Y, A)
    elif kind.endswith("absolute_error"):
        terms = each(lambda y, a: abs(y - a) / (outputs if "mean" in kind else 1), Y, A)
    else:
        factor = {
            "half_squared_error": Decimal("0.5"),
            "squared_error": ONE,
            "mean_squared_error": ONE / outputs,
        }
        terms = each(lambda y, a: factor[kind] * (y - a) ** 2, Y, A)
    total = sum((cell for row in terms for cell in row), ZERO)
    return total / len(Y) if loss_shown(document) == "mean" else total


def mean_in(document: Document) -> str:
    """Where 1/N enters; "" where there is none."""
    return convention(document, "reduction_in") if convention(document, "reduction") == "mean" else ""


def error(document: Document, Y: Grid, A: Grid) -> Grid:
    kind, outputs = document["loss"], len(Y[0])
    sign = ONE if convention(document, "error") == "output - target" else -ONE
    share = sign / (len(Y) if mean_in(document) == "error" else 1)
    if convention(document, "softmax_slope") == "fused" or kind == "half_squared_error":
        rule: Callable[[Decimal, Decimal], Decimal] = lambda y, a: a - y  # noqa: E731
    elif kind == "squared_error":
        rule = lambda y, a: 2 * (a - y)  # noqa: E731
    elif kind == "mean_squared_error":
        rule = lambda y, a: 2 * (a - y) / outputs  # noqa: E731
    elif kind == "hinge":
        rule = lambda y, a: -y if y * a < 1 else ZERO  # noqa: E731
    elif kind.endswith("absolute_error"):
        side = ONE / (outputs if "mean" in kind else 1)
        rule = lambda y, a: ZERO if y == a else side.copy_sign(a - y)  # noqa: E731
    elif kind == "cross_entropy":
        rule = lambda y, a: -y / a  # noqa: E731
    else:
        rule = lambda y, a: (ONE - y) / (ONE - a) - y / a  # noqa: E731
    return each(lambda y, a: share * rule(y, a), Y, A)


def rules(document: Document, shown: Mapping[str, Any]) -> dict[str, Grid]:
    """The exact value of every computed matrix, from the matrices of the pass before it."""
    with localcontext(DIGITS):
        return _rules(document, {key: exactly(shown[key]) for key in shown})


def _rules(document: Document, of: Mapping[str, Grid]) -> dict[str, Grid]:
    layers, made = document["layers"], {}
    depth, rate = len(layers), Decimal(repr(document["learning_rate"]))
    in_delta = convention(document, "learning_rate_in") == "delta"
    at_zero = convention(document, "relu_slope_at_zero")
    sign = -1 if convention(document, "error") == "output - target" else 1
    change = convention(document, "learning_rate_in") == "change"
    step = ONE if change else (ONE if in_delta else rate) * sign
    shared = Decimal(len(of["X"]) if mean_in(document) == "gradient" else 1)

    def entered(sums: Grid) -> Grid:
        return each(lambda x: x / shared * (rate * sign if change else 1), sums)

    for k, layer in enumerate(layers, start=1):
        before, W = of[f"A{k - 1}" if k > 1 else "X"], of[f"W{k}"]
        Z, bias = dot(before, W), of.get(f"b{k}")
        if bias is not None:
            row = bias[0] * (len(W[0]) if len(bias[0]) == 1 else 1)
            Z = [[z + b for z, b in zip(cells, row, strict=True)] for cells in Z]
        made |= {
            f"Z{k}": Z,
            f"A{k}": activate(layer, of[f"Z{k}"]),
            f"dW{k}": entered(dot(turned(before), of[f"D{k}"])),
        }
        made[f"W{k}_next"] = each(lambda w, d: w + step * d, W, of[f"dW{k}"])
        if f"S{k}" in of:
            made[f"S{k}"] = slopes(layer, of[f"Z{k}"], of[f"A{k}"], at_zero)
        if bias is not None:
            sums = [[sum(column, ZERO) for column in turned(of[f"D{k}"])]]
            made[f"db{k}"] = entered(sums if len(bias[0]) == len(W[0]) else [[sum(sums[0], ZERO)]])
            moves = step if convention(document, "bias_update") else ZERO
            made[f"b{k}_next"] = [[b + moves * d for b, d in zip(bias[0], of[f"db{k}"][0], strict=True)]]
        if k < depth:
            made[f"E{k}"] = dot(of[f"D{k + 1}"], turned(of[f"W{k + 1}"]))
            made[f"D{k}"] = each(lambda e, s: e * s, of[f"E{k}"], of[f"S{k}"])
    Y, Z, A, E = of["Y"], of[f"Z{depth}"], of[f"A{depth}"], of["E"]
    made["L"], made["E"] = [[loss(document, Y, Z, A)]], error(document, Y, A)
    for n in range(len(Y)):
        if f"J{n + 1}" in of:
            made[f"J{n + 1}"] = [[p * ((i == j) - q) for j, q in enumerate(A[n])] for i, p in enumerate(A[n])]
    delta = E
    if "J1" in of:
        delta = [dot([row], of[f"J{n + 1}"])[0] for n, row in enumerate(E)]
    elif f"S{depth}" in of:
        delta = each(lambda e, s: e * s, E, of[f"S{depth}"])
    made[f"D{depth}"] = each(lambda d: d * rate, delta) if in_delta else delta
    return made
