"""The slips of SLIPS.md in plain numpy: for a matrix, what a student gets by each wrong rule.

A rule takes the student's work, a matrix and what they remember, and yields the values that it can give.
Written from the catalogue, not from the product.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from tests import reference
from tests.students import Array, Work, split

Memory = dict[str, Array]
Rule = Callable[[Work, Memory, int, Array], Iterator[Array]]
"""(work, memory, layer, right value) -> wrong values."""
RULES: dict[tuple[str, str], Rule] = {}
ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus")


def slip(slug: str, *kinds: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        for kind in kinds:
            RULES[slug, kind] = rule
        return rule

    return register


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def softmax(z: Array) -> Array:
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def name_of(work: Work, layer: int) -> str:
    return str(work.layers[layer - 1]["activation"])


# 1–6: sums


@slip("no-bias", "Z")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if work.has_bias(layer):
        yield work.A(m, layer - 1) @ m[f"W{layer}"]


@slip("bias-subtracted", "Z")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if work.has_bias(layer):
        yield right - 2 * m[f"b{layer}"]


@slip("bias-per-term", "Z")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if work.has_bias(layer):
        yield right + (len(m[f"W{layer}"]) - 1) * m[f"b{layer}"]


@slip("wrong-bias", "Z")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if not work.has_bias(layer):
        return
    b, product = m[f"b{layer}"], work.A(m, layer - 1) @ m[f"W{layer}"]
    for order in list(permutations(range(b.shape[1])))[1:]:
        yield product + b[:, list(order)]
    for other in range(1, work.depth + 1):
        if other != layer and work.has_bias(other) and m[f"b{other}"].shape == b.shape:
            yield product + m[f"b{other}"]


@slip("weights-transposed", "Z")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    W = m[f"W{layer}"]
    if W.shape[0] == W.shape[1]:
        yield work.A(m, layer - 1) @ W.T + m.get(f"b{layer}", 0.0)


@slip("elementwise-product", "Z")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    A, W = work.A(m, layer - 1), m[f"W{layer}"]
    if A.shape == W.shape:
        yield A * W + m.get(f"b{layer}", 0.0)


@slip("weight-misread", "Z")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    """One weight with its sign lost, or the one below or beside it in its place."""
    W = m[f"W{layer}"]
    for i, j in np.ndindex(W.shape):
        for other in (-W[i, j], *W[i + 1 : i + 2, j], *W[i, j + 1 : j + 2]):
            read = W.copy()
            read[i, j] = other
            yield work.A(m, layer - 1) @ read + m.get(f"b{layer}", 0.0)


# 7–11, 69: activations


@slip("activation-skipped", "A")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    yield m[f"Z{layer}"].copy()


@slip("exponent-sign", "A")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if name_of(work, layer) in ("sigmoid", "tanh", "softplus", "softmax"):
        yield reference.activate(work.layers[layer - 1], -m[f"Z{layer}"])


@slip("missing-brackets", "A")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if name_of(work, layer) == "sigmoid":
        yield 1 / 1 + np.exp(-m[f"Z{layer}"])


@slip("log-base", "A")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    for base in (10.0, 2.0):
        if name_of(work, layer) == "sigmoid":
            yield 1 / (1 + base ** -m[f"Z{layer}"])
        if name_of(work, layer) == "softmax":
            powers = base ** m[f"Z{layer}"]
            yield powers / powers.sum(axis=1, keepdims=True)


@slip("wrong-activation", "A")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    Z, own = m[f"Z{layer}"], name_of(work, layer)
    for other in ACTIVATIONS:
        if other != own and not (own == "softmax" and other == "sigmoid"):
            yield reference.activate({"activation": other}, Z)
    yield (Z > 0).astype(float)
    yield np.abs(Z)


@slip("formula-mistyped", "A")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    Z = m[f"Z{layer}"]
    if name_of(work, layer) == "sigmoid":
        yield sigmoid(Z**2)
        yield 1 / (1 + np.exp(Z**2))
        yield 1 / (1 + np.exp(-Z) ** 2)


# 12–16, 64: softmax


def of_softmax(rule: Callable[[Array], Iterator[Array]]) -> Rule:
    def made(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
        if name_of(work, layer) == "softmax":
            yield from rule(m[f"Z{layer}"])

    return made


def _without_exp(z: Array) -> Iterator[Array]:
    yield z / z.sum(axis=1, keepdims=True)


def _not_normalised(z: Array) -> Iterator[Array]:
    yield np.exp(z)


def _wrong_axis(z: Array) -> Iterator[Array]:
    yield np.exp(z) / np.exp(z).sum(axis=0, keepdims=True)
    yield np.exp(z) / np.exp(z).sum()


def _exp_of_sum(z: Array) -> Iterator[Array]:
    yield np.exp(z) / np.exp(z.sum(axis=1, keepdims=True))


def _sigmoid(z: Array) -> Iterator[Array]:
    yield sigmoid(z)


def _twice(z: Array) -> Iterator[Array]:
    yield softmax(softmax(z))


for slug, rule in {
    "softmax-without-exp": _without_exp,
    "softmax-not-normalised": _not_normalised,
    "softmax-wrong-axis": _wrong_axis,
    "exp-of-sum": _exp_of_sum,
    "sigmoid-for-softmax": _sigmoid,
    "softmax-twice": _twice,
}.items():
    RULES[slug, "A"] = of_softmax(rule)


# 17–23, 66: the loss


def is_entropy(work: Work) -> bool:
    return "cross_entropy" in work.loss


@slip("loss-log-base", "L")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if is_entropy(work):
        yield right / np.log(10)
        yield right / np.log(2)


@slip("loss-sign", "L")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    yield -right


@slip("sum-for-mean", "L", "D", "dW", "db")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    for factor in (work.N, work.K):
        if factor > 1:
            yield right * factor
            yield right / factor


@slip("half-factor", "L", "D")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    yield right * 2
    yield right / 2


def shown_loss(work: Work, per_sample: Array) -> Array:
    shown = reference.loss_shown({"convention": {}} | work.document)
    return np.array([[per_sample.mean() if shown == "mean" else per_sample.sum()]])


@slip("no-one-hot-mask", "L")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if work.loss == "cross_entropy":
        yield shown_loss(work, -np.log(m[f"A{work.depth}"]).sum(axis=1))


@slip("log-of-mean", "L")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if work.loss == "cross_entropy" and work.N > 1:
        yield np.array([[-np.log((work.Y * m[f"A{work.depth}"]).sum(axis=1).mean())]])


@slip("bce-for-ce", "L")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    other = {"cross_entropy": "binary_cross_entropy", "binary_cross_entropy": "cross_entropy"}
    if is_entropy(work):
        yield shown_loss(work, reference.per_sample(other[work.loss], work.Y, m[f"A{work.depth}"]))


@slip("fraction-without-square", "L")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if not is_entropy(work):
        factor = {"half_squared_error": 0.5, "squared_error": 1.0, "mean_squared_error": 1 / work.K}[work.loss]
        yield shown_loss(work, factor * (work.Y - m[f"A{work.depth}"]).sum(axis=1))


@slip("softmax-twice", "L")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if work.loss == "cross_entropy":
        yield shown_loss(work, reference.per_sample(work.loss, work.Y, softmax(m[f"A{work.depth}"])))


# 23–28, 71: error and delta of the output


@slip("error-sign", "E", "D")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    yield -right


@slip("bce-for-ce", "E")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if is_entropy(work) and not layer:
        A, Y = m[f"A{work.depth}"], work.Y
        if work.loss == "cross_entropy":
            yield work.signed(reference.gradient("binary_cross_entropy", Y, A))
        yield work.signed(-Y / A - (1 - Y) / (1 - A))


@slip("extra-slope", "D")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    pairs = (("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy"))
    if layer == work.depth and (name_of(work, layer), work.loss) in pairs:
        A = m[f"A{layer}"]
        yield work.with_rate(work.signed((A - work.Y) * A * (1 - A)))


@slip("slope-missing", "D")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if name_of(work, layer) not in ("linear", "softmax", "relu", "leaky_relu"):
        E = work.error(m, layer)
        yield work.with_rate(E) if layer == work.depth else E.copy()


@slip("stopped-at-loss", "D")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if layer == work.depth and name_of(work, layer) == "softmax" and is_entropy(work):
        A = m[f"A{layer}"]
        yield work.with_rate(work.signed(reference.gradient(work.loss, work.Y, A)) if work.fused else m["E"])


@slip("diagonal-jacobian", "D")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if layer == work.depth and work.jacobians:
        A = m[f"A{layer}"]
        yield work.with_rate(m["E"] * A * (1 - A))


@slip("jacobian-row-summed", "D")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if layer == work.depth and work.jacobians:
        yield np.zeros_like(right)


@slip("jacobian-wrong-index", "J")
def _(work: Work, m: Memory, sample: int, right: Array) -> Iterator[Array]:
    a = m[f"A{work.depth}"][sample - 1]
    for by in range(1, work.K):
        yield a[:, None] * (np.eye(work.K) - np.roll(a, -by))


@slip("diagonal-jacobian", "J")
def _(work: Work, m: Memory, sample: int, right: Array) -> Iterator[Array]:
    yield np.diag(np.diag(right))


# 29–35, 67: slopes, and deltas made with them


def wrong_slopes(work: Work, m: Memory, layer: int) -> Iterator[tuple[str, Array]]:
    own, Z, A = work.layers[layer - 1], m[f"Z{layer}"], m[f"A{layer}"]
    name = own["activation"]
    if name in ("sigmoid", "tanh", "softplus"):
        yield "slope-of-activation", work.slope(own, A, reference.activate(own, A))
    if name == "sigmoid":
        yield "slope-of-z", Z * (1 - Z)
        yield "half-slope", A.copy()
        yield "half-slope", 1 - A
        if A.shape[0] == A.shape[1]:
            yield "matrix-product", A @ (1 - A)
    if name == "tanh":
        yield "slope-of-z", 1 - Z**2
        yield "half-slope", 1 - A
    if name == "relu":
        yield "relu-mask-misplaced", (Z <= 0).astype(float)
    if name in ("relu", "leaky_relu"):
        yield "relu-mask-missing", np.ones_like(Z)
    for other in ("sigmoid", "tanh", "relu"):
        if other != name:
            slope = work.slope({"activation": other}, Z, A)
            yield "wrong-slope", slope


def slopes(slug: str) -> Rule:
    def made(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
        if name_of(work, layer) != "softmax":
            yield from (value for found, value in wrong_slopes(work, m, layer) if found == slug)

    return made


def deltas(slug: str) -> Rule:
    def made(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
        if name_of(work, layer) != "softmax" and not (work.fused and layer == work.depth):
            E = work.error(m, layer)
            for found, value in wrong_slopes(work, m, layer):
                if found == slug:
                    yield work.with_rate(E * value) if layer == work.depth else E * value

    return made


for slug in (
    "slope-of-activation", "slope-of-z", "half-slope", "wrong-slope", "relu-mask-missing", "relu-mask-misplaced",
):  # fmt: skip
    RULES[slug, "S"], RULES[slug, "D"] = slopes(slug), deltas(slug)
RULES["matrix-product", "S"] = slopes("matrix-product")


@slip("neighbour-in-slope", "S")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    """The first unit's activation for the second's, as in a column of formulas that was copied."""
    Z, A, own = m[f"Z{layer}"].copy(), m[f"A{layer}"].copy(), work.layers[layer - 1]
    if A.shape[1] > 1 and own["activation"] in ("sigmoid", "tanh"):
        A[:, 1], Z[:, 1] = A[:, 0], Z[:, 0]
        yield work.slope(own, Z, A)


@slip("slope-of-error", "D")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    E = work.error(m, layer)
    if name_of(work, layer) == "sigmoid" and not (work.fused and layer == work.depth):
        yield work.with_rate(E * E * (1 - E)) if layer == work.depth else E * E * (1 - E)


@slip("matrix-product", "D")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if f"S{layer}" in m and right.shape[0] == right.shape[1]:
        E, S = work.error(m, layer), m[f"S{layer}"]
        for wrong in (E @ S, E @ S.T):
            yield work.with_rate(wrong) if layer == work.depth else wrong


@slip("divided-for-multiplied", "D")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if f"S{layer}" in m:
        wrong = work.error(m, layer) / m[f"S{layer}"]
        yield work.with_rate(wrong) if layer == work.depth else wrong


@slip("rate-in-gradient", "D", "dW", "db")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if not work.rate_in_delta:
        yield right * work.rate


# 36–39, 58, 60: errors sent back (kind E with a layer)


def back(slug: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        def made(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
            if layer:
                yield from rule(work, m, layer, right)

        RULES[slug, "E"] = made
        return made

    return register


@back("no-transpose")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    W = m[f"W{layer + 1}"]
    if W.shape[0] == W.shape[1]:
        yield m[f"D{layer + 1}"] @ W


@back("updated-weights")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    D = m[f"D{layer + 1}"]
    gradient = work.A(m, layer).T @ D
    yield D @ (m[f"W{layer + 1}"] - work.step() * gradient).T


@back("raw-error-sent-back")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    yield work.error(m, layer + 1) @ m[f"W{layer + 1}"].T


@back("gradient-sent-back")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    A, D = work.A(m, layer), m[f"D{layer + 1}"]
    yield A * D.sum(axis=1, keepdims=True)
    yield np.tile(work.entered(A.T @ D).sum(axis=1), (work.N, 1))


@back("wrong-layer-weights")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    for other in range(1, work.depth + 1):
        W = m[f"W{other}"].T
        if other != layer + 1 and W.shape == m[f"W{layer + 1}"].T.shape:
            yield m[f"D{layer + 1}"] @ W


@back("next-layer-sum-missing")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    D, W = m[f"D{layer + 1}"], m[f"W{layer + 1}"]
    if W.shape[0] == W.shape[1] > 1:
        yield D * np.diag(W)


@back("divided-for-multiplied")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    yield m[f"D{layer + 1}"] @ (1 / m[f"W{layer + 1}"]).T


# 40–47, 53, 60, 68, 70: gradients


@slip("wrong-left-factor", "dW")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    D = m[f"D{layer}"]
    if layer > 1:
        yield m[f"Z{layer - 1}"].T @ D
    for other in range(work.depth + 1):
        A = work.A(m, other)
        if other != layer - 1 and A.shape == work.A(m, layer - 1).shape:
            yield A.T @ D


@slip("error-for-delta", "dW")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    yield work.A(m, layer - 1).T @ work.error(m, layer)


@slip("outer-of-sums", "dW")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    A, D = work.A(m, layer - 1), m[f"D{layer}"]
    yield np.outer(A.sum(axis=0), D.sum(axis=0))
    yield np.outer(A.mean(axis=0), D.mean(axis=0))


@slip("one-sample-only", "dW")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    A, D = work.A(m, layer - 1), m[f"D{layer}"]
    for sample in (0, -1):
        yield np.outer(A[sample], D[sample])


@slip("one-sample-only", "db")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    D = m[f"D{layer}"]
    for sample in (0, -1):
        yield D[sample : sample + 1 or None] if right.shape[1] == D.shape[1] else D[sample].sum().reshape(1, 1)


@slip("times-parameter", "dW")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    yield right * m[f"W{layer}"]


@slip("times-parameter", "db")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    yield right * m[f"b{layer}"]


@slip("gradient-transposed", "dW")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    if right.shape[0] == right.shape[1]:
        yield right.T.copy()


@slip("divided-for-multiplied", "dW")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    yield (1 / work.A(m, layer - 1)).T @ m[f"D{layer}"]


@slip("transposed-operand-missing", "dW")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    A, D = work.A(m, layer - 1), m[f"D{layer}"]
    if A.shape[1] == D.shape[0] and (A.shape[0], D.shape[1]) == right.shape:
        yield A @ D


@slip("bias-summed-over-units", "db")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    sums = m[f"D{layer}"].sum(axis=1)
    if sums.size == right.size > 1:
        yield sums[None]


@slip("bias-mean-or-total", "db")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    yield right / work.N
    yield np.full_like(right, m[f"D{layer}"].sum())
    yield np.zeros_like(right)


@slip("bias-not-summed", "db")
def _(work: Work, m: Memory, layer: int, right: Array) -> Iterator[Array]:
    D = m[f"D{layer}"]
    if right.shape[1] == D.shape[1] and work.N > 1:
        for sample in range(work.N):
            yield D[sample : sample + 1].copy()


# 48–52: the update


@dataclass
class Update:
    """A parameter and its gradient."""

    old: Array
    gradient: Array


def changes(slug: str, change: Callable[[Work, Update], Iterator[Array]]) -> None:
    for kind in ("W", "b"):

        def made(work: Work, m: Memory, layer: int, right: Array, kind: str = kind) -> Iterator[Array]:
            if kind == "W" or work.convention("bias_update"):
                yield from change(work, Update(m[f"{kind}{layer}"], m[f"d{kind}{layer}"]))

        RULES[slug, f"{kind}_next"] = made


def _direction(work: Work, on: Update) -> Iterator[Array]:
    yield on.old + work.step() * on.gradient


def _rate(work: Work, on: Update) -> Iterator[Array]:
    right = (0 if work.rate_in_delta else 1) + np.array([-1, 1, -2])
    powers = [1] if work.rate_in_delta else right
    for power in powers:
        yield on.old - work.sign * work.rate ** float(power) * on.gradient


def _scaled_change(work: Work, on: Update) -> Iterator[Array]:
    for factor in (2, 0.5, work.N, 1 / work.N):
        yield on.old - factor * work.step() * on.gradient


def _scaled(work: Work, on: Update) -> Iterator[Array]:
    yield work.rate * (on.old - work.sign * on.gradient)


def _change_alone(work: Work, on: Update) -> Iterator[Array]:
    yield work.step() * on.gradient
    yield -work.step() * on.gradient


def _unchanged(work: Work, on: Update) -> Iterator[Array]:
    yield on.old.copy()


changes("wrong-direction", _direction)
changes("rate-missing-twice-divided", _rate)
changes("rate-scales-weights", _scaled)
changes("change-for-value", _change_alone)
changes("not-updated", _unchanged)
changes("change-scaled", _scaled_change)


# 56, 57, 61, 62, 63: in one cell


def wrong_cells(slug: str, work: Work, name: str, m: Memory) -> list[tuple[int, int, float]]:
    """(row, column, value) of every way in which one cell can go wrong by a slip of a single cell."""
    kind, layer = split(name)
    right = work.compute(name, m)
    found: list[tuple[int, int, float]] = []
    for i, j in np.ndindex(right.shape):
        found += [(i, j, float(value)) for value in IN_A_CELL[slug](work, m, kind, layer, right, i, j)]
    return [(i, j, value) for i, j, value in found if abs(value - right[i, j]) > 1e-12]


def _terms(work: Work, m: Memory, kind: str, layer: int, i: int, j: int) -> tuple[Array, Array] | None:
    """The operands of a sum of products, left and right."""
    match kind:
        case "Z":
            return work.A(m, layer - 1)[i], m[f"W{layer}"][:, j]
        case "E" if layer:
            return m[f"D{layer + 1}"][i], m[f"W{layer + 1}"][j]
        case "dW":
            return work.A(m, layer - 1)[:, i], m[f"D{layer}"][:, j]
        case "db" if m[f"b{layer}"].shape[1] == m[f"D{layer}"].shape[1]:
            return m[f"D{layer}"][:, j], np.ones(work.N)
    return None


def _one_term(work: Work, m: Memory, kind: str, layer: int, right: Array, i: int, j: int) -> Iterator[float]:
    operands = _terms(work, m, kind, layer, i, j)
    if operands is not None and len(operands[0]) > 1:
        for term in operands[0] * operands[1]:
            yield right[i, j] - term
            yield right[i, j] + term


def _sign_lost(work: Work, m: Memory, kind: str, layer: int, right: Array, i: int, j: int) -> Iterator[float]:
    operands = _terms(work, m, kind, layer, i, j)
    if operands is not None and len(operands[0]) > 1:
        for term in operands[0] * operands[1]:
            yield right[i, j] - 2 * term


def _twice_used(work: Work, m: Memory, kind: str, layer: int, right: Array, i: int, j: int) -> Iterator[float]:
    operands = _terms(work, m, kind, layer, i, j)
    if operands is None or kind == "db":
        return
    for one, other in (operands, operands[::-1]):
        for k, wrong in permutations(range(len(one)), 2):
            yield right[i, j] + (one[wrong] - one[k]) * other[k]


def _another_row(work: Work, m: Memory, kind: str, layer: int, right: Array, i: int, j: int) -> Iterator[float]:
    """A sample's or a unit's number from the row or column beside it."""
    if kind == "Z":
        A, W = work.A(m, layer - 1), m[f"W{layer}"]
        for other in range(work.N):
            if other != i:
                yield right[i, j] + (A[other] - A[i]) @ W[:, j]
        for other in range(W.shape[1]):
            if other != j:
                yield right[i, j] + A[i] @ (W[:, other] - W[:, j])
    if kind == "E" and not layer and "squared" in work.loss:
        factor = {"half_squared_error": 1.0, "squared_error": 2.0, "mean_squared_error": 2 / work.K}[work.loss]
        for other in range(work.N):
            if other != i:
                yield right[i, j] + float(work.signed(factor * (work.Y[i, j] - work.Y[other, j])))
    if kind == "D" and f"S{layer}" in m and layer < work.depth:
        for other in range(work.N):
            if other != i:
                yield float(work.error(m, layer)[i, j] * m[f"S{layer}"][other, j])


IN_A_CELL = {
    "term-sign-lost": _sign_lost,
    "term-dropped-or-doubled": _one_term,
    "operand-used-twice": _twice_used,
    "wrong-row-or-target": _another_row,
}


# What may come on top of another slip in the same matrix: kinds of matrices, and a factor.
FACTORS: dict[str, tuple[tuple[str, ...], Callable[[Work], float]]] = {
    "error-sign": (("D",), lambda work: -1.0),
    "loss-sign": (("L",), lambda work: -1.0),
    "half-factor": (("L", "D"), lambda work: 2.0),
    "sum-for-mean": (("L", "D", "dW", "db"), lambda work: 1 / work.N),
    "rate-in-gradient": (("D", "dW", "db"), lambda work: 1.0 if work.rate_in_delta else work.rate),
}


def wrong_values(slug: str, work: Work, name: str, m: Memory) -> list[Array]:
    """What a matrix becomes by a slip, in each of its forms; the right value is no form of it."""
    kind, layer = split(name)
    rule = RULES.get((slug, kind))
    if rule is None:
        return []
    with np.errstate(all="ignore"):
        right = work.compute(name, m)
        found = [np.asarray(value, dtype=float) for value in rule(work, m, layer, right)]
    return [value for value in found if np.isfinite(value).all() and not np.allclose(value, right, rtol=0, atol=1e-12)]
